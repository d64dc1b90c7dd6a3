"""Generated models: each test executes a model that was made of a tiny spec."""

from __future__ import annotations

import copy
import datetime as dt
import pickle
import typing
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.tiny_spec import Package, Spec, obj, operation, path_id, ref, tiny

UTC = dt.UTC
FIELDS: Spec = {
    "id": {"type": "string"},
    "count": {"type": "integer"},
    "price": {"type": "number", "description": "What it costs."},
    "active": {"type": "boolean"},
    "made_at": {"type": "string", "format": "date-time"},
    "day": {"type": "string", "format": "date"},
    "role": ref("Role"),
    "level": {"type": "string", "enum": ["low", "high"]},
    "api_key": {"type": "string", "x-secret": True},
    "tags": {"type": "array", "items": {"type": "string"}},
    "numbers": {"type": "array", "items": {"type": "number"}},
    "times": {"type": "array", "items": {"type": "string", "format": "date-time"}},
    "counts": {"type": "array", "items": {"type": "integer"}},
    "flags": {"type": "array", "items": {"type": "boolean"}},
    "days": {"type": "array", "items": {"type": "string", "format": "date"}},
    "maps": {"type": "array", "items": {"type": "object"}},
    "lists": {"type": "array", "items": {"type": "array", "items": {}}},
    "owner": ref("Owner"),
    "owners": {"type": "array", "items": ref("Owner")},
    "labels": {"type": "object", "additionalProperties": {"type": "string"}},
    "by_name": {"type": "object", "additionalProperties": ref("Owner")},
    "open": {"type": "object"},
    "list": {"type": "array", "items": {}},
    "anything": {},
    "described": {"allOf": [ref("Owner")], "description": "The one who pays."},
    "extra_params.keys": {"type": "array", "items": {"type": "string"}},
    "type": {"type": "string"},
    "class": {"type": "string"},
    "page[size]": {"type": "integer", "readOnly": True},
}


@pytest.fixture(scope="module")
def package(make_package: Callable[[Spec], Package]) -> Package:
    get = operation("getThing", "things.get", "one", ref("Thing"), parameters=[path_id("thingID")])
    schemas = {
        "Thing": obj(FIELDS, description="Something."),
        "Owner": obj(
            {"name": {"type": "string"}, "thing": ref("Thing"), "token": {"type": "string", "x-secret": True}}
        ),
        "Role": {"type": "string", "enum": ["admin", "accountManager"]},
        "Empty": obj(),
        "Aged": obj(
            {"old": {"type": "string", "deprecated": True, "x-replacement": "use `new`"}, "new": {"type": "string"}}
        ),
    }
    return make_package(tiny({"/things/{thingID}": {"get": get}}, schemas))


@pytest.fixture(scope="module")
def thing(package: Package) -> Any:
    return package.models.Thing


def full() -> dict[str, Any]:
    return {
        "id": "1",
        "count": 2,
        "price": 1.5,
        "active": True,
        "made_at": "2026-11-01T10:00:00Z",
        "day": "2026-11-01",
        "role": "admin",
        "level": "low",
        "api_key": "k",
        "tags": ["a"],
        "numbers": [1.5],
        "times": ["2026-11-01T10:00:00Z"],
        "counts": [1],
        "flags": [True],
        "days": ["2026-11-01"],
        "maps": [{}],
        "lists": [[1]],
        "owner": {"name": "O", "thing": None, "token": None},
        "owners": [{"name": "P"}],
        "labels": {"x": "y"},
        "by_name": {"q": {"name": "Q"}},
        "open": {"z": [1]},
        "list": [1, "a"],
        "anything": {"deep": 1},
        "described": {"name": "R"},
        "extra_params.keys": ["k"],
        "type": "t",
        "class": "c",
        "page[size]": 3,
    }


def test_every_kind_of_field_is_read_as_its_python_type(thing: Any, package: Package) -> None:
    it = thing.from_dict(full())
    assert (it.id, it.count, it.price, it.active) == ("1", 2, 1.5, True)
    assert it.made_at == dt.datetime(2026, 11, 1, 10, tzinfo=UTC)
    assert it.day == dt.date(2026, 11, 1)
    assert type(it.owner) is package.models.Owner
    assert [owner.name for owner in it.owners] == ["P"]
    assert it.by_name["q"].name == "Q"
    assert it.described.name == "R"
    assert (it.labels, it.open, it.list_, it.anything) == ({"x": "y"}, {"z": [1]}, [1, "a"], {"deep": 1})
    assert it.times == [dt.datetime(2026, 11, 1, 10, tzinfo=UTC)]
    assert it.extra_params_keys == ["k"]
    assert it.additional_properties == {}
    assert it.fields_set == {field.attr for field in thing.FIELDS}


def test_wire_names_become_python_names(thing: Any) -> None:
    names = {field.wire: field.attr for field in thing.FIELDS}
    assert names["extra_params.keys"] == "extra_params_keys"
    assert names["page[size]"] == "page_size"
    assert names["type"] == "type"
    assert names["class"] == "class_"
    assert names["list"] == "list_"


def test_models_are_attrs_classes_with_slots_whose_annotations_resolve(thing: Any, package: Package) -> None:
    assert attrs.has(thing)
    assert not hasattr(thing.from_dict({}), "__dict__")
    hints = typing.get_type_hints(thing)
    assert hints["price"] == float | None
    assert hints["owners"] == list[package.models.Owner] | None
    assert hints["role"] == str | None
    assert hints["made_at"] == dt.datetime | None
    assert [field.name for field in attrs.fields(thing)] == [field.attr for field in thing.FIELDS]


def test_what_did_not_come_reads_none_and_is_told_apart_from_null(thing: Any) -> None:
    it = thing.from_dict({"id": None, "tags": None})
    assert (it.id, it.tags, it.owner, it.price) == (None, None, None, None)
    assert it.fields_set == {"id", "tags"}
    assert it.to_dict() == {"id": None, "tags": None}


def test_a_value_that_does_not_fit_harms_its_own_field_alone(thing: Any) -> None:
    odd = {
        "id": 7,
        "count": 1.5,
        "price": "cheap",
        "active": "maybe",
        "made_at": "soon",
        "day": 3,
        "tags": ["a", 1],
        "owner": [],
        "owners": [{"name": "P"}, None],
        "labels": {"x": 1},
        "by_name": {"q": 1},
        "open": [],
        "list": {},
        "level": None,
        "described": {"name": "R"},
    }
    it = thing.from_dict(odd)
    unfit = {key: value for key, value in odd.items() if key not in ("level", "described")}
    assert it.additional_properties == unfit
    for field in thing.FIELDS:
        if field.wire in unfit:
            assert getattr(it, field.attr) is None
    assert it.described.name == "R"
    assert it.to_dict() == odd


def test_items_of_lists_are_read_one_by_one(thing: Any) -> None:
    data = {
        "numbers": [1, "2", 2.5],
        "counts": [1, "2", 3.0],
        "flags": [True, 0, "true"],
        "times": ["2026-11-01T10:00:00Z", "2026-11-01"],
        "days": ["2026-11-01", "20261102"],
        "maps": [{}, {"a": 1}],
        "lists": [[], [1]],
        "tags": [],
        "by_name": {"a": {"name": "A"}},
    }
    it = thing.from_dict(data)
    assert it.numbers == [1.0, 2.0, 2.5]
    assert {type(number) for number in it.numbers} == {float}
    assert (it.counts, it.flags) == ([1, 2, 3], [True, False, True])
    assert [time.hour for time in it.times] == [10, 0]
    assert it.days == [dt.date(2026, 11, 1), dt.date(2026, 11, 2)]
    assert (it.maps, it.lists, it.tags) == ([{}, {"a": 1}], [[], [1]], [])
    assert it.additional_properties == {}
    assert it.to_dict() == data
    assert _kinds(it.to_dict()) == _kinds(data)


@pytest.mark.parametrize("name", ["numbers", "counts", "flags", "times", "days", "maps", "lists", "tags", "owners"])
@pytest.mark.parametrize("bad", [None, object, {"a": 1}, "text"])
def test_a_list_with_one_item_that_does_not_fit_does_not_fit(thing: Any, name: str, bad: Any) -> None:
    if (name, bad) in (("tags", "text"), ("maps", {"a": 1}), ("owners", {"a": 1})):
        return
    data = {name: [*full()[name], 7.5 if bad is object and name != "numbers" else bad]}
    it = thing.from_dict(data)
    assert getattr(it, name) is None
    assert it.additional_properties == data


def test_unknown_fields_are_kept(thing: Any) -> None:
    for given_ in ({"id": "1", "new": {"a": 1}}, {**full(), "new": {"a": 1}}):
        it = thing.from_dict(given_)
        assert it.additional_properties == {"new": {"a": 1}}
        assert it.to_dict() == given_


def test_as_many_fields_as_known_but_not_the_same_ones(thing: Any) -> None:
    data = {**full(), "new": 1}
    del data["class"]
    it = thing.from_dict(data)
    assert it.class_ is None
    assert it.additional_properties == {"new": 1}
    assert it.to_dict() == data
    assert "class_" not in it.fields_set


def test_numbers_are_always_floats(thing: Any) -> None:
    for raw, value in ((0, 0.0), (3, 3.0), ("12", 12.0), ("1.5", 1.5), ("-1e3", -1000.0), (2**60, 2.0**60)):
        it = thing.from_dict({"price": raw})
        assert type(it.price) is float
        assert it.price == value
        assert it.to_dict() == {"price": raw}


@pytest.mark.parametrize("raw", ["", "1_000", " 1", "nan", "inf", "1e999", "0x1", "9" * 500, True, [], 10**400])
def test_what_is_no_number_does_not_fit_one(thing: Any, raw: Any) -> None:
    it = thing.from_dict({"price": raw, "count": raw if type(raw) is not int else None})
    assert it.price is None
    assert it.count is None
    assert it.to_dict()["price"] == raw


def test_a_number_that_a_float_cannot_hold_is_given_back_exactly(thing: Any) -> None:
    assert thing.from_dict({"price": 2**53 + 1}).to_dict() == {"price": 2**53 + 1}
    assert thing.from_dict({**full(), "price": 2**53 + 1}).to_dict() == {**full(), "price": 2**53 + 1}


@pytest.mark.parametrize(
    ("raw", "value"), [("12", 12), (12.0, 12), ("12.0", 12), ("1e3", 1000), ("-7", -7), ("9" * 30, int("9" * 30))]
)
def test_integers_are_read_out_of_whole_numbers_and_texts(thing: Any, raw: Any, value: int) -> None:
    it = thing.from_dict({"count": raw})
    assert it.count == value
    assert type(it.count) is int
    assert it.to_dict() == {"count": raw}


@pytest.mark.parametrize("raw", ["1.5", 1.5, True, "1e300", "x"])
def test_what_is_not_whole_is_no_integer(thing: Any, raw: Any) -> None:
    assert thing.from_dict({"count": raw}).count is None


@pytest.mark.parametrize(("raw", "value"), [(0, False), (1, True), ("true", True), ("FALSE", False), ("1", True)])
def test_booleans_are_read_out_of_flags(thing: Any, raw: Any, value: bool) -> None:
    it = thing.from_dict({"active": raw})
    assert it.active is value
    assert it.to_dict()["active"] is raw


@pytest.mark.parametrize("raw", [2, 1.0, "yes", [], None])
def test_other_values_are_no_booleans(thing: Any, raw: Any) -> None:
    assert thing.from_dict({"active": raw}).active is None


TIMES = {
    "2026-11-01T10:00:00Z": (10, 0, 0),
    "2026-11-01T12:00:00+02:00": (10, 0, 0),
    "2026-11-01 10:00:00": (10, 0, 0),
    "2026-11-01T10:00:00.5Z": (10, 0, 500000),
    "2026-11-01T10:00:00.123456789Z": (10, 0, 123456),
    "2026-11-01 10:00:00 UTC": (10, 0, 0),
    "2026-W44-7T10:00:00Z": (10, 0, 0),
    "20261101T100000.000Z": (10, 0, 0),
    "Sun, 01 Nov 2026 10:00:00 GMT": (10, 0, 0),
    "2026-11-01": (0, 0, 0),
}


@pytest.mark.parametrize("raw", TIMES)
def test_times_are_aware_and_in_utc_however_they_are_written(thing: Any, raw: str) -> None:
    hour, minute, micro = TIMES[raw]
    it = thing.from_dict({"made_at": raw})
    assert it.made_at == dt.datetime(2026, 11, 1, hour, minute, 0, micro, tzinfo=UTC)
    assert it.made_at.tzinfo is UTC
    assert it.to_dict() == {"made_at": raw}


@pytest.mark.parametrize("raw", ["", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+02:00", "0000-00-00 00:00:00"])
def test_an_empty_or_zero_time_is_none_and_given_back(thing: Any, raw: str) -> None:
    it = thing.from_dict({"made_at": raw, "day": raw, "id": "1"})
    assert it.made_at is None
    assert it.day is None
    assert it.additional_properties == {}
    assert it.to_dict() == {"made_at": raw, "day": raw, "id": "1"}


@pytest.mark.parametrize(
    "raw",
    [
        "soon",
        "12",
        "10:00",
        "2026-11",
        "November 2026",
        "10:00:00 UTC",
        "2026-13-45T00:00:00Z",
        "9999-12-31T23:59:59-05:00",
        "x" * 20,
        "2026-11-01 10:00 XYZ",
        5,
        [],
        {},
    ],
)
def test_what_is_no_point_in_time_does_not_fit_one(thing: Any, raw: Any) -> None:
    it = thing.from_dict({"made_at": raw})
    assert it.made_at is None
    assert it.additional_properties == {"made_at": raw}


def test_a_point_in_time_is_a_date_by_its_day_in_utc(thing: Any) -> None:
    it = thing.from_dict({"day": "2026-11-01T23:30:00-02:00"})
    assert it.day == dt.date(2026, 11, 2)
    assert it.to_dict() == {"day": "2026-11-01T23:30:00-02:00"}
    assert thing.from_dict({"day": "2026-11-01T10:00:00Z"}).to_dict() == {"day": "2026-11-01T10:00:00Z"}
    assert thing.from_dict({"day": "20261101"}).to_dict() == {"day": "20261101"}


def test_an_unknown_enum_value_is_kept_as_it_is(thing: Any) -> None:
    it = thing.from_dict({"role": "emperor", "level": "middle"})
    assert (it.role, it.level) == ("emperor", "middle")


def test_known_enum_values_stand_in_an_alias(package: Package) -> None:
    assert typing.get_args(package.models.Role) == ("admin", "accountManager")


def test_only_what_is_given_is_sent_and_none_is_null(thing: Any, package: Package) -> None:
    assert thing(price=10).to_dict() == {"price": 10}
    assert thing(price=None).to_dict() == {"price": None}
    assert thing().to_dict() == {}
    when = dt.datetime(2026, 11, 1, 12, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    sent = thing(made_at=when, day=dt.date(2026, 11, 1), owner={"name": "O"}, owners=[package.models.Owner(name="P")])
    assert sent.to_dict() == {
        "made_at": "2026-11-01T10:00:00Z",
        "day": "2026-11-01",
        "owner": {"name": "O"},
        "owners": [{"name": "P"}],
    }
    assert sent.owner.name == "O"
    assert thing(made_at=dt.datetime(2026, 11, 1, 10)).to_dict() == {"made_at": "2026-11-01T10:00:00Z"}
    assert thing(labels={"when": when}, tags=("a", "b")).to_dict() == {
        "labels": {"when": "2026-11-01T10:00:00Z"},
        "tags": ["a", "b"],
    }
    assert sent.fields_set == {"made_at", "day", "owner", "owners"}


def test_a_typo_in_a_keyword_is_refused(thing: Any) -> None:
    with pytest.raises(TypeError, match="prise"):
        thing(prise=10)


def test_a_changed_attribute_is_what_is_sent(thing: Any) -> None:
    it = thing.from_dict({"price": "12", "made_at": "", "id": "1"})
    it.price = 13.0
    it.made_at = dt.datetime(2026, 11, 1, tzinfo=UTC)
    it.count = 5
    it.id = None
    assert it.to_dict() == {"price": 13.0, "made_at": "2026-11-01T00:00:00Z", "count": 5, "id": None}
    assert it.fields_set == {"price", "made_at", "id", "count"}


def test_secrets_never_show_in_a_repr(thing: Any) -> None:
    it = thing.from_dict({"api_key": "planted", "id": "1", "owner": {"token": "planted"}})
    assert repr(it) == "Thing(id='1', api_key='***', owner=Owner(token='***'))"
    unfit = thing.from_dict({"api_key": ["planted"], "new": 1})
    assert repr(unfit) == "Thing(api_key=None, additional_properties={'api_key': '***', 'new': 1})"
    assert "planted" not in repr(thing(api_key="planted"))


def test_models_can_be_pickled_copied_and_compared(thing: Any, package: Package) -> None:
    it = thing.from_dict({**full(), "new": 1, "price": "12"})
    for twin in (
        pickle.loads(pickle.dumps(it)),
        copy.deepcopy(it),
        thing.from_dict({**full(), "new": 1, "price": "12"}),
    ):
        assert twin == it
        assert twin.to_dict() == it.to_dict()
        assert twin.fields_set == it.fields_set
    assert it != thing.from_dict(full())
    assert it != package.models.Owner()
    assert it != 1
    with pytest.raises(TypeError, match="unhashable"):
        hash(it)


def test_models_may_hold_each_other(thing: Any, package: Package) -> None:
    data = {"owner": {"thing": {"owner": {"name": "deep"}}}}
    assert thing.from_dict(data).owner.thing.owner.name == "deep"
    assert package.models.Owner.nested("Thing") is thing


def test_values_by_position_fill_all_fields(thing: Any) -> None:
    it = thing.from_values(range(len(thing.FIELDS)))
    assert [getattr(it, field.attr) for field in thing.FIELDS] == list(range(len(thing.FIELDS)))
    with pytest.raises(ValueError, match="unpack"):
        thing.from_values([1])


def test_a_schema_without_properties_is_a_model_without_fields(package: Package) -> None:
    empty = package.models.Empty
    assert empty.from_dict({"a": 1}).to_dict() == {"a": 1}
    assert empty().to_dict() == {}
    assert empty.from_values([]).fields_set == frozenset()


def test_the_base_of_all_models_has_no_fields_to_fill(package: Package) -> None:
    base = package.load("_model").Model
    with pytest.raises(NotImplementedError):
        base.from_dict({})
    with pytest.raises(NotImplementedError):
        base.from_values([])


def test_a_subclass_with_fields_of_its_own_reads_by_its_own_plan(package: Package) -> None:
    row, field = package.models.Empty, package.load("_model").Field("extra", "extra", "string")
    assert row.from_dict({"extra": "x"}).fields_set == frozenset()

    class More(row):  # type: ignore[misc]
        FIELDS = (*row.FIELDS, field)

    assert More.from_dict({"extra": "x"}).fields_set == {"extra"}
    assert row.from_dict({"extra": "x"}).fields_set == frozenset()


def test_sets_of_keys_are_remembered_within_bounds(thing: Any, package: Package) -> None:
    bound = package.load("_plan")._MAX_REMEMBERED
    for number in range(bound + 5):
        assert thing.from_dict({f"new{number}": 1}).fields_set == frozenset()
    assert len(thing.PLAN._attributes_of) <= bound


def test_docstrings_say_what_the_spec_says(thing: Any) -> None:
    assert thing.__doc__.startswith("Something.")
    for words in ("price: What it costs.", "described: The one who pays.", "Known values: `Role`.", "In UTC.", "'***'"):
        assert words in thing.__doc__
    assert "Known values: `low`, `high`." in thing.__doc__
    assert "Only in responses." in thing.__doc__


def test_a_deprecated_field_warns_whoever_uses_it_and_nobody_else(package: Package) -> None:
    aged = package.models.Aged
    assert "Deprecated: use `new`." in aged.__doc__
    it = aged.from_dict({"old": "o", "new": "n"})
    for twin in (pickle.loads(pickle.dumps(it)), copy.deepcopy(it)):
        assert twin == it
        assert twin.to_dict() == {"old": "o", "new": "n"}
    assert "old='o'" in repr(it)
    assert it.new == "n"
    with pytest.warns(DeprecationWarning, match="Aged.old is deprecated: use `new`") as caught:
        assert it.old == "o"
    assert caught[0].filename == __file__
    with pytest.warns(DeprecationWarning, match="use `new`"):
        it.old = "p"
    assert it.to_dict() == {"old": "p", "new": "n"}


def test_models_are_imported_one_by_one_when_asked_for(make_package: Callable[[Spec], Package]) -> None:
    schemas = {"Thing": obj({"id": {"type": "string"}}), "Other": obj({"id": {"type": "string"}})}
    get = operation("getThing", "things.get", "one", ref("Thing"), parameters=[path_id("thingID")])
    package = make_package(tiny({"/things/{thingID}": {"get": get}}, schemas))
    models = package.models
    assert not [name for name in _loaded(package) if name.startswith("tiny.models.")]
    assert models.Thing.__name__ == "Thing"
    assert vars(models)["Thing"] is models.Thing
    assert [name for name in _loaded(package) if name.startswith("tiny.models.")] == ["tiny.models.thing"]
    assert {"Thing", "Other"} <= set(dir(models))
    assert sorted(models.__all__) == ["Other", "Thing"]
    with pytest.raises(AttributeError, match="Nothing"):
        _ = models.Nothing


def _loaded(package: Package) -> list[str]:
    import sys

    head = f"{package.name}."
    return sorted(name.removeprefix(head) for name in sys.modules if name.startswith(head))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
    | st.sampled_from([*TIMES, "", "12", "1.5", "true"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*FIELDS, "name", "token", "new"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.dictionaries(st.sampled_from([*FIELDS, "new", "newer"]), JSON, max_size=6), complete=st.booleans())
def test_whatever_is_received_is_given_back(package: Package, data: dict[str, Any], complete: bool) -> None:
    data = {**full(), **data} if complete else data
    it = package.models.Thing.from_dict(data)
    back = it.to_dict()
    assert back == data
    assert repr(back) == repr(data) or _kinds(back) == _kinds(data)
    assert type(it).from_dict(back) == it
    assert pickle.loads(pickle.dumps(it)) == it


def _kinds(value: Any) -> Any:
    """The JSON kinds in a value, integers and floats alike: equality alone would take True for 1."""
    if isinstance(value, dict):
        return {key: _kinds(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_kinds(item) for item in value]
    return "number" if type(value) in (int, float) else type(value)
