"""What type checkers must accept, and what they must know about it; never run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import date, datetime, timedelta
from typing import Any, assert_type

import httpx

import adsecurity
from adsecurity import (
    AdsecurityClient,
    APIStatusError,
    AsyncAdsecurityClient,
    AsyncNetworkClient,
    AsyncPaginator,
    ErrorEvent,
    ExportJob,
    NetworkClient,
    Page,
    PageEvent,
    RawResponse,
    RequestEvent,
    RetryPolicy,
    State,
)
from adsecurity.testing import make, make_many
from adsecurity.types.adsecurity import ConversionUpdateRequestDict
from adsecurity.types.adsecurity import Offer as AdsecurityOffer
from adsecurity.types.network import ClickReportRow, Export, Offer, OfferPayoutConfig, User


def lists(net: NetworkClient) -> None:
    for user in net.users.list(filter={"role": "admin", "created_at": {"gte": "2026-01-01"}}, sort=["-created_at"]):
        assert_type(user, User)
        assert_type(user.email, str | None)
        assert_type(user.created_at, datetime | None)
        if user.email:
            print(user.email.lower())
    assert_type(net.users.list().first(), User | None)
    assert_type(net.users.list().to_list(limit=5), list[User])
    for page in net.offers.list("integration-1", page_size=10, page_number=2, prefetch=0).pages():
        assert_type(page, Page[Offer])
        assert_type(page.items[0].name, str | None)


def limited(net: NetworkClient, anet: AsyncNetworkClient) -> None:
    def on_page(event: PageEvent) -> None:
        print(event.number, event.call_id)

    async def awaited(event: PageEvent) -> None:
        print(event.number)

    assert_type(net.users.list(limit=5, on_page=on_page).count(), int)
    anet.users.list(limit=5, on_page=awaited)


def rows(net: NetworkClient) -> Iterator[float | None]:
    clicks = net.reports.clicks(
        integration_id="integration-1",
        start_time="2026-11-01",
        end_time=date(2026, 11, 8),
        concurrency=8,
        inclusive="left",
        since=State("clicks.json", lag=timedelta(hours=6)),
    )
    for row in clicks:
        assert_type(row, ClickReportRow)
        yield row.payout


def writes(net: NetworkClient) -> None:
    offer_id = net.offers.create(
        "integration-1",
        name="Summer",
        advertiser_id=42,
        visibility="Public",
        default_payout={"payout": 1.5, "payout_type": "CPA"},
    )
    assert_type(offer_id, str)
    net.offers.create("integration-1", name="x", advertiser_id=1, default_payout=OfferPayoutConfig(payout=1.5))
    net.offers.update("integration-1", offer_id, name="Summer", advertiser_id=42, active=False, description=None)
    net.offers.bulk_update("integration-1", [offer_id], active=True, timeout=5, retry=RetryPolicy(idempotent=True))
    net.offers.modify("integration-1", offer_id, active=False, default_payout={"payout": 2.0})
    net.offers.bulk_delete(
        "integration-1", (str(number) for number in range(1000)), batch_size=100, on_error="continue"
    )
    offer = net.offers.get("integration-1", offer_id, extra_headers={"X-Trace": "1"})
    assert_type(offer.active, bool | None)
    # The answer's enums are open: any text may come.
    assert_type(offer.visibility, str | None)


def changes(hashes: list[str]) -> list[ConversionUpdateRequestDict]:
    updates: list[ConversionUpdateRequestDict] = [{"hash": name, "action": "Approve"} for name in hashes]
    updates.append({"hash": "h", "action": "SomethingNew", "update_params": {"payout": 1.5}})
    return updates


def approve(ads: AdsecurityClient) -> None:
    ads.conversions.update(integration_id="integration-1", updates=changes(["h1"]), extra_body={"dry_run": True})
    ads.offers.list("integration-1", extra_query={"new": ["a", 1]})


def exports(net: NetworkClient) -> None:
    job = net.exports.clicks(
        "integration-1", start_time="2026-11-01", end_time="2026-11-08", fields=["tx_id"], extra_parameters=[]
    )
    job.wait(timeout=600, on_progress=print)
    job.download("clicks.csv")

    def on_progress(job: ExportJob[ClickReportRow], size: int) -> None:
        print(job.id, size)

    job.download("clicks.csv", on_progress=on_progress)
    for row in job.rows():
        assert_type(row, ClickReportRow)
    assert_type(job.id, str)
    assert_type(job.signed_url(), str)


def raw(net: NetworkClient) -> None:
    response = net.with_raw_response.users.get("u1")
    assert_type(response.status_code, int)
    assert_type(response.content, bytes)
    assert_type(response.parse(), User)
    for page in net.with_raw_response.users.list(page_size=10, filter={"role": "admin"}):
        assert_type(page, RawResponse[Page[User]])
    users, offers = net.with_raw_response.users, net.offers.with_raw_response
    assert_type(
        users.create(email="a", first_name="b", last_name="c", password="d", role="admin"),
        RawResponse[str],
    )
    assert_type(offers.bulk_update("integration-1", ["o"], active=True, timeout=5), RawResponse[None])
    started = net.with_raw_response.exports.clicks(
        "integration-1", start_time="2026-11-01", end_time="2026-11-08", fields=["tx_id"], extra_parameters=[]
    )
    assert_type(started.parse(), Export)
    assert_type(net.with_raw_response.exports.signed_url(artifact_name="a").parse(), str)


def undocumented(net: NetworkClient, ads: AsyncAdsecurityClient) -> None:
    response = net.request("GET", "/api/v9/new", query={"ids": [1, 2]}, timeout=5, extra_headers={"X-Trace": "1"})
    assert_type(response, RawResponse[Any])
    net.request("POST", "/api/v9/new", json=[{"id": "1"}], retry=RetryPolicy(idempotent=True))
    for row in net.paginate("/api/v9/new", kind="cursor", query={"filter": {"role": "admin"}}):
        assert_type(row, dict[str, Any])
    assert_type(ads.paginate("/api/v9/new", kind="report-pages", json={}), AsyncPaginator[dict[str, Any]])


async def raw_awaited(net: AsyncNetworkClient, ads: AsyncAdsecurityClient) -> None:
    task = asyncio.create_task(net.with_raw_response.users.get("u1"))
    assert_type((await task).parse(), User)
    async for page in net.with_raw_response.users.list():
        assert_type(page, RawResponse[Page[User]])
    view = ads.with_raw_response.publisher_view("654321abcd")
    async for offers in view.offers.list(query="summer"):
        assert_type(offers.status_code, int)


async def awaited(net: AsyncNetworkClient) -> AsyncIterator[str | None]:
    async with AsyncAdsecurityClient(api_key="k") as ads:
        view = ads.publisher_view("654321abcd")
        async for offer in view.offers.list(query="summer", fields=["id", "name"]):
            print(offer.name)
        listed = await ads.offers.list_all().first()
        assert_type(listed, AdsecurityOffer | None)
    async for user in net.users.list():
        assert_type(user, User)
        yield user.email
    assert_type(await net.users.get("u1"), User)
    assert_type(await net.users.create(email="a", first_name="b", last_name="c", password="d", role="admin"), str)


def settings() -> NetworkClient:
    def on_request(event: RequestEvent) -> None:
        print(event.route)

    def on_error(event: ErrorEvent) -> None:
        print(event.reason, event.call_id, event.attempt)

    async def on_page(event: PageEvent) -> None:
        print(event.items)

    client = NetworkClient(
        api_key="k",
        base_url="https://h.example",
        timeout=httpx.Timeout(5),
        retry=RetryPolicy(attempts=2).with_deadline(10),
        http_client=httpx.Client(),
        routes={"exportClicks": "GET /api/v2/x/{integrationID}"},
        on_request=on_request,
        on_error=on_error,
    )
    AsyncNetworkClient(transport=httpx.MockTransport(lambda request: httpx.Response(200)), on_page=on_page)
    assert_type(client.with_options(timeout=5), NetworkClient)
    return client


def failures(net: NetworkClient) -> None:
    try:
        net.users.get("u1")
    except adsecurity.RateLimitError as error:
        assert_type(error.retry_after, float | None)
        assert_type(error.checkpoint, str | None)
    except APIStatusError as error:
        assert_type(error.status_code, int)
        assert_type(error.request_id, str | None)
        assert_type(error.operation, str)


def invented() -> None:
    assert_type(make(Offer, name="Summer"), Offer)
    assert_type(make_many(User, 3), list[User])
