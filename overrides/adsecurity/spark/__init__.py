"""Reports and exports as a Spark data source: `spark.read.format("adsecurity")` and `spark.readStream`.

    adsecurity.spark.register(spark, network={"api_key": key, "base_url": address})
    clicks = (
        spark.read.format("adsecurity")
        .option("operation", "network.reports.clicks")
        .option("integration_id", "integration-1")
        .option("start_time", "2026-11-01")
        .option("end_time", "2026-11-08")
        .load()
    )

The range is divided into half-open spans, one to a partition, and each is read by a task of its own. From outside:
`register`, `AdsecurityDataSource`. Within: `options` reads the options, `query` is the call that they make, `schema` is
about types, `source` is what Spark is handed.
"""

from ..flow.extras import require

for _module in ("pyspark", "pyarrow", "msgspec"):
    require(_module, extra="spark")

from .source import AdsecurityDataSource, register  # noqa: E402 - what is missing is named first

__all__ = ["AdsecurityDataSource", "register"]
