"""Arguments arrive as they were meant, proven by decoding what was sent; what cannot be sent is refused before."""

from __future__ import annotations

import enum
import json
import math
import string
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import attrs
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsecurity.codec.request import PreparedRequest, kind_of, prepare, to_json
from adsecurity_generated._operation import UNSET, Operation, Param
from adsecurity_generated.network.models import User
from tests.support.demo.surface import BULK, CREATE, GET, LIST, OLD, REPORT, SECONDS, SURFACE, UPDATE, operation

BASE = "https://api.example/base"


def lay_out(op: Operation[Any], routes: Mapping[str, tuple[str, str]] | None = None, /, **args: Any) -> PreparedRequest:
    return prepare(op, args, base_url=BASE, routes=routes or {}, surface=SURFACE)


def sent(prepared: PreparedRequest) -> httpx.Request:
    """As the HTTP library sends it."""
    return httpx.Request(prepared.method, prepared.full_url, headers=dict(prepared.headers), content=prepared.content)


def received_query(prepared: PreparedRequest) -> list[tuple[str, str]]:
    """As a server reads it."""
    return parse_qsl(sent(prepared).url.query.decode(), keep_blank_values=True, strict_parsing=bool(prepared.query))


# No surrogates: they are no characters.
TEXT = st.text(st.characters(codec="utf-8"), max_size=30)
IDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1).filter(
    lambda text: text not in (".", "..")
)
NAMES = st.text(st.sampled_from(string.ascii_letters + "._-$ é"), min_size=1, max_size=12)
SCALARS = st.one_of(TEXT, st.integers(), st.booleans(), st.floats(allow_nan=False, allow_infinity=False))


def as_text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


@given(IDS)
def test_any_id_is_one_segment_of_the_path_and_decodes_to_itself(thing_id: str) -> None:
    raw = sent(lay_out(GET, thing_id=thing_id)).url.raw_path.decode()
    segments = raw.split("/")
    assert segments[:-1] == ["", "base", "api", "v2", "things"]
    assert unquote(segments[-1]) == thing_id


@pytest.mark.parametrize("bad", ["", ".", "..", "a\x00b", "a\nb", "\x7f", "\x85", "\ud800"])
def test_an_id_that_would_address_something_else_is_a_value_error(bad: str) -> None:
    with pytest.raises(ValueError, match="thing_id"):
        lay_out(GET, thing_id=bad)


@pytest.mark.parametrize("bad", [7, None, b"a", ["a"]])
def test_an_id_that_is_no_string_is_a_type_error(bad: Any) -> None:
    with pytest.raises(TypeError, match="thing_id"):
        lay_out(GET, thing_id=bad)


@given(st.dictionaries(NAMES, st.one_of(SCALARS, st.lists(SCALARS, min_size=1, max_size=4)), max_size=4))
def test_filters_by_field_decode_to_what_was_asked(filters: dict[str, Any]) -> None:
    expected = [
        (f"filter[{name}]", as_text(value))
        for name, values in filters.items()
        for value in (values if isinstance(values, list) else [values])
    ]
    assert received_query(lay_out(LIST, filter=filters)) == expected


@given(st.dictionaries(NAMES, st.dictionaries(NAMES, SCALARS, min_size=1, max_size=3), max_size=3))
def test_filters_by_field_and_operator_decode_to_what_was_asked(filters: dict[str, Any]) -> None:
    expected = [
        (f"filter[{name}][{operator}]", as_text(value))
        for name, condition in filters.items()
        for operator, value in condition.items()
    ]
    assert received_query(lay_out(LIST, filter=filters)) == expected


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters=","), min_size=1), max_size=5))
def test_sort_and_fields_are_joined_by_commas(names: list[str]) -> None:
    query = received_query(lay_out(LIST, sort=names, fields=names))
    assert query == [("sort", ",".join(names)), ("fields", ",".join(names))]


def test_a_comma_list_may_be_given_as_text() -> None:
    assert received_query(lay_out(LIST, fields="id,name")) == [("fields", "id,name")]


@given(st.lists(TEXT, min_size=1, max_size=4))
def test_repeated_parameters_repeat_their_key(items: list[str]) -> None:
    assert received_query(lay_out(LIST, ids=items)) == [("filter[id]", item) for item in items]


@given(TEXT, st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans())
def test_plain_parameters_arrive_unchanged(query: str, limit: int, ratio: float, archived: bool) -> None:
    received = dict(received_query(lay_out(LIST, query=query, limit=limit, ratio=ratio, archived=archived)))
    assert received["query"] == query
    assert int(received["limit"]) == limit
    assert float(received["ratio"]) == ratio
    assert received["archived"] == str(archived).lower()


JSON = st.recursive(
    st.one_of(st.none(), SCALARS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=8,
)


@given(JSON)
def test_any_json_arrives_in_the_body_as_it_is(value: Any) -> None:
    request = sent(lay_out(CREATE, parent_id="p", name="n", anything=value))
    assert json.loads(request.content)["anything"] == value
    assert request.headers["content-type"] == "application/json"


def test_none_is_null_in_a_body_and_nothing_in_a_query() -> None:
    assert lay_out(UPDATE, thing_id="1", name=None).body == {"name": None}
    assert lay_out(LIST, status=None, filter=None, sort=None).query == ()


def test_what_is_omitted_is_not_sent() -> None:
    assert lay_out(UPDATE, thing_id="1", name=UNSET, password=UNSET).body == {}
    assert lay_out(LIST, status=UNSET).query == ()


def test_without_a_body_nothing_is_said_about_one() -> None:
    prepared = lay_out(GET, thing_id="1")
    assert prepared.content is None
    assert "Content-Type" not in prepared.headers
    assert prepared.headers["X-Surface"] == "demo"


def test_a_body_field_that_repeats_a_path_id_is_filled_from_it() -> None:
    assert lay_out(CREATE, parent_id="p1", name="n").body == {"name": "n", "parent": "p1"}
    assert lay_out(CREATE, parent_id="p1", name="n", parent="p2").body == {"name": "n", "parent": "p2"}
    assert lay_out(CREATE, parent_id="p1", name="n", parent=None).body == {"name": "n", "parent": None}


@pytest.mark.parametrize(
    ("path_kind", "field_kind", "given", "sent"),
    [
        *(("integer", "string", 7, "7"), ("integer", "string", "7", "7"), ("string", "integer", "7", 7)),
        *(("integer", "integer", "7", 7), ("integer", "integer", 7, 7), ("string", "string", "7", "7")),
    ],
)
def test_a_field_that_repeats_a_path_id_has_its_own_kind(
    path_kind: str, field_kind: str, given: Any, sent: Any
) -> None:
    kinds = {"parent_id": (path_kind,), "parent": (field_kind,)}
    params = tuple(attrs.evolve(one, kinds=kinds.get(one.arg, one.kinds)) for one in CREATE.params)
    prepared = lay_out(attrs.evolve(CREATE, params=params), parent_id=given, name="n")
    assert prepared.url.endswith("/parents/7/things")
    assert prepared.body == {"name": "n", "parent": sent}


def test_a_path_id_that_is_no_number_is_not_made_one() -> None:
    params = tuple(attrs.evolve(one, kinds=("integer",)) if one.arg == "parent" else one for one in CREATE.params)
    with pytest.raises(TypeError, match="parent must be an integer, not str"):
        lay_out(attrs.evolve(CREATE, params=params), parent_id="x7", name="n")


def test_a_mirrored_parameter_is_sent_in_query_and_body() -> None:
    prepared = lay_out(REPORT, integration_id="i", start_date=date(2026, 11, 1), end_date="2026-11-08")
    same = {"integration_id": "i", "start_date": "2026-11-01", "end_date": "2026-11-08"}
    assert dict(prepared.query) == same
    assert prepared.body == same


def test_paging_replaces_what_goes_by_the_same_name_and_keeps_the_rest() -> None:
    first = lay_out(REPORT, integration_id="i").with_paging({"page[number]": 1}, {"page_number": 1})
    second = first.with_paging({"page[number]": 2}, {"page_number": 2})
    assert second.query == (("integration_id", "i"), ("page[number]", "2"))
    assert second.body == {"integration_id": "i", "page_number": 2}
    assert first.body == {"integration_id": "i", "page_number": 1}
    assert lay_out(GET, thing_id="1").with_paging({"page[size]": 100}).content is None


def test_everything_wrong_is_said_in_one_message() -> None:
    with pytest.raises(TypeError) as caught:
        lay_out(CREATE, parent_id="..", weight="heavy", tags=["a", 1], colour="red", price=math.nan)
    message = str(caught.value)
    assert message.startswith("things.createThing(): ")
    for part in (
        "unexpected argument 'colour'",
        "parent_id must be an id",
        "missing required argument 'name'",
        "weight must be an integer, not str",
        "tags[1] must be a string, not int",
        "price must be a finite number",
    ):
        assert part in message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("weight", True),
        ("weight", 1.5),
        ("weight", "1"),
        ("price", "1.5"),
        ("price", False),
        ("active", 1),
        ("active", "true"),
        ("tags", "a"),
        ("tags", {"a": 1}),
        ("config", [1]),
        ("config", "x"),
        ("old", 1),
        ("tags", {"a"}),
        ("old", b"bytes"),
    ],
)
def test_a_wrong_json_kind_is_a_type_error(name: str, value: Any) -> None:
    with pytest.raises(TypeError, match=name):
        lay_out(CREATE, parent_id="p", name="n", **{name: value})


def test_lengths_ranges_and_enum_values_are_the_servers_to_judge() -> None:
    assert lay_out(CREATE, parent_id="p", name="", weight=-(10**30), tags=[]).body is not None


def test_a_required_argument_that_is_none_or_unset_is_missing() -> None:
    for value in (None, UNSET):
        with pytest.raises(TypeError, match="missing required argument 'name'"):
            lay_out(CREATE, parent_id="p", name=value)


@pytest.mark.parametrize("bad", [[], ["a", ""], ["a", ".."]])
def test_a_bulk_list_that_names_nothing_or_everything_is_a_value_error(bad: list[str]) -> None:
    with pytest.raises(ValueError, match="ids"):
        lay_out(BULK, ids=bad)


def test_a_bulk_list_goes_out_as_given() -> None:
    assert lay_out(BULK, ids=("a", "b")).body == {"data": ["a", "b"]}


@pytest.mark.parametrize(
    "twice",
    [{"status": "x", "filter": {"status": "y"}}, {"ids": ["a"], "filter": {"id": "b"}}],
)
def test_the_same_filter_given_twice_is_a_value_error(twice: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="given twice"):
        lay_out(LIST, **twice)


def test_the_same_field_with_another_operator_is_another_filter() -> None:
    assert len(lay_out(LIST, status="x", filter={"status": {"ne": "y"}}).query) == 2


@pytest.mark.parametrize(
    ("filters", "error"),
    [
        ({"id": []}, ValueError),
        ({"id": {}}, ValueError),
        ({"id": {"in": []}}, ValueError),
        ({"": 1}, ValueError),
        ({"a]": 1}, ValueError),
        ({"a": {"b[": 1}}, ValueError),
        ({1: 1}, TypeError),
        ({"a": {"b": {"c": 1}}}, TypeError),
        ({"a": object()}, TypeError),
        ({"a": [[1]]}, TypeError),
        ({"a": math.inf}, ValueError),
        ({"a": "\ud800"}, ValueError),
        ({"a": datetime(2026, 1, 1)}, ValueError),
    ],
)
def test_a_filter_that_would_select_something_else_is_refused(filters: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="filter"):
        lay_out(LIST, filter=filters)


def test_filters_take_times_and_enums_and_leave_none_out() -> None:
    class Role(enum.Enum):
        ADMIN = "admin"

    moment = datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    filters = {
        "created_at": {"gte": moment, "lt": date(2026, 2, 1)},
        "role": Role.ADMIN,
        "x": None,
        "n": Decimal("1.5"),
    }
    assert lay_out(LIST, filter=filters).query == (
        ("filter[created_at][gte]", "2026-01-01T00:00:00Z"),
        ("filter[created_at][lt]", "2026-02-01"),
        ("filter[role]", "admin"),
        ("filter[n]", "1.5"),
    )


def test_an_empty_repeated_filter_is_refused_but_an_empty_choice_of_columns_is_not() -> None:
    with pytest.raises(ValueError, match="ids"):
        lay_out(LIST, ids=[])
    assert lay_out(LIST, columns=[]).query == ()
    assert lay_out(LIST, columns=["a"]).query == (("columns[]", "a"),)


def test_models_enums_times_and_foreign_numbers_can_be_part_of_a_body() -> None:
    class Weight(enum.IntEnum):
        HEAVY = 3

    class Role(enum.Enum):
        ADMIN = "admin"

    class Number:
        """As numpy's: a number, but neither int nor float."""

        def __int__(self) -> int:
            return 7

    from numbers import Integral

    Integral.register(Number)
    value = {
        "model": User(id="1"),
        "given": {"a": 1, "gone": UNSET},
        "weight": Weight.HEAVY,
        "role": Role.ADMIN,
        "at": datetime(2026, 1, 1, tzinfo=UTC),
        "day": date(2026, 1, 1),
        "money": Decimal("1.25"),
        "n": Number(),
        "list": (1, 2),
    }
    assert to_json(value) == {
        "model": {"id": "1"},
        "given": {"a": 1},
        "weight": 3,
        "role": "admin",
        "at": "2026-01-01T00:00:00Z",
        "day": "2026-01-01",
        "money": 1.25,
        "n": 7,
        "list": [1, 2],
    }


@pytest.mark.parametrize(
    ("value", "error"),
    [({1: 2}, TypeError), ({"a": object()}, TypeError), ([{1}], TypeError), (datetime(2026, 1, 1), ValueError)],
)
def test_what_json_cannot_hold_is_refused(value: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="anything"):
        lay_out(CREATE, parent_id="p", name="n", anything=value)


def test_kinds_are_told_apart() -> None:
    assert [kind_of(value) for value in (None, True, 1, 1.0, "", [], {}, b"")] == [
        "null",
        "boolean",
        "integer",
        "number",
        "string",
        "array",
        "object",
        "bytes",
    ]


def test_start_after_end_is_a_value_error_and_the_same_moment_is_not() -> None:
    with pytest.raises(ValueError, match=r"start_time 2026-11-02 00:00:00 is after end_time 2026-11-01 00:00:00"):
        lay_out(SECONDS, start_time="2026-11-02", end_time="2026-11-01")
    lay_out(SECONDS, start_time="2026-11-01", end_time="2026-11-01")
    with pytest.raises(ValueError, match="is after"):
        lay_out(REPORT, integration_id="i", start_date="2026-11-02", end_date=date(2026, 11, 1))


def test_times_of_a_call_are_converted_to_its_time_zone() -> None:
    noon = datetime(2026, 11, 1, 12, tzinfo=UTC)
    prepared = lay_out(SECONDS, start_time=noon, end_time=noon + timedelta(hours=1), timezone="Asia/Tokyo")
    assert prepared.query == (
        ("start_time", "2026-11-01 21:00:00"),
        ("end_time", "2026-11-01 22:00:00"),
        ("timezone", "Asia/Tokyo"),
    )


def test_times_that_cannot_be_sent_are_said_beside_all_else() -> None:
    with pytest.raises(TypeError) as caught:
        lay_out(SECONDS, start_time="soon", end_time=5, query="x")
    assert "start_time must be written like" in str(caught.value)
    assert "end_time must be a datetime, a date or a string, not int" in str(caught.value)


def test_a_corrected_route_is_used_and_shown() -> None:
    prepared = lay_out(GET, {"getThing": ("POST", "/v3/x/{thingID}/y")}, thing_id="a b")
    assert (prepared.method, prepared.url, prepared.route) == ("POST", f"{BASE}/v3/x/a%20b/y", "/v3/x/{thingID}/y")


def test_deprecated_operations_and_arguments_are_noted_only_when_used() -> None:
    assert lay_out(OLD).deprecations == ("things.old() is deprecated: use getThing",)
    assert lay_out(CREATE, parent_id="p", name="n").deprecations == ()
    used = lay_out(CREATE, parent_id="p", name="n", old="x")
    assert used.deprecations == ("old= of things.createThing() is deprecated: use name=",)


def test_a_deprecated_field_inside_an_argument_is_noted_where_it_is_given() -> None:
    config = Param("config", "config", "body", ("object",), deprecated_inside=((("inner", "old"), "use new"),))
    op = operation("deep", "POST", "/deep", "write", config, has_body=True)
    for value, noted in (
        ({"inner": {"old": 1}}, 1),
        ({"inner": [{"new": 1}, {"old": None}]}, 1),
        ({"inner": {"new": 1}}, 0),
        ({"old": 1}, 0),
        ({"inner": "old"}, 0),
    ):
        texts = lay_out(op, config=value).deprecations
        assert texts == ("config.inner.old of things.deep() is deprecated: use new",) * noted


def test_values_under_secret_names_are_noted_and_never_shown() -> None:
    nested = {"list": [{"guest_token": "tok-2222"}], "password": 5}
    prepared = lay_out(CREATE, parent_id="p", name="n", password="pass-1111", config=nested)
    assert prepared.secrets == ("pass-1111", "tok-2222")
    assert "pass-1111" not in repr(prepared)
    assert "tok-2222" not in repr(prepared)


def test_a_path_in_the_base_url_is_kept() -> None:
    assert urlsplit(lay_out(GET, thing_id="1").url).path == "/base/api/v2/things/1"
