"""A request that the spec does not allow is refused, and the answer names what is wrong with it."""

from __future__ import annotations

import json
import socket
from typing import Any

import httpx
import pytest

import adsecurity
from adsecurity.sandbox import Sandbox
from adsecurity.sandbox._items import Items
from tests.support.routes import in_our_names, path_of

from .conftest import client_of

WEEK = {
    "integration_id": "integration-1",
    "start_time": "2026-11-01 00:00:00",
    "end_time": "2026-11-08 00:00:00",
    "page[size]": "10",
}
REPORT = {"integration_id": "integration-1", "start_date": "2026-11-01", "end_date": "2026-11-03"}


def wrong(response: httpx.Response) -> set[tuple[str, str]]:
    assert response.status_code == 400, response.text
    assert response.json()["error"] == "bad_request"
    details = response.json()["details"]
    return {(one["place"], next(iter(in_our_names([(one["name"], "")])))) for one in details}


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({"zap": "1"}, "zap"),
        ({"pages": "1"}, "pages"),
        ({"page[size]": "101"}, "page[size]"),
        ({"page[size]": "0"}, "page[size]"),
        ({"page[size]": "ten"}, "page[size]"),
        ({"page[size]": ["5", "6"]}, "page[size]"),
        ({"page[number]": "0"}, "page[number]"),
        ({"page[number]": "99999999999999999999999"}, "page[number]"),
        ({"page[number]": "9223372036854775808"}, "page[number]"),
        ({"page[number]": "9" * 5000}, "page[number]"),
        ({"filter": "admin"}, "filter"),
        ({"filter[role][gte][x]": "admin"}, "filter[role][gte][x]"),
        ({"filter[nothing]": "1"}, "filter[nothing]"),
        ({"filter[role][about]": "admin"}, "filter[role]"),
        ({"filter[role][gte]": ["a", "b"]}, "filter[role]"),
        ({"filter[api_access_enabled]": "yes"}, "filter[api_access_enabled]"),
        ({"filter[created_at][gte]": "notadate"}, "filter[created_at]"),
        ({"filter[created_at][lt]": "2026-02-30"}, "filter[created_at]"),
        ({"filter[created_at][gt]": "2026-11-01T10"}, "filter[created_at]"),
        ({"filter[created_at][lte]": "1"}, "filter[created_at]"),
        ({"filter[created_at][gte]": "0001-01-01T00:00:00+02:00"}, "filter[created_at]"),
        ({"sort": "nothing"}, "sort"),
        ({"sort": ["email", "role"]}, "sort"),
    ],
)
def test_a_list_refuses_a_parameter_that_it_does_not_have(
    network: httpx.Client, params: dict[str, Any], name: str
) -> None:
    assert ("query", name) in wrong(network.get("/users", params=params))


@pytest.mark.parametrize("missing", sorted(WEEK))
def test_a_missing_required_parameter_is_named(network: httpx.Client, missing: str) -> None:
    params = {name: value for name, value in WEEK.items() if name != missing}
    assert wrong(network.get("/reports/v2/click-table", params=params)) == {("query", missing)}


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"start_time": "2026-11-01"}, "start_time"),
        ({"end_time": "2026-11-08T00:00:00Z"}, "end_time"),
        ({"start_time": "2026-11-09 00:00:00"}, "start_time"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "../etc/passwd"}, "timezone"),
        ({"filter[status]": "Maybe"}, "filter[status]"),
        ({"page[after]": "nobody"}, "page[after]"),
        ({"page[before]": "nobody"}, "page[before]"),
        ({"page[after]": "a", "page[before]": "b"}, "page[before]"),
    ],
)
def test_a_report_refuses_what_it_cannot_mean(network: httpx.Client, changes: dict[str, str], name: str) -> None:
    assert ("query", name) in wrong(network.get("/reports/v2/click-table", params={**WEEK, **changes}))


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"email": "a@example.com", "password": "p"}, "/"),
        ({"email": "a@example.com", "password": "p", "role": "king"}, "/role"),
        ({"email": "a@example.com", "password": "p", "role": "admin", "rank": 1}, "/rank"),
        ({"email": "a@example.com", "password": 5, "role": "admin"}, "/password"),
        (["admin"], "/"),
    ],
)
def test_a_body_that_does_not_fit_is_refused_with_its_pointer(
    network: httpx.Client, body: object, pointer: str
) -> None:
    assert ("body", pointer) in wrong(network.post("/users", json=body))


def test_every_fault_of_a_request_is_named_at_once(network: httpx.Client) -> None:
    response = network.post("/users", params={"zap": "1"}, json={"rank": 1})
    assert wrong(response) >= {("query", "zap"), ("body", "/rank"), ("body", "/")}


def test_a_nested_value_is_pointed_at(network: httpx.Client) -> None:
    body = {"name": "x", "advertiser_id": 1, "default_payout": {"payout": "much"}}
    response = network.post("/integrations/integration-1/offers", json=body)
    assert wrong(response) == {("body", "/default_payout/payout")}


def test_a_body_must_be_json_and_say_so(network: httpx.Client) -> None:
    assert wrong(network.post("/users", data={"email": "a@example.com"})) >= {("header", "Content-Type"), ("body", "/")}
    headers = {"Content-Type": "application/json"}
    assert wrong(network.post("/users", content=b"{", headers=headers)) == {("body", "/")}
    assert wrong(network.post("/users", headers=headers)) == {("body", "/")}


OFFER = b'{"name": "x", "advertiser_id": %s}'


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (OFFER % b"99999999999999999999999999", "/advertiser_id"),
        (OFFER % b"-9223372036854775809", "/advertiser_id"),
        (b'{"name": "x", "advertiser_id": 1, "default_payout": {"payout": NaN}}', "/default_payout/payout"),
        (b'{"name": "x", "advertiser_id": 1, "default_payout": {"payout": 1e999}}', "/default_payout/payout"),
        (rb'{"name": "\ud800", "advertiser_id": 1}', "/name"),
        (b'{"name": "\xed\xa0\x80", "advertiser_id": 1}', "/name"),
        (rb'{"name": "x", "advertiser_id": 1, "tags": ["a", "\udfff"]}', "/tags/1"),
        (rb'{"name": "x", "advertiser_id": 1, "\ud800": 1}', "/"),
        (b"[" * 100_000, "/"),
        (b"[" * 100_000 + b"]" * 100_000, "/"),
        (b'{"name": "x", "tags": ' + b"[" * 400 + b"]" * 400 + b"}", "/tags" + "/0" * 99),
        (OFFER % (b"9" * 5000), "/"),
    ],
    ids=lambda value: value[:50] if isinstance(value, bytes) else "",
)
def test_a_value_that_cannot_be_kept_is_refused_with_its_pointer(
    network: httpx.Client, body: bytes, pointer: str
) -> None:
    path = "/integrations/integration-1/offers"
    response = network.post(path, content=body, headers={"Content-Type": "application/json"})
    assert wrong(response) == {("body", pointer)}
    last = network.get(path, params={"sort": "-created_at", "page[size]": "100"})
    assert last.status_code == 200, "what was refused poisons no list"


def test_the_largest_values_are_none_too_large(network: httpx.Client) -> None:
    page = network.get("/users", params={"page[number]": str(2**63 - 1), "page[size]": "100"})
    assert (page.status_code, page.json()["data"]) == (200, [])
    for end in ("9999-12-31 23:59:59", "2026-11-08 00:00:00"):
        params = {**WEEK, "end_time": end}
        assert network.get("/reports/v2/click-table", params=params).status_code == 200
    pair = {"name": "\U0001f389", "advertiser_id": 42}
    assert network.post("/integrations/integration-1/offers", json=pair).status_code == 200


@pytest.mark.parametrize(
    ("number", "status"), [("nan", 400), ("inf", 400), ("1e999", 400), ("many", 400), ("1e3", 200), ("-1", 200)]
)
def test_a_number_to_filter_by_is_finite(network: httpx.Client, number: str, status: int) -> None:
    params = {"filter[incremental_id][gte]": number}
    assert network.get("/integrations/integration-1/offers", params=params).status_code == status


def test_a_failure_of_the_sandbox_itself_is_an_answer_like_the_others(
    sandbox: Sandbox, network: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("why")

    monkeypatch.setattr(Items, "get_item", fail)
    response = network.get("/users/1")
    assert (response.status_code, response.json()["error"]) == (500, "server_error")
    assert "ZeroDivisionError" in response.json()["message"]
    assert response.headers["x-request-id"].startswith("sandbox-")
    assert sandbox.requests[-1].status == 500


def test_a_body_where_none_belongs_is_refused(network: httpx.Client) -> None:
    assert wrong(network.request("GET", "/users", json={"a": 1})) == {("body", "/")}


def test_adsecurity_wants_the_content_type_on_every_request(sandbox: Sandbox) -> None:
    with httpx.Client(headers={"API-KEY": sandbox.api_key}, trust_env=False) as client:
        assert wrong(client.get(f"{sandbox.adsecurity_url}{path_of('adsecurity', 'listAdvertisers')}")) == {
            ("header", "Content-Type")
        }
        assert client.get(f"{sandbox.network_url}{path_of('network', 'listAdvertisers')}").status_code == 200


def test_what_is_sent_twice_must_be_the_same(adsecurity: httpx.Client) -> None:
    params = {**REPORT, "page[number]": "1"}
    body = {**REPORT, "page_number": 2, "page_size": 10, "start_date": "2026-11-02"}
    response = adsecurity.post("/reports/v2/click-table", params=params, json=body)
    assert wrong(response) == {("body", "/page_number"), ("body", "/start_date")}


def test_a_day_in_a_body_must_be_a_day(adsecurity: httpx.Client) -> None:
    dates = {**REPORT, "start_date": "2026-11-01 00:00:00"}
    body = {**dates, "page_number": 1, "page_size": 10}
    response = adsecurity.post("/reports/v2/click-table", params={**dates, "page[number]": "1"}, json=body)
    assert wrong(response) == {("query", "start_date"), ("body", "/start_date")}


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"page_size": 101}, "/page_size"),
        ({"filters": [{"field": "country", "operator": "sounds like", "value": "x"}]}, "/filters/0/operator"),
    ],
)
def test_the_body_of_a_report_is_read_closely(adsecurity: httpx.Client, changes: dict[str, Any], pointer: str) -> None:
    body = {**REPORT, "page_number": 1, "page_size": 10, **changes}
    response = adsecurity.post("/reports/v2/click-table", params={**REPORT, "page[number]": "1"}, json=body)
    assert wrong(response) == {("body", pointer)}


def test_an_id_that_the_path_has_too_must_be_that_one(adsecurity: httpx.Client, sandbox: Sandbox) -> None:
    body = {"name": "T", "integration": "integration-2", "organization": sandbox.organization_id}
    response = adsecurity.post("/integrations/integration-1/targeting-groups", json=body)
    assert wrong(response) == {("body", "/integration")}


@pytest.mark.parametrize("key", [None, "", "wrong"])
def test_without_the_right_key_nothing_is_answered(sandbox: Sandbox, key: str | None) -> None:
    headers = {} if key is None else {"API-KEY": key}
    response = httpx.get(f"{sandbox.network_url}{path_of('network', 'listUsers')}", headers=headers, trust_env=False)
    assert response.status_code == 401
    assert response.json()["error"] == "unauthorized"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nothing"),
        ("GET", "/users/"),
        ("GET", "/users/nobody"),
        ("PATCH", "/users/nobody"),
        ("GET", "/integrations/nowhere/offers"),
        ("GET", "/integrations/integration-1/offers/nobody"),
        ("GET", "/integrations/integration-1/offers/nobody/events"),
        ("GET", "/download-center/exports/nobody"),
        ("GET", "/download-center/signed-url?artifact_name=nothing.csv"),
        ("GET", "/download-center/signed-url?artifact_name="),
    ],
)
def test_what_does_not_exist_is_404(network: httpx.Client, method: str, path: str) -> None:
    response = network.request(method, path, json={} if method == "PATCH" else None)
    assert response.status_code == 404, response.text
    assert response.json()["error"] == "not_found"


def test_a_method_that_a_path_does_not_have_is_405(sandbox: Sandbox) -> None:
    """The answer names those that it has."""
    url = sandbox.network_url + path_of("network", "getUser", "user-1")
    response = httpx.put(url, headers={"API-KEY": sandbox.api_key}, trust_env=False)
    assert (response.status_code, response.headers["allow"]) == (405, "GET, PATCH")
    assert response.json()["error"] == "method_not_allowed"


def test_a_path_outside_the_api_is_404(sandbox: Sandbox) -> None:
    assert httpx.get(f"{sandbox.network_url}/users", trust_env=False).status_code == 404


def test_a_foreign_organization_is_403(adsecurity: httpx.Client) -> None:
    assert adsecurity.get("/publisher-view/somebody/offers").status_code == 403
    params = {**REPORT, "page[number]": "1", "organization_id": "somebody"}
    body = {**REPORT, "page_number": 1, "page_size": 10}
    assert adsecurity.post("/reports/v2/click-table", params=params, json=body).status_code == 403
    group = {"name": "T", "integration": "integration-1", "organization": "somebody"}
    assert adsecurity.post("/integrations/integration-1/targeting-groups", json=group).status_code == 403


SERVERS = ("network_url", "adsecurity_url", "storage_url")


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:1", "127.8.0.1", "localhost", "LocalHost:65535", "localhost:", "[::1]", "[::1]:80"]
)
def test_a_loopback_host_is_served_whatever_its_port(sandbox: Sandbox, server: str, host: str) -> None:
    response = httpx.get(f"{getattr(sandbox, server)}/nothing", headers={"Host": host}, trust_env=False)
    assert response.status_code == 404


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:80",
        "localhost.evil.example",
        "evil.localhost",
        "127.0.0.1.evil.example",
        "localhost:80.evil.example",
        "user@localhost",
        "192.168.0.1",
        "0.0.0.0",
        "[::2]",
        "[::1",
        "::1",
        "",
    ],
)
def test_another_host_is_answered_421_in_the_shape_of_an_error(sandbox: Sandbox, server: str, host: str) -> None:
    headers = {"Host": host, "API-KEY": sandbox.api_key, "Content-Type": "application/json"}
    response = httpx.get(f"{getattr(sandbox, server)}/api/v2/advertisers", headers=headers, trust_env=False)
    assert response.status_code == 421
    assert response.json()["error"] == "misdirected_request"
    assert repr(host) in response.json()["message"]
    assert sandbox.requests[-1].status == 421


def test_a_request_without_a_host_is_answered_421(sandbox: Sandbox) -> None:
    with socket.create_connection(("127.0.0.1", int(sandbox.network_url.rpartition(":")[2]))) as connection:
        connection.sendall(b"GET /api/v2/users HTTP/1.0\r\n\r\n")
        assert b" 421 " in connection.makefile("rb").readline()


def test_our_client_reaches_the_sandbox_by_either_loopback_name(sandbox: Sandbox) -> None:
    for url in (sandbox.network_url, sandbox.network_url.replace("127.0.0.1", "localhost")):
        with adsecurity.NetworkClient(api_key=sandbox.api_key, base_url=url) as client:
            assert client.users.list().first() is not None


def test_our_client_reports_a_refused_host_as_a_status_error(sandbox: Sandbox) -> None:
    class Rebound(httpx.HTTPTransport):
        """Sends the request to the sandbox under a name that someone else's DNS resolved to this machine."""

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            request.headers["Host"] = "evil.example"
            return super().handle_request(request)

    with (
        Rebound() as transport,
        adsecurity.NetworkClient(api_key=sandbox.api_key, base_url=sandbox.network_url, transport=transport) as client,
        pytest.raises(adsecurity.APIStatusError, match=r"evil\.example") as refused,
    ):
        client.users.list().first()
    assert refused.value.status_code == 421


def test_an_encoded_slash_belongs_to_the_id(network: httpx.Client) -> None:
    response = network.get("/users/a%2Fb")
    assert response.status_code == 404
    assert "a/b" in response.json()["message"]


def test_every_answer_has_a_request_id_of_its_own(network: httpx.Client) -> None:
    seen = {network.get("/users", params={"page[size]": size}).headers["x-request-id"] for size in ("1", "2", "0")}
    assert len(seen) == 3


def test_the_sandbox_remembers_what_arrived(sandbox: Sandbox, network: httpx.Client) -> None:
    network.post("/advertisers", params={"a": "b"}, json={"name": "Seen"})
    last = sandbox.requests[-1]
    assert (last.surface, last.method, last.query) == ("network", "POST", "a=b")
    assert last.path == path_of("network", "createAdvertiser")
    assert (last.status, json.loads(last.body)) == (400, {"name": "Seen"})
    assert last.headers["api-key"] == sandbox.api_key
    network.post("/advertisers", json={"name": "Seen"})
    assert (sandbox.requests[-1].status, sandbox.requests[-1].operation) == (200, "createAdvertiser")


def test_the_request_log_keeps_the_latest_and_counts_what_it_dropped() -> None:
    def ids(sandbox: Sandbox) -> list[str]:
        return [request.path.rstrip("/")[-1] for request in sandbox.requests]

    with Sandbox(request_log=3) as sandbox, client_of(sandbox, "network") as client:
        for number in range(3):
            client.get(f"/users/{number}")
        assert (ids(sandbox), sandbox.requests.dropped) == (
            ["0", "1", "2"],
            0,
        )
        for number in range(3, 8):
            assert client.get(f"/users/{number}").status_code == 404
        assert (ids(sandbox), sandbox.requests.dropped) == (
            ["5", "6", "7"],
            5,
        )
        assert [request.status for request in sandbox.requests] == [404] * 3
        sandbox.requests.clear()
        client.get("/users/8")
        assert (ids(sandbox), sandbox.requests.dropped) == (["8"], 5)


def test_the_request_log_may_be_turned_off() -> None:
    with Sandbox(request_log=0) as sandbox, client_of(sandbox, "network") as client:
        assert client.get("/users").status_code == 200
        assert (sandbox.requests, sandbox.requests.dropped) == ([], 1)


def test_the_request_log_keeps_ten_thousand_unless_told_otherwise(sandbox: Sandbox) -> None:
    assert (sandbox.requests.limit, sandbox.requests.dropped) == (10_000, 0)
