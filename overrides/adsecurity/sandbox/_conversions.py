"""The approval of conversions: the handler that changes their status."""

from __future__ import annotations

from typing import Any

from ._call import ApiRequest
from ._errors import HttpError, bad_body, not_found
from ._items import Items
from ._reports import Reports
from ._schema import as_list, as_map
from ._store import Store

_STATUS_OF_ACTION = {"Approve": "Approved", "Reject": "Rejected"}


class Conversions:
    """Approves and rejects conversions."""

    def __init__(self, store: Store, items: Items, reports: Reports) -> None:
        self._store = store
        self._items = items
        self._reports = reports

    def update(self, request: ApiRequest) -> dict[str, Any]:
        """Carries out all updates of a request or none; each names a conversion by its transaction id or hash."""
        self._reports.ensure_rows("conversions")
        updates = [as_map(update) for update in as_list(request.body.get("updates"))]
        if not updates:
            raise HttpError(402, "body /updates: names no conversion")
        if request.body.get("integration_id"):
            self._items.check_integration(request.body["integration_id"])
        changed: list[tuple[int, dict[str, Any]]] = []
        for index, update in enumerate(updates):
            row_number, document = self._find(str(update.get("tx_id") or update.get("hash") or ""))
            status = _STATUS_OF_ACTION.get(str(update.get("action")))
            if status is None:
                pointer = f"/updates/{index}/action"
                raise bad_body(pointer, f"{update.get('action')!r} is neither Approve nor Reject")
            is_rejected = status == "Rejected"
            reason = str(update.get("new_rejected_advanced_reason") or "") if is_rejected else ""
            changes = {"status": status, "rejected": int(is_rejected), "rejected_advanced_reason": reason}
            changed.append((row_number, {**document, **changes, **as_map(update.get("update_params"))}))
        for row_number, document in changed:
            self._store.replace_row(row_number, document)
        return {"success": True}

    def _find(self, tx_id_or_hash: str) -> tuple[int, dict[str, Any]]:
        clause = "report = 'conversions' AND (key = ? OR json_extract(doc, '$.hash') = ?)"
        rows = list(self._store.rows(clause, [tx_id_or_hash, tx_id_or_hash]))
        if not rows:
            raise not_found("conversion", tx_id_or_hash)
        return rows[0]
