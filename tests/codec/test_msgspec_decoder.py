"""The `[fast]` decoder gives what the standard one gives, whatever the server sends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adsecurity.codec import msgspec_decoder as _fast
from adsecurity_generated._model import Model
from adsecurity_generated.network.models import ClickReportRow, ConversionReportRow, Offer

CLEAN: dict[str, st.SearchStrategy[Any]] = {
    "string": st.text(max_size=8),
    "number": st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(-1000, 1000)),
    "integer": st.integers(-(2**40), 2**40),
    "boolean": st.booleans(),
    "date-time": st.datetimes().map(lambda time: time.replace(microsecond=0).isoformat() + "Z"),
    "date": st.dates().map(str),
    "array": st.lists(st.text(max_size=4), max_size=3),
}
DIRT = st.one_of(
    st.none(),
    st.sampled_from(["", "0001-01-01T00:00:00Z", "12", "12.5", "-1e3", "nan", "null", "true", "2026-11-01 10:00:00"]),
    st.sampled_from(["2026-11-01T10:00:00+02:00", "2026-11-01T10:00:00.5Z", "20261101T100000Z", "yesterday"]),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.just([None]),
    st.just({"a": [1]}),
    st.lists(st.one_of(st.integers(), st.text(max_size=3)), max_size=3),
)


BASE = {"number": 1.5, "integer": 1, "date-time": "2026-11-01T10:00:00Z", "date": "2026-11-01", "array": ["a"]}
OBJECTS = st.dictionaries(st.sampled_from(["payout", "revenue_type", "x"]), st.integers(0, 5), max_size=2)


@st.composite
def pages(draw: st.DrawFn, model: type[Model]) -> list[dict[str, Any]]:
    """A few rows, each with a few values of its own and a few that are damaged."""
    rows = []
    for _ in range(draw(st.integers(1, 4))):
        row: dict[str, Any] = {field.wire: BASE.get(field.kind) for field in model.FIELDS}
        for field in draw(st.lists(st.sampled_from(model.FIELDS), max_size=6)):
            match draw(st.integers(0, 2)):
                case 0:
                    row[field.wire] = draw(CLEAN.get(field.kind, OBJECTS))
                case 1:
                    row[field.wire] = draw(DIRT)
                case _:
                    row.pop(field.wire, None)
        row.update(draw(st.dictionaries(st.sampled_from(["new", "new.er", "`odd`", "f0", ""]), DIRT, max_size=2)))
        rows.append(row)
    return rows


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    _fast._decoders.clear()
    yield
    _fast._decoders.clear()


def same(fast: Any, standard: Any) -> None:
    assert type(fast) is type(standard)
    for field in standard.FIELDS:
        ours, theirs = getattr(fast, field.attr), getattr(standard, field.attr)
        assert type(ours) is type(theirs), field
        assert ours == theirs, field
    assert fast.to_dict() == standard.to_dict()
    # As text: 1, 1.0 and true are equal to Python, not to whoever reads the JSON.
    assert json.dumps(fast.to_dict(), sort_keys=True) == json.dumps(standard.to_dict(), sort_keys=True)
    assert fast.fields_set == standard.fields_set
    assert fast.additional_properties == standard.additional_properties


def decode(model: type[Model], rows: Any, *, nested: bool) -> Any:
    body = {"data": {"data": rows, "pageInfo": {"endCursor": "x"}}} if nested else {"data": rows, "meta": {"total": 1}}
    return _fast.decoder(model, nested=nested).decode(json.dumps(body).encode())


@pytest.mark.parametrize("model", [ClickReportRow, ConversionReportRow, Offer])
@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_page_decodes_to_the_same_models(model: type[Model], data: st.DataObject) -> None:
    rows = data.draw(pages(model))
    nested = data.draw(st.booleans())
    found = decode(model, rows, nested=nested)
    # The standard decoder takes over only where msgspec cannot read the document at all.
    assert found is not None or not is_plain(rows)
    if found is not None:
        for fast, row in zip(found[0], rows, strict=True):
            same(fast, model.from_dict(json.loads(json.dumps(row))))


def is_plain(rows: Any) -> bool:
    try:
        msgspec.json.decode(json.dumps(rows).encode())
    except msgspec.DecodeError:
        return False
    return True


def clean(**changes: Any) -> dict[str, Any]:
    return {**{field.wire: BASE.get(field.kind, "text") for field in ClickReportRow.FIELDS}, **changes}


def test_a_clean_page_is_not_repaired() -> None:
    items, _, info, repaired = decode(ClickReportRow, [clean(), clean()], nested=True)
    assert len(items) == 2
    assert info == {"endCursor": "x"}
    assert repaired == 0
    assert not hasattr(items[0], "_extra")


def test_only_rows_with_a_value_that_does_not_fit_count_as_repaired() -> None:
    rows = [clean(), clean(payout="much"), clean(payout="12"), clean(request_time="", unheard_of=1)]
    items, _, _, repaired = decode(ClickReportRow, rows, nested=True)
    assert repaired == 1
    assert [item.payout for item in items] == [1.5, None, 12.0, 1.5]
    assert items[1].additional_properties == {"payout": "much"}
    assert items[3].additional_properties == {"unheard_of": 1}


def test_what_a_refusal_taught_is_remembered() -> None:
    decoder = _fast.decoder(ClickReportRow, nested=True)
    decode(ClickReportRow, [clean(payout="much", unheard_of=1)], nested=True)
    built = decoder._learned
    decode(ClickReportRow, [clean(payout="more", unheard_of=2)], nested=True)
    assert decoder._learned is built


@pytest.mark.parametrize("nested", [True, False])
@pytest.mark.parametrize("body", [{"data": None}, {"data": [clean()], "success": False}])
def test_a_page_without_rows_or_success_is_left_to_the_standard_decoder(body: dict[str, Any], nested: bool) -> None:
    if nested:
        body = {**body, "data": {"data": body["data"]}}
    assert _fast.decoder(ClickReportRow, nested=nested).decode(json.dumps(body).encode()) is None


def test_many_unknown_fields_are_left_to_the_standard_decoder() -> None:
    assert decode(ClickReportRow, [clean(**{f"new_{n}": n for n in range(65)})], nested=True) is None
    assert decode(ClickReportRow, [clean(**{f"new_{n}": n for n in range(64)})], nested=True) is not None


@pytest.mark.parametrize("content", [b"", b"{", b"<html>", b'{"data": 7}', b'{"data": {"data": [7]}}', b"[1]", b"\xff"])
def test_what_is_no_page_is_left_to_the_standard_decoder(content: bytes) -> None:
    assert _fast.decoder(ClickReportRow, nested=True).decode(content) is None
