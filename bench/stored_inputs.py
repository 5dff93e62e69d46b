"""What a day's stored inputs take in other lossless formats: bytes, and processor time to write and to read, on real photos.

    python -m bench.stored_inputs PHOTOS      # a folder of photos for each class; JPEG XL where imagecodecs is installed

The pass makes one block of 256 inputs of 96 x 96; each format must give the same pixels back. Times are of one core, the shortest of ROUNDS,
and as shares of the pass over the same photos in the same run. Writes docs/benchmarks/stored_inputs.md.
"""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.config import ImagesConfig
from driftwatch.config.model_input import InputConfig
from driftwatch.images.listing import ImageFolder
from driftwatch.images.one_pass import take_in_blocks
from driftwatch.images.shards import BLOCK
from driftwatch.storage import open_storage

ROUNDS, COLUMNS = 5, 16
PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks" / "stored_inputs.md"
Format = tuple[Callable[[np.ndarray], bytes | list[bytes]], Callable[[bytes | list[bytes]], np.ndarray]]
HEAD = """# What stored inputs would take in other formats

`python -m bench.stored_inputs PHOTOS` writes this page. It is about one block of {images} inputs of {side} x {side} from real photos. Each format gives back the same pixels. Times are
processor time of one core, the shortest of {rounds} rounds. A share is of the pass over the same photos in the same run ({whole:.2f} ms an image). [Decision 96](../decisions/0096-inputs-end-by-age.md) says
why inputs are stored as they are.

| format | bytes an image | to write | to read | both, of the pass |
|---|---|---|---|---|
"""


def main() -> None:
    photos = Path(sys.argv[1])
    folder = ImageFolder(open_storage(f"file://{photos.resolve()}"), "", ImagesConfig())
    paths = sorted(photos.rglob("*.jp*g"))
    keys = {path.relative_to(photos).as_posix() for path in paths[:: max(1, len(paths) // BLOCK)][:BLOCK]}
    listed = [item for item in folder.storage.list(next(iter(keys)).split("/")[0]) if item.key in keys]
    for other in sorted({key.split("/")[0] for key in keys} - {listed[0].key.split("/")[0]}):
        listed += [item for item in folder.storage.list(other) if item.key in keys]
    times = []
    for _ in range(ROUNDS):
        start = time.process_time()
        (block,) = take_in_blocks(folder, listed, ModelInput.of(InputConfig()), workers=1)
        times.append((time.process_time() - start) / len(block.inputs))
    images, whole = block.inputs, min(times)
    lines = []
    for name, (write, read) in formats(images).items():
        size, writing, reading = _measured(images, write, read)
        lines.append(
            f"| {name} | {size:,.0f} | {1000 * writing:.3f} ms | {1000 * reading:.3f} ms | {(writing + reading) / whole:.1%} |"
        )
    side = images.shape[1]
    text = HEAD.format(images=len(images), side=side, rounds=ROUNDS, whole=1000 * whole) + "\n".join(lines) + "\n"
    PAGE.write_text(text)
    print(text)


def formats(images: np.ndarray) -> dict[str, Format]:
    """By name, how to write the block and how to read it."""
    found: dict[str, Format] = {".npy, as stored": (_npy, _from_npy)}
    for level in (1, 3):
        found[f".npy in zstd, level {level}"] = (_zstd(_npy, level), lambda data: _from_npy(_unpacked(data)))
    found["differences of neighbours and colours, zstd, level 1"] = (_zstd(_differences, 1), _from_differences)
    png = [cv2.IMWRITE_PNG_COMPRESSION, 1]
    found["PNG, level 1"] = _one_by_one(lambda image: cv2.imencode(".png", image, png)[1].tobytes(), _decoded)
    found["WebP lossless, method 0"] = _one_by_one(_webp, _decoded)
    if find_spec("imagecodecs"):
        import imagecodecs

        def jpeg_xl(image: np.ndarray) -> bytes:
            return bytes(imagecodecs.jpegxl_encode(image, lossless=True, effort=1, numthreads=1))

        found["JPEG XL lossless, effort 1, one by one"] = _one_by_one(jpeg_xl, imagecodecs.jpegxl_decode)
        found[f"JPEG XL lossless, effort 1, {COLUMNS} x {COLUMNS} in one picture"] = (
            lambda block: jpeg_xl(_sheet(block)),
            lambda data: _from_sheet(imagecodecs.jpegxl_decode(data, numthreads=1), images.shape),
        )
    return found


def _measured(images: np.ndarray, write: Callable, read: Callable) -> tuple[float, float, float]:
    """Bytes, and seconds to write and to read, an image."""
    writing, reading = [], []
    for _ in range(ROUNDS):
        start = time.process_time()
        data = write(images)
        middle = time.process_time()
        again = read(data)
        writing.append(middle - start)
        reading.append(time.process_time() - middle)
    assert np.array_equal(again, images)
    size = len(data) if isinstance(data, bytes) else sum(map(len, data))
    return size / len(images), min(writing) / len(images), min(reading) / len(images)


def _npy(block: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, block, allow_pickle=False)
    return file.getvalue()


def _from_npy(data: bytes) -> np.ndarray:
    return np.load(io.BytesIO(data), allow_pickle=False)


def _zstd(write: Callable[[np.ndarray], bytes], level: int) -> Callable[[np.ndarray], bytes]:
    def packed(block: np.ndarray) -> bytes:
        data = write(block)
        return len(data).to_bytes(8, "little") + pa.Codec("zstd", level).compress(data, asbytes=True)

    return packed


def _unpacked(data: bytes) -> bytes:
    return pa.Codec("zstd").decompress(data[8:], int.from_bytes(data[:8], "little"), asbytes=True)


def _differences(block: np.ndarray) -> bytes:
    """Red and blue less green, each pixel less its left neighbour, colour after colour."""
    colours = block.copy()
    colours[..., 0] -= block[..., 1]
    colours[..., 2] -= block[..., 1]
    found = colours.copy()
    found[:, :, 1:] -= colours[:, :, :-1]
    return _npy(np.ascontiguousarray(found.transpose(3, 0, 1, 2)))


def _from_differences(data: bytes) -> np.ndarray:
    found = np.add.accumulate(_from_npy(_unpacked(data)).transpose(1, 2, 3, 0), axis=2, dtype=np.uint8)
    found[..., 0] += found[..., 1]
    found[..., 2] += found[..., 1]
    return found


def _one_by_one(write: Callable, read: Callable) -> Format:
    return (
        lambda block: [write(np.ascontiguousarray(image)) for image in block],
        lambda data: np.stack([read(one) for one in data]),
    )


def _decoded(data: bytes) -> np.ndarray:
    # cv2 writes as it reads: the order of colours does not matter here. Pillow wrote the WebP files, in the order that cv2 reads.
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


def _webp(image: np.ndarray) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(image[..., ::-1]).save(file, "webp", lossless=True, method=0, quality=0)
    return file.getvalue()


def _sheet(block: np.ndarray) -> np.ndarray:
    n, height, width, _ = block.shape
    rows = block.reshape(n // COLUMNS, COLUMNS, height, width, 3).transpose(0, 2, 1, 3, 4)
    return np.ascontiguousarray(rows.reshape(n // COLUMNS * height, COLUMNS * width, 3))


def _from_sheet(picture: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    n, height, width, _ = shape
    return picture.reshape(n // COLUMNS, height, COLUMNS, width, 3).transpose(0, 2, 1, 3, 4).reshape(shape)


if __name__ == "__main__":
    main()
