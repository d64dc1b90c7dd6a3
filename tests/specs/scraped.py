"""The two things that a scraped Redoc page is made of: samples and rows of tables."""

from __future__ import annotations

import json
import re
from typing import Any


class DamagedText(Exception):
    """The text holds something that this script has no rule for."""


# ---- samples ----


class SampleReader:
    """A JSON reader that steps over the page's `- ` collapse buttons and over a comma before a closing bracket."""

    _token = re.compile(r'(?:\s|-\s)*("(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false|null|[{}\[\],:])')

    def __init__(self, text: str, start: int) -> None:
        self.text = text
        self.at = start

    def _peek(self) -> str:
        match = self._token.match(self.text, self.at)
        if match is None:
            raise DamagedText(f"no JSON at {self.text[self.at : self.at + 60]!r}")
        return match[1]

    def _take(self, wanted: str | None = None) -> str:
        match = self._token.match(self.text, self.at)
        if match is None or (wanted is not None and match[1] != wanted):
            raise DamagedText(f"{wanted or 'JSON'} wanted at {self.text[self.at : self.at + 60]!r}")
        self.at = match.end()
        return match[1]

    def value(self) -> Any:
        token = self._take()
        if token == "{":
            members: dict[str, Any] = {}
            while self._peek() != "}":
                name = json.loads(self._take())
                self._take(":")
                if name in members:
                    raise DamagedText(f"{name!r} stands twice in one object")
                members[name] = self.value()
                if self._peek() == ",":
                    self._take()
            self._take("}")
            return members
        if token == "[":
            items: list[Any] = []
            while self._peek() != "]":
                items.append(self.value())
                if self._peek() == ",":
                    self._take()
            self._take("]")
            return items
        return json.loads(token)


# ---- rows ----

_TYPE = re.compile(
    r"(?P<array>Array of )?(?P<type>strings?|integers?|numbers?|booleans?|objects?)\b"
    r"(?: <(?P<format>[\w-]+)>)?(?: \((?P<ref>[\w.]+)\))?"
)
_QUOTED_OR_NUMBER = r'(?:"[^"]*"|-?\d+(?![\w.-]))'
_FACETS = {
    "max_length": re.compile(r"<= (\d+) characters"),
    "max_items": re.compile(r"<= (\d+) items"),
    "maximum": re.compile(r"<= (\d+)(?! (?:characters|items))"),
    "unique": re.compile(r"unique\b"),
    "default": re.compile(rf"Default: ({_QUOTED_OR_NUMBER})"),
    "item_enum": re.compile(rf"Items Enum: ({_QUOTED_OR_NUMBER}(?: {_QUOTED_OR_NUMBER})*)"),
    "enum": re.compile(rf"Enum: ({_QUOTED_OR_NUMBER}(?: {_QUOTED_OR_NUMBER})*)"),
}
_LAYOUTS = (("second", "2006-01-02 15:04:05"), ("day", "YYYY-MM-DD"))
_TIME_FIELD = re.compile(r"\bwhere (\w+_time) is\b")


def _scalars(text: str) -> list[Any]:
    return [json.loads(one) for one in re.findall(_QUOTED_OR_NUMBER, text)]


def read_row(line: str) -> dict[str, Any]:
    """One line of a parameter table; `name` is empty where the scrape lost it."""
    cells = [cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split(" |")]
    head, kind = (cells[0], cells[1].removeprefix("|").strip()) if len(cells) > 1 else (cells[0], "")
    row: dict[str, Any] = {"name": "", "type": "", "required": False}
    if kind:
        row["name"] = head.removesuffix(" required")
        row["required"] = head.endswith(" required")
    else:
        kind = head
    match = _TYPE.match(kind)
    if match is None:
        raise DamagedText(f"no type in row {line!r}")
    base = match["type"].removesuffix("s")
    if match["array"]:
        row["type"], row["items"] = "array", base
    else:
        row["type"] = base
    if match["format"]:
        row["format"] = match["format"]
    if match["ref"]:
        row["ref"] = match["ref"].rsplit(".", 1)[-1]
    rest = kind[match.end() :]
    while rest := rest.strip():
        for name, pattern in _FACETS.items():
            if facet := pattern.match(rest):
                if name == "unique":
                    row[name] = True
                elif name.endswith("enum"):
                    row[name] = _scalars(facet[1])
                else:
                    row[name] = json.loads(facet[1])
                rest = rest[facet.end() :]
                break
        else:
            break  # what is left is the description: two facts may stand in it, the rest is prose
    for layout, mark in _LAYOUTS:
        if mark in rest:
            row["layout"] = layout
    if time_field := _TIME_FIELD.search(rest):
        row["time_field"] = time_field[1]
    return row
