"""A source of labelling work, and a store of sessions, that forget everything: the page needs no Toloka."""

from __future__ import annotations

from driftwatch_servers.labelling.sessions import Session
from driftwatch_servers.labelling.source import (
    ChoicePart,
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

VIEW = View(
    (ImagePart("image"), ChoicePart("result", "Cat or dog?", (Option("cat", "Cat"), Option("dog", "Dog")))),
    {"1": Shortcut("result", "cat"), "2": Shortcut("result", "dog")},
    skip=True,
)


class MemorySource:
    """One pool with one page of three tasks, for whoever takes it first."""

    def __init__(self) -> None:
        self.owner: str | None = None
        self.answers: dict[str, Values] = {}

    def pools(self, person: str) -> list[Pool]:
        return [Pool("pool", "A day", "Cats", "<p>Look.</p>", 0, "" if self.owner in (None, person) else "taken")]

    def page(self, person: str, pool_id: str) -> Page | None:
        if pool_id != "pool":
            raise Refused(404, f"there is no pool {pool_id!r}")
        if self.owner not in (None, person):
            return None
        self.owner = person
        return self._page()

    def _page(self) -> Page:
        tasks = [Task(name, {"image": f"http://127.0.0.1:9/{name}.png"}) for name in "abc"]
        return Page("page", tasks, VIEW, due=2e9, done=0, answers=self.answers)

    def answer(self, person: str, page_id: str, task_id: str, values: Values) -> Progress:
        self._check(person, page_id)
        if values.get("result") not in ("cat", "dog"):
            raise Refused(400, "result must be cat or dog")
        self.answers[task_id] = values
        return Progress(len(self.answers), 3, len(self.answers) == 3)

    def undo(self, person: str, pool_id: str) -> TakenBack | None:
        self._check(person, "page")
        return TakenBack(self.answers.popitem()[0], self._page()) if self.answers else None

    def work(self, person: str, pool_id: str) -> Work:
        return Work(len(self.answers) if person == self.owner else 0, 12.5, more=True)

    def skip(self, person: str, page_id: str) -> None:
        self._check(person, page_id)
        self.owner, self.answers = None, {}

    def _check(self, person: str, page_id: str) -> None:
        if page_id != "page" or person != self.owner:
            raise Refused(404, f"there is no page {page_id!r}")


class MemorySessions:
    def __init__(self) -> None:
        self.kept: dict[str, Session] = {}

    def get(self, session_hash: str) -> Session | None:
        return self.kept.get(session_hash)

    def add(self, session: Session, now: float) -> None:
        self.kept = {key: kept for key, kept in self.kept.items() if kept.until > now} | {session.hash: session}

    def remove(self, session_hash: str) -> None:
        self.kept.pop(session_hash, None)
