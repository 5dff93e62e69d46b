"""Hands out pages of a batch: never an image twice to a person, and each image to no more people than are asked for.

Whoever changes something of a batch holds its row locked, so two people who come at once are served one after the other.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from driftwatch.labels.backends.desk.wire import Batch
from driftwatch_servers.desk.batches import locked
from driftwatch_servers.desk.quality import Worker
from driftwatch_servers.desk.tables import (
    ACTIVE,
    COUNTS,
    EXPIRED,
    SKIPPED,
    TOO_FAST,
    answers,
    batches,
    page_tasks,
    pages,
    tasks,
)
from driftwatch_servers.labelling.source import Refused

GIVEN = (COUNTS, TOO_FAST)
_chance = secrets.SystemRandom()


@dataclass(frozen=True)
class Job:
    """A batch within a transaction, at a moment (Unix seconds)."""

    connection: sa.Connection
    key: str
    batch: Batch
    open: bool
    now: float

    @classmethod
    def locked(cls, connection: sa.Connection, key: str, now: float) -> Job:
        """The batch, which nobody else changes meanwhile. Pages that are overdue have ended. Raises Refused 404 if there is none."""
        job = cls.of(connection, locked(connection, key), now)
        job._expire()
        return job

    @classmethod
    def of(cls, connection: sa.Connection, row: sa.Row, now: float) -> Job:
        """The batch of a row."""
        takes_answers = row.state == "open" and row.ends > now
        return cls(connection, row.key, Batch.model_validate_json(row.body), takes_answers, now)

    def worker(self, person: str) -> Worker:
        return Worker(self.connection, person, self.batch.project, self.now)

    def under_way(self, person: str) -> sa.Row | None:
        """The page that the person works on: of several, the one that was taken first."""
        mine = sa.select(pages).where(*self._active_pages(), pages.c.person == person)
        return self.connection.execute(mine.order_by(pages.c.taken, pages.c.id).limit(1)).one_or_none()

    def take(self, person: str) -> sa.Row | None:
        """A new page for the person. None if the person has answered, or others work on, all that is left."""
        images = self._free(person)
        if not images:
            return None
        control = list(self.connection.scalars(self._fresh(person, tasks.c.known.is_not(None))))
        shown = images + _chance.sample(control, min(len(control), self.batch.control_per_page))
        _chance.shuffle(shown)  # so that its place tells nothing of a task
        page = {
            "id": secrets.token_urlsafe(12),
            "batch": self.key,
            "project": self.batch.project,
            "person": person,
            "taken": self.now,
            "due": self.new_due(),
            "state": ACTIVE,
        }
        self.connection.execute(pages.insert().values(page))
        placed = [{"page": page["id"], "place": place, "image_id": image} for place, image in enumerate(shown)]
        self.connection.execute(page_tasks.insert(), placed)
        self._count(images, places=1)
        return self.page(str(page["id"]))

    def page(self, page_id: str) -> sa.Row:
        return self.connection.execute(sa.select(pages).where(pages.c.id == page_id)).one()

    def tasks_of(self, page_id: str) -> list[sa.Row]:
        """The page's tasks in their order."""
        on_page = sa.and_(tasks.c.batch == self.key, tasks.c.image_id == page_tasks.c.image_id)
        wanted = sa.select(tasks).join(page_tasks, on_page).where(page_tasks.c.page == page_id)
        return list(self.connection.execute(wanted.order_by(page_tasks.c.place)))

    def answers_of(self, page_id: str) -> dict[str, str]:
        """The page's answers that count, by image, the newest last."""
        wanted = sa.select(answers.c.image_id, answers.c.answer)
        rows = self.connection.execute(wanted.where(*_counting(page_id)).order_by(answers.c.id))
        return {row.image_id: row.answer for row in rows}

    def drop_answers(self, page_id: str, state: str, places: int = 0) -> None:
        """The page's answers no longer count: they have this state. `places`: by how many the places of their images change."""
        images = list(self.answers_of(page_id))
        self.connection.execute(answers.update().where(*_counting(page_id)).values(state=state))
        self._count(images, answered=-1, places=places)

    def count_answer(self, image_id: str, change: int) -> None:
        """An answer for the image counts now, or no longer."""
        self._count([image_id], answered=change)

    def end(self, page_id: str, state: str, moment: float) -> None:
        """Ends a page. The places of images without an answer are free again."""
        answered = self.answers_of(page_id)
        self._count([task.image_id for task in self.tasks_of(page_id) if task.image_id not in answered], places=-1)
        self.set(page_id, state=state, ended=moment)

    def set(self, page_id: str, **values: object) -> None:
        self.connection.execute(pages.update().where(pages.c.id == page_id).values(**values))

    def new_due(self) -> float:
        """When a page is over that somebody begins now."""
        ends: float = self.connection.scalar(sa.select(batches.c.ends).where(batches.c.key == self.key)) or 0.0
        return min(self.now + self.batch.page_seconds, ends)

    def done(self) -> int:
        """How much of the wanted answers is there, in percent."""
        of_sample = (tasks.c.batch == self.key, tasks.c.known.is_(None))
        counts = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(tasks.c.answered), 0)).where(*of_sample)
        images, given = self.connection.execute(counts).one()
        return int(100 * given / max(1, images * self.batch.overlap))

    def more_for(self, person: str) -> bool:
        """Whether tasks may still come to the person."""
        lacks = self._fresh(person, sa.and_(tasks.c.known.is_(None), tasks.c.answered < self.batch.overlap))
        return self.open and self.connection.scalar(lacks.limit(1)) is not None

    def _free(self, person: str) -> list[str]:
        """Images of the sample for the person's next page: those with the fewest people, and only then those that the person skipped."""
        skipped = (
            sa.exists()
            .where(page_tasks.c.image_id == tasks.c.image_id, page_tasks.c.page == pages.c.id)
            .where(pages.c.batch == self.key, pages.c.person == person, pages.c.state == SKIPPED)
        )
        left = self._fresh(person, sa.and_(tasks.c.known.is_(None), tasks.c.places < self.batch.overlap))
        found: list[str] = []
        for part in (left.where(~skipped), left.where(skipped)):
            ordered = part.order_by(tasks.c.places, tasks.c.image_id).limit(self.batch.tasks_per_page - len(found))
            found += self.connection.scalars(ordered) if len(found) < self.batch.tasks_per_page else []
        return found

    def _fresh(self, person: str, which: sa.ColumnElement[bool]) -> sa.Select:
        """Tasks that the person has neither answered nor on a page."""
        given = sa.exists().where(answers.c.batch == self.key, answers.c.image_id == tasks.c.image_id)
        on_page = sa.exists().where(page_tasks.c.image_id == tasks.c.image_id, page_tasks.c.page == pages.c.id)
        return sa.select(tasks.c.image_id).where(
            tasks.c.batch == self.key,
            which,
            ~given.where(answers.c.person == person, answers.c.state.in_(GIVEN)),
            ~on_page.where(*self._active_pages(), pages.c.person == person),
        )

    def _active_pages(self) -> tuple[sa.ColumnElement[bool], ...]:
        return pages.c.batch == self.key, pages.c.state == ACTIVE

    def _expire(self) -> None:
        overdue = sa.select(pages).where(*self._active_pages(), pages.c.due <= self.now)
        for page in self.connection.execute(overdue).all():
            self.end(page.id, EXPIRED, page.due)

    def _count(self, images: list[str], answered: int = 0, places: int = 0) -> None:
        """Changes the counts of images of the sample. Control tasks are for everybody, and are not counted."""
        for some in _parts(images):
            changed = tasks.update().where(
                tasks.c.batch == self.key, tasks.c.known.is_(None), tasks.c.image_id.in_(some)
            )
            counts = {"answered": tasks.c.answered + answered, "places": tasks.c.places + places}
            self.connection.execute(changed.values(counts))


def _counting(page_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return answers.c.page == page_id, answers.c.state == COUNTS


def _parts(images: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(images), 500):
        yield images[start : start + 500]


def job_of_page(connection: sa.Connection, person: str, page_id: str, now: float) -> tuple[Job, sa.Row]:
    """The person's page that is under way, and its batch, locked. Raises Refused 404 for a page that is not the person's, and 409 for one
    that is over."""
    mine = sa.select(pages.c.batch).where(pages.c.id == page_id, pages.c.person == person)
    key = connection.scalar(mine)
    if key is None:
        raise Refused(404, "you have no such page: ask for the next one")
    job = Job.locked(connection, key, now)
    if not job.open:
        raise Refused(409, "this day is closed: it takes no more answers. What you answered before is kept")
    page = job.page(page_id)
    if page.state != ACTIVE:
        raise Refused(409, "this page is over: it was handed in, given back, or its time has passed")
    return job, page
