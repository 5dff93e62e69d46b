"""What a file says about itself, read without decoding a pixel: its format and size, and where its picture begins and ends.

Everything that could cost much is looked at here first: no decoder sees a file whose size, scans or parts are beyond the limits.
Pillow's lazy open is not enough. It opens PNGs that are cut short, or have wrong sums or no picture data. It opens JPEGs of thousands of
scans, of two frame headers, or of kinds that no decoder here knows. It refuses whole PNGs for a text or a colour profile, and gives no reason.
tests/driftwatch/images/test_headers.py has each of these.
Sources: ITU-T T.81 annex B (JPEG markers), the PNG specification (chunks), RFC 9649 (WebP), TIFF 6.0 (EXIF).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from driftwatch.errors import DriftwatchError

# By content: (offset, bytes, name as `images.formats` has it, in capitals).
_FORMATS = (
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"\x89PNG\r\n\x1a\n", "PNG"),
    (8, b"WEBP", "WEBP"),
    (0, b"GIF87a", "GIF"),
    (0, b"GIF89a", "GIF"),
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (0, b"BM", "BMP"),
    (4, b"ftypavif", "AVIF"),
    (4, b"ftypheic", "HEIC"),
    (4, b"ftypheix", "HEIC"),
)
# Of a file whose own brand says no more than that it holds pictures, by the brands that it says besides.
_BRANDS = {b"avif": "AVIF", b"heic": "HEIC", b"heix": "HEIC"}
_SAID = {"WEBP": "WebP"}
# Recognised only to say "unsupported" rather than "not an image": (offset, bytes, name).
_OTHER_FORMATS = (
    (0, b"II+\0", "BigTIFF"),
    (0, b"MM\0+", "BigTIFF"),
    (0, b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", "JPEG 2000"),
    (0, b"\xff\x0a", "JPEG XL"),
    (0, b"\0\0\0\x0cJXL ", "JPEG XL"),
    (0, b"8BPS", "Photoshop"),
    (0, b"\0\0\x01\0", "ICO"),
    (4, b"ftypavis", "an AVIF sequence"),
    (4, b"ftyphevc", "a HEIC sequence"),
    (4, b"ftyphevx", "a HEIC sequence"),
    (4, b"ftypmsf1", "a HEIC sequence"),
    (4, b"ftypmif1", "HEIF"),
)

# The note on an accepted JPEG or GIF.
NO_END_MARK = "no_end_mark: the picture is whole, but the file ends without its end mark"
REASON_KINDS = (
    "empty",
    "too_many_bytes",
    "not_an_image",
    "unsupported_format",
    "too_many_pixels",
    "too_small",
    "other_size",
    "too_complex",
    "truncated",
    "unreadable",
    "not_a_file",
    "unsafe_name",
    "still_growing",
)


class RejectedImage(DriftwatchError):
    """A file that can't be used as an image.

    `kind` is one of REASON_KINDS (`unreadable`: storage gives the bytes of others, not these; `too_complex`: small, but far more
    work than a picture of its size); `header` is what the file says of itself, where that could be read.
    """

    def __init__(self, kind: str, message: str, header: Header | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.header = header


class Header(NamedTuple):
    """`format`: as in `images.formats`, in capitals. Size: in pixels as stored, before any EXIF rotation. `channels`: known of JPEGs alone."""

    format: str
    width: int
    height: int
    channels: int | None = None

    @property
    def size(self) -> str:
        return f"{self.width} x {self.height} pixels"


class ImageFile(NamedTuple):
    """A file that was looked through. `data`: what a decoder needs of it, with its end mark; `orientation`: as EXIF says, 1 to 8;
    `note`: what is odd about an accepted file; of a JPEG also the number of `scans`, whether all of them are there
    (`complete`), and where in `data` its `frame` header begins."""

    header: Header
    data: bytes
    orientation: int = 1
    note: str = ""
    scans: int = 1
    complete: bool = True
    frame: int = 0

    @property
    def memory(self) -> int:
        """The bytes that decoding and what follows it take at most. Measured: see decision 32. Of several scans libjpeg keeps all
        coefficients, two bytes each."""
        each = 8 if self.header.format in ("JPEG", "PNG", "BMP") else 16
        each += 8 if self.scans > 1 else 0
        return self.header.width * self.header.height * each


# Refuses a header by its size; called as soon as that is known, before anything else of the file is looked at.
Check = Callable[[Header], None]


def format_of(data: bytes, accepted: Sequence[str]) -> str:
    """The format, such as JPEG, by content and never by name. `accepted`: `images.formats`. Raises RejectedImage (`not_an_image`,
    `unsupported_format`)."""
    found = next((name for offset, magic, name in _FORMATS if data.startswith(magic, offset)), "")
    if found == "WEBP" and data[:4] != b"RIFF":
        found = ""
    if data[4:12] == b"ftypmif1":
        brands = data[16 : min(int.from_bytes(data[:4], "big"), 256)]
        found = next(
            (_BRANDS[brand] for at in range(0, len(brands), 4) if (brand := brands[at : at + 4]) in _BRANDS), ""
        )
    if found.lower() in accepted:
        return found
    *most, last = (_SAID.get(name.upper(), name.upper()) for name in accepted)
    allowed = f"{', '.join(most)} and {last}" if most else last
    other = found or next((name for offset, magic, name in _OTHER_FORMATS if data.startswith(magic, offset)), "")
    if found:
        allowed += f" (images.formats may have {found.lower()})"
    if other:
        raise RejectedImage("unsupported_format", f"is {other}; accepted are {allowed}")
    raise RejectedImage(
        "not_an_image", f"begins with {data[:8]!r}, which is no {allowed.replace(' and ', ' or ')} file"
    )


def damaged(header: Header | None, name: str, cause: object) -> RejectedImage:
    """The refusal of a picture that is not all there."""
    return RejectedImage("truncated", f"the {name} picture is cut short or damaged: {cause}", header)


def most_parts(data: bytes) -> int:
    """How many segments or chunks a file may have: 10,000, and one more for each 500 bytes. Each takes a turn of a Python loop. The
    chunks that encoders write hold some kilobytes."""
    return 10_000 + len(data) // 500


def too_many_parts(data: bytes, name: str, header: Header | None) -> RejectedImage:
    return RejectedImage(
        "too_complex", f"the {name} file has more than {most_parts(data)} parts in {len(data)} bytes", header
    )


def orientation(exif: bytes) -> int:
    """The tag Orientation (0x0112) of the first directory, 1 to 8; 1 where there is none or EXIF is damaged.

    Read by hand: Pillow fetches what each entry points to, and entries that share one large value cost gigabytes.
    """
    tiff = exif.removeprefix(b"Exif\0\0")
    if tiff[:2] not in (b"II", b"MM"):
        return 1
    little = tiff[:2] == b"II"

    def number(at: int, size: int) -> int:
        return int.from_bytes(tiff[at : at + size], "little" if little else "big")

    first = number(4, 4) + 2
    for entry in range(first, min(first + 12 * number(first - 2, 2), len(tiff) - 11), 12):
        if number(entry, 2) == 0x0112:
            size = {3: 2, 4: 4}.get(number(entry + 2, 2), 0)  # SHORT, LONG
            found = number(entry + 8, size)
            return found if 1 <= found <= 8 else 1
    return 1
