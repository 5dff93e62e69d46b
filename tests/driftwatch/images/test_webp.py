"""WebP: a file is whole or refused."""

from __future__ import annotations

import struct

import pytest

from .files import encoded, kind_of, picture


@pytest.mark.parametrize("lossless", [True, False])
def test_a_webp_is_whole_or_refused(lossless):
    data = encoded(picture(), "WEBP", lossless=lossless)
    assert kind_of(data) == kind_of(data + b"more") == "whole"
    for share in (0.3, 0.9, 0.99):
        cut = data[: int(len(data) * share)]
        assert kind_of(cut) == "truncated"
        lies = bytearray(cut)  # the sizes say that nothing is missing
        lies[4:8], lies[16:20] = struct.pack("<I", len(cut) - 8), struct.pack("<I", len(cut) - 20)
        assert kind_of(bytes(lies)) == "truncated"
