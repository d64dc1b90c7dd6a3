"""Resources: list, read, create, change and delete documents, driven by what the spec says of each operation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from ._call import Call
from ._errors import Detail, Refusal, bad_body, bad_query, not_found
from ._schema import as_list, as_map, project, stable_id
from ._spec import Operation, Surface
from ._store import Place, Store
from ._values import LARGEST
from ._where import Language, text_search

DEFAULT_PAGE_SIZE = 25
MAX_PAGE_SIZE = 100

# The payouts that a publisher sees are the events of the offer.
VIEWS = {"publisher_view.offers.list_payouts": "offer_events"}
# What belongs to the publisher of the publisher view.
PUBLISHERS_OWN = ("access_requests", "coupon_codes")
# A field whose value must be found in another collection.
REFERENCES = {("offers", "advertiser_id"): ("advertisers", "incremental_id")}
# Update takes a number where create and read have a word; the texts do not say which is which.
STRATEGIES = ("Weighted", "Priority", "KPI", "Unknown")


@dataclass(frozen=True)
class World:
    """The fixed names of the seeded network."""

    seed: int = 1
    organization: str = "654321abcd"
    integrations: tuple[str, ...] = ("integration-1", "integration-2")
    user: str = "ops@example.com"


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def collection_of(operation: Operation) -> str:
    full = f"{operation.resource}.{operation.name}"
    return VIEWS.get(full) or operation.resource.rpartition(".")[2]


@dataclass
class Target:
    """What a path points at: a collection in its place, and one item of it or none."""

    place: Place
    item_id: str = ""
    parent: dict[str, Any] = field(default_factory=dict[str, Any])


class Items:
    def __init__(self, store: Store, surfaces: Mapping[str, Surface], world: World) -> None:
        self._store = store
        self._world = world
        self._templates: dict[str, dict[str, Any]] = {}
        for surface in surfaces.values():
            for operation in surface.operations.values():
                if operation.kind in ("pages", "one"):
                    template = self._templates.setdefault(collection_of(operation), {})
                    template.update({**operation.item_template, **template})

    @property
    def collections(self) -> tuple[str, ...]:
        return tuple(self._templates)

    # Where a path leads

    def target(self, call: Call) -> Target:
        operation = call.operation
        ids = dict(call.ids)
        last = operation.segments[-1]
        item_id = ids.pop(last[1:-1]) if last.startswith("{") else ""
        integration, parent_id, parent = "", "", dict[str, Any]()
        for name, value in ids.items():
            if name == "organizationID":
                self.check_organization(value)
            elif name == "integrationID":
                integration = self.check_integration(value)
            else:
                parent_id = value
                collection = name.removesuffix("ID") + "s"
                if collection in self._templates:
                    parent = self._find(Place(collection, integration), value)
        return Target(Place(collection_of(operation), integration, parent_id), item_id, parent)

    def check_organization(self, name: str) -> str:
        if name != self._world.organization:
            raise Refusal(403, f"the key has no access to organization {name!r}")
        return name

    def check_integration(self, name: str) -> str:
        if name not in self._world.integrations:
            raise not_found("integration", name)
        return name

    def _find(self, place: Place, item_id: str) -> dict[str, Any]:
        found = self._store.get(place, item_id)
        if found is None:
            raise not_found(place.collection, item_id)
        return found

    # Reading

    def one(self, call: Call) -> dict[str, Any]:
        target = self.target(call)
        schemas = call.operation.surface.schemas
        # What has no id is there once, and empty.
        found = self._find(target.place, target.item_id) if target.item_id else {}
        shown = project(found, call.operation.item_template)
        return {"data": shown} if "data" in schemas.properties(call.operation.success[1]) else shown

    def list(self, call: Call) -> dict[str, Any]:
        place = self.target(call).place
        schemas, schema = call.operation.surface.schemas, call.operation.item_schema
        language = Language(schemas, schema)
        clause, values = language.where(call.conditions)
        if call.query.get("query"):
            search, found = text_search(call.query["query"])
            clause, values = clause + search, [*values, *found]
        fields: Sequence[str] = call.query.get("fields") or ()
        language.check_fields(fields)
        order, order_values = language.order(call.query.get("sort") or ())
        number, size = page_of(call)
        total = self._store.count(place, clause, values)
        documents = self._store.documents(
            place,
            f"{clause} ORDER BY {order}seq LIMIT ? OFFSET ?",
            [*values, *order_values, size, min((number - 1) * size, LARGEST)],
        )
        pages = -(-total // size)
        links = {"next": _link(number + 1, size, pages), "prev": _link(number - 1, size, pages)}
        return {
            "data": [project(document, call.operation.item_template, fields) for document in documents],
            "meta": {"links": links, "total_count": total, "total_page": pages},
        }

    # Writing

    def create(self, call: Call) -> dict[str, Any]:
        target = self.target(call)
        schemas = call.operation.surface.schemas
        properties = schemas.properties(call.operation.body_schema)
        defaults = {name: schemas.resolve(part)["default"] for name, part in properties.items() if "default" in part}
        doc = self.new(target.place, {**defaults, **call.body}, target.parent)
        self._check_references(target.place.collection, doc, call.body)
        self._store.add([(target.place, doc)])
        return {"created_item_id": doc["id"]}

    def write(self, call: Call) -> dict[str, Any]:
        target = self.target(call)
        collection = target.place.collection
        if target.item_id:
            documents = [self._find(target.place, target.item_id)]
        else:
            documents = [
                self._find(replace(target.place, parent=parent or target.place.parent), item_id)
                for item_id, parent in _listed(call.body)
            ]
        if call.operation.method == "DELETE":
            self._store.delete(collection, [document["id"] for document in documents])
            return {}
        changes = call.body if target.item_id else {k: v for k, v in call.body.items() if k != "data"}
        self._check_references(collection, changes, changes)
        for document in documents:
            self._store.put(collection, self._changed(collection, document, changes))
        return {}

    def new(self, place: Place, body: Mapping[str, Any], parent: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """A complete document: what was given, what the server derives, and zero values for the rest."""
        collection = place.collection
        number = self._store.count_up(collection)
        template = self._templates.get(collection, {})
        created = {
            "id": stable_id(self._world.seed, collection, number),
            "incremental_id": number,
            "active": True,
            "created_at": now(),
            "updated_at": now(),
            "last_updated_by": self._world.user,
            "organization": self._world.organization,
            "integration": place.integration,
            "status": "Active",
            "request_status": "Pending",
            "api_key": stable_id(self._world.seed, collection, number, "key", length=40),
            "secure_code": stable_id(self._world.seed, collection, number, "code", length=16),
        }
        own: Mapping[str, Any] = self.own_publisher() if collection in PUBLISHERS_OWN else {}
        for relation, owner in (("offer", parent or {}), ("publisher", own)):
            for name in ("id", "incremental_id", "name_with_id"):
                if name in owner:
                    created[f"{relation}_{name}"] = owner[name]
        fresh = {**template, **{name: value for name, value in created.items() if name in template}}
        return self._changed(collection, fresh, body, touch=False) | {"id": body.get("id", created["id"])}

    def own_publisher(self) -> Mapping[str, Any]:
        """The one publisher that the publisher view belongs to: the first."""
        return next(iter(self._store.documents(Place("publishers"), " ORDER BY seq LIMIT 1")), dict[str, Any]())

    def _changed(
        self, collection: str, document: Mapping[str, Any], changes: Mapping[str, Any], *, touch: bool = True
    ) -> dict[str, Any]:
        template = self._templates.get(collection, {})
        doc = dict(document)
        for name, value in changes.items():
            if name == "strategy" and isinstance(value, int):
                doc[name] = STRATEGIES[value]
            elif name in template:
                doc[name] = value
        if touch and "updated_at" in doc:
            doc["updated_at"] = now()
        if "name_with_id" in template:
            doc["name_with_id"] = f"{doc.get('name', '')} [{doc.get('incremental_id', 0)}]"
        if changes.get("manager_id") and "manager_name" in template:
            manager = self._store.get(Place("users"), changes["manager_id"]) or {}
            doc["manager_email"] = manager.get("email", "")
            doc["manager_name"] = f"{manager.get('first_name', '')} {manager.get('last_name', '')}".strip()
        return doc

    def _check_references(self, collection: str, doc: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
        for (owner, name), (other, key) in REFERENCES.items():
            if owner != collection or name not in changes:
                continue
            wanted = doc[name]
            if not self._store.count(Place(other), " AND json_extract(doc, ?) = ?", [f"$.{key}", wanted]):
                detail = Detail("body", f"/{name}", f"no {other} with {key} {wanted}", f"/{name}")
                raise Refusal(402, str(detail), details=[detail])


def page_of(call: Call, number: str = "page[number]", size: str = "page[size]") -> tuple[int, int]:
    """The page number and size asked for, which only numbered lists may leave out."""
    wanted_number = call.query.get(number, 1)
    wanted_size = call.query.get(size, DEFAULT_PAGE_SIZE)
    if wanted_number < 1:
        raise bad_query(number, f"{wanted_number} is less than 1")
    if not 1 <= wanted_size <= MAX_PAGE_SIZE:
        raise bad_query(size, f"{wanted_size} is not between 1 and {MAX_PAGE_SIZE}")
    return wanted_number, wanted_size


def _link(number: int, size: int, pages: int) -> dict[str, Any]:
    exists = 1 <= number <= pages
    return {
        "page[after]": "",
        "page[before]": "",
        "page[number]": number if exists else 0,
        "page[size]": size if exists else 0,
    }


def _listed(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The ids that a bulk operation names, each with its offer's where that is named too."""
    listed = as_list(body.get("data"))
    if not listed:
        raise Refusal(402, "body /data: names no item", details=[Detail("body", "/data", "names no item", "/data")])
    named = [(item, "") if isinstance(item, str) else _entry(as_map(item)) for item in listed]
    for index, (item_id, _) in enumerate(named):
        if not item_id:
            raise bad_body(f"/data/{index}", "has no id")
    return named


def _entry(item: Mapping[str, Any]) -> tuple[str, str]:
    return str(item.get("id", "")), str(item.get("offer_id", ""))
