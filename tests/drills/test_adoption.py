"""The vendor's file, adopted and generated: what is renamed pages to the end, what is new is callable, nothing is lost.

Their routes are others, `page`, `limit` and `cursor` are their paging, seven operations are only theirs.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from adsecurity import NetworkClient
from adsecurity.sandbox import Sandbox
from generator.official.adopt import main as adopt
from generator.official.check import main as check
from tests.drills.conftest import Later, generate
from tests.support import forms
from tests.support.disguise import Disguise
from tests.support.downstream import ROOT, sandbox_process
from tests.support.forms_table import HEAVY
from tests.support.our_specs import SURFACES, read_trees

FORMS = (forms.extra_operations, forms.renamed_paging, forms.trailing_slashes, forms.no_operation_ids)


@pytest.fixture(scope="session")
def adopted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the specs after both adoptions and of the package that they give, made once for all workers."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "adopted"
    shared.mkdir(exist_ok=True)
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "done").exists():
            shutil.copytree(ROOT / "specs", shared / "specs")
            for surface, tree in read_trees().items():
                official = shared / f"{surface}.json"
                document = Disguise(tree, words=HEAVY, forms=FORMS).document
                official.write_text(json.dumps(document), encoding="utf-8")
                assert adopt([str(official), "--specs", str(shared / "specs"), "--surface", surface]) == 0
            done = generate(shared / "specs", shared / "out")
            assert done.returncode == 0, done.stdout + done.stderr
            (shared / "done").touch()
    return shared


@pytest.fixture(scope="session")
def later(adopted: Path) -> Iterator[Later]:
    with sandbox_process("--spec-dir", str(adopted / "specs")) as urls:
        yield Later(adopted / "out", urls)


# Each list whole, and again in two pieces with the checkpoint of the first; what was sent, by the names that it has.
PAGED = """
import asyncio
from urllib.parse import parse_qsl
from adsecurity.sandbox import Sandbox

def calls(net, ads):
    seconds = {"start_time": "2026-11-01", "end_time": "2026-11-08"}
    days = {"start_date": "2026-11-01", "end_date": "2026-11-08"}
    (users,) = (route.path for route in net.routes() if route.operation == "listUsers")
    return {
        "pages": lambda **more: net.users.list(page_size=2, **more),
        "cursor": lambda **more: net.reports.clicks(integration_id="integration-1", **seconds, page_size=40, **more),
        "report-pages": lambda **more: ads.reports.clicks(
            integration_id="integration-1", **days, page_size=40, **more
        ),
        "no method": lambda **more: net.paginate(users, page_size=2, **more),
    }

def whole_and_pieces(call):
    whole = [str(row) for row in call()]
    iterator = iter(call())
    first = [str(next(iterator)) for _ in range(3)]
    return whole, first + [str(row) for row in call(resume=iterator.checkpoint())]

async def whole_and_pieces_async(call):
    whole = [str(row) async for row in call()]
    iterator = aiter(call())
    first = [str(await anext(iterator)) for _ in range(3)]
    return whole, first + [str(row) async for row in call(resume=iterator.checkpoint())]

async def read_async(keys):
    async with adsecurity.AsyncNetworkClient(**keys[0]) as net, adsecurity.AsyncAdsecurityClient(**keys[1]) as ads:
        return {name: await whole_and_pieces_async(call) for name, call in calls(net, ads).items()}

with Sandbox(today="2026-11-08", rows=300) as own:
    keys = [{"api_key": own.api_key, "base_url": url} for url in (own.network_url, own.adsecurity_url)]
    with adsecurity.NetworkClient(**keys[0]) as net, adsecurity.AdsecurityClient(**keys[1]) as ads:
        read = {name: whole_and_pieces(call) for name, call in calls(net, ads).items()}
    assert asyncio.run(read_async(keys)) == read
    for whole, pieces in read.values():
        assert pieces == whole and len(set(whole)) == len(whole)
    sent = [sorted(dict(parse_qsl(one.query))) for one in own.requests]
    names = sorted({name for query in sent for name in query})
    told = {"rows": {name: len(whole) for name, (whole, _) in read.items()}, "names": names}
"""


def test_lists_page_to_the_end_and_resume_by_their_names_of_the_parameters(later: Later) -> None:
    told = later.run(PAGED)
    with (
        Sandbox(today="2026-11-08", rows=300) as now,
        NetworkClient(api_key=now.api_key, base_url=now.network_url) as net,
    ):
        users = len(net.users.list().to_list())
    assert told["rows"] == {"pages": users, "cursor": 300, "report-pages": 300, "no method": users}
    assert users > 4
    assert {"page", "limit", "cursor"} <= set(told["names"])
    assert not [name for name in told["names"] if name.startswith("page[")]


def test_what_only_they_have_is_callable_and_listed(later: Later) -> None:
    code = """
listed = [route.evidence for client in (net, ads) for route in client.routes()]
assert set(listed) == {"official"} and len(listed) >= 108 + 14
coupon = net.coupon.create(code="A", percent_off=5.0)
assert coupon in [one.id for one in net.coupon.list()]
invoice = net.invoice.list().first()
assert net.invoice.get(invoice.id).due_on == invoice.due_on
assert net.invoice.delete(invoice.id) is None and net.health.get() is None
told = sorted(net.avatar.get("1").to_dict())
"""
    assert later.run(code) == ["url", "width"]


def test_a_checkpoint_from_before_the_adoption_goes_on_after_it(later: Later) -> None:
    span = {"integration_id": "integration-1", "start_time": "2026-11-01", "end_time": "2026-11-08"}
    with Sandbox(today="2026-11-08", rows=300) as now:
        with NetworkClient(api_key=now.api_key, base_url=now.network_url) as net:
            iterator = iter(net.reports.clicks(**span, page_size=40))
            first = [next(iterator).tx_id for _ in range(50)]
            whole = [row.tx_id for row in net.reports.clicks(**span)]
    code = f"""
from adsecurity.sandbox import Sandbox
with Sandbox(today="2026-11-08", rows=300) as own:
    with adsecurity.NetworkClient(api_key=own.api_key, base_url=own.network_url) as client:
        rest = client.reports.clicks(**{span!r}, page_size=40, resume={iterator.checkpoint()!r})
        told = [row.tx_id for row in rest]
"""
    assert [*first, *later.run(code)] == whole


@pytest.mark.parametrize("surface", SURFACES)
def test_the_server_of_their_file_answers_all_that_is_asked_of_it(
    adopted: Path, later: Later, surface: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("ADSECURITY_NETWORK_API_KEY", "ADSECURITY_API_KEY"):
        monkeypatch.setenv(name, "sandbox-key")
    arguments = [later.urls[surface], "--surface", surface, "--specs", str(adopted / "specs")]
    assert check([*arguments, "--ids", "integrationID=integration-1"]) == 0, capsys.readouterr().out
