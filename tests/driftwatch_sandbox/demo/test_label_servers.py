"""The servers by which the demo's people label."""

from __future__ import annotations

from driftwatch_sandbox.demo.label_servers import new_tokens, world_of
from driftwatch_servers.desk.database import Database
from driftwatch_servers.desk.people import Keys
from driftwatch_servers.desk.tables import PERSON


def test_a_demo_that_was_killed_while_it_made_tokens_makes_them_again(tmp_path) -> None:
    database = f"sqlite:///{tmp_path}/desk.db"
    keys = Keys(Database(database), PERSON)
    keys.add("person 1", 30)
    keys.add("person 2", 30)
    keys.revoke("person 2")
    tokens = new_tokens(database, 3)
    assert [keys.owner(token) for token in tokens.values()] == ["person 1", "person 2", "person 3"]
    assert list(tokens) == ["person 1", "person 2", "person 3"]


def test_the_ui_on_a_week_at_the_desk_has_its_desk_and_on_any_other_none(tmp_path) -> None:
    (tmp_path / "desk").mkdir()
    (tmp_path / "desk" / "people.json").write_text("{}")
    desk, other = world_of(tmp_path / "desk"), world_of(tmp_path / "other")
    assert desk.url("labels") in desk.env["AIRFLOW_CONN_DRIFTWATCH_DESK_DEFAULT"]
    assert "labels" in desk.ports
    assert "AIRFLOW_CONN_DRIFTWATCH_DESK_DEFAULT" not in other.env
