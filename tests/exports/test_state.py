"""What the server says of an export is read whatever of it is missing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from adsecurity.exports.state import count_of, rows_by_type, rows_of, text_of, value_of, zone_of
from adsecurity_generated._operation import Surface
from adsecurity_generated.adsecurity.surface import SURFACE as ADSECURITY
from adsecurity_generated.network.surface import SURFACE as NETWORK


@pytest.mark.parametrize("surface", [NETWORK, ADSECURITY], ids=["network", "adsecurity"])
def test_each_type_of_export_has_the_rows_of_the_operation_that_starts_it(surface: Surface) -> None:
    starts = [surface.operation(name) for name, route in surface.routes.items() if ".exports." in f".{route.resource}"]
    found = 0
    for op in starts:
        if op.export_role != "start":
            continue
        singular = op.resource.rpartition(".")[2].removesuffix("s")
        for kind in (f"{singular}_logs", singular.upper(), f"{singular}s"):
            assert rows_by_type(surface, SimpleNamespace(type=kind)) is rows_of(surface, op), kind
        found += rows_of(surface, op) is not None
    assert found >= 3


@pytest.mark.parametrize("export", [SimpleNamespace(), SimpleNamespace(type=None), SimpleNamespace(type="offers")])
def test_an_export_of_no_known_type_has_rows_of_no_known_model(export: Any) -> None:
    assert rows_by_type(NETWORK, export) is None


def test_any_part_may_be_missing_or_of_another_kind() -> None:
    export = SimpleNamespace(artifact=SimpleNamespace(name="a.csv", size=3.0), error=None, status=5)
    assert value_of(export, "artifact", "name") == text_of(export, "artifact", "name") == "a.csv"
    assert (text_of(export, "status"), text_of(export, "error"), text_of(export, "artifact", "no", "name")) == ("",) * 3
    assert (count_of(export, "artifact", "size"), count_of(export, "artifact", "name")) == (3, 0)
    assert count_of(None, "artifact", "size") == 0


def test_the_times_of_a_file_are_in_the_zone_that_was_asked_for() -> None:
    clicks = NETWORK.operation("exportClicks")
    assert zone_of(clicks, {"timezone": "Europe/Berlin"}) == "Europe/Berlin"
    assert zone_of(clicks, {}) == zone_of(clicks, {"timezone": None}) == "UTC"
    assert zone_of(ADSECURITY.operation("exportClicks"), {"timezone": "Europe/Berlin"}) is None
