"""`make adopt-spec` takes the vendor's routes and facts over; names, prose, comments and extensions stay ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from generator.official.adopt import main
from generator.official.diff import main as diff
from generator.spec.source import Problem
from tests.support.disguise import Disguise
from tests.support.subset import subset

Write = Callable[[Disguise], Path]
Capture = pytest.CaptureFixture[str]


SMALL = (
    "listUsers",
    "createUser",
    "getUser",
    "updateUser",
    "getOffer",
    "updateOffer",
    "getPublisher",
    "updatePublisher",
    "exportClicks",
    "exportConversions",
    "exportImpressions",
    "listExports",
    "getExport",
    "listClickReport",
)


@pytest.fixture
def small(trees: dict[str, Any], specs: Path) -> Any:
    """A third of the network spec, in place of the whole."""
    spec = subset(trees["network"], SMALL)
    (specs / "network.yaml").write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
    return spec


def read(specs: Path, surface: str = "network") -> Any:
    return yaml.load((specs / f"{surface}.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)


def beside_routes(spec: Any) -> Any:
    """A spec without what a route's evidence may change."""
    if isinstance(spec, list):
        return [beside_routes(one) for one in spec]
    if not isinstance(spec, dict):
        return spec
    return {key: beside_routes(one) for key, one in spec.items() if key not in ("paths", "servers", "x-evidence")}


def by_id(spec: Any) -> dict[str, tuple[str, str, Any]]:
    return {
        operation["operationId"]: (method, path, operation)
        for path, item in spec["paths"].items()
        for method, operation in item.items()
    }


@pytest.mark.parametrize("surface", ["network", "adsecurity"])
def test_every_route_is_taken_over_and_marked_and_nothing_else_of_ours_moves(
    trees: dict[str, Any], specs: Path, official: Write, surface: str
) -> None:
    disguise = Disguise(trees[surface])
    before = (specs / f"{surface}.yaml").read_text(encoding="utf-8")
    assert main([str(official(disguise)), "--specs", str(specs), "--surface", surface]) == 0
    after = (specs / f"{surface}.yaml").read_text(encoding="utf-8")

    old, new = by_id(trees[surface]), by_id(read(specs, surface))
    assert list(new) == list(old)
    for name, (method, path, operation) in new.items():
        assert Disguise.anonymous(f"{method.upper()} {path}") == Disguise.anonymous(disguise.routes[name])
        assert operation["x-evidence"] == "official"
        kept = {key: value for key, value in operation.items() if not key.startswith("x-evidence")}
        assert kept == {key: value for key, value in old[name][2].items() if not key.startswith("x-evidence")}
    comments = [line for line in before.splitlines() if line.lstrip().startswith("#")]
    assert [line for line in after.splitlines() if line.lstrip().startswith("#")] == comments
    assert after.count("\n\n") == before.count("\n\n")
    spec = read(specs, surface)
    assert beside_routes(spec) == beside_routes(trees[surface])


def test_a_second_run_finds_nothing_left_to_take(small: Any, specs: Path, official: Write, capsys: Capture) -> None:
    path = str(official(Disguise(small)))
    assert main([path, "--specs", str(specs), "--surface", "network"]) == 0
    once = (specs / "network.yaml").read_bytes()
    capsys.readouterr()
    assert main([path, "--specs", str(specs), "--surface", "network"]) == 0
    assert "taken over (0)" in capsys.readouterr().out
    assert (specs / "network.yaml").read_bytes() == once
    assert diff([path, "--specs", str(specs), "--surface", "network"]) == 0
    assert "no difference" in capsys.readouterr().out


PREFER = ("--prefer", "theirs")


def test_facts_are_taken_over_where_all_users_of_a_place_agree(
    small: Any, specs: Path, official: Write, capsys: Capture
) -> None:
    disguise = Disguise(small)
    disguise.definition("UserRole")["enum"].append("owner")
    create = disguise.definition("CreateUserRequest")
    create["properties"]["nickname"] = {"type": "string", "maxLength": 40}
    create["required"].append("nickname")
    answer = disguise.definition("User")["properties"]
    answer["id"]["type"] = "integer"
    answer["badges"] = {
        "type": "array",
        "items": {"type": "object", "properties": {"label": {"type": "string"}, "since": {"type": "integer"}}},
    }
    answer["limits"] = {"type": "object", "additionalProperties": {"type": "number"}}
    clicks = disguise.operation("listClickReport")["parameters"]
    clicks.append({"name": "page[offset]", "in": "query", "type": "integer", "required": True})

    assert main([str(official(disguise)), "--specs", str(specs), "--surface", "network", *PREFER]) == 0
    said = capsys.readouterr().out
    spec = read(specs)
    schemas, operations = spec["components"]["schemas"], by_id(spec)
    assert schemas["UserRole"]["enum"] == [*small["components"]["schemas"]["UserRole"]["enum"], "owner"]
    assert schemas["CreateUserRequest"]["properties"]["nickname"]["maxLength"] == 40
    assert "nickname" in schemas["CreateUserRequest"]["required"]
    assert schemas["User"]["properties"]["id"]["type"] == "integer"
    assert schemas["User"]["properties"]["badges"]["items"] == {"$ref": "#/components/schemas/Badge"}
    assert schemas["User"]["properties"]["badges"]["x-evidence"] == "official"
    assert set(schemas["Badge"]["properties"]) == {"label", "since"}
    assert schemas["User"]["properties"]["limits"]["additionalProperties"] == {"type": "number"}
    added = operations["listClickReport"][2]["parameters"][-1]
    assert (added["name"], added["required"], added["schema"]) == ("page[offset]", True, {"type": "integer"})
    assert "users.list, users.get: answer data.id: string in ours, integer in theirs" in said or "answer data" in said


def test_what_the_files_cannot_settle_stays_and_is_listed(
    small: Any, specs: Path, official: Write, capsys: Capture
) -> None:
    disguise = Disguise(small, opaque=True)
    disguise.definition("User")["properties"]["first_name"] = {
        "type": "object",
        "properties": {"x": {"type": "string"}},
    }
    del disguise.definition("User")["properties"]["last_name"]
    del disguise.document["paths"][disguise.routes["getExport"].split(" ")[1].removeprefix("/rest/v3")]
    # One of the shared parameter's users says otherwise: no reason to change the parameter for the others.
    for parameter in disguise.operation("listUsers")["parameters"]:
        if parameter["name"] == "page[size]":
            parameter["type"] = "string"

    assert main([str(official(disguise)), "--specs", str(specs), "--surface", "network", *PREFER]) == 3
    said = capsys.readouterr().out
    left = said[said.index("asked (") :]
    spec = read(specs)
    operations = by_id(spec)
    assert operations["exportClicks"][1] == by_id(small)["exportClicks"][1]
    assert operations["exportClicks"][2]["x-evidence"] == "inferred"
    assert "exports.clicks (exportClicks): POST /rest/v3/" in left
    assert 'ACCEPT="exportClicks=POST /rest/v3/' in left
    assert "first_name: string in ours, object in theirs; change it by hand" in left
    assert "exports.get (getExport): GET /api/v2/download-center/exports/{exportID}; their file has no such" in left
    assert "page[size]: integer in ours, string in theirs; shared with operations that show no difference" in left
    assert spec["components"]["parameters"]["PageSize"]["schema"]["type"] == "integer"
    assert spec["components"]["schemas"]["User"]["properties"]["first_name"]["type"] == "string"
    assert "last_name" in spec["components"]["schemas"]["User"]["properties"]


def test_a_path_with_more_or_fewer_ids_brings_and_drops_its_parameters(
    small: Any, specs: Path, official: Write
) -> None:
    disguise = Disguise(small)
    get = disguise.document["paths"].pop("/network/{id1}/offer/{id2}")
    for operation in get.values():
        operation["parameters"] = [one for one in operation["parameters"] if one["name"] != "id1"]
    disguise.document["paths"]["/offer/{id2}"] = get
    users = disguise.document["paths"].pop("/user")
    for operation in users.values():
        operation["parameters"].append({"name": "tenant_id", "in": "path", "required": True, "type": "string"})
    disguise.document["paths"]["/tenant/{tenant_id}/user"] = users

    assert main([str(official(disguise)), "--specs", str(specs), "--surface", "network"]) == 0
    operations = by_id(read(specs))
    method, path, offer = operations["getOffer"]
    assert (method, path) == ("get", "/rest/v3/offer/{offerID}")
    assert offer["parameters"] == [{"$ref": "#/components/parameters/OfferID"}]
    method, path, created = operations["createUser"]
    assert (method, path) == ("post", "/rest/v3/tenant/{tenant_id}/user")
    assert created["parameters"][0]["name"] == "tenant_id"


def test_operations_of_one_path_may_go_to_different_ones(small: Any, specs: Path, official: Write) -> None:
    disguise = Disguise(small)
    disguise.document["paths"]["/user/new"] = {"post": disguise.document["paths"]["/user"].pop("post")}
    patch = disguise.document["paths"]["/publisher/{id1}"]
    patch["put"] = patch.pop("patch")

    assert main([str(official(disguise)), "--specs", str(specs), "--surface", "network"]) == 0
    operations = by_id(read(specs))
    assert operations["createUser"][:2] == ("post", "/rest/v3/user/new")
    assert operations["listUsers"][:2] == ("get", "/rest/v3/user")
    assert operations["updatePublisher"][:2] == ("put", "/rest/v3/publisher/{publisherID}")
    assert operations["getPublisher"][:2] == ("get", "/rest/v3/publisher/{publisherID}")


def test_answers_without_our_envelope_still_give_their_fields(small: Any, specs: Path, official: Write) -> None:
    disguise = Disguise(small)
    user = disguise.definition("User")
    user["properties"]["nickname"] = {"type": "string"}
    disguise.operation("getUser")["responses"]["200"]["schema"] = user
    disguise.operation("listUsers")["responses"]["200"]["schema"] = {"type": "array", "items": user}

    assert main([str(official(disguise)), "--specs", str(specs), "--surface", "network"]) == 0
    assert read(specs)["components"]["schemas"]["User"]["properties"]["nickname"]["type"] == "string"


def test_the_vendors_host_becomes_the_default_one(small: Any, specs: Path, official: Write) -> None:
    assert main([str(official(Disguise(small))), "--specs", str(specs), "--surface", "network"]) == 0
    (server,) = read(specs)["servers"]
    assert server["url"] == "https://api.example.com"
    assert server["x-evidence"] == "official"


def test_a_3_1_file_in_yaml_is_taken_over_too_and_finds_its_surface(
    trees: dict[str, Any], specs: Path, tmp_path: Path
) -> None:
    ours = subset(
        trees["adsecurity"], ("listFraudFilterGroups", "createFraudFilterGroup", "listSmartLinks", "getSmartLink")
    )
    (specs / "adsecurity.yaml").write_text(yaml.safe_dump(ours, sort_keys=False), encoding="utf-8")
    theirs = json.loads(json.dumps(ours).replace("/api/v2/", "/"))
    theirs["openapi"] = "3.1.0"
    theirs["servers"] = [{"url": "https://ads.example.org/platform"}]
    path = tmp_path / "theirs.yaml"
    path.write_text(yaml.safe_dump(theirs), encoding="utf-8")
    untouched = (specs / "network.yaml").read_bytes()
    assert main([str(path), "--specs", str(specs)]) == 0
    spec = read(specs, "adsecurity")
    assert spec["servers"][0]["url"] == "https://ads.example.org"
    assert all(path.startswith("/platform/") for path in spec["paths"])
    assert (specs / "network.yaml").read_bytes() == untouched


# What only some documents need


def test_a_parameter_known_from_prose_is_official_once_the_vendor_has_it(
    small: Any, specs: Path, official: Write
) -> None:
    assert small["components"]["parameters"]["Filter"]["x-evidence"] == "prose"
    assert main([str(official(Disguise(small))), "--specs", str(specs), "--surface", "network"]) == 0
    assert read(specs)["components"]["parameters"]["Filter"]["x-evidence"] == "official"


def test_parameters_take_values_and_need_from_the_vendor_where_theirs_are_preferred(
    small: Any, specs: Path, official: Write
) -> None:
    disguise = Disguise(small)
    for name in ("exportClicks", "exportConversions", "exportImpressions"):
        for one in disguise.operation(name)["parameters"]:
            if one["name"] == "delimiter":
                one.update({"enum": [",", ";"], "required": True})
            elif one["name"] == "fields":
                one["required"] = False
    assert main([str(official(disguise)), "--specs", str(specs), "--surface", "network", *PREFER]) == 0
    spec = read(specs)
    after = {}
    for one in by_id(spec)["exportClicks"][2]["parameters"]:
        real = spec["components"]["parameters"][one["$ref"].rsplit("/", 1)[1]] if "$ref" in one else one
        after[real["name"]] = real
    assert (after["delimiter"]["schema"]["enum"], after["delimiter"]["required"]) == ([",", ";"], True)
    assert "required" not in after["fields"]


def test_formats_follow_the_vendor_where_theirs_are_preferred_and_new_fields_come_as_they_are(
    small: Any, specs: Path, official: Write
) -> None:
    disguise = Disguise(small)
    user = disguise.definition("User")["properties"]
    del user["created_at"]["format"]
    user["last_login_at"]["format"] = "date"
    update = disguise.definition("UpdateUserRequest")["properties"]
    update["labels"] = {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}}
    update["anything"] = {}
    assert main([str(official(disguise)), "--specs", str(specs), "--surface", "network", *PREFER]) == 0
    schemas = read(specs)["components"]["schemas"]
    assert schemas["User"]["properties"]["created_at"]["format"] == "date-time"
    assert schemas["User"]["properties"]["last_login_at"]["format"] == "date"
    assert schemas["UpdateUserRequest"]["properties"]["labels"]["items"]["enum"] == ["a", "b"]
    assert "type" not in schemas["UpdateUserRequest"]["properties"]["anything"]


def test_operations_that_contradict_each_other_change_nothing(
    small: Any, specs: Path, official: Write, capsys: Capture
) -> None:
    disguise = Disguise(small)
    for name, kind in (("createUser", "integer"), ("updateUser", "boolean")):
        (body,) = [one for one in disguise.operation(name)["parameters"] if one["in"] == "body"]
        body["schema"] = json.loads(json.dumps(disguise.definition(f"{name[:6].title()}UserRequest")))
        body["schema"]["properties"]["role"] = {"type": kind}
    before = read(specs)["components"]["schemas"]["UserRole"]
    assert main([str(official(disguise)), "--specs", str(specs), "--surface", "network"]) == 0
    assert read(specs)["components"]["schemas"]["UserRole"] == before
    said = capsys.readouterr().out
    assert "body role: string in ours, integer in theirs" in said


def test_a_route_that_another_operation_of_ours_holds_is_not_taken(
    small: Any, specs: Path, official: Write, capsys: Capture
) -> None:
    disguise = Disguise(small)
    paths = disguise.document["paths"]
    disguise.document["basePath"] = "/"
    paths["/api/v2/publishers/{id1}"] = {"get": paths["/user/{id1}"].pop("get")}
    del paths["/publisher/{id1}"]
    accept = ("--accept", "getUser=GET /api/v2/publishers/{id1}; getPublisher=none")
    assert main([str(official(disguise)), "--specs", str(specs), "--surface", "network", *accept]) == 3
    said = capsys.readouterr().out
    assert "users.get: GET /api/v2/publishers/{id1} is taken by another operation of ours" in said
    assert by_id(read(specs))["getUser"][1] == "/api/v2/users/{userID}"


# What our rules would refuse


def test_what_our_rules_would_refuse_is_left_and_listed_or_made_to_fit(
    small: Any, specs: Path, official: Write, capsys: Capture
) -> None:
    disguise = Disguise(small)
    disguise.operation("listUsers")["parameters"].append({"name": "X-Trace", "in": "header", "type": "string"})
    fields = disguise.definition("User")["properties"]
    disguise.document["definitions"]["docs.Node"] = {
        "type": "object",
        "properties": {"next": {"$ref": "#/definitions/docs.Node"}, "first": {"type": "string"}},
    }
    fields["node"] = {"$ref": "#/definitions/docs.Node"}
    fields["second_role"] = {"type": "string", "enum": list(small["components"]["schemas"]["UserRole"]["enum"])}
    fields["to_dict"] = {"type": "string"}
    assert main([str(official(disguise)), "--specs", str(specs), "--surface", "network"]) == 3
    said = capsys.readouterr().out
    assert "header X-Trace: only theirs (string); a header cannot be given to a single call" in said
    schemas = read(specs)["components"]["schemas"]
    user = schemas["User"]["properties"]
    assert user["node"]["allOf"] == [{"$ref": "#/components/schemas/Node"}]
    assert schemas["Node"]["properties"]["next"] == {"$ref": "#/components/schemas/Node"}
    assert user["second_role"]["allOf"] == [{"$ref": "#/components/schemas/UserRole"}]
    assert user["to_dict"]["x-python-name"] == "to_dict_"


def test_a_result_that_breaks_a_rule_is_not_saved(
    small: Any, specs: Path, official: Write, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(path: Path, text: str) -> list[Problem]:
        moved = "/rest/v3" in text
        return [Problem(str(path), 1, "/info", "some-rule", "this is broken")] if moved else []

    monkeypatch.setattr("generator.official.adopt._problems", broken)
    before = (specs / "network.yaml").read_bytes()
    assert main([str(official(Disguise(small))), "--specs", str(specs), "--surface", "network"]) == 2
    said = capsys.readouterr().err
    assert "nothing was written" in said
    assert "[some-rule]" in said
    assert (specs / "network.yaml").read_bytes() == before


def test_another_api_is_not_taken_over_unless_the_surface_is_named(
    small: Any, specs: Path, tmp_path: Path, capsys: Capture
) -> None:
    theirs = json.loads(json.dumps(small))
    foreign = {"get": {"responses": {"200": {"description": "ok"}}}}
    theirs["paths"] |= {f"/planets/{number}/moons": foreign for number in range(20)}
    path = tmp_path / "official.json"
    path.write_text(json.dumps(theirs), encoding="utf-8")
    before = (specs / "network.yaml").read_bytes()
    assert main([str(path), "--specs", str(specs)]) == 2
    assert "operations are ours" in capsys.readouterr().err
    assert (specs / "network.yaml").read_bytes() == before
    assert diff([str(path), "--specs", str(specs)]) == 0
    assert "perhaps the description of another API" in capsys.readouterr().out
    assert main([str(path), "--specs", str(specs), "--surface", "network"]) == 0
