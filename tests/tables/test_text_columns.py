"""Columns of text are cast at once only where every value is read as the models read it."""

from __future__ import annotations

import json
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adsecurity.tables.text_columns import cast, without_empty
from adsecurity_generated._values import Verdict, list_reader, plain_reader


def read(text: str, kind: str) -> Any:
    """What the models read; UNFIT for what they refuse."""
    value, verdict = plain_reader(kind)[0](text)
    return verdict if verdict is Verdict.UNFIT else value


NUMBER = r"[+-]?[0-9]{0,3}(\.[0-9]{0,3})?([eE][+-]?[0-9]{0,2})?|nan|-?inf|Infinity|0x1F|1_0| 1|1 "
CLOCK = r"[ T][0-2][0-9](:[0-6][0-9](:[0-6][0-9](\.[0-9]{1,9})?)?)?(Z|[+-][0-2][0-9]:?[0-6][0-9])?"
numbers = st.from_regex(NUMBER, fullmatch=True)
times = st.from_regex(f"[0-2][0-9]{{3}}-[01][0-9]-[0-3][0-9]({CLOCK})?", fullmatch=True)


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        ("number", numbers),
        ("integer", numbers),
        ("boolean", st.sampled_from(["true", "True", "FALSE", "0", "1", "yes", "t", "00", " 1"])),
        ("date", times),
        ("date-time", times),
    ],
)
@settings(max_examples=300)
@given(data=st.data())
def test_a_column_that_is_cast_has_the_values_of_the_models(kind: str, texts: Any, data: st.DataObject) -> None:
    column = data.draw(st.lists(st.one_of(texts, st.none(), st.just("")), min_size=1, max_size=2))
    found = cast(pa.array(column, pa.string()), kind)
    if found is not None:
        expected = [None if not text else read(text, kind) for text in column]
        assert [str(value) for value in found.to_pylist()] == [str(value) for value in expected]


@given(st.lists(st.sampled_from(["", "a", "bcd", None]), max_size=20), st.integers(0, 5))
def test_the_empty_texts_of_a_slice_are_nothing_and_the_others_are_as_they_were(
    texts: list[str | None], skip: int
) -> None:
    # A file's first line is its header, so its columns are slices; if_else of pyarrow 20 takes them for others.
    found = without_empty(pa.array(["header", *texts], pa.string()).slice(1).slice(skip))
    found.validate(full=True)
    assert found.to_pylist() == [text or None for text in texts[skip:]]


PIECES = ['"a"', '"b', "[", "]", ",", "null", "{", "}", ":", "1", " ", "\n", '"', "x"]
pieces = st.lists(st.sampled_from(PIECES), max_size=7)


@settings(max_examples=500)
@given(st.lists(pieces.map("".join), min_size=1, max_size=4))
def test_no_text_of_a_list_leans_on_its_neighbours(texts: list[str]) -> None:
    reader = list_reader(*plain_reader("string"))
    found = cast(pa.array(texts), "texts")
    if found is not None:
        expected = [None if not text or json.loads(text) is None else reader(json.loads(text))[0] for text in texts]
        assert found.to_pylist() == expected


@pytest.mark.parametrize(
    "texts",
    [['["a"', '"b"]', '["c"],["d"]'], ["[", "]", "[]],[[]"], ['["a', 'b"]'], ['["\\ud800"]'], ["[NaN]"], ["[1]"]],
)
def test_lists_that_are_none_by_themselves_are_not_cast(texts: list[str]) -> None:
    assert cast(pa.array(texts), "texts") is None


@pytest.mark.parametrize("text", ["2026-03-29 02:30:00", "1969-06-01 00:00:00", "2040-06-01 00:00:00"])
def test_times_on_which_zone_databases_differ_are_not_cast(text: str) -> None:
    assert cast(pa.array([text]), "date-time", ZoneInfo("Europe/Berlin")) is None
    assert cast(pa.array([text]), "date-time") is not None


def test_of_an_hour_that_comes_twice_the_later_one_is_taken() -> None:
    found = cast(pa.array(["2026-10-25 02:30:00"]), "date-time", ZoneInfo("Europe/Berlin"))
    assert [time.hour for time in found.to_pylist()] == [1]


def test_a_kind_without_a_type_of_its_own_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no kind of a column"):
        cast(pa.array(["a"]), "object")
