"""Resources: handlers that list, read, create, change and delete documents, driven by each operation's spec."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

from ._call import ApiRequest
from ._errors import ErrorDetail, HttpError, bad_body, bad_query, not_found
from ._offers import APPROVED, PENDING, conversion_payout, offer_access, tracking_links
from ._schema import as_list, as_map, select_fields, stable_id
from ._spec import Operation, Surface
from ._store import Collection, Store
from ._values import MAX_INTEGER
from ._where import QueryCompiler, text_search_clause

OFFERS = Collection("offers")
DEFAULT_PAGE_SIZE = 25
MAX_PAGE_SIZE = 100

# The payouts of an offer in the publisher view are the events of the offer.
COLLECTION_OF_OPERATION = {"publisher_view.offers.list_payouts": "offer_events"}
# Documents created in these collections belong to the publisher of the publisher view.
PUBLISHER_OWNED = ("access_requests", "coupon_codes")
# (collection, field) whose value must be found in another (collection, field).
REFERENCES = {("offers", "advertiser_id"): ("advertisers", "incremental_id")}
# A smartlink's update takes an index where create and read have a name; the documentation does not give their order.
STRATEGIES = ("Weighted", "Priority", "KPI", "Unknown")

# Adds to a stored document what is shown but not stored.
Completion = Callable[[Mapping[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True)
class SeedSettings:
    """What the seeded data is made from: the day that counts as today, the random seed, and the fixed names in it."""

    today: date
    seed: int = 1
    organization: str = "654321abcd"
    integrations: tuple[str, ...] = ("integration-1", "integration-2")
    user: str = "ops@example.com"


def utc_now() -> str:
    """The current time in the form in which documents hold it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def collection_name(operation: Operation) -> str:
    """The collection that an operation reads or writes."""
    return COLLECTION_OF_OPERATION.get(operation.full_name) or operation.resource.rpartition(".")[2]


@dataclass
class Target:
    """What the path of a request names: a collection, an item of it (or ""), and the parent item (or {})."""

    collection: Collection
    item_id: str = ""
    parent: dict[str, Any] = field(default_factory=dict[str, Any])


class Items:
    """The handlers of all operations on resources."""

    def __init__(self, store: Store, surfaces: Mapping[str, Surface], settings: SeedSettings) -> None:
        self._store = store
        self._settings = settings
        # A document holds the fields of both surfaces; each response shows those of its own.
        self._templates: dict[str, dict[str, Any]] = {}
        for surface in surfaces.values():
            for operation in surface.operations.values():
                if operation.kind in ("pages", "one"):
                    template = self._templates.setdefault(collection_name(operation), {})
                    template.update({**operation.item_template, **template})

    @property
    def collection_names(self) -> tuple[str, ...]:
        return tuple(self._templates)

    # Path parameters

    def resolve_target(self, request: ApiRequest) -> Target:
        """The collection and item of a request; a parameter that names nothing is a 403 or 404."""
        operation = request.operation
        path_params = dict(request.path_params)
        last_segment = operation.segments[-1]
        item_id = path_params.pop(last_segment[1:-1]) if last_segment.startswith("{") else ""
        integration = ""
        parent_id = ""
        parent: dict[str, Any] = {}
        for name, value in path_params.items():
            if name == "organizationID":
                self.check_organization(value)
            elif name == "integrationID":
                integration = self.check_integration(value)
            else:
                parent_id = value
                parent_collection = name.removesuffix("ID") + "s"
                if parent_collection in self._templates:
                    parent = self._find(Collection(parent_collection, integration), value)
        return Target(Collection(collection_name(operation), integration, parent_id), item_id, parent)

    def check_organization(self, name: str) -> str:
        if name != self._settings.organization:
            raise HttpError(403, f"the key has no access to organization {name!r}")
        return name

    def has_integration(self, name: str) -> bool:
        return name in self._settings.integrations

    def check_integration(self, name: str) -> str:
        if not self.has_integration(name):
            raise not_found("integration", name)
        return name

    def _find(self, collection: Collection, item_id: str) -> dict[str, Any]:
        document = self._store.get_document(collection, item_id)
        if document is None:
            raise not_found(collection.name.removesuffix("s").replace("_", " "), item_id)
        return document

    # Handlers that read

    def get_item(self, request: ApiRequest, complete: Completion = dict) -> dict[str, Any]:
        target = self.resolve_target(request)
        schemas = request.operation.surface.schemas
        # What has no id exists once, and is empty.
        document = self._find(target.collection, target.item_id) if target.item_id else {}
        item = select_fields(complete(document), request.operation.item_template)
        has_envelope = "data" in schemas.properties(request.operation.success[1])
        return {"data": item} if has_envelope else item

    def list_items(self, request: ApiRequest, restriction: str = "", complete: Completion = dict) -> dict[str, Any]:
        """One page of a collection; `restriction` is a SQL condition, starting with AND, that all its items fulfil."""
        collection = self.resolve_target(request).collection
        compiler = QueryCompiler(request.operation.surface.schemas, request.operation.item_schema)
        where, parameters = compiler.where(request.conditions)
        where = restriction + where
        if request.query.get("query"):
            search, search_parameters = text_search_clause(request.query["query"])
            where += search
            parameters = [*parameters, *search_parameters]
        fields: Sequence[str] = request.query.get("fields") or ()
        compiler.check_fields(fields)
        order_by, order_parameters = compiler.order_by(request.query.get("sort") or ())
        number, size = page_number_and_size(request)
        offset = min((number - 1) * size, MAX_INTEGER)
        total = self._store.count_documents(collection, where, parameters)
        documents = self._store.documents(
            collection,
            f"{where} ORDER BY {order_by}seq LIMIT ? OFFSET ?",
            [*parameters, *order_parameters, size, offset],
        )
        pages = -(-total // size)
        links = {"next": _page_link(number + 1, size, pages), "prev": _page_link(number - 1, size, pages)}
        return {
            "data": [
                select_fields(complete(document), request.operation.item_template, fields) for document in documents
            ],
            "meta": {"links": links, "total_count": total, "total_page": pages},
        }

    # Handlers that write

    def create_item(self, request: ApiRequest) -> dict[str, Any]:
        target = self.resolve_target(request)
        schemas = request.operation.surface.schemas
        properties = schemas.properties(request.operation.body_schema)
        defaults = {
            name: schemas.resolve(schema)["default"] for name, schema in properties.items() if "default" in schema
        }
        document = self.new_document(target.collection, {**defaults, **request.body}, target.parent)
        self._check_references(target.collection.name, document, request.body)
        self._store.add_documents([(target.collection, document)])
        return {"created_item_id": document["id"]}

    def write_items(self, request: ApiRequest) -> dict[str, Any]:
        """Changes or deletes the item of the path, or all items that the body names: every one or none."""
        target = self.resolve_target(request)
        collection = target.collection
        documents = self.find_documents(request)
        changes = request.body
        if not target.item_id:
            changes = {name: value for name, value in request.body.items() if name != "data"}
        if request.operation.method == "DELETE":
            self._store.delete_documents(collection.name, [document["id"] for document in documents])
            return {}
        self._check_references(collection.name, changes, changes)
        for document in documents:
            self._replace(collection.name, self._apply_changes(collection.name, document, changes))
        return {}

    def find_documents(self, request: ApiRequest) -> list[dict[str, Any]]:
        """The item of the path, or all items that the body names; a 404 when one of them does not exist."""
        target = self.resolve_target(request)
        collection = target.collection
        if target.item_id:
            return [self._find(collection, target.item_id)]
        return [
            self._find(replace(collection, parent_id=parent_id or collection.parent_id), item_id)
            for item_id, parent_id in _bulk_items(request.body)
        ]

    # Documents

    def new_document(
        self, collection: Collection, body: Mapping[str, Any], parent: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """A complete document: the given fields, those that the server derives, and zero values for the rest."""
        number = self._store.increment_counter(collection.name)
        template = self._templates.get(collection.name, {})
        id_parts = (self._settings.seed, collection.name, number)
        now = utc_now()
        derived: dict[str, Any] = {
            "id": stable_id(*id_parts),
            "incremental_id": number,
            "active": True,
            "created_at": now,
            "updated_at": now,
            "last_updated_by": self._settings.user,
            "organization": self._settings.organization,
            "integration": collection.integration,
            "status": "Active",
            "request_status": "Pending",
            "api_key": stable_id(*id_parts, "key", length=40),
            "secure_code": stable_id(*id_parts, "code", length=16),
        }
        publisher: Mapping[str, Any] = self.own_publisher() if collection.name in PUBLISHER_OWNED else {}
        for prefix, owner in (("offer", parent or {}), ("publisher", publisher)):
            for name in ("id", "incremental_id", "name_with_id"):
                if name in owner:
                    derived[f"{prefix}_{name}"] = owner[name]
        document = {**template, **{name: value for name, value in derived.items() if name in template}}
        document["id"] = body.get("id", derived["id"])
        return self._apply_changes(collection.name, document, body, update_time=False)

    def own_publisher(self) -> Mapping[str, Any]:
        """The publisher whose view the publisher view is: the first one; {} when there is none."""
        first = self._store.documents(Collection("publishers"), " ORDER BY seq LIMIT 1")
        return first[0] if first else {}

    def _apply_changes(
        self, name: str, document: Mapping[str, Any], changes: Mapping[str, Any], *, update_time: bool = True
    ) -> dict[str, Any]:
        """The document of the named collection with new values, and with the fields that follow from them."""
        template = self._templates.get(name, {})
        changed = dict(document)
        for field_name, value in changes.items():
            if field_name == "strategy" and isinstance(value, int):
                changed[field_name] = STRATEGIES[value]
            elif field_name in template:
                changed[field_name] = value
        if update_time and "updated_at" in changed:
            changed["updated_at"] = utc_now()
        if "name_with_id" in template:
            changed["name_with_id"] = f"{changed.get('name', '')} [{changed.get('incremental_id', 0)}]"
        if name == OFFERS.name:
            derived = self._offer_fields(changed)
            changed |= {field_name: value for field_name, value in derived.items() if field_name in template}
        if changes.get("manager_id") and "manager_name" in template:
            manager = self._store.get_document(Collection("users"), changes["manager_id"]) or {}
            changed["manager_email"] = manager.get("email", "")
            changed["manager_name"] = f"{manager.get('first_name', '')} {manager.get('last_name', '')}".strip()
        return changed

    # Offers, which depend on other documents

    def _offer_fields(self, offer: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of an offer that follow from its other fields, and from what the publisher requested."""
        publisher_number = self.own_publisher().get("incremental_id", 0)
        requests = Collection("access_requests", parent_id=offer["id"])
        is_requested = self._store.count_documents(requests) > 0
        return {
            "offer_access": offer_access(offer, publisher_number, is_requested=is_requested),
            "conversion_payout": conversion_payout(offer),
            "click_tracking_links": tracking_links(offer),
        }

    def refresh_offer(self, offer_id: str) -> None:
        """Derives the fields of an offer again, after its access requests have changed."""
        offer = self._store.get_document(OFFERS, offer_id)
        if offer is not None:
            self._replace(OFFERS.name, self._apply_changes(OFFERS.name, offer, {}, update_time=False))

    def _replace(self, name: str, document: dict[str, Any]) -> None:
        """Stores the changed document; an offer decides what becomes of the requests for access to it."""
        self._store.replace_document(name, document)
        if name != OFFERS.name:
            return
        status = APPROVED if document.get("offer_access") == APPROVED else PENDING
        for request in self._store.documents(Collection("access_requests", parent_id=document["id"])):
            if request.get("request_status") != status:
                changed = self._apply_changes("access_requests", request, {"request_status": status})
                self._store.replace_document("access_requests", changed)

    def _check_references(self, name: str, document: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
        """Refuses changes that name an item of another collection which does not exist."""
        for (collection, field_name), (other_collection, key) in REFERENCES.items():
            if collection != name or field_name not in changes:
                continue
            value = document[field_name]
            clause = " AND json_extract(doc, ?) = ?"
            if not self._store.count_documents(Collection(other_collection), clause, [f"$.{key}", value]):
                pointer = f"/{field_name}"
                detail = ErrorDetail("body", pointer, f"no {other_collection} with {key} {value}", pointer)
                raise HttpError(402, str(detail), details=[detail])


def page_number_and_size(request: ApiRequest) -> tuple[int, int]:
    """`page[number]` and `page[size]` of a request, or their defaults; a 400 when they are out of range."""
    number = request.query.get("page[number]", 1)
    size = request.query.get("page[size]", DEFAULT_PAGE_SIZE)
    if number < 1:
        raise bad_query("page[number]", f"{number} is less than 1")
    if not 1 <= size <= MAX_PAGE_SIZE:
        raise bad_query("page[size]", f"{size} is not between 1 and {MAX_PAGE_SIZE}")
    return number, size


def _page_link(number: int, size: int, pages: int) -> dict[str, Any]:
    """A link of `meta.links`; zeros when there is no such page."""
    exists = 1 <= number <= pages
    return {
        "page[after]": "",
        "page[before]": "",
        "page[number]": number if exists else 0,
        "page[size]": size if exists else 0,
    }


def _bulk_items(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The item ids that a bulk operation names, each with the id of its offer ("" where none is given)."""
    entries = as_list(body.get("data"))
    if not entries:
        detail = ErrorDetail("body", "/data", "names no item", "/data")
        raise HttpError(402, str(detail), details=[detail])
    items: list[tuple[str, str]] = []
    for index, entry in enumerate(entries):
        if isinstance(entry, str):
            item_id, offer_id = entry, ""
        else:
            item_id, offer_id = str(as_map(entry).get("id", "")), str(as_map(entry).get("offer_id", ""))
        if not item_id:
            raise bad_body(f"/data/{index}", "has no id")
        items.append((item_id, offer_id))
    return items
