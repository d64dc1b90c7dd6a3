"""The real server is asked about each list and read route, with GET alone, and nothing is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from adsecurity.sandbox import Sandbox
from generator.official.check import Check, main
from generator.official.document import parse
from tests.support.our_specs import ROOT, SURFACES
from tests.support.routes import entry
from tests.support.subset import subset

Capture = pytest.CaptureFixture[str]
IDS = ("--ids", "integrationID=integration-1")


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ADSECURITY_NETWORK_API_KEY", "ADSECURITY_API_KEY"):
        monkeypatch.setenv(name, "sandbox-key")


@pytest.mark.parametrize("surface", SURFACES)
def test_against_the_sandbox_all_work_and_nothing_but_get_is_sent(surface: str, capsys: Capture) -> None:
    before = {path: path.read_bytes() for path in (ROOT / "specs").iterdir()}
    with Sandbox(api_key="sandbox-key", rows=50) as sandbox:
        url = sandbox.network_url if surface == "network" else sandbox.adsecurity_url
        assert main([url, "--surface", surface, *IDS]) == 0
        assert {one.method for one in sandbox.requests} == {"GET"}
    lines = capsys.readouterr().out.splitlines()
    assert {line.split()[0] for line in lines[:-1]} == {"works", "not"}
    assert sum(line.startswith("works") for line in lines) >= (16 if surface == "network" else 26)
    assert {path: path.read_bytes() for path in (ROOT / "specs").iterdir()} == before


def test_routes_that_have_moved_are_named(trees: dict[str, Any], specs: Path, tmp_path: Path, capsys: Capture) -> None:
    moved = ("listUsers", "listPublishers", "listClickReport")
    for surface in SURFACES:
        tree = json.loads(json.dumps(trees[surface]))
        for name in moved if surface == "network" else ():
            path, method, node = entry(tree, name)
            del tree["paths"][path][method]
            tree["paths"][f"/elsewhere/{name}"] = {method: node}
        (tmp_path / f"{surface}.json").write_text(json.dumps(tree), encoding="utf-8")
    with Sandbox(api_key="sandbox-key", rows=50, spec_dir=tmp_path) as sandbox:
        assert main([sandbox.network_url, "--surface", "network", "--specs", str(specs), *IDS]) == 3
    lines = capsys.readouterr().out.splitlines()
    # 405 where something else is still at the old path.
    assert [line.split()[1] for line in lines if line.startswith(("404", "405"))] == [
        "users.list",
        "publishers.list",
        "reports.clicks",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("http://api.example.com", "--surface", "network"), "is no https address"),
        (("https://api.example.com", "--surface", "network", "--ids", "x"), "IDS: write"),
    ],
)
def test_what_cannot_be_asked_is_told_before_anything_is_sent(
    arguments: tuple[str, ...], message: str, capsys: Capture
) -> None:
    assert main(arguments) == 2
    assert message in capsys.readouterr().err


def test_a_key_is_needed_and_has_to_be_the_right_one(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    with Sandbox(api_key="another", rows=10) as sandbox:
        assert main([sandbox.network_url, "--surface", "network"]) == 2
        assert "does not take this key" in capsys.readouterr().err
        monkeypatch.delenv("ADSECURITY_NETWORK_API_KEY")
        assert main([sandbox.network_url, "--surface", "network"]) == 2
        assert "set ADSECURITY_NETWORK_API_KEY" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (403, b"{}", "403"),
        (404, b"{}", "404"),
        (200, b"<html>", "wrong shape: no JSON"),
        (200, b'{"data": {"id": "1"}}', "wrong shape: no list"),
        (200, b'{"data": {}}', "wrong shape: no list"),
        (200, b'{"id": "1"}', "wrong shape: no list"),
        (200, b'{"data": [{"moons": 1, "rings": 2, "id": "1"}]}', "wrong shape: moons, rings"),
        (200, b'{"data": [{"id": "1"}]}', "works"),
        (200, b'{"data": {"data": [{"id": "1"}]}}', "works"),
        (200, b'{"data": []}', "works"),
        (200, b'{"data": null}', "works"),
        (200, b'{"data": {"data": null}}', "works"),
    ],
)
def test_what_a_server_answers_is_told(trees: dict[str, Any], status: int, body: bytes, said: str) -> None:
    document = parse(yaml.safe_dump(subset(trees["network"], ["listUsers"])), "network.yaml")
    answer = httpx.MockTransport(lambda _: httpx.Response(status, content=body))
    with httpx.Client(base_url="https://api.example", transport=answer) as client:
        (verdict,) = Check(document, client, {}).run()
    assert verdict.said == said
