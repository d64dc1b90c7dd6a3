"""The README and the guide promise nothing that does not happen: programs, commands, targets, extras, links."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from itertools import takewhile
from pathlib import Path

import pytest

from adsecurity.sandbox import Sandbox
from tests.support.guide import ELSEWHERE, GUIDE, ROOT, Block, blocks, pages, run_program, variables
from tests.support.routes import typed_now

PAGES = pages()
PROGRAMS = [block for page in PAGES if page.name not in ELSEWHERE for block in blocks(page, "python")]
SESSIONS = [block for page in PAGES for block in blocks(page, "console")]
TOLD = sorted(
    {
        (words[1], words[2] if len(words) > 2 and re.fullmatch("[a-z][a-z-]*", words[2]) else "")
        for page in PAGES
        for block in blocks(page, "text")
        for line in block.text.splitlines()
        if len(words := line.split()) > 1 and words[0] == "adsecurity"
    }
)
"""Commands that ask or stay: their help is asked for instead."""
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
WRITES = re.compile(r"-o (\S+\.\w+)")
COMMAND = [sys.executable, "-W", "error", "-m", "adsecurity.cli"]


@pytest.mark.parametrize("block", PROGRAMS, ids=str)
def test_every_program_runs_as_it_stands(block: Block, sandbox: Sandbox, tmp_path: Path) -> None:
    done = run_program(block, sandbox, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    # The standard library logs to stderr.
    assert done.stderr == "" or "import logging" in block.text
    assert done.stdout or done.stderr, "a program shows what it did"


@pytest.mark.parametrize("block", SESSIONS, ids=str)
def test_every_line_of_a_session_works(block: Block, sandbox: Sandbox, tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")}
    environment = {**kept, **variables(sandbox), "ADSECURITY_CONFIG": str(tmp_path / "profiles.json")}
    for line in block.text.splitlines():
        assert line.startswith("$ "), f"what is no command stands in a text block: {line}"
        words = list(takewhile(lambda word: word != "&&", shlex.split(line[2:], comments=True)))
        # A page that names a route shows what it was when the page was written.
        words = typed_now(words)
        if words[0] == "adsecurity":
            done = subprocess.run(
                [*COMMAND, *words[1:]], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120
            )
            assert done.returncode == 0, f"{line}\n{done.stderr}"
            if found := WRITES.search(line):
                assert (tmp_path / found[1]).stat().st_size > 0
        elif words[:2] == ["python", "-m"]:
            done = subprocess.run([sys.executable, *words[1:3], "--help"], capture_output=True, text=True)
            assert done.returncode == 0, f"{line}\n{done.stderr}"
        elif words[0] == "make":
            assert {word for word in words[1:] if re.fullmatch("[a-z-]+", word)} <= TARGETS, line
        else:
            assert words[0] in ("pip", "export"), f"nothing tests {line}"


@pytest.mark.parametrize("words", TOLD, ids=" ".join)
def test_every_command_that_asks_or_stays_is_there(words: tuple[str, str]) -> None:
    done = subprocess.run([*COMMAND, *filter(None, words), "--help"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_is_of_a_kind_that_is_tested_or_plain_text(page: Path) -> None:
    for block in blocks(page):
        assert block.language in ("python", "console", "text", "toml"), block
        assert block.language == "python" or "import adsecurity" not in block.text, f"{block} hides a program"
    assert page.read_text(encoding="utf-8").count("```") == 2 * len(blocks(page))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in _links(page.read_text(encoding="utf-8")):
        address, _, anchor = link.partition("#")
        if address.startswith("https://"):
            continue
        target = page.parent / address if address else page
        assert target.exists(), link
        if anchor:
            assert anchor in _anchors(target.read_text(encoding="utf-8")), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_extra_that_is_told_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    told = {name for group in re.findall(r"adsecurity\[([\w,]+)\]", text) for name in group.split(",")}
    assert told <= set(EXTRAS)


def test_every_page_of_the_guide_is_linked_from_the_readme() -> None:
    linked = {Path(link.partition("#")[0]).name for link in _links(PAGES[0].read_text(encoding="utf-8"))}
    assert {page.name for page in GUIDE.glob("*.md")} <= linked


def _links(text: str) -> list[str]:
    return re.findall(r"\]\(([^)]+)\)", re.sub(r"```.*?```", "", text, flags=re.DOTALL))


def _anchors(text: str) -> set[str]:
    """The names that GitHub and GitLab give to headings."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
