"""Import and first call, in fresh processes, beside a Python that does nothing."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Sequence

import attrs

from tests.bench.cases import Goal, Outcome, Setting
from tests.bench.child import NOT_INSTALLED
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
        jobs = {name: (lambda script=script: _start(script)) for name, script in scripts.items()}
        alternately(jobs, 1)  # compiles what has to be compiled
        found = alternately(jobs, setting.of(21, 10))
    bare = found.pop("bare")
    more = {name: _over(starts, bare) for name, starts in found.items()}
    ours, theirs = more["first call over https, answered"], more["httpx, first call over https"]
    goals = [
        Goal.under("import adsecurity, over bare Python", more["import adsecurity"].wall, "ms", 10.0),
        Goal.under(
            "first call over TLS, more than httpx's own",
            ours.wall - theirs.wall,
            "ms",
            10.0,
            f"httpx: {theirs.wall:.0f} ms; {ours.cpu - theirs.cpu:.0f} ms more of processor time",
        ),
    ]
    seen = [("bare Python", f"{median(bare, lambda start: start.wall) * 1000:.1f} ms")]
    seen += [(name, f"+{one.wall:.1f} ms; +{one.cpu:.1f} ms of processor time") for name, one in more.items()]
    return Outcome(goals, seen, "Start")


@attrs.frozen
class _Start:
    wall: float
    cpu: float


def _over(starts: Sequence[_Start], bare: Sequence[_Start]) -> _Start:
    """How much longer they take, in milliseconds."""
    walls, cpus = (
        median(starts, get) - median(bare, get) for get in (lambda start: start.wall, lambda start: start.cpu)
    )
    return _Start(walls * 1000, cpus * 1000)


def _start(script: str) -> _Start:
    before, started = _children(), time.perf_counter()
    subprocess.run([sys.executable, "-c", f"{NOT_INSTALLED}\n{script}"], cwd=ROOT, env=environment(), check=True)
    return _Start(time.perf_counter() - started, _children() - before)


def _children() -> float:
    """Processor time of all processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
