"""Colleagues of the simulated crowd label a batch at a real desk, over HTTP, from images that a server shows."""

from __future__ import annotations

import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from tests.driftwatch_servers.desk.desks import KEY, RULES, running_desk

from driftwatch_sandbox.labellers.__main__ import colleagues
from driftwatch_sandbox.labellers.crowd import Labeller, at_work
from driftwatch_sandbox.labellers.desk import DeskSeat
from driftwatch_sandbox.toloka.sight import Truth

IMAGES, PEOPLE = 8, 3


@pytest.fixture
def shown(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Images on an HTTP server: their addresses, by image id. What they show stands in truth.csv."""
    folder = tmp_path / "images"
    folder.mkdir()
    names, lines = {}, ["image_id,label"]
    for number in range(IMAGES):
        Image.new("RGB", (8, 8), (20 * number, 0, 0)).save(folder / f"{number}.png")
        image_id = hashlib.sha256((folder / f"{number}.png").read_bytes()).hexdigest()
        names[image_id] = f"{number}.png"
        lines.append(f"{image_id},{'cat' if number % 2 else 'dog'}")
    (tmp_path / "truth.csv").write_text("\n".join(lines) + "\n")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(folder))

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield {image_id: f"http://127.0.0.1:{server.server_address[1]}/{name}" for image_id, name in names.items()}
        server.shutdown()


def test_three_colleagues_label_a_batch_to_its_end_and_mostly_rightly(tmp_path, shown):
    truth = Truth(tmp_path / "truth.csv")
    with running_desk(f"sqlite:///{tmp_path}/desk.db") as desk:
        rules = RULES.model_copy(update={"fast_seconds": 1, "fast_max": 10})
        desk.ask("PUT", f"/batches/{KEY}", desk.batch(control_per_page=0, rules=rules))
        tasks = [{"image_id": image_id, "link": link} for image_id, link in shown.items()]
        desk.ask("PUT", f"/batches/{KEY}/tasks", {"tasks": tasks})
        desk.ask("POST", f"/batches/{KEY}/open", {"tasks": IMAGES})
        tokens = [desk.people.add(f"person {number}", 1) for number in range(PEOPLE)]
        people = [
            Labeller(worker, DeskSeat(desk.url, token), truth, seed=7, speed=2000.0)
            for worker, token in zip(colleagues(PEOPLE, 7), tokens, strict=True)
        ]
        stopped = threading.Event()
        threads = at_work(people, stopped)
        for _ in range(300):
            if len(desk.given()) >= 2 * IMAGES:
                break
            desk.clock.now += 1  # the desk's clock, so that nobody is too fast
            stopped.wait(0.1)
        stopped.set()
        for thread in threads:
            thread.join()
        given = desk.given()
    assert sorted(answer["image_id"] for answer in given) == sorted([*shown] * 2)
    right = [answer["answer"] == truth.labels()[answer["image_id"]] for answer in given]
    assert sum(right) >= 0.75 * len(right)
    assert len({answer["person"] for answer in given}) > 1
