"""The fields of an offer that follow from its other fields: the publisher's access, its payout and tracking links."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._schema import as_list, as_map

PUBLIC = "Public"
PRIVATE = "Private"
APPROVED = "Approved"
PENDING = "Pending"
# The publisher may run an offer with one of these.
RUNNABLE = (PUBLIC, APPROVED)
PUBLISHER_MACRO = "{publisher_id}"
# The tracking domain of an offer that has none of its own.
TRACKING_DOMAIN = "track.example"


def offer_access(offer: Mapping[str, Any], publisher_number: int, *, is_requested: bool) -> str:
    """Whether a publisher may run an offer.

    "Approved" or "Public" when it may; "Pending" when it asked for access, otherwise the visibility of the offer:
    "Requires_Approval", or "Private" for an offer that it does not see. The documentation names "Public" only.
    """
    if publisher_number in as_list(offer.get("approved_publisher_ids")):
        return APPROVED
    visibility = str(offer.get("visibility") or PUBLIC)
    if is_requested and visibility not in (PUBLIC, PRIVATE):
        return PENDING
    return visibility


def conversion_payout(offer: Mapping[str, Any]) -> dict[str, Any]:
    """What a publisher sees of the default payout: not the revenue."""
    payout = as_map(offer.get("default_payout"))
    return {
        "payout": payout.get("payout", 0),
        "payout_percent": payout.get("payout_percent", 0),
        "payout_type": payout.get("payout_type", ""),
    }


def tracking_links(offer: Mapping[str, Any]) -> dict[str, str]:
    """The links that a publisher puts on its pages; the macro stands for the publisher's number."""
    domain = str(offer.get("primary_domain") or TRACKING_DOMAIN)
    query = f"offer_id={offer.get('incremental_id', 0)}&publisher_id={PUBLISHER_MACRO}"
    return {"standard": f"https://{domain}/click?{query}", "js": f"https://{domain}/click.js?{query}"}


def links_of_publisher(offer: Mapping[str, Any], publisher_number: int) -> dict[str, str]:
    """The tracking links with the publisher's number; empty for an offer that it may not run."""
    links = tracking_links(offer)
    if offer.get("offer_access") not in RUNNABLE:
        return dict.fromkeys(links, "")
    return {name: link.replace(PUBLISHER_MACRO, str(publisher_number)) for name, link in links.items()}
