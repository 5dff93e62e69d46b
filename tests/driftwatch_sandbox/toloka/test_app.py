"""toloka-kit's own recorded requests, sent to the stand-in over HTTP: its answers have the recorded shape.

`toloka_kit_calls.json` says where they come from and what was changed. `{names}` in them are filled in from a small world of
a project, a training, a pool with answers, a skill and a restriction, made by the same requests. The distribution has no recordings
of creating tasks (toloka/test_tasks.py goes through the client there); its recordings of task suites, bonuses, messages and webhooks are
left out, as the stand-in has none of these.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import httpx
import pytest
import toloka.client as toloka

from driftwatch_sandbox.toloka.app import Settings, create_app
from driftwatch_servers.serving import running

from ..conftest import TOKEN

CALLS = json.loads(Path(__file__).with_name("toloka_kit_calls.json").read_text(encoding="utf-8"))["calls"]
BY_NAME = {call["name"]: call for call in CALLS}
# What a client sends back of an object that it has read, and a server must ignore.
READ_ONLY = {"id", "owner", "created", "status", "last_started", "last_stopped", "last_close_reason", "uuid"}
# Values that must be the recorded ones, not only of their type.
EXACT = {"type", "status", "success", "code"}
# Declined attempts and copied tasks, which the stand-in's workers and pools do not have.
NEVER = {"first_declined_solution_attempt", "origin_task_id"}
# What is inside is the requester's own: that it comes back as it was sent has a test of its own.
OWN = {"input_spec", "output_spec", "view_spec", "input_values", "output_values"}
KINDS = {
    "projects": toloka.Project,
    "pools": toloka.Pool,
    "trainings": toloka.Training,
    "skills": toloka.Skill,
    "user-skills": toloka.UserSkill,
    "user-restrictions": toloka.user_restriction.UserRestriction,
    "assignments": toloka.Assignment,
    "operations": toloka.operations.Operation,
}


class World:
    """What the placeholders stand for, and the HTTP client that sends the calls."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, headers={"Authorization": f"OAuth {TOKEN}"}, timeout=10)
        tomorrow = datetime.now(timezone.utc) + timedelta(days=1)
        self.names = {"future": tomorrow.strftime("%Y-%m-%dT%H:%M:%S"), "user": "user-i1d"}

    def filled(self, value: Any) -> Any:
        return json.loads(re.sub(r"\{([a-z_]+)\}", lambda match: self.names.get(match[1], match[0]), json.dumps(value)))

    def send(self, call: dict[str, Any], **names: str) -> httpx.Response:
        self.names |= names
        method, path = self.filled(call["send"]).split(" ")
        body = {} if call["body"] is None else {"json": self.filled(call["body"])}
        response = self.http.request(method, f"/api{path}", params=self.filled(call["query"]), **body)
        if response.status_code == 202:
            self.names["operation"] = response.json()["id"]
        return response

    def make(self, name: str, **changes: Any) -> str:
        """Sends the recorded call of that name, with changes to its body; gives the new object's id."""
        call = BY_NAME[name]
        return self.send({**call, "body": {**call["body"], **changes}}).raise_for_status().json()["id"]

    def done(self) -> dict[str, Any]:
        """The last operation, once it has ended."""
        end = time.monotonic() + 10
        while (operation := self.http.get(f"/api/v1/operations/{self.names['operation']}").json())[
            "status"
        ] == "RUNNING":
            assert time.monotonic() < end, operation
            time.sleep(0.02)
        return operation

    def upload(self, items: list[dict[str, Any]]) -> str:
        call = {"send": "POST /v1/tasks", "query": {"async_mode": "true", "skip_invalid_items": "true"}, "body": items}
        return self.send(call).raise_for_status().json()["id"]

    def change(self, path: str) -> None:
        self.send({"send": f"POST {path}", "query": {}, "body": None}).raise_for_status()
        assert self.done()["status"] == "SUCCESS"

    def answered(self, pool_id: str) -> tuple[list[str], str]:
        """The pool with the recorded tasks of which one is answered, closed again: the task ids, and the page's id."""
        recorded = self.filled(BY_NAME["get_operation_log"]["answer"])
        self.names["upload"] = self.upload([entry["input"] | {"pool_id": pool_id} for entry in recorded])
        self.done()
        tasks = self.http.get(f"/api/v1/tasks?pool_id={pool_id}&sort=id").json()["items"]
        self.change(f"/v1/pools/{pool_id}/open")
        page = {"pool_id": pool_id, "user_id": "user-i1d", "answers": {tasks[0]["id"]: {"answer": "true"}}}
        assignment = self.http.post("/_sandbox/answers", json=page).raise_for_status().json()["id"]
        self.change(f"/v1/pools/{pool_id}/close")
        return [task["id"] for task in tasks], assignment

    def build(self) -> None:
        names = self.names
        names["project"] = self.make("create_project")
        names["spare_training"] = self.make("create_training")
        names["training"] = self.make("create_training")
        known = [{"output_values": {"answer": "true"}}]
        values = {"image": "https://image/1.jpg"}
        self.upload([{"pool_id": names["training"], "input_values": values, "known_solutions": known}])
        self.done()
        self.change("/v1/trainings/{training}/open")
        self.change("/v1/trainings/{training}/close")
        waiting = self.make("create_pool_without_training", auto_accept_solutions=False)
        _, names["submitted_assignment"] = self.answered(waiting)
        names["pool"] = self.make("create_pool_without_training")
        tasks, names["assignment"] = self.answered(names["pool"])
        names["first_task"], names["last_task"] = tasks[0], tasks[-1]
        names["skill"] = self.make("create_skill")
        names["user_skill"] = self.make("set_user_skill")
        names["restriction"] = self.make("set_user_restriction", scope="PROJECT", project_id=names["project"])


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[httpx.Response, dict[str, Any]]]]:
    """Each call's answer, and the call with its placeholders filled in; all are sent in the order of the file."""
    database = tmp_path_factory.mktemp("recordings") / "toloka.db"
    with running(create_app(Settings(database, TOKEN, crowd=False, operation_seconds=0.05))) as url:
        world = World(url)
        world.build()
        found = {}
        for call in CALLS:
            if call["send"].startswith(
                ("GET /v1/operations/{operation}", "GET /v1/aggregated", "POST /v1/trainings/{")
            ):
                world.done()
            found[call["name"]] = (world.send(call), world.filled(call))
        yield found


def differences(recorded: Any, given: Any, path: str = "") -> list[str]:
    """Where an answer lacks a recorded key, or has a value of another type; other keys may be there."""
    name = path.rsplit(".", 1)[-1]
    if isinstance(recorded, dict):
        if not isinstance(given, dict):
            return [f"{path}: {given!r} is no object"]
        if name in OWN:
            return []
        found = [f"{path}.{key} is missing" for key in recorded.keys() - given.keys() - NEVER]
        return found + [
            part
            for key in recorded.keys() & given.keys()
            for part in differences(recorded[key], given[key], f"{path}.{key}")
        ]
    if isinstance(recorded, list):
        if not isinstance(given, list) or (recorded and not given and name != "bonus_ids"):
            return [f"{path}: {given!r} should be a list with items"]
        return [
            part
            for index, (left, right) in enumerate(zip(recorded, given, strict=False))
            for part in differences(left, right, f"{path}.{index}")
        ]
    if recorded is None:
        return []
    if isinstance(recorded, bool) or not isinstance(recorded, int | float):
        same = type(given) is type(recorded)
    else:
        same = isinstance(given, int | float) and not isinstance(given, bool)
    if same and is_date(recorded):
        same = is_date(given)
    elif same and name in EXACT:
        same = given == recorded or {given, recorded} == {"PENDING", "RUNNING"}  # only a matter of moments
    return [] if same else [f"{path}: {given!r} instead of {recorded!r}"]


def is_date(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?", value))


def not_echoed(sent: Any, given: Any, path: str = "") -> list[str]:
    """What a created or updated object does not give back as it was sent."""
    if isinstance(sent, dict) and isinstance(given, dict):
        return [
            part for key in sent.keys() - READ_ONLY for part in not_echoed(sent[key], given.get(key), f"{path}.{key}")
        ]
    if isinstance(sent, list) and isinstance(given, list) and len(sent) == len(given):
        return [
            part
            for index, both in enumerate(zip(sent, given, strict=True))
            for part in not_echoed(*both, f"{path}.{index}")
        ]
    if is_date(sent) and is_date(given):
        return [] if datetime.fromisoformat(sent) == datetime.fromisoformat(given) else [f"{path}: {given}"]
    return [] if sent == given else [f"{path}: {given!r} instead of {sent!r}"]


@pytest.mark.parametrize("name", BY_NAME)
def test_answer_has_the_recorded_status_and_shape(answers, name: str) -> None:
    response, call = answers[name]
    assert response.status_code == call["status"], response.text
    if call["answer"] is None:
        assert response.content == b""
    else:
        assert differences(call["answer"], response.json()) == []


OBJECTS = [
    name for name, call in BY_NAME.items() if call["send"].startswith(("POST", "PUT")) and call["status"] in (200, 201)
]


@pytest.mark.parametrize("name", [name for name in OBJECTS if not name.startswith("aggregate")])
def test_a_written_object_comes_back_as_it_was_sent(answers, name: str) -> None:
    response, call = answers[name]
    sent = dict(call["body"])
    if name == "set_user_skill":
        sent["exact_value"], sent["value"] = sent["value"], round(sent["value"])
    assert not_echoed(sent, response.json()) == []


@pytest.mark.parametrize("name", [name for name, call in BY_NAME.items() if isinstance(call["answer"], dict)])
def test_the_client_knows_every_field_of_the_answer(answers, name: str) -> None:
    """But for a project's owner, which Toloka sends and the client has no field for."""
    response, call = answers[name]
    collection = call["send"].split(" ")[1].removeprefix("/v1/").split("/")[0]
    kind = KINDS["operations"] if response.status_code == 202 else KINDS.get(collection)
    if kind is None or response.status_code >= 400:
        return
    content = response.json()
    for item, recorded in zip(
        content.get("items", [content]), call["answer"].get("items", [call["answer"]]), strict=False
    ):
        assert set(toloka.structure(item, kind)._unexpected) <= recorded.keys() | {"owner"}
