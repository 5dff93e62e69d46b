"""What kind of picture a file is, by its first bytes. Its name does not count: somebody else chose it."""

from __future__ import annotations

from typing import NamedTuple


class Kind(NamedTuple):
    """The end of a picture's file name, and the content type that a browser is told."""

    suffix: str
    content_type: str


JPEG, PNG, WEBP = Kind(".jpg", "image/jpeg"), Kind(".png", "image/png"), Kind(".webp", "image/webp")


def kind_of(data: bytes) -> Kind | None:
    """The kind of picture that begins with these bytes (twelve are enough); None for anything else."""
    if data.startswith(b"\xff\xd8"):
        return JPEG
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return WEBP
    return None
