"""A copy of the package under another root is a data source as well."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from adsecurity.sandbox import Sandbox
from generator.release.vendoring import main as vendor
from tests.scale.spark_session import CLICKS, ENVIRONMENT
from tests.support.downstream import interpreter_without_us

PROGRAM = f"""
import sys
from pyspark.sql import SparkSession
import acme._vendor.adsecurity.spark

spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
acme._vendor.adsecurity.spark.register(spark)
reader = spark.read.format("adsecurity").options(**{CLICKS!r}).option("numPartitions", "2")
print(reader.load().select("real_tx_id").distinct().count())
assert "adsecurity" not in sys.modules
"""


def test_a_vendored_copy_is_read_by_spark(tmp_path: Path) -> None:
    python = interpreter_without_us(tmp_path / "environment")
    home = tmp_path / "home"
    (home / "acme").mkdir(parents=True)
    (home / "acme/__init__.py").touch()
    assert vendor([str(home / "acme/_vendor")]) == 0
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COV"))}
    with Sandbox(today="2026-11-08", rows=200) as sandbox:
        done = subprocess.run(
            [str(python), "-c", PROGRAM],
            cwd=tmp_path,
            env={
                **kept,
                **ENVIRONMENT,
                "PYSPARK_PYTHON": str(python),
                "PYSPARK_DRIVER_PYTHON": str(python),
                "PYTHONPATH": str(home),
                "ADSECURITY_NETWORK_API_KEY": sandbox.api_key,
                "ADSECURITY_NETWORK_BASE_URL": sandbox.network_url,
            },
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["200"]
