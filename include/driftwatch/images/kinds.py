"""What a file is by its first bytes, for whoever shows it: never by its name, which somebody else chose."""

from __future__ import annotations

from typing import NamedTuple


class Kind(NamedTuple):
    """How a picture's file name ends, and what a browser is told that it is."""

    suffix: str
    content_type: str


JPEG, PNG, WEBP = Kind(".jpg", "image/jpeg"), Kind(".png", "image/png"), Kind(".webp", "image/webp")


def kind_of(data: bytes) -> Kind | None:
    """The kind of picture that begins with these bytes (a dozen do); None for anything else."""
    if data.startswith(b"\xff\xd8"):
        return JPEG
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return WEBP
    return None
