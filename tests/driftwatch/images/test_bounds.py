"""A small file costs little, however it is made: what would not is refused before a decoder sees it."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import threading
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from driftwatch.config import ImagesConfig
from driftwatch.images import one_pass
from driftwatch.images.decode import check_file, decode_image
from driftwatch.images.headers import RejectedImage, orientation
from driftwatch.images.jpeg import MOST_SCANS
from driftwatch.images.one_pass import take_in, take_in_blocks
from driftwatch.images.room import Room
from driftwatch.storage import open_storage

LIMITS = ImagesConfig()
MEGABYTE = 1_000_000


def encoded(image: Image.Image, kind: str = "JPEG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


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
COSTLY = {
    "a JPEG of 10,000 scans": (with_scans(10_000), "too_complex"),
    "a JPEG of 5 million comments": (JPEG[:2] + b"\xff\xfe\0\2" * 4_900_000 + JPEG[2:], "too_complex"),
    "20 MB of restart marks": (JPEG[:-2] + b"\xff\xd0" * 9_900_000 + b"\xff\xd9", ""),
    "20 MB of restart marks in the header": (JPEG[:2] + b"\xff\xd0" * 9_900_000 + JPEG[2:], ""),
    "20 MB of fill bytes": (JPEG[:-2] + b"\xff" * 19_800_000 + b"\xff\xd9", ""),
    "EXIF of gigabytes": (
        JPEG[:2] + (b"\xff\xe1" + struct.pack(">H", 65_002) + b"Exif\0\0" + exif(5000, 64_994)) * 100 + JPEG[2:], "",
    ),
    "EXIF of gigabytes in a PNG": (png(extra=chunk(b"eXIf", exif(60_000, 9_000_000))), ""),
    "a colour profile of 100 MB": (png(extra=chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(10**8), 9))), ""),
    "texts of gigabytes": (png(extra=chunk(b"zTXt", b"x\0\0" + zlib.compress(bytes(10**7), 9)) * 1000), ""),
    "picture data beyond the picture": (png(rows=bytes(10**8)), ""),
    "a PNG of a million chunks": (png(extra=chunk(b"tEXt", b"") * 1_000_000), "too_complex"),
    "a WebP without a picture": (
        b"RIFF" + struct.pack("<I", 26) + b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + struct.pack("<I", 6999)[:3] * 2 + bytes(4),
        "not_an_image",
    ),
    "a WebP whose picture is smaller than it says": (
        b"RIFF" + struct.pack("<I", 44) + b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + struct.pack("<I", 6999)[:3] * 2
        + b"VP8L" + struct.pack("<I", 14) + b"\x2f" + bytes(13),
        "not_an_image",
    ),
    "an animation of 3,000 frames": (png(extra=chunk(b"acTL", struct.pack(">II", 3000, 0)) + chunk(b"fdAT", bytes(60)) * 3000), ""),
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
    data, kind = COSTLY[name]
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
    costly = {name: data for name, (data, _) in COSTLY.items() if len(data) < 10 * MEGABYTE}
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
    refused = {name: data for name, (data, kind) in COSTLY.items() if kind and len(data) < MEGABYTE}
    for name, data in {**refused, "good": JPEG}.items():
        storage.write_bytes(f"in/{name}", data)
    manifest = take_in(storage, [f"in/{name}" for name in [*refused, "good"]], LIMITS, 32).manifest.set_index("key")
    assert len(refused) == 3
    assert manifest.loc["in/good", "status"] == "accepted"
    for name in refused:
        assert manifest.loc[f"in/{name}", "reason"].startswith(f"{COSTLY[name][1]}: ")


def test_pictures_in_work_together_take_no_more_than_the_setting(tmp_path, monkeypatch):
    storage = open_storage(f"file://{tmp_path}")
    rng = np.random.default_rng(0)
    sides = [32 + 8 * int(side) for side in rng.integers(0, 12, 60)]
    for number, side in enumerate(sides):
        storage.write_bytes(f"in/{number:02d}", encoded(Image.new("RGB", (side, side), (4 * number, 0, 0))))
    in_work, seen, lock, decode = [], [], threading.Lock(), one_pass.decode_file
    sizes = {side: check_file(encoded(Image.new("RGB", (side, side))), LIMITS).memory for side in sides}
    limit = 1.5 * max(sizes.values())

    def counted(file, limits):
        with lock:
            in_work.append(file.memory)
            seen.append(list(in_work))
        time.sleep(0.002)
        with lock:
            in_work.remove(file.memory)
        return decode(file, limits)

    monkeypatch.setattr(one_pass, "decode_file", counted)
    monkeypatch.setattr(one_pass, "Room", lambda size: Room(int(limit)))
    blocks = list(take_in_blocks(storage, [f"in/{number:02d}" for number in range(60)], LIMITS, 32, workers=4))
    assert sum(len(block.inputs) for block in blocks) == 60
    assert max(map(len, seen)) > 1
    assert max(map(sum, seen)) <= limit


def test_a_picture_that_needs_more_than_there_is_has_the_room_alone():
    room = Room(100)
    entered = threading.Event()
    with room.taking(1000):
        other = threading.Thread(target=lambda: room.taking(1).__enter__() or entered.set())
        other.start()
        assert not entered.wait(0.05)
    assert entered.wait(5)
    other.join()


@pytest.mark.parametrize("order", ["<", ">"])
def test_orientation_is_read_from_exif_of_either_order_and_damage_is_upright(order):
    mark = b"II*\0" if order == "<" else b"MM\0*"
    entries = [(0x0100, 4, 1, 9), (0x0112, 3, 1, 6)]
    rows = b"".join(
        struct.pack(f"{order}HHI", *entry[:3]) + struct.pack(f"{order}I" if entry[1] == 4 else f"{order}Hxx", entry[3])
        for entry in entries
    )
    tiff = mark + struct.pack(f"{order}IH", 8, 2) + rows
    assert orientation(tiff) == orientation(b"Exif\0\0" + tiff) == 6
    assert [orientation(tiff[:end]) for end in range(len(tiff))] == [1] * len(tiff)
    assert orientation(tiff.replace(struct.pack(f"{order}Hxx", 6), struct.pack(f"{order}Hxx", 9))) == 1
