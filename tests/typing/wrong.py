"""What type checkers must reject: every line that ends in `# wrong`, and no other; never run."""

from __future__ import annotations

import httpx

import adsecurity
from adsecurity import AdsecurityClient, AsyncNetworkClient, NetworkClient, RetryPolicy, types
from adsecurity.types.adsecurity import ConversionUpdateRequestDict
from adsecurity.types.network import User


def keywords(net: NetworkClient) -> None:
    net.users.list(filtr={"role": "admin"})  # wrong
    net.users.create(email="a", first_name="b", last_name="c", password="d", role="admin", cty="e")  # wrong
    net.users.get(user_id="u1")  # wrong
    NetworkClient(apikey="k")  # wrong
    RetryPolicy(tries=3)  # wrong
    net.users.get("u1", time_out=5)  # wrong


def literals(net: NetworkClient) -> None:
    net.users.create(email="a", first_name="b", last_name="c", password="d", role="adminn")  # wrong
    net.offers.create("i", name="n", advertiser_id=1, visibility="public")  # wrong
    net.offers.create("i", name="n", advertiser_id=1, default_payout={"payout_type": "CPX"})  # wrong
    net.offers.create("i", name="n", advertiser_id=1, default_payout={"pay": 1.0})  # wrong


def nested(ads: AdsecurityClient) -> None:
    change: ConversionUpdateRequestDict = {"hsh": "h"}  # wrong
    ads.conversions.update(updates=[change])
    ads.conversions.update(updates=[{"status": "Approved"}])  # wrong
    ads.conversions.update(updates=[], extra_body=["a"])  # wrong
    ads.offers.list("i", extra_query={"a": {"b": 1}})  # wrong


def beyond(net: NetworkClient) -> None:
    net.users.list(limit="5")  # wrong
    net.paginate("/api/v9/new", kind="offset")  # wrong
    net.offers.modify("i", "o", actve=True)  # wrong
    net.offers.bulk_delete("i", ["o"], on_error="stop")  # wrong
    net.reports.clicks(integration_id="i", start_time="a", end_time="b", inclusive="right")  # wrong
    net.reports.clicks(integration_id="i", start_time="a", end_time="b", since="clicks.json")  # wrong


def missing(net: NetworkClient) -> None:
    net.offers.create("i", name="n")  # wrong
    net.offers.update("i", "o", name="n")  # wrong
    net.users.get()  # wrong
    net.exports.clicks("i", start_time="2026-11-01", end_time="2026-11-08", fields=[])  # wrong


def kinds(net: NetworkClient) -> None:
    net.users.get(7.5)  # wrong
    net.offers.create("i", name=5, advertiser_id=1)  # wrong
    net.offers.create("i", name="n", advertiser_id="1")  # wrong
    net.offers.bulk_delete("i", 5)  # wrong
    net.users.list(page_size="10")  # wrong
    net.users.get("u1", retry=3)  # wrong


def results(net: NetworkClient) -> None:
    user = net.users.get("u1")
    print(user.emial)  # wrong
    print(user.email.lower())  # wrong
    written: int = net.offers.create("i", name="n", advertiser_id=1)  # wrong
    print(written)
    print(net.offers.list("i").first().name)  # wrong
    print(adsecurity.NoSuchName)  # wrong
    print(types.network.Ofer)  # wrong
    print(types.netwrk)  # wrong
    print(User(id="1").nothing)  # wrong


async def loops(net: AsyncNetworkClient, blocking: NetworkClient) -> None:
    for user in net.users.list():  # wrong
        print(user)
    async for user in blocking.users.list():  # wrong
        print(user)
    one = net.users.get("u1")
    print(one.email)  # wrong
    await blocking.users.get("u1")  # wrong
    with net:  # wrong
        pass


async def raw(net: NetworkClient, awaited: AsyncNetworkClient) -> None:
    net.with_raw_response.users.get()  # wrong
    net.with_raw_response.users.get("u1", time_out=5)  # wrong
    net.with_raw_response.users.list(filtr={"role": "admin"})  # wrong
    print(net.with_raw_response.users.get("u1").parse().emial)  # wrong
    net.with_raw_response.users.list().to_list()  # wrong
    net.with_raw_response.exports.resume("e")  # wrong
    awaited.with_raw_response.users.get("u1").parse()  # wrong


def settings() -> None:
    NetworkClient(http_client=httpx.AsyncClient())  # wrong
    AsyncNetworkClient(transport=httpx.HTTPTransport())  # wrong
    NetworkClient(on_request=5)  # wrong
