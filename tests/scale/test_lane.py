"""The lane of `make test-scale` has what it needs: PySpark, dlt and Dask in one environment, and Java 17."""

from __future__ import annotations

import re
import subprocess

import dask
import dlt
import pandas
import pyspark

import adsecurity


def test_spark_dlt_and_dask_live_in_one_environment_with_the_client() -> None:
    assert pyspark.__version__.startswith("4.")
    assert pandas.__version__.startswith("2.")  # PySpark 4.3 does not work with pandas 3
    assert dlt.__version__
    assert dask.__version__
    assert adsecurity.__version__


def test_java_is_17() -> None:
    said = subprocess.run(["java", "-version"], capture_output=True, text=True, check=True).stderr
    assert re.search(r'version "17\.', said)
