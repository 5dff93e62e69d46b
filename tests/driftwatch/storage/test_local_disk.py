"""A local disk that is full is told with what to do, whatever has to wait on it."""

from __future__ import annotations

import tempfile

import numpy as np
import pyarrow as pa
import pytest

from driftwatch.storage import StoredObject
from driftwatch.storage.joining import Parts
from driftwatch.storage.local_disk import NoRoom
from driftwatch.storage.spool import Spool


@pytest.fixture(autouse=True)
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's own file that takes nothing."""
    monkeypatch.setattr(
        tempfile,
        "TemporaryFile",
        lambda mode="w+b", **settings: open("/dev/full", mode.replace("+", "")),  # noqa: SIM115
    )


def test_a_listing_that_does_not_fit_says_so() -> None:
    spool = Spool(piece=2)
    with pytest.raises(NoRoom, match=r"a listing cannot be kept on the local disk \(.*No space left.*TMPDIR"):
        spool.fill(StoredObject(f"{number}.jpg", 1) for number in range(5))
    spool.close()


def test_rows_that_do_not_fit_say_so() -> None:
    with (
        pytest.raises(NoRoom, match=r"the rows of a large day cannot be kept on the local disk \(.*No space left"),
        Parts(2) as parts,
    ):
        parts.add(pa.table({"id": ["a", "b"]}), np.array([0, 1]))
