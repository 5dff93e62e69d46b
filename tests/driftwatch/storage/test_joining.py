"""Tables that are joined piece by piece say the same as tables that are held."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from driftwatch.storage import joining
from driftwatch.storage.joining import Parts, joined, part_of, without

COLUMNS = ["id", "n", "m"]


def table(name: str, values: list[int]) -> pa.Table:
    return pa.table(
        {"id": pa.array([f"i{value:06d}" for value in values], pa.string()), name: pa.array(values, pa.int64())}
    )


def cut(whole: pa.Table, rng: np.random.Generator) -> Iterator[pa.Table]:
    start = 0
    while start < len(whole):
        rows = int(rng.integers(0, 9))
        yield whole.slice(start, rows)
        start += rows


def in_parts(left: pa.Table, right: pa.Table, rng: np.random.Generator) -> list[dict[str, object]]:
    pieces = [piece for piece in joined(cut(left, rng), cut(right, rng), "id") if len(piece)]
    rows = [row for piece in pieces for row in piece.to_pylist()]
    return sorted(({name: row.get(name) for name in COLUMNS} for row in rows), key=lambda row: str(row["id"]))


@pytest.mark.parametrize("seed", range(8))
def test_any_two_tables_are_joined_as_if_both_were_held(seed: int) -> None:
    rng = np.random.default_rng(seed)
    left, right = (rng.permutation(200)[: rng.integers(0, 200)].tolist() for _ in range(2))
    if seed % 2:  # the same values in the same order, up to some point
        right = [*left[: rng.integers(0, 200)], *right]
        right = list(dict.fromkeys(right))
    found = in_parts(table("n", left), table("m", right), rng)
    expected = [{"id": f"i{one:06d}", "n": one, "m": one if one in right else None} for one in sorted(left)]
    assert found == expected


@pytest.mark.parametrize("others", [0, 1, 2])
def test_rows_behind_the_end_of_the_other_table_have_nulls(others: int) -> None:
    values = [4, 2, 3]
    found = list(joined(iter([table("n", values)]), iter([table("m", values[:others])]), "id"))
    assert [row["m"] for piece in found for row in piece.sort_by("n").to_pylist()].count(None) == 3 - others
    assert all(piece.column_names == COLUMNS for piece in found if others)


@pytest.mark.parametrize("known", [[], [3], [9], [4, 2, 3], [3, 9, 4]])
def test_rows_that_the_other_table_has_not_are_left(known: list[int]) -> None:
    found = list(without(iter([table("n", [4, 2]), table("n", [3])]), iter([table("m", known)]), "id"))
    assert sorted(pa.concat_tables(found)["n"].to_pylist()) == [value for value in (2, 3, 4) if value not in known]
    assert all(piece.column_names == ["id", "n"] for piece in found)
    assert [*without(iter([]), iter([table("m", known)]), "id")] == []
    assert [row for piece in without(iter([table("n", [1])]), iter([]), "id") for row in piece["n"].to_pylist()] == [1]


def test_equal_tables_need_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "Parts", lambda count: pytest.fail("rows were kept"))
    rng, values = np.random.default_rng(0), list(range(100))
    assert [row["m"] for row in in_parts(table("n", values), table("m", values), rng)] == values


def test_rows_of_one_value_are_in_one_part_and_in_order() -> None:
    with Parts(64) as parts:
        for added in (table("n", [3, 1, 2]), table("n", [1, 3]).set_column(1, "n", pa.array([10, 30]))):
            parts.add(added, part_of(added["id"], 64))
        found = [part.to_pylist() for number in range(64) if (part := parts.part(number)) is not None]
    by_id: dict[str, list[int]] = {}
    for part in found:
        for row in part:
            by_id.setdefault(row["id"], []).append(row["n"])
    assert by_id == {"i000001": [1, 10], "i000002": [2], "i000003": [3, 30]}
    assert sum(len(part) for part in found) == 5


def test_memory_does_not_grow_with_the_tables() -> None:
    """Of tables in other orders."""
    rows, step = 409_600, 4_096

    def pieces(name: str, backwards: bool) -> Iterator[pa.Table]:
        for start in range(0, rows, step):
            values = pa.array(
                np.arange(start, start + step) if not backwards else rows - 1 - np.arange(start, start + step)
            )
            yield pa.table({"id": pc.cast(values, pa.string()), name: values})

    pool, most, seen = pa.default_memory_pool(), 0, 0
    before = pool.bytes_allocated()
    for piece in joined(pieces("n", False), pieces("m", True), "id"):
        assert piece["n"].equals(piece["m"])
        seen += len(piece)
        most = max(most, pool.bytes_allocated() - before)
        del piece
    assert seen == rows
    assert most < rows * 2 * 18 / 4  # bytes of the ids and numbers of both tables
