"""Completion: scripts for three shells, and what they ask for, also of the API."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from adsecurity.sandbox import Sandbox
from tests.support.terminal import Terminal

from .conftest import COMMAND, Run


def ask(cli: Run, line: str, env: dict[str, str] | None = None) -> list[str]:
    """What bash would be offered behind a line."""
    words = line.split(" ")
    variables = {"_ADSECURITY_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    done = cli(env={**variables, **(env or {})})
    assert done.stderr == ""
    return [one.partition(",")[2] for one in done.stdout.splitlines() if one]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_script_that_it_can_read(shell: str, cli: Run, tmp_path: Path) -> None:
    done = cli("completion", shell)
    assert done.returncode == 0
    assert "_ADSECURITY_COMPLETE" in done.stdout
    if found := shutil.which(shell):
        script = tmp_path / "script"
        script.write_text(done.stdout, encoding="utf-8")
        assert subprocess.run([found, "-n", str(script)], capture_output=True).returncode == 0


@pytest.mark.parametrize(
    ("shell", "begin"),
    [
        (["bash", "--norc", "--noprofile", "-i"], ""),
        (["zsh", "-f", "-i"], "autoload -Uz compinit; compinit -u -D; "),
        (["fish", "--no-config", "-i"], ""),
    ],
    ids=["bash", "zsh", "fish"],
)
def test_a_tab_in_a_real_shell_offers_commands_and_ids(
    shell: list[str], begin: str, cli: Run, environment: dict[str, str], sandbox: Sandbox, tmp_path: Path
) -> None:
    if shutil.which(shell[0]) is None:
        pytest.skip(f"{shell[0]} is not installed")
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "adsecurity"
    command.write_text(f'#!/bin/sh\nexec {shlex.join(COMMAND)} "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    script = tmp_path / "script"
    script.write_text(cli("completion", shell[0]).stdout, encoding="utf-8")
    offer = json.loads(cli("network", "offers", "list", "integration-1", "--limit", "1").stdout)["id"]
    variables = {
        **environment,
        "PATH": f"{command.parent}{os.pathsep}{environment['PATH']}",
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path),
        "TERM": "dumb" if shell[0] == "fish" else "xterm",
    }
    with Terminal(shell, env=variables, cwd=tmp_path) as screen:
        screen.type(f"{begin}source {script}; echo rea''dy\n")
        screen.expect("ready")
        # One that fits alone is completed.
        screen.type("adsecurity network offer-e\t")
        screen.expect("offer-events")
        screen.type(f"list integration-1 {offer[:10]}\t")
        screen.expect(offer)


def test_groups_commands_options_and_values_are_offered(cli: Run) -> None:
    assert {"network", "adsecurity", "export"} <= set(ask(cli, "adsecurity "))
    assert ask(cli, "adsecurity network off") == ["offers", "offer-events"]
    assert ask(cli, "adsecurity network offers cr") == ["create"]
    assert ask(cli, "adsecurity network offers create i --curr") == ["--currency"]
    assert ask(cli, "adsecurity network offers create i --currency ") == ["USD", "EUR"]
    assert ask(cli, "adsecurity export cl") == ["clicks"]


def test_ids_are_offered_by_the_api(cli: Run, sandbox: Sandbox) -> None:
    offers = ask(cli, "adsecurity network offers get integration-1 ")
    assert len(offers) == 100
    assert ask(cli, f"adsecurity network offers get integration-1 {offers[3][:6]}") == [offers[3]]
    assert ask(cli, "adsecurity network offer-events list integration-1 ") == offers
    assert len(ask(cli, "adsecurity network offers bulk-delete integration-1 ")) == 100
    assert ask(cli, "adsecurity adsecurity publisher-view offers get 654321abcd ")


def test_where_the_api_cannot_be_asked_nothing_is_offered(cli: Run) -> None:
    assert ask(cli, "adsecurity network offers get ") == []
    assert ask(cli, "adsecurity network users get ", env={"ADSECURITY_NETWORK_API_KEY": ""}) == []


def test_profiles_are_offered(cli: Run, tmp_path: Path) -> None:
    assert cli("--profile", "nightly", "config", "set", "--surface", "network", "--from-env").returncode == 0
    assert ask(cli, "adsecurity --profile ni") == ["nightly"]
    (tmp_path / "config" / "profiles.json").write_text("no", encoding="utf-8")
    assert ask(cli, "adsecurity --profile ni") == []
