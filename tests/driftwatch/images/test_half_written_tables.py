"""A table beside the images that somebody still writes to is read when it is whole: half of it would lose images, or show a face."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import date

import numpy as np
import pytest
from tests.covered_images import BOX, TABLE, file_of, put, row, upright, vivid
from tests.elsewhere import store_of
from tests.stores import SMALLEST

from driftwatch.artifacts.store import DayStore, MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.errors import NeedsAttention
from driftwatch.images import covered, table_file
from driftwatch.images.covered import Covers, HiddenImage
from driftwatch.images.ingest import ingest_day
from driftwatch.images.late import note_late_files
from driftwatch.images.table_file import StillWritten, settled
from driftwatch.storage import Storage, open_storage

from .days import MODEL
from .test_layout import photo

DAY = date(2026, 1, 8)
LIST = "lists/2026-01-08.csv"
SETTLE = 60


class Clock:
    """Time as the test tells it. `meanwhile`: what others do while somebody waits."""

    def __init__(self) -> None:
        self.now = time.time()
        self.slept: list[float] = []
        self.meanwhile: list[Callable[[], object]] = []

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        if self.meanwhile:
            self.meanwhile.pop(0)()

    def write(self, storage: Storage, key: str, text: str) -> None:
        """Writes the file now."""
        path = storage.local_path(key)
        assert path is not None
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        os.utime(path, (self.now, self.now))


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(table_file, "time", clock)
    # The real one; the suite's conftest has put another in its place.
    monkeypatch.setattr(table_file, "_age", lambda storage, key: (at := storage.modified(key)) and clock.now - at)
    return clock


@pytest.fixture
def storage(tmp_path) -> Storage:
    return open_storage(f"file://{tmp_path}/store")


def listed_day(storage: Storage, **settings: object) -> DayStore:
    cams = open_storage(f"{storage.uri}/cams")
    for number in range(4):
        cams.write_bytes(f"{number}.jpg", photo(number))
    return store_of(storage, {"paths": "cams", "inventory": {"path": "lists/{day}.csv"}}, **settings).day(DAY)


def test_a_list_that_is_still_written_is_read_when_it_is_whole(storage, clock):
    day = listed_day(storage)
    clock.write(storage, LIST, "key\n0.jpg\n")
    clock.now += 20
    whole = "key\n0.jpg\n1.jpg\n2.jpg\n3.jpg\n"
    clock.meanwhile = [lambda: clock.write(storage, LIST, "key\n0.jpg\n1.jp"), lambda: clock.write(storage, LIST, whole)]  # fmt: skip
    assert ingest_day(day, MODEL).accepted == 4
    assert np.allclose(clock.slept, [SETTLE - 20, SETTLE, SETTLE])


def test_an_old_list_is_not_waited_for_and_neither_is_one_of_another_clock(storage, clock):
    day = listed_day(storage)
    for age in (SETTLE + 1, -3600):
        clock.write(storage, LIST, "key\n0.jpg\n")
        clock.now += age
        assert ingest_day(day, MODEL).accepted == 1
        clock.now -= age
    assert clock.slept == []


def test_a_list_that_is_written_to_all_the_time_is_left_to_the_next_try(storage, clock):
    day = listed_day(storage)
    clock.write(storage, LIST, "key\n0.jpg\n")
    clock.meanwhile = [lambda: clock.write(storage, LIST, "key\n0.jpg\n")] * 10
    with pytest.raises(StillWritten, match=r"lists/2026-01-08\.csv is still being written") as said:
        ingest_day(day, MODEL)
    assert not isinstance(said.value, NeedsAttention)  # Airflow tries the task again
    assert not [*storage.list("cats/days")]


@pytest.mark.parametrize("fault", [None, NeedsAttention("a quote is not closed")], ids=["read", "seems wrong"])
def test_what_changes_while_it_is_read_is_not_taken_and_not_called_wrong(storage, clock, fault):
    clock.write(storage, LIST, "key\n")
    clock.now += SETTLE

    def read() -> None:
        with settled(storage, LIST, SETTLE):
            clock.write(storage, LIST, "key\n0.jpg\n")
            if fault:
                raise fault

    with pytest.raises(StillWritten):
        read()


def lit_day(storage: Storage, clock: Clock, path: str, images: int) -> DayStore:
    """A day of so many images, whose list is settled. The table at `path` says which segment each is in."""
    day = listed_day(storage, segments={"light": {"table": {"path": path, "key": "file", "column": "light"}}})
    clock.write(storage, LIST, "key\n" + "".join(f"{number}.jpg\n" for number in range(images)))
    clock.now += SETTLE
    return day


def test_no_image_loses_its_segment_to_half_a_table(storage, clock):
    day = lit_day(storage, clock, "light/{day}.csv", 2)
    clock.write(storage, "light/2026-01-08.csv", "file,light\n0.jpg,day\n")
    clock.meanwhile = [lambda: clock.write(storage, "light/2026-01-08.csv", "file,light\n0.jpg,day\n1.jpg,night\n")]
    ingest_day(day, MODEL)
    manifest = storage.read_arrow(day.keys.manifest).to_pydict()
    assert manifest["segment.light"] == ["day", "night"]


def test_a_table_of_all_days_may_be_added_to_at_any_time(storage, clock):
    day = lit_day(storage, clock, "light/all.csv", 1)
    clock.write(storage, "light/all.csv", "file,light\n0.jpg,day\n")
    ingest_day(day, MODEL)
    assert storage.read_arrow(day.keys.manifest)["segment.light"].to_pylist() == ["day"]
    assert clock.slept == []


def test_a_face_is_not_shown_because_its_row_was_not_written_yet(storage, clock):
    """Of two faces of an image the first row is there. Pages show nothing of it, and the task that shows images to people waits."""
    table = TABLE.replace("{day}", str(DAY))
    config = {
        **SMALLEST,
        "name": "cats",
        "annotation": {**SMALLEST["annotation"], "blur": {"path": TABLE, "training": "show"}},
    }
    day = MonitorStore(storage, MonitorConfig.model_validate(config)).day(DAY)
    two = upright()
    two[:40, :48] = two[BOX[1] : BOX[1] + 40, BOX[0] : BOX[0] + 48]
    image = put(day, "a.jpg", file_of(two))
    half, whole = (f"key,x,y,width,height\n{rows}" for rows in (row("a.jpg"), f"{row('a.jpg')}\na.jpg,0,0,48,40\n"))
    covers = Covers.of(day.monitor)
    assert covers
    clock.write(storage, table, half)
    with pytest.raises(HiddenImage, match=r"may still be written to: look again in 60 s \(images\.settle_seconds\)"):
        covers.original(*image, 10**7)
    clock.meanwhile = [lambda: clock.write(storage, table, whole)]
    covers.require(DAY)
    assert clock.slept == [SETTLE, SETTLE]
    assert vivid(covers.original(*image, 10**7).data) == 0
    # It is corrected later. As long as that goes on, what was read before holds.
    clock.write(storage, table, half)
    assert vivid(covers.original(*image, 10**7).data) == 0
    clock.now += SETTLE
    assert vivid(covers.original(*image, 10**7).data) > 0


def test_half_a_table_that_a_page_met_is_not_kept(storage, clock, monkeypatch):
    """The page looks when the file is old, and half of the new one is there when it reads. Later looks meet a file that is still written."""
    clock.write(storage, "cats/boxes.csv", "key,x,y,width,height\na.jpg,,,,\n")
    clock.now += SETTLE
    config = {**SMALLEST, "name": "cats", "annotation": {**SMALLEST["annotation"], "blur": {"path": TABLE, "training": "cats/boxes.csv"}}}  # fmt: skip
    covers = Covers.of(MonitorStore(storage, MonitorConfig.model_validate(config)))
    assert covers
    half = "key,x,y,width,height\nb.jpg,,,,\n"
    real = covered.rows_of

    def meanwhile(*args):
        clock.write(storage, "cats/boxes.csv", half)
        return real(*args)

    with monkeypatch.context() as patch:
        patch.setattr(covered, "rows_of", meanwhile)
        with pytest.raises(HiddenImage, match="is still being written"):
            covers.original("b" * 64, "cats/training/images/b.jpg", 10**7)
    with pytest.raises(HiddenImage, match="may still be written to"):
        covers.original("b" * 64, "cats/training/images/b.jpg", 10**7)


@pytest.mark.parametrize("fault", [None, NeedsAttention("a quote is not closed")], ids=["read", "seems wrong"])
def test_a_table_of_all_days_that_is_added_to_while_it_is_read_counts_unless_it_seems_wrong(storage, clock, fault):
    """Cameras add to it all the time: a day would never be taken in."""
    clock.write(storage, "all.csv", "key\n")

    def read() -> None:
        with settled(storage, "all.csv", None):
            clock.write(storage, "all.csv", "key\n0.jpg\n")
            if fault:
                raise fault

    with pytest.raises(StillWritten) if fault else nullcontext():
        read()
    assert clock.slept == []


def test_a_clock_that_is_a_little_ahead_makes_no_half_written_list_whole(storage, clock):
    """Such as that of a file server, by which files have their times."""
    day = listed_day(storage)
    clock.now += 30
    clock.write(storage, LIST, "key\n0.jpg\n")
    clock.now -= 30
    clock.meanwhile = [lambda: clock.write(storage, LIST, "key\n0.jpg\n1.jpg\n")]
    assert ingest_day(day, MODEL).accepted == 2


def test_who_ends_the_task_is_not_told_that_a_table_is_written(storage, clock):
    clock.write(storage, LIST, "key\n")
    clock.now += SETTLE

    def read() -> None:
        with settled(storage, LIST, SETTLE):
            clock.write(storage, LIST, "key\n0.jpg\n")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read()


def test_no_image_of_the_exam_is_left_out_because_its_table_was_just_written(storage, clock):
    config = {**SMALLEST, "name": "cats", "annotation": {**SMALLEST["annotation"], "blur": {"path": TABLE, "training": "cats/boxes.csv"}}}  # fmt: skip
    covers = Covers.of(MonitorStore(storage, MonitorConfig.model_validate(config)))
    assert covers
    header = "key,x,y,width,height\n"
    clock.write(storage, TABLE.replace("{day}", str(DAY)), header)
    clock.now += SETTLE
    clock.write(storage, "cats/boxes.csv", header)
    covers.require(DAY)
    assert clock.slept == [SETTLE]
    clock.write(storage, "cats/boxes.csv", "key,left\n")
    covers.require(DAY)  # images that it should tell of are hidden


def test_a_list_that_is_written_anew_stops_no_verdict_of_the_day(storage, clock):
    """Late files are looked for in it once more, for the report alone."""
    day = listed_day(storage)
    clock.write(storage, LIST, "key\n0.jpg\n")
    clock.now += SETTLE
    ingest_day(day, MODEL)
    clock.write(storage, LIST, "key\n0.jpg\n1.jpg\n")
    clock.now += SETTLE
    assert note_late_files(day) == 1
    clock.write(storage, LIST, "key\n0.jpg\n")
    clock.meanwhile = [lambda: clock.write(storage, LIST, "key\n0.jpg\n")] * 10
    assert note_late_files(day) == 1
    clock.meanwhile = []
    assert note_late_files(day) == 0
