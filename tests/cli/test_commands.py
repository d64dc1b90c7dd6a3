"""Every operation is a command, and each command sends what its method sends."""

from __future__ import annotations

import contextlib
import json
from typing import Any
from urllib.parse import parse_qsl, unquote

import httpx
import pytest

import adsecurity
from adsecurity.cli.app import run
from adsecurity.cli.connect import resource_of
from adsecurity.cli.description import Argument, Operation, Value, load
from adsecurity.cli.generated import OperationCommand
from adsecurity.cli.parameters import RESERVED, SAME
from adsecurity.cli.settings import SURFACES
from tests.support.routes import routes

from .conftest import Run

OPERATIONS = [
    load(surface).operation(resource, method)
    for surface in SURFACES
    for resource in load(surface).resources
    for method in load(surface).methods(resource)
]
CLIENTS: dict[str, Any] = {"network": adsecurity.NetworkClient, "adsecurity": adsecurity.AdsecurityClient}
PLAIN: dict[str, Any] = {
    "string": "a b",
    "integer": 7,
    "number": 1.5,
    "boolean": True,
    "date": "2026-11-01",
    "date-time": "2026-11-01T10:00:00Z",
    "map": {"k": "v"},
    "any": 5,
}


def words(operation: Operation) -> list[str]:
    return f"{operation.surface.name} {operation.full_name}".replace(".", " ").replace("_", "-").split()


def sample(value: Value, outer: int = 0) -> Any:
    if value.values:
        return value.values[0]
    if value.fields:
        return {field.wire: sample(field.value, outer + 1) for field in value.fields}
    if value.kind == "object":
        return {}
    if value.kind == "array":
        return [sample(value.items, outer + 1) if value.items else "a b"]
    if value.kind == "map" and value.items:
        return {"k": sample(value.items, outer + 1)}
    return PLAIN[value.kind]


def argument_sample(operation: Operation, argument: Argument) -> Any:
    column = next(iter(operation.exported or operation.columns), "x")
    if argument.time:
        return "2026-11-02" if "end" in argument.name else "2026-11-01"
    if argument.style == "deep":
        return {column: {"gte": "3"}}
    if argument.name in ("fields", "sort", "columns"):
        return [column]
    if argument.style == "comma":
        return ["one", "two"]
    return sample(argument.value)


def text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def options(argument: Argument, value: Any, label: str) -> list[str]:
    """An argument as it is typed, nested objects field by field."""
    kind = argument.value.kind
    if kind == "boolean":
        return [f"--{label}"]
    if argument.style == "deep":
        ((field, conditions),) = value.items()
        return [part for op, right in conditions.items() for part in (f"--{label}", f"{field}[{op}]={right}")]
    if argument.value.fields:
        return [
            part
            for field in argument.value.fields
            for part in options(field, value[field.wire], f"{label}.{field.option}")
        ]
    if kind == "map":
        return [part for key, one in value.items() for part in (f"--{label}", f"{key}={text(one)}")]
    if isinstance(value, list):
        return [part for one in value for part in (f"--{label}", text(one))]
    return [f"--{label}", text(value)]


def sent(operation: Operation, bound: list[str], ids: list[Any], keywords: dict[str, Any]) -> httpx.Request:
    """The request of the method with the same arguments."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(400, json={})

    transport = httpx.MockTransport(answer)
    client = CLIENTS[operation.surface.name](api_key="k", base_url="https://h.example", transport=transport)
    with client, contextlib.suppress(adsecurity.AdsecurityError):
        found = getattr(resource_of(client, operation.resource, bound), operation.name)(*ids, **keywords)
        next(iter(found))
    return seen[0]


def masked(value: Any, secrets: set[str]) -> Any:
    if isinstance(value, dict):
        return {
            name: "***" if name in secrets and isinstance(one, str) else masked(one, secrets)
            for name, one in value.items()
        }
    return [masked(one, secrets) for one in value] if isinstance(value, list) else value


def test_there_are_as_many_commands_as_operations() -> None:
    assert len(OPERATIONS) == sum(len(routes(surface)) for surface in SURFACES)


def test_a_slash_at_the_end_of_a_route_makes_no_write_a_bulk_one() -> None:
    assert {operation.changes_many for operation in OPERATIONS} == {True, False}
    for operation in OPERATIONS:
        moved = operation._replace(path=operation.path.rstrip("/") + "/")
        assert moved.changes_many == operation._replace(path=operation.path.rstrip("/")).changes_many, operation.id


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda op: f"{op.surface.name}-{op.full_name}")
def test_a_command_with_every_option_sends_what_its_method_sends(operation: Operation, cli: Run) -> None:
    bound: list[str] = []
    ids: list[Any] = []
    keywords: dict[str, Any] = {}
    typed: list[str] = []
    for number, argument in enumerate(operation.ids):
        value: Any = f"id {number}"
        if argument.is_list:
            objects = argument.value.items is not None and argument.value.items.kind == "object"
            value = sample(argument.value) if objects else [value, "other"]
        typed += [text(one) for one in (value if isinstance(value, list) else [value])]
        (bound if argument.bound else ids).append(value)
    for argument in operation.options:
        value = argument_sample(operation, argument)
        keywords[argument.name] = value
        typed += options(argument, value, argument.option)
    done = cli(*words(operation), *typed, "--dry-run", env=dict.fromkeys(ADDRESSES, "https://h.example"))
    assert done.returncode == 0, done.stderr
    head, _, body = done.stdout.partition("\n\n")
    first, *headers = head.splitlines()
    expected = sent(operation, bound, ids, keywords)
    method, _, url = first.partition(" ")
    assert method == expected.method
    path, _, query = url.partition("?")
    assert path == str(expected.url).partition("?")[0]
    assert parse_qsl(unquote(query), keep_blank_values=True) == parse_qsl(
        unquote(expected.url.query.decode()), keep_blank_values=True
    )
    secrets = {*operation.surface.secrets, *(one.wire for one in operation.arguments if one.secret)}
    assert json.loads(body or "null") == masked(json.loads(expected.content or "null"), secrets)
    assert "API-KEY: ***" in headers
    assert "sandbox-key" not in done.stdout + done.stderr


ADDRESSES = ("ADSECURITY_NETWORK_BASE_URL", "ADSECURITY_BASE_URL")


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda op: f"{op.surface.name}-{op.full_name}")
def test_help_names_every_argument_with_its_values(operation: Operation, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*words(operation), "--help"]) == 0
    shown = capsys.readouterr().out
    for argument in operation.options:
        assert f"--{argument.option}" in shown
        if argument.value.values:
            # Long lists of values are broken over lines.
            assert str(argument.value.values[-1]) in shown
        for field in argument.value.fields:
            assert f"--{argument.option}.{field.option}" in shown
    flat = " ".join(shown.split())
    for argument in operation.ids:
        assert argument.doc.split(".")[0][:40] in flat
    # Long paths are broken over lines, too.
    assert f"{operation.verb}{operation.path}" in "".join(shown.split())


def test_every_list_has_the_options_of_lists_and_fields_stand_where_the_api_has_them() -> None:
    for operation in OPERATIONS:
        found = {name for param in OperationCommand(operation).params for name in param.opts}
        if operation.is_list:
            assert {"--columns", "--limit", "--all", "--output", "--raw", "--dry-run"} <= found, operation.id
            assert ("--page-size" in found) == (operation.answer != "rows"), operation.id
        assert ("--fields" in found) == any(argument.name == "fields" for argument in operation.options), operation.id
        assert ("--yes" in found) == (operation.deletes or operation.changes_many), operation.id


def test_no_argument_of_the_api_is_hidden_by_an_option_of_the_command() -> None:
    taken = {argument.option for operation in OPERATIONS for argument in operation.options} & RESERVED
    assert taken <= SAME


def test_groups_list_what_is_in_them_and_nothing_is_loaded_for_the_root(cli: Run) -> None:
    root = cli("--help")
    assert root.returncode == 0
    for name in (*SURFACES, "export", "report", "conversions", "doctor", "routes", "sandbox", "config", "completion"):
        assert f"\n  {name} " in root.stdout
    for code in ("0", "2", "3", "4", "6", "8", "10", "130"):
        assert f"\n  {code} " in root.stdout
    network = cli("network", "--help")
    for resource in load("network").resources:
        assert resource.replace("_", "-") in network.stdout
    space = cli("adsecurity", "publisher-view", "--help")
    assert "access-requests" in space.stdout
    methods = cli("adsecurity", "publisher_view", "postbacks", "--help")
    assert "bulk-update" in methods.stdout


def test_the_version_is_that_of_the_package(cli: Run) -> None:
    assert cli("--version").stdout == f"adsecurity {adsecurity.__version__}\n"
