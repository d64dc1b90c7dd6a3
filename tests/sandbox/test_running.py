"""Starting and stopping, the command line, fault injection, and what a database file keeps."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from adsecurity import sandbox as sandbox_package
from adsecurity.sandbox import Fault, Sandbox
from adsecurity.sandbox._cli import main
from adsecurity.sandbox._faults import parse_fault, parse_latency
from adsecurity.sandbox._schema import Schemas, to_json_schema
from adsecurity.sandbox._spec import SpecError, Surface, load_document, load_surfaces
from tests.support.routes import entry, path_of

from .conftest import SPECS, TODAY, client_of


def test_all_addresses_are_on_this_machine_and_answer_at_once() -> None:
    started = time.monotonic()
    with Sandbox() as sandbox:
        assert time.monotonic() - started < 5
        for url in (sandbox.network_url, sandbox.adsecurity_url, sandbox.storage_url):
            assert re.fullmatch(r"http://127\.0\.0\.1:\d+", url)
            assert httpx.get(url, trust_env=False).status_code == 404


def test_stopping_frees_the_ports_and_may_be_repeated() -> None:
    sandbox = Sandbox().start()
    with pytest.raises(RuntimeError, match="already running"):
        sandbox.start()
    port = int(sandbox.network_url.rpartition(":")[2])
    sandbox.stop()
    sandbox.stop()
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", port))


def test_before_its_start_there_is_nothing_to_look_at() -> None:
    with pytest.raises(RuntimeError, match="not been started"):
        _ = Sandbox().requests


def test_a_port_that_is_taken_is_an_error() -> None:
    with Sandbox() as sandbox:
        port = int(sandbox.network_url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"):
            Sandbox(port=port).start()


def test_a_database_file_outlives_the_sandbox(tmp_path: Path) -> None:
    file = tmp_path / "network.db"
    with Sandbox(db=file, rows=50) as sandbox, client_of(sandbox, "network") as client:
        item = client.post("/advertisers", json={"name": "Kept"}).json()["created_item_id"]
    with Sandbox(db=file, rows=50) as sandbox, client_of(sandbox, "network") as client:
        assert client.get(f"/advertisers/{item}").json()["data"]["name"] == "Kept"
        assert client.get("/users", params={"page[size]": "1"}).json()["meta"]["total_count"] == 130
    assert file.exists()


def test_two_sandboxes_know_nothing_of_each_other() -> None:
    with Sandbox() as one, Sandbox() as other, client_of(one, "network") as client:
        client.post("/advertisers", json={"name": "Mine"})
        with client_of(other, "network") as stranger:
            params = {"filter[name]": "Mine"}
            assert client.get("/advertisers", params=params).json()["meta"]["total_count"] == 1
            assert stranger.get("/advertisers", params=params).json()["meta"]["total_count"] == 0


def test_the_next_requests_get_what_was_injected(sandbox: Sandbox, network: httpx.Client) -> None:
    sandbox.inject(503, 429, retry_after=0.5)
    sandbox.inject("drop")
    for status in (503, 429):
        response = network.get("/users")
        assert (response.status_code, response.headers["retry-after"]) == (status, "0.5")
    with pytest.raises(httpx.RemoteProtocolError):
        network.get("/users")
    assert sandbox.requests[-1].status == 0
    assert network.get("/users").status_code == 200
    sandbox.inject(500)
    assert "retry-after" not in network.get("/users").headers


def test_faults_come_as_often_as_asked_and_the_same_for_a_seed() -> None:
    def statuses() -> list[int]:
        with Sandbox(faults=["503:0.3", Fault("502", 0.2)], seed=1) as sandbox:
            with client_of(sandbox, "network") as client:
                return [client.get("/users", params={"page[size]": "1"}).status_code for _ in range(60)]

    seen = statuses()
    assert seen == statuses()
    assert {200, 502, 503} == set(seen)
    assert 6 < seen.count(503) < 32


def test_above_the_limit_comes_429_with_the_time_to_wait() -> None:
    with Sandbox(rate_limit=3) as sandbox, client_of(sandbox, "network") as client:
        answers = [client.get("/users", params={"page[size]": "1"}) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        wait = float(answers[-1].headers["retry-after"])
        assert 0 < wait <= 1
        time.sleep(wait)
        assert client.get("/users").status_code == 200


def test_latency_is_added_to_each_answer() -> None:
    with Sandbox(latency=0.15) as sandbox, client_of(sandbox, "network") as client:
        started = time.monotonic()
        client.get("/users")
        assert time.monotonic() - started >= 0.15


@pytest.mark.parametrize("text", ["503", "503:2", "503:-1", "200:0.1", "burn:0.1", "503:often", ":0.1"])
def test_a_fault_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_fault(text)


def test_latencies_have_a_unit() -> None:
    assert parse_latency("20ms") == pytest.approx(0.02)
    assert parse_latency("1.5s") == 1.5
    for text in ("20", "-1s", "fast", "ms"):
        with pytest.raises(ValueError):
            parse_latency(text)


class TestCommandLine:
    def test_it_prints_its_addresses_serves_and_stops_when_told(self) -> None:
        command = [sys.executable, "-m", "adsecurity.sandbox", "--port", "0", "--api-key", "k", "--rows", "10"]
        with subprocess.Popen([*command, "--latency", "1ms", "--fault", "drop:0"], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            line = process.stdout.readline().decode()
            found = re.fullmatch(r"network (\S+)  adsecurity (\S+)  storage (\S+)\n", line)
            assert found, line
            url = f"{found[1]}{path_of('network', 'listUsers')}"
            assert httpx.get(url, headers={"API-KEY": "k"}, trust_env=False).status_code == 200
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0

    def test_it_serves_in_this_process_too(self, capsys: pytest.CaptureFixture[str]) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        before = signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
        try:
            assert main(["--spec-dir", str(SPECS), "--rows", "10"]) == 0
        finally:
            signal.signal(signal.SIGALRM, before)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        assert capsys.readouterr().out.startswith("network http://127.0.0.1:")

    @pytest.mark.parametrize("arguments", [["--fault", "x:1"], ["--latency", "20"], ["--port", "x"], ["--zap"]])
    def test_wrong_arguments_are_named(self, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as stopped:
            main(arguments)
        assert stopped.value.code == 2
        assert arguments[0] in capsys.readouterr().err

    def test_a_folder_without_specs_is_named(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["--spec-dir", str(tmp_path)]) == 1
        assert "has no network.yaml" in capsys.readouterr().err

    @pytest.mark.parametrize("missing", ["starlette", "uvicorn", "jsonschema_rs"])
    def test_without_its_extra_it_names_the_pip_command(self, missing: str) -> None:
        code = (
            f"import sys, runpy; sys.modules[{missing!r}] = None; "
            "runpy.run_module('adsecurity.sandbox', run_name='__main__')"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert done.stderr == f"error: {missing} is not installed; run: pip install 'adsecurity[sandbox]'\n"

    @pytest.mark.parametrize("missing", ["starlette", "uvicorn", "jsonschema_rs"])
    def test_in_python_it_is_one_error(self, missing: str) -> None:
        code = f"import sys; sys.modules[{missing!r}] = None; from adsecurity.sandbox import Sandbox"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert done.returncode == 1
        said = f"ModuleNotFoundError: {missing} is not installed; run: pip install 'adsecurity[sandbox]'\n"
        assert done.stderr.endswith(said)
        assert done.stderr.count("Traceback") == 1


def test_the_package_has_its_names_and_no_others() -> None:
    assert (sandbox_package.Sandbox, sandbox_package.Fault) == (Sandbox, Fault)
    assert sandbox_package.Recorded.__name__ == "Recorded"
    assert not hasattr(sandbox_package, "Server")


def edited(tmp_path: Path, change: Any) -> Path:
    """The specs in a folder, the network one changed."""
    for surface in ("network", "adsecurity"):
        document = json.loads(load_document(surface, SPECS))
        if surface == "network":
            change(document)
        (tmp_path / f"{surface}.json").write_text(json.dumps(document))
    return tmp_path


def test_an_edited_spec_is_served_as_edited(tmp_path: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        schemas = document["components"]["schemas"]
        schemas["User"]["properties"]["shoe_size"] = {"type": "integer", "minimum": 30}
        del schemas["User"]["properties"]["phone"]
        users, _, _ = entry(document, "listUsers")
        document["paths"]["/api/v2/people"] = document["paths"].pop(users)
        coffees = json.loads(json.dumps(document["paths"]["/api/v2/people"]["get"]))
        coffees.update({"operationId": "listCoffees", "x-resource": "coffees"})
        coffee: dict[str, Any] = {
            "type": "object",
            "properties": {"id": {"type": "string"}, "strong": {"type": "boolean"}},
        }
        coffee["properties"] |= {
            "size": {"type": "string", "enum": ["small", "large"]},
            "roasted": {"type": "string", "format": "date-time"},
            "prices": {"type": "array", "items": {"type": "number"}},
            "origin": {"type": "object", "properties": {"country": {"type": "string"}}},
            "anything": {},
        }
        page = {"type": "object", "properties": {"data": {"type": "array", "items": coffee}}}
        coffees["responses"]["200"]["content"]["application/json"]["schema"] = page
        document["paths"]["/api/v2/integrations/{integrationID}/coffees"] = {"get": coffees}
        rows = json.loads(json.dumps(entry(document, "listClickReport")[2]))
        rows.update({"operationId": "listInstallReport", "x-method": "installs"})
        document["paths"]["/api/v2/reports/v2/install-table"] = {"get": rows}
        whole = {**rows, "operationId": "listWholeInstallReport", "x-kind": "rows", "parameters": []}
        document["paths"]["/api/v2/reports/v2/install-list"] = {"get": whole}

    with Sandbox(spec_dir=edited(tmp_path, change), today=TODAY) as sandbox, client_of(sandbox, "network") as client:
        user = client.get("/people").json()["data"][0]
        assert user["shoe_size"] == 30
        assert "phone" not in user
        moved = httpx.get(f"{sandbox.network_url}{path_of('network', 'listUsers')}", trust_env=False)
        assert moved.status_code == 404
        coffees = client.get("/integrations/integration-1/coffees").json()["data"]
        assert [coffee["size"] for coffee in coffees] == ["small", "large", "small"]
        assert client.get("/integrations/integration-2/coffees").json()["data"] == []
        params = {
            "integration_id": "integration-1",
            "start_time": "2026-11-01 00:00:00",
            "end_time": "2026-11-02 00:00:00",
            "page[size]": "7",
        }
        page = client.get("/reports/v2/install-table", params=params).json()["data"]
        assert len(page["data"]) == 7
        params["page[after]"] = page["pageInfo"]["endCursor"]
        assert len(client.get("/reports/v2/install-table", params=params).json()["data"]["data"]) == 3
        assert len(client.get("/reports/v2/install-list").json()["data"]["data"]) == 10


def test_a_kind_that_nobody_knows_is_an_error(tmp_path: Path) -> None:
    def change(document: dict[str, Any]) -> None:
        entry(document, "listUsers")[2]["x-kind"] = "scroll"

    with pytest.raises(SpecError, match="network listUsers: x-kind 'scroll'"):
        Sandbox(spec_dir=edited(tmp_path, change)).start()


def test_a_spec_without_operations_or_answers_is_an_error() -> None:
    with pytest.raises(SpecError, match="no operations"):
        Surface("network", {})
    document: dict[str, Any] = {"paths": {"/a": {"get": {"operationId": "a", "x-kind": "one", "responses": {}}}}}
    with pytest.raises(SpecError, match="no 2xx response"):
        _ = Surface("network", document).operations["a"].success


def test_the_specs_are_the_installed_ones_unless_told_otherwise() -> None:
    installed, local = load_surfaces(), load_surfaces(SPECS)
    for surface in ("network", "adsecurity"):
        assert installed[surface].operations.keys() == local[surface].operations.keys()
    assert sum(len(surface.operations) for surface in installed.values()) >= 108


class TestSchemas:
    def test_the_dialect_of_openapi_becomes_json_schema(self) -> None:
        converted = to_json_schema(
            {
                "type": "string",
                "nullable": True,
                "enum": ["a"],
                "items": [{"minimum": 1, "exclusiveMinimum": True, "maximum": 9, "exclusiveMaximum": False}],
            }
        )
        assert converted["type"] == ["string", "null"]
        assert converted["enum"] == ["a", None]
        assert converted["items"] == [{"exclusiveMinimum": 1, "maximum": 9}]

    def test_all_of_is_one_object_and_recursion_ends(self) -> None:
        node = {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Node"}}}
        schemas = Schemas({"schemas": {"Node": node, "A/b": {"type": "boolean"}}})
        merged = {"allOf": [{"$ref": "#/components/schemas/Node"}], "properties": {"own": {"type": "integer"}}}
        assert set(schemas.properties(merged)) == {"next", "own"}
        assert schemas.zero_value({"$ref": "#/components/schemas/Node"})["next"]["next"]
        assert schemas.zero_value({"$ref": "#/components/schemas/A~1b"}) is False
        assert schemas.kind({"type": ["null", "string"]}) == "string"
        assert schemas.zero_value({"type": "string", "default": "d"}) == "d"
