"""A day of 600 images, as it runs in production: planned, uploaded to a Toloka server process, answered, judged, merged."""

from __future__ import annotations

import csv
import hashlib
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.stores import day_store

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.config import MonitorConfig
from driftwatch.credentials import Access
from driftwatch.labels.backends.base import Pool
from driftwatch.labels.backends.toloka.backend import TolokaBackend
from driftwatch.labels.consensus import merge_day
from driftwatch.labels.creation import create_day_pool
from driftwatch.labels.links import ImageServer, LinkSigners
from driftwatch.storage import Storage, open_storage

IMAGES, CONTROL, OVERLAP, PER_PAGE = 600, 120, 3, 9
TOKEN, SECRET = "AQAD-token", "secret"
DAY, LAYOUT = date(2026, 11, 20), MonitorKeys("demo")


@contextmanager
def server(module: str, *options: str) -> Iterator[str]:
    """A server as a process of its own; gives its URL."""
    command = [sys.executable, "-m", module, *options]
    environment = {**os.environ, "DRIFTWATCH_IMAGE_SECRET": SECRET, "DRIFTWATCH_TOLOKA_TOKEN": TOKEN}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        yield process.stdout.readline().removeprefix("listening on ").strip()
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


ANNOTATION = {
    "sample_size": IMAGES,
    "overlap": OVERLAP,
    "tasks_per_page": PER_PAGE,
    # No worker sees a control task twice: enough of them for the busiest worker's pages.
    "control_tasks": CONTROL,
    "max_cost_per_day": 50,
}


def deliver(storage: Storage) -> dict[str, str]:
    """Writes the day's and the training set's images, manifest and set; gives each image's class by its id."""
    rows: list[dict[str, Any]] = []
    for number in range(IMAGES + CONTROL):
        # What the image server serves and a person would see: the bytes are all that tells images apart.
        data = b"\xff\xd8" + number.to_bytes(4, "big")
        key = f"demo/incoming/{DAY}/{number}.jpg" if number < IMAGES else f"demo/training/images/{number}.jpg"
        storage.write_bytes(key, data)
        label = ("cat", "dog")[number % 2]
        rows.append({"image_id": hashlib.sha256(data).hexdigest(), "key": key, "label": label})
    table = pd.DataFrame(rows)
    storage.write_table(LAYOUT.day(DAY).manifest, table[:IMAGES].drop(columns="label").assign(status="accepted"))
    storage.write_table(LAYOUT.training_set, table[IMAGES:].assign(split="holdout", phash=""))
    return table.set_index("image_id")["label"].to_dict()


@pytest.mark.all_faults("it has six hundred images; tests/end_to_end has a small day of the same crowd")
@pytest.mark.slow
def test_a_day_of_600_images_is_labelled_once_each_paid_once_each_and_mostly_rightly(
    small_monitor: Callable[..., MonitorConfig], tmp_path: Path
) -> None:
    folder = tmp_path / "storage"
    folder.mkdir()
    storage, config, keys = (
        open_storage(f"file://{folder}"),
        small_monitor(f"file://{folder}", annotation=ANNOTATION),
        LAYOUT.day(DAY),
    )
    truth = deliver(storage)
    with (tmp_path / "truth.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("image_id", "label"), *truth.items()])
    now = datetime.now(timezone.utc)
    options = ["--database", str(tmp_path / "toloka.db"), "--truth", str(tmp_path / "truth.csv")]
    with (
        server("driftwatch_servers.images", "--root", str(folder)) as image_url,
        server("driftwatch_sandbox.toloka", *options, "--crowd-speed", "600", "--balance", "100") as url,
    ):
        backend = TolokaBackend(lambda: Access("the Toloka connection", url, TOKEN))
        day = day_store(storage, keys, config)
        plan = create_day_pool(day, backend, LinkSigners(ImageServer(image_url, SECRET)), now)
        pool = Pool.of(plan, config.labels)
        end = time.monotonic() + 120
        while (state := backend.look(pool)).is_open:
            assert time.monotonic() < end, backend.progress(pool).text
            time.sleep(0.5)
        assert state.close_reason == "COMPLETED"
        seen = backend.progress(pool)
        assignments = backend.settle(pool, backend.collect(pool), config.labels.quality)
        balance = float(backend.client.get_requester().balance)
    storage.write_table(keys.assignments, assignments)
    sample = [image.image_id for image in plan.sample]
    found, labels = {}, {}
    for method in ("weighted", "dawid_skene", "majority"):
        found[method] = merge_day(day_store(storage, keys, _merged_by(config, method)), sample)
        labels[method] = storage.read_table(keys.labels).set_index("image_id")

    # Each image once, by as many different annotators as were asked for; answers of pages that were rejected do not vote.
    voted = assignments[~assignments["control"]]
    assert not voted.duplicated(["image_id", "annotator_id"]).any()
    assert Counter(voted["image_id"].value_counts()) == {OVERLAP: IMAGES}
    assert (seen.answers, seen.coverage) == (IMAGES * OVERLAP, 1.0)
    votes = voted[voted["status"] == "ACCEPTED"]
    assert len(votes) > 0.9 * len(voted)
    for method, counts in found.items():
        assert sorted(sample) == labels[method].index.tolist()
        assert len(set(sample)) == IMAGES == counts.sampled
        assert counts.consensus + counts.tie + counts.unclear + counts.unanswered == IMAGES
        assert counts.unanswered == IMAGES - votes["image_id"].nunique()
        assert counts.votes == len(votes)
        assert counts.unclear_votes == (votes["answer"] == "unclear").sum() > 0

    # What was planned is what the pages cost, and those accepted are what was paid, with the fee, to the cent.
    pages = assignments.drop_duplicates("assignment_id")
    accepted, rejected = (int((pages["status"] == status).sum()) for status in ("ACCEPTED", "REJECTED"))
    assert accepted + rejected == len(pages)
    assert found["majority"].rejected_pages == rejected
    assert balance == pytest.approx(100 - accepted * 0.05 * 1.2)
    assert len(pages) * 0.05 * 1.2 == pytest.approx(plan.cost.total, rel=0.02)
    assert pages["assignment_id"].nunique() == assignments["control"].sum()  # one control task on each

    # Nine in ten of the crowd's answers are right; three of them together are right more often, whoever weighs them.
    assert 0.85 < (voted["answer"] == voted["image_id"].map(truth)).mean() < 0.95
    right = {
        method: (table["label"].dropna() == table["label"].dropna().index.map(truth))
        for method, table in labels.items()
    }
    assert min(given.mean() for given in right.values()) > 0.96
    # Where a plain vote abstains, the others mostly find the right label.
    assert min(right["weighted"].sum(), right["dawid_skene"].sum()) > right["majority"].sum()


def _merged_by(config: MonitorConfig, method: str) -> MonitorConfig:
    return config.model_copy(update={"labels": config.labels.model_copy(update={"consensus": method})})
