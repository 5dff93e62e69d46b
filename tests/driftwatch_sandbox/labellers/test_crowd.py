"""Colleagues of the simulated crowd label at a real desk and in a real Label Studio, over HTTP, from images that a server shows."""

from __future__ import annotations

import hashlib
import http.server
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image
from tests.driftwatch.labels.backends.label_studio.days import NOW, labelled_day
from tests.driftwatch_servers.desk.desks import KEY, RULES, Clock, running_desk
from tests.label_studio_server.running import shared_server

from driftwatch.labels.creation import create_day_pool
from driftwatch.labels.links import ImageServer, LinkSigners
from driftwatch_sandbox.labellers.__main__ import colleagues
from driftwatch_sandbox.labellers.crowd import Labeller, at_work
from driftwatch_sandbox.labellers.desk import DeskSeat
from driftwatch_sandbox.labellers.label_studio import LabelStudioSeat, invitation
from driftwatch_sandbox.toloka.sight import Truth
from driftwatch_sandbox.toloka.workers import Worker, answer

IMAGES, PEOPLE = 8, 3


class QuickClock(Clock):
    """A hundred seconds pass in each. So no page is answered too fast, whichever thread a busy machine holds up."""

    def __call__(self) -> float:
        return self.now + 100 * (time.time() - self.now)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of an HTTP server that has the folder's files."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(folder))

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


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

    with served(folder) as url:
        yield {image_id: f"{url}/{name}" for image_id, name in names.items()}


def test_three_colleagues_label_a_batch_to_its_end_and_mostly_rightly(tmp_path, shown):
    truth = Truth(tmp_path / "truth.csv")
    with running_desk(f"sqlite:///{tmp_path}/desk.db", QuickClock()) as desk:
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
            stopped.wait(0.1)
        stopped.set()
        for thread in threads:
            thread.join()
        given = desk.given()
    assert all(answer["counted"] for answer in given)
    assert sorted(answer["image_id"] for answer in given) == sorted([*shown] * 2)
    right = [answer["answer"] == truth.labels()[answer["image_id"]] for answer in given]
    assert sum(right) >= 0.75 * len(right)
    assert len({answer["person"] for answer in given}) > 1


@pytest.mark.all_faults("a real Label Studio of its own takes half a minute")
def test_three_colleagues_sign_up_in_label_studio_and_label_a_day_to_its_end(tmp_path):
    server = shared_server()
    server.clear()
    day = labelled_day(server, tmp_path, images=IMAGES)
    lines = [f"{image_id},{label}\n" for image_id, label in day.truth.items()]
    (tmp_path / "truth.csv").write_text("image_id,label\n" + "".join(lines))
    invite = invitation(server.url, server.token)
    people = [
        Labeller(
            worker,
            LabelStudioSeat(server.url, _email(worker), "Example-Only-1", invite),
            Truth(tmp_path / "truth.csv"),
            seed=7,
            speed=2000.0,
        )
        for worker in colleagues(PEOPLE, 7)
    ]
    stopped = threading.Event()
    with served(next(tmp_path.glob("storage*"))) as url:
        create_day_pool(day.store, day.backend, LinkSigners(ImageServer(url, "secret")), NOW)
        threads = at_work(people, stopped)
        for _ in range(300):
            if all(task["is_labeled"] for task in server.tasks(day.project)):
                break
            stopped.wait(0.5)
        stopped.set()
        for thread in threads:
            thread.join()
    given = [
        (task["data"]["image_id"], one["result"][0]["value"]["choices"][0], one["completed_by"])
        for task in server.tasks(day.project)
        for one in task["annotations"]
    ]
    assert {image_id for image_id, *_ in given} >= {image.image_id for image in day.plan.sample}
    assert all(len({who for of, _, who in given if of == image_id}) >= 2 for image_id, *_ in given)
    config = server.owner.get(f"/api/projects/{day.project}/").json()["parsed_label_config"]
    choices, classes = list(config["answer"]["labels"]), set(day.truth.values())
    emails = {user["id"]: user["email"] for user in server.owner.get("/api/users/").json()}
    workers = {_email(worker): worker for worker in colleagues(PEOPLE, 7)}
    for image_id, choice, who in given:
        assert choice == answer(workers[emails[who]], image_id, day.truth[image_id], choices, classes, 7)


def _email(worker: Worker) -> str:
    return f"{worker.id[:12]}@example.org"
