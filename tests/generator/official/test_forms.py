"""The same API is found in every form in which it may be written down, and nothing is ever taken for something else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from generator.official.choices import Choices
from generator.official.compare import Comparison
from generator.official.document import Document, parse
from generator.official.match import match
from generator.official.select import compare
from tests.support import forms
from tests.support.disguise import Disguise, Json
from tests.support.forms_table import BOTH, FORMS, HEAVY, adopted, disguised
from tests.support.large_document import cost_of, crowded, mutual_models, padded
from tests.support.our_specs import SURFACES
from tests.support.routes import before_adoption

LOSSY = 0.85
ALIKE = 0.95


@cache
def ours() -> list[Document]:
    """Our specs, read once for all tests."""
    return [parse(json.dumps(before_adoption(name)), f"{name}.yaml") for name in SURFACES]


def comparison(disguise: Disguise, surface: str, *, only: str | None = None, **choices: Any) -> Comparison:
    theirs = parse(json.dumps(disguise.document), "official.json")
    found = compare(ours(), theirs, only=surface if only is None else only, choices=Choices(**choices))
    (one,) = [one for one in found if one.ours.root["x-surface"] == surface]
    return one


def judged(found: Comparison, routes: dict[str, str]) -> tuple[int, list[str]]:
    """How many are right, and which are wrong."""
    pairs = [(one.ours.id, routes.get(one.ours.id), one.theirs.route) for one in found.sure]
    wrong = [f"{name}: {route}, not {known}" for name, known, route in pairs if route != known]
    return len(pairs) - len(wrong), wrong


@pytest.mark.parametrize("words", [{}, {"words": HEAVY}], ids=["like ours", "other words"])
@pytest.mark.parametrize("form", [*FORMS, BOTH])
@pytest.mark.parametrize("surface", SURFACES)
def test_nearly_all_is_found_in_every_form_and_nothing_wrongly(
    trees: dict[str, Any], surface: str, form: str, words: dict[str, Any]
) -> None:
    disguise = disguised(trees, surface, form, **words)
    right, wrong = judged(comparison(disguise, surface), disguise.routes)
    assert wrong == []
    assert right >= (LOSSY if form == "lossy" else ALIKE) * len(disguise.routes)


@pytest.mark.parametrize("surface", SURFACES)
def test_where_a_third_is_missing_nothing_else_is_taken_for_it(trees: dict[str, Any], surface: str) -> None:
    for seed in range(3):
        disguise = Disguise(
            trees[surface], seed=seed, words=HEAVY, forms=(without_some, forms.extra_operations, forms.no_operation_ids)
        )
        right, wrong = judged(comparison(disguise, surface), disguise.routes)
        assert wrong == []
        assert right >= 0.9 * len(disguise.routes)


def test_an_empty_segment_within_a_route_is_no_place_of_its_own(trees: dict[str, Any]) -> None:
    shape = (forms.trailing_slashes, forms.bulk_by_post, forms.allof_envelopes)
    disguise = Disguise(trees["adsecurity"], seed=24, words=HEAVY, forms=shape)
    assert any("//bulk-delete" in route for route in disguise.routes.values())
    right, wrong = judged(comparison(disguise, "adsecurity"), disguise.routes)
    assert (right, wrong) == (68, [])


def without_some(disguise: Disguise) -> None:
    for path, method, _ in disguise.operations():
        if disguise.random.random() < 0.3:
            del disguise.document["paths"][path][method]


@pytest.mark.parametrize("form", ["allOf envelopes", "lossy", "extra operations", "integer ids"])
def test_what_is_found_is_adopted(trees: dict[str, Any], specs: Path, form: str) -> None:
    row = adopted(disguised(trees, "network", form), "network", specs)
    assert (row.matched, row.right, row.wrong, row.asked) == (40, 40, 0, 0)
    assert row.code == 0
    assert row.added == (7 if form == "extra operations" else 0)


def test_in_a_file_of_both_surfaces_nothing_of_the_other_one_is_only_theirs(trees: dict[str, Any]) -> None:
    found = comparison(disguised(trees, "network", BOTH), "network")
    assert found.only_theirs == []
    assert found.only_ours == []
    assert {one.theirs.path.split("/")[3] for one in found.matches}.isdisjoint({"second"})


def test_a_file_of_both_surfaces_is_compared_with_both(trees: dict[str, Any]) -> None:
    disguise = disguised(trees, "network", BOTH)
    theirs = parse(json.dumps(disguise.document), "official.json")
    found = compare(ours(), theirs)
    assert [one.ours.root["x-surface"] for one in found] == list(SURFACES)
    assert sum(len(one.matches) for one in found) == 108


# Envelopes, silence, errors: what is read of a document


def swagger(paths: Json, definitions: Json | None = None, **more: Any) -> Json:
    head = {"swagger": "2.0", "info": {"title": "Theirs", "version": "1"}, "basePath": "/api/v2"}
    return {**head, "paths": paths, "definitions": definitions or {}, **more}


def answering(schema: Json, status: str = "200") -> Json:
    return {status: {"description": "ok", "schema": schema}}


PERSON = {"type": "object", "properties": {name: {"type": "string"} for name in ("id", "email", "first_name", "role")}}
ENVELOPE = {"type": "object", "properties": {"data": {}, "meta": {"type": "object"}}}


@pytest.mark.parametrize("order", [1, -1])
def test_the_part_of_an_allof_that_says_more_wins_wherever_it_stands(order: int) -> None:
    parts: Sequence[Json] = [
        {"$ref": "#/definitions/Envelope"},
        {"type": "object", "properties": {"data": {"$ref": "#/definitions/Person"}}},
    ]
    document = swagger(
        {"/people": {"get": {"responses": answering({"allOf": parts[::order]})}}},
        {"Envelope": ENVELOPE, "Person": PERSON},
    )
    (operation,) = parse(json.dumps(document), "f").operations
    assert {"data.id", "data.email", "data.role"} <= operation.response.keys()
    assert operation.response["data"].model == "Person"


def test_two_parts_that_both_name_fields_give_all_of_them() -> None:
    left = {"properties": {"data": {"type": "object", "properties": {"a": {"type": "string"}}}}}
    right = {"properties": {"data": {"type": "object", "properties": {"b": {"type": "string"}}}}}
    document = swagger({"/x": {"get": {"responses": answering({"allOf": [left, right]})}}})
    (operation,) = parse(json.dumps(document), "f").operations
    assert {"data.a", "data.b"} <= operation.response.keys()


def test_an_error_as_the_default_answer_gives_a_success_no_fields() -> None:
    error = {"type": "object", "properties": {"code": {"type": "integer"}, "reason": {"type": "string"}}}
    responses = {"204": {"description": "done"}, "default": {"description": "", "schema": error}}
    with_success = swagger({"/x/{id}": {"patch": {"responses": responses}}})
    (operation,) = parse(json.dumps(with_success), "f").operations
    assert not operation.response
    alone = swagger({"/x/{id}": {"get": {"responses": {"default": responses["default"]}}}})
    (operation,) = parse(json.dumps(alone), "f").operations
    assert set(operation.response) == {"code", "reason"}


def test_a_colon_makes_a_path_parameter() -> None:
    document = swagger({"/users/:id/notes/:noteId": {"get": {"responses": answering(PERSON)}}})
    (operation,) = parse(json.dumps(document), "f").operations
    assert operation.route == "GET /api/v2/users/{id}/notes/{noteId}"
    assert operation.oddity == ""


@pytest.mark.parametrize("path", ["/users/{id}.json", "/users/v1:{id}", "/users/{id}:close", "/users/<id>", "/a?b=c"])
def test_what_is_neither_a_segment_nor_an_id_is_told_as_odd(path: str) -> None:
    document = swagger({path: {"get": {"responses": answering(PERSON)}}})
    (operation,) = parse(json.dumps(document), "f").operations
    assert "neither a plain segment nor a whole {id}" in operation.oddity


def test_paths_keep_their_trailing_slash_and_a_server_its_variables_defaults() -> None:
    document = {
        "openapi": "3.0.3",
        "info": {},
        "servers": [{"url": "https://{region}.example.com/{v}/api", "variables": {"v": {"default": "v9"}}}],
        "paths": {"/users/": {"get": {"responses": {200: {"description": "ok"}}}}},
    }
    (operation,) = parse(json.dumps(document), "f").operations
    assert operation.route == "GET /v9/api/users/"


# Work


def test_models_that_refer_to_each_other_are_read_level_by_level() -> None:
    (operation,) = parse(json.dumps(mutual_models(12)), "f").operations
    assert 12 <= len(operation.response) <= 2012
    assert not operation.response.knows("m.N1.m.N2.m.N3.m.N4.m.N5.m.N6")


def test_reading_costs_as_much_as_the_file_is_large(trees: dict[str, Any]) -> None:
    # Of one process, so that neither the machine's other work nor the start of Python counts.
    small, large = (cost_of(mutual_models(count)) for count in (60, 240))
    assert large < 9
    assert large < 40 * max(small, 0.02)


@pytest.mark.parametrize("make", [padded, crowded])
def test_a_document_of_three_megabytes_is_matched_in_seconds(trees: dict[str, Any], make: Any) -> None:
    disguise: Disguise = make(trees["network"], 3_000_000)
    seconds = cost_of(disguise.document, ours()[0])
    # 1 to 2; 4 to 8 where coverage is measured on a busy machine. What grows with the number of paths takes minutes.
    assert seconds < 15
    right, wrong = judged(comparison(disguise, "network"), disguise.routes)
    assert wrong == []
    assert right >= ALIKE * len(disguise.routes)


def test_a_match_that_somebody_has_settled_is_kept(trees: dict[str, Any]) -> None:
    disguise = Disguise(trees["network"], opaque=True)
    accept = {name: disguise.routes[name] for name in ("exportClicks", "exportConversions", "exportImpressions")}
    found = comparison(disguise, "network", accept=accept)
    assert found.questions == []
    right, wrong = judged(found, disguise.routes)
    assert (right, wrong) == (40, [])


def test_an_answer_may_be_that_it_is_none_of_theirs(trees: dict[str, Any]) -> None:
    disguise = Disguise(trees["network"])
    found = comparison(disguise, "network", accept={"users.get": "none"})
    assert [one.id for one in found.only_ours] == ["getUser"]
    assert [one.route for one in found.only_theirs] == [disguise.routes["getUser"]]


def test_matching_nothing_with_nothing_gives_nothing() -> None:
    assert match([], []) == []
