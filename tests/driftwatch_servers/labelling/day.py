"""A day's images, their pages and answers in memory, and the server of these images: what the labelling page's tests work on."""

from __future__ import annotations

import io
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from fastapi import FastAPI
from PIL import Image
from starlette.responses import Response

from driftwatch.labels.choices import choices
from driftwatch.labels.hotkeys import hotkeys
from driftwatch_servers.labelling.app import create_app
from driftwatch_servers.labelling.source import (
    ChoicePart,
    Haste,
    ImagePart,
    Option,
    Page,
    Pool,
    Progress,
    Refused,
    Shortcut,
    TakenBack,
    Task,
    Values,
    View,
    Work,
)

from .memory import MemorySessions

TOKENS = {"ana": "token-of-ana-1", "ben": "token-of-ben-2"}


@dataclass
class Taken:
    """A page that somebody took."""

    owner: str
    tasks: Sequence[str]
    answers: dict[str, Values] = field(default_factory=dict)
    over: bool = False


class Day:
    """One pool of `tasks` images, `per_page` on a page, each for one person. It implements TaskSource.

    `haste` is on every page; `link` is the number in the images' links; `more` is what `work` says; `shut` are people and why they may not enter.
    """

    def __init__(
        self, classes: Sequence[str] = ("cat", "dog"), tasks: int = 20, per_page: int = 10, skip: bool = True
    ) -> None:
        keys = {key: Shortcut("result", value) for value, key in hotkeys(classes, "unclear").items()}
        options = [Option(value, value) for value in choices(classes, "unclear")]
        self.view = View(
            (ImagePart("image"), ChoicePart("result", "What is it?", options, unclear="unclear")), keys, skip
        )
        self.left = [str(number) for number in range(tasks)]
        self.per_page, self.tasks = per_page, tasks
        self.pages: list[Taken] = []
        self.haste: Haste | None = None
        self.link, self.more, self.open, self.images = 0, False, True, ""
        self.shut: dict[str, str] = {}
        self._lock = threading.RLock()

    def given(self) -> dict[str, str]:
        return {task: str(values["result"]) for page in self.pages for task, values in page.answers.items()}

    def pools(self, person: str) -> list[Pool]:
        text = "<p>Choose the <b>larger</b> one.</p><script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"
        return [Pool("day", "Tuesday", "Animals", text, self._done(), self.shut.get(person, ""))] if self.open else []

    def page(self, person: str, pool_id: str) -> Page | None:
        with self._lock:
            under_way = next((page for page in self.pages if page.owner == person and not page.over), None)
            if under_way is None and self.left and self.open and person not in self.shut:
                under_way = Taken(person, self.left[: self.per_page])
                self.left = self.left[self.per_page :]
                self.pages.append(under_way)
            return under_way and self._shown(under_way)

    def answer(self, person: str, page_id: str, task_id: str, values: Values) -> Progress:
        with self._lock:
            page = self._mine(person, page_id)
            if task_id not in page.tasks or values.get("result") not in [
                option.value for option in self.view.parts[1].options
            ]:
                raise Refused(400, "no such task or answer")
            page.answers.pop(task_id, None)
            page.answers[task_id] = values
            page.over = len(page.answers) == len(page.tasks)
            return Progress(len(page.answers), len(page.tasks), page.over)

    def undo(self, person: str, pool_id: str) -> TakenBack | None:
        with self._lock:
            mine = [page for page in self.pages if page.owner == person and page.answers]
            page = next((page for page in mine if not page.over), mine[-1] if mine else None)
            if page is None or not self.open:
                return None
            page.over = False
            return TakenBack(page.answers.popitem()[0], self._shown(page))

    def work(self, person: str, pool_id: str) -> Work:
        return Work(sum(len(page.answers) for page in self.pages if page.owner == person), 185, self.more)

    def skip(self, person: str, page_id: str) -> None:
        with self._lock:
            page = self._mine(person, page_id)
            page.over, page.answers = True, {}

    def _mine(self, person: str, page_id: str) -> Taken:
        page = self.pages[int(page_id)]
        if page.owner != person:
            raise Refused(404, "there is no such page")
        if page.over:
            raise Refused(409, "this page is over")
        return page

    def _done(self) -> int:
        return 100 * len(self.given()) // self.tasks

    def _shown(self, page: Taken) -> Page:
        tasks = [Task(name, {"image": f"{self.images}/{name}.png?link={self.link}"}) for name in page.tasks]
        return Page(
            str(self.pages.index(page)), tasks, self.view, 2e9, self._done(), dict(page.answers), haste=self.haste
        )


@dataclass
class Site:
    """One server: the page of a day at /label/, its images at /images/, and an empty page. `lost`: links by image up to which it has none.
    `people` may change."""

    day: Day
    people: dict[str, str] = field(default_factory=lambda: dict(TOKENS))
    lost: dict[str, int] = field(default_factory=dict)

    def app(self) -> FastAPI:
        app = FastAPI()
        app.mount("/label", create_app(self.day, self.people, MemorySessions()))

        @app.get("/images/{name}.png")
        def image(name: str, link: int) -> Response:
            if link <= self.lost.get(name, -1):
                return Response("this link has expired", 403)
            return Response(picture(int(name)), media_type="image/png", headers={"Cache-Control": "no-store"})

        @app.get("/elsewhere")
        def elsewhere() -> Response:
            return Response("<!doctype html><title>Another web site</title>", media_type="text/html")

        return app


def picture(number: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 48), (number * 40 % 256, number * 90 % 256, 120)).save(file, "PNG")
    return file.getvalue()
