"""What an artifact's bytes say, as named pieces that can be compared one by one: see `bench.same_artifacts`.

pandas.testing and pyarrow's `equals` stop at the first difference and name no row, and deepdiff would be a dependency more: so each
format is taken apart here into texts and arrays, and only those are compared.
"""

from __future__ import annotations

import difflib
import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np

# A text, the lines of a text, or the values of a column or an array, flattened.
Piece: TypeAlias = "str | tuple[str, ...] | np.ndarray"
# By name: a pattern, and what stands in its place in a comparison.
Cuts: TypeAlias = Mapping[str, tuple[str, str]]
_WIDTH = 110


class Number(str):
    """A number as the JSON text writes it: 1 and 1.0 differ, and a number differs from the same text in quotes."""

    def __repr__(self) -> str:
        return str(self)


def cut(text: str, cuts: Cuts, counted: Counter[str]) -> str:
    """The text with each pattern replaced; how often is added to `counted`."""
    for name, (pattern, instead) in cuts.items():
        text, n = re.subn(pattern, instead, text)
        counted.update({name: n} if n else {})
    return text


def read_json(data: bytes, cuts: Cuts, counted: Counter[str]) -> dict[str, Piece]:
    """Each value by its path, /a/b/0; empty objects and lists are values."""
    text = cut(data.decode(), cuts, counted)
    return dict(_flat(json.loads(text, parse_float=Number, parse_int=Number, parse_constant=Number), ""))


def _flat(value: Any, path: str) -> Iterator[tuple[str, Piece]]:
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _flat(inner, f"{path}/{name}")
    elif isinstance(value, list) and value:
        for number, inner in enumerate(value):
            yield from _flat(inner, f"{path}/{number}")
    else:
        yield path, repr(value)


def read_parquet(data: bytes, cuts: Cuts, counted: Counter[str]) -> dict[str, Piece]:
    """Each column by its name, its type, and the number of rows."""
    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(data))
    pieces: dict[str, Piece] = {"(rows)": str(table.num_rows), "(columns)": tuple(table.column_names)}
    for name in table.column_names:
        pieces[f"{name} (type)"] = str(table.schema.field(name).type)
        # By repr, which is exact: two NaN are the same, -0.0 and 0.0 are not.
        pieces[name] = np.array([repr(value) for value in table[name].to_pylist()], dtype=object)
    return pieces


def read_npy(data: bytes, cuts: Cuts, counted: Counter[str]) -> dict[str, Piece]:
    return _array("values", np.load(io.BytesIO(data), allow_pickle=False))


def _array(name: str, values: np.ndarray) -> dict[str, Piece]:
    return {f"{name} (type)": str(values.dtype), f"{name} (shape)": str(values.shape), name: values.reshape(-1)}


def read_keras(data: bytes, cuts: Cuts, counted: Counter[str]) -> dict[str, Piece]:
    """The members of the archive: JSON by fields, weights by arrays, other files by their bytes."""
    import h5py

    pieces: dict[str, Piece] = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for member in archive.namelist():
            inner = archive.read(member)
            if member.endswith(".json"):
                found = read_json(inner, cuts, counted)
            elif member.endswith(".h5"):
                found = {}
                with h5py.File(io.BytesIO(inner)) as weights:
                    # A layer's index in the file, and its path, name it.
                    weights.visititems(
                        lambda path, node, into=found: (
                            into.update(_array(f"/{path}", node[()])) if isinstance(node, h5py.Dataset) else None
                        )
                    )
            else:
                found = read_bytes(inner, cuts, counted)
            pieces |= {member + path: value for path, value in found.items()}
    return pieces


def read_profile(data: bytes, cuts: Cuts, counted: Counter[str]) -> dict[str, Piece]:
    """A whylogs profile: a v1 one as its view shows it, a v0 one, which performance needs, by the fields of its message."""
    from google.protobuf.json_format import MessageToDict
    from whylogs.core import DatasetProfileView
    from whylogs.core.errors import DeserializationError
    from whylogs.core.proto.v0 import DatasetProfileMessageV0
    from whylogs.core.utils import read_delimited_protobuf

    try:
        view = DatasetProfileView.deserialize(data)
    except DeserializationError:
        message = read_delimited_protobuf(io.BytesIO(data), DatasetProfileMessageV0)
        if message is None:
            raise
        return dict(_flat(MessageToDict(message), ""))
    shown = view.to_pandas()
    pieces: dict[str, Piece] = {
        "(dataset timestamp)": str(view.dataset_timestamp),
        "(creation timestamp)": str(view.creation_timestamp),
    }
    for metric in shown.columns:
        pieces |= {f"{name} {metric}": repr(value) for name, value in shown[metric].items()}
    return pieces


def read_html(data: bytes, cuts: Cuts, counted: Counter[str]) -> dict[str, Piece]:
    """The lines, one element each."""
    text = cut(data.decode(), cuts, counted)
    return {"(lines)": tuple(text.replace("><", ">\n<").splitlines())}


def read_bytes(data: bytes, cuts: Cuts, counted: Counter[str]) -> dict[str, Piece]:
    return {"(bytes)": np.frombuffer(data, np.uint8)}


Reader: TypeAlias = "Callable[[bytes, Cuts, Counter[str]], dict[str, Piece]]"
READERS: dict[str, Reader] = {
    ".json": read_json,
    ".parquet": read_parquet,
    ".npy": read_npy,
    ".keras": read_keras,
    ".bin": read_profile,
    ".profile": read_profile,
    ".html": read_html,
}


def difference(a: Piece | None, b: Piece | None) -> str | None:
    """How a piece differs, in words; None where it does not."""
    if a is None or b is None:
        only, value = ("B", b) if a is None else ("A", a)
        return f"only in {only}" + (f": {_short(value)}" if isinstance(value, str) else "")
    if isinstance(a, tuple) and isinstance(b, tuple):
        if a == b:
            return None
        changed = [line for line in difflib.unified_diff(a, b, n=0, lineterm="") if line[:3] not in ("---", "+++")]
        lines = [line for line in changed if not line.startswith("@@")]
        return f"{len(lines)} lines differ: " + " | ".join(_short(line) for line in lines[:4])
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return _arrays_differ(a, b)
    return None if a == b else f"{_short(str(a))} -> {_short(str(b))}"


def _arrays_differ(a: np.ndarray, b: np.ndarray) -> str | None:
    if len(a) != len(b):
        return f"{len(a)} values -> {len(b)} values"
    if a.dtype != b.dtype:
        return f"{a.dtype} -> {b.dtype}"
    if a.dtype == object:
        places = np.flatnonzero(a != b)
    else:  # by bits: two NaN are the same, -0.0 and 0.0 are not
        size = a.dtype.itemsize
        bits = (np.ascontiguousarray(values).view(np.uint8).reshape(len(values), size) for values in (a, b))
        places = np.flatnonzero((next(bits) != next(bits)).any(axis=1))
    if not len(places):
        return None
    at = places[0]
    return f"{len(places)} of {len(a)} values differ, the first at {at}: {_short(str(a[at]))} -> {_short(str(b[at]))}"


def _short(text: str) -> str:
    return text if len(text) <= _WIDTH else f"{text[:_WIDTH]}…"
