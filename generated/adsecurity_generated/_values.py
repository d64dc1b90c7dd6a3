"""Reading single JSON values into Python values, and writing them back.

A reader never raises: it returns a value and a verdict. It accepts numbers in strings, as msgspec does with
``strict=False``, so that the optional fast decoder gives the same results.
"""

from __future__ import annotations

import datetime as dt
import enum
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias, TypeVar, cast

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?\Z", re.ASCII)
_WORDS = {"true": True, "false": False, "1": True, "0": False}
_EXACT_FLOAT = 2**53
_MAX_DIGITS = 400
# What servers written in Go, or with SQL databases, send for "no time".
_NO_TIME = frozenset(("", "0001-01-01T00:00:00Z", "0001-01-01", "0000-00-00", "0000-00-00 00:00:00"))


class Verdict(enum.Enum):
    """How well a JSON value fits its field."""

    EXACT = "exact"
    """It fits, and writing the value gives the received one again."""
    KEEP = "keep"
    """It fits, but would be written differently, so the received value must be kept."""
    UNFIT = "unfit"
    """It does not fit the field."""


Reading: TypeAlias = tuple[Any, Verdict]
Reader: TypeAlias = Callable[[Any], Reading]

# Looking up an enum member costs more than the comparison that it is needed for.
_EXACT = Verdict.EXACT
_KEEP = Verdict.KEEP
_UNFIT: Reading = (None, Verdict.UNFIT)
_NOTHING: Reading = (None, Verdict.KEEP)
_UTC = dt.UTC
_from_iso = dt.datetime.fromisoformat
# The rows of a report share days, and often seconds: looking a text up is cheaper than parsing it again.
_MAX_CACHED = 256
_times: dict[str, dt.datetime] = {}
_days: dict[str, dt.date] = {}


def all_text(value: Any) -> bool:
    """Tell whether this is a list of strings, by far the most common list."""
    if value.__class__ is not list:
        return False
    try:
        # The fastest way to find an item that is not a string.
        "".join(value)
    except TypeError:
        return False
    return True


def read_any(value: Any) -> Reading:
    """Accept anything unchanged."""
    return value, _EXACT


def read_string(value: Any) -> Reading:
    """Accept only strings: a number could be written as text in several ways."""
    return (value, _EXACT) if isinstance(value, str) else _UNFIT


def read_number(value: Any) -> Reading:
    """Read a float, also from an integer or a number in quotes."""
    kind = value.__class__
    if kind is float:
        return value, _EXACT
    try:
        if kind is int:
            number = float(value)
            return number, _EXACT if number == value else _KEEP
        if kind is str and len(value) < _MAX_DIGITS and _NUMBER.match(value):
            number = float(value)
            if number - number == 0:  # finite
                return number, _KEEP
    except OverflowError:
        pass
    return _UNFIT


def read_integer(value: Any) -> Reading:
    """Read an int, also from 12.0 or "12", but not from 12.5 or true."""
    kind = value.__class__
    if kind is int:
        return value, _EXACT
    if kind is str and len(value) < _MAX_DIGITS and _NUMBER.match(value):
        if value.lstrip("-").isdigit():
            return int(value), _KEEP
        number = float(value)
        if number.is_integer() and abs(number) <= _EXACT_FLOAT:
            return int(number), _KEEP
    elif kind is float and value.is_integer():
        return int(value), _EXACT
    return _UNFIT


def read_boolean(value: Any) -> Reading:
    """Read a bool, also from 0, 1, "0", "1", "true" and "false"."""
    kind = value.__class__
    if kind is bool:
        return value, _EXACT
    if kind is int and value in (0, 1):
        return bool(value), _KEEP
    if kind is str and value.lower() in _WORDS:
        return _WORDS[value.lower()], _KEEP
    return _UNFIT


def _zone(name: str | None, offset: int | None) -> dt.tzinfo:
    if offset is None:
        if name not in ("UTC", "GMT", "Z"):
            raise ValueError("an abbreviation of a time zone is not a time zone")
        offset = 0
    return dt.timezone(dt.timedelta(seconds=offset))


def _fallback_time(text: str) -> dt.datetime:
    # Imported here: few servers need it, and it takes longer to import than the rest of the package.
    from dateutil import parser as _dateutil

    # dateutil fills missing parts from a default: a text that gives two results is not a complete point in time.
    first = _dateutil.parse(text, default=dt.datetime(2000, 1, 1), tzinfos=_zone)
    second = _dateutil.parse(text, default=dt.datetime(2001, 2, 2), tzinfos=_zone)
    if first != second or len(text) < len("20060102"):
        raise ValueError("incomplete time")
    return first


_T = TypeVar("_T")


def _remember(known: dict[str, _T], text: str, value: _T) -> _T:
    if len(known) >= _MAX_CACHED:
        known.clear()
    known[text] = value
    return value


def exact_time(value: Any) -> dt.datetime | None:
    """Read a time in the form that :func:`write_time` writes; None for any other form."""
    if value.__class__ is str and value in _times:
        return _times.get(value)
    try:
        # Comparing slices is much cheaper than writing the time and comparing the texts.
        if len(value) == 20 and value[10::9] == "TZ" and value[4:8:3] == "--" and value[13] == ":":
            time = _from_iso(value)
            if time.year != 1:
                return _remember(_times, value, time)
    except (TypeError, ValueError, LookupError):
        pass
    return None


def exact_date(value: Any) -> dt.date | None:
    """Read a date in the form in which it is written; None for any other form."""
    if value.__class__ is not str:
        return None
    if value in _days:
        return _days.get(value)
    day, verdict = read_date(value)
    return _remember(_days, value, day) if verdict is _EXACT else None


def read_time(value: Any) -> Reading:
    """Read an aware datetime in UTC; a text without a time zone is in UTC. Empty and zero times are None."""
    if value.__class__ is not str:
        return _UNFIT
    if value in _NO_TIME:
        return _NOTHING
    time = exact_time(value)
    if time is not None:
        return time, _EXACT
    try:
        time = _from_iso(value)
    except ValueError:
        try:
            time = _fallback_time(value)
        except (ValueError, OverflowError, TypeError, AttributeError, IndexError, ArithmeticError):
            return _UNFIT
    if time.year == 1:
        return _NOTHING
    if time.tzinfo is None:
        return time.replace(tzinfo=_UTC), _KEEP
    try:
        return time.astimezone(_UTC), _KEEP
    except OverflowError:
        return _UNFIT


def read_date(value: Any) -> Reading:
    """Read a date; of a point in time, its day in UTC. Empty and zero dates are None."""
    if type(value) is str:
        try:
            day = dt.date.fromisoformat(value)
        except ValueError:
            time, verdict = read_time(value)
            return (time and time.date()), (_KEEP if verdict is _EXACT else verdict)
        if day.year == 1:
            return _NOTHING
        return day, _EXACT if day.isoformat() == value else _KEEP
    return _UNFIT


def read_map(value: Any) -> Reading:
    """Accept an object without known fields, unchanged."""
    return (value, _EXACT) if value.__class__ is dict else _UNFIT


def read_list(value: Any) -> Reading:
    """Accept a list of anything, unchanged."""
    return (value, _EXACT) if value.__class__ is list else _UNFIT


def list_reader(item: Reader, exact: frozenset[type]) -> Reader:
    """Return a reader of lists; a list fits if all its items do."""

    def read(value: Any) -> Reading:
        if value.__class__ is not list:
            return _UNFIT
        given: list[Any] = value
        if exact.issuperset(map(type, given)):
            return given, _EXACT
        items: list[Any] = []
        verdict = _EXACT
        for entry in given:
            read_entry, entry_verdict = item(entry)
            if entry_verdict is Verdict.UNFIT or read_entry is None:
                return _UNFIT
            if entry_verdict is _KEEP:
                verdict = _KEEP
            items.append(read_entry)
        return items, verdict

    return read


def map_reader(item: Reader, exact: frozenset[type]) -> Reader:
    """Return a reader of maps; a map fits if all its values do."""
    read_values = list_reader(item, exact)

    def read(value: Any) -> Reading:
        if value.__class__ is not dict:
            return _UNFIT
        given: dict[str, Any] = value
        values, verdict = read_values(list(given.values()))
        if verdict is Verdict.UNFIT:
            return _UNFIT
        return dict(zip(given, values, strict=True)), verdict

    return read


_PLAIN: dict[str, tuple[Reader, frozenset[type]]] = {
    "any": (read_any, frozenset((str, int, float, bool, dict, list))),
    "string": (read_string, frozenset((str,))),
    "number": (read_number, frozenset((float,))),
    "integer": (read_integer, frozenset((int,))),
    "boolean": (read_boolean, frozenset((bool,))),
    "date-time": (read_time, frozenset()),
    "date": (read_date, frozenset()),
    "map": (read_map, frozenset((dict,))),
    "array": (read_list, frozenset((list,))),
}


def plain_reader(kind: str) -> tuple[Reader, frozenset[type]]:
    """Return the reader of a kind without inner structure, and the types that need no conversion."""
    return _PLAIN[kind]


def write_time(value: dt.datetime) -> str:
    """Write a point in time as the APIs do: in UTC, with a Z. A time without a time zone is in UTC."""
    if value.tzinfo is not None:
        value = value.astimezone(_UTC).replace(tzinfo=None)
    return value.isoformat() + "Z"


def encode(value: Any) -> Any:
    """Turn a value of a model into what `json.dumps` can write."""
    if isinstance(value, dt.datetime):
        return write_time(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    to_dict = getattr(value, "to_dict", None)
    if to_dict is not None:
        return to_dict()
    if isinstance(value, Mapping):
        return {key: encode(item) for key, item in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [encode(item) for item in cast("Iterable[Any]", value)]
    return value
