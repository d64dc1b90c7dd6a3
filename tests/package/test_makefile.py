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
    "demo", "test", "check", "generate", "check-generated", "test-contract", "drills", "soak", "mutation", "bench",
    "build", "test-package", "test-min", "test-scale", "vendor", "diff-spec", "adopt-spec", "api-diff",
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


def made(folder: Path, *arguments: str, code: int = 0) -> tuple[int, list[str]]:
    """The exit code of `make` beside a Python that only notes how it was called, and that call."""
    shutil.copy(ROOT / "Makefile", folder)
    python = folder / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > call\nexit {code}\n', encoding="utf-8")
    python.chmod(0o755)
    for name in ("pyproject.toml", "tests/requirements/constraints.txt", "tests/requirements/dev.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    # In this order: what is older than what it is made from would be made again.
    for name in (".made", ".demo", ".dev"):
        (folder / ".venv" / name).touch()
    done = subprocess.run(["make", *arguments], cwd=folder, capture_output=True, text=True)
    return done.returncode, (folder / "call").read_text(encoding="utf-8").splitlines()


def test_answers_reach_the_command_as_they_are_written(tmp_path: Path) -> None:
    accept, skip = "updateUser=PATCH /people/{id}; getUser=none", "GET /ping; getStatus"
    answers = (f"ACCEPT={accept}", f"SKIP={skip}", "PREFER=theirs")
    code, call = made(tmp_path, "adopt-spec", "OFFICIAL=official file.json", *answers)
    assert code == 0
    assert call[:3] == ["-m", "generator.official.adopt", "official file.json"]
    assert call[3:] == ["--accept", accept, "--skip", skip, "--prefer", "theirs"]


def test_make_tells_failures_apart_in_words_alone(tmp_path: Path) -> None:
    """GNU make ends with 2 whatever the command ended with: specs/README.md names the command for scripts."""
    assert made(tmp_path, "adopt-spec", "OFFICIAL=x.json", code=3)[0] == 2
    assert "`python -m generator.official.adopt path`" in (ROOT / "specs/README.md").read_text(encoding="utf-8")


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


def test_lines_are_told_per_room_and_a_module_over_the_limit_is_named(tmp_path: Path) -> None:
    package = tmp_path / "package"
    (package / "sandbox" / "inner").mkdir(parents=True)
    (package / "sandbox" / "big.py").write_text("x\n" * 401)
    (package / "sandbox" / "inner" / "small.py").write_text("x\n# why\n")
    (package / "top.py").write_text("x\n" * 400)
    table, faults = size.report([package])
    assert table.splitlines() == [
        "modules   code  lines",
        f"      1    400    400  {package.as_posix()}",
        f"      2    402    403  {package.as_posix()}/sandbox",
        f"      3    802    803  {package.as_posix()} in all",
    ]
    assert faults == [f"{package.as_posix()}/sandbox/big.py: 401 lines, at most 400"]


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
