"""A believable small network: people, advertisers, publishers, offers and what hangs on them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from ._items import Items, World, collection_of
from ._schema import as_map
from ._spec import Operation, Surface
from ._store import Place, Store

FIRST = ("Ada", "Bruno", "Chiara", "Dmitri", "Elif", "Farah", "Goran", "Hanna", "Ivo", "Jun", "Kofi", "Lena", "Mateo")
LAST = ("Abbasi", "Berg", "Costa", "Dietrich", "Ekman", "Fischer", "Garcia", "Hughes", "Ionescu", "Jensen", "Kowalski")
PLACES = (
    ("US", "New York", "America/New_York"),
    ("DE", "Hamburg", "Europe/Berlin"),
    ("BR", "Recife", "America/Recife"),
    ("JP", "Osaka", "Asia/Tokyo"),
    ("GB", "Leeds", "Europe/London"),
    ("ZA", "Durban", "Africa/Johannesburg"),
)
TRADES = ("Travel", "Fitness", "Games", "Finance", "Fashion", "Pets", "Energy", "Books", "Music", "Garden")
FORMS = ("Media", "Partners", "Network", "Digital", "Traffic", "Labs")
SEASONS = ("Spring", "Summer", "Autumn", "Winter", "Weekend", "Launch")
GOALS = ("Lead Signup", "First Deposit", "Subscription")
# The methods that both surfaces have a word for.
METHODS = ("Content", "Email")
SINCE = datetime(2025, 11, 1, 8, 0)

COUNTS = {"users": 130, "advertisers": 60, "publishers": 120, "offers": 240}


class Seeder:
    """Fills an empty store."""

    def __init__(self, store: Store, items: Items, surfaces: Mapping[str, Surface], world: World) -> None:
        self._store = store
        self._items = items
        self._surfaces = surfaces
        self._world = world
        self._random = random.Random(world.seed)
        self._days = 0

    def run(self) -> None:
        users = self._add("users", (self._person(index) for index in range(COUNTS["users"])))
        managers = [user for user in users if user.get("role") == "accountManager"]
        advertisers = self._add("advertisers", (self._company(i, managers) for i in range(COUNTS["advertisers"])))
        self._add("publishers", (self._publisher(i, managers) for i in range(COUNTS["publishers"])))
        for integration, count in zip(self._world.integrations, (COUNTS["offers"], 12), strict=False):
            targeting = self._add("targeting_groups", self._named("Targeting", 6), integration)
            fraud = self._add("fraud_filter_groups", self._named("Filter group", 8), integration)
            offers = self._add(
                "offers", (self._offer(i, advertisers, targeting, fraud) for i in range(count)), integration
            )
            self._hang_on(offers[:40], integration)
            self._add("smartlinks", (self._smartlink(i, offers) for i in range(12)), integration)
        self._add("postbacks", (self._postback(i) for i in range(9)), self._world.integrations[0])
        self._add_unknown()

    def _add(
        self,
        collection: str,
        documents: Iterator[dict[str, Any]],
        integration: str = "",
        parent: Mapping[str, Any] | None = None,
    ) -> list[dict[str, Any]]:
        if collection not in self._items.collections:
            return []
        place = Place(collection, integration, parent["id"] if parent else "")
        made = [self._items.new(place, {**self._times(), **document}, parent) for document in documents]
        self._store.add((place, doc) for doc in made)
        return made

    def _times(self) -> dict[str, str]:
        self._days += 1
        created = SINCE + timedelta(hours=7 * self._days % 8000, minutes=self._days % 60)
        text = created.strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"created_at": text, "updated_at": text}

    def _pick(self, choices: Sequence[Any]) -> Any:
        return choices[self._random.randrange(len(choices))]

    def _person(self, index: int) -> dict[str, Any]:
        first, last = FIRST[index % len(FIRST)], LAST[index // len(FIRST) % len(LAST)]
        country, city, zone = self._pick(PLACES)
        role = "admin" if index % 5 == 0 else "accountManager"
        return {
            "first_name": first,
            "last_name": last,
            "email": f"{first}.{last}{index + 1}@example.com".lower(),
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
        name = f"{LAST[index % len(LAST)]} {TRADES[index % len(TRADES)]}"
        country = self._pick(PLACES)[0]
        return {
            "name": name,
            "company_name": f"{name} Ltd",
            "email": f"partners{index + 1}@{TRADES[index % len(TRADES)].lower()}.example",
            "first_name": self._pick(FIRST),
            "last_name": self._pick(LAST),
            "country": country,
            "active": index % 11 != 10,
            "manager_id": self._pick(managers)["id"] if managers else "",
            "website": f"https://{TRADES[index % len(TRADES)].lower()}{index + 1}.example",
            "tags": [TRADES[index % len(TRADES)].lower()],
        }

    def _publisher(self, index: int, managers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        name = f"{FIRST[index % len(FIRST)]} {FORMS[index % len(FORMS)]}"
        country, city, zone = self._pick(PLACES)
        return {
            **self._company(index, managers),
            "name": name,
            "company_name": name,
            "email": f"traffic{index + 1}@{FORMS[index % len(FORMS)].lower()}.example",
            "country": country,
            "city": city,
            "timezone": zone,
            "countries": [country],
            "promotional_method": [self._pick(METHODS)],
            "pending": index % 23 == 22,
            "website": f"https://{FORMS[index % len(FORMS)].lower()}{index + 1}.example",
        }

    def _named(self, name: str, count: int) -> Iterator[dict[str, Any]]:
        for index in range(count):
            yield {"name": f"{name} {TRADES[index]}", "description": f"For {TRADES[index].lower()} traffic"}

    def _offer(
        self,
        index: int,
        advertisers: Sequence[Mapping[str, Any]],
        targeting: Sequence[Mapping[str, Any]],
        fraud: Sequence[Mapping[str, Any]],
    ) -> dict[str, Any]:
        payout = round(self._random.uniform(0.5, 40), 2)
        trade = TRADES[index % len(TRADES)]
        return {
            "name": f"{SEASONS[index % len(SEASONS)]} {trade} {2025 + index % 2}",
            "description": f"{trade} offer, number {index + 1}",
            "advertiser_id": self._pick(advertisers)["incremental_id"] if advertisers else 1,
            "currency": "EUR" if index % 4 == 3 else "USD",
            "active": index % 9 != 8,
            "visibility": ("Public", "Private", "Requires_Approval")[index % 3],
            "conversion_name": "Sale",
            "default_payout": {
                "payout": payout,
                "payout_percent": 0,
                "payout_type": "CPA",
                "revenue": round(payout * 1.3, 2),
                "revenue_percent": 0,
                "revenue_type": "RPA",
            },
            "primary_domain": f"{trade.lower()}.example",
            "fallback_url": f"https://{trade.lower()}.example/sorry",
            "targeting_group_id": self._pick(targeting)["id"] if targeting else "",
            "fraud_filter_group_id": self._pick(fraud)["id"] if fraud else "",
            "tags": [trade.lower()],
        }

    def _hang_on(self, offers: Sequence[Mapping[str, Any]], integration: str) -> None:
        for offer in offers:
            events = ({"name": goal, "payout": 2.5, "revenue": 4.0} for goal in GOALS)
            self._add("offer_events", events, integration, offer)
            pages = (
                {"name": name, "redirect_url": f"https://{offer['primary_domain']}/{name.lower()}"}
                for name in ("Homepage", "Checkout")
            )
            self._add("landing_pages", pages, integration, offer)
        for offer in offers[::8]:
            self._add("access_requests", iter([{"comments": "Mobile traffic from our app"}]), integration, offer)
            self._add("coupon_codes", iter([{"name": f"SAVE{offer['incremental_id']}"}]), integration, offer)

    def _smartlink(self, index: int, offers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        linked = [offers[(index * 3 + step) % len(offers)] for step in range(3)] if offers else []
        keys = ("id", "name", "active", "incremental_id", "name_with_id")
        return {
            "name": f"{TRADES[index % len(TRADES)]} mix",
            "strategy": "Weighted",
            "weighted_offers": [{**{key: offer[key] for key in keys if key in offer}, "weight": 3} for offer in linked],
        }

    def _postback(self, index: int) -> dict[str, Any]:
        service = ("click", "impression", "conversion", "event")[index % 4]
        return {
            "name": f"Tell the tracker of each {service}",
            "service_type": service,
            "method": "GET",
            "url": f"https://tracker.example/{service}?tx={{tx_id}}",
        }

    def _add_unknown(self) -> None:
        """Three items for each collection that an edited spec adds."""
        known = {row[0] for row in self._store.query("SELECT DISTINCT collection FROM items")}
        for surface in self._surfaces.values():
            for operation in surface.operations.values():
                collection = collection_of(operation)
                if operation.kind == "pages" and collection not in (*known, "exports"):
                    known.add(collection)
                    self._add_samples(surface, operation, collection)

    def _add_samples(self, surface: Surface, operation: Operation, collection: str) -> None:
        samples = (as_map(surface.schemas.sample(operation.item_schema, collection, index)) for index in range(3))
        integration = self._world.integrations[0] if "{integrationID}" in operation.segments else ""
        self._add(collection, samples, integration)
