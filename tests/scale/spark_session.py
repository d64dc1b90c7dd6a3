"""What the tests of the Spark source share: a session that starts quickly, and the plain call beside it."""

from __future__ import annotations

import os
import sys
from typing import Any

import pyarrow as pa

import adsecurity
from adsecurity.sandbox import Sandbox

CLICKS = {
    "operation": "network.reports.clicks",
    "integration_id": "integration-1",
    "start_time": "2026-11-01",
    "end_time": "2026-11-08",
}
ENVIRONMENT = {
    "PYSPARK_PYTHON": sys.executable,
    "PYSPARK_DRIVER_PYTHON": sys.executable,
    "SPARK_LOCAL_IP": "127.0.0.1",
    # Halves the start.
    "JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
}


def clicks_of(sandbox: Sandbox) -> pa.Table:
    """The rows of `CLICKS` by the plain call."""
    with adsecurity.NetworkClient(api_key=sandbox.api_key, base_url=sandbox.network_url) as client:
        arguments = {name: text for name, text in CLICKS.items() if name != "operation"}
        table: pa.Table = client.reports.clicks(**arguments, inclusive="left").to_arrow()  # type: ignore[arg-type]
    return table


def start_session(master: str, **settings: str) -> Any:
    """A Spark session of this process."""
    os.environ.update(ENVIRONMENT)
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master(master).config("spark.sql.shuffle.partitions", "2")
    for name, value in settings.items():
        builder = builder.config(f"spark.{name}", value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("WARN")
    return session
