"""`make spec-pull-request` on a copy of the project with a bare remote; only `gh` is a stand-in that notes its call."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GH = """#!/bin/sh
for argument in "$@"; do
  printf '%s\\n' "$argument" >> "$GH_CALL"
  if [ "$last" = --body-file ]; then cat "$argument" > "$GH_CALL.body"; fi
  last=$argument
done
"""
AUTHOR = {f"GIT_{who}_{what}": "a@b.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def git(folder: Path, *arguments: str) -> str:
    command = ["git", *arguments]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, env={**os.environ, **AUTHOR})
    return done.stdout


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The project's own specs, generator and Makefile, committed, with the tests' environment as its own."""
    root = tmp_path / "repository"
    for folder in ("specs", "generator", "generated"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Makefile", "CHANGELOG.md", ".gitignore"):
        shutil.copy(ROOT / name, root)
    git(tmp_path, "init", "-q", "--bare", "remote")
    git(root, "init", "-q", "-b", "main")
    git(root, "add", ".")
    git(root, "commit", "-qm", "The project as it stands")
    git(root, "remote", "add", "origin", str(tmp_path / "remote"))
    # What make would make an environment from, older than the environment: none is made.
    for name in ("pyproject.toml", "tests/requirements/constraints.txt", "tests/requirements/dev.txt"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    program(root / ".venv/bin/python", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    for name in (".made", ".demo", ".dev"):
        (root / ".venv" / name).touch()
    program(tmp_path / "bin/gh", GH)
    return root


def change_spec(root: Path, commit: str) -> None:
    """Give the model `User` another field."""
    path = root / "specs/network.yaml"
    head = "    User:\n      type: object\n      description: A person with access to the organization.\n"
    old = f"{head}      properties:\n"
    new = "        nickname:\n          type: string\n          description: What friends call the user.\n"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, old + new), encoding="utf-8")
    git(root, "commit", "-qam", commit)


def pull_request(root: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    known = {
        **os.environ,
        **AUTHOR,
        "PATH": f"{root.parent / 'bin'}:{os.environ['PATH']}",
        "GH_CALL": str(root.parent / "call"),
        **environment,
    }
    command = ["make", "--no-print-directory", "spec-pull-request", "PYTHON=python", *arguments]
    return subprocess.run(command, cwd=root, env=known, capture_output=True, text=True, timeout=300)


def test_a_changed_spec_is_proposed_as_one_commit_on_a_branch_with_a_summary(repository: Path) -> None:
    change_spec(repository, "Users have nicknames")
    done = pull_request(repository)
    assert done.returncode == 0, done.stdout + done.stderr
    remote = repository.parent / "remote"
    branch = f"regenerate-{git(repository, 'rev-parse', '--short', 'main').strip()}"
    assert git(remote, "branch", "--format=%(refname:short)").split() == [branch]
    # One commit on top of main, and nothing in it but what is generated and what tells of it.
    main = git(repository, "rev-parse", "main").strip()
    assert git(remote, "log", "--format=%s|%an", f"{main}..{branch}").splitlines() == [
        "Regenerate from the specs|a@b.example"
    ]
    changed = set(git(remote, "diff", "--name-only", main, branch).split())
    model = "generated/adsecurity_generated/network/models/user.py"
    assert {"CHANGELOG.md", model, "generated/adsecurity_generated/STAMP.toml"} <= changed
    assert all(name == "CHANGELOG.md" or name.startswith("generated/") for name in changed)
    assert "nickname: str | None = None" in git(remote, "show", f"{branch}:{model}")
    call = (repository.parent / "call").read_text().splitlines()
    assert call[:2] == ["pr", "create"]
    assert dict(zip(call[2::2], call[3::2], strict=True)) == {
        "--base": "main",
        "--head": branch,
        "--title": "Regenerate from the specs",
        "--body-file": ".cache/summary.md",
    }
    body = (repository.parent / "call.body").read_text()
    assert "- `User`: new field `nickname` (string)" in body
    changelog = git(remote, "show", f"{branch}:CHANGELOG.md")
    added = [line for line in body.splitlines() if line.startswith("- ")]
    assert added
    assert all(line in changelog for line in added)


def test_what_changes_nothing_for_the_package_opens_no_pull_request(repository: Path) -> None:
    (repository / "specs/README.md").write_text("Other words.\n")
    git(repository, "commit", "-qam", "Other words")
    done = pull_request(repository)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no pull request" in done.stdout
    assert not (repository.parent / "call").exists()
    assert git(repository.parent / "remote", "branch") == ""


def test_changes_since_an_earlier_revision_and_into_another_branch_can_be_proposed(repository: Path) -> None:
    base = git(repository, "rev-parse", "HEAD").strip()
    change_spec(repository, "Users have nicknames")
    git(repository, "commit", "-q", "--allow-empty", "-m", "Something else")
    done = pull_request(repository, f"BASE={base}", "INTO=next")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "new field `nickname`" in (repository.parent / "call.body").read_text()
    assert "--base\nnext\n" in (repository.parent / "call").read_text()


def test_before_the_first_push_of_a_branch_changes_since_the_commit_before_are_proposed(repository: Path) -> None:
    change_spec(repository, "Users have nicknames")
    done = pull_request(repository, BASE="0" * 40)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "new field `nickname`" in (repository.parent / "call.body").read_text()


@pytest.mark.parametrize("name", ["$(shell touch pasted)", "HEAD; touch pasted", "`touch pasted`", "$(touch pasted)"])
def test_the_name_of_a_revision_is_never_run(repository: Path, name: str) -> None:
    done = pull_request(repository, BASE=name)
    assert done.returncode != 0
    assert not (repository / "pasted").exists()
    assert not (repository.parent / "call").exists()
