"""What people import: the names that are promised, none of them paid for before it is used."""

from __future__ import annotations

import json
import subprocess
import sys
import types as python_types
import typing
import warnings
from typing import Any

import httpx
import pytest

import adsecurity
from adsecurity import types
from tests.support.demo.drivers import Driver, Server
from tests.support.demo.surface import CREATE, OLD
from tests.support.our_specs import read_trees
from tests.support.routes import in_our_names, path_of, routes

NAMES = {
    "AdsecurityClient",
    "AsyncAdsecurityClient",
    "AsyncExportJob",
    "AsyncNetworkClient",
    "AsyncPaginator",
    "AsyncRawPaginator",
    "ExportJob",
    "NetworkClient",
    "Page",
    "ErrorEvent",
    "PageEvent",
    "Paginator",
    "PollEvent",
    "RawPaginator",
    "RawResponse",
    "RequestEvent",
    "ResponseEvent",
    "RetryEvent",
    "RetryPolicy",
    "State",
    "RouteInfo",
    "__version__",
    "errors",
    "types",
}


def test_the_public_names_are_the_promised_ones_and_all_there() -> None:
    assert set(adsecurity.__all__) == NAMES | set(adsecurity.errors.__all__)
    assert len(adsecurity.__all__) == len(set(adsecurity.__all__))
    for name in adsecurity.__all__:
        assert getattr(adsecurity, name) is not None
    assert set(adsecurity.__all__) <= set(dir(adsecurity))


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    for module in (adsecurity, types, types.network):
        with pytest.raises(AttributeError, match="Nonsense"):
            module.Nonsense  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize("name", ["network", "adsecurity"])
def test_models_are_public_and_each_is_imported_when_used(name: str) -> None:
    module = getattr(types, name)
    assert "Offer" in dir(module)
    assert "Offer" in module.__all__
    assert module.Offer(id="1").id == "1"
    assert set(types.__all__) <= set(dir(types))


def modules_after(code: str) -> set[str]:
    script = f"{code}\nimport json, sys; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_importing_the_package_imports_nothing_heavy() -> None:
    heavy = {"httpx", "attrs", "attr", "anyio", "asyncio", "ssl", "json", "dateutil", "adsecurity_generated"}
    script = f"import sys; old = set(sys.modules); import adsecurity; assert not {heavy!r} & set(sys.modules) - old"
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_errors_and_types_can_be_had_without_the_http_library() -> None:
    loaded = modules_after("from adsecurity import NotFoundError, types; types.network.Offer")
    assert "httpx" not in loaded
    assert "adsecurity_generated.network.models.offer" in loaded
    assert "adsecurity_generated.network.models.user" not in loaded


def test_a_client_of_one_surface_does_not_load_the_other() -> None:
    loaded = modules_after("import adsecurity; adsecurity.NetworkClient(api_key='k', base_url='https://h.example')")
    assert not any(name.startswith("adsecurity_generated.adsecurity") for name in loaded)


def test_the_fast_decoder_is_imported_when_there_is_more_to_read_than_one_small_page() -> None:
    script = """if True:
        import sys, httpx, adsecurity
        transport = httpx.MockTransport(lambda request: httpx.Response(200, json={"data": []}))
        client = adsecurity.NetworkClient(api_key="k", base_url="https://h.example", transport=transport)
        client.users.list().to_list()
        assert "msgspec" not in sys.modules
        client.users.list().to_list()
        assert "msgspec" in sys.modules
    """
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_certificates_are_read_with_the_first_call_and_not_before() -> None:
    script = """if True:
        import ssl, adsecurity
        ssl.SSLContext.load_verify_locations = None
        client = adsecurity.AdsecurityClient(api_key="k")
        try:
            client.offers.list_all().first()
        except adsecurity.ConfigurationError:
            print("read")
    """
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "read\n"


def test_deprecated_operations_and_arguments_warn_where_they_are_used(driver: Driver) -> None:
    client = driver.client(lambda request: None)
    for op, args, text in (
        (OLD, {}, r"things.old\(\) is deprecated: use getThing"),
        (CREATE, {"parent_id": "p", "name": "n", "old": "x"}, "old= of .* is deprecated: use name="),
    ):
        with pytest.warns(DeprecationWarning, match=text) as caught:
            client._session.prepare(op, args)
        assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        client._session.prepare(CREATE, {"parent_id": "p", "name": "n"})


def test_the_real_clients_call_their_api(server: Server) -> None:
    server.answers[:] = [(200, {}, b'{"data": {"id": "u1", "email": "a@b.example", "new_field": 1}}')]
    with adsecurity.NetworkClient(api_key="network-key", base_url=f"{server.url}/gateway") as net:
        user = net.users.get("u/1")
        assert (user.id, user.email, user.to_dict()["new_field"]) == ("u1", "a@b.example", 1)
        assert net.with_raw_response.users.get("u/1").parse().id == "u1"
        assert net.with_options(timeout=5).users.get("u/1").id == "u1"
    assert {seen.path for seen in server.seen} == {"/gateway" + path_of("network", "getUser", "u%2F1")}
    assert server.seen[0].headers["api-key"] == "network-key"
    assert "content-type" not in server.seen[0].headers
    with adsecurity.AdsecurityClient(api_key="ads-key", base_url=server.url) as ads:
        assert ads.publisher_view("654321abcd").offers.get("o1").id == "u1"
    assert server.seen[-1].path == path_of("adsecurity", "getPublisherOffer", "654321abcd", "o1")
    # The API wants it also where there is no content.
    assert server.seen[-1].headers["content-type"] == "application/json"


EXPORT = {"id": "e1", "status": "PENDING"}
RANGE = {"start_time": "2026-11-01", "end_time": "2026-11-02", "fields": [], "extra_parameters": []}


def real_client(driver: Driver, handler: Any) -> Any:
    cls = adsecurity.AsyncNetworkClient if driver.is_async else adsecurity.NetworkClient
    return cls(api_key="k", base_url="https://h.example", transport=httpx.MockTransport(handler))


def test_lists_and_exports_of_the_real_clients_work_the_same_way(driver: Driver) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path == path_of("network", "getExportSignedUrl"):
            return httpx.Response(200, json={"url": "https://storage.example/x"})
        if request.url.path != path_of("network", "listUsers"):
            return httpx.Response(200, json=EXPORT)
        number = int(in_our_names(request.url.params.items())["page[number]"])
        return httpx.Response(200, json={"data": [{"id": "u1"}] if number == 1 else [], "meta": {"total_page": 1}})

    net = real_client(driver, handler)
    assert [user.id for user in driver.run(net.users.list().to_list())] == ["u1"]

    async def raw_async() -> list[int]:
        return [page.status_code async for page in net.with_raw_response.users.list()]

    assert driver.is_async or next(iter(net.with_raw_response.users.list())).status_code == 200
    assert not driver.is_async or driver.run(raw_async())[0] == 200
    assert driver.run(net.exports.clicks("i", **RANGE)).id == "e1"
    started = driver.run(net.with_raw_response.exports.clicks("i", **RANGE))
    assert (started.status_code, started.json(), started.parse().id) == (200, EXPORT, "e1")
    assert driver.run(net.exports.resume("e1")).status == "PENDING"
    assert driver.run(net.exports.signed_url(artifact_name="a")) == "https://storage.example/x"
    driver.run(net.close())


def test_every_operation_of_both_surfaces_is_listed() -> None:
    net = adsecurity.NetworkClient(api_key="k", base_url="https://h.example")
    ads = adsecurity.AdsecurityClient(api_key="k")
    listed = [{route.operation for route in client.routes()} for client in (net, ads)]
    assert listed == [set(routes("network")), set(routes("adsecurity"))]
    assert ads.base_url == read_trees()["adsecurity"]["servers"][0]["url"]
    for route in (*net.routes(), *ads.routes()):
        target: Any = net if route in net.routes() else ads
        for part in route.resource.split("."):
            target = target("org") if isinstance(target, python_types.MethodType) else target
            target = getattr(target, part)
        assert callable(target)


def test_annotations_of_the_public_classes_can_be_resolved() -> None:
    for name in ("RetryPolicy", "RouteInfo", "PageEvent", "RequestEvent"):
        assert typing.get_type_hints(getattr(adsecurity, name))


def test_raw_lists_refuse_several_workers_before_anything_is_sent(driver: Driver) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise AssertionError(request.url)

    net = real_client(driver, handler)
    days = {"integration_id": "i", "start_time": "2026-11-01", "end_time": "2026-11-02"}
    with pytest.raises(ValueError, match=r"clicks.*concurrency"):
        net.with_raw_response.reports.clicks(**days, concurrency=2)
    driver.run(net.close())
