"""The extractor mends what a scrape damages, says so, and refuses what it has no rule for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.specs import extract_facts
from tests.specs.scraped import DamagedText, read_row

# A made-up API, scraped as the real ones were: the names, types and sentences are this test's own.
TEXT = """Read tea as data. The host of each pot is https://tea.example and that is it.
Use a API-KEY
and Content-Type
in the header.
filter[colour]=green, sort=-age, page[number]=2 and page[size]=5; the max limit is 50.
Code | Description |
---|---|
200 | fine |
404, 410 | none |
| 500 | broken |
{
"a prose sample": 1
}
{- "data": [
- {
- "id": "string",
- "steeped_at": "2019-08-24T14:15:22Z",
- "harvested": "2019-08-24",
- "payout": 0,
- "cup_count": 0,
- "steep": 3,
- "labels": {
- "property1": true,
- "property2": true
}, - "by_host": {
- "10.0.0.1": "string"
}
}
], - "meta": {
- "total_page": 0
}
}Brew a tea.
| gardenID required | string The garden |
All about the tea
| colour required | string Enum: "green" "black" |
string | |
object (tea.Kettle) | |
Array of objects (tea.Leaf) <= 9 items unique |
| name | string <= 20 characters Default: "tea" What it says |
| strength | integer (tea.Strength) Enum: 0 1 |
| tags | Array of strings Items Enum: "cold" "hot" |
| website | string |
{- "colour": "green",
- "email": "string",
- "kettle": {
- "size": 1
}, - "leaves": [
- {
- "any": null
}
], - "name": "string",
- "strength": 0,
- "tags": [
- "cold"
],
}{- "created_item_id": "string"
}
organization | string <date> Where start_time is (format: 2006-01-02 15:04:05) |
colour required | string |
{- "success": true
}
{- "data": [
]
}
"""

OPERATIONS = [
    {"id": "listTeas", "sdk": "teas.list", "method": "GET", "path": "/teas", "kind": "pages", "evidence": "inferred"},
    {
        "id": "createTea",
        "sdk": "teas.create",
        "method": "POST",
        "path": "/gardens/{gardenID}/teas",
        "kind": "create",
        "evidence": "inferred",
    },
    {
        "id": "watchTea",
        "sdk": "teas.watch",
        "method": "POST",
        "path": "/watch",
        "kind": "write",
        "evidence": "inferred",
    },
    {"id": "allTeas", "sdk": "teas.all", "method": "GET", "path": "/all", "kind": "pages", "evidence": "inferred"},
    {"id": "lent", "sdk": "teas.lent", "method": "GET", "path": "/lent", "kind": "one", "evidence": "borrowed"},
]


@pytest.fixture(scope="module")
def facts() -> dict[str, Any]:
    return extract_facts.build(TEXT, OPERATIONS)


def test_the_introduction_gives_host_header_statuses_and_list_parameters(facts: dict[str, Any]) -> None:
    assert facts["api"] == {
        "key_header": "API-KEY",
        "host": "https://tea.example",
        "content_type": "application/json",
        "statuses": ["200", "404", "410", "500"],
        "list_parameters": [
            {"name": "page[number]"},
            {"name": "page[size]", "maximum": 50},
            {"name": "filter"},
            {"name": "sort"},
        ],
    }


def test_operations_are_cut_where_an_answer_ends_even_without_prose_between(facts: dict[str, Any]) -> None:
    assert [one["id"] for one in facts["operations"]] == ["listTeas", "createTea", "watchTea", "allTeas"]
    assert [one["id"] for one in facts["borrowed"]] == ["lent"]
    assert "request" not in facts["operations"][2]
    assert facts["operations"][2]["response"] == {"success": "boolean"}


def test_a_table_without_a_sample_is_parameters(facts: dict[str, Any]) -> None:
    assert facts["operations"][2]["rows"] == [
        {
            "name": "organization",
            "in": "query",
            "type": "string",
            "required": False,
            "format": "date",
            "layout": "second",
        },
        {"name": "colour", "in": "query", "type": "string", "required": True},
    ]


def test_lost_names_are_found_by_alphabet_and_sample_and_marked(facts: dict[str, Any]) -> None:
    rows = {row["name"]: row for row in facts["operations"][1]["rows"]}
    assert list(rows) == ["gardenID", "colour", "email", "kettle", "leaves", "name", "strength", "tags", "website"]
    assert rows["gardenID"]["in"] == "path"
    assert {row["in"] for name, row in rows.items() if name != "gardenID"} == {"body"}
    assert rows["email"]["damage"] == "name-obfuscated"
    assert (rows["kettle"]["damage"], rows["kettle"]["ref"]) == ("name-was-button", "Kettle")
    assert facts["operations"][1]["url-not-shown"] == ["website"]


def test_every_facet_of_a_row_is_read(facts: dict[str, Any]) -> None:
    rows = {row["name"]: row for row in facts["operations"][1]["rows"]}
    assert (rows["colour"]["required"], rows["colour"]["enum"]) == (True, ["green", "black"])
    assert (rows["leaves"]["items"], rows["leaves"]["max_items"], rows["leaves"]["unique"]) == ("object", 9, True)
    assert (rows["name"]["max_length"], rows["name"]["default"]) == (20, "tea")
    assert (rows["strength"]["ref"], rows["strength"]["enum"]) == ("Strength", [0, 1])
    assert rows["tags"]["item_enum"] == ["cold", "hot"]
    assert read_row("share | integer <= 100 How much |") == {
        "name": "share",
        "type": "integer",
        "required": False,
        "maximum": 100,
    }


def test_samples_become_trees_of_types_with_maps_marked(facts: dict[str, Any]) -> None:
    listed = facts["operations"][0]
    assert listed["response"] == {
        "data": [
            {
                "id": "string",
                "steeped_at": "date-time",
                "harvested": "date",
                "payout": "number",
                "cup_count": "integer",
                "steep": "numeric",
                "labels": {"{}": "boolean"},
                "by_host": {"{}": "string"},
            }
        ],
        "meta": {"total_page": "integer"},
    }
    assert listed["damage"] == ["map-by-example", "map-by-placeholder"]
    assert facts["operations"][1]["request"]["leaves"] == [{"any": "null"}]
    assert facts["operations"][1]["request"]["colour"] == "string=green"


def test_no_sentence_of_the_text_gets_into_the_facts(facts: dict[str, Any]) -> None:
    written = extract_facts.dump(facts)
    assert [one for one in ("Brew", "The garden", "All about", "What it says", "prose sample") if one in written] == []


def test_the_same_texts_give_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = [{"surface": surface, **one} for surface in ("network", "adsecurity") for one in OPERATIONS]
    (tmp_path / "table.json").write_text(json.dumps(table), encoding="utf-8")
    (tmp_path / "tea.txt").write_text(TEXT, encoding="utf-8")
    monkeypatch.setattr(extract_facts, "FACTS", tmp_path)
    written = []
    for _ in range(2):
        text, table_file = str(tmp_path / "tea.txt"), str(tmp_path / "table.json")
        assert extract_facts.main([text, text, table_file]) == 0
        written.append((tmp_path / "network.json").read_bytes())
    assert written[0] == written[1]
    assert json.loads(written[0])["surface"] == "network"


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("string | |", "text | |", "no type in row"),
        ('- "email": "string",\n', '- "email": "string",\n- "email": "string",\n', "stands twice"),
        ("object (tea.Kettle) | |", "object (tea.Kettle) | |\nobject (tea.Lid) | |", "fit the nameless row"),
        ("| gardenID required |", "| orchardID required |", "path rows are not those"),
        ('"property2": true', '"property2": 0', "values of the map"),
        ('{- "data": [\n]\n}\n', "", "3 operations, the table 4"),
        ('"total_page": 0', '"total_page": nought', "no JSON|JSON wanted"),
        ('{- "data": [\n]\n}\n', 'string | |\n{- "data": [\n]\n}\n', "no sample to name it"),
    ],
)
def test_damage_without_a_rule_is_refused(old: str, new: str, complaint: str) -> None:
    at = TEXT.rindex(old)
    damaged = TEXT[:at] + new + TEXT[at + len(old) :]
    with pytest.raises(DamagedText, match=complaint):
        extract_facts.build(damaged, OPERATIONS)


def test_text_after_the_last_sample_is_refused() -> None:
    with pytest.raises(DamagedText, match="after the last sample"):
        extract_facts.build(TEXT + "One more thing.", OPERATIONS)
