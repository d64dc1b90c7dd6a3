"""`adsecurity conversions approve` and `reject`: many of them, in batches, with what was refused told apart."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click

from .. import errors
from ..display.printable import printable
from ..display.progress import Bar
from .base import CONTEXT, common, settings_of
from .confirm import ask, named
from .connect import open_client
from .failures import FAILED, Failure, Usage, explain
from .files import create_file
from .output import note
from .shared import SURFACE, find_operation
from .values import content

_NAMES = ("tx_id", "hash")
_ALIASES = {"tx_id": "tx_id", "txid": "tx_id", "real_tx_id": "tx_id", "id": "tx_id", "hash": "hash"}
_STOP = (errors.AuthenticationError, errors.PermissionDeniedError, errors.RateLimitError, errors.ServerError)
"""Refusals that are not about what is in the batch."""

Entry = dict[str, str]


class Outcome(NamedTuple):
    """What became of the conversions."""

    done: list[Entry]
    refused: list[tuple[Entry, str]]
    rest: list[Entry]
    """Not tried, because something else went wrong."""
    error: BaseException | None


@click.group("conversions", context_settings=CONTEXT)
@common
def command() -> None:
    """Approve or reject conversions in bulk.

    The ids stand in a file: one transaction id a line, or CSV with a column tx_id, hash, or both. They are sent in
    batches; a batch that is refused is halved until the refused conversions stand alone. What could not be done is
    written to a file of the same form, to be tried again.
    """


def _make(verb: str, action: str) -> click.Command:
    @click.command(verb, context_settings=CONTEXT, help=f"{action} the conversions whose ids are in a file.")
    @click.option("--file", "source", required=True, metavar="FILE|-", help="One id a line, or CSV with tx_id or hash.")
    @click.option("--reason", default="", hidden=verb == "approve", help="Reason to record for a rejection.")
    @SURFACE
    @click.option("--integration", default="", metavar="ID", help="The integration that the conversions belong to.")
    @click.option("--batch", type=click.IntRange(1, 1000), default=100, show_default=True, help="How many a request.")
    @click.option("--rest", default="", metavar="FILE", help="For what was not done.  [default: FILE.rest.csv]")
    @click.option("--yes", "-y", is_flag=True, help="Do not ask first.")
    @common
    def change(
        source: str, surface: str | None, integration: str, batch: int, rest: str, yes: bool, reason: str
    ) -> None:
        settings = settings_of(click.get_current_context())
        operation = find_operation("conversions", "update", surface or "", settings)
        entries = read_entries(source)
        rest_path = Path(rest or (f"{source}.rest.csv" if source != "-" else "conversions.rest.csv"))
        ask(f"{action} {named([_id(entry) for entry in entries])} conversions", yes=yes)
        extra = {"new_rejected_advanced_reason": reason} if reason else {}
        about = {"integration_id": integration} if integration else {}
        with open_client(operation.surface, settings) as client, Bar(action, unit="conversions") as bar:
            outcome = halving(
                entries,
                batch,
                lambda some: client.conversions.update(
                    updates=[{**entry, "action": action, **extra} for entry in some], **about
                ),
                lambda count: bar.at(count, len(entries)),
            )
        _tell(outcome, action, len(entries), rest_path)

    return change


def _id(entry: Entry) -> str:
    return entry.get("tx_id") or entry.get("hash", "")


def read_entries(source: str) -> list[Entry]:
    """The conversions of a file, each once."""
    try:
        text = content(source if source == "-" else f"@{source}")
    except ValueError as error:
        raise Usage(f"--file: {error}") from None
    lines = text.splitlines()
    first = lines[0] if lines else ""
    header = [name.strip().lower() for name in next(csv.reader([first]))]
    columns = [_ALIASES.get(name, "") for name in header]
    if not any(columns):
        if len(header) > 1:
            raise Usage(f"--file: {source} has none of the columns tx_id and hash, but {', '.join(header)}")
        found = [{"tx_id": line.strip()} for line in lines]
    else:
        found = [
            {name: cell.strip() for name, cell in zip(columns, row, strict=False) if name and cell.strip()}
            for row in csv.reader(lines[1:])
        ]
    unique = {tuple(sorted(entry.items())): entry for entry in found if _id(entry)}
    if not unique:
        raise Usage(f"--file: there is no id in {source}")
    return list(unique.values())


def halving(
    entries: list[Entry], size: int, send: Callable[[list[Entry]], None], show: Callable[[int], None]
) -> Outcome:
    """Send batches; one that is refused is halved until what is refused stands alone."""
    done: list[Entry] = []
    refused: list[tuple[Entry, str]] = []
    waiting = [entries[start : start + size] for start in range(0, len(entries), size)]
    waiting.reverse()
    while waiting:
        batch = waiting.pop()
        try:
            send(batch)
        except _STOP as error:
            return Outcome(done, refused, _flat([batch, *reversed(waiting)]), error)
        except errors.APIStatusError as error:
            if len(batch) == 1:
                refused.append((batch[0], _said(error)))
            else:
                middle = len(batch) // 2
                waiting += [batch[middle:], batch[:middle]]
        except (errors.AdsecurityError, KeyboardInterrupt) as error:
            return Outcome(done, refused, _flat([batch, *reversed(waiting)]), error)
        else:
            done += batch
        show(len(done) + len(refused))
    return Outcome(done, refused, [], None)


def _flat(batches: Iterable[list[Entry]]) -> list[Entry]:
    return [entry for batch in batches for entry in batch]


def _said(error: errors.APIStatusError) -> str:
    """The server's own words about one conversion, where it has some."""
    body: Any = error.body
    if isinstance(body, dict):
        for name in ("message", "error", "detail"):
            if isinstance(body.get(name), str):  # pyright: ignore[reportUnknownMemberType]
                return f"{error.status_code}: {body[name]}"
    return str(error.status_code)


def _tell(outcome: Outcome, action: str, total: int, rest_path: Path) -> None:
    """The summary, and the file of the rest."""
    past = {"Approve": "approved", "Reject": "rejected"}[action]
    note(
        f"{len(outcome.done):,} of {total:,} {past}, {len(outcome.refused):,} refused, {len(outcome.rest):,} not tried"
    )
    if not outcome.refused and not outcome.rest:
        return
    for entry, why in outcome.refused[:10]:
        note(f"  refused {_id(entry)}: {printable(why)}")
    if len(outcome.refused) > 10:
        note(f"  ... and {len(outcome.refused) - 10:,} more in the file")
    write_rest(rest_path, outcome)
    note(f"what was not done is in {rest_path}")
    if outcome.error is None:
        raise Failure(f"{len(outcome.refused):,} conversions were refused", 9)
    if isinstance(outcome.error, KeyboardInterrupt):
        raise outcome.error
    message, code = explain(outcome.error)
    raise Failure(message, code or FAILED)


def _lines(outcome: Outcome) -> Iterator[list[str]]:
    yield [*_NAMES, "why"]
    for entry, why in outcome.refused:
        yield [*(entry.get(name, "") for name in _NAMES), why]
    for entry in outcome.rest:
        yield [*(entry.get(name, "") for name in _NAMES), "not tried"]


def write_rest(path: Path, outcome: Outcome) -> None:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(_lines(outcome))
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    with create_file(part) as file:
        file.write(buffer.getvalue().encode())
    os.replace(part, path)


for _verb, _action in (("approve", "Approve"), ("reject", "Reject")):
    command.add_command(_make(_verb, _action))
