"""Arrow tables as data frames of pandas and polars, which users bring themselves."""

from __future__ import annotations

from typing import Any

from ..flow.extras import require
from .arrow import pa

# Looked for at once, so that a missing one is named before anything is sent.


class Pandas:
    """Makes pandas frames whose columns tell null from zero, NaN and the empty text."""

    def __init__(self) -> None:
        pandas = require("pandas")
        self._types = {
            pa.int64(): pandas.Int64Dtype(),
            pa.float64(): pandas.Float64Dtype(),
            pa.bool_(): pandas.BooleanDtype(),
            pa.string(): pandas.StringDtype(),
        }

    def frame(self, table: Any) -> Any:
        return table.to_pandas(types_mapper=self._types.get)


class Polars:
    """Makes polars frames."""

    def __init__(self) -> None:
        self._polars = require("polars")

    def frame(self, table: Any) -> Any:
        return self._polars.from_arrow(table)
