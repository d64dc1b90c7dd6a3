"""A week of clicks, conversions and impressions, made from a seed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from ._items import World
from ._schema import ZERO_TIME
from ._store import Place, Row, Store

WEEK_START = datetime(2026, 11, 1, tzinfo=UTC)
WEEK_SECONDS = 7 * 86_400
# Rows of a report for each click.
SHARES = {"clicks": 1.0, "impressions": 0.5, "conversions": 0.05}

PROFILES: tuple[dict[str, Any], ...] = (
    {"country": "US", "city": "New York", "isp": "Hudson Fiber", "asn": 64501, "lat": 40.71, "long": -74.0},
    {"country": "DE", "city": "Hamburg", "isp": "Elbnetz", "asn": 64502, "lat": 53.55, "long": 9.99},
    {"country": "BR", "city": "Recife", "isp": "Rede Norte", "asn": 64503, "lat": -8.05, "long": -34.88},
    {"country": "JP", "city": "Osaka", "isp": "Yodo Net", "asn": 64504, "lat": 34.69, "long": 135.5},
    {"country": "GB", "city": "Leeds", "isp": "Aire Broadband", "asn": 64505, "lat": 53.8, "long": -1.55},
)
DEVICES: tuple[dict[str, Any], ...] = (
    {"device_type": "mobile", "os_name": "Android", "os_version": "16", "browser_name": "Chrome"},
    {"device_type": "mobile", "os_name": "iOS", "os_version": "19.1", "browser_name": "Safari"},
    {"device_type": "desktop", "os_name": "Windows", "os_version": "11", "browser_name": "Edge"},
    {"device_type": "desktop", "os_name": "Linux", "os_version": "6.12", "browser_name": "Firefox"},
)
REASONS = ("bot", "proxy", "old_browser", "click_spam", "geo_mismatch")


class RowMaker:
    """Makes rows with every field of a template; what is known of a click goes into its fields, the rest stays zero."""

    def __init__(
        self, store: Store, world: World, report: str, integration: str, template: Mapping[str, Any], salt: int = 0
    ) -> None:
        self._world = world
        self._report = report
        self._integration = integration
        self._template = dict(template)
        self._offers = store.documents(Place("offers", integration))
        self._publishers = store.documents(Place("publishers"))
        self._advertisers = {doc["incremental_id"]: doc for doc in store.documents(Place("advertisers"))}
        self._random = random.Random(f"{world.seed}/{report}/{integration}/{salt}")

    def week(self, count: int) -> Iterator[Row]:
        """Rows over the whole week, more by day than by night; now and then four of them share a second."""
        moments: list[int] = []
        while len(moments) < count:
            second = self._random.randrange(WEEK_SECONDS)
            if self._random.random() < 0.25 or 7 <= second % 86_400 // 3600 < 23:
                moments.extend([second] * (4 if len(moments) % 50 == 0 else 1))
        for second in sorted(moments[:count]):
            yield self.at(WEEK_START + timedelta(seconds=second))

    def at(self, moment: datetime) -> Row:
        key = f"{self._random.getrandbits(96):024x}"
        doc = {**self._template, **self._known(key, moment)}
        return Row(self._report, self._integration, int(moment.timestamp()), key, doc)

    def _pick(self, choices: Sequence[dict[str, Any]]) -> dict[str, Any]:
        return choices[self._random.randrange(len(choices))] if choices else {}

    def _known(self, key: str, moment: datetime) -> dict[str, Any]:
        draw = self._random
        offer = self._pick(self._offers)
        # A fifth of the traffic comes from the publisher that the publisher view belongs to: the first one.
        publisher = self._pick(self._publishers[:1] if draw.random() < 0.2 else self._publishers)
        advertiser = self._advertisers.get(offer.get("advertiser_id"), {})
        rejected = draw.random() < 0.15
        reason = REASONS[draw.randrange(len(REASONS))] if rejected else ""
        money = offer.get("default_payout", {})
        pays = 0 if rejected or self._report == "impressions" else (1 if self._report == "conversions" else 0.02)
        text = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        before = (moment - timedelta(seconds=draw.randrange(20, 4000))).strftime("%Y-%m-%dT%H:%M:%SZ")
        device = DEVICES[draw.randrange(len(DEVICES))]
        address = f"203.0.113.{draw.randrange(1, 255)}"
        ids = {
            "real_tx_id": key,
            "tx_id": key,
            "uuid": key,
            "hash": key[:16],
            "click_tx_id": key[::-1],
            "external_transaction_id": key[:12],
            "device_id": key[8:20],
            "fingerprint": key[4:20],
            "integration_id": self._integration,
            "organization_id": self._world.organization,
            "offer_id": str(offer.get("incremental_id", "")),
            "real_offer_id": str(offer.get("incremental_id", "")),
            "offer_db_id": offer.get("id", ""),
            "offer": offer.get("name_with_id", ""),
            "offer_id_name": offer.get("name_with_id", ""),
            "publisher": str(publisher.get("incremental_id", "")),
            "real_publisher": str(publisher.get("incremental_id", "")),
            "publisher_db_id": publisher.get("id", ""),
            "publisher_name": publisher.get("name", ""),
            "manager_id": publisher.get("manager_id", ""),
            "manager_name": publisher.get("manager_name", ""),
            "advertiser": str(advertiser.get("incremental_id", "")),
            "real_advertiser": str(advertiser.get("incremental_id", "")),
            "advertiser_id": advertiser.get("id", ""),
            "advertiser_db_id": advertiser.get("id", ""),
            "advertiser_name": advertiser.get("name", ""),
        }
        facts = {
            "request_time": before if self._report == "conversions" else text,
            "request_date": text[:10],
            "conversion_time": text,
            "click_time": before,
            # Only apps are installed.
            "begin_install_time": before if device["device_type"] == "mobile" else ZERO_TIME,
            "finish_install_time": text if device["device_type"] == "mobile" else ZERO_TIME,
            "click_ip": address,
            "conversion_ip": address,
            "ip_network": "203.0.113.0/24",
            "status": "Rejected" if rejected else "Approved",
            "rejected": int(rejected),
            "rejected_simple_reason": reason,
            "rejected_advanced_reason": f"{reason}_1" if reason else "",
            "rejections": [reason] if reason else [],
            "is_bot": int(reason == "bot"),
            "payout": round(money.get("payout", 0) * pays, 4),
            "revenue": round(money.get("revenue", 0) * pays, 4),
            "purchase_value": round(draw.uniform(5, 200), 2) if self._report == "conversions" else 0,
            "risk": "high" if rejected else "low",
            "score": draw.randrange(60, 100) if rejected else draw.randrange(0, 40),
            "rtt": draw.randrange(12, 400),
            "sub_id": f"s{draw.randrange(40)}",
            "sub_id_2": ("banner", "story", "search, brand")[draw.randrange(3)],
            "extra_params.keys": ["gclid", "campaign"],
            "extra_params.values": [key[:8], f"c{draw.randrange(9)}"],
            "browser_language": ["en", "de"][: draw.randrange(1, 3)],
            "browser_version": str(draw.randrange(110, 146)),
            "user_agent": 'Mozilla/5.0 (sandbox; "quoted")',
            "referer": "https://search.example/results?q=offers",
            "tags": offer.get("tags", []),
            "site_url": "https://site.example/",
            "server_region": "eu",
        }
        return {**ids, **PROFILES[draw.randrange(len(PROFILES))], **device, **facts}
