"""The performance report: the totals of click, impression and conversion rows by day, offer and publisher.

Only approved rows count as paid; a pending conversion is in the total alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._store import RowQuery, Store

_SQL = """
SELECT date(time, 'unixepoch'), json_extract(doc, '$.offer_db_id'), json_extract(doc, '$.publisher_db_id'),
    json_extract(doc, '$.status'), COUNT(*),
    SUM(json_extract(doc, '$.payout')), SUM(json_extract(doc, '$.revenue')),
    MIN(json_extract(doc, '$.offer')), MIN(json_extract(doc, '$.offer_id')), MIN(json_extract(doc, '$.publisher')),
    MIN(json_extract(doc, '$.advertiser')), MIN(json_extract(doc, '$.advertiser_db_id'))
FROM rows WHERE {where} GROUP BY 1, 2, 3, 4
"""
# The fields that the last columns of the query fill.
_NAMES = ("offer", "offer_id", "publisher", "advertiser", "advertiser_db_id")


def performance_rows(
    store: Store, row_queries: Mapping[str, RowQuery], template: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """One row for each day, offer and publisher, newest day first, with every field of the template.

    `row_queries` selects the rows to add up, by the report ("clicks") that they belong to.
    """
    rows: dict[tuple[str, str, str], dict[str, Any]] = {}
    for report, query in row_queries.items():
        groups = store.query(_SQL.format(where=query.where), query.parameters)
        for day, offer, publisher, status, count, payout, revenue, *names in groups:
            key = (day, offer, publisher)
            if key not in rows:
                named = {name: text or "" for name, text in zip(_NAMES, names, strict=True)}
                ids = {"date": day, "offer_db_id": offer, "publisher_db_id": publisher}
                rows[key] = {**template, **named, **ids}
            row = rows[key]
            row[f"{report}_total"] += count
            if status == "Approved":
                row[f"{report}_total_approved"] += count
                row["payout"] = round(row["payout"] + payout, 4)
                row["revenue"] = round(row["revenue"] + revenue, 4)
            elif status == "Rejected":
                row[f"{report}_total_rejected"] += count
    for row in rows.values():
        if row["clicks_total"]:
            row["conversion_rate"] = round(100 * row["conversions_total"] / row["clicks_total"], 2)
    return [rows[key] for key in sorted(rows, reverse=True)]
