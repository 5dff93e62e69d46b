"""The servers by which the demo's people label."""

from __future__ import annotations

from driftwatch_sandbox.demo.label_servers import new_tokens
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
