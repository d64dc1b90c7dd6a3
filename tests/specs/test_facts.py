"""The specs hold every documented fact, and the check that says so notices when one is lost."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import openapi_spec_validator
import pytest

from generator.official.records import evidence_table
from tests.specs import extract_facts
from tests.specs.check_facts import HERE, SPECS, SURFACES, Checker, load, report
from tests.specs.conftest import COUNTS
from tests.specs.damage import try_all

DOCUMENTED = {"network": (40, 286, 0), "adsecurity": (65, 422, 3)}
TABLE: list[dict[str, str]] = json.loads((HERE / "facts" / "operations.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module", params=SURFACES)
def surface(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def checker(surface: str) -> Checker:
    return load(surface)


def facts_of(surface: str) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((HERE / "facts" / f"{surface}.json").read_text(encoding="utf-8"))
    return facts


def test_each_spec_holds_every_documented_fact_and_invents_none(
    surface: str, checker: Checker, record_property: Callable[[str, object], None]
) -> None:
    found = report(surface, checker)
    record_property(COUNTS, found.line)
    assert [str(problem) for problem in found.problems] == []
    assert all(held == total > 0 for held, total in found.counts.values())


def test_the_facts_are_as_many_as_the_texts_hold(surface: str) -> None:
    facts = facts_of(surface)
    rows = sum(len(one["rows"]) for one in facts["operations"])
    assert (len(facts["operations"]), rows, len(facts["borrowed"])) == DOCUMENTED[surface]


def test_every_damage_to_every_fact_is_caught(
    surface: str, checker: Checker, record_property: Callable[[str, object], None]
) -> None:
    whole = copy.deepcopy(checker.spec)
    outcome = try_all(checker)
    record_property(COUNTS, f"{surface}: {outcome.line}")
    assert outcome.unnoticed == []
    assert outcome.facts == sum(len(list(checker.keys(one))) for one in [*checker.operations, *checker.borrowed])
    assert outcome.ways > 3 * outcome.facts
    assert checker.spec == whole, "a damage was not put back"


def test_each_spec_has_the_routes_and_the_evidence_of_the_table_and_no_other(surface: str, checker: Checker) -> None:
    """Where the vendor's own file has an operation, its route is theirs."""
    there = [
        (operation["operationId"], method.upper(), path, operation["x-evidence"])
        for path, item in checker.spec["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    ]
    official = {name for name, _, _, evidence in there if evidence == "official"}
    table = [one for one in TABLE if one["surface"] == surface]
    assert {one for one in there if one[0] not in official} == {
        (one["id"], one["method"], one["path"], one["evidence"]) for one in table if one["id"] not in official
    }
    assert {one["id"] for one in table} <= {name for name, _, _, _ in there}


def test_the_readme_counts_what_the_specs_rest_on() -> None:
    text = (SPECS / "README.md").read_text(encoding="utf-8")
    assert evidence_table(SPECS) in text


def test_the_facts_repeat_the_table_of_operations(surface: str) -> None:
    facts = facts_of(surface)
    own = [{name: one[name] for name in TABLE[0] if name != "surface"} for one in facts["operations"]]
    listed = [{name: one[name] for name in one if name != "surface"} for one in TABLE if one["surface"] == surface]
    assert own + facts["borrowed"] == listed


def test_the_facts_are_written_as_the_extractor_writes_them(surface: str) -> None:
    text = (HERE / "facts" / f"{surface}.json").read_text(encoding="utf-8")
    assert extract_facts.dump(json.loads(text)) == text


def test_each_spec_is_valid_openapi(checker: Checker) -> None:
    openapi_spec_validator.validate(checker.spec)


# ---- what no text shows ----


def operation(spec: dict[str, Any], operation_id: str) -> dict[str, Any]:
    return next(
        one
        for item in spec["paths"].values()
        for one in item.values()
        if isinstance(one, dict) and one.get("operationId") == operation_id
    )


def add_parameter(spec: dict[str, Any]) -> None:
    added = {"name": "verbose", "in": "query", "schema": {"type": "boolean"}}
    operation(spec, "getOffer").setdefault("parameters", []).append(added)


def add_request_field(spec: dict[str, Any]) -> None:
    spec["components"]["schemas"]["CreateUserRequest"]["properties"]["nickname"] = {"type": "string"}


def add_response_field(spec: dict[str, Any]) -> None:
    spec["components"]["schemas"]["User"]["properties"]["nickname"] = {"type": "string"}


def add_pattern(spec: dict[str, Any]) -> None:
    spec["components"]["schemas"]["CreateUserRequest"]["properties"]["city"]["pattern"] = "[A-Z].*"


def add_format_to_an_answer(spec: dict[str, Any]) -> None:
    spec["components"]["schemas"]["User"]["properties"]["email"]["format"] = "email"


def add_item_enum(spec: dict[str, Any]) -> None:
    spec["components"]["schemas"]["PublisherRequest"]["properties"]["countries"]["items"]["enum"] = ["US"]


def add_body(spec: dict[str, Any]) -> None:
    body = {"content": {"application/json": {"schema": {"type": "object"}}}}
    operation(spec, "exportClicks")["requestBody"] = body


def add_operation(spec: dict[str, Any]) -> None:
    spec["paths"]["/api/v2/coffees"] = {"get": {"operationId": "listCoffees", "responses": {}}}


def add_status(spec: dict[str, Any]) -> None:
    operation(spec, "getUser")["responses"]["409"] = {"description": "conflict"}


def claim_the_host(spec: dict[str, Any]) -> None:
    spec["servers"][0]["x-evidence"] = "documented"


def add_default_header(spec: dict[str, Any]) -> None:
    spec["x-default-headers"] = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    "invent",
    [
        add_parameter,
        add_request_field,
        add_response_field,
        add_pattern,
        add_format_to_an_answer,
        add_item_enum,
        add_body,
        add_operation,
        add_status,
        claim_the_host,
        add_default_header,
    ],
)
def test_what_no_text_shows_is_reported(invent: Callable[[dict[str, Any]], None]) -> None:
    checker = load("network")
    invent(checker.spec)
    assert len(checker.check_all()) > 0


def test_what_is_marked_as_inferred_may_be_added() -> None:
    checker = load("network")
    added = {"name": "verbose", "in": "query", "x-evidence": "inferred", "schema": {"type": "boolean"}}
    operation(checker.spec, "getOffer").setdefault("parameters", []).append(added)
    schemas = checker.spec["components"]["schemas"]
    schemas["User"]["properties"]["nickname"] = {"type": "string", "x-evidence": "inferred"}
    assert checker.check_all() == []


def test_a_problem_names_its_place_and_what_is_documented() -> None:
    checker = load("network")
    del checker.spec["components"]["schemas"]["UserRole"]["enum"][0]
    messages = [str(one) for one in checker.check_all()]
    assert messages
    assert all(one.startswith("/components/schemas/") and "enum of 'role'" in one for one in messages)
    assert all("documented is ['admin', 'accountManager']" in one for one in messages)


@pytest.mark.parametrize("surface", ["adsecurity"])
def test_the_documented_host_and_header_are_held(surface: str) -> None:
    checker = load(surface)
    checker.spec["servers"][0]["url"] = "https://elsewhere.example"
    del checker.spec["x-default-headers"]
    assert {one.fact for one in checker.check_api()} == {("api", "host"), ("api", "content_type")}
