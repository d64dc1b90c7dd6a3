"""The publisher view: handlers for the offers that the publisher may run, its access requests and its postbacks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ._call import ApiRequest
from ._errors import ErrorDetail, HttpError, bad_body, not_found
from ._items import OFFERS, Completion, Items
from ._offers import PRIVATE, RUNNABLE, links_of_publisher
from ._schema import select_fields
from ._spec import Operation
from ._store import Collection, Store

# IS NOT instead of !=, because an edited spec may lack a field, and a comparison with NULL would hide every offer.
_VISIBLE_OFFERS = (
    " AND json_extract(doc, '$.active') IS NOT 0 AND json_extract(doc, '$.archived') IS NOT 1"
    f" AND json_extract(doc, '$.offer_access') IS NOT '{PRIVATE}'"
)
_MACRO = re.compile(r"\{\w+\}")


class PublisherView:
    """The handlers of the publisher view that do more than those of other resources."""

    def __init__(self, store: Store, items: Items) -> None:
        self._store = store
        self._items = items

    # Offers

    def list_offers(self, request: ApiRequest) -> dict[str, Any]:
        return self._items.list_items(request, _VISIBLE_OFFERS, self._completion(request))

    def get_offer(self, request: ApiRequest) -> dict[str, Any]:
        self._visible_offer(request)
        return self._items.get_item(request, self._completion(request))

    def list_payouts(self, request: ApiRequest) -> dict[str, Any]:
        self._visible_offer(request)
        return self._items.list_items(request)

    def _visible_offer(self, request: ApiRequest) -> dict[str, Any]:
        """The offer that the path names; one that the publisher does not see is a 404 like one that does not exist."""
        target = self._items.resolve_target(request)
        offer_id = target.item_id or target.collection.parent_id
        found = self._store.documents(OFFERS, f"{_VISIBLE_OFFERS} AND id = ?", [offer_id])
        if not found:
            raise not_found("offer", offer_id)
        return found[0]

    def _completion(self, request: ApiRequest) -> Completion:
        """A function that adds to an offer what only the publisher view shows."""
        publisher_number = self._items.own_publisher().get("incremental_id", 0)
        payout_template = _item_template(request.operation, "payout_list")
        landing_page_template = _item_template(request.operation, "landing_pages")

        def complete(offer: Mapping[str, Any]) -> dict[str, Any]:
            payouts = self._store.documents(Collection("offer_events", parent_id=offer["id"]))
            landing_pages = self._store.documents(Collection("landing_pages", parent_id=offer["id"]))
            return {
                **offer,
                "click_tracking_links": links_of_publisher(offer, publisher_number),
                "payout_list": [select_fields(payout, payout_template) for payout in payouts],
                "landing_pages": [select_fields(page, landing_page_template) for page in landing_pages],
            }

        return complete

    # Access requests

    def request_access(self, request: ApiRequest) -> dict[str, Any]:
        """Creates a request for an offer that the publisher sees, may not run, and has not requested yet."""
        offer = self._visible_offer(request)
        if offer.get("offer_access") in RUNNABLE:
            raise HttpError(402, f"the publisher may already run offer {offer['id']!r}")
        if self._store.count_documents(Collection("access_requests", parent_id=offer["id"])):
            raise HttpError(402, f"access to offer {offer['id']!r} has already been requested")
        response = self._items.create_item(request)
        self._items.refresh_offer(offer["id"])
        return response

    def delete_access_requests(self, request: ApiRequest) -> dict[str, Any]:
        access_requests = self._items.find_documents(request)
        response = self._items.write_items(request)
        for access_request in access_requests:
            self._items.refresh_offer(access_request.get("offer_id", ""))
        return response

    # Postbacks

    def create_postback(self, request: ApiRequest) -> dict[str, Any]:
        _check_url(request)
        integration = request.body.get("integration")
        if integration is not None and not self._items.has_integration(integration):
            detail = ErrorDetail("body", "/integration", f"no integration {integration!r}", "/integration")
            raise HttpError(402, str(detail), details=[detail])
        return self._items.create_item(request)

    def write_postbacks(self, request: ApiRequest) -> dict[str, Any]:
        _check_url(request)
        return self._items.write_items(request)


def _item_template(operation: Operation, field: str) -> dict[str, Any]:
    """Every field of the items in a list field, with its zero value."""
    schemas = operation.surface.schemas
    list_schema = schemas.properties(operation.item_schema).get(field)
    item_schema = schemas.resolve(list_schema).get("items")
    return {name: schemas.zero_value(schema) for name, schema in schemas.properties(item_schema).items()}


def _check_url(request: ApiRequest) -> None:
    url = request.body.get("url")
    if isinstance(url, str) and not _is_web_url(url):
        raise bad_body("/url", f"{url!r} is not an http or https URL")


def _is_web_url(url: str) -> bool:
    """Whether a text is an absolute URL; macros such as `{tx_id}` may stand for any part but the scheme."""
    if not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(_MACRO.sub("macro", url))
        # Reading the port raises ValueError when it is no number.
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
