"""Ingest: every listed object is accounted for, fetched once and decoded once."""

from __future__ import annotations

import io
import json
import struct
import threading
import zlib
from collections import Counter
from datetime import date

import numpy as np
import pytest
from PIL import Image

from driftwatch.artifacts.day_keys import DayKeys
from driftwatch.artifacts.ingest import Ingest
from driftwatch.artifacts.model_input import ModelInput
from driftwatch.config import ImagesConfig
from driftwatch.errors import TooManyRejects
from driftwatch.images import decode, one_pass, outcome
from driftwatch.images.decode import check_file, decode_image
from driftwatch.images.features import COLUMNS, image_features
from driftwatch.images.ingest import DayModel, cut_into_shards, ingest_day, ingest_shard, merge_shards
from driftwatch.images.inputs import DayInputs
from driftwatch.images.listing import folder_of_day
from driftwatch.images.one_pass import take_in
from driftwatch.images.resize import model_input
from driftwatch.storage import Storage, open_storage

from .days import MODEL, day_of
from .files import encoded

DAY = DayKeys("cats", date(2026, 3, 1))


STATUSES = ("accepted", "duplicate", "quarantined", "ignored")


ALL_MAY_FAIL = ImagesConfig(max_reject_share=1)


def photo(seed: int, width: int = 90, height: int = 60) -> Image.Image:
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 256, (6, 9, 3), dtype=np.uint8)).resize((width, height))


def rotated() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(photo(5), exif=exif)


def huge_png() -> bytes:
    chunk = b"IHDR" + struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


# name -> (bytes, status, kind)
HOSTILE = {
    'a cat\'s "best".jpg': (encoded(photo(1)), "accepted", ""),
    "Kätzchen 猫 ☂.jpg": (encoded(photo(2)), "accepted", ""),
    "cmyk.jpg": (encoded(photo(3).convert("CMYK")), "accepted", ""),
    "sixteen.png": (encoded(Image.fromarray(np.full((60, 90), 40_000, np.uint16)), "PNG"), "accepted", ""),
    "rotated.jpg": (rotated(), "accepted", ""),
    "no extension": (encoded(photo(6), "WEBP"), "accepted", ""),
    ".upload.part.tmp": (encoded(photo(7)), "ignored", "matches '.*' of images.ignore"),
    "sub/folder/copy.jpg": (encoded(photo(1)), "duplicate", "same bytes as"),
    "anim.gif": (
        encoded(photo(8), "GIF", save_all=True, append_images=[photo(9)]),
        "quarantined",
        "unsupported_format",
    ),
    "cut.jpg": (encoded(photo(10, 300, 300))[:-500], "quarantined", "truncated"),
    "empty.jpg": (b"", "quarantined", "empty"),
    "empty too.jpg": (b"", "quarantined", "empty"),
    "text.jpg": (b"not a picture", "quarantined", "not_an_image"),
    "bomb.png": (huge_png(), "quarantined", "too_many_pixels"),
    "tiny.png": (encoded(photo(11, 20, 20), "PNG"), "quarantined", "too_small"),
}


@pytest.fixture
def storage(tmp_path) -> Storage:
    return open_storage(f"file://{tmp_path}/store")


def fill(storage: Storage, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        storage.write_bytes(f"{DAY.incoming}/{name}", data)


@pytest.fixture
def hostile(storage) -> Storage:
    fill(storage, {name: data for name, (data, _, _) in HOSTILE.items()})
    return storage


def test_every_hostile_file_is_accounted_for_with_its_reason(hostile):
    counts = ingest_day(day_of(hostile, DAY, ALL_MAY_FAIL), MODEL)
    manifest = hostile.read_table(DAY.manifest).set_index("key")
    assert list(manifest.index) == sorted(f"{DAY.incoming}/{name}" for name in HOSTILE)
    for name, (data, status, kind) in HOSTILE.items():
        row = manifest.loc[f"{DAY.incoming}/{name}"]
        assert (row["status"], row["bytes"]) == (status, len(data)), name
        assert row["reason"].startswith(kind), name
        assert bool(row["reason"]) == (status != "accepted"), name
    assert counts.listed == len(HOSTILE) == sum(getattr(counts, status) for status in STATUSES)
    assert counts.reasons == {
        "empty": 2, "not_an_image": 1, "too_many_pixels": 1, "too_small": 1, "truncated": 1, "unsupported_format": 1,
    }  # fmt: skip
    assert counts == day_of(hostile, DAY).read(Ingest)
    assert (counts.model_version, counts.input_size) == ("v1", 32)


def test_sizes_are_upright_and_known_where_the_file_says_them(hostile):
    ingest_day(day_of(hostile, DAY, ALL_MAY_FAIL), MODEL)
    manifest = hostile.read_table(DAY.manifest).set_index("key")
    sizes = {
        key.removeprefix(f"{DAY.incoming}/"): (row["format"], row["width"], row["height"])
        for key, row in manifest.iterrows()
    }
    assert sizes["rotated.jpg"] == ("JPEG", 60, 90)
    assert sizes["bomb.png"] == ("PNG", 50_000, 50_000)
    assert sizes["no extension"] == ("WEBP", 90, 60)
    assert manifest.loc[f"{DAY.incoming}/text.jpg", ["format", "width", "height"]].isna().all()


def test_features_and_inputs_are_of_the_accepted_images_in_manifest_order(hostile):
    ingest_day(day_of(hostile, DAY, ALL_MAY_FAIL), MODEL)
    manifest, features, inputs = (
        hostile.read_table(DAY.manifest),
        hostile.read_table(DAY.features),
        next(DayInputs(day_of(hostile, DAY)).blocks()),
    )
    accepted = manifest[manifest["status"] == "accepted"]
    assert features["image_id"].tolist() == accepted["image_id"].tolist()
    assert inputs.shape == (len(accepted), 32, 32, 3)
    for position, key in enumerate(accepted["key"]):
        rgb = decode_image(hostile.read_bytes(key), ALL_MAY_FAIL).rgb
        assert features.loc[position, list(COLUMNS)].tolist() == image_features(rgb)
        np.testing.assert_array_equal(inputs[position], model_input(rgb, ModelInput.square(32)))


def test_each_object_is_fetched_once_and_each_image_decoded_once(hostile, monkeypatch):
    fetched, decoded = Counter(), Counter()
    read, fast, slow = Storage.read_foreign, decode.decode_jpeg, decode._decode_with_pillow
    lock, usual = threading.Lock(), outcome.seen_as_usual

    def count(counter, name):
        with lock:
            counter[name] += 1

    def seen(file, about):
        found = usual(file, about)
        if found:  # a file of which the decoder warns takes the long way
            count(decoded, file)
        return found

    monkeypatch.setattr(outcome, "seen_as_usual", seen)

    monkeypatch.setattr(
        Storage, "read_foreign", lambda self, key, *how: (count(fetched, key), read(self, key, *how))[1]
    )
    monkeypatch.setattr(decode, "decode_jpeg", lambda file, limits: (count(decoded, file), fast(file, limits))[1])
    monkeypatch.setattr(decode, "_decode_with_pillow", lambda file: (count(decoded, file), slow(file))[1])
    ingest_day(day_of(hostile, DAY, ALL_MAY_FAIL), MODEL)
    assert fetched == Counter(f"{DAY.incoming}/{name}" for name, row in HOSTILE.items() if row[1] != "ignored")
    # That the picture of cut.jpg is cut short shows when it is decoded.
    pictures = [data for name, (data, status, _) in HOSTILE.items() if status == "accepted" or name == "cut.jpg"]
    assert decoded == Counter(check_file(data, ALL_MAY_FAIL) for data in pictures)


def test_the_same_day_twice_gives_the_same_bytes_whatever_the_number_of_threads(hostile, monkeypatch):
    def products():
        ingest_day(day_of(hostile, DAY, ALL_MAY_FAIL), MODEL)
        return artifacts(hostile)

    first = products()
    monkeypatch.setattr(one_pass, "_cores", lambda: 7)
    assert products() == first


def test_too_many_rejects_fail_the_day_after_its_account_is_written(hostile):
    with pytest.raises(TooManyRejects, match=r"7 of 14 .*empty 2.*images\.max_reject_share"):
        ingest_day(day_of(hostile, DAY), MODEL)
    assert len(hostile.read_table(DAY.manifest)) == 15
    assert hostile.read_json(DAY.ingest)["quarantined"] == 7


def test_too_many_rejects_are_told_with_one_of_those_that_are_most(storage):
    """It says which setting decides it: who sees the message may not open a parquet file."""
    tiff = encoded(photo(2), "TIFF")
    fill(storage, {"a.jpg": b"", "b.tif": tiff, "c.tif": tiff + b"x", "good.jpg": encoded(photo(1))})
    said = r"unsupported_format 2, empty 1\).*\. Such as .*/b\.tif \(is TIFF; .*images\.formats may have tiff\)\)\. .*manifest\.parquet"
    with pytest.raises(TooManyRejects, match=said):
        ingest_day(day_of(storage, DAY), MODEL)


def test_copies_of_one_broken_file_count_as_rejects_each(storage):
    fill(storage, {f"{number}.jpg": b"broken" for number in range(9)} | {"good.jpg": encoded(photo(1))})
    with pytest.raises(TooManyRejects, match="9 of 10"):
        ingest_day(day_of(storage, DAY, ImagesConfig(max_reject_share=0.8)), MODEL)


def test_a_day_without_one_usable_image_fails_whatever_share_is_allowed(storage):
    fill(storage, {"text.jpg": b"text"})
    with pytest.raises(TooManyRejects, match=r"1 of 1 .*not_an_image 1"):
        ingest_day(day_of(storage, DAY, ALL_MAY_FAIL), MODEL)
    assert list(storage.read_table(DAY.features).columns) == ["image_id", *COLUMNS]
    assert len(DayInputs(day_of(storage, DAY))) == len(list(DayInputs(day_of(storage, DAY)).blocks())) == 0


def artifacts(storage: Storage) -> dict[str, bytes]:
    """Everything that is stored of the day."""
    return {item.key: storage.read_bytes(item.key) for item in storage.list("cats/days")}


def test_the_rows_are_in_the_order_of_the_keys_and_ingest_json_is_strict_json(storage):
    fill(storage, {"b.jpg": encoded(photo(1)), "a.jpg": encoded(photo(2))})
    taken = take_in(folder_of_day(day_of(storage, DAY)), storage.list(DAY.incoming)[::-1], ModelInput.square(32))
    assert taken.manifest["key"].tolist() == [f"{DAY.incoming}/a.jpg", f"{DAY.incoming}/b.jpg"]
    ingest_day(day_of(storage, DAY), MODEL)
    assert json.loads(storage.read_bytes(DAY.ingest))["day"] == "2026-03-01"


def test_the_log_says_the_counts_as_ingest_json_does(hostile, caplog):
    caplog.set_level("INFO")
    ingest_day(day_of(hostile, DAY, ALL_MAY_FAIL), MODEL)
    written = hostile.read_json(DAY.ingest)
    told = next(record.args[1] for record in caplog.records if record.msg.startswith("Took in"))
    assert {**told, "schema_version": 1} == written


def test_a_re_run_of_a_day_with_files_that_no_decoder_opens_gives_the_same_bytes(storage):
    png = encoded(photo(1), "PNG")
    fill(storage, {"good.jpg": encoded(photo(1)), "bad.png": png[:33] + b"\0\0\0\x04IDATxxxxyyyy", "b.png": png[:40]})
    found = []
    kept = []
    for _ in range(3):
        kept.append([io.BytesIO() for _ in range(50)])  # so that objects lie elsewhere
        ingest_day(day_of(storage, DAY, ALL_MAY_FAIL), MODEL)
        found.append(artifacts(storage))
    assert found[0] == found[1] == found[2]
    assert "0x" not in " ".join(storage.read_table(DAY.manifest)["reason"])


def test_a_pass_that_fails_has_ended_all_its_threads_before_the_error_is_seen(storage, monkeypatch):
    from driftwatch.images import inputs

    fill(storage, {f"{number}.jpg": encoded(photo(number)) for number in range(40)})
    monkeypatch.setattr(one_pass, "BLOCK", 4)
    monkeypatch.setattr(inputs, "write_block", lambda *_: 1 / 0)
    before, threads = one_pass.cv2.getNumThreads(), threading.active_count()
    with pytest.raises(ZeroDivisionError) as failed:
        ingest_day(day_of(storage, DAY, ALL_MAY_FAIL), MODEL)
    assert failed.tb is not None  # it holds on to the pass, as Airflow's log of a failed task does
    assert one_pass.cv2.getNumThreads() == before
    for thread in threading.enumerate():
        if "ThreadPoolExecutor" in thread.name:
            thread.join(5)
    assert threading.active_count() <= threads


CROP = ModelInput(height=48, width=20, resize="crop", crop_share=0.875, interpolation="bilinear", antialias=False)
PAD = ModelInput(height=32, width=32, resize="pad", pad_value=114, interpolation="bicubic")


@pytest.mark.parametrize("about", [CROP, PAD], ids=["crop", "pad"])
def test_a_day_is_taken_in_as_the_model_wants_it_and_says_how(storage, about):
    fill(storage, {f"{number}.jpg": encoded(photo(number)) for number in range(3)} | {"rotated.jpg": rotated()})
    said = about.model_copy(update={"colour": "bgr", "scale": 1 / 255})  # which change no stored pixel
    counts = ingest_day(day_of(storage, DAY), DayModel("v1", said))
    assert (counts.input_size, counts.pixels) == (None, about)
    stored = DayInputs(day_of(storage, DAY))
    assert stored.pixels == about
    keys = storage.read_table(DAY.manifest)["key"]
    expected = [model_input(decode_image(storage.read_bytes(key), ImagesConfig()).rgb, about) for key in keys]
    np.testing.assert_array_equal(stored.take(range(4)), expected)


def test_a_day_of_shards_is_stored_as_a_whole_one_is(storage):
    fill(storage, {f"{number:03d}.png": encoded(photo(number, 24, 18), "PNG") for number in range(260)})
    day = day_of(storage, DAY, ImagesConfig(shard_size=256, min_side=16))
    model, listed = DayModel("v1", CROP), storage.list(DAY.incoming)
    ingest_day(day, model)
    whole = artifacts(storage)
    for shard in cut_into_shards(day, model, listed):
        ingest_shard(day, shard)
    merge_shards(day)
    assert artifacts(storage) == whole


def test_where_nothing_is_resized_pictures_of_another_size_are_quarantined_and_counted(storage):
    fill(storage, {"a.png": encoded(photo(1), "PNG"), "b.png": encoded(photo(2, 60, 90), "PNG"), "c.jpg": rotated()})
    about = ModelInput(height=90, width=60, resize="none")
    counts = ingest_day(day_of(storage, DAY, ALL_MAY_FAIL), DayModel("v1", about))
    assert (counts.accepted, counts.reasons) == (2, {"other_size": 1})
    manifest = storage.read_table(DAY.manifest).set_index("key")
    row = manifest.loc[f"{DAY.incoming}/a.png"]
    assert row["reason"].startswith("other_size: is 90 x 60 pixels, and the model takes 60 x 90")
    assert (row["format"], row["width"], row["height"]) == ("PNG", 90, 60)
    upright = manifest.loc[f"{DAY.incoming}/c.jpg"]
    assert (upright["status"], upright["width"], upright["height"]) == ("accepted", 60, 90)
