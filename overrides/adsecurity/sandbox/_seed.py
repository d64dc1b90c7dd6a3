"""The seeded documents: a believable small ad network of users, advertisers, publishers and offers."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

from ._items import Items, SeedSettings, collection_name
from ._offers import APPROVED, PENDING
from ._schema import as_map
from ._spec import Operation, Surface
from ._store import Collection, Store

FIRST_NAMES = (
    "Ada",
    "Bruno",
    "Chiara",
    "Dmitri",
    "Elif",
    "Farah",
    "Goran",
    "Hanna",
    "Ivo",
    "Jun",
    "Kofi",
    "Lena",
    "Mateo",
)
LAST_NAMES = (
    "Abbasi",
    "Berg",
    "Costa",
    "Dietrich",
    "Ekman",
    "Fischer",
    "Garcia",
    "Hughes",
    "Ionescu",
    "Jensen",
    "Kowalski",
)
# Country, city and time zone.
LOCATIONS = (
    ("US", "New York", "America/New_York"),
    ("DE", "Hamburg", "Europe/Berlin"),
    ("BR", "Recife", "America/Recife"),
    ("JP", "Osaka", "Asia/Tokyo"),
    ("GB", "Leeds", "Europe/London"),
    ("ZA", "Durban", "Africa/Johannesburg"),
)
INDUSTRIES = ("Travel", "Fitness", "Games", "Finance", "Fashion", "Pets", "Energy", "Books", "Music", "Garden")
PUBLISHER_SUFFIXES = ("Media", "Partners", "Network", "Digital", "Traffic", "Labs")
SEASONS = ("Spring", "Summer", "Autumn", "Winter", "Weekend", "Launch")
EVENT_NAMES = ("Lead Signup", "First Deposit", "Subscription")
# The promotional methods that the specs of both surfaces list.
PROMOTIONAL_METHODS = ("Content", "Email")
POSTBACK_SERVICES = ("click", "impression", "conversion", "event")
# The age of the oldest document; the latest was created more than a month before today.
FIRST_CREATED_BEFORE_DAYS = 372
CREATED_WITHIN_HOURS = 8000

DOCUMENT_COUNTS = {"users": 130, "advertisers": 60, "publishers": 120, "offers": 240}
SECOND_INTEGRATION_OFFERS = 12
# So many offers have landing pages, and every eighth of them a coupon code.
DETAILED_OFFERS = 40


class Seeder:
    """Fills an empty store; the same settings give the same documents."""

    def __init__(self, store: Store, items: Items, surfaces: Mapping[str, Surface], settings: SeedSettings) -> None:
        self._store = store
        self._items = items
        self._surfaces = surfaces
        self._settings = settings
        self._random = random.Random(settings.seed)
        self._created = 0
        first_day = settings.today - timedelta(days=FIRST_CREATED_BEFORE_DAYS)
        self._first_created_at = datetime.combine(first_day, time(8), tzinfo=UTC)

    def run(self) -> None:
        users = self._add("users", (self._user(index) for index in range(DOCUMENT_COUNTS["users"])))
        managers = [user for user in users if user.get("role") == "accountManager"]
        advertisers = self._add(
            "advertisers", (self._company(index, managers) for index in range(DOCUMENT_COUNTS["advertisers"]))
        )
        self._add("publishers", (self._publisher(index, managers) for index in range(DOCUMENT_COUNTS["publishers"])))
        offer_counts = (DOCUMENT_COUNTS["offers"], SECOND_INTEGRATION_OFFERS)
        for integration, offer_count in zip(self._settings.integrations, offer_counts, strict=False):
            targeting_groups = self._add("targeting_groups", _groups("Targeting", 6), integration)
            fraud_groups = self._add("fraud_filter_groups", _groups("Filter group", 8), integration)
            offers = self._add(
                "offers",
                (self._offer(index, advertisers, targeting_groups, fraud_groups) for index in range(offer_count)),
                integration,
            )
            self._add_offer_details(offers, integration)
            self._add_access_requests(offers, integration)
            self._add("smartlinks", (_smartlink(index, offers) for index in range(12)), integration)
        self._add("postbacks", (_postback(index) for index in range(9)), self._settings.integrations[0])
        self._add_unknown_collections()

    def _add(
        self,
        name: str,
        bodies: Iterable[dict[str, Any]],
        integration: str = "",
        parent: Mapping[str, Any] | None = None,
    ) -> list[dict[str, Any]]:
        """Adds a document for each body to the named collection; an edited spec may have no such collection."""
        if name not in self._items.collection_names:
            return []
        collection = Collection(name, integration, parent["id"] if parent else "")
        documents = [
            self._items.new_document(collection, {**self._creation_times(), **body}, parent) for body in bodies
        ]
        self._store.add_documents((collection, document) for document in documents)
        return documents

    def _creation_times(self) -> dict[str, str]:
        """Times in the past that differ from document to document."""
        self._created += 1
        hours = 7 * self._created % CREATED_WITHIN_HOURS
        created_at = self._first_created_at + timedelta(hours=hours, minutes=self._created % 60)
        text = created_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"created_at": text, "updated_at": text}

    def _pick(self, choices: Sequence[Any]) -> Any:
        return choices[self._random.randrange(len(choices))]

    # Bodies

    def _user(self, index: int) -> dict[str, Any]:
        first_name = FIRST_NAMES[index % len(FIRST_NAMES)]
        last_name = LAST_NAMES[index // len(FIRST_NAMES) % len(LAST_NAMES)]
        country, city, zone = self._pick(LOCATIONS)
        role = "admin" if index % 5 == 0 else "accountManager"
        return {
            "first_name": first_name,
            "last_name": last_name,
            "email": f"{first_name}.{last_name}{index + 1}@example.com".lower(),
            "role": role,
            "status": "Deactivated" if index % 17 == 16 else "Active",
            "is_publisher_manager": role == "accountManager",
            "publisher_manager_access": "Limited" if index % 3 else "Global",
            "country": country,
            "city": city,
            "timezone": zone,
            "phone": f"+1-555-{index:04}",
        }

    def _company(self, index: int, managers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        industry = INDUSTRIES[index % len(INDUSTRIES)]
        name = f"{LAST_NAMES[index % len(LAST_NAMES)]} {industry}"
        country = self._pick(LOCATIONS)[0]
        return {
            "name": name,
            "company_name": f"{name} Ltd",
            "email": f"partners{index + 1}@{industry.lower()}.example",
            "first_name": self._pick(FIRST_NAMES),
            "last_name": self._pick(LAST_NAMES),
            "country": country,
            "active": index % 11 != 10,
            "manager_id": self._pick(managers)["id"] if managers else "",
            "website": f"https://{industry.lower()}{index + 1}.example",
            "tags": [industry.lower()],
        }

    def _publisher(self, index: int, managers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        suffix = PUBLISHER_SUFFIXES[index % len(PUBLISHER_SUFFIXES)]
        name = f"{FIRST_NAMES[index % len(FIRST_NAMES)]} {suffix}"
        country, city, zone = self._pick(LOCATIONS)
        return {
            **self._company(index, managers),
            "name": name,
            "company_name": name,
            "email": f"traffic{index + 1}@{suffix.lower()}.example",
            "country": country,
            "city": city,
            "timezone": zone,
            "countries": [country],
            "promotional_method": [self._pick(PROMOTIONAL_METHODS)],
            "pending": index % 23 == 22,
            "website": f"https://{suffix.lower()}{index + 1}.example",
        }

    def _offer(
        self,
        index: int,
        advertisers: Sequence[Mapping[str, Any]],
        targeting_groups: Sequence[Mapping[str, Any]],
        fraud_groups: Sequence[Mapping[str, Any]],
    ) -> dict[str, Any]:
        payout = round(self._random.uniform(0.5, 40), 2)
        industry = INDUSTRIES[index % len(INDUSTRIES)]
        last_year = self._settings.today.year - 1
        domain = f"{industry.lower()}.example"
        return {
            "name": f"{SEASONS[index % len(SEASONS)]} {industry} {last_year + index % 2}",
            "description": f"{industry} offer, number {index + 1}",
            "advertiser_id": self._pick(advertisers)["incremental_id"] if advertisers else 1,
            "currency": "EUR" if index % 4 == 3 else "USD",
            "active": index % 9 != 8,
            "visibility": ("Public", "Private", "Requires_Approval")[index % 3],
            # Publisher 1, who has the publisher view, is approved for a quarter of the offers that are not public.
            "approved_publisher_ids": [1, 2 + index % 50] if index % 3 and index % 4 == 1 else [],
            "manually_approve_conversions": index % 5 == 2,
            "conversion_name": "Sale",
            "default_payout": {
                "payout": payout,
                "payout_percent": 0,
                "payout_type": "CPA",
                "revenue": round(payout * 1.3, 2),
                "revenue_percent": 0,
                "revenue_type": "RPA",
            },
            "primary_domain": domain,
            "fallback_url": f"https://{domain}/sorry",
            "targeting_group_id": self._pick(targeting_groups)["id"] if targeting_groups else "",
            "fraud_filter_group_id": self._pick(fraud_groups)["id"] if fraud_groups else "",
            "tags": [industry.lower()],
        }

    def _add_offer_details(self, offers: Sequence[Mapping[str, Any]], integration: str) -> None:
        """Events for all offers, and landing pages and coupon codes for some."""
        for offer in offers:
            events = [{"name": name, "payout": 2.5, "revenue": 4.0} for name in EVENT_NAMES]
            self._add("offer_events", events, integration, offer)
        for offer in offers[:DETAILED_OFFERS]:
            landing_pages = [
                {"name": name, "redirect_url": f"https://{offer['primary_domain']}/{name.lower()}"}
                for name in ("Homepage", "Checkout")
            ]
            self._add("landing_pages", landing_pages, integration, offer)
        for offer in offers[:DETAILED_OFFERS:8]:
            self._add("coupon_codes", [{"name": f"SAVE{offer['incremental_id']}"}], integration, offer)

    def _add_access_requests(self, offers: Sequence[Mapping[str, Any]], integration: str) -> None:
        """Requests of the publisher of the publisher view: approved, pending, and for some offers none."""
        for index, offer in enumerate(offers):
            requires_approval = offer.get("visibility") == "Requires_Approval" and offer.get("active")
            if requires_approval and index % 4 in (1, 2):
                status = APPROVED if offer.get("offer_access") == APPROVED else PENDING
                body = {"comments": "Mobile traffic from our app", "request_status": status}
                self._add("access_requests", [body], integration, offer)
                self._items.refresh_offer(offer["id"])

    # Collections of an edited spec

    def _add_unknown_collections(self) -> None:
        """Three sample documents for each collection that only an edited spec has."""
        known = {row[0] for row in self._store.query("SELECT DISTINCT collection FROM items")}
        # Exports are started by requests, not seeded.
        known.add("exports")
        for surface in self._surfaces.values():
            for operation in surface.operations.values():
                name = collection_name(operation)
                if operation.kind == "pages" and name not in known:
                    known.add(name)
                    self._add_samples(surface, operation, name)

    def _add_samples(self, surface: Surface, operation: Operation, name: str) -> None:
        samples = [as_map(surface.schemas.sample_value(operation.item_schema, name, index)) for index in range(3)]
        integration = self._settings.integrations[0] if "{integrationID}" in operation.segments else ""
        self._add(name, samples, integration)


def _groups(kind: str, count: int) -> Iterator[dict[str, Any]]:
    """Targeting or fraud filter groups, one for each industry."""
    for industry in INDUSTRIES[:count]:
        yield {"name": f"{kind} {industry}", "description": f"For {industry.lower()} traffic"}


def _smartlink(index: int, offers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    names = ("id", "name", "active", "incremental_id", "name_with_id")
    weighted_offers: list[dict[str, Any]] = []
    for position in range(index * 3, index * 3 + 3):
        if offers:
            offer = offers[position % len(offers)]
            weighted_offers.append({**{name: offer[name] for name in names if name in offer}, "weight": 3})
    return {
        "name": f"{INDUSTRIES[index % len(INDUSTRIES)]} mix",
        "strategy": "Weighted",
        "weighted_offers": weighted_offers,
    }


def _postback(index: int) -> dict[str, Any]:
    service = POSTBACK_SERVICES[index % len(POSTBACK_SERVICES)]
    return {
        "name": f"Tell the tracker of each {service}",
        "service_type": service,
        "method": "GET",
        "url": f"https://tracker.example/{service}?tx={{tx_id}}",
    }
