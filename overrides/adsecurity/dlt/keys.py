"""The rows of a list as a table of a warehouse: the columns of its model, the ids of its path, and a key.

The key is a text that every row has, since the fields that it is made of may be missing: then it is a hash of the row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from ..flow.extras import require
from ..tables.arrow import EXTRA, Columns, json_text, pa
from ..tables.folding import fold
from ..tables.text_columns import without_empty

compute: Any = require("pyarrow.compute", extra="dlt")

KEY = "_key"


class Shape:
    """The columns of a table.

    `ids` are the ids of the list's path: columns too, unless the rows have fields of these names. `key` are the names
    of the fields that tell rows apart; without any there is no key.
    """

    def __init__(self, model: Any, ids: Mapping[str, Any], key: Sequence[str]) -> None:
        self._rows = Columns(model).schema
        self._ids = {name: value for name, value in ids.items() if name not in self._rows.names}
        self._key = tuple(key)
        self._ids_of_key = [str(value) for value in ids.values()]
        columns = [pa.field(name, pa.string()) for name in self._ids] + list(self._rows)
        if self._key:
            columns.append(pa.field(KEY, pa.string(), nullable=False))
        self.schema = pa.schema(columns)

    @property
    def fields(self) -> list[str]:
        """The columns that the server may be asked for."""
        return [name for name in self._rows.names if name != EXTRA]

    def table(self, rows: Any) -> Any:
        """A batch of rows, with all columns."""
        rows = fold(rows, self._rows)
        columns = [pa.repeat(str(value), len(rows)) for value in self._ids.values()] + rows.columns
        if self._key:
            columns.append(self._keys(rows))
        return pa.Table.from_arrays(columns, schema=self.schema)

    def _keys(self, rows: Any) -> Any:
        parts = [pa.repeat(value, len(rows)) for value in self._ids_of_key]
        for name in self._key:
            parts.append(without_empty(rows[name].cast(pa.string())))
        keys = compute.binary_join_element_wise(*parts, "|")
        if not keys.null_count:
            return keys
        missing = compute.is_null(keys)
        hashes = [sha256(json_text(row).encode()).hexdigest() for row in rows.filter(missing).to_pylist()]
        return compute.replace_with_mask(keys, missing, pa.array(hashes, pa.string()))
