"""dlt sources of both APIs: `network(…)` and `adsecurity(…)` have a resource for each list and each report.

    pipeline = dlt.pipeline("ads", destination="duckdb", dataset_name="network")
    source = adsecurity.dlt.network(integration_id="integration-1", start_time="2026-11-01")
    pipeline.run(source.with_resources("users", "reports_clicks"))

Which resources there are, their columns, keys and time ranges come from the table of operations. They are called as the
methods are: `users` loads `users.list`, `reports_clicks` loads `reports.clicks`. All give Arrow tables with the columns
of the specs; what those do not know is in the column `_extra`. Needs `adsecurity[dlt]`.
"""

from __future__ import annotations

from ..flow.extras import require

for _module in ("dlt", "pyarrow", "msgspec"):
    require(_module, extra="dlt")

from .source import adsecurity, network  # noqa: E402 - what is missing is named first

__all__ = ["adsecurity", "network"]
