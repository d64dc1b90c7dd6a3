"""Requests that another tool makes up from the specs, right and wrong ones: the sandbox answers each as the specs say.

The seed is fixed, so a run that fails fails again.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from adsecurity.sandbox import Sandbox

ROOT = Path(__file__).parents[2]
TOOL = Path(os.environ.get("SCHEMATHESIS", ROOT / ".venv-schemathesis/bin/schemathesis"))
ORGANIZATION = "654321abcd"
# The sandbox is stricter than its specs, to tell whoever tries the API: it refuses fields that they do not name (a
# schema that says nothing allows them), bulk calls that name no item, and texts that are no times.
LEFT_OUT = "positive_data_acceptance"
LISTS = {
    "network": {
        "advertiserID": "/advertisers",
        "offerID": "/integrations/integration-1/offers",
        "publisherID": "/publishers",
        "userID": "/users",
    },
    "adsecurity": {
        "advertiserID": "/advertisers",
        "fraudFilterGroupID": "/integrations/integration-1/fraud-filter-groups",
        "offerAccessRequestID": f"/publisher-view/{ORGANIZATION}/offer-access-requests",
        "offerID": "/offers",
        "postbackID": f"/publisher-view/{ORGANIZATION}/postbacks",
        "publisherID": "/publishers",
        "targetingGroupID": "/integrations/integration-1/targeting-groups",
    },
}
"""Where the first id of each kind comes from: with made-up ids alone, most calls would end with a 404."""


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rows=200, export_seconds=0, today="2026-11-08") as running:
        yield running


def run(sandbox: Sandbox, surface: str, spec: Path, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """What the tool makes of a surface of the sandbox, by a spec."""
    assert TOOL.is_file(), "schemathesis is not installed: run `make test-contract`"
    url = sandbox.network_url if surface == "network" else sandbox.adsecurity_url
    headers = {"API-KEY": sandbox.api_key, "Content-Type": "application/json"}
    known = {"integrationID": "integration-1", "organizationID": ORGANIZATION}
    with httpx.Client(base_url=f"{url}/api/v2", headers=headers, trust_env=False) as client:
        for name, path in LISTS[surface].items():
            known[name] = client.get(path, params={"page[size]": 1}).json()["data"][0]["id"]
    lines = ["[parameters]", *(f'"path.{name}" = "{known[name]}"' for name in sorted(known))]
    (folder / "schemathesis.toml").write_text("\n".join(lines), encoding="utf-8")
    command = [
        str(TOOL),
        "run",
        str(spec),
        "--url",
        url,
        "--seed",
        "1",
        "--exclude-checks",
        LEFT_OUT,
        "--max-examples",
        "10",
    ]
    command += ["--phases", "examples,coverage,fuzzing", "--generation-database", "none", "--no-shrink"]
    command += ["--header", f"API-KEY: {sandbox.api_key}", "--warnings", "off", "--no-color", *options]
    if surface == "adsecurity":
        command += ["--header", "Content-Type: application/json"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("surface", ["network", "adsecurity"])
def test_no_made_up_request_gets_an_answer_that_the_spec_does_not_know(
    sandbox: Sandbox, surface: str, tmp_path: Path
) -> None:
    """Neither a 500, nor a status or a body that is not documented; and nothing is accepted that breaks the schema."""
    ran = run(sandbox, surface, ROOT / "specs" / f"{surface}.yaml", tmp_path)
    assert ran.returncode == 0, ran.stdout[-8000:] + ran.stderr
    statuses = {request.status for request in sandbox.requests if request.surface == surface}
    assert {200, 400, 401} <= statuses, "some kind of answer was never tried"


def test_an_answer_that_the_spec_does_not_know_is_found(sandbox: Sandbox, tmp_path: Path) -> None:
    """Or else the other test would prove nothing."""
    text = (ROOT / "specs/network.yaml").read_text(encoding="utf-8")
    known = "          description: A page of users.\n"
    header = "          headers: {X-None: {required: true, schema: {type: string}}}\n"
    assert text.count(known) == 1
    wrong = tmp_path / "network.yaml"
    wrong.write_text(text.replace(known, known + header), encoding="utf-8")
    ran = run(sandbox, "network", wrong, tmp_path, "--include-operation-id", "listUsers")
    assert ran.returncode == 1, ran.stderr
    assert "X-None" in ran.stdout
