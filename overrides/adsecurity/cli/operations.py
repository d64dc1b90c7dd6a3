"""Runs the command of one operation: arguments to a call of the method, its answer to the output."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from .. import errors
from .confirm import ask, named
from .connect import open_client, resource_of
from .description import Operation
from .failures import Usage
from .output import FORMATS, Output, choose, note
from .parameters import Call, check_field
from .rows import cut, dumps, plain, write_parquet, write_rows
from .settings import Settings

SHOWN = 100
"""Rows that a terminal gets unless more are asked for."""
PAGE = 100


class Wishes(NamedTuple):
    """What the command itself is told, beside the arguments of the API."""

    output: str = ""
    columns: tuple[str, ...] = ()
    limit: int | None = None
    everything: bool = False
    dry_run: bool = False
    raw: bool = False
    yes: bool = False
    paging: Mapping[str, Any] = MappingProxyType({})
    """Keywords of the paginator that were given."""


def run(operation: Operation, call: Call, wishes: Wishes, settings: Settings) -> None:
    """Do what a command says."""
    formats = [form for form in FORMATS if operation.is_list or form not in ("parquet", "ndjson")]
    output = choose(wishes.output, default="ndjson" if operation.is_list else "json", formats=formats)
    columns = _columns(operation, wishes)
    if wishes.dry_run:
        _show_request(operation, call, wishes, settings)
        return
    if operation.deletes or operation.changes_many:
        ask(_question(operation, call), yes=wishes.yes)
    with open_client(operation.surface, settings) as client:
        if wishes.raw:
            _write_raw(operation, call, wishes, client, output)
        elif operation.is_list:
            _write_list(operation, call, wishes._replace(columns=columns), client, output)
        else:
            answer = _method(client, operation, call, wishes)()
            _write_answer(operation, answer, columns, output)


def _columns(operation: Operation, wishes: Wishes) -> tuple[str, ...]:
    columns = tuple(name.strip() for text in wishes.columns for name in text.split(",") if name.strip())
    for name in columns:
        if operation.columns:
            check_field("--columns", name, operation.columns)
    return columns


def _question(operation: Operation, call: Call) -> str:
    """What is about to be done, to what and to how many."""
    verb = "Delete" if operation.deletes else "Change"
    things = operation.resource.rpartition(".")[2].replace("_", " ")
    lists: list[list[object]] = [value for value in (*call.ids, *call.keywords.values()) if isinstance(value, list)]
    inside = [str(one) for one in (*call.bound, *call.ids) if isinstance(one, str)]
    if lists:
        where = f" of {' / '.join(inside)}" if inside else ""
        many = named([_told(one) for one in lists[0]])
    else:
        *around, last = inside
        where = f" of {' / '.join(around)}" if around else ""
        many = f"1 ({last})"
    return f"{verb} {many} {things}{where}"


def _told(one: object) -> object:
    """An id, or what tells an object from others."""
    if not isinstance(one, dict):
        return one
    found: dict[str, object] = one  # pyright: ignore[reportUnknownVariableType]
    return next((found[name] for name in ("id", "tx_id", "hash") if found.get(name)), dumps(found))


def _method(client: Any, operation: Operation, call: Call, wishes: Wishes) -> Callable[[], Any]:
    """The call of the method, ready to be made."""
    resource = resource_of(client, operation.resource, call.bound)
    method = getattr(resource.with_raw_response if wishes.raw else resource, operation.name)
    keywords = {**call.keywords, **(wishes.paging if operation.is_list else {})}
    if call.unknown:
        place = "extra_query" if operation.verb == "GET" or operation.answer == "export" else "extra_body"
        if place not in inspect.signature(method).parameters:
            known = ", ".join(argument.option for argument in operation.options)
            raise Usage(f"--json: {', '.join(call.unknown)} cannot be sent; this command takes {known or 'nothing'}")
        keywords[place] = call.unknown
    return lambda: method(*call.ids, **keywords)


def _show_request(operation: Operation, call: Call, wishes: Wishes, settings: Settings) -> None:
    from .dry_run import Recorder, recorded, text

    recorder = Recorder()
    secrets = operation.surface.secrets | {argument.wire for argument in operation.arguments if argument.secret}
    with open_client(operation.surface, settings, transport=recorder) as client:
        try:
            answer = _method(client, operation, call, wishes)()
            # A paginator sends nothing until it is read.
            next(iter(answer), None)
        except errors.AdsecurityError as error:
            # Refused by the recorder; a bulk write wraps that in an error of its own.
            print(text(recorded(recorder, error), secrets), end="")


def _write_raw(operation: Operation, call: Call, wishes: Wishes, client: Any, output: Output) -> None:
    """The answers as they came, a line each."""
    import sys

    answer = _method(client, operation, call, wishes)()
    pages = answer if operation.is_list else [answer]
    most = _limit(wishes, output)
    rows = 0
    for page in pages:
        sys.stdout.buffer.write(page.content + b"\n")
        if operation.is_list and most is not None:
            rows += len(page.parse().items)
            if rows >= most:
                break
    sys.stdout.buffer.flush()


def _limit(wishes: Wishes, output: Output) -> int | None:
    if wishes.limit is not None:
        return wishes.limit
    return SHOWN if output.on_terminal and not wishes.everything else None


class Listing:
    """The rows of a list up to the limit, and whether there are more."""

    def __init__(self, paginator: Any, limit: int | None, page_size: int) -> None:
        self._paginator = paginator
        self._limit = limit
        self._page_size = page_size
        self.total: int | None = None
        self.more = False

    def __iter__(self) -> Iterator[Any]:
        left = self._limit
        pages = self._paginator.pages()
        try:
            for page in pages:
                self.total = page.total_count
                taken = page.items if left is None else page.items[:left]
                yield from map(plain, taken)
                if left is not None:
                    left -= len(taken)
                    if left <= 0:
                        self.more = len(taken) < len(page.items) or len(page.items) >= self._page_size
                        return
        finally:
            pages.close()


def _write_list(operation: Operation, call: Call, wishes: Wishes, client: Any, output: Output) -> None:
    limit = _limit(wishes, output)
    if limit is not None:
        # No larger page than is wanted, and none read ahead that nobody sees.
        size = wishes.paging.get("page_size", max(1, min(PAGE, limit)))
        ahead = {} if limit > size else {"prefetch": 0}
        wishes = wishes._replace(paging={**wishes.paging, "page_size": size, **ahead})
    if operation.answer == "rows":
        wishes = wishes._replace(paging={})
    paginator = _method(client, operation, call, wishes)()
    if output.form == "parquet":
        write_parquet(output, paginator.to_arrow_batches(), wishes.columns, limit)
        return
    listing = Listing(paginator, limit, wishes.paging.get("page_size", PAGE))
    count = write_listing(operation, listing, wishes.columns or _own_columns(operation, call), output)
    if listing.more and (listing.total is None or listing.total > count) and wishes.limit is None:
        of = f" of {listing.total:,}" if listing.total else ""
        note(f"{count:,}{of} rows; --all gives the rest, as does a pipe or a file (-o rows.csv)")


def _own_columns(operation: Operation, call: Call) -> tuple[str, ...]:
    """Columns that the call itself asked the server for: those, and no others, are shown and written."""
    for name in ("fields", "columns"):
        asked = call.keywords.get(name)
        if asked and any(argument.name == name for argument in operation.options):
            return tuple(asked.split(",") if isinstance(asked, str) else asked)
    return ()


def write_listing(operation: Operation, rows: Any, columns: tuple[str, ...], output: Output) -> int:
    if output.form != "table":
        return write_rows(output, rows, columns, list(operation.columns))
    from .table import show_rows

    listed = list(rows)
    show_rows(listed, columns, operation.surface.secrets)
    return len(listed)


def _write_answer(operation: Operation, answer: Any, columns: tuple[str, ...], output: Output) -> None:
    """One object, the id of a new one, an address, or nothing."""
    if operation.answer == "write":
        note("done")
        return
    if operation.answer in ("create", "url"):
        name = "id" if operation.answer == "create" else "url"
        if output.form == "json" and output.path is None:
            print(answer)
            return
        write_rows(output, [{name: answer}], [name], [name]) if output.form != "table" else print(answer)
        return
    found = plain(answer.export if operation.answer == "export" else answer)
    if output.form == "table":
        from .table import show_object

        show_object(found, columns, operation.surface.secrets)
    elif output.form == "csv":
        write_rows(output, [found], columns, list(operation.columns))
    else:
        _write_json(cut(found, columns), output)


def _write_json(value: Any, output: Output) -> None:
    from .output import TextFile

    with TextFile(output.path) as out:
        out.write(dumps(value, indent=2) + "\n")
