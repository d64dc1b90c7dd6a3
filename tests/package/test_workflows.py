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
CALL = re.compile(r"make ([a-z-]+|\$\{\{ matrix\.target \}\})( [A-Z]+=[\w${}.]+)*")
SEEN_HASHES = {
    "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1": "v7.0.1",
    "actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97": "v7.0.0",
    "actions/upload-artifact@043fb46d1a93c77aae656e7c1c64a875d1fc6a0a": "v7.0.1",
    "actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c": "v8.0.1",
    "pypa/gh-action-pypi-publish@dc37677b2e1c63e2034f94d8a5b11f265b73ba33": "v1.14.2",
}
"""Those that were read in the workflows of public projects; any other action is named by its version tag."""


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
            named = matrix if called[1].startswith("$") else [called[1]]
            assert named
            assert set(named) <= TARGETS


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_path_filter_matches_something(path: Path) -> None:
    for trigger in triggers(path).values():
        for pattern in (trigger or {}).get("paths", []) if isinstance(trigger, dict) else []:
            assert any(ROOT.glob(pattern.replace("/**", "/**/*"))), pattern


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_by_a_hash_that_was_seen_or_by_a_version(path: Path) -> None:
    for used, comment in re.findall(r"uses: (\S+)(?: # (\S+))?", path.read_text(encoding="utf-8")):
        _, _, version = used.partition("@")
        if re.fullmatch(r"[0-9a-f]{40}", version):
            assert SEEN_HASHES.get(used) == comment
        else:
            assert re.fullmatch(r"v\d+(\.\d+)*", version), used


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
    assert calls == ["test", "check", "test-contract", "test-package"]
    assert set(calls) <= TARGETS
