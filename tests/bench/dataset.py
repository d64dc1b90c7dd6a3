"""The rows that the bench server holds: `RATE` in any second since 1970, so any window is answered by arithmetic.

Rows are numbered; a number says when its row was clicked and which template it is filled from. All templates have the
same length and the same places for what changes from row to row, so a page is one copy of encoded bytes with some
columns written over. `row(number, dirty=...)` is the truth that the server's pages are tested against.
"""

from __future__ import annotations

import csv
import io
import json
import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

SPEC = Path(__file__).parents[2] / "specs" / "network.yaml"
RATE = 10
"""Rows in every second."""
TEMPLATES = 100
PAGE = 100
DIRTY_EVERY = 100 * PAGE
"""Of so many rows, one page's worth is dirty: 1 % of the pages."""
DIRTY_FROM = DIRTY_EVERY // 2 + 40
EXPORT_COLUMNS = 60

Row = dict[str, Any]

_MARKS = {"real_tx_id": "65a0" + 20 * "#", "request_date": "####-##-##", "request_time": "####-##-##T##:##:##Z"}
_PADDED = {"real_tx_id": "final_offer", "request_date": "referer", "request_time": "referer", "": "user_agent"}
"""The field that is made longer so that the other one begins at the same place in every row."""
_WORDS = [
    "summer",
    "prime",
    "alpha",
    "delta",
    "mobile",
    "nova",
    "quick",
    "river",
    "stone",
    "lime",
    "vertex",
    "orbit",
    "cobalt",
    "maple",
    "harbor",
]
_COUNTRIES = ["Germany", "France", "Brazil", "India", "Canada", "Spain", "Poland", "Japan", "Mexico", "Italy"]
_AGENTS = (
    "Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0",
)
_LISTS = {
    "browser_language": ["en-US", "en", "de"],
    "extra_params.keys": ["utm_source", "utm_campaign"],
    "extra_params.values": ["newsletter", "spring sale, part 2"],
    "referer_categories": ["News", "Sports"],
    "rejections": [],
    "tags": ["mobile", "tier-1"],
}


@lru_cache(1)
def properties() -> dict[str, Any]:
    """The fields of a click, as the spec has them now."""
    spec = yaml.load(SPEC.read_text("utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    found: dict[str, Any] = spec["components"]["schemas"]["ClickReportRow"]["properties"]
    return found


def _value(name: str, schema: dict[str, Any], dice: random.Random) -> Any:
    kind = schema.get("type")
    if name in _MARKS:
        return _MARKS[name]
    if name == "status":
        return dice.choice(["Approved", "Rejected"])
    if kind == "array":
        return _LISTS.get(name, ["one", "two"])
    if kind == "integer":
        return dice.randrange(1000, 65000) if name == "asn" else dice.randrange(2)
    if kind == "number":
        return round(dice.uniform(-90, 90), 5) if name in ("lat", "long") else round(dice.uniform(0, 20), 2)
    if kind != "string" and "$ref" not in schema:
        return None
    return _text(name, dice)


def _text(name: str, dice: random.Random) -> str:
    if name == "user_agent":
        return dice.choice(_AGENTS)
    if name == "uuid":
        return str(uuid.UUID(int=dice.getrandbits(128), version=4))
    if name.endswith("_ip"):
        return ".".join(str(dice.randrange(1, 255)) for _ in range(4))
    if name == "referer":
        return (
            f"https://www.{dice.choice(_WORDS)}.example/{dice.choice(_WORDS)}/{dice.randrange(10_000)}?q=\u00e9t\u00e9"
        )
    if name == "country":
        return dice.choice(_COUNTRIES)
    if name.startswith(("sub_id_", "rejected_")):
        return ""
    if name.endswith("_id") or name == "fingerprint":
        return f"{dice.getrandbits(80):020x}"
    return f"{dice.choice(_WORDS).title()} {dice.choice(_WORDS)}"


@lru_cache(1)
def templates() -> list[Row]:
    dice = random.Random(20261101)
    rows = [{name: _value(name, schema, dice) for name, schema in properties().items()} for _ in range(TEMPLATES)]
    for mark, padded in _PADDED.items():
        places = [_place(row, mark) for row in rows]
        for row, place in zip(rows, places, strict=True):
            row[padded] += "." * (max(places) - place)
    return rows


def _place(row: Row, name: str) -> int:
    """Where the value of a field begins in the encoded row; of no field, where the row ends."""
    text = compact(row)
    return text.index(b'"%b":"' % name.encode()) + len(name) + 4 if name else len(text)


def row_id(number: int) -> str:
    return f"65a0{number:020d}"


def number_of(identity: str) -> int:
    return int(identity[4:])


def row(number: int, *, dirty: bool = False) -> Row:
    """The row as a JSON client reads it."""
    when = datetime.fromtimestamp(number // RATE, UTC)
    values = dict(templates()[number % TEMPLATES])
    values["real_tx_id"] = row_id(number)
    values["request_date"] = f"{when:%Y-%m-%d}"
    values["request_time"] = f"{when:%Y-%m-%dT%H:%M:%SZ}"
    kind = number % DIRTY_EVERY - DIRTY_FROM
    if dirty and 0 <= kind < len(_DIRT):
        values.update(_DIRT[kind])
    return values


_DIRT: tuple[Row, ...] = (
    {"tags": None, "city": None, "payout": None, "extra_params.keys": None},
    {"request_time": "", "request_date": ""},
    {"payout": "1.25", "asn": "64500", "blocked": "1"},
    {"status": "Quarantined", "risk": "unheard-of"},
    {"brand_new_field": {"nested": [1, 2.5, "three"]}},
)


def compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


@lru_cache(1)
def _ring() -> tuple[bytes, int, list[int]]:
    """The encoded templates twice over, last one first; the length of one; the places of what is written over."""
    rows = [b"," + compact(template) for template in reversed(templates())]
    places: list[int] = []
    for name, mark in _MARKS.items():
        first = _place(templates()[0], name) + 1
        places += [first + at for at, letter in enumerate(mark) if letter == "#"]
    if len({len(row) for row in rows}) > 1 or any(row[place] != ord("#") for row in rows for place in places):
        raise ValueError("the rows of the bench server are no longer of one shape: see _PADDED")
    return b"".join(rows) * 2, len(rows[0]), places


@lru_cache(65536)
def _digits(second: int) -> bytes:
    """What is written over the marks of the rows of one second, last row first."""
    times = f"{datetime.fromtimestamp(second, UTC):%Y%m%d%Y%m%d%H%M%S}".encode()
    return b"".join([b"%020d%b" % (second * RATE + place, times) for place in range(RATE - 1, -1, -1)])


def _encoded(numbers: range, dirty: bool) -> bytes | bytearray:
    """Some rows that follow each other, last one first, each behind a comma."""
    ring, length, places = _ring()
    first = (TEMPLATES - 1 - numbers.start % TEMPLATES) * length
    rows = bytearray(ring[first : first + len(numbers) * length])
    digits = b"".join([_digits(second) for second in range(numbers.start // RATE, numbers[-1] // RATE - 1, -1)])
    digits = digits[(RATE - 1 - numbers.start % RATE) * len(places) :][: len(numbers) * len(places)]
    for column, place in enumerate(places):
        rows[place::length] = digits[column :: len(places)]
    if dirty and (numbers.start - DIRTY_FROM) % DIRTY_EVERY < len(numbers) + len(_DIRT):
        clean = (rows[at : at + length] for at in range(0, len(rows), length))
        return b"".join(
            b"," + compact(row(number, dirty=True)) if 0 <= number % DIRTY_EVERY - DIRTY_FROM < len(_DIRT) else text
            for number, text in zip(numbers, clean, strict=True)
        )
    return rows


def page(first: int, last: int, size: int, after: int | None, *, dirty: bool) -> tuple[bytes, int | None]:
    """The answer for the rows `first`..`last` behind row `after`, latest first; and where the next page goes on."""
    top = last if after is None else min(after - 1, last)
    bottom = max(first, top - size + 1)
    more = bottom > first
    info: dict[str, object] = {"hasNextPage": more, "hasPreviousPage": top < last}
    if top >= bottom:
        info |= {"startCursor": row_id(top), "endCursor": row_id(bottom)}
    rows = _encoded(range(top, bottom - 1, -1), dirty)[1:] if top >= bottom else b""
    parts = (b'{"data":{"count":%d,"data":[' % max(0, last - first + 1), rows, b'],"pageInfo":', compact(info), b"}}")
    return b"".join(parts), bottom if more else None


def export_columns() -> list[str]:
    others = [name for name in properties() if name not in _MARKS][: EXPORT_COLUMNS - len(_MARKS)]
    return [name for name in properties() if name in others or name in _MARKS]


def _line(template: Row, columns: list[str]) -> bytes:
    text = io.StringIO()
    cells = [json.dumps(cell) if isinstance(cell, list) else cell for cell in (template[name] for name in columns)]
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()


def _csv_times(second: int) -> bytes:
    when = datetime.fromtimestamp(second, UTC)
    return f"{when:%Y-%m-%d},{when:%Y-%m-%d %H:%M:%S}".encode()


def csv_blocks(rows: int) -> Iterator[bytes]:
    """The export's file: header and rows, latest first, in pieces of some megabytes."""
    columns = export_columns()
    identity, times = _MARKS["real_tx_id"].encode(), f"{_MARKS['request_date']},{_MARKS['request_time']}".encode()
    lines: list[tuple[bytes, bytes, bytes]] = []
    for template in templates():
        before, _, rest = _line(template, columns).partition(identity)
        between, _, behind = rest.partition(times)
        lines.append((before, between, behind))
    yield ",".join(columns).encode() + b"\n"
    block: list[bytes] = []
    for number in range(LAST, LAST - rows, -1):
        before, between, behind = lines[number % TEMPLATES]
        if not block or number % RATE == RATE - 1:
            when = _csv_times(number // RATE)
        block += [before, b"65a0%020d" % number, between, when, behind]
        if len(block) >= 50_000:
            yield b"".join(block)
            block.clear()
    yield b"".join(block)


END = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp())
"""The second in which every range that is measured ends; the server takes both ends as inclusive."""
LAST = END * RATE + RATE - 1


def span(rows: int) -> tuple[str, str]:
    """`start_time` and `end_time` of the range that holds the last `rows` rows."""
    if rows % RATE:
        raise ValueError(f"rows come {RATE} a second")
    start, end = (datetime.fromtimestamp(at, UTC) for at in (END - rows // RATE + 1, END))
    return f"{start:%Y-%m-%d %H:%M:%S}", f"{end:%Y-%m-%d %H:%M:%S}"


def numbers(start_time: str, end_time: str) -> tuple[int, int]:
    """First and last row of a range."""
    first, last = (int(datetime.fromisoformat(text + "+00:00").timestamp()) for text in (start_time, end_time))
    return first * RATE, last * RATE + RATE - 1


def payout(rows: int, *, dirty: bool) -> float:
    """What the payouts of the last `rows` rows add up to: who reads them all, once, finds the same."""
    clean = sum(templates()[number % TEMPLATES]["payout"] for number in range(LAST, LAST - rows, -1))
    if not dirty:
        return float(clean)
    blocks = range(LAST // DIRTY_EVERY + 1)
    changed = 0.0
    for block in reversed(blocks):
        places = range(block * DIRTY_EVERY + DIRTY_FROM, block * DIRTY_EVERY + DIRTY_FROM + len(_DIRT))
        if places.stop <= LAST - rows + 1:
            break
        for number in places:
            if LAST - rows < number <= LAST:
                changed += float(row(number, dirty=True)["payout"] or 0) - templates()[number % TEMPLATES]["payout"]
    return float(clean + changed)
