"""A small file costs little, however it is made: what would not is refused before a decoder sees it."""

from __future__ import annotations

import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest
from PIL import Image

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.images.decode import check_file, decode_image
from driftwatch.images.headers import RejectedImage
from driftwatch.images.jpeg import MOST_SCANS
from driftwatch.images.listing import ImageFolder
from driftwatch.images.one_pass import take_in
from driftwatch.storage import open_storage

from .files import LIMITS, encoded

MEGABYTE = 1_000_000


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(side: int = 64, depth: int = 8, extra: bytes = b"", interlaced: int = 0, rows: bytes | None = None) -> bytes:
    """Black, of `depth` bits in four channels; `extra` chunks go before the picture's."""
    data = zlib.compress(bytes(side * (1 + side * 4 * depth // 8)) if rows is None else rows, 9)
    header = struct.pack(">IIBBBBB", side, side, depth, 6, 0, 0, interlaced)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def exif(entries: int, size: int) -> bytes:
    """Each entry of the directory says that the `size` bytes from the start are its value."""
    rows = b"".join(struct.pack("<HHII", 0x9000, 7, size - 16, 8) for _ in range(entries))
    return (b"II*\0\x08\0\0\0" + struct.pack("<H", entries) + rows).ljust(size, b"\0")


def with_scans(count: int) -> bytes:
    """A progressive JPEG, its last scan sent again and again: each is a pass over all pixels."""
    data = encoded(Image.new("RGB", (64, 64)), progressive=True)
    again = data[data.rindex(b"\xff\xc4") : -2]
    return data[:-2] + again * (count - data.count(b"\xff\xda")) + b"\xff\xd9"


JPEG = encoded(Image.new("RGB", (64, 64)))


# What makes the file, and the kind of its refusal. A hundred megabytes in all, so they are made where they are needed.
COSTLY = {
    "a JPEG of 10,000 scans": (lambda: with_scans(10_000), "too_complex"),
    "a JPEG of 5 million comments": (lambda: JPEG[:2] + b"\xff\xfe\0\2" * 4_900_000 + JPEG[2:], "too_complex"),
    "20 MB of restart marks": (lambda: JPEG[:-2] + b"\xff\xd0" * 9_900_000 + b"\xff\xd9", ""),
    "20 MB of restart marks in the header": (lambda: JPEG[:2] + b"\xff\xd0" * 9_900_000 + JPEG[2:], ""),
    "20 MB of fill bytes": (lambda: JPEG[:-2] + b"\xff" * 19_800_000 + b"\xff\xd9", ""),
    "EXIF of gigabytes": (
        lambda: JPEG[:2] + (b"\xff\xe1" + struct.pack(">H", 65_002) + b"Exif\0\0" + exif(5000, 64_994)) * 100 + JPEG[2:], "",
    ),
    "EXIF of gigabytes in a PNG": (lambda: png(extra=chunk(b"eXIf", exif(60_000, 9_000_000))), ""),
    "a colour profile of 100 MB": (lambda: png(extra=chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(10**8), 9))), ""),
    "texts of gigabytes": (lambda: png(extra=chunk(b"zTXt", b"x\0\0" + zlib.compress(bytes(10**7), 9)) * 1000), ""),
    "picture data beyond the picture": (lambda: png(rows=bytes(10**8)), ""),
    "a PNG of a million chunks": (lambda: png(extra=chunk(b"tEXt", b"") * 1_000_000), "too_complex"),
    "a WebP without a picture": (
        lambda: b"RIFF" + struct.pack("<I", 26) + b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + struct.pack("<I", 6999)[:3] * 2 + bytes(4),
        "not_an_image",
    ),
    "a WebP whose picture is smaller than it says": (
        lambda: b"RIFF" + struct.pack("<I", 44) + b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + struct.pack("<I", 6999)[:3] * 2
        + b"VP8L" + struct.pack("<I", 14) + b"\x2f" + bytes(13),
        "not_an_image",
    ),
    "an animation of 3,000 frames": (lambda: png(extra=chunk(b"acTL", struct.pack(">II", 3000, 0)) + chunk(b"fdAT", bytes(60)) * 3000), ""),
}  # fmt: skip


# Run apart, where nothing else has taken memory: the most that each case takes beyond what was there before.
MEMORY = """
import pickle, sys
import PIL.PngImagePlugin, PIL.WebPImagePlugin
from driftwatch.config import ImagesConfig
from driftwatch.images.decode import decode_image
from driftwatch.images.headers import RejectedImage
def peak():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]) * 1024
for data in pickle.load(open(sys.argv[1], "rb")):
    open("/proc/self/clear_refs", "w").write("5")
    before = peak()
    try:
        decode_image(data, ImagesConfig())
    except RejectedImage:
        pass
    print(peak() - before)
"""


@pytest.mark.parametrize("name", COSTLY)
def test_a_costly_file_is_refused_with_its_reason_or_costs_no_more_than_others(name):
    made, kind = COSTLY[name]
    data = made()
    assert len(data) <= LIMITS.max_bytes
    started = time.process_time()
    try:
        decode_image(data, LIMITS)
        found = ""
    except RejectedImage as error:
        found = error.kind
    assert found == kind
    assert time.process_time() - started < 2


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the peak of memory is read from Linux' /proc")
def test_what_files_take_of_memory_is_what_their_pixels_take(tmp_path):
    import pickle

    side = 1500
    large = {
        "16 bits": png(side, 16),
        "interlaced": encoded(Image.new("RGBA", (side, side)), "PNG"),
        "progressive": encoded(Image.new("RGB", (side, side)), progressive=True, subsampling=0),
        "cmyk": encoded(Image.new("CMYK", (side, side))),
        "webp": encoded(Image.new("RGBA", (side, side)), "WEBP", lossless=True),
    }
    costly = {name: data for name, (made, _) in COSTLY.items() if len(data := made()) < 10 * MEGABYTE}
    cases = [*large.values(), *costly.values()]
    (tmp_path / "cases").write_bytes(pickle.dumps(cases))
    ran = subprocess.run(
        [sys.executable, "-c", MEMORY, str(tmp_path / "cases")], capture_output=True, text=True, check=True
    )
    took = [int(line) for line in ran.stdout.split()]
    allowed = [check_file(data, LIMITS).memory + 6 * MEGABYTE for data in large.values()]
    for name, found, most in zip([*large, *costly], took, [*allowed, *[40 * MEGABYTE] * len(costly)], strict=True):
        assert found <= most, name


def test_as_many_scans_as_encoders_write_are_no_matter():
    assert check_file(encoded(Image.new("RGB", (64, 64)), progressive=True), LIMITS).scans == 10
    with pytest.raises(RejectedImage, match=f"more than {MOST_SCANS} scans"):
        check_file(with_scans(MOST_SCANS + 1), LIMITS)
    assert check_file(with_scans(MOST_SCANS), LIMITS).scans == MOST_SCANS


def test_the_day_goes_on_past_costly_files(tmp_path):
    storage = open_storage(f"file://{tmp_path}")
    refused = {name: data for name, (made, kind) in COSTLY.items() if kind and len(data := made()) < MEGABYTE}
    for name, data in {**refused, "good": JPEG}.items():
        storage.write_bytes(f"in/{name}", data)
    manifest = take_in(
        ImageFolder(storage, "in", LIMITS), storage.list("in"), ModelInput.square(32)
    ).manifest.set_index("key")
    assert len(refused) == 3
    assert manifest.loc["in/good", "status"] == "accepted"
    for name in refused:
        assert manifest.loc[f"in/{name}", "reason"].startswith(f"{COSTLY[name][1]}: ")
