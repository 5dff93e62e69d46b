"""JPEG's stuffed zeros and restart marks are taken away; what is not just as encoders write it is told."""

from __future__ import annotations

import numpy as np
import pytest

from driftwatch.images.kernels.stuffing import PADDING, unstuffed


def of(data: bytes, stretches: int) -> tuple[bytes, list[int]] | None:
    out, ends = np.full(len(data) + PADDING, 7, np.uint8), np.zeros(stretches, np.int64)
    if not unstuffed(np.frombuffer(data, np.uint8), out, ends):
        return None
    assert not out[ends[-1] : ends[-1] + PADDING].any()
    return out[: ends[-1]].tobytes(), ends.tolist()


@pytest.mark.parametrize("stretches", [1, 2, 19])
def test_stuffed_zeros_and_marks_are_taken_away(stretches):
    rng = np.random.default_rng(0)
    for many in range(60):
        parts = [
            rng.choice([0, 1, 0xD0, 0xFF], rng.integers(0, many + 1)).astype(np.uint8).tobytes()
            for _ in range(stretches)
        ]
        data = b""
        for number, part in enumerate(parts):
            data += (bytes([0xFF, 0xD0 + (number - 1) % 8]) if number else b"") + part.replace(b"\xff", b"\xff\0")
        assert of(data, stretches) == (b"".join(parts), np.cumsum([len(part) for part in parts]).tolist())


@pytest.mark.parametrize(
    "data",
    [
        b"12345678\xff",  # half a mark at the end
        b"\xff\xff\0",  # filled up
        b"a\xff\x01",
        b"a\xff\xd1b",  # the second mark first
        b"a\xff\xd0b\xff\xd1c",  # one too many
        b"abc",  # one too few
        b"",
    ],
)
def test_other_marks_are_told(data):
    assert of(data, 2) is None
