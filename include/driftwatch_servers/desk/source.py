"""The desk as the labelling page's source of work."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from driftwatch.labels.backends.desk.wire import Batch
from driftwatch.labels.hotkeys import hotkeys
from driftwatch_servers.desk.database import Database
from driftwatch_servers.desk.handout import GIVEN, Job, job_of_page
from driftwatch_servers.desk.quality import fast_below
from driftwatch_servers.desk.tables import (
    ACTIVE,
    COUNTS,
    DONE,
    FAST,
    REPLACED,
    SKIPPED,
    TOO_FAST,
    UNDONE,
    answers,
    batches,
)
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

_IMAGE, _ANSWER = "image", "result"


class DeskSource:
    """A `TaskSource` over the desk's database. A pool is a batch, and a task is named by its image. `clock` gives Unix seconds.

    Each answer counts as soon as it is given. Those of a page that was answered too fast do not: they are kept, and the places of their
    images are free for others.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database, self._clock = database, clock

    def pools(self, person: str) -> list[Pool]:
        now = self._clock()
        wanted = sa.select(batches).where(batches.c.state == "open", batches.c.ends > now).order_by(batches.c.ends)
        with self._database.reading() as connection:
            jobs = [Job.of(connection, row, now) for row in connection.execute(wanted).all()]
            return [_pool(job, job.worker(person).ban()) for job in jobs]

    def page(self, person: str, pool_id: str) -> Page | None:
        with self._job(pool_id) as job:
            if not job.open:
                return None
            found = job.under_way(person)
            if found is None and not job.worker(person).ban():
                found = job.take(person)
            return None if found is None else _page(job, found)

    def answer(self, person: str, page_id: str, task_id: str, values: Values) -> Progress:
        now = self._clock()
        with self._database.writing() as connection:
            job, page = job_of_page(connection, person, page_id, now)
            task = next((each for each in job.tasks_of(page_id) if each.image_id == task_id), None)
            if task is None:
                raise Refused(404, f"there is no task {task_id!r} on this page")
            choice = _choice(job.batch, values)
            _keep(job, page, task_id, choice)
            given, of = len(job.answers_of(page_id)), len(job.tasks_of(page_id))
            if given == of:
                _hand_in(job, page, of)
        return Progress(given, of, given == of)

    def undo(self, person: str, pool_id: str) -> TakenBack | None:
        with self._job(pool_id) as job:
            last = job.connection.execute(_newest(job, person)).one_or_none()
            page = None if last is None else job.page(last.page)
            if last is None or page is None or not job.open or page.state not in (ACTIVE, DONE):
                return None
            if page.state == DONE:
                if job.worker(person).ban():
                    return None
                job.set(page.id, state=ACTIVE, ended=None, due=job.new_due())
            job.connection.execute(answers.update().where(answers.c.id == last.id).values(state=UNDONE))
            job.count_answer(last.image_id, -1)
            return TakenBack(last.image_id, _page(job, job.page(page.id)))

    def work(self, person: str, pool_id: str) -> Work:
        mine = (answers.c.batch == pool_id, answers.c.person == person)
        with self._job(pool_id) as job:
            done = sa.select(sa.func.count()).where(*mine, answers.c.state.in_(GIVEN))
            seconds = sa.select(sa.func.coalesce(sa.func.sum(answers.c.seconds), 0.0)).where(*mine)
            more = not job.worker(person).ban() and job.more_for(person)
            return Work(job.connection.scalar(done) or 0, job.connection.scalar(seconds) or 0.0, more)

    def skip(self, person: str, page_id: str) -> None:
        """Whoever skips too many pages in a row must pause."""
        now = self._clock()
        with self._database.writing() as connection:
            job, _ = job_of_page(connection, person, page_id, now)
            job.drop_answers(page_id, UNDONE)
            job.end(page_id, SKIPPED, now)
            job.worker(person).judge(job.batch.rules)

    @contextmanager
    def _job(self, key: str) -> Iterator[Job]:
        """The batch, locked, within a transaction."""
        with self._database.writing() as connection:
            yield Job.locked(connection, key, self._clock())


def _choice(batch: Batch, values: Values) -> str:
    allowed = [*batch.classes, *([] if batch.unclear is None else [batch.unclear])]
    choice = values.get(_ANSWER)
    if set(values) != {_ANSWER} or choice not in allowed:
        raise Refused(400, f"{_ANSWER} must be one of the {len(allowed)} answers of this question")
    return str(choice)


def _keep(job: Job, page: sa.Row, image_id: str, choice: str) -> None:
    """Keeps an answer. One that it replaces no longer counts, and is kept too."""
    connection = job.connection
    replaced = connection.execute(
        answers.update()
        .where(answers.c.page == page.id, answers.c.image_id == image_id, answers.c.state == COUNTS)
        .values(state=REPLACED)
    ).rowcount
    mine = (answers.c.batch == job.key, answers.c.person == page.person)
    before = connection.scalar(sa.select(sa.func.max(answers.c.given)).where(*mine)) or 0.0
    row = {
        "batch": job.key,
        "page": page.id,
        "person": page.person,
        "image_id": image_id,
        "answer": choice,
        "given": job.now,
        "seconds": max(0.0, job.now - max(page.taken, before)),
        "state": COUNTS,
    }
    connection.execute(answers.insert().values(row))
    if not replaced:
        job.count_answer(image_id, 1)


def _hand_in(job: Job, page: sa.Row, of: int) -> None:
    """Ends a page with its last answer, and judges it and its person."""
    seconds = job.connection.scalar(sa.select(sa.func.sum(answers.c.seconds)).where(answers.c.page == page.id)) or 0.0
    fast = seconds < fast_below(job.batch, of)
    if fast:
        job.set(page.id, state=FAST, ended=job.now)
        job.drop_answers(page.id, TOO_FAST, places=-1)
    else:
        job.end(page.id, DONE, job.now)
    job.worker(page.person).judge(job.batch.rules)


def _newest(job: Job, person: str) -> sa.Select:
    mine = (answers.c.batch == job.key, answers.c.person == person, answers.c.state.in_(GIVEN))
    return sa.select(answers).where(*mine).order_by(answers.c.id.desc()).limit(1)


def _pool(job: Job, closed_to_you: str) -> Pool:
    batch = job.batch
    return Pool(job.key, batch.day, batch.title, batch.instructions, job.done(), closed_to_you)


def _page(job: Job, page: sa.Row) -> Page:
    shown = job.tasks_of(page.id)
    return Page(
        page.id,
        [Task(task.image_id, {_IMAGE: task.link}) for task in shown],
        _view(job.batch),
        page.due,
        job.done(),
        {image_id: {_ANSWER: answer} for image_id, answer in job.answers_of(page.id).items()},
        job.worker(page.person).haste(job.batch, len(shown)),
    )


def _view(batch: Batch) -> View:
    options = [Option(name, name) for name in batch.classes]
    if batch.unclear is not None:
        options.append(Option(batch.unclear, batch.unclear))
    keys = {key: Shortcut(_ANSWER, name) for name, key in hotkeys(batch.classes, batch.unclear).items()}
    return View(
        (ImagePart(_IMAGE), ChoicePart(_ANSWER, batch.question, options, unclear=batch.unclear)), keys, skip=True
    )
