"""Models as Arrow: wire names, the spec's types, and nothing lost."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import httpx
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adsecurity import AsyncNetworkClient, NetworkClient, RetryPolicy, ServerError
from adsecurity.events import PageEvent
from adsecurity.sandbox import Sandbox
from adsecurity.tables.arrow import Columns
from adsecurity.types.adsecurity import Postback
from adsecurity.types.network import ClickReportRow, Offer, User
from adsecurity_generated._model import Field, Model

RANGE = {"integration_id": "integration-1", "start_time": "2026-11-01", "end_time": "2026-11-08"}
MODES = pytest.mark.parametrize("mode", ["sync", "async"])


def table(*rows: Any) -> Any:
    return pa.Table.from_batches([Columns(type(rows[0])).batch(rows)])


def one(row: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A row as its columns give it back, and as its `_extra` does."""
    (columns,) = table(row).to_pylist()
    return columns, json.loads(columns.pop("_extra") or "{}")


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
leaves: dict[str, st.SearchStrategy[Any]] = {
    "string": text,
    "number": st.floats(allow_nan=False, allow_infinity=False),
    "integer": st.integers(-(2**65), 2**65),
    "boolean": st.booleans(),
    "date-time": st.datetimes(datetime(2, 1, 1), datetime(9999, 12, 30)).map(lambda time: time.isoformat() + "Z"),
    "date": st.dates(date(2, 1, 1)).map(date.isoformat),
    "any": st.recursive(st.integers() | text, lambda inner: st.lists(inner, max_size=2), max_leaves=3),
}
unfit = st.sampled_from([{"an": "object"}, [[None]], "\ud800", 2**70, "not a number, a flag or a time"])


def values(field: Field, owner: type[Model], depth: int) -> st.SearchStrategy[Any]:
    if field.kind in leaves:
        return leaves[field.kind]
    if field.kind == "object":
        return rows(owner.nested(field.model), depth - 1) if depth else st.none()
    if field.items is None:
        return st.lists(leaves["any"], max_size=2) if field.kind == "array" else st.just({"a": [1]})
    inner = values(field.items, owner, depth)
    if not depth and field.items.kind == "object":
        inner = st.nothing()
    return st.lists(inner, max_size=2) if field.kind == "array" else st.dictionaries(text, inner, max_size=2)


def rows(model: type[Model], depth: int = 2) -> st.SearchStrategy[dict[str, Any]]:
    """JSON objects for a model, a few of its fields each, some of which do not fit or are not known."""
    fields = [
        st.tuples(st.just(field.wire), st.one_of(values(field, model, depth), st.none(), unfit))
        for field in model.FIELDS
        if depth or field.kind in leaves
    ]
    known = st.lists(st.one_of(*fields), max_size=6).map(dict) if fields else st.just({})
    return st.builds(lambda data, more: {**more, **data}, known, st.dictionaries(st.just("brand_new"), text))


def merged(columns: Any, extra: Any) -> Any:
    """What the columns and `_extra` say together; nulls and empty objects are as good as nothing."""
    if isinstance(columns, dict) or isinstance(extra, dict):
        keys = {**(columns or {}), **(extra or {})}
        data = {key: merged((columns or {}).get(key), (extra or {}).get(key)) for key in keys}
        return {key: value for key, value in data.items() if value not in (None, {})} or None
    if isinstance(columns, list) and isinstance(extra, list):
        return [merged(*pair) for pair in zip(columns, extra, strict=True)]
    if isinstance(columns, list):
        return [merged(item, None) for item in columns]
    return extra if columns is None else columns


def received(data: Any, model: Any, field: Field | None = None) -> Any:
    """What was received, with times as times and open values as the JSON text that their column holds."""
    if isinstance(data, Model):
        extra: dict[str, Any] = getattr(data, "_extra", {})
        told = {f.wire: received(getattr(data, f.attr), type(data), f) for f in data.FIELDS}
        told = {wire: value for wire, value in told.items() if value not in (None, {})}
        return {**told, **{wire: value for wire, value in extra.items() if value not in (None, {})}} or None
    if data is None or field is None:
        return data
    if field.kind == "any" or (field.kind in ("array", "map") and field.items is None):
        text = json.dumps(data, ensure_ascii=False)
        return json.dumps(data) if "\ud800" in text else text
    if field.kind == "array":
        return [received(item, model, field.items) for item in data]
    if field.kind == "map":
        return {key: received(item, model, field.items) for key, item in data.items()} or None
    return data


@pytest.mark.parametrize("model", [ClickReportRow, Offer, Postback])
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_columns_and_extra_together_are_what_was_received(model: type[Model], data: st.DataObject) -> None:
    sent = data.draw(st.lists(rows(model), min_size=1, max_size=3))
    models = [model.from_dict(row) for row in sent]
    for found, expected in zip(table(*models).to_pylist(maps_as_pydicts="strict"), models, strict=True):
        extra = json.loads(found.pop("_extra") or "{}")
        assert merged(found, extra) == received(expected, model)


class Odd(Model):
    """A model with the shapes that the spec has few of, and one that holds itself."""

    FIELDS = (
        Field("name", "the.name", "string"),
        Field("day", "day", "date"),
        Field("free", "free", "any"),
        Field("child", "child", "object", model="Odd"),
        Field("counts", "counts", "map", items=Field("", "", "array", items=Field("", "", "integer"))),
    )
    __slots__ = ("child", "counts", "day", "free", "name")

    def _read(self, d: Any) -> None:
        readers = self.PLAN.readers
        for field in self.FIELDS:
            raw = d[field.wire]
            setattr(self, field.attr, None if raw is None else readers[field.attr][0](raw)[0])


def test_the_types_are_the_specs() -> None:
    schema = Columns(ClickReportRow).schema
    assert schema.field("extra_params.keys").type == pa.list_(pa.string())
    assert schema.field("request_time").type == pa.timestamp("us", "UTC")
    assert schema.field("revenue").type == pa.float64()
    assert schema.field("is_bot").type == pa.int64()
    assert schema.names == [*(field.wire for field in ClickReportRow.FIELDS), "_extra"]
    assert pa.types.is_struct(Columns(Offer).schema.field("default_payout").type)


def test_odd_shapes_have_columns_too() -> None:
    schema = Columns(Odd).schema
    assert schema.field("counts").type == pa.map_(pa.string(), pa.list_(pa.int64()))
    assert schema.field("child").type.field("child").type == pa.string()
    leaf = {"the.name": "leaf", "new": 1}
    columns, extra = one(
        Odd.from_dict(
            {
                "the.name": "top",
                "day": "2026-11-01",
                "free": "12",
                "child": {"the.name": "middle", "child": leaf, "counts": {"b": [2**63, 2]}},
                "counts": {"a": [1]},
            }
        )
    )
    assert (columns["the.name"], columns["day"], columns["counts"]) == ("top", date(2026, 11, 1), [("a", [1])])
    assert json.loads(columns["free"]) == "12"
    assert json.loads(columns["child"].pop("child")) == leaf
    assert columns["child"]["counts"] == [("b", [None, 2])]
    assert extra == {"child": {"counts": {"b": [2**63, None]}}}


def test_what_arrow_cannot_hold_is_in_extra_and_its_neighbours_in_their_places() -> None:
    sent: list[Any] = [1, 2**63, None, -(2**63), -(2**63) - 1]
    found = table(*(ClickReportRow.from_dict({"asn": value, "city": "é"}) for value in sent))
    assert found["asn"].to_pylist() == [1, None, None, -(2**63), None]
    assert found["city"].to_pylist() == ["é"] * 5
    assert [extra and json.loads(extra) for extra in found["_extra"].to_pylist()] == [
        None,
        {"asn": 2**63},
        None,
        None,
        {"asn": -(2**63) - 1},
    ]
    assert one(ClickReportRow.from_dict({"city": "\ud800", "isp": "ü"})) == (
        {**dict.fromkeys(field.wire for field in ClickReportRow.FIELDS), "isp": "ü"},
        {"city": "\ud800"},
    )


def test_empty_times_are_null_and_nothing_extra() -> None:
    for nothing in ("", "0001-01-01T00:00:00Z"):
        columns, extra = one(ClickReportRow.from_dict({"request_time": nothing}))
        assert (columns["request_time"], extra) == (None, {})


def test_clean_rows_stay_without_a_dict_of_their_own() -> None:
    row = ClickReportRow.from_values([None] * len(ClickReportRow.FIELDS))
    table(row)
    assert not hasattr(row, "_extra")


def test_rows_without_a_model_are_kept_whole() -> None:
    (found,) = Columns(None).batch([{"a": [1]}]).to_pylist()
    assert json.loads(found["_extra"]) == {"a": [1]}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rows=450, today="2026-11-08") as running:
        yield running


class Lists:
    """Lists of either client, used as if it blocked."""

    def __init__(self, mode: str, sandbox: Sandbox) -> None:
        self.mode, self.sandbox = mode, sandbox

    def __call__(self, resource: str, method: str, *args: Any, then: Any, pages: int = 0, **options: Any) -> Any:
        """What `then` makes of a list, which fails after so many pages."""

        def watch(event: PageEvent) -> None:
            if event.number == pages:
                self.sandbox.inject(500)

        config: dict[str, Any] = {
            "api_key": self.sandbox.api_key,
            "base_url": self.sandbox.network_url,
            "retry": RetryPolicy(attempts=1),
            "on_page": watch,
        }
        if self.mode == "sync":
            with NetworkClient(**config) as client:
                return then(getattr(getattr(client, resource), method)(*args, **options))

        async def run() -> Any:
            async with AsyncNetworkClient(**config) as client:
                return await then(getattr(getattr(client, resource), method)(*args, **options))

        return asyncio.run(run())


@pytest.fixture(params=["sync", "async"])
def lists(request: pytest.FixtureRequest, sandbox: Sandbox) -> Lists:
    return Lists(request.param, sandbox)


@pytest.fixture
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adsecurity.tables.page_batches.BATCH_ROWS", 150)


@pytest.mark.usefixtures("_small_batches")
@pytest.mark.parametrize("options", [{}, {"concurrency": 3}, {"page_size": 7}], ids=str)
def test_a_table_has_the_rows_of_the_list_in_its_order(lists: Lists, options: dict[str, Any]) -> None:
    expected = lists("reports", "clicks", **RANGE, then=lambda rows: rows.to_list())
    found = lists("reports", "clicks", **RANGE, **options, then=lambda rows: rows.to_arrow())
    assert found.schema == Columns(ClickReportRow).schema
    assert found.num_rows == len(expected) > 400
    assert found.equals(pa.Table.from_batches([Columns(ClickReportRow).batch(expected)]).combine_chunks())


def test_nested_lists_come_as_structs(lists: Lists) -> None:
    offers = lists("offers", "list", "integration-1", then=lambda rows: rows.to_list())
    found = lists("offers", "list", "integration-1", then=lambda rows: rows.to_arrow()).to_pylist()
    assert [row["id"] for row in found] == [offer.id for offer in offers]
    structs = [(row, field) for row in found for field in Offer.FIELDS if isinstance(row[field.wire], dict)]
    assert structs
    users = lists("users", "list", then=lambda rows: rows.to_arrow())
    assert users.schema == Columns(User).schema
    assert users.num_rows == 130


def test_an_empty_list_is_an_empty_table_of_all_columns(lists: Lists) -> None:
    gone = {**RANGE, "start_time": "2020-01-01", "end_time": "2020-01-02"}
    found = lists("reports", "clicks", **gone, then=lambda rows: rows.to_arrow())
    assert (found.num_rows, found.schema) == (0, Columns(ClickReportRow).schema)


async def _abatches(rows: Any, count: int) -> list[Any]:
    found: list[Any] = []
    async for batch in rows.to_arrow_batches():
        found.append(batch)
        if len(found) == count:
            break
    return found


@pytest.mark.usefixtures("_small_batches")
def test_the_checkpoint_after_a_batch_is_the_position_behind_it(lists: Lists) -> None:
    def first(rows: Any) -> Any:
        batch = next(iter(rows.to_arrow_batches()))
        return batch, rows.checkpoint()

    async def afirst(rows: Any) -> Any:
        (batch,) = await _abatches(rows, 1)
        return batch, rows.checkpoint()

    whole = lists("reports", "clicks", **RANGE, then=lambda rows: rows.to_arrow())
    batch, checkpoint = lists("reports", "clicks", **RANGE, then=first if lists.mode == "sync" else afirst)
    rest = lists("reports", "clicks", **RANGE, resume=checkpoint, then=lambda rows: rows.to_arrow())
    assert batch.num_rows == 200
    assert pa.concat_tables([pa.Table.from_batches([batch]), rest]).combine_chunks().equals(whole.combine_chunks())


def test_rows_before_an_error_are_handed_on_before_it(lists: Lists) -> None:
    found: list[Any] = []

    def read(rows: Any) -> None:
        found.extend(rows.to_arrow_batches())

    async def aread(rows: Any) -> None:
        async for batch in rows.to_arrow_batches():
            found.append(batch)

    with pytest.raises(ServerError) as caught:
        lists("reports", "clicks", **RANGE, prefetch=0, pages=2, then=read if lists.mode == "sync" else aread)
    rest = lists("reports", "clicks", **RANGE, resume=caught.value.checkpoint, then=lambda rows: rows.to_arrow())
    whole = lists("reports", "clicks", **RANGE, then=lambda rows: rows.to_arrow())
    assert sum(batch.num_rows for batch in found) == 200
    assert pa.concat_tables([pa.Table.from_batches(found), rest]).combine_chunks().equals(whole.combine_chunks())


def test_a_table_that_was_never_finished_begins_again_where_it_began(lists: Lists) -> None:
    """Its rows are gone: going on behind them would lose them."""
    seen: list[Any] = []

    def keep(rows: Any) -> Any:
        seen.append(rows)
        return rows.to_arrow()

    with pytest.raises(ServerError) as caught:
        lists("reports", "clicks", **RANGE, prefetch=0, pages=2, then=keep)
    assert caught.value.checkpoint == seen[0].checkpoint()
    rest = lists("reports", "clicks", **RANGE, resume=caught.value.checkpoint, then=lambda rows: rows.to_list())
    assert len(rest) == len(lists("reports", "clicks", **RANGE, then=lambda rows: rows.to_list()))


@MODES
def test_without_the_extra_the_error_names_the_pip_command(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("adsecurity.tables.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    transport = httpx.MockTransport(lambda _: pytest.fail("nothing is asked for what cannot be given"))
    made: Any = NetworkClient if mode == "sync" else AsyncNetworkClient
    users = made(api_key="k", base_url="https://api.test", transport=transport).users.list()
    for start in (users.to_arrow, lambda: users.to_parquet("users.parquet")):
        with pytest.raises(ModuleNotFoundError, match=r"pip install 'adsecurity\[parquet\]'"):
            start() if mode == "sync" else asyncio.run(start())
