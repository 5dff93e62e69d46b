"""What a client does with batches: bring them, open them, look at them, end them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone

import sqlalchemy as sa

from driftwatch.artifacts.forgetting import NOWHERE
from driftwatch.labels.backends.desk.wire import (
    Batch,
    BatchProgress,
    BatchState,
    Blanked,
    GivenAnswer,
    GivenAnswers,
    NewTask,
    State,
)
from driftwatch.labels.clean_html import clean_html
from driftwatch_servers.desk.database import Database
from driftwatch_servers.desk.tables import COUNTS, TOO_FAST, answers, batches, page_tasks, pages, tasks
from driftwatch_servers.labelling.source import Refused

COMPLETED, EXPIRED, MANUAL = "COMPLETED", "EXPIRED", "MANUAL"
_GIVEN = (COUNTS, TOO_FAST)


def locked(connection: sa.Connection, key: str) -> sa.Row:
    """The batch's row. Until the transaction ends nobody else changes anything of the batch. Raises Refused 404 if there is none."""
    found = connection.execute(sa.select(batches).where(batches.c.key == key).with_for_update()).one_or_none()
    if found is None:
        raise Refused(404, f"there is no batch {key!r}")
    return found


class Batches:
    """The batches of a desk. `clock` gives Unix seconds. What a client may not do is raised as `Refused`."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database, self._clock = database, clock

    def put(self, key: str, batch: Batch) -> tuple[BatchState, bool]:
        """Makes the batch, and says whether it is new. One that people have not seen yet may be brought anew, without its tasks then.

        Raises Refused 409 if people may have seen another batch of this key.
        """
        body = batch.model_copy(update={"instructions": clean_html(batch.instructions)}).model_dump_json()
        row = {"project": batch.project, "body": body, "overlap": batch.overlap, "ends": batch.ends.timestamp()}
        with self._database.writing() as connection:
            found = connection.execute(sa.select(batches).where(batches.c.key == key).with_for_update()).one_or_none()
            if found is None:
                connection.execute(batches.insert().values(key=key, state="draft", **row))
            elif found.body != body:
                if found.state != "draft":
                    raise Refused(
                        409,
                        f"batch {key!r} was opened with another question, rule or end, and people may have answered it: it stays as it "
                        "is; put the monitor file back for this day",
                    )
                connection.execute(tasks.delete().where(tasks.c.batch == key))
                connection.execute(batches.update().where(batches.c.key == key).values(row))
            return self._state(connection, key), found is None

    def put_tasks(self, key: str, wanted: Sequence[NewTask]) -> BatchState:
        """Brings tasks into the batch. One that is there already stays, with the new link.

        Raises Refused 409 if one of them is another task now, or the batch is closed.
        """
        by_id = {task.image_id: task for task in wanted}
        if len(by_id) < len(wanted):
            raise Refused(400, "tasks: an image stands there twice: send each image once")
        with self._database.writing() as connection:
            if locked(connection, key).state == "closed":
                raise Refused(409, f"batch {key!r} is closed: it takes no more tasks")
            there = self._known(connection, key, by_id)
            for image_id, known in there.items():
                if known != by_id[image_id].known:
                    raise Refused(
                        409, f"task {image_id} of batch {key!r} is there with another known answer: it stays as it is"
                    )
            new = [
                {"batch": key, "image_id": task.image_id, "link": task.link, "known": task.known}
                for task in by_id.values()
                if task.image_id not in there
            ]
            if new:
                connection.execute(tasks.insert(), new)
            _renew(connection, key, {image_id: by_id[image_id].link for image_id in there})
            return self._state(connection, key)

    def open(self, key: str, expected: int) -> BatchState:
        """Shows the batch to people. One that is open or closed already stays so. Raises Refused 409 if it does not have so many tasks."""
        with self._database.writing() as connection:
            batch = locked(connection, key)
            if batch.state == "draft":
                held = self._state(connection, key).tasks
                if held != expected:
                    raise Refused(
                        409, f"batch {key!r} has {held} tasks and not {expected}: bring the others before you open it"
                    )
                connection.execute(batches.update().where(batches.c.key == key).values(state="open"))
            return self._state(connection, key)

    def state(self, key: str) -> BatchState:
        """How the batch stands. One whose time is over, or that has every answer, is closed by this look."""
        with self._database.writing() as connection:
            batch = locked(connection, key)
            if batch.state == "open" and batch.ends <= self._clock():
                _close(connection, key, EXPIRED)
            elif batch.state == "open" and not connection.scalar(sa.select(_missing(batch))):
                _close(connection, key, COMPLETED)
            return self._state(connection, key)

    def close(self, key: str) -> BatchState:
        """Ends the batch. One that is closed stays so."""
        with self._database.writing() as connection:
            if locked(connection, key).state != "closed":
                _close(connection, key, MANUAL)
            return self._state(connection, key)

    def reopen(self, key: str, hours: float) -> BatchState:
        """Takes answers again, for so many hours from now. Raises Refused 409 if people have never seen the batch."""
        with self._database.writing() as connection:
            if locked(connection, key).state == "draft":
                raise Refused(409, f"batch {key!r} was never opened: run create_annotation_pool of its day again")
            anew = {"state": "open", "close_reason": None, "ends": self._clock() + hours * 3600}
            connection.execute(batches.update().where(batches.c.key == key).values(anew))
            return self._state(connection, key)

    def remove(self, key: str) -> None:
        """Forgets the batch, its tasks, pages and answers. Raises Refused 409 if it is open."""
        with self._database.writing() as connection:
            if locked(connection, key).state == "open":
                raise Refused(409, f"batch {key!r} is open: close it first, and let Driftwatch fetch its answers")
            of_batch = sa.select(pages.c.id).where(pages.c.batch == key)
            connection.execute(page_tasks.delete().where(page_tasks.c.page.in_(of_batch)))
            for table in (answers, pages, tasks):
                connection.execute(table.delete().where(table.c.batch == key))
            connection.execute(batches.delete().where(batches.c.key == key))

    def renew(self, key: str, links: Mapping[str, str]) -> BatchState:
        """Gives images other addresses. Raises Refused 404 for an image that is not in the batch."""
        with self._database.writing() as connection:
            locked(connection, key)
            strange = sorted(set(links) - set(self._known(connection, key, links)))
            if strange:
                raise Refused(404, f"batch {key!r} has no task {strange[0]!r}: nothing was changed")
            _renew(connection, key, links)
            return self._state(connection, key)

    def blank(self, key: str, names: Mapping[str, str]) -> Blanked:
        """Takes images out of the batch: each of `names` gets its other name, in its task, on pages and in answers, and a link that leads
        nowhere. Answers stay. An image that is not there changes nothing."""
        with self._database.writing() as connection:
            locked(connection, key)
            there = self._known(connection, key, names)
            of_batch = sa.select(pages.c.id).where(pages.c.batch == key)
            for image_id in there:
                row = {"image_id": names[image_id]}
                of_task = sa.and_(tasks.c.batch == key, tasks.c.image_id == image_id)
                connection.execute(tasks.update().where(of_task).values(**row, link=NOWHERE))
                of_answer = sa.and_(answers.c.batch == key, answers.c.image_id == image_id)
                connection.execute(answers.update().where(of_answer).values(row))
                on_page = sa.and_(page_tasks.c.page.in_(of_batch), page_tasks.c.image_id == image_id)
                connection.execute(page_tasks.update().where(on_page).values(row))
        return Blanked(tasks=len(there))

    def progress(self, key: str) -> BatchProgress:
        """How far the batch is, without control tasks in its counts, and with them in its hours."""
        of_sample = sa.select(tasks.c.image_id).where(tasks.c.batch == key, tasks.c.known.is_(None))
        given = sa.select(sa.func.count(sa.distinct(answers.c.image_id)), sa.func.count()).where(
            answers.c.batch == key, answers.c.state.in_(_GIVEN), answers.c.image_id.in_(of_sample)
        )
        with self._database.reading() as connection:
            self._state(connection, key)
            images, count = connection.execute(given).one()
            seconds = connection.scalar(sa.select(sa.func.sum(answers.c.seconds)).where(answers.c.batch == key)) or 0.0
        return BatchProgress(answered_images=images, answers=count, hours=seconds / 3600)

    def answers(self, key: str, after: int, limit: int) -> GivenAnswers:
        """Up to `limit` answers, the last one of each person for each image, from the one after `after` on."""
        whole = (
            sa.select(answers.c.page, sa.func.sum(answers.c.seconds).label("seconds"))
            .where(answers.c.batch == key)
            .group_by(answers.c.page)
            .subquery()
        )
        wanted = (
            sa.select(answers, tasks.c.known, whole.c.seconds.label("page_seconds"))
            .join(tasks, sa.and_(tasks.c.batch == answers.c.batch, tasks.c.image_id == answers.c.image_id))
            .join(whole, whole.c.page == answers.c.page)
            .where(answers.c.batch == key, answers.c.state.in_(_GIVEN), answers.c.id > after)
            .order_by(answers.c.id)
            .limit(limit + 1)
        )
        with self._database.reading() as connection:
            self._state(connection, key)
            rows = connection.execute(wanted).all()
        more = rows[limit - 1].id if len(rows) > limit else None
        return GivenAnswers(answers=tuple(_given(row) for row in rows[:limit]), after=more)

    def all(self) -> list[BatchState]:
        """Every batch, the one that ends last first."""
        with self._database.reading() as connection:
            found = connection.scalars(sa.select(batches.c.key).order_by(batches.c.ends.desc())).all()
            return [self._state(connection, key) for key in found]

    def _known(self, connection: sa.Connection, key: str, image_ids: Mapping[str, object]) -> dict[str, str | None]:
        wanted = sa.select(tasks.c.image_id, tasks.c.known).where(tasks.c.batch == key, tasks.c.image_id.in_(image_ids))
        return {row.image_id: row.known for row in connection.execute(wanted)}

    def _state(self, connection: sa.Connection, key: str) -> BatchState:
        found = connection.execute(sa.select(batches).where(batches.c.key == key)).one_or_none()
        if found is None:
            raise Refused(404, f"there is no batch {key!r}")
        count = connection.scalar(sa.select(sa.func.count()).where(tasks.c.batch == key))
        state: State = found.state
        return BatchState(
            key=key, state=state, ends=_time(found.ends), tasks=count or 0, close_reason=found.close_reason
        )


def _missing(batch: sa.Row) -> sa.Exists:
    """Whether an image of the sample has too few answers."""
    return sa.exists().where(tasks.c.batch == batch.key, tasks.c.known.is_(None), tasks.c.answered < batch.overlap)


def _close(connection: sa.Connection, key: str, reason: str) -> None:
    connection.execute(batches.update().where(batches.c.key == key).values(state="closed", close_reason=reason))


def _renew(connection: sa.Connection, key: str, links: Mapping[str, str]) -> None:
    if links:
        renewed = tasks.update().where(tasks.c.batch == key, tasks.c.image_id == sa.bindparam("of"))
        rows = [{"of": image_id, "new": link} for image_id, link in links.items()]
        connection.execute(renewed.values(link=sa.bindparam("new")), rows)


def _given(row: sa.Row) -> GivenAnswer:
    return GivenAnswer(
        page=row.page,
        person=row.person,
        image_id=row.image_id,
        answer=row.answer,
        known=row.known,
        counted=row.state == COUNTS,
        given=_time(row.given),
        page_seconds=round(row.page_seconds, 3),
    )


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)
