"""The Makefile is the one way in: targets documented, tools pinned, a pull request opened only when there is one."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support import lane, release, size

ROOT = Path(__file__).resolve().parents[2]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
PROMISED = (
    "demo", "test", "check", "generate", "check-generated", "test-contract", "bench", "build", "test-package",
    "test-min", "vendor", "diff-spec", "adopt-spec", "api-diff",
)  # fmt: skip


def make(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, **environment})


def test_every_promised_target_is_in_the_help() -> None:
    listed = re.findall(r"^  make (\S+)", make("help").stdout, re.MULTILINE)
    assert set(listed) >= set(PROMISED)


@pytest.mark.parametrize("target", [*PROMISED, "check-release", "spec-summary", "spec-pull-request", "test-newest"])
def test_every_target_can_be_resolved(target: str) -> None:
    done = make("-n", target, "DEST=x", "OFFICIAL=x", "TAG=x")
    assert done.returncode == 0, done.stderr


def test_every_development_package_is_pinned_exactly_and_only_by_name() -> None:
    pinned = lane.pins(ROOT / "tests/requirements/constraints.txt")
    wanted = (ROOT / "tests/requirements/dev.txt").read_text(encoding="utf-8").splitlines()
    names = [line for line in wanted if line and not line.startswith(("#", "-"))]
    assert names
    assert all(lane._plain(name) in pinned for name in names)
    for path in sorted((ROOT / "tests/requirements").glob("*.txt")):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"https?://|--(extra-)?index-url|--find-links", text), path
    package = json.loads((ROOT / "tests/support/node/package.json").read_text(encoding="utf-8"))
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in package["dependencies"].values())


def test_the_oldest_versions_are_those_that_the_project_admits() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    admitted = dict(re.findall(r'"([\w-]+)>=([\d.]+)', text))
    oldest = {name: line.partition("==")[2] for name, line in lane.pins(ROOT / "tests/requirements/min.txt").items()}
    assert oldest.keys() == admitted.keys()
    for name, version in admitted.items():
        assert oldest[name] == version or oldest[name].removesuffix(".0") == version, name


def test_a_module_or_a_layer_over_its_limit_is_named(tmp_path: Path) -> None:
    layer = tmp_path / "layer"
    (layer / "sandbox").mkdir(parents=True)
    (layer / "sandbox" / "big.py").write_text("x\n" * 401)
    (layer / "small.py").write_text("x\n" * 400)
    table, faults = size.report(layer, layer / "sandbox", [])
    assert "   400    400  override layer without the sandbox" in table
    assert faults == [f"{layer.as_posix()}/sandbox/big.py: 401 lines, at most 400"]
    for number in range(13):
        (layer / f"m{number}.py").write_text("x\n" * 380)
    _, faults = size.report(layer, layer / "sandbox", [])
    assert f"{layer.as_posix()}: 5340 lines of code without the sandbox, at most 5000" in faults


def test_prose_is_no_code() -> None:
    prose = '"""Module.\n\nMore."""\n\n# why\n\n\ndef f() -> None:\n    """Says."""\n'
    code = 'x = """a\nb"""  # two lines\nreturn (\n    None\n)\n'
    assert size.code_lines(prose) == 1
    assert size.code_lines(code) == 5


def test_a_release_agrees_with_its_tag_changelog_and_files() -> None:
    good = ["adsecurity-1.2.0.tar.gz", "adsecurity-1.2.0-py3-none-any.whl"]
    assert release.faults("v1.2.0", "1.2.0", "# Changelog\n\n## 1.2.0\n", good) == []
    assert "the tag should be v1.2.0" in release.faults("v1.2", "1.2.0", "## 1.2.0\n", good)[0]
    assert release.faults("v1.2.0", "1.2.0", "## Unreleased\n", good) == ["CHANGELOG.md has no heading `## 1.2.0`"]
    assert "dist/ holds nothing" in release.faults("v1.2.0", "1.2.0", "## 1.2.0\n", [])[0]
    assert re.fullmatch(r"\d+\.\d+\.\d+", release.version())


# The recipe that opens the pull request, on a repository of its own with a remote and a `gh` that writes down its call.


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    root.mkdir()
    shutil.copy(ROOT / "Makefile", root)
    (root / "generated").mkdir()
    (root / "generated" / "one.py").write_text("old\n")
    (root / "CHANGELOG.md").write_text("# Changelog\n\n## Unreleased\n")
    (root / ".gitignore").write_text("/.venv/\n/.cache/\n/bin/\n/pyproject.toml\n/tests/\n")
    tools = root / "bin"
    tools.mkdir()
    (tools / "gh").write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "$GH_CALL"\ncat .cache/summary.md >> "$GH_CALL"\n')
    (tools / "gh").chmod(0o755)
    python = root / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(
        '#!/bin/sh\nprintf "%s\\n" "$*" >> "$GH_CALL.python"\ncase "$*" in\n'
        '  "-m generator.release.summary --base "*" --changelog CHANGELOG.md") echo "- \\`User\\`: new field";;\n'
        '  "-m generator") cp "${FRESH:-generated/one.py}" generated/one.py 2>/dev/null || true;;\nesac\n'
    )
    python.chmod(0o755)
    for name in ("pyproject.toml", "tests/requirements/constraints.txt", "tests/requirements/dev.txt"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    for name in (".made", ".demo", ".dev"):
        (root / ".venv" / name).touch()
    git(tmp_path, "init", "-q", "--bare", "remote")
    git(root, "init", "-q", "-b", "main")
    git(root, "add", ".")
    git(root, "commit", "-qm", "one")
    git(root, "remote", "add", "origin", str(tmp_path / "remote"))
    return root


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def pull_request(root: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    known = {
        **os.environ,
        "PATH": f"{root / 'bin'}:{os.environ['PATH']}",
        "GH_CALL": str(root.parent / "call"),
        **{f"GIT_{who}_{what}": "a@b.c" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        **environment,
    }
    command = ["make", "--no-print-directory", "spec-pull-request", "PYTHON=python"]
    return subprocess.run(command, cwd=root, env=known, capture_output=True, text=True)


def test_a_changed_package_becomes_a_branch_and_a_pull_request_with_the_summary(repository: Path) -> None:
    fresh = repository.parent / "fresh.py"
    fresh.write_text("new\n")
    done = pull_request(repository, FRESH=str(fresh))
    assert done.returncode == 0, done.stderr
    call = (repository.parent / "call").read_text()
    branch = f"regenerate-{git(repository, 'rev-parse', '--short', 'main').strip()}"
    assert call.startswith(f"pr\ncreate\n--base\nmain\n--head\n{branch}\n")
    assert "- `User`: new field" in call
    assert git(repository.parent / "remote", "show", f"{branch}:generated/one.py") == "new\n"


def test_nothing_new_opens_no_pull_request(repository: Path) -> None:
    done = pull_request(repository)
    assert done.returncode == 0, done.stderr
    assert "no pull request" in done.stdout
    assert not (repository.parent / "call").exists()


@pytest.mark.parametrize(
    ("base", "told"),
    [
        ("v1.2.3", "v1.2.3"),
        ("0" * 40, "HEAD~1"),
        ("$(shell touch pasted)", "$(shell touch pasted)"),
        ("a; touch pasted", "a; touch pasted"),
        ("`touch pasted`", "`touch pasted`"),
    ],
)
def test_the_name_of_a_revision_is_never_run(repository: Path, base: str, told: str) -> None:
    done = pull_request(repository, BASE=base)
    assert done.returncode == 0, done.stderr
    calls = (repository.parent / "call.python").read_text().splitlines()
    assert f"-m generator.release.summary --base {told} --changelog CHANGELOG.md" in calls
    assert not (repository / "pasted").exists()


def test_lines_left_out_of_coverage_are_few_and_each_says_why() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for folder in ("overrides", "generator")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if "pragma: no" in line
    ]
    assert len(found) <= 10, found
    assert [line for line in found if not re.search(r"pragma: no (cover|branch) - \w+", line)] == []
