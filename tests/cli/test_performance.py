"""`adsecurity report performance`: sums by any column, as a table, as bars, as a picture."""

from __future__ import annotations

import csv
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from adsecurity.cli.chart import bar, draw_html, draw_terminal
from adsecurity.cli.performance import added_up

from .conftest import Open, Run

WORDS = ("report", "performance", "--integration", "integration-1", "--since", "2026-11-01", "--until", "2026-11-09")


def test_it_adds_up_to_the_same_total_whatever_it_is_split_by(cli: Run) -> None:
    totals = set()
    for column in ("date", "offer", "publisher"):
        rows = [json.loads(line) for line in cli(*WORDS, "--by", column).stdout.splitlines()]
        assert list(rows[0]) == [column, "clicks_total", "conversions_total", "payout", "revenue"]
        assert len({row[column] for row in rows}) == len(rows)
        totals.add(sum(row["clicks_total"] for row in rows))
    assert totals == {600}


def test_days_stand_in_their_order_and_the_rest_by_size(cli: Run) -> None:
    days = [row["date"] for row in csv.DictReader(cli(*WORDS, "-o", "csv").stdout.splitlines())]
    assert days == sorted(days)
    rows = json.loads(cli(*WORDS, "--by", "offer", "--metric", "revenue", "-o", "json").stdout)
    revenues = [row["revenue"] for row in rows]
    assert revenues == sorted(revenues, reverse=True)


def test_a_terminal_gets_a_table_or_bars(terminal: Open) -> None:
    with terminal(*WORDS) as screen:
        assert screen.end() == 0
    assert "2026-11-01" in screen.text
    with terminal(*WORDS, "--by", "offer", "--chart", "--top", "4") as screen:
        assert screen.end() == 0
    lines = [line for line in screen.text.splitlines() if "█" in line]
    assert len(lines) == 4
    assert [line.count("█") for line in lines] == sorted((line.count("█") for line in lines), reverse=True)


class Loads(HTMLParser):
    """Everything in a page that would be fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.bars = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.bars += tag == "rect"
        self.found += [tag] if tag in ("script", "link", "img", "iframe", "object", "image", "use") else []
        self.found += [name for name, _ in attrs if name in ("src", "href", "xlink:href")]


def test_a_picture_needs_no_network(cli: Run, tmp_path: Path) -> None:
    assert cli(*WORDS, "--by", "offer", "--chart", "-o", "chart.html").returncode == 0
    page = (tmp_path / "chart.html").read_text(encoding="utf-8")
    seen = Loads()
    seen.feed(page)
    assert seen.found == []
    assert seen.bars == 25
    assert "://" not in page
    assert "url(" not in page


@pytest.mark.parametrize(("option", "said"), [("--by", "offer"), ("--metric", "revenue")])
def test_a_wrong_column_is_refused_with_the_nearest(option: str, said: str, cli: Run) -> None:
    done = cli(*WORDS, option, f"{said}x")
    assert done.returncode == 2
    assert said in done.stderr
    assert cli(*WORDS, "--metric", "conversion_rate").returncode == 2


def test_rows_of_a_group_become_one() -> None:
    rows = [{"a": "x", "n": 1}, {"a": "y", "n": None}, {"a": "x", "n": 0.1}, {"n": 0.2}]
    expected = [{"a": "x", "n": 1.1}, {"a": "y", "n": 0}, {"a": "", "n": 0.2}]
    assert added_up(rows, ["a"], ["n"]) == expected


def test_bars_are_honest_and_labels_harmless(capsys: pytest.CaptureFixture[str]) -> None:
    assert bar(1, 4, plain=False) == "████"
    assert bar(0.5, 3, plain=False) == "█▌"
    assert bar(0.5, 4, plain=True) == "##"
    draw_terminal([{"o": "\x1b[31mred" + "x" * 60, "n": -2}, {"o": "", "n": 1.25}], ["o"], "n")
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert "1.25" in shown
    draw_terminal([], ["o"], "n")
    assert "nothing found" in capsys.readouterr().err
    page = draw_html([{"o": "<script>alert(1)</script>", "n": 3}], ["o"], "n")
    assert "<script>" not in page
    assert re.search(r"<p>nothing found</p>", draw_html([], ["o"], "n"))
