"""Each extra installs alone and does its work; where it is missing, the error names the pip command."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import TypeAlias

import pytest

Run: TypeAlias = Callable[[str], "subprocess.CompletedProcess[str]"]

CLIENT = """
import sys
import httpx
import adsecurity

def answer(request):
    if "click-table" in request.url.path:
        row = {"tx_id": "t1", "payout": 1.5, "request_time": "2026-11-01T10:00:00Z"}
        return httpx.Response(200, json={"data": {"count": 1, "data": [row], "pageInfo": {"hasNextPage": False}}})
    users = {"data": [{"id": "1", "email": "a@example.com"}], "meta": {"total_count": 1, "total_page": 1}}
    return httpx.Response(200, json=users)

def client():
    transport = httpx.MockTransport(answer)
    return adsecurity.NetworkClient(api_key="k", base_url="https://network.example", transport=transport)

def clicks(net):
    return net.reports.clicks(integration_id="i", start_time="2026-11-01", end_time="2026-11-02")
"""

WORK = {
    "": """
        with client() as net:
            assert [user.email for user in net.users.list()] == ["a@example.com"]
        from adsecurity.testing import make
        from adsecurity.types.network import User
        assert make(User, email="b@example.com").email == "b@example.com"
        heavy = {"msgspec", "pyarrow", "starlette", "uvicorn", "jsonschema_rs"}
        assert not heavy & set(sys.modules)
    """,
    "fast": """
        with client() as net:
            # A single small page is read without it.
            list(clicks(net))
            (row,) = clicks(net)
        assert (row.tx_id, row.payout, row.request_time.hour) == ("t1", 1.5, 10)
        assert "msgspec" in sys.modules
        import sniffio
    """,
    "parquet": """
        with client() as net:
            clicks(net).to_parquet("clicks.parquet")
        import pyarrow.parquet
        (found,) = pyarrow.parquet.read_table("clicks.parquet", columns=["tx_id", "payout"]).to_pylist()
        assert found == {"tx_id": "t1", "payout": 1.5}
    """,
    "sandbox": """
        from adsecurity.sandbox import Sandbox
        with Sandbox(rows=50, today="2026-11-08") as sandbox:
            with adsecurity.NetworkClient(api_key=sandbox.api_key, base_url=sandbox.network_url) as net:
                assert net.users.list().first().id
    """,
    "progress": """
        from adsecurity.display.progress import Bar
        import io
        class Screen(io.StringIO):
            def isatty(self):
                return True
        quiet, sys.stderr = sys.stderr, Screen()
        with Bar("clicks", total=10) as bar:
            bar.at(10)
        drawn, sys.stderr = sys.stderr.getvalue(), quiet
        assert "clicks: 100%" in drawn
    """,
    "cli": """
        import pathlib
        import subprocess
        command = pathlib.Path(sys.executable).with_name("adsecurity")
        words = ["network", "offers", "list", "--help"]
        for begin in ([command], [sys.executable, "-I", "-m", "adsecurity.cli"]):
            done = subprocess.run([*begin, *words], capture_output=True, text=True, check=True)
            assert "--filter FIELD=VALUE" in done.stdout
    """,
}

MISSING = {
    "parquet": """
        with client() as net:
            clicks(net).to_parquet("clicks.parquet")
    """,
    "sandbox": """
        from adsecurity.sandbox import Sandbox
        Sandbox().start()
    """,
    "progress": """
        from adsecurity.display.progress import Bar
        Bar("clicks")
    """,
    "cli": """
        from adsecurity.cli import main
        sys.exit(main())
    """,
    "spark": """
        import adsecurity.spark
    """,
}


def indented(program: str) -> str:
    return CLIENT + "\n".join(line[8:] for line in program.splitlines())


@pytest.mark.parametrize("extra", WORK)
def test_an_extra_works_alone(extra: str, environment: Callable[..., Run]) -> None:
    done = environment(extra)(indented(WORK[extra]))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_a_missing_extra_names_its_pip_command(environment: Callable[..., Run]) -> None:
    run = environment()
    for extra, program in MISSING.items():
        done = run(indented(program))
        assert done.returncode == 1, extra
        assert f"pip install 'adsecurity[{extra}]'" in done.stderr.strip().splitlines()[-1]
    done = run("import runpy; runpy.run_module('adsecurity.sandbox', run_name='__main__')")
    assert done.returncode != 0
    assert "pip install 'adsecurity[sandbox]'" in done.stderr.strip().splitlines()[-1]
