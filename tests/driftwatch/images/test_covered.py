"""What people are shown of an image: its boxes are covered, rotated pictures too, and what has no known boxes is not shown."""

from __future__ import annotations

import hashlib
import io
import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from pydantic import ValidationError
from tests.covered_images import BOX, HEIGHT, TABLE, WIDTH, file_of, put, row, upright, vivid, write_boxes

from driftwatch.artifacts.store import DayStore, MonitorStore
from driftwatch.errors import ChangedImage, NeedsAttention
from driftwatch.images import covered
from driftwatch.images.covered import Covers, HiddenImage, shown_original
from driftwatch.images.originals import read_original
from driftwatch.images.table_rows import rows_of
from driftwatch.storage import open_storage

MOST = 10_000_000


@pytest.fixture
def make(tmp_path, small_monitor):
    """`make(training="show", method="black")`: a day of a monitor whose boxes are in a table beside the images."""

    def made(**blur: str) -> DayStore:
        uri = f"file://{tmp_path}"
        config = small_monitor(uri, annotation={"blur": {"path": TABLE, "training": "show", **blur}})
        return MonitorStore(open_storage(uri), config).day(date(2026, 1, 6))

    return made


def shown(day: DayStore, image: tuple[str, str]) -> np.ndarray:
    found = shown_original(day.monitor, *image, MOST)
    return np.asarray(Image.open(io.BytesIO(found.data)).convert("RGB"))


@pytest.mark.parametrize("method", ["blur", "black"])
@pytest.mark.parametrize(("orientation", "kind"), [(1, "JPEG"), (6, "JPEG"), (3, "JPEG"), (1, "PNG"), (6, "WEBP")])
def test_nothing_of_a_box_is_left_and_the_rest_is_as_it_was(make, method, orientation, kind):
    day = make(method=method)
    data = file_of(upright(), orientation, kind)
    image = put(day, "door-1/a.jpg", data)
    write_boxes(day, row("door-1/a.jpg"))
    assert vivid(data) > 1500  # else the test could not fail
    found = shown(day, image)
    assert found.shape == (HEIGHT, WIDTH, 3)
    assert vivid(found) == 0
    x, y, width, height = BOX
    beside = np.ones((HEIGHT, WIDTH), bool)
    beside[y - 8 : y + height + 8, x - 8 : x + width + 8] = False
    assert np.abs(found.astype(int) - upright().astype(int))[beside].max() <= 12
    inside = found[y + 2 : y + height - 2, x + 2 : x + width - 2].astype(int)
    assert inside.max() < 20 if method == "black" else np.ptp(inside, axis=(0, 1)).max() < 130
    assert day.storage.read_bytes(image[1]) == data  # the model's image stays


def test_a_covered_file_has_no_metadata_and_no_thumbnail_of_the_whole(make):
    day = make()
    image = put(day, "a.jpg", file_of(upright(), 6))
    write_boxes(day, row("a.jpg"))
    found = shown_original(day.monitor, *image, MOST)
    assert b"Jane Doe" in day.storage.read_bytes(image[1])
    assert b"Jane Doe" not in found.data
    assert not Image.open(io.BytesIO(found.data)).getexif()


def test_boxes_may_be_shares_several_and_reach_beyond_the_edge(make):
    day = make(unit="share", method="black")
    picture = upright()
    picture[:20, :20] = (255, 0, 255)
    image = put(day, "a.jpg", file_of(picture))
    x, y, width, height = BOX
    write_boxes(
        day,
        f"a.jpg,{x / WIDTH},{y / HEIGHT},{width / WIDTH},{height / HEIGHT}",
        f"{day.storage.url(day.keys.incoming)}/a.jpg,-0.1,-0.1,{0.1 + 20 / WIDTH},{0.1 + 20 / HEIGHT}",
    )
    assert vivid(shown(day, image)) == 0


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], r"a\.jpg is shown to nobody: in .*faces/2026-01-06\.csv there is no row for it"),
        (["b.jpg,1,1,1,1"], r"there is no row for it. A row without numbers says"),
        (["a.jpg,500,1,20,20"], r"its box \(500.0, 1.0, 20.0, 20.0\) lies outside of the picture of 160 x 120 pixels"),
        (["a.jpg,1,1,1"], r"a row of it has the box \['1', '1', '1', ''\]"),
        (["a.jpg,1,1,0,5", "a.jpg,1,1,5,5"], r"has the box .* which is none.*the last two more than 0"),
        (["a.jpg,1,1,nan,5"], r"which is none"),
        (["a.jpg,left,1,5,5"], r"which is none"),
    ],
)
def test_an_image_whose_boxes_are_not_known_is_shown_to_nobody_and_the_reason_is_said(make, rows, message):
    day = make()
    image = put(day, "a.jpg", file_of(upright()))
    write_boxes(day, *rows)
    with pytest.raises(HiddenImage, match=message):
        shown(day, image)


def test_a_row_without_numbers_says_that_nothing_is_to_be_covered(make):
    day = make()
    data = file_of(upright())
    image = put(day, "a.jpg", data)
    write_boxes(day, "a.jpg,,,,")
    assert shown_original(day.monitor, *image, MOST).data == data


def test_the_table_of_the_image_s_own_day_counts_and_may_be_parquet(make):
    day = make(path="metadata/{day:%Y/%m}/boxes-{day}.parquet")
    other = day.monitor.day(date(2026, 1, 7))
    mine, theirs = put(day, "a.jpg", file_of(upright())), put(other, "a.jpg", file_of(upright(1)))
    x, y, width, height = BOX
    boxes = pd.DataFrame({"key": ["a.jpg", "b.jpg"], "x": [x, None], "y": [y, None], "width": [width, None], "height": [height, None]})  # fmt: skip
    day.storage.write_table("metadata/2026/01/boxes-2026-01-06.parquet", boxes)
    assert vivid(shown(day, mine)) == 0
    with pytest.raises(HiddenImage, match=r"boxes-2026-01-07\.parquet is not there, and labels\.blur names it"):
        shown(day, theirs)


def test_a_table_that_was_corrected_is_read_again(make):
    day = make()
    image = put(day, "a.jpg", file_of(upright()))
    write_boxes(day, "b.jpg,,,,")
    with pytest.raises(HiddenImage):
        shown(day, image)
    write_boxes(day, "b.jpg,,,,", row("a.jpg"))
    assert vivid(shown(day, image)) == 0


@pytest.mark.parametrize(
    ("data", "message"),
    [(None, "is not there"), (b"key,x,y\na,1,1\n", r"has no 'width' and no 'height'"), (b"", "has 0 bytes")],
)  # fmt: skip
def test_a_pool_is_refused_where_the_table_of_the_day_is_missing_or_wrong(make, data, message):
    day = make()
    if data is not None:
        day.storage.write_bytes("metadata/faces/2026-01-06.csv", data)
    covers = Covers.of(day.monitor)
    assert covers
    with pytest.raises(NeedsAttention, match=message):
        covers.require(day.date)


def test_labelled_originals_are_hidden_shown_or_have_a_table_of_their_own(make):
    store = make().monitor
    key = f"{store.keys.training_images}/cat/1.jpg"
    data = file_of(upright())
    store.storage.write_bytes(key, data)
    image = (hashlib.sha256(data).hexdigest(), key)
    assert shown_original(store, *image, MOST).data == data
    own = make(training="metadata/originals.csv")
    own.storage.write_bytes("metadata/originals.csv", ("key,x,y,width,height\n" + row("cat/1.jpg")).encode())
    assert vivid(shown(own, image)) == 0
    hidden = own.with_config(
        own.config.model_copy(update={"labels": own.config.labels.model_copy(update={"blur": own.config.labels.blur.model_copy(update={"training": "hide"})})})
    )  # fmt: skip
    with pytest.raises(HiddenImage, match=r"labels\.blur\.training is hide"):
        shown(hidden, image)


def test_a_file_that_was_replaced_is_not_shown_and_an_unprotected_monitor_shows_files_as_they_are(make, small_monitor):
    day = make()
    image = put(day, "a.jpg", file_of(upright()))
    write_boxes(day, row("a.jpg"))
    day.storage.write_bytes(image[1], file_of(upright(3)))
    with pytest.raises(ChangedImage, match="it was replaced"):
        shown(day, image)
    plain = MonitorStore(day.storage, small_monitor(day.config.storage.uri))
    other = put(day, "b.jpg", file_of(upright(4)))
    assert shown_original(plain, *other, MOST) == read_original(day.storage, *other, MOST)


def test_hidden_originals_and_control_tasks_do_not_go_together(small_monitor):
    with pytest.raises(ValidationError, match=r"blur\.training is hide.*or say show"):
        small_monitor(annotation={"blur": {"path": TABLE}})
    small_monitor(annotation={"blur": {"path": TABLE}, "backend": "label_studio", "control_tasks": 0})
    with pytest.raises(ValidationError, match=r"one file below the storage's root"):
        small_monitor(annotation={"blur": {"path": "s3://elsewhere/a.csv", "training": "show"}})


def test_a_table_is_read_once_by_the_threads_that_want_it_in_the_same_moment(make, monkeypatch):
    """A page shows dozens of images at once, and a large table takes half a minute."""
    day = make()
    images = [put(day, f"{number}.jpg", file_of(upright(number))) for number in range(8)]
    write_boxes(day, *(row(f"{number}.jpg") for number in range(8)))
    reads = []

    def counted(*args):
        reads.append(args)
        time.sleep(0.2)
        return rows_of(*args)

    monkeypatch.setattr(covered, "rows_of", counted)
    with ThreadPoolExecutor(8) as pool:
        assert not any(map(vivid, pool.map(lambda image: shown(day, image), images)))
    assert len(reads) == 1


def test_a_row_of_json_that_names_no_image_covers_nothing(make):
    day = make(path="metadata/faces/{day}.jsonl")
    image = put(day, "a.jpg", file_of(upright()))
    x, y, width, height = BOX
    box = {"x": x, "y": y, "width": width, "height": height}
    lines = [box, {"key": "a.jpg", **box}]
    day.storage.write_bytes(f"metadata/faces/{day.date}.jsonl", "\n".join(map(json.dumps, lines)).encode())
    assert vivid(shown(day, image)) == 0
