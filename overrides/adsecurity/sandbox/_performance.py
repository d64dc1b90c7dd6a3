"""The performance report: what the click, impression and conversion rows add up to by day, offer and publisher."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ._store import Store

if TYPE_CHECKING:
    from ._reports import Selection

_SQL = """
SELECT date(time, 'unixepoch'), json_extract(doc, '$.offer_db_id'), json_extract(doc, '$.publisher_db_id'),
    json_extract(doc, '$.status') = 'Rejected', COUNT(*),
    SUM(json_extract(doc, '$.payout')), SUM(json_extract(doc, '$.revenue')),
    MIN(json_extract(doc, '$.offer')), MIN(json_extract(doc, '$.offer_id')), MIN(json_extract(doc, '$.publisher')),
    MIN(json_extract(doc, '$.advertiser')), MIN(json_extract(doc, '$.advertiser_db_id'))
FROM rows WHERE {clause} GROUP BY 1, 2, 3, 4
"""
_NAMES = ("offer", "offer_id", "publisher", "advertiser", "advertiser_db_id")


def performance_rows(
    store: Store, selections: Mapping[str, Selection], template: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """One row for each day, offer and publisher, newest day first, with every field of the template."""
    totals: dict[tuple[str, str, str], dict[str, Any]] = {}
    for report, selection in selections.items():
        for day, offer, publisher, rejected, count, payout, revenue, *names in store.query(
            _SQL.format(clause=selection.clause), selection.values
        ):
            found = {name: text or "" for name, text in zip(_NAMES, names, strict=True)}
            row = totals.setdefault(
                (day, offer, publisher),
                {**template, **found, "date": day, "offer_db_id": offer, "publisher_db_id": publisher},
            )
            row[f"{report}_total"] += count
            row[f"{report}_total_{'rejected' if rejected else 'approved'}"] += count
            row["payout"] = round(row["payout"] + payout, 4)
            row["revenue"] = round(row["revenue"] + revenue, 4)
    for row in totals.values():
        if row["clicks_total"]:
            row["conversion_rate"] = round(100 * row["conversions_total"] / row["clicks_total"], 2)
    return [totals[key] for key in sorted(totals, reverse=True)]
