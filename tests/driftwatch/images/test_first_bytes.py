"""A file's kind is what its first bytes say."""

from __future__ import annotations

import pytest

from driftwatch.images.first_bytes import JPEG, PNG, WEBP, kind_of

from .files import encoded, picture


@pytest.mark.parametrize(("name", "kind"), [("JPEG", JPEG), ("PNG", PNG), ("WEBP", WEBP)])
def test_a_dozen_bytes_tell_what_a_browser_is_told(name, kind):
    assert kind_of(encoded(picture(40, 30), name)[:12]) == kind
    assert kind.content_type == f"image/{name.lower()}"


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"RIFF\0\0\0\0WAVE", b"<svg>"])
def test_anything_else_has_no_kind(data):
    assert kind_of(data) is None
