"""The seeded report rows: a week of clicks, conversions and impressions that ends with yesterday."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from ._items import SeedSettings
from ._schema import ZERO_TIME
from ._store import Collection, Row, Store

DAY_SECONDS = 86_400
WEEK_SECONDS = 7 * DAY_SECONDS
# How many rows a report has for each click.
ROWS_PER_CLICK = {"clicks": 1.0, "impressions": 0.5, "conversions": 0.05}

LOCATIONS: tuple[dict[str, Any], ...] = (
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
REJECTION_REASONS = ("bot", "proxy", "old_browser", "click_spam", "geo_mismatch")


def week_start(today: date) -> datetime:
    """The beginning of the seeded week: seven whole days in UTC, the last of which is yesterday."""
    return datetime.combine(today - timedelta(days=7), time(), tzinfo=UTC)


class RowGenerator:
    """Generates the rows of one report and integration, with every field of the template.

    The same arguments give the same rows; `batch` is another number for each batch that is added later.
    """

    def __init__(
        self,
        store: Store,
        settings: SeedSettings,
        report: str,
        integration: str,
        template: Mapping[str, Any],
        batch: int = 0,
    ) -> None:
        self._settings = settings
        self._report = report
        self._integration = integration
        self._template = dict(template)
        self._offers = store.documents(Collection("offers", integration))
        self._publishers = store.documents(Collection("publishers"))
        advertisers = store.documents(Collection("advertisers"))
        self._advertisers = {advertiser["incremental_id"]: advertiser for advertiser in advertisers}
        self._random = random.Random(f"{settings.seed}/{report}/{integration}/{batch}")

    def week_of_rows(self, count: int) -> Iterator[Row]:
        """Rows over the whole week, oldest first: more by day than by night, and sometimes four in one second."""
        start = week_start(self._settings.today)
        seconds: list[int] = []
        while len(seconds) < count:
            second = self._random.randrange(WEEK_SECONDS)
            hour = second % DAY_SECONDS // 3600
            if self._random.random() < 0.25 or 7 <= hour < 23:
                repeats = 4 if len(seconds) % 50 == 0 else 1
                seconds.extend([second] * repeats)
        for second in sorted(seconds[:count]):
            yield self.row_at(start + timedelta(seconds=second))

    def row_at(self, moment: datetime) -> Row:
        key = f"{self._random.getrandbits(96):024x}"
        document = {**self._template, **self._field_values(key, moment)}
        return Row(self._report, self._integration, int(moment.timestamp()), key, document)

    def _pick(self, choices: Sequence[dict[str, Any]]) -> dict[str, Any]:
        return choices[self._random.randrange(len(choices))] if choices else {}

    def _field_values(self, key: str, moment: datetime) -> dict[str, Any]:
        """The fields that are more than zero values. The order of the random draws decides what a seed gives."""
        draw = self._random
        offer = self._pick(self._offers)
        # A fifth of the traffic is from the first publisher, whose rows the publisher view shows.
        publisher = self._pick(self._publishers[:1] if draw.random() < 0.2 else self._publishers)
        is_rejected = draw.random() < 0.15
        reason = REJECTION_REASONS[draw.randrange(len(REJECTION_REASONS))] if is_rejected else ""
        # Conversions of such an offer are not counted before somebody has approved them.
        is_pending = self._report == "conversions" and bool(offer.get("manually_approve_conversions"))
        earlier = moment - timedelta(seconds=draw.randrange(20, 4000))
        device = DEVICES[draw.randrange(len(DEVICES))]
        ip_address = f"203.0.113.{draw.randrange(1, 255)}"
        values = {
            **self._identity(key),
            **self._parties(offer, publisher),
            **self._times(moment, earlier, is_mobile=device["device_type"] == "mobile"),
            **_status_fields(reason, is_pending=is_pending),
            **self._money(offer, is_rejected=is_rejected),
            "click_ip": ip_address,
            "conversion_ip": ip_address,
            "ip_network": "203.0.113.0/24",
            "purchase_value": round(draw.uniform(5, 200), 2) if self._report == "conversions" else 0,
            "score": draw.randrange(60, 100) if is_rejected else draw.randrange(0, 40),
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
        location = LOCATIONS[draw.randrange(len(LOCATIONS))]
        return {**values, **location, **device}

    def _identity(self, key: str) -> dict[str, Any]:
        return {
            "real_tx_id": key,
            "tx_id": key,
            "uuid": key,
            "hash": key[:16],
            "click_tx_id": key[::-1],
            "external_transaction_id": key[:12],
            "device_id": key[8:20],
            "fingerprint": key[4:20],
            "integration_id": self._integration,
            "organization_id": self._settings.organization,
        }

    def _parties(self, offer: Mapping[str, Any], publisher: Mapping[str, Any]) -> dict[str, Any]:
        """The offer, the publisher and the advertiser of a row."""
        advertiser = self._advertisers.get(offer.get("advertiser_id"), {})
        offer_number = str(offer.get("incremental_id", ""))
        publisher_number = str(publisher.get("incremental_id", ""))
        advertiser_number = str(advertiser.get("incremental_id", ""))
        return {
            "offer_id": offer_number,
            "real_offer_id": offer_number,
            "offer_db_id": offer.get("id", ""),
            "offer": offer.get("name_with_id", ""),
            "offer_id_name": offer.get("name_with_id", ""),
            "publisher": publisher_number,
            "real_publisher": publisher_number,
            "publisher_db_id": publisher.get("id", ""),
            "publisher_name": publisher.get("name", ""),
            "manager_id": publisher.get("manager_id", ""),
            "manager_name": publisher.get("manager_name", ""),
            "advertiser": advertiser_number,
            "real_advertiser": advertiser_number,
            "advertiser_id": advertiser.get("id", ""),
            "advertiser_db_id": advertiser.get("id", ""),
            "advertiser_name": advertiser.get("name", ""),
        }

    def _times(self, moment: datetime, earlier: datetime, *, is_mobile: bool) -> dict[str, Any]:
        time_text = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        earlier_text = earlier.strftime("%Y-%m-%dT%H:%M:%SZ")
        return {
            "request_time": earlier_text if self._report == "conversions" else time_text,
            "request_date": time_text[:10],
            "conversion_time": time_text,
            "click_time": earlier_text,
            # Only mobile apps are installed.
            "begin_install_time": earlier_text if is_mobile else ZERO_TIME,
            "finish_install_time": time_text if is_mobile else ZERO_TIME,
        }

    def _money(self, offer: Mapping[str, Any], *, is_rejected: bool) -> dict[str, Any]:
        """What is paid for a row: the offer's payout for a conversion, a fiftieth of it for a click."""
        share: float = 0
        if not is_rejected:
            share = {"conversions": 1, "clicks": 0.02}.get(self._report, 0)
        default_payout = offer.get("default_payout", {})
        return {
            "payout": round(default_payout.get("payout", 0) * share, 4),
            "revenue": round(default_payout.get("revenue", 0) * share, 4),
        }


def _status_fields(rejection_reason: str, *, is_pending: bool) -> dict[str, Any]:
    is_rejected = bool(rejection_reason)
    counted = "Pending" if is_pending else "Approved"
    return {
        "status": "Rejected" if is_rejected else counted,
        "rejected": int(is_rejected),
        "rejected_simple_reason": rejection_reason,
        "rejected_advanced_reason": f"{rejection_reason}_1" if is_rejected else "",
        "rejections": [rejection_reason] if is_rejected else [],
        "is_bot": int(rejection_reason == "bot"),
        "risk": "high" if is_rejected else "low",
    }
