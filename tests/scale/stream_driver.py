"""`python -m tests.scale.stream_driver FOLDER START HANG`: a stream of clicks into Parquet files, until it is killed.

HANG is the first batch with rows behind which it stops between storing and committing; 0 for none. Key and address are
in the environment.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import adsecurity.spark
from tests.scale.spark_session import start_session


def main(folder: Path, start: str, hang: int) -> None:
    spark = start_session("local[2]", **{"ui.enabled": "false", "ui.showConsoleProgress": "false"})
    adsecurity.spark.register(spark)
    clicks = (
        spark.readStream.format("adsecurity")
        .option("operation", "network.reports.clicks")
        .option("integration_id", "integration-1")
        .option("start_time", start)
        .option("lag", "3 seconds")
        .load()
    )

    def store(batch: Any, number: int) -> None:
        # The table stores the batch's number: a batch that comes again replaces what it wrote.
        batch.select("real_tx_id", "request_time").write.mode("overwrite").parquet(f"{folder}/rows/batch={number}")
        if hang and number >= hang and not batch.isEmpty():
            print(f"hangs behind {number}", flush=True)
            time.sleep(3600)
        print(f"stored {number}", flush=True)

    query = clicks.writeStream.foreachBatch(store).option("checkpointLocation", f"{folder}/checkpoint")
    query.trigger(processingTime="1 second").start().awaitTermination()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
