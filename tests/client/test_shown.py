"""What prompts and notebooks show of clients, resources, lists, pages, jobs: short, true, escaped, nothing secret."""

from __future__ import annotations

import copy
import inspect
import pickle
import pydoc
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import adsecurity
from adsecurity.sandbox import Sandbox
from adsecurity_generated import SECRET_NAMES
from adsecurity_generated._operation import Surface
from adsecurity_generated.adsecurity.surface import SURFACE as ADSECURITY
from adsecurity_generated.network.surface import SURFACE as NETWORK
from tests.support.every_operation import CLIENTS, KEY, client, targets
from tests.support.our_specs import read_trees

SCRIPT = "<script>alert('x')</script>&amp;"
SECRET = "planted-secret"


class Text(HTMLParser):
    """The tags of a piece of HTML, and its text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data + " "


class Printer:
    """What IPython passes to `_repr_pretty_`."""

    def __init__(self, shown: Any) -> None:
        self.printed = ""
        shown._repr_pretty_(self, False)

    def text(self, text: str) -> None:
        self.printed += text


def refuse(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"{request.method} {request.url} was sent")


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("surface", CLIENTS)
def test_clients_resources_and_lists_say_what_they_are_and_send_nothing(surface: str, is_async: bool) -> None:
    made = client(surface, httpx.MockTransport(refuse), is_async=is_async)
    shown: list[Any] = [made, made.with_raw_response]
    for target in targets():
        if target.surface.name == surface:
            for base in (made, made.with_raw_response):
                resource = target.method(base).__self__
                name = target.op.resource.rpartition(".")[2]
                assert f" {name}" in repr(resource).replace(":", " ")
                assert name in Text(resource._repr_html_()).text.split()
                shown.append(resource)
            if target.op.kind in ("pages", "cursor", "report-pages"):
                for base in (made, made.with_raw_response):
                    paginator = target.call(base)
                    text = Text(paginator._repr_html_()).text
                    assert target.op.path in text
                    assert ("async for" in text) == is_async
                    shown.append(paginator)
    for one in shown:
        assert len(repr(one)) <= 1000
        assert "0x" not in repr(one)
        assert KEY not in repr(one) + one._repr_html_()
        assert set(Text(one._repr_html_()).tags) <= {"div", "p", "b", "table", "tbody", "tr", "td", "code"}
    assert "base_url='https://h.example'" in Text(made._repr_html_()).text


@pytest.mark.parametrize("surface", [NETWORK, ADSECURITY], ids=lambda surface: surface.name)
def test_a_resource_says_what_it_is_for_in_the_words_of_the_spec(surface: Surface) -> None:
    about = {tag["name"]: tag["description"] for tag in read_trees()[surface.name]["tags"]}
    words = {" ".join(text.replace('"', "'").split()).rstrip(".") for text in about.values()}
    for is_async in (False, True):
        made = client(surface.name, httpx.MockTransport(refuse), is_async=is_async)
        docs = [inspect.getdoc(type(target.method(made).__self__)) for target in targets() if target.surface is surface]
        assert {str(doc).partition("\n")[0].rstrip(".") for doc in docs} == words


def test_help_of_a_client_explains_every_argument_with_its_default() -> None:
    text = pydoc.render_doc(adsecurity.NetworkClient, renderer=pydoc.plaintext)
    described = re.search(r"__init__\(self.*?Args:\n(.*?)Raises:", text, re.DOTALL)
    assert described
    # An argument begins a line, and what follows of it is indented.
    arguments = re.split(r"\n? \|  {9}(?=\w)", described[1])[1:]
    told = dict(re.sub(r"\s*\n[ |]*", " ", one).split(": ", 1) for one in arguments)
    wanted = [name for name in inspect.signature(adsecurity.NetworkClient.__init__).parameters if name != "self"]
    assert list(told) == wanted
    for name, words in told.items():
        assert re.search(r"\. Default: \S", words), name
    for name, unit in {
        "timeout": "60 seconds",
        "retry": "180 seconds",
        "max_connections": "100",
        "max_response_bytes": "256 MiB",
        "min_bytes_per_minute": "60,000 bytes",
    }.items():
        assert unit in told[name]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rows=150, today="2026-11-08") as running:
        yield running


@pytest.fixture(scope="module")
def net(sandbox: Sandbox) -> Iterator[adsecurity.NetworkClient]:
    with adsecurity.NetworkClient(api_key=sandbox.api_key, base_url=sandbox.network_url) as made:
        yield made


def test_pages_and_lists_are_tables_of_the_most_telling_columns(net: adsecurity.NetworkClient) -> None:
    page = next(net.publishers.list(page_size=50).pages())
    whole, some = net.publishers.list().to_list(), net.publishers.list().to_list(limit=3)
    for shown, note in (
        (page, "Page 1: 20 of 50 items, 120 in all, 8 of 27 columns"),
        (page.items, "20 of 50 items, 8 of 27 columns"),
        (whole, "20 of 120 items, 8 of 27 columns"),
        (some, "3 items, 8 of 27 columns"),
    ):
        html: Any = Text(shown._repr_html_())
        text = Printer(shown).printed
        rows = html.tags.count("tr") - 1
        assert rows == min(20, len(shown))
        assert len(text.splitlines()) == rows + 2
        assert text.splitlines()[0].split()[:3] == ["id", "name", "email"]
        assert note in re.sub(r"\s+", " ", html.text)
        assert text.splitlines()[-1] == note
        for publisher in shown.items[:20] if isinstance(shown, adsecurity.Page) else shown[:20]:
            assert str(publisher.id) in html.text
            assert str(publisher.id) in text
    assert len(repr(page)) < 100


async def _async_shown(sandbox: Sandbox) -> list[Any]:
    async with adsecurity.AsyncNetworkClient(api_key=sandbox.api_key, base_url=sandbox.network_url) as made:
        page = await anext(aiter(made.publishers.list().pages()))
        return [page, page.items, await made.publishers.list().to_list()]


@pytest.mark.anyio
async def test_those_of_async_clients_are_the_same(sandbox: Sandbox, net: adsecurity.NetworkClient) -> None:
    page = next(net.publishers.list().pages())
    same = [page, page.items, net.publishers.list().to_list()]
    for one, other in zip(await _async_shown(sandbox), same, strict=True):
        assert one._repr_html_() == other._repr_html_()


def test_a_job_says_where_it_stands(net: adsecurity.NetworkClient) -> None:
    job = net.exports.clicks(
        "integration-1", start_time="2026-11-01", end_time="2026-11-08", fields=["tx_id"], extra_parameters=[]
    )
    assert "wait() for it" in Text(job._repr_html_()).text
    job.wait()
    text = Text(job._repr_html_()).text
    for told in (job.id, "COMPLETED", "150", job.artifact_name, "UTC", "download(path)"):
        assert told in text
    assert "guest_token" not in text


def listing(*rows: Any) -> adsecurity.NetworkClient:
    answer = httpx.Response(200, json={"data": rows, "meta": {"total_count": len(rows), "total_page": 1}})
    made: adsecurity.NetworkClient = client("network", httpx.MockTransport(lambda request: answer))
    return made


def test_text_of_the_server_is_escaped_and_secrets_are_masked_at_every_depth() -> None:
    rows = [
        {
            "id": SCRIPT,
            "name": "\x1b[2J",
            "password": SECRET,
            "x": {"api_key": SECRET, "deeper": [{"password": SECRET}]},
        }
    ]
    made = listing(*rows)
    lists = [made.users.list().to_list(), made.paginate("/api/v2/users").to_list()]
    # Nothing but secrets: there is nothing else to show.
    lists.append(listing({"password": SECRET}).users.list().to_list())
    lists.append(listing({"x": rows[0]["x"]}).users.list().to_list())
    for shown in lists:
        html, text = shown._repr_html_(), Printer(shown).printed
        assert SECRET not in html + text
        assert "script" not in Text(html).tags
        assert "\x1b" not in html + text
    assert SCRIPT.partition(">")[0] in Text(lists[0]._repr_html_()).text
    assert "***" in lists[2]._repr_html_()
    assert '{"api_key": "***"' in Printer(lists[3]).printed
    assert {"password", "api_key"} <= SECRET_NAMES


@pytest.mark.parametrize("rows", [[], ["text", None, 5], [{}], [{"id": "x" * 500}]])
def test_whatever_stands_in_a_list_is_shown(rows: list[Any]) -> None:
    shown = listing().users.list().to_list()
    shown += rows
    assert f"{len(rows)} items" in Text(shown._repr_html_()).text
    assert all(len(line) < 100 for line in Printer(shown).printed.splitlines())


@given(rows=st.lists(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=3), max_size=4))
def test_what_to_list_gives_is_a_list_in_every_other_way(rows: list[dict[str, Any]]) -> None:
    found = listing(*rows).paginate("/api/v2/users").to_list()
    assert isinstance(found, list)
    assert found == rows
    assert rows == found
    assert repr(found) == repr(rows)
    for same in (pickle.loads(pickle.dumps(found)), copy.copy(found), copy.deepcopy(found), found[:], [*found]):
        assert type(same) is list
        assert same == rows
