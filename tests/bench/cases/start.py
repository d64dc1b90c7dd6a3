"""Import and first call, in fresh processes, beside a Python that does nothing."""

from __future__ import annotations

import subprocess
import sys
import time

from tests.bench.cases import Goal, Outcome, Setting
from tests.bench.child import NO_COMMAND_LINE
from tests.bench.contenders import KEY, plain
from tests.bench.measure import alternately, median
from tests.bench.servers import ROOT, environment, serving

_OURS = f"""
import adsecurity
client = adsecurity.NetworkClient(api_key="{KEY}", base_url="{{url}}", retry=adsecurity.RetryPolicy(attempts=1))
"""
_REFUSED = (
    _OURS
    + """
try:
    client.users.list().first()
except adsecurity.APIConnectionError:
    pass
"""
)
_HTTPX = """
import httpx
client = httpx.Client()
assert client.get("{url}/api/v2/users", headers={{"API-KEY": "k"}}).json()["data"][0]["id"] == "u1"
"""
_ANSWERED = _OURS + "assert client.users.list().first().id == 'u1'\n"
_PLAIN = f"""
import sys
sys.path.insert(0, "{{home}}")
import plain_network
from plain_network.api.users import list_users
client = plain_network.AuthenticatedClient("{{url}}", token="{KEY}", prefix="", auth_header_name="API-KEY")
assert list_users.sync(client=client).data[0].id == "u1"
"""


def run(setting: Setting) -> Outcome:
    with serving() as server, serving(tls=True) as secured:
        scripts = {
            "bare": "pass",
            "import adsecurity": "import adsecurity",
            # Nobody listens there: all of a first call over TLS but the other side.
            "first call over https, refused": _REFUSED.format(url="https://127.0.0.1:9"),
            "first call over http, answered": _ANSWERED.format(url=server.api),
            "first call over https, answered": _ANSWERED.format(url=secured.api),
            "httpx, first call over https": _HTTPX.format(url=secured.api),
            "import httpx": "import httpx",
            "httpx.Client()": "import httpx; httpx.Client()",
            "plain generated, first call over http": _PLAIN.format(home=plain.made(), url=server.api),
            "import pydantic, httpx": "import pydantic, httpx",
        }
        jobs = {name: (lambda script=script: _seconds(script)) for name, script in scripts.items()}
        alternately(jobs, 1)  # compiles what has to be compiled
        found = alternately(jobs, setting.of(21, 10))
    bare = median(found.pop("bare"))
    over = {name: (median(seconds) - bare) * 1000 for name, seconds in found.items()}
    first = max(over["first call over https, refused"], over["first call over http, answered"])
    goals = [
        Goal.under("import adsecurity, over bare Python", over["import adsecurity"], "ms", 10.0),
        Goal.under(
            "first call over TLS, more than httpx's own",
            over["first call over https, answered"] - over["httpx, first call over https"],
            "ms",
            10.0,
            f"httpx: {over['httpx, first call over https']:.0f} ms",
        ),
        Goal.under(
            "first call ready, over bare Python", first, "ms", 120.0, f"httpx.Client(): {over['httpx.Client()']:.0f} ms"
        ),
    ]
    seen = [("bare Python", f"{bare * 1000:.1f} ms"), *((name, f"+{more:.1f} ms") for name, more in over.items())]
    return Outcome(goals, seen, "Start")


def _seconds(script: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", f"{NO_COMMAND_LINE}\n{script}"], cwd=ROOT, env=environment(), check=True)
    return time.perf_counter() - started
