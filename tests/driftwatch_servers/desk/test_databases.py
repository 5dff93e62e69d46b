"""What the desk does alike on SQLite and on Postgres."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from driftwatch_servers.desk.database import Database
from driftwatch_servers.desk.tables import batches, schema, tasks

from .desks import KEY, Clock, Desk, running_desk


def counts(database: str) -> list[tuple[int, int]]:
    """Of each image of the sample: its answers and its places, as they are counted."""
    opened = Database(database)
    with opened.reading() as connection:
        wanted = sa.select(tasks.c.answered, tasks.c.places).where(tasks.c.known.is_(None))
        found = [(row.answered, row.places) for row in connection.execute(wanted)]
    opened.close()
    return found


class TestOnEachDatabase:
    def test_five_people_at_once_give_each_image_as_many_answers_as_are_wanted_and_nobody_meets_one_twice(
        self, database
    ):
        with running_desk(database) as desk:
            desk.opened(images=20, control=8, overlap=3, page_seconds=86_400)
            people = [desk.person(name) for name in ("ana", "ben", "cleo", "dan", "eve")]
            with ThreadPoolExecutor(5) as pool:
                done = list(pool.map(lambda person: person.work(), people))
            assert all(len(set(mine)) == len(mine) for mine in done)
            votes = Counter(row["image_id"] for row in desk.given() if row["known"] is None)
            assert (len(votes), set(votes.values())) == (20, {3})
            assert desk.state()["close_reason"] == "COMPLETED"
        assert counts(database) == [(3, 3)] * 20

    def test_a_restart_keeps_people_sessions_pages_and_answers(self, database):
        clock = Clock()
        with running_desk(database, clock) as desk:
            desk.opened()
            ana = desk.person("ana")
            page = ana.take()
            ana.give(page, page["tasks"][0]["id"], "dog").raise_for_status()
        with running_desk(database, clock) as desk:
            ana.http.base_url = desk.url
            again = ana.take()
            assert (again["id"], again["answers"]) == (page["id"], {page["tasks"][0]["id"]: {"result": "dog"}})
            assert [row["answer"] for row in desk.given()] == ["dog"]
            assert desk.state()["tasks"] == 12

    def test_a_page_whose_time_is_over_goes_to_others_and_its_answers_count(self, database):
        with running_desk(database) as desk:
            desk.opened(images=4, control=0, control_per_page=0, overlap=1)
            ana, ben = desk.person("ana"), desk.person("ben")
            page = ana.take()
            ana.give(page, page["tasks"][0]["id"]).raise_for_status()
            assert ben.take() is None
            desk.clock.now += 700
            late = ana.give(page, page["tasks"][1]["id"])
            assert (late.status_code, "its time has passed" in late.json()["message"]) == (409, True)
            assert len(ben.work()) == 3
            assert desk.state()["close_reason"] == "COMPLETED"
        assert counts(database) == [(1, 1)] * 4

    def test_undo_and_skip_free_what_they_took(self, database):
        with running_desk(database) as desk:
            desk.opened(images=4, control=1, overlap=1)
            ana, ben = desk.person("ana"), desk.person("ben")
            page = ana.take()
            ana.fill(page, "dog")
            back = ana.undo()
            assert back["task_id"] == page["tasks"][-1]["id"]
            assert len(back["page"]["answers"]) == 4
            ana.skip(page)
            assert desk.given() == []
            assert len(ben.work()) == 5
            assert ana.http.get(f"/pools/{KEY}/work").json()["answered"] == 0
        assert counts(database) == [(1, 1)] * 4

    def test_a_database_that_a_newer_driftwatch_made_is_refused(self, database):
        opened = Database(database)
        with opened.writing() as connection:
            connection.execute(schema.update().values(version=2))
        opened.close()
        with pytest.raises(ValueError, match="a newer Driftwatch made them"):
            Database(database)

    def test_what_fails_in_the_middle_leaves_nothing(self, database):
        opened = Database(database)
        row = {"key": "k", "project": "p", "body": "", "overlap": 1, "ends": 0.0, "state": "draft"}

        def write_and_fail() -> None:
            with opened.writing() as connection:
                connection.execute(batches.insert().values(row))
                raise RuntimeError

        with pytest.raises(RuntimeError):
            write_and_fail()
        with opened.reading() as connection:
            assert connection.execute(sa.select(batches)).all() == []
        opened.close()


def test_a_database_that_is_not_there_is_told_without_its_password():
    with pytest.raises(ValueError, match="cannot be opened") as refused:
        Database("postgresql+psycopg2://desk:the-password@127.0.0.1:9/desk")
    assert "the-password" not in str(refused.value)
    for wrong in ("desk.db", "mysql://x/y", "sqlite://"):
        with pytest.raises(ValueError, match=r"sqlite:///desk\.db"):
            Database(wrong)


def test_an_sqlite_file_is_for_its_owner_alone(desk: Desk, tmp_path):
    assert (tmp_path / "desk.db").stat().st_mode & 0o077 == 0
