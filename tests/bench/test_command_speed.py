"""How long people wait for the command, beside what they would wait for anyway."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import environment as environment
from tests.cli.conftest import sandbox as sandbox

ROUNDS = 9
BARE = """
import click

@click.group()
def main():
    "A program."

@main.command()
@click.option("--name", help="A name.")
def hello(name):
    "Say hello."

main()
"""
LIST = """
import json
import adsecurity

with adsecurity.NetworkClient() as net:
    for offer in net.offers.list("integration-1"):
        print(json.dumps(offer.to_dict()))
"""


@pytest.fixture
def measured(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """An environment in which modules are compiled once, and nothing is measured but the program."""
    kept = {name: value for name, value in environment.items() if not name.startswith(("COVERAGE", "COV_"))}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**kept, "PYTHONPYCACHEPREFIX": str(tmp_path / "compiled")}


def seconds(command: list[str], environment: dict[str, str]) -> float:
    """Processor time of a whole process: what else the machine does is not in it."""
    before = os.times()
    subprocess.run(command, env=environment, check=True, capture_output=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def ratio(ours: list[str], bare: list[str], environment: dict[str, str]) -> float:
    """Ours over the other's, in turn, the quickest of each."""
    for command in (ours, bare):
        seconds(command, environment)
    rounds = [(seconds(ours, environment), seconds(bare, environment)) for _ in range(ROUNDS)]
    return min(own for own, _ in rounds) / min(other for _, other in rounds)


@pytest.mark.parametrize("words", [[], ["network"], ["network", "offers", "list"]], ids=["root", "api", "command"])
def test_help_takes_at_most_half_as_long_again_as_a_bare_click_program(
    words: list[str], measured: dict[str, str]
) -> None:
    ours = [sys.executable, "-m", "adsecurity.cli", *words, "--help"]
    assert ratio(ours, [sys.executable, "-c", BARE, "--help"], measured) <= 1.5


def test_a_list_takes_hardly_longer_than_the_same_call_in_python(measured: dict[str, str]) -> None:
    ours = [sys.executable, "-m", "adsecurity.cli", "network", "offers", "list", "integration-1"]
    assert ratio(ours, [sys.executable, "-c", LIST], measured) <= 1.3
