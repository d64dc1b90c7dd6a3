"""Reading single JSON values into Python ones, and writing them back.

A reader never raises: it answers a value and a verdict. It takes numbers out of strings, as msgspec does with
``strict=False``, so that the optional fast decoder can give the same results.
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
# What Go and SQL servers send for "no time".
_NO_TIME = frozenset(("", "0001-01-01T00:00:00Z", "0001-01-01", "0000-00-00", "0000-00-00 00:00:00"))


class Verdict(enum.Enum):
    """How a JSON value went into its field."""

    EXACT = "exact"
    """Writing the value gives back what came."""
    KEEP = "keep"
    """The value fits, but is written differently: what came must be kept."""
    UNFIT = "unfit"
    """The value does not fit the field."""


Reading: TypeAlias = tuple[Any, Verdict]
Reader: TypeAlias = Callable[[Any], Reading]

# Looking a member up in its class costs more than the comparison it is for.
_EXACT = Verdict.EXACT
_KEEP = Verdict.KEEP
_UNFIT: Reading = (None, Verdict.UNFIT)
_NOTHING: Reading = (None, Verdict.KEEP)
_UTC = dt.UTC
_from_iso = dt.datetime.fromisoformat
# The rows of a report share their days, and many of them their seconds: looking a text up is cheaper than reading it.
_MAX_KNOWN = 256
_times: dict[str, dt.datetime] = {}
_days: dict[str, dt.date] = {}


def all_text(value: Any) -> bool:
    """Tell whether this is a list of strings, by far the most usual list."""
    if value.__class__ is not list:
        return False
    try:
        # Nothing else refuses what is no string as fast.
        "".join(value)
    except TypeError:
        return False
    return True


def read_any(value: Any) -> Reading:
    """Take anything as it is."""
    return value, _EXACT


def read_string(value: Any) -> Reading:
    """Take strings only: a number has no one way to be written as text."""
    return (value, _EXACT) if isinstance(value, str) else _UNFIT


def read_number(value: Any) -> Reading:
    """Always a float, also where the server writes an integer or a number in quotes."""
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
    """An int, also out of 12.0 or "12", but never out of 12.5 or true."""
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
    """A bool, also out of 0, 1 and their spellings as text."""
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
    # Few servers need it, and it takes longer to import than the rest of the package.
    from dateutil import parser as _dateutil

    # dateutil fills what is missing from a default; a text that needs filling is no point in time.
    first = _dateutil.parse(text, default=dt.datetime(2000, 1, 1), tzinfos=_zone)
    second = _dateutil.parse(text, default=dt.datetime(2001, 2, 2), tzinfos=_zone)
    if first != second or len(text) < len("20060102"):
        raise ValueError("incomplete time")
    return first


_T = TypeVar("_T")


def _remember(known: dict[str, _T], text: str, value: _T) -> _T:
    if len(known) >= _MAX_KNOWN:
        known.clear()
    known[text] = value
    return value


def exact_time(value: Any) -> dt.datetime | None:
    """Read the one form of a time that :func:`write_time` gives back; None means that it takes a closer look."""
    if value.__class__ is str and value in _times:
        return _times.get(value)
    try:
        # Slices are far cheaper than writing the time and comparing.
        if len(value) == 20 and value[10::9] == "TZ" and value[4:8:3] == "--" and value[13] == ":":
            time = _from_iso(value)
            if time.year != 1:
                return _remember(_times, value, time)
    except (TypeError, ValueError, LookupError):
        pass
    return None


def exact_date(value: Any) -> dt.date | None:
    """Read a date that is written back as it came; None means that it takes a closer look."""
    if value.__class__ is not str:
        return None
    if value in _days:
        return _days.get(value)
    day, verdict = read_date(value)
    return _remember(_days, value, day) if verdict is _EXACT else None


def read_time(value: Any) -> Reading:
    """An aware datetime in UTC; a text without a zone is UTC. Empty and zero times are None."""
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
    """A date; of a point in time, its day in UTC. Empty and zero dates are None."""
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
    """An open object, as it is."""
    return (value, _EXACT) if value.__class__ is dict else _UNFIT


def read_list(value: Any) -> Reading:
    """A list of anything, as it is."""
    return (value, _EXACT) if value.__class__ is list else _UNFIT


def list_reader(item: Reader, exact: frozenset[type]) -> Reader:
    """Read a list whose items all fit; one that does not makes the list not fit."""

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
    """Read a map whose values all fit; one that does not makes the map not fit."""
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
    """Return the reader of a kind without inner structure, and the types that it takes unchanged."""
    return _PLAIN[kind]


def write_time(value: dt.datetime) -> str:
    """Write a point in time as the APIs do: UTC, with a Z. A time without a zone is taken as UTC."""
    if value.tzinfo is not None:
        value = value.astimezone(_UTC).replace(tzinfo=None)
    return value.isoformat() + "Z"


def encode(value: Any) -> Any:
    """Turn a value of a model into what JSON can hold."""
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
