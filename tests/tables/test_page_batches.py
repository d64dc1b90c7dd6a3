"""Pages whose rows stay JSON: the tables are those of the way by models, to the cell, whatever the server sends."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

import attrs
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adsecurity import AdsecurityError, NetworkClient, RequestFailedError, ResponseDecodeError
from adsecurity.codec.failure import CallContext
from adsecurity.codec.response import decode_page
from adsecurity.paging.page import fingerprint
from adsecurity.tables import json_columns
from adsecurity.tables.arrow import Columns
from adsecurity.tables.page_batches import Batch, ConversionThread, PageConverter, reading
from adsecurity.tables.raw_pages import RawRow, decode_raw_page
from adsecurity_generated._model import Field, Model
from adsecurity_generated._operation import Operation
from adsecurity_generated.network.surface import SURFACE
from tests.support.fork import forked, in_child

CLICKS: Operation[Any] = SURFACE.operation("listClickReport")


class Inner(Model):
    """A nested model with a time and a list."""

    FIELDS = (
        Field("day", "day", "date"),
        Field("rate", "rate", "number"),
        Field("marks", "marks", "array", items=Field("", "", "integer")),
    )
    __slots__ = ("day", "marks", "rate")

    def _read(self, d: Any) -> None:
        for field in self.FIELDS:
            raw = d[field.wire]
            setattr(self, field.attr, None if raw is None else self._convert(field.attr, raw))

    def _assign(self, values: Sequence[Any]) -> None:
        for field, value in zip(self.FIELDS, values, strict=True):
            setattr(self, field.attr, value)


class Wide(Inner):
    """A field of every kind that stays JSON on its way into a table."""

    FIELDS = (
        Field("id", "id", "string"),
        Field("number", "the.number", "number"),
        Field("count", "count", "integer"),
        Field("flag", "flag", "boolean"),
        Field("at", "at", "date-time"),
        Field("day", "day", "date"),
        Field("tags", "tags", "array", items=Field("", "", "string")),
        Field("inner", "inner", "object", model="Inner"),
        Field("inners", "inners", "array", items=Field("", "", "object", model="Inner")),
    )
    __slots__ = ("at", "count", "flag", "id", "inner", "inners", "number", "tags")


WIDE: Operation[Any] = attrs.evolve(CLICKS, model=Wide, range=None, kind="pages")


def call(op: Operation[Any]) -> CallContext:
    with NetworkClient(api_key="k", base_url="https://api.test") as client:
        session = client._session
        made = session.prepare(CLICKS, {"integration_id": "i", "start_time": "2026-11-01", "end_time": "2026-11-02"})
        return session.call(attrs.evolve(made, op=op))


CALLS = {op.kind: call(op) for op in (CLICKS, WIDE)}


def answer(content: bytes) -> httpx.Response:
    return httpx.Response(200, content=content)


@attrs.frozen
class Page:
    items: Sequence[Any]


STRINGS = ['""', '"a"', '"\\u00e9"', '"é"', '"\\ud83d\\ude00"', '"\\ud800"', '"\\udc00"', '"\\u0000"', '"a\\nb"']
STRINGS += ['"12"', '"\udcff"']
NUMBERS = ["0", "-0", "-0.0", "0.0", "1", "-1.5", "1e5", "1E-3", "1e400", "1e-400", "9007199254740993", "12.0", "12.5"]
NUMBERS += ["9223372036854775807", "9223372036854775808", "-9223372036854775809", str(2**70), "9" * 400, "NaN", "01"]
TIMES = ["2026-11-01T10:20:30Z", "2026-11-01T10:20:30.5Z", "2026-11-01T10:20:30.123456789Z", "2026-11-01 10:20:30"]
TIMES += ["2026-11-01T10:20:30+05:30", "2026-11-01T10:20:30+0530", "2026-11-01", "2026-11-01T10:20Z", "20261101", ""]
TIMES += ["0001-01-01T00:00:00Z", "0001-01-01T00:00:01Z", "0001-12-31T23:00:00-05:00", "0000-01-01T00:00:00Z"]
TIMES += ["9999-12-31T23:00:00-05:00", "10000-01-01T00:00:00Z", "0000-00-00", "2026-02-30", "2026-13-01T00:00:00Z"]
TIMES += ["Nov 1 2026 10:20 UTC", "2026-W01-1", "2026-11-01T24:00:00Z", "2026-11-01T10:20:30+24:00", "x"]
ODD = ["null", "true", "false", "[]", "{}", "[null]", '[["a"]]', '{"an": 1}', '"true"', '"1"', "1", '"x"']
LISTS = ['["a"]', '["a", "b"]', "[1]", '["a", null]', '["\\ud800"]', "[-0]"]
RIGHT: dict[str, list[str]] = {
    "string": STRINGS,
    "number": NUMBERS,
    "integer": NUMBERS,
    "boolean": ["true", "false", "0", "1"],
    "date-time": [f'"{time}"' for time in TIMES],
    "date": [f'"{time}"' for time in TIMES],
    "array": LISTS,
}


def tokens(field: Field, owner: type[Model]) -> st.SearchStrategy[str]:
    if field.kind == "object":
        return st.one_of(objects(owner.nested(field.model), 2), st.sampled_from(ODD))
    if field.items is not None and field.items.kind == "object":
        inner = st.lists(objects(owner.nested(field.items.model), 2), max_size=2)
        return st.one_of(inner.map(lambda found: f"[{','.join(found)}]"), st.sampled_from(ODD))
    return st.one_of(st.sampled_from(RIGHT[field.kind]), st.sampled_from(ODD))


@st.composite
def objects(draw: st.DrawFn, model: type[Model], most: int = 5) -> str:
    """A JSON object as text; now and then a key comes twice, or is not known."""
    fields = draw(st.lists(st.sampled_from(model.FIELDS), max_size=most))
    pairs = [(field.wire, draw(tokens(field, model))) for field in fields]
    if draw(st.integers(0, 9)) == 0:
        pairs.append((draw(st.sampled_from(["brand_new", "", "ID"])), draw(st.sampled_from(ODD))))
    space = draw(st.sampled_from(["", " ", "\n"]))
    return "{" + ",".join(f"{json.dumps(name)}:{space}{text}" for name, text in pairs) + "}"


CLEAN = {"string": ['"a"', '""', "null"], "number": ["1", "-2.5"], "integer": ["7", "-7"], "boolean": ["true", "null"]}
CLEAN |= {"date-time": [f'"{TIMES[0]}"', "null"], "date": ['"2026-11-01"', "null"], "array": ['["a"]', "[]", "null"]}


@st.composite
def almost_clean(draw: st.DrawFn, model: type[Model]) -> str:
    """A JSON object as text, in which one value may be odd."""
    texts = {
        field.wire: draw(st.sampled_from(CLEAN[field.kind]))
        for field in draw(st.lists(st.sampled_from(model.FIELDS), max_size=4))
        if field.kind in CLEAN and (field.items is None or field.items.kind == "string")
    }
    odd = draw(st.sampled_from([None, *model.FIELDS]))
    if odd is not None and odd.kind == "object":
        texts[odd.wire] = draw(almost_clean(model.nested(odd.model)))
    elif odd is not None and odd.items is not None and odd.items.kind == "object":
        texts[odd.wire] = f"[{draw(almost_clean(model.nested(odd.items.model)))}]"
    elif odd is not None:
        texts[odd.wire] = draw(st.sampled_from(RIGHT[odd.kind]))
    return "{" + ",".join(f"{json.dumps(name)}:{text}" for name, text in texts.items()) + "}"


@st.composite
def page_texts(draw: st.DrawFn, op: Operation[Any]) -> bytes:
    model: Any = op.model
    row = almost_clean(model) if draw(st.booleans()) else st.one_of(objects(model), st.sampled_from(["{}", "null"]))
    rows = ",".join(draw(st.lists(row, min_size=1, max_size=3)))
    body = f'{{"data": [{rows}]}}' if op.kind == "pages" else f'{{"data": {{"count": 3, "data": [{rows}]}}, "more": 1}}'
    # One text is a byte that is no text.
    return body.encode("utf-8", "surrogateescape")


def by_models(op: Operation[Any], contents: Sequence[bytes]) -> tuple[Any, type[Exception] | None]:
    rows: list[Any] = []
    error: type[Exception] | None = None
    for content in contents:
        try:
            rows += decode_page(CALLS[op.kind], answer(content)).items
        except ResponseDecodeError as caught:
            error = type(caught)
            break
    return (Columns(op.model).batch(rows) if rows else None), error


def by_raw_pages(op: Operation[Any], contents: Sequence[bytes]) -> tuple[Any, type[Exception] | None]:
    pages: list[Page] = []
    error: type[Exception] | None = None
    for content in contents:
        try:
            pages.append(Page(decode_raw_page(CALLS[op.kind], answer(content)).items))
        except ResponseDecodeError as caught:
            error = type(caught)
            break
    if not pages:
        return None, error
    made = PageConverter(op.model).convert(pages)
    return made.rows, type(made.error) if made.error else error


def same_cells(found: Any, expected: Any) -> bool:
    """Also where equals() does not tell them apart: -0.0 from 0.0; and NaN is NaN."""
    return found is expected is None or (
        found.schema == expected.schema and repr(found.to_pylist()) == repr(expected.to_pylist())
    )


@pytest.mark.parametrize("op", [CLICKS, WIDE], ids=["clicks", "wide"])
@settings(max_examples=400)
@given(data=st.data())
def test_a_table_is_the_same_as_by_models_to_the_cell(op: Operation[Any], data: st.DataObject) -> None:
    contents = data.draw(st.lists(page_texts(op), min_size=1, max_size=3))
    found, expected = by_raw_pages(op, contents), by_models(op, contents)
    assert found[1] is expected[1]
    assert same_cells(found[0], expected[0])
    if found[0] is not None:
        found[0].validate(full=True)


def wide(*rows: str) -> bytes:
    return f'{{"data": [{",".join(rows)}]}}'.encode()


@pytest.mark.parametrize(
    ("row", "lost"),
    [
        ('{"id": "a", "tags": ["a", null]}', {"tags": ["a", None]}),
        ('{"id": "a", "at": "0001-01-01T00:00:01Z"}', None),
        ('{"id": "a", "the.number": -0}', None),
        (f'{{"id": "a", "count": {2**70}}}', {"count": 2**70}),
        ('{"id": "a", "day": "never"}', {"day": "never"}),
        ('{"id": "b", "id": "a"}', None),
        ('{"id": "a", "brand_new": [1]}', {"brand_new": [1]}),
        ('{"id": "a", "inner": {"new": 1}}', {"inner": {"new": 1}}),
    ],
)
def test_a_dirty_value_costs_its_own_cell_alone(row: str, lost: Any) -> None:
    contents = [wide('{"id": "x", "count": 1}'), wide('{"id": "y", "count": 2}', row), wide('{"id": "z"}')]
    found, error = by_raw_pages(WIDE, contents)
    assert error is None
    assert found["id"].to_pylist() == ["x", "y", "a", "z"]
    assert found["count"].to_pylist() == [1, 2, None, None]
    assert [text and json.loads(text) for text in found["_extra"].to_pylist()] == [None, None, lost, None]
    assert same_cells(found, by_models(WIDE, contents)[0])


def pages(op: Operation[Any], *contents: bytes) -> list[Page]:
    return [Page(decode_raw_page(CALLS[op.kind], answer(content)).items) for content in contents]


def test_clean_pages_never_become_models(monkeypatch: pytest.MonkeyPatch) -> None:
    made = pages(WIDE, wide('{"id": "a", "at": "2026-11-01T10:20:30Z"}'), wide('{"id": "b", "inner": {"rate": 1}}'))
    assert [(row.id, type(row).__mro__[1]) for page in made for row in page.items] == [("a", RawRow), ("b", RawRow)]
    monkeypatch.setattr(Wide, "from_dict", lambda _: pytest.fail("a model was made"))
    monkeypatch.setattr(Wide, "_assign", lambda *_: pytest.fail("a model was made"))
    assert PageConverter(Wide).convert(made).rows["id"].to_pylist() == ["a", "b"]


def test_of_a_page_the_rows_that_are_wanted_are_taken() -> None:
    """As of a window, and of a page that a list is resumed in."""
    first, second = pages(WIDE, wide('{"id": "a"}', '{"id": "b"}'), wide('{"id": "c"}', '{"id": "d"}', '{"day": "x"}'))
    for chosen in (second, Page(second.items[:2])):
        made = PageConverter(Wide).convert([Page(first.items[1:]), Page([chosen.items[1], chosen.items[0]])])
        assert made.rows["id"].to_pylist() == ["b", "d", "c"]


def test_a_row_is_what_its_model_is_where_paging_looks_closer() -> None:
    (page,) = pages(WIDE, wide('{"id": "a", "count": "3"}', '{"id": "b"}'))
    (model, _) = decode_page(CALLS["pages"], answer(wide('{"id": "a", "count": "3"}', '{"id": "b"}'))).items
    row, other = page.items
    assert (row.count, row.to_dict(), row == row, row == other, row == "a") == (3, model.to_dict(), True, False, False)
    with pytest.raises(AttributeError):
        row.no_such_field  # noqa: B018


def test_a_page_that_cannot_be_read_is_an_error_behind_the_rows_before_it() -> None:
    broken = b'{"data": [{"id": "b", "new": "\xff"}]}'
    made = PageConverter(Wide).convert(pages(WIDE, wide('{"id": "a"}'), broken, wide('{"id": "c"}')))
    assert made.rows["id"].to_pylist() == ["a"]
    assert isinstance(made.error, ResponseDecodeError)


def test_a_server_that_always_sends_something_new_is_not_tried_with_every_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[int] = []
    batch = json_columns.JsonColumns.batch
    monkeypatch.setattr(json_columns.JsonColumns, "batch", lambda self, *args: (tried.append(1), batch(self, *args))[1])
    converter = PageConverter(Wide)
    new = pages(WIDE, wide('{"id": "a", "new": 1}'), wide('{"id": "b", "new": 2}'))
    for _ in range(64):
        assert converter.convert(new).rows["_extra"].to_pylist() == ['{"new": 1}', '{"new": 2}']
    assert 0 < len(tried) < 16
    for _ in range(64):
        converter.convert(pages(WIDE, wide('{"id": "a"}'), wide('{"id": "b"}')))
    tried.clear()
    converter.convert(pages(WIDE, wide('{"id": "a"}'), wide('{"id": "b"}')))
    assert len(tried) == 1


def test_an_answer_that_says_that_it_failed_is_the_error_that_it_is_without_tables() -> None:
    content = b'{"data": [{"id": "a"}], "success": false}'
    with pytest.raises(RequestFailedError):
        decode_page(CALLS["pages"], answer(content))
    with pytest.raises(RequestFailedError):
        decode_raw_page(CALLS["pages"], answer(content))


def test_rows_without_a_key_become_models_since_paging_compares_all_of_them() -> None:
    op = attrs.evolve(WIDE, model=Inner)
    calls = attrs.evolve(CALLS["pages"], prepared=attrs.evolve(CALLS["pages"].prepared, op=op))
    (row,) = decode_raw_page(calls, answer(wide('{"rate": 1}'))).items
    assert type(row) is Inner
    assert PageConverter(Inner).convert([Page([row])]).rows["rate"].to_pylist() == [1]


def test_rows_whose_key_is_empty_are_told_apart_by_all_of_them() -> None:
    rows = pages(WIDE, wide('{"count": 1}', '{"count": 2}'))[0].items
    same = pages(WIDE, wide('{"count": 1}'))[0].items[0]
    assert rows[0] == same != rows[1]
    assert fingerprint(rows[0], "id") == fingerprint(same, "id") != fingerprint(rows[1], "id")


def test_a_row_shows_no_more_of_itself_than_its_key_and_its_time() -> None:
    content = b'{"data": {"data": [{"real_tx_id": "t", "user_email": "secret"}]}}'
    (row,) = decode_raw_page(CALLS["cursor"], answer(content)).items
    assert "'t'" in repr(row)
    assert "secret" not in repr(row) + repr(row.raw_page)


def test_a_value_that_is_nested_900_deep_is_in_extra() -> None:
    deep = "[" * 900 + "]" * 900
    (thread_made,) = _in_thread(lambda: [by_raw_pages(WIDE, [wide(f'{{"id": "a", "new": {deep}}}')])[0]])
    assert json.loads(thread_made["_extra"].to_pylist()[0]) == {"new": json.loads(deep)}


def test_a_value_that_is_nested_too_deeply_is_our_error() -> None:
    value: Any = []
    for _ in range(sys.getrecursionlimit()):
        value = [value]
    with pytest.raises(ResponseDecodeError, match="nested"):
        Columns(None).batch([{"deep": value}])


def _in_thread(job: Callable[[], Any]) -> Any:
    thread = ConversionThread()
    try:
        return thread.submit(job).result()
    finally:
        thread.close([])


class Source:
    """Pages, one after the other."""

    def __init__(self, *found: Page | Exception) -> None:
        self._found, self.read, self.closed = list(found), 0, False

    def __next__(self) -> Page:
        if not self._found:
            raise StopIteration
        self.read += 1
        page = self._found.pop(0)
        if isinstance(page, Exception):
            raise page
        return page

    def close(self) -> None:
        self.closed = True


def test_the_next_pages_are_read_while_a_batch_is_converted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adsecurity.tables.page_batches.BATCH_ROWS", 1)
    source, read_on = Source(*pages(WIDE, *[wide('{"id": "a"}')] * 6)), threading.Event()
    threads = set()
    convert = PageConverter.convert

    def slow(self: PageConverter, chosen: Any) -> Batch:
        threads.add(threading.current_thread())
        assert read_on.wait(10)
        return convert(self, chosen)

    def watch(page: Page) -> None:
        if source.read == 3:
            read_on.set()

    monkeypatch.setattr(PageConverter, "convert", slow)
    following = Source.__next__
    monkeypatch.setattr(Source, "__next__", lambda self: (page := following(self), watch(page))[0])
    assert reading(Wide, source).read_all()["id"].to_pylist() == ["a"] * 6
    assert len(threads) == 1
    assert threading.main_thread() not in threads
    assert not any(thread.is_alive() for thread in threads)
    assert source.closed


def test_rows_before_an_error_are_handed_on_before_it() -> None:
    source = Source(*pages(WIDE, wide('{"id": "a"}'), wide('{"id": "b"}')), AdsecurityError("lost"))
    batches = iter(reading(Wide, source))
    assert next(batches)["id"].to_pylist() == ["a", "b"]
    with pytest.raises(AdsecurityError, match="lost"):
        next(batches)


def test_a_reader_that_is_dropped_ends_its_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adsecurity.tables.page_batches.BATCH_ROWS", 1)
    before = threading.active_count()
    reader = reading(Wide, source := Source(*pages(WIDE, *[wide('{"id": "a"}')] * 9)))
    reader.read_next_batch()
    assert threading.active_count() > before
    del reader
    assert (threading.active_count(), source.closed) == (before, True)


@pytest.mark.parametrize("batches", [1, 4])
def test_a_forked_process_is_told_that_it_cannot_go_on(monkeypatch: pytest.MonkeyPatch, batches: int) -> None:
    """Also with a batch that is converted already, and where all of them have been given out."""
    monkeypatch.setattr("adsecurity.tables.page_batches.BATCH_ROWS", 1)
    source = Source(*pages(WIDE, *[wide('{"id": "a"}')] * batches))
    reader = reading(Wide, source)
    reader.read_next_batch()
    said = in_child(reader.read_next_batch)
    assert "ConfigurationError: this table was begun before the process was forked" in said
    assert len([*reader]) == batches - 1


def test_a_process_that_is_forked_while_a_page_is_read_is_told_so_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a hook: the thread that would convert the page stays with the parent."""
    monkeypatch.setattr("adsecurity.tables.page_batches.BATCH_ROWS", 1)

    def run(fork: Callable[[], bool]) -> int:
        class Forking(Source):
            def __next__(self) -> Page:
                if self.read == 1:
                    fork()
                return super().__next__()

        return len([*reading(Wide, Forking(*pages(WIDE, *[wide('{"id": "a"}')] * 4)))])

    said, batches = forked(run)
    assert "ConfigurationError: this table was begun before the process was forked" in said
    assert batches == 4


def test_what_is_not_begun_when_a_table_is_given_up_is_never_begun() -> None:
    thread, hold = ConversionThread(), threading.Event()
    first, second = thread.submit(lambda: hold.wait(10)), thread.submit(lambda: pytest.fail("begun"))
    threading.Timer(0.05, hold.set).start()
    thread.close([first, second])
    assert (first.result(), second.cancelled()) == (True, True)
