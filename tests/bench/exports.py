"""Downloads and conversions of an export, each in a fresh process: `python -m tests.bench.exports TASK SOURCE TARGET`.

The clock runs from when everything is imported to when the file is there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs

from tests.bench import dataset
from tests.bench.child import NOT_INSTALLED, peak
from tests.bench.contenders import KEY
from tests.bench.servers import ROOT, environment


@attrs.frozen
class Task:
    wall: float
    cpu: float
    peak: int


def timed(name: str, source: str, target: Path, **settings: str) -> Task:
    command = [sys.executable, "-m", "tests.bench.exports", name, source, str(target)]
    done = subprocess.run(command, cwd=ROOT, env=environment() | settings, check=True, stdout=subprocess.PIPE)
    return Task(**json.loads(done.stdout))


def _job(url: str) -> Any:
    import adsecurity

    client = adsecurity.NetworkClient(api_key=KEY, base_url=url)
    start, end = dataset.span(1_000_000)
    job = client.exports.clicks(
        "integration-1", start_time=start, end_time=end, fields=dataset.export_columns(), extra_parameters=[]
    )
    return job.wait()


def download(url: str, target: str) -> Callable[[], object]:
    job = _job(url)
    return lambda: job.download(target)


def to_parquet(url: str, target: str) -> Callable[[], object]:
    job = _job(url)
    import adsecurity.exports.conversion  # noqa: F401  # as in the others: the clock does not run while it is imported

    return lambda: job.to_parquet(target)


def report_in_groups(url: str, target: str) -> Callable[[], object]:
    """A report in row groups of so many bytes as the environment says."""
    import adsecurity
    from adsecurity.tables import parquet

    parquet.GROUP_BYTES = int(os.environ["BENCH_GROUP_BYTES"])
    start, end = dataset.span(int(os.environ["BENCH_ROWS"]))
    client = adsecurity.NetworkClient(api_key=KEY, base_url=url)
    return lambda: client.reports.clicks(integration_id="dirty", start_time=start, end_time=end).to_parquet(target)


def httpx_raw(url: str, target: str) -> Callable[[], object]:
    import httpx

    client = httpx.Client()

    def fetch() -> None:
        with client.stream("GET", url) as response, open(target, "wb") as file:
            for chunk in response.iter_raw():
                file.write(chunk)

    return fetch


def urllib3_read(url: str, target: str) -> Callable[[], object]:
    import urllib3

    pool = urllib3.PoolManager(ca_certs=os.environ.get("SSL_CERT_FILE"))

    def fetch() -> None:
        response = pool.request("GET", url, preload_content=False)
        with open(target, "wb") as file:
            while chunk := response.read(1 << 20):
                file.write(chunk)

    return fetch


def requests_content(url: str, target: str) -> Callable[[], object]:
    import requests

    session = requests.Session()
    trust = os.environ.get("SSL_CERT_FILE", True)

    def fetch() -> None:
        with session.get(url, stream=True, verify=trust) as response, open(target, "wb") as file:
            for chunk in response.iter_content(1 << 20):
                file.write(chunk)

    return fetch


def duckdb_file(source: str, target: str) -> Callable[[], object]:
    """As one writes it down: duckdb finds out the types itself."""
    import duckdb

    return lambda: duckdb.execute(f"COPY (SELECT * FROM read_csv('{source}')) TO '{target}' (FORMAT parquet)")


_DUCKDB = {"integer": "BIGINT", "number": "DOUBLE"}


def duckdb_typed(source: str, target: str) -> Callable[[], object]:
    """With the types of the spec, and the settings that need the least memory."""
    import duckdb

    fields = dataset.properties()
    types = {name: _DUCKDB.get(fields[name].get("type", ""), "VARCHAR") for name in dataset.export_columns()}
    duckdb.execute("SET memory_limit='512MB'; SET threads=2; SET preserve_insertion_order=false")
    read = f"read_csv('{source}', header=true, auto_detect=false, delim=',', quote='\"', escape='\"', columns={types})"
    return lambda: duckdb.execute(f"COPY (SELECT * FROM {read}) TO '{target}' (FORMAT parquet)")


def pyarrow_file(source: str, target: str) -> Callable[[], object]:
    import pyarrow.csv  # type: ignore[import-untyped]
    import pyarrow.parquet  # type: ignore[import-untyped]

    def convert() -> None:
        reader = pyarrow.csv.open_csv(source)
        with pyarrow.parquet.ParquetWriter(target, reader.schema) as writer:
            for batch in reader:
                writer.write_batch(batch)

    return convert


def main() -> None:
    name, source, target = sys.argv[1:4]
    exec(NOT_INSTALLED)
    task = globals()[name](source, target)
    wall, cpu = time.perf_counter(), time.process_time()
    task()
    done = Task(time.perf_counter() - wall, time.process_time() - cpu, peak())
    print(json.dumps(attrs.asdict(done)))


if __name__ == "__main__":
    main()
