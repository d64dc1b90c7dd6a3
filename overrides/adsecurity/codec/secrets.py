"""Masking secrets in everything that is shown to anyone but the API: errors, logs, events."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NoReturn, TypeGuard, TypeVar, cast
from urllib.parse import quote

import attrs

R = TypeVar("R")

MASK = "***"
_IN_HTML = frozenset("&<>\"'")
_SHORTEST = 4
"""Shorter values are not searched for in texts: masking every `a` would make the text unreadable."""
_DEEPEST = 100


def is_object(value: object) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping)


def is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


class Secret:
    """A value that its repr does not show and that cannot be pickled; `reveal()` returns it."""

    __slots__ = ("__weakref__", "_forms", "_value")

    def __init__(self, value: str) -> None:
        self._value = value
        self._forms = secret_forms((value,))

    def reveal(self) -> str:
        return self._value

    def forms(self) -> tuple[str, ...]:
        """The spellings of the value that texts are searched for."""
        return self._forms

    def __repr__(self) -> str:
        return repr(MASK)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled")


def secret_forms(values: Iterable[str]) -> tuple[str, ...]:
    """The values as a text may spell them (URL, HTML, JSON, Python), longest first: one may contain another."""
    forms: set[str] = set()
    for value in values:
        if len(value) >= _SHORTEST:
            forms |= {value, quote(value, safe=""), quote(value)}
            forms |= {json.dumps(value)[1:-1], repr(value)[1:-1]}
            if not _IN_HTML.isdisjoint(value):
                import html  # few keys need it, and it brings all the names of characters

                forms.add(html.escape(value))
    return tuple(sorted(forms, key=len, reverse=True))


def redact_text(text: str, forms: Iterable[str], names: Collection[str] = ()) -> str:
    """Mask the given spellings of secrets, and the values of `name=value` and `"name": value` for secret names."""
    for form in forms:
        text = text.replace(form, MASK)
    return _named_value(names).sub(rf"\1{MASK}", text) if names else text


def redact_record(record: R, forms: Collection[str]) -> R:
    """An attrs object with the given spellings masked in all its texts."""
    texts = attrs.asdict(cast("Any", record), recurse=False)
    masked = {
        name: redact_text(value, forms)
        for name, value in texts.items()
        if isinstance(value, str) and any(form in value for form in forms)
    }
    changed: R = attrs.evolve(cast("Any", record), **masked) if masked else record
    return changed


def _named_value(names: Collection[str]) -> re.Pattern[str]:
    either = "|".join(sorted(map(re.escape, names)))
    # The closing quote may be missing: texts may be cut off.
    return re.compile(rf"""((?<![\w-])(?:{either})["']?\s*[:=]\s*)("(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s,&;}}"'<]+)""")


def redact(value: Any, names: Collection[str], forms: Collection[str]) -> Any:
    """A copy of decoded JSON with secrets masked: fields with secret names, and secret values inside any string."""
    return _redact(value, names, forms, 0)


def _redact(value: Any, names: Collection[str], forms: Collection[str], depth: int) -> Any:
    if isinstance(value, str):
        return redact_text(value, forms, names)
    if depth > _DEEPEST:
        return MASK
    if is_object(value):
        return {
            redact_text(key, forms): MASK if key in names and item else _redact(item, names, forms, depth + 1)
            for key, item in value.items()
        }
    if is_list(value):
        return [_redact(item, names, forms, depth + 1) for item in value]
    return value


def redact_headers(headers: Mapping[str, str], names: Collection[str], forms: Collection[str]) -> dict[str, str]:
    """Response headers with secrets masked: cookies and keys are masked, URLs lose their query."""
    safe: dict[str, str] = {}
    for name, value in headers.items():
        name = name.lower()
        if name in ("set-cookie", "api-key", "authorization"):
            value = MASK
        elif name in ("location", "content-location", "refresh", "link"):
            value = re.sub(r"[?#][^\s>;,]*", "", value)
        safe[name] = redact_text(value, forms, names)
    return safe


def collect_secrets(value: Any, names: Collection[str]) -> Iterable[str]:
    """The strings in fields with secret names, anywhere in decoded JSON."""
    if is_object(value):
        for key, item in value.items():
            if key in names and isinstance(item, str):
                yield item
            else:
                yield from collect_secrets(item, names)
    elif is_list(value):
        for item in value:
            yield from collect_secrets(item, names)
