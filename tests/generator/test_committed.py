"""The committed package: up to date with the specs, complete, and fast where rows are many."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import SimpleNamespace

import pytest

from generator.build import drift
from generator.spec.lookup import Spec
from generator.spec.source import read_source

ROOT = Path(__file__).resolve().parents[2]
COUNTS = {"network": 40, "adsecurity": 68}


def test_the_committed_package_is_what_the_specs_give() -> None:
    assert drift(ROOT / "specs", ROOT / "generated") == []


@pytest.mark.parametrize("surface", COUNTS)
def test_every_operation_has_a_descriptor_that_loads(surface: str) -> None:
    table = importlib.import_module(f"adsecurity_generated.{surface}.surface").SURFACE
    spec = Spec(read_source(ROOT / "specs" / f"{surface}.yaml", surface))
    assert set(table.routes) == {operation.id for operation in spec.operations}
    # An adoption may add some.
    assert len(table.routes) >= COUNTS[surface]
    for op_id, route in table.routes.items():
        op = table.operation(op_id)
        assert (op.method, op.path) == (route.method, route.path)


@pytest.mark.parametrize("surface", COUNTS)
def test_every_resource_and_its_raw_twin_load(surface: str) -> None:
    module = importlib.import_module(f"adsecurity_generated.{surface}.resources")
    table = importlib.import_module(f"adsecurity_generated.{surface}.surface").SURFACE
    for prefix in ("", "Async"):
        client = getattr(module, f"{prefix}{table.client_name}Resources")()
        client._api = SimpleNamespace(raw=object())
        for route in table.routes.values():
            space, _, rest = route.resource.rpartition(".")[0].rpartition(".")
            for root in (client, client.with_raw_response):
                holder = getattr(root, space)("654321abcd") if space else root
                assert callable(getattr(getattr(holder, rest), route.resource.rpartition(".")[2]))


@pytest.mark.parametrize("surface", COUNTS)
def test_every_model_loads_and_gives_back_an_empty_object(surface: str) -> None:
    models = importlib.import_module(f"adsecurity_generated.{surface}.models")
    spec = Spec(read_source(ROOT / "specs" / f"{surface}.yaml", surface))
    named = {name for name, schema in spec.schemas.items() if spec.merged(schema).get("type") == "object"}
    assert named <= set(models.__all__)
    for name in named:
        model = getattr(models, name)
        assert model.from_dict({}).to_dict() == {}
        assert model.from_dict(dict.fromkeys((field.wire for field in model.FIELDS), None)).fields_set == {
            field.attr for field in model.FIELDS
        }


def test_a_time_is_a_time_on_both_surfaces() -> None:
    kinds: dict[str, dict[str, set[str]]] = {}
    for surface in COUNTS:
        models = importlib.import_module(f"adsecurity_generated.{surface}.models")
        for name in models.__all__:
            for field in getattr(getattr(models, name), "FIELDS", ()):
                kinds.setdefault(f"{name}.{field.wire}", {}).setdefault(surface, set()).add(field.kind)
                if field.wire.endswith("_at"):
                    assert field.kind == "date-time", f"{surface}: {name}.{field.wire}"
    shared = {place: found for place, found in kinds.items() if len(found) == len(COUNTS)}
    assert len(shared) > 100
    different = {place: found for place, found in shared.items() if found["network"] != found["adsecurity"]}
    assert not [place for place, found in different.items() if "date-time" in set.union(*found.values())]
