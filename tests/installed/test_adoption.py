"""The project's own tests stay green when a file of the vendor's has been adopted: they ask the specs where things are.

In a copy of the sources both surfaces are adopted from disguised files: other routes, no ids, answers wrapped as Go's
tools write them, no word of formats, values and needs; on network other paging names and operations of their own too.
Then `make generate` and `check-generated`, and those of the tests that know of routes, evidence or names on the wire.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import forms
from tests.support.disguise import Disguise
from tests.support.forms_table import HEAVY
from tests.support.our_specs import ROOT, read_trees

OURS = (
    "specs",
    "generator",
    "generated",
    "overrides",
    "tests",
    "pyproject.toml",
    "Makefile",
    "README.md",
    "CHANGELOG.md",
    "LICENSE",
)
SHAPE = (forms.go_names, forms.lossy, forms.allof_envelopes, forms.no_operation_ids)
FORMS = {
    "network": (*SHAPE, forms.extra_operations, forms.renamed_paging, forms.integer_ids, forms.trailing_slashes),
    "adsecurity": (*SHAPE, forms.put_for_patch),
}
# Of tests/guide the sessions alone: its programs run on what is installed, which is not the copy.
SUITE = (
    *(
        "tests/specs",
        "tests/sandbox",
        "tests/client/test_public.py",
        "tests/client/test_custom_calls.py",
    ),
    *("tests/client/test_nested_arguments.py", "tests/client/test_bulk.py", "tests/client/test_modify.py"),
    *("tests/paging/test_old_checkpoints.py", "tests/paging/test_limit.py", "tests/exports/test_jobs.py"),
    *("tests/support/test_report_server.py", "tests/cli/test_lists.py", "tests/cli/test_request.py"),
    *("tests/cli/test_config.py", "tests/cli/test_errors.py", "tests/cli/test_export.py", "tests/cli/test_writes.py"),
    *("tests/cli/test_vendored.py", "tests/cli/test_doctor.py"),
    "tests/cli/test_commands.py::test_there_are_as_many_commands_as_operations",
    "tests/guide/test_pages.py::test_every_line_of_a_session_works",
    "tests/generator/official/test_diff.py::test_another_api_matches_nothing_and_is_told_so",
    "tests/package/test_api.py",
)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copy")
    left_out = shutil.ignore_patterns("__pycache__", "*.pyc", ".cache")
    for name in OURS:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=left_out)
        else:
            shutil.copy(source, folder / name)
    return folder


def run(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What stands in the copy comes before what is installed."""
    layers = os.pathsep.join(str(copy / name) for name in (".", "overrides", "generated"))
    environment = {**os.environ, "PYTHONPATH": layers, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True)


def test_the_tests_that_know_of_routes_stay_green_after_an_adoption(copy: Path) -> None:
    for surface, tree in read_trees().items():
        official = copy / f"{surface}.json"
        official.write_text(json.dumps(Disguise(tree, words=HEAVY, forms=FORMS[surface]).document), encoding="utf-8")
        done = run(copy, "generator.official.adopt", official.name, "--surface", surface)
        assert done.returncode == 0, done.stdout + done.stderr
    for arguments in (("generator",), ("generator", "--check")):
        done = run(copy, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
    # Damage to every fact takes minutes, and is the same on any spec.
    there = run(copy, "pytest", "-q", "-n", "2", "--dist", "loadfile", "-k", "not every_damage", *SUITE)
    assert there.returncode == 0, there.stdout[-6000:] + there.stderr
