"""Read the facts out of the two documentation texts, so that the specs can be held against them.

    python tests/specs/extract_facts.py NETWORK.txt ADSECURITY.txt [OPERATIONS.json]

writes `facts/network.json` and `facts/adsecurity.json` beside this file. The texts are pages scraped from a browser:
tables and samples survived, routes did not, so the table of operations comes from `facts/operations.json` and the n-th
operation of a text is its n-th row. What is written is names, types and numbers; no sentence of the texts is kept.

What the scrape damaged is mended here and nowhere else, and each mended fact carries the code of its reason:

`name-obfuscated`   the row of a string lost its name; it stands where `email` belongs in the alphabet.
`name-was-button`   the row of an object lost its name; the request sample names it.
`url-not-shown`     the row exists, its value is missing from the sample.
`map-by-placeholder`, `map-by-example`  an object of a sample is a map; its keys stand for any key.

Samples are written as trees: an object is an object, `[x]` a list of x, `{"{}": x}` a map to x, and a leaf is one of
`string`, `date`, `date-time`, `boolean`, `null` (any value), `integer`, `number`, or `numeric` where the text does
not decide between the two. A leaf `string=X` is a string whose sample value X is a member of a documented enum.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
if not __package__:  # run as a script: the folder of `tests` is not on the path
    sys.path.insert(0, str(HERE.parent.parent))

from tests.specs.scraped import DamagedText, SampleReader, read_row  # noqa: E402

FACTS = HERE / "facts"

MAP_KEY = "{}"
SAMPLE_START = re.compile(r"\{(?=- )|\{ \}")
STATUS_CELL = re.compile(r"Code|-+|\d{3}(?:, \d{3})*")


# ---- the text as a sequence of operations ----


@dataclass
class RawOperation:
    """What stands between two operations: blocks of rows with prose between them, and one or two samples."""

    blocks: list[list[dict[str, Any]]] = field(default_factory=list)
    prose: str = ""
    request: Any = None
    response: Any = None


def _blocks(gap: str) -> tuple[list[list[dict[str, Any]]], list[str], str]:
    blocks: list[list[dict[str, Any]]] = []
    statuses: list[str] = []
    prose: list[str] = []
    open_block = False
    for line in (one.strip() for one in gap.splitlines()):
        if not line:
            continue
        is_row = line.endswith("|") or " |" in line
        if is_row and STATUS_CELL.fullmatch(line.removeprefix("|").split("|")[0].strip()):
            statuses += re.findall(r"\d{3}", line.removeprefix("|").split("|")[0])
        elif is_row:
            if not open_block:
                blocks.append([])
            blocks[-1].append(read_row(line))
            open_block = True
            continue
        else:
            prose.append(line)
        open_block = False
    return blocks, statuses, "\n".join(prose)


def _is_request(sample: Any, block: list[dict[str, Any]]) -> bool:
    """A table's own sample shows its rows; those whose names are lost may account for what is left over."""
    if not isinstance(sample, dict) or not block or not sample:
        return False
    names = {row["name"] for row in block if row["name"]}
    lost = sum(not row["name"] for row in block)
    return len(sample.keys() - names) <= lost


def split_operations(text: str) -> tuple[list[RawOperation], list[str], str]:
    """The operations in order, the status codes of the introduction, and the introduction itself."""
    gaps: list[str] = []
    samples: list[Any] = []
    at = 0
    while found := SAMPLE_START.search(text, at):
        gaps.append(text[at : found.start()])
        reader = SampleReader(text, found.start())
        samples.append(reader.value())
        at = reader.at
    if text[at:].strip():
        raise DamagedText(f"text after the last sample: {text[at:][:60]!r}")

    operations: list[RawOperation] = []
    statuses: list[str] = []
    index = 0
    while index < len(samples):
        blocks, codes, prose = _blocks(gaps[index])
        statuses += codes
        operation = RawOperation(blocks, prose)
        has_next = index + 1 < len(samples) and not gaps[index + 1].strip()
        if has_next and _is_request(samples[index], blocks[-1] if blocks else []):
            operation.request = samples[index]
            index += 1
        operation.response = samples[index]
        index += 1
        operations.append(operation)
    return operations, statuses, gaps[0]


# ---- mending ----


def name_lost_rows(rows: list[dict[str, Any]], sample: Any, where: str) -> None:
    """Give each nameless row of a body the one name that its type, the alphabet and the sample leave."""
    known = {row["name"] for row in rows if row["name"]}
    for index, row in enumerate(rows):
        if row["name"]:
            continue
        low = rows[index - 1]["name"] if index else ""
        high = next((later["name"] for later in rows[index + 1 :] if later["name"]), "\uffff")
        if row["type"] == "string":
            fits = ["email"] if low < "email" < high else []
            row["damage"] = "name-obfuscated"
        else:
            wanted = dict if row["type"] == "object" else list
            free = [name for name in sample if name not in known and isinstance(sample[name], wanted)]
            # Neighbouring lost rows leave several names; the alphabet hands them out in order.
            fits = sorted(name for name in free if low < name < high)[:1]
            row["damage"] = "name-was-button"
        if len(fits) != 1:
            raise DamagedText(f"{where}: {len(fits)} names fit the nameless row {index} ({row['type']})")
        row["name"] = fits[0]
        known.add(fits[0])
    if names := [row["name"] for row in rows if row.get("damage")]:
        ordered = sorted(row["name"] for row in rows)
        if ordered != [row["name"] for row in rows]:
            raise DamagedText(f"{where}: with {names} named, the table is not in order")


# Money, shares, scores and places on the globe are fractions even where a sample shows 0 or 100.
_FRACTION = re.compile(r"(?:^|_)(?:payout|revenue|value|percent|percentage|rate|lat|long)$")
_WHOLE = re.compile(
    r"(?:^|_)(?:id|ids|count|size|total_page|total_count)$|_total(?:_approved|_rejected)?$|^is_\w+$"
    r"|^page\[(?:number|size)\]$|^page_(?:number|size)$|^(?:blocked|rejected|monitoring_mode|preview_url_enabled"
    r"|rtb_url_used|created_by_publisher)$"
)


def number_kind(path: tuple[str, ...], tables: dict[str, str]) -> str:
    """`integer`, `number`, or `numeric` where neither a table nor the meaning of the name decides."""
    name = next((part for part in reversed(path) if part not in ("[]", MAP_KEY)), "")
    parent = path[-2] if len(path) > 1 else ""
    if tables.get(name) in ("integer", "number"):
        return tables[name]
    if _FRACTION.search(name) or parent in ("payout_capping", "revenue_capping"):
        return "number"
    if name == "total" and not parent.endswith("_meta"):
        return "numeric"  # a capping's total bounds clicks in one place and money in another
    return "integer" if name == "total" or _WHOLE.search(name) else "numeric"


def shape(value: Any, path: tuple[str, ...], tables: dict[str, str], members: set[str], damage: set[str]) -> Any:
    """A sample value as a tree of types."""
    if isinstance(value, dict):
        placeholders = set(value) == {"property1", "property2"}
        # Properties of these APIs start in lower case; Chrome, Android or an address is a key somebody chose.
        examples = any(not re.match(r"[a-z]", name) for name in value)
        if placeholders or examples:
            damage.add("map-by-placeholder" if placeholders else "map-by-example")
            inner = [shape(one, (*path, MAP_KEY), tables, members, damage) for one in value.values()]
            if any(one != inner[0] for one in inner):
                raise DamagedText(f"the values of the map at {'/'.join(path)} differ")
            return {MAP_KEY: inner[0]}
        return {name: shape(one, (*path, name), tables, members, damage) for name, one in value.items()}
    if isinstance(value, list):
        inner = [shape(one, (*path, "[]"), tables, members, damage) for one in value]
        if any(one != inner[0] for one in inner):
            raise DamagedText(f"the items of the list at {'/'.join(path)} differ")
        return inner[:1]
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return number_kind(path, tables)
    if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value):
        return "date-time"
    if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        return "date"
    return f"string={value}" if value in members else "string"


# ---- facts ----


def _introduction(text: str, statuses: list[str]) -> dict[str, Any]:
    limit = re.search(r"max limit is (\d+)", text)
    names = [
        *(name for name in ("page[number]", "page[size]") if name in text),
        *(name for name in ("filter", "sort", "query", "fields") if re.search(rf"\b{name}(?:=|\[)", text)),
    ]
    parameters: list[dict[str, Any]] = [{"name": name} for name in names]
    if limit:
        next(one for one in parameters if one["name"] == "page[size]")["maximum"] = int(limit[1])
    host = re.search(r"\bhost [\w ]+ is (https://[\w.-]+\w)", text)
    return {
        "key_header": "API-KEY" if "API-KEY" in text else None,
        "host": host[1] if host else None,
        "content_type": "application/json" if re.search(r"and Content-Type\s+in the header", text) else None,
        "statuses": sorted(set(statuses)),
        "list_parameters": parameters,
    }


def _mend(raw: RawOperation, where: str) -> list[str]:
    """Name the lost rows of a body; give back the rows that its sample does not show."""
    if raw.request is None:
        if any(not row["name"] for block in raw.blocks for row in block):
            raise DamagedText(f"{where}: a nameless row and no sample to name it")
        return []
    name_lost_rows(raw.blocks[-1], raw.request, where)
    return sorted({row["name"] for row in raw.blocks[-1]} - raw.request.keys())


def build(text: str, operations: list[dict[str, str]]) -> dict[str, Any]:
    """All facts of one text; `operations` are the rows of the surface's table in the order of the text."""
    raws, statuses, introduction = split_operations(text)
    borrowed = [one for one in operations if one["evidence"] == "borrowed"]
    own = [one for one in operations if one["evidence"] != "borrowed"]
    if len(raws) != len(own):
        raise DamagedText(f"the text holds {len(raws)} operations, the table {len(own)}")
    hidden = {one["id"]: _mend(raw, one["id"]) for one, raw in zip(own, raws, strict=True)}

    rows = [row for raw in raws for block in raw.blocks for row in block]
    members = {str(one) for row in rows for key in ("enum", "item_enum") for one in row.get(key, [])}
    tables = {row["name"]: str(row.get("items", row["type"])) for row in rows}
    api = _introduction(introduction, statuses)

    facts: list[dict[str, Any]] = []
    for known, raw in zip(own, raws, strict=True):
        in_path = re.findall(r"\{(\w+)\}", known["path"])
        listed: list[dict[str, Any]] = []
        for number, block in enumerate(raw.blocks):
            body = raw.request is not None and number == len(raw.blocks) - 1
            for row in block:
                place = "body" if body else "path" if row["name"] in in_path else "query"
                listed.append({"name": row.pop("name"), "in": place, **row})
        if sorted(row["name"] for row in listed if row["in"] == "path") != sorted(in_path):
            raise DamagedText(f"{known['id']}: the path rows are not those of {known['path']}")
        if known["kind"] != "cursor":
            for row in listed:
                row.pop("time_field", None)
        query, body_names = ({row["name"] for row in listed if row["in"] == place} for place in ("query", "body"))
        taken = {row["name"] for row in listed}
        prose = [one["name"] for one in api["list_parameters"] if one["name"] not in taken]
        if known["kind"] != "pages":
            # Filters are said to narrow an export down, though its table shows none.
            prose = ["filter"] if known["kind"] == "export" and "filters to narrow" in raw.prose else []
        damage: set[str] = set()
        operation: dict[str, Any] = {key: value for key, value in known.items() if key != "surface"}
        operation["rows"] = listed
        operation["prose"] = prose
        operation["mirrored"] = sorted(query & body_names)
        if raw.request is not None:
            operation["request"] = shape(raw.request, (), tables, members, damage)
        operation["response"] = shape(raw.response, (), tables, members, damage)
        if hidden[known["id"]]:
            operation["url-not-shown"] = hidden[known["id"]]
        operation["damage"] = sorted(damage | {row["damage"] for row in listed if "damage" in row})
        facts.append(operation)
    return {
        "api": api,
        "operations": facts,
        "borrowed": [{key: value for key, value in one.items() if key != "surface"} for one in borrowed],
    }


# ---- writing ----


def dump(facts: dict[str, Any]) -> str:
    """JSON with one fact a line where that helps a diff, and samples as compact trees."""

    def flat(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False)

    def tree(value: Any, indent: str) -> str:
        if isinstance(value, dict) and any(isinstance(one, dict | list) for one in value.values()):
            inside = ",\n".join(f"{indent} {flat(key)}: {tree(one, indent + ' ')}" for key, one in value.items())
            return f"{{\n{inside}\n{indent}}}"
        if isinstance(value, list) and any(isinstance(one, dict) for one in value):
            return "[\n" + ",\n".join(f"{indent} {tree(one, indent + ' ')}" for one in value) + f"\n{indent}]"
        return flat(value)

    return tree(facts, "") + "\n"


def main(arguments: list[str]) -> int:
    if len(arguments) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 2
    table_file = Path(arguments[2]) if len(arguments) == 3 else FACTS / "operations.json"
    table = json.loads(table_file.read_text(encoding="utf-8"))
    for surface, source in zip(("network", "adsecurity"), arguments, strict=False):
        text = Path(source).read_text(encoding="utf-8")
        facts = build(text, [one for one in table if one["surface"] == surface])
        (FACTS / f"{surface}.json").write_text(dump({"surface": surface, **facts}), encoding="utf-8")
        rows = sum(len(one["rows"]) for one in facts["operations"])
        print(f"{surface}: {len(facts['operations'])} operations, {rows} rows")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
