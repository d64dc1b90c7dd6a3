"""The vendor's own file is compared with ours by what operations are, not by what they are called."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.official.assignment import Assignment
from generator.official.diff import main
from generator.official.document import parse
from generator.official.match import match
from generator.official.references import DocumentError
from tests.support.disguise import Disguise

ROOT = Path(__file__).resolve().parents[3]
Write = Callable[[Disguise], Path]


@pytest.mark.parametrize("surface", ["network", "adsecurity"])
def test_every_operation_is_found_under_another_name_and_route_in_another_order(
    trees: dict[str, Any], surface: str
) -> None:
    ours = parse(json.dumps(trees[surface]), f"{surface}.yaml")
    disguise = Disguise(trees[surface])
    found = match(ours.operations, parse(json.dumps(disguise.document), "official.json").operations)
    assert {one.ours.id: one.theirs.route for one in found} == disguise.routes


@pytest.mark.parametrize("surface", ["network", "adsecurity"])
def test_without_a_single_telling_word_only_true_twins_are_uncertain(trees: dict[str, Any], surface: str) -> None:
    ours = parse(json.dumps(trees[surface]), f"{surface}.yaml")
    disguise = Disguise(trees[surface], opaque=True)
    found = match(ours.operations, parse(json.dumps(disguise.document), "official.json").operations)
    wrong = {one.ours.id for one in found if one.sure and disguise.routes[one.ours.id] != one.theirs.route}
    assert wrong == set()
    # Three exports take the same and answer the same: nothing but their names tells them apart.
    asked = {one.ours.id for one in found if not one.sure}
    assert asked == {"exportClicks", "exportConversions", "exportImpressions"}


def test_the_report_tells_routes_parameters_and_fields_that_differ(
    trees: dict[str, Any], specs: Path, official: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    disguise = Disguise(trees["network"])
    disguise.definition("UserRole")["enum"].append("owner")
    disguise.definition("CreateUserRequest")["properties"]["nickname"] = {"type": "string"}
    disguise.definition("User")["properties"]["id"]["type"] = "integer"
    del disguise.definition("User")["properties"]["email"]
    parameters = disguise.operation("listClickReport")["parameters"]
    parameters.append({"name": "page[offset]", "in": "query", "type": "integer"})
    disguise.document["paths"]["/ping"] = {"get": {"operationId": "ping", "responses": {"200": {"description": "ok"}}}}

    assert main([str(official(disguise)), "--specs", str(specs)]) == 0
    said = capsys.readouterr().out
    assert "40 of our 40 operations found, 1 only theirs, 0 only ours" in said
    assert f"users.get: GET /api/v2/users/{{userID}} -> {disguise.routes['getUser']}" in said
    assert "body role: values only theirs: owner  [users.create, users.update]" in said
    assert "body nickname: only theirs (string)  [users.create]" in said
    assert "answer data[].id: string in ours, integer in theirs  [users.list]" in said
    assert "answer data[].email: only ours (string)  [users.list]" in said
    assert "parameter query page[offset]: only theirs (integer)  [reports.clicks]" in said
    assert "GET /rest/v3/ping  ping" in said


def test_the_same_file_shows_no_difference(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(ROOT / "specs/adsecurity.yaml")]) == 0
    assert "no difference" in capsys.readouterr().out


def test_the_surface_is_chosen_by_what_the_file_describes(
    trees: dict[str, Any], official: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(official(Disguise(trees["adsecurity"])))]) == 0
    assert "(Adsecurity API" in capsys.readouterr().out.splitlines()[0]


MINI = """
openapi: 3.1.0
info: {title: Mini, version: '1'}
servers: [{url: 'https://host.example/api/v2/'}]
paths:
  /users/{who}:
    parameters: [{name: who, in: path, required: true, schema: {type: string}}]
    get:
      responses:
        '200':
          description: ok
          content:
            application/json:
              schema:
                type: object
                properties:
                  data:
                    type: object
                    properties:
                      id: {type: [string, 'null']}
                      role: {const: admin}
                      parent: {oneOf: [{type: 'null'}, {type: object, properties: {name: {type: string}}}]}
                      labels: {type: object, additionalProperties: {type: number}}
                      born: 2026-01-01
"""


def test_openapi_3_1_is_read_with_its_null_types_constants_and_server_path() -> None:
    (operation,) = parse(MINI, "mini.yaml").operations
    assert operation.route == "GET /api/v2/users/{who}"
    facts = operation.response
    assert facts["data.id"].type == "string"
    assert facts["data.role"].enum == ("admin",)
    assert facts["data.parent.name"].type == "string"
    assert facts["data.labels"].type == "map"
    assert facts["data.labels.*"].type == "number"


def test_a_schema_that_contains_itself_is_read_once() -> None:
    tree = {"type": "object", "properties": {"id": {"type": "string"}, "child": {"$ref": "#/components/schemas/Tree"}}}
    answer = {"description": "ok", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Tree"}}}}
    root = {
        "openapi": "3.0.3",
        "info": {},
        "paths": {"/trees": {"get": {"responses": {"200": answer}}}},
        "components": {"schemas": {"Tree": tree}},
    }
    (operation,) = parse(json.dumps(root), "tree.json").operations
    assert list(operation.response) == ["id", "child"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "neither JSON nor YAML"),
        ("a: [b", "neither JSON nor YAML"),
        ("- just\n- a list\n", "is not an OpenAPI file"),
        ("info: {title: x}\n", "is not an OpenAPI file"),
        ("swagger: '1.2'\npaths: {/a: {get: {}}}\n", "OpenAPI 1.2 is not supported; 2.0, 3.0 and 3.1 are"),
        ("openapi: 4.0.0\npaths: {/a: {get: {}}}\n", "OpenAPI 4.0.0 is not supported"),
        ("openapi: 3.0.3\npaths: {}\n", "has no operations"),
        (
            "openapi: 3.0.3\npaths: {/a~b: {get: {responses: {'200': {$ref: 'shared.yaml#/ok'}}}}}\n",
            "#/paths/~1a~0b/get/responses/200 refers outside the file, to shared.yaml#/ok",
        ),
        ("openapi: 3.0.3\npaths: {/a: {get: {$ref: '#/components/none'}}}\n", "#/components/none leads nowhere"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    path = tmp_path / "official.yaml"
    path.write_text(text, encoding="utf-8")
    assert main([str(path)]) == 2
    said = capsys.readouterr().err
    assert str(path) in said
    assert message in said


def test_a_missing_file_and_a_binary_one_are_told_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "none.json")]) == 2
    assert "there is no such file" in capsys.readouterr().err
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00\xd8")
    assert main([str(tmp_path / "binary.json")]) == 2
    assert "cannot be read as text" in capsys.readouterr().err


def test_another_api_matches_nothing_and_is_told_so(
    specs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pet = {"type": "object", "properties": {"name": {"type": "string"}, "photoUrls": {"type": "array"}}}
    answer = {"200": {"description": "ok", "content": {"application/json": {"schema": pet}}}}
    store = {
        "openapi": "3.0.0",
        "info": {"title": "Pet store", "version": "1"},
        "paths": {
            "/pets": {"get": {"operationId": "listPets", "responses": answer}},
            "/pets/{petId}": {"get": {"operationId": "getPet", "responses": answer}, "delete": {"responses": {}}},
        },
    }
    path = tmp_path / "pets.json"
    path.write_text(json.dumps(store), encoding="utf-8")
    assert main([str(path), "--specs", str(specs)]) == 2
    assert "none of its 3 operations is one of ours" in capsys.readouterr().err


def test_a_circle_of_references_is_an_error_not_a_hang() -> None:
    root = {"openapi": "3.0.3", "paths": {"/a": {"$ref": "#/x"}}, "x": {"$ref": "#/y"}, "y": {"$ref": "#/x"}}
    with pytest.raises(DocumentError, match="refers to itself"):
        _ = parse(yaml.safe_dump(root), "circle.yaml").operations


@pytest.mark.parametrize(
    ("scores", "pairs"),
    [
        ([[0.9, 0.8], [0.85, 0.1]], {0: 1, 1: 0}),
        ([[0.1, 0.9, 0.2]], {0: 1}),
        ([[0.3], [0.7], [0.5]], {1: 0}),
        ([[0.3, 0.0], [0.0, 0.0]], {0: 0}),
        ([], {}),
    ],
)
def test_the_pairing_is_the_best_as_a_whole_not_greedy(scores: list[list[float]], pairs: dict[int, int]) -> None:
    assert Assignment(scores).pairs == pairs


HEAD = "openapi: 3.0.3\npaths: "


@pytest.mark.parametrize(
    "text",
    [
        '{"a":' * 3000 + "1" + "}" * 3000,
        HEAD + "{a: " * 300 + "1" + "}" * 300,
        HEAD + "[" * 3000 + "]" * 3000,
        HEAD + "&x {/a: *x}",
        HEAD + "{/a: !!int x}",
    ],
)
def test_a_file_without_end_or_bottom_is_a_message(text: str) -> None:
    with pytest.raises(DocumentError, match=r"^f: "):
        parse(text, "f")
