"""A tour of the client against a sandbox: lists, writing, a report, an export, Parquet. `make demo` runs it."""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from .. import ExportJob, NetworkClient
from ..flow import extras

FIELDS = ["real_tx_id", "request_time", "country", "device_type", "status", "offer_id", "publisher", "revenue"]
EXPORT_SECONDS = 3.0


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m adsecurity.sandbox.demo", description=__doc__)
    parser.add_argument("--out", metavar="DIR", help="keep the files there; otherwise they go when the demo ends")
    options = parser.parse_args(arguments)
    try:
        # Checked before the first step, because the extra is needed only by the last one.
        for module in ("msgspec", "pyarrow"):
            extras.require(module, extra="parquet")
        from . import Sandbox
    except ModuleNotFoundError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as temporary, Sandbox(export_seconds=EXPORT_SECONDS) as sandbox:
        folder = Path(options.out or temporary)
        folder.mkdir(parents=True, exist_ok=True)
        print(f"A sandbox with invented data answers at {sandbox.network_url}")
        with NetworkClient(api_key=sandbox.api_key, base_url=sandbox.network_url) as client:
            show_lists(client, sandbox.integration_id)
            show_writing(client, sandbox.integration_id)
            start, end = str(sandbox.today - timedelta(days=7)), str(sandbox.today)
            show_report(client, sandbox.integration_id, start, end)
            job = show_export(client, sandbox.integration_id, start, end)
            show_files(job, folder)
    print(f"\nThe sandbox has stopped; all of it took {time.monotonic() - started:.1f} s.")
    return 0


def heading(code: str) -> None:
    print(f"\n>>> {code}", flush=True)


def show_lists(client: NetworkClient, integration: str) -> None:
    heading('client.users.list(filter={"role": "admin"}, sort=["-created_at"])')
    users = client.users.list(filter={"role": "admin"}, sort=["-created_at"])
    for user in itertools.islice(users, 3):
        print(f"    {user.first_name} {user.last_name} <{user.email}>, since {user.created_at:%Y-%m-%d}")
    heading("client.users.list()  and  client.offers.list(integration)")
    print(f"    {describe(client.users.list(page_size=50))} of users")
    print(f"    {describe(client.offers.list(integration))} of offers")


def describe(paginator: Any) -> str:
    sizes = [len(page.items) for page in paginator.pages()]
    return f"{len(sizes)} pages, {' + '.join(str(size) for size in sizes)} = {sum(sizes)}"


def show_writing(client: NetworkClient, integration: str) -> None:
    heading('client.offers.create(integration, name="Summer", advertiser_id=42)')
    offer_id = client.offers.create(integration, name="Summer", advertiser_id=42)
    print(f"    created {offer_id}")
    heading('client.offers.update(integration, offer_id, name="Late summer", advertiser_id=42, active=False)')
    client.offers.update(integration, offer_id, name="Late summer", advertiser_id=42, active=False)
    offer = client.offers.get(integration, offer_id)
    print(f"    {offer.name_with_id}, active: {offer.active}, changed {offer.updated_at:%Y-%m-%d %H:%M:%S}")


def show_report(client: NetworkClient, integration: str, start: str, end: str) -> None:
    heading(f'client.reports.clicks(integration_id=integration, start_time="{start}", end_time="{end}")')
    days: Counter[str] = Counter()
    for row in client.reports.clicks(integration_id=integration, start_time=start, end_time=end):
        days[f"{row.request_time:%a %d %b}"] += 1
    most = max(days.values())
    for day, count in reversed(days.items()):
        print(f"    {day} {count:5}  {'#' * (50 * count // most)}")
    print(f"    {sum(days.values())} clicks, page after page by cursor")


def show_export(client: NetworkClient, integration: str, start: str, end: str) -> ExportJob[Any]:
    heading("job = client.exports.clicks(integration, ...); job.wait(on_progress=print)")
    job = client.exports.clicks(
        integration, start_time=start, end_time=end, fields=FIELDS, extra_parameters=["campaign"]
    )
    print(f"    {job}", flush=True)
    job.wait(timeout=30, on_progress=lambda seen: print(f"    {seen}", flush=True))
    return job


def show_files(job: ExportJob[Any], folder: Path) -> None:
    heading('job.download("clicks.csv")')
    csv = job.download(folder / "clicks.csv")
    print(f"    {csv.name}: {csv.stat().st_size:,} bytes")
    heading('job.to_parquet("clicks.parquet")')
    parquet = job.to_parquet(folder / "clicks.parquet")
    print(f"    {parquet.name}: {parquet.stat().st_size:,} bytes")
    heading("pyarrow: clicks by country in clicks.parquet")
    table = extras.require("pyarrow.parquet", extra="parquet").read_table(parquet)
    sums = [("country", "count"), ("revenue", "sum"), ("request_time", "min")]
    rows = table.group_by("country").aggregate(sums).sort_by([("country_count", "descending")]).to_pylist()
    refused = table.filter(extras.require("pyarrow.compute", extra="parquet").field("status") == "Rejected")
    rejected: Counter[str] = Counter(refused["country"].to_pylist())
    print(f"    {'country':8} {'clicks':>7} {'rejected':>9} {'revenue':>9}  first click (UTC)")
    for row in rows:
        country, clicks, revenue, first = (
            row[name] for name in ("country", "country_count", "revenue_sum", "request_time_min")
        )
        print(f"    {country:8} {clicks:7} {rejected[country]:9} {revenue:9.2f}  {first:%Y-%m-%d %H:%M:%S}")


if __name__ == "__main__":
    sys.exit(main())
