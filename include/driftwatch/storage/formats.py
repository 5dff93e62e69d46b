"""What a storage's bytes hold: JSON, tables and arrays. The same value is written as the same bytes."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from driftwatch.remedies import parsed
from driftwatch.storage.read_ahead import Fetched

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

T = TypeVar("T")


def json_bytes(value: Any) -> bytes:
    """What `write_json` writes."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False).encode() + b"\n"


class Formats(ABC):
    """Reads and writes values by a storage's bytes."""

    @abstractmethod
    def read_bytes(self, key: str) -> bytes: ...

    @abstractmethod
    def write_bytes(self, key: str, data: bytes, content_type: str | None = None) -> None: ...

    @abstractmethod
    def iter_bytes(self, keys: Sequence[str], at_once: int = 16) -> Iterator[Fetched]: ...

    @abstractmethod
    def url(self, key: str) -> str: ...

    def read_json(self, key: str) -> Any:
        return self.parsed_json(key, self.read_bytes(key))

    def parsed_json(self, key: str, data: bytes) -> Any:
        """What the bytes of the JSON object at `key` say; raises DamagedArtifact, naming it."""
        return self.parsed(key, "JSON", lambda: json.loads(data))

    def parsed(self, key: str, what: str, parse: Callable[[], T]) -> T:
        """What `parse` makes of an object's bytes; raises DamagedArtifact, which names the object and says what to do."""
        return parsed(self.url(key), key, what, parse)

    def write_json(self, key: str, value: Any) -> None:
        self.write_bytes(key, json_bytes(value))

    def read_table(self, key: str) -> pd.DataFrame:
        """A parquet table."""
        import io

        import pandas as pd

        data = self.read_bytes(key)
        return self.parsed(key, "parquet table", lambda: pd.read_parquet(io.BytesIO(data)))

    def read_arrow(self, key: str, columns: Sequence[str] | None = None) -> pa.Table:
        """A parquet table as Arrow's, which takes a tenth of a frame's memory; all columns or those named."""
        return self._parsed_arrow(key, self.read_bytes(key), columns)

    def read_known(self, key: str, columns: Sequence[str]) -> pa.Table:
        """As `read_arrow`: those of `columns` that the table has, in their order."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        data = self.read_bytes(key)
        return self.parsed(key, "parquet table", lambda: pq.ParquetFile(pa.BufferReader(data)).read(list(columns)))

    def iter_arrow(self, keys: Sequence[str], columns: Sequence[str] | None, at_once: int) -> Iterator[pa.Table]:
        """The parquet tables at `keys` in their order, `at_once` of them fetched ahead."""
        for fetched in self.iter_bytes(keys, at_once):
            yield self._parsed_arrow(fetched.key, fetched.data, columns)

    def _parsed_arrow(self, key: str, data: bytes, columns: Sequence[str] | None) -> pa.Table:
        import pyarrow as pa
        import pyarrow.parquet as pq

        return self.parsed(key, "parquet table", lambda: pq.read_table(pa.BufferReader(data), columns=columns))

    def write_table(self, key: str, table: pd.DataFrame) -> None:
        """A parquet table, without its index: the same frame gives the same bytes."""
        import io

        buffer = io.BytesIO()
        table.to_parquet(buffer, index=False, compression="zstd")
        self.write_bytes(key, buffer.getvalue())

    def read_array(self, key: str) -> np.ndarray:
        """A NumPy array from .npy, never unpickling."""
        return self._parsed_array(key, self.read_bytes(key))

    def _parsed_array(self, key: str, data: bytes) -> np.ndarray:
        import io

        import numpy as np

        return self.parsed(key, "NumPy array", lambda: np.load(io.BytesIO(data), allow_pickle=False))

    def write_array(self, key: str, array: np.ndarray) -> None:
        import io

        import numpy as np

        buffer = io.BytesIO()
        np.save(buffer, array, allow_pickle=False)
        self.write_bytes(key, buffer.getvalue())

    def iter_arrays(self, keys: Sequence[str], at_once: int) -> Iterator[np.ndarray]:
        """The arrays of .npy objects in the order of `keys`, `at_once` of them fetched ahead."""
        for fetched in self.iter_bytes(keys, at_once):
            yield self._parsed_array(fetched.key, fetched.data)
