"""`adsecurity sandbox`: prints what to copy, and what it prints works."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

from .conftest import COMMAND, Run


def test_what_it_prints_works_in_a_shell_and_in_python(environment: dict[str, str], tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "sandbox", "--rows", "20", "--latency", "1ms"],
        env=environment, cwd=tmp_path, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        told = ""
        while "AdsecurityClient" not in told:
            line = process.stdout.readline()
            assert line, told
            told += line
        exports = dict(re.findall(r"^ {2}export (\w+)=(\S+)$", told, re.MULTILINE))
        assert len(exports) == 4
        (command,) = re.findall(r"^ {2}adsecurity (network .*)$", told, re.MULTILINE)
        bare = {name: value for name, value in environment.items() if not name.startswith("ADSECURITY_")}
        listed = subprocess.run(
            [*COMMAND, *command.split()], env={**bare, **exports}, capture_output=True, text=True, cwd=tmp_path
        )
        assert listed.returncode == 0, listed.stderr
        assert "organization 654321abcd" in told
        for line in re.findall(r"^ {2}(import adsecurity; .*)$", told, re.MULTILINE):
            program = f"{line}\nfound = {line.split()[2]}\nprint(found.advertisers.list().first().id)\nfound.close()"
            ran = subprocess.run(
                [sys.executable, "-c", program], env=bare, capture_output=True, text=True, cwd=tmp_path
            )
            assert ran.returncode == 0, ran.stderr
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        process.stdout.close()


def test_what_it_cannot_be_told_is_refused(cli: Run) -> None:
    assert cli("sandbox", "--fault", "503").returncode == 2
    assert cli("sandbox", "--latency", "soon").returncode == 2
    program = (
        "import sys; sys.modules['uvicorn'] = None; from adsecurity.cli.app import run; sys.exit(run(['sandbox']))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 1
    assert "adsecurity[sandbox]" in done.stderr


def test_a_port_that_is_taken_is_said(cli: Run) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = cli("sandbox", "--port", str(taken.getsockname()[1]))
    assert done.returncode == 1
    assert "cannot start" in done.stderr
