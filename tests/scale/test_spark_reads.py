"""Spark reads on a cluster of two executors: the rows of the plain call, whatever dies, and no key in anything kept."""

from __future__ import annotations

import os
import re
import shutil
import signal
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import adsecurity.spark
from adsecurity.sandbox import Sandbox
from tests.scale.spark_session import CLICKS, clicks_of, start_session

KEY = "planted-key-5f1c0e"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(today="2026-11-08", rows=1500, api_key=KEY, latency=0.05) as running:
        yield running


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("events")


@pytest.fixture(scope="module")
def spark(sandbox: Sandbox, events: Path) -> Iterator[Any]:
    session = start_session(
        "local-cluster[2,1,1024]",
        **{
            "ui.port": "0",
            "eventLog.enabled": "true",
            "eventLog.compress": "false",
            "eventLog.dir": events.as_uri(),
            "ui.showConsoleProgress": "false",
        },
    )
    adsecurity.spark.register(
        session,
        network={"api_key": KEY, "base_url": sandbox.network_url},
        adsecurity={"api_key": KEY, "base_url": sandbox.adsecurity_url},
    )
    yield session
    session.stop()


def read(spark: Any, **options: str) -> Any:
    reader = spark.read.format("adsecurity")
    for name, text in {**CLICKS, **options}.items():
        reader = reader.option(name, text)
    return reader


def checksum(table: pa.Table) -> list[Any]:
    """How many rows, which, and what they add up to."""
    return [
        table.num_rows,
        sorted(table["real_tx_id"].to_pylist()),
        round(pc.sum(table["payout"]).as_py(), 6),
        pc.max(table["request_time"]).as_py(),
    ]


def test_spark_gives_the_rows_of_the_plain_call(spark: Any, sandbox: Sandbox) -> None:
    frame = read(spark, numPartitions="4").load()
    assert frame.rdd.getNumPartitions() == 4
    assert checksum(frame.toArrow()) == checksum(clicks_of(sandbox))


def test_filters_of_one_query_do_not_reach_the_next(spark: Any, sandbox: Sandbox) -> None:
    plain = clicks_of(sandbox)
    frame = read(spark, numPartitions="2").load().select("country", "payout")
    countries = pc.value_counts(plain["country"]).to_pylist()[:2]
    found = [frame.where(frame.country == one["values"]).count() for one in countries]
    assert found == [one["counts"] for one in countries]
    assert frame.count() == plain.num_rows


def executors(spark: Any) -> list[int]:
    """The processes that run the tasks of this session."""
    application = spark.sparkContext.applicationId
    found = []
    for entry in Path("/proc").iterdir():
        try:
            command = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdecimal() else []
        except OSError:
            continue
        if any(b"CoarseGrainedExecutorBackend" in word for word in command) and application.encode() in command:
            found.append(int(entry.name))
    return found


def when(condition: Callable[[], bool], do: Callable[[], object]) -> threading.Thread:
    def wait() -> None:
        while not condition():
            time.sleep(0.01)
        do()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


def test_an_executor_that_is_killed_in_the_middle_changes_nothing(spark: Any, sandbox: Sandbox) -> None:
    frame = read(spark, numPartitions="4", page_size="20").load()
    sandbox.requests.clear()
    victim = executors(spark)[0]
    # Four probes, then pages: both executors are in the middle of a partition.
    killer = when(lambda: len(sandbox.requests) > 20, lambda: os.kill(victim, signal.SIGKILL))
    found = checksum(frame.toArrow())
    killer.join(10)
    assert not killer.is_alive()
    assert victim not in executors(spark)
    assert found == checksum(clicks_of(sandbox))


def test_the_server_sees_no_more_requests_than_the_budget(spark: Any) -> None:
    with Sandbox(today="2026-11-08", rows=300, api_key=KEY) as limited:
        adsecurity.spark.register(spark, network={"api_key": KEY, "base_url": limited.network_url})
        options = {"numPartitions": "6", "page_size": "20", "requestsPerSecond": "8", "concurrentPartitions": "2"}
        started = time.monotonic()
        assert read(spark, **options).load().count() == 300
        took = time.monotonic() - started
        # 6 probes and at least 15 pages; a burst of one request from each of the two that run at once.
        assert len(limited.requests) >= 21
        assert len(limited.requests) <= 8 * took + 2
        assert {request.status for request in limited.requests} == {200}


def texts(url: str) -> Iterator[str]:
    with urllib.request.urlopen(url, timeout=60) as answer:
        yield answer.read().decode("utf-8", "replace")


def test_no_key_is_in_plans_event_log_interface_or_logs(
    spark: Any, sandbox: Sandbox, events: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    adsecurity.spark.register(spark, network={"api_key": KEY, "base_url": sandbox.network_url})
    frame = read(spark, numPartitions="2").load()
    plan = frame._jdf.queryExecution().toString()
    frame.selectExpr("count(*)").collect()
    with pytest.raises(Exception, match="holds an API key"):
        read(spark, filter=f'{{"country": "{KEY}"}}').load()
    with pytest.raises(Exception, match="must not be in one"):
        read(spark, api_key="another").load()
    sandbox.inject(*[404] * 8)
    with pytest.raises(Exception, match="404"):
        frame.count()
    application = spark.sparkContext.applicationId
    address = spark.sparkContext.uiWebUrl
    api = f"{address}/api/v1/applications/{application}"
    pages = [plan]
    for page in ("environment", "executors", "jobs", "stages", "sql?details=true&planDescription=true&length=100"):
        pages += texts(f"{api}/{page}")
    for number in range(len(re.findall(r'"planDescription"', pages[-1]))):
        pages += texts(f"{address}/SQL/execution/?id={number}")
    for page in ("environment", "jobs", "stages", "SQL"):
        pages += texts(f"{address}/{page}/")
    logs = [path for path in events.rglob("*") if path.is_file()]
    work = Path(os.environ.get("SPARK_HOME") or Path(pyspark_home())) / "work" / application
    logs += [path for path in work.rglob("*") if path.is_file()]
    said = capfd.readouterr()
    everything = [*pages, said.out, said.err, *map(content, logs)]
    assert any("stderr" in path.name for path in logs)
    # The search finds what is there; plans show the first columns alone.
    assert all(
        "advertiser_db_id" in found for found in (plan, "".join(pages[1:]), "".join(map(content, events.rglob("*"))))
    )
    assert any("click-table" in content(path) for path in logs if "stderr" in path.name)
    assert not [text[:200] for text in everything if KEY in text]
    shutil.rmtree(work, ignore_errors=True)


def content(path: Path) -> str:
    return path.read_text("utf-8", "replace") if path.is_file() else ""


def pyspark_home() -> str:
    import pyspark

    return str(Path(pyspark.__file__).parent)
