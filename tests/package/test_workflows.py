"""Workflows call Makefile targets only, and every target, path and action that they name is there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE))
CALL = re.compile(r'make ([a-z-]+|"\$TARGET") PYTHON=python')
SEEN_HASHES = {
    "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1": "v7.0.1",
    "actions/setup-node@49933ea5288caeca8642d1e84afbd3f7d6820020": "v4.4.0",
    "actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97": "v7.0.0",
    "actions/upload-artifact@043fb46d1a93c77aae656e7c1c64a875d1fc6a0a": "v7.0.1",
    "actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c": "v8.0.1",
    "pypa/gh-action-pypi-publish@dc37677b2e1c63e2034f94d8a5b11f265b73ba33": "v1.14.2",
}
"""Those that were read in the workflows of public projects."""


def workflow(path: Path) -> dict[Any, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def triggers(path: Path) -> dict[str, Any]:
    return workflow(path)[True]  # YAML 1.1 reads the key `on` as a boolean


def jobs() -> list[tuple[str, dict[str, Any]]]:
    return [(f"{path.name}:{name}", job) for path in WORKFLOWS for name, job in workflow(path)["jobs"].items()]


def test_there_is_one_for_tests_drift_regeneration_and_release() -> None:
    assert [path.stem for path in WORKFLOWS] == ["drift", "regenerate", "release", "tests"]


@pytest.mark.parametrize(("name", "job"), jobs(), ids=[name for name, _ in jobs()])
def test_every_step_runs_a_target_that_exists(name: str, job: dict[str, Any]) -> None:
    matrix = job.get("strategy", {}).get("matrix", {}).get("target", [])
    for step in job["steps"]:
        if "run" in step:
            called = CALL.fullmatch(step["run"])
            assert called, f"{name}: {step['run']} is no plain call of a target"
            named = matrix if called[1] == '"$TARGET"' else [called[1]]
            assert named
            assert set(named) <= TARGETS


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_path_filter_matches_something(path: Path) -> None:
    for trigger in triggers(path).values():
        for pattern in (trigger or {}).get("paths", []) if isinstance(trigger, dict) else []:
            assert any(ROOT.glob(pattern.replace("/**", "/**/*"))), pattern


def interpolated(workflow: dict[Any, Any]) -> list[str]:
    """Shell lines that an expression is pasted into: a branch or tag can be named like a command."""
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    return [step["run"] for step in steps if "${{" in step.get("run", "")]


def unpinned(workflow: dict[Any, Any]) -> list[str]:
    """Actions that are not named by a hash: the owner of a tag can move it."""
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    used = [step["uses"] for step in steps if "uses" in step]
    return [action for action in used if not re.fullmatch(r"[\w/.-]+@[0-9a-f]{40}", action)]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_action_is_pinned_by_a_hash_that_was_seen(path: Path) -> None:
    assert unpinned(workflow(path)) == []
    for used, comment in re.findall(r"uses: (\S+)(?: # (\S+))?", path.read_text(encoding="utf-8")):
        assert SEEN_HASHES[used] == comment


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_no_expression_is_pasted_into_a_shell(path: Path) -> None:
    assert interpolated(workflow(path)) == []


def test_a_pasted_expression_and_a_moving_tag_are_found() -> None:
    steps = [{"run": "make ${{ github.ref_name }}"}, {"uses": "actions/checkout@v4"}, {"run": "make test"}]
    assert interpolated({"jobs": {"one": {"steps": steps}}}) == ["make ${{ github.ref_name }}"]
    assert unpinned({"jobs": {"one": {"steps": steps}}}) == ["actions/checkout@v4"]


def test_only_the_step_that_opens_the_pull_request_has_the_token() -> None:
    holders: list[str] = []
    for path in WORKFLOWS:
        whole = workflow(path)
        assert "github.token" not in str(whole.get("env", {}))
        for job in whole["jobs"].values():
            assert "github.token" not in str(job.get("env", {}))
            holders += [step["run"] for step in job["steps"] if "github.token" in str(step.get("env", {}))]
    assert holders == ["make spec-pull-request PYTHON=python"]


def keeping_credentials(workflow: dict[Any, Any]) -> list[str]:
    """Jobs that leave the token of their checkout in the folder, where all that runs later can read it."""
    kept: list[str] = []
    for name, job in workflow["jobs"].items():
        checkouts = [step for step in job["steps"] if step.get("uses", "").startswith("actions/checkout@")]
        kept += [name for step in checkouts if step.get("with", {}).get("persist-credentials") is not False]
    return kept


def test_only_the_job_that_pushes_keeps_the_credentials_of_its_checkout() -> None:
    assert {path.stem: kept for path in WORKFLOWS if (kept := keeping_credentials(workflow(path)))} == {
        "regenerate": ["regenerate"]
    }
    writers = [name for name, job in jobs() if job.get("permissions", {}).get("contents") == "write"]
    assert writers == ["regenerate.yml:regenerate"]


def test_a_checkout_that_keeps_its_credentials_is_found() -> None:
    careful = {"uses": "actions/checkout@0", "with": {"persist-credentials": False}}
    for step in ({"uses": "actions/checkout@0"}, {**careful, "with": {"persist-credentials": "false"}}):
        found = {"one": {"steps": [careful]}, "two": {"steps": [careful, step]}}
        assert keeping_credentials({"jobs": found}) == ["two"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_no_workflow_reads_a_secret(path: Path) -> None:
    assert not re.search(r"\bsecrets\b\s*[.\[]|secrets: *inherit", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["TAG", "BASE", "INTO"])
def test_names_of_tags_and_branches_are_never_expanded_by_make(name: str) -> None:
    assert f"$({name})" not in MAKEFILE
    assert f"$(or $({name})" not in MAKEFILE


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_no_workflow_holds_more_rights_than_it_states(path: Path) -> None:
    assert workflow(path)["permissions"] in ({}, {"contents": "read"})


def test_the_job_that_publishes_runs_nothing_of_ours_and_is_the_only_one_with_the_right() -> None:
    by_name = dict(jobs())
    publish, build = by_name["release.yml:publish"], by_name["release.yml:build"]
    assert publish["permissions"] == {"id-token": "write"}
    assert publish["needs"] == "build"
    assert publish["environment"]
    assert not any("run" in step or "checkout" in step["uses"] for step in publish["steps"])
    assert "id-token" not in build["permissions"]
    holders = [name for name, job in by_name.items() if "id-token" in job.get("permissions", {})]
    assert holders == ["release.yml:publish"]
    assert triggers(ROOT / ".github/workflows/release.yml") == {"push": {"tags": ["v*"]}}


def test_what_is_published_is_what_was_built_and_tested() -> None:
    by_name = dict(jobs())
    uploads = [step["with"] for step in by_name["release.yml:build"]["steps"] if "upload" in step.get("uses", "")]
    downloads = [step["with"] for step in by_name["release.yml:publish"]["steps"] if "download" in step["uses"]]
    assert [one["name"] for one in uploads] == [one["name"] for one in downloads]
    runs = [step["run"].split()[1] for step in by_name["release.yml:build"]["steps"] if "run" in step]
    assert runs == ["check-release", "test", "test-package"]


def test_ci_runs_the_suite_the_checks_the_contract_and_the_package_tests() -> None:
    calls = re.findall(r"^make (\S+)$", (ROOT / ".ci/run").read_text(encoding="utf-8"), re.MULTILINE)
    assert calls == ["test", "check", "test-contract", "drills", "test-package", "test-scale"]
    assert set(calls) <= TARGETS
