"""Documents of any size, made by code: to measure what reading one costs."""

from __future__ import annotations

import copy
import json
import time
from typing import Any

from generator.official.document import Document, parse
from generator.official.match import match
from tests.support.disguise import Disguise, Json


def mutual_models(count: int) -> Json:
    """Every model refers to every other one: the ways through them have no end."""
    names = [f"m.N{number}" for number in range(count)]
    definitions = {
        name: {"type": "object", "properties": {other: {"$ref": f"#/definitions/{other}"} for other in names}}
        for name in names
    }
    return {
        "swagger": "2.0",
        "info": {"title": "Mutual", "version": "1"},
        "paths": {"/n": {"get": {"responses": {"200": {"description": "", "schema": {"$ref": "#/definitions/m.N0"}}}}}},
        "definitions": definitions,
    }


def padded(spec: Json, size: int) -> Disguise:
    """Our API as theirs, whose models lead into a web of other models until the document has so many bytes."""
    disguise = Disguise(spec)
    definitions = disguise.document["definitions"]
    known = list(definitions)
    number = 0
    length = len(json.dumps(disguise.document))
    while length < size:
        fields: dict[str, Any] = {f"field_{index}": {"type": "string", "description": "x" * 40} for index in range(20)}
        for step in (1, 7, 31):
            fields[f"next_{step}"] = {"$ref": f"#/definitions/Web{max(0, number - step)}"}
        definitions[f"Web{number}"] = {"type": "object", "properties": fields}
        length += len(json.dumps(definitions[f"Web{number}"])) + 20
        number += 1
    for index, name in enumerate(known):
        properties = definitions[name].get("properties")
        if properties is not None:
            properties["web"] = {"$ref": f"#/definitions/Web{number - 1 - index}"}
    return disguise


def crowded(spec: Json, size: int) -> Disguise:
    """Our API among operations that are none of ours, until the document has so many bytes."""
    disguise = Disguise(spec)
    paths = disguise.document["paths"]
    pattern: Json = {
        "parameters": [{"name": "id", "in": "path", "required": True, "type": "string"}],
        "responses": {"200": {"description": "ok"}},
    }
    length = len(json.dumps(disguise.document))
    number = 0
    while length < size:
        fields = {f"mark_{number}_{index}": {"type": "string", "description": "x" * 40} for index in range(30)}
        item = copy.deepcopy(pattern)
        item["responses"]["200"]["schema"] = {"type": "object", "properties": fields}
        paths[f"/planet{number}/{{id}}"] = {"get": item}
        length += len(json.dumps(item)) + 40
        number += 1
    return disguise


def cost_of(document: Json, ours: Document | None = None) -> float:
    """Seconds of processor time for reading a document and, with ours, for matching it."""
    text = json.dumps(document)
    begin = time.process_time()
    theirs = parse(text, "official.json")
    if ours is not None:
        match(ours.operations, theirs.operations)
    for one in theirs.operations:
        assert one.response is not None
    return time.process_time() - begin
