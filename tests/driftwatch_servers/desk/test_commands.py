"""The desk's command line: what it shows once, what it never shows, and what it says when something is wrong."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from driftwatch_servers.desk.commands import main

from .desks import KEY, Desk, Person


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    def say(*arguments: str) -> str:
        main(["--database", f"sqlite:///{tmp_path}/desk.db", *arguments])
        return capsys.readouterr().out

    return say


def test_a_token_is_shown_once_lets_in_and_is_worth_nothing_after_it_is_revoked(run, desk: Desk):
    said = run("person", "add", "ana", "--days", "7")
    token = re.search(r"\n {4}(\S{32})\n", said)[1]
    assert "shown this once" in said
    ana = Person(desk, token)
    listed = run("person", "list")
    assert re.search(r"ana +valid until \d{4}-\d\d-\d\d \d\d:\d\d UTC", listed)
    assert token not in listed
    assert "worth nothing any more" in run("person", "revoke", "ana")
    assert "revoked" in run("person", "list")
    assert ana.http.get("/pools").status_code == 401


def test_the_api_has_tokens_of_its_own(run, desk: Desk):
    token = re.search(r"\n {4}(\S{32})\n", run("token", "add", "airflow"))[1]
    headers = {"Authorization": f"Bearer {token}"}
    assert httpx.get(f"{desk.url}/api/v1/account", headers=headers).json()["name"] == "airflow"
    assert httpx.post(f"{desk.url}/login", json={"token": token}).status_code == 401
    run("token", "revoke", "airflow")
    assert httpx.get(f"{desk.url}/api/v1/account", headers=headers).status_code == 401


def test_a_batch_that_has_ended_is_opened_again_by_hand(run, desk: Desk):
    desk.opened()
    assert re.search(rf"{KEY} +open +12 tasks, ends ", run("batch", "list"))
    assert "closed (MANUAL)" in run("batch", "close", KEY)
    assert " open " in run("batch", "reopen", KEY, "--hours", "3")
    assert desk.person("ana").take() is not None


def test_a_batch_that_is_closed_is_forgotten_with_its_answers(run, desk: Desk):
    desk.opened(images=2, control=1)
    desk.opened(images=2, control=1, key="other.2026-11-20")
    ana = desk.person("ana")
    for key in (KEY, "other.2026-11-20"):
        ana.work(key)
    with pytest.raises(SystemExit, match="close it first"):
        run("batch", "remove", KEY)
    run("batch", "close", KEY)
    assert "forgotten" in run("batch", "remove", KEY)
    assert KEY not in run("batch", "list")
    assert len(desk.given("other.2026-11-20")) == 3
    assert desk.api.get(f"/batches/{KEY}").status_code == 404


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("person", "revoke", "nobody"), "nobody with a valid token"),
        (("person", "add", ""), "printable"),
        (("batch", "reopen", "gone", "--hours", "1"), "there is no batch 'gone'"),
        (("serve", "--images", "/nowhere"), "DRIFTWATCH_IMAGE_SECRET is empty"),
    ],
)
def test_what_is_wrong_ends_with_a_sentence(run, arguments, said):
    with pytest.raises(SystemExit) as ended:
        run(*arguments)
    assert said in str(ended.value.code)


def test_without_a_database_it_says_how_to_name_one(monkeypatch):
    monkeypatch.delenv("DRIFTWATCH_DESK_DATABASE", raising=False)
    with pytest.raises(SystemExit) as ended:
        main(["person", "list"])
    assert "DRIFTWATCH_DESK_DATABASE" in str(ended.value.code)


def test_the_server_starts_as_a_process_shows_signed_images_and_ends_on_a_signal(tmp_path):
    from driftwatch.labels.links import sign

    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.jpg").write_bytes(b"\xff\xd8\xffpicture")
    secrets = {"DRIFTWATCH_IMAGE_SECRET": "s", "DRIFTWATCH_DESK_TOKEN": "t-of-airflow"}
    command = [sys.executable, "-m", "driftwatch_servers.desk", "--database", f"sqlite:///{tmp_path}/desk.db", "serve"]
    process = subprocess.Popen(
        [*command, "--images", str(tmp_path / "images")],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **secrets},
    )
    try:
        url = process.stdout.readline().removeprefix("listening on ").strip()
        assert httpx.get(f"{url}/healthz").json() == {"status": "ok"}
        link = f"{url}/images/a.jpg?expires=4000000000&signature={sign('a.jpg', 4000000000, 's')}"
        assert httpx.get(link).content == b"\xff\xd8\xffpicture"
        assert httpx.get(f"{link}0").status_code == 403
        account = httpx.get(f"{url}/api/v1/account", headers={"Authorization": "Bearer t-of-airflow"})
        assert account.json() == {"name": "airflow", "people": 0}
    finally:
        process.terminate()
        assert process.wait(20) == 0


def test_a_desk_of_ones_own_makes_the_connections_one_person_and_says_what_to_do(tmp_path, small_monitor, root):
    from driftwatch_servers.desk.app import create_app
    from driftwatch_servers.desk.local import LocalDesk
    from driftwatch_servers.serving import running

    monitor = small_monitor(f"file://{tmp_path}/storage", annotation={"backend": "desk"})
    (tmp_path / "storage").mkdir()
    desk = LocalDesk(monitor, tmp_path / "home", 8084)
    settings = desk.settings()
    assert desk.settings() == settings  # the next start has the same secrets
    shell = f"set -a; . {desk.connections}; env"
    kept = dict(line.split("=", 1) for line in subprocess.check_output(["sh", "-c", shell], text=True).splitlines())
    ours, images = (json.loads(kept[f"AIRFLOW_CONN_DRIFTWATCH_{name}"]) for name in ("DESK_DEFAULT", "IMAGES"))
    assert (ours["conn_type"], ours["host"], ours["password"]) == ("driftwatch_desk", desk.url, settings.token)
    assert (images["host"], images["password"]) == (f"{desk.url}/images", settings.image_secret)
    assert desk.connections.stat().st_mode & 0o077 == 0
    with running(create_app(settings)) as url:
        first, second = (re.search(r"Token of you: +(\S+)", desk.welcome())[1] for _ in range(2))
        assert [httpx.post(f"{url}/login", json={"token": token}).status_code for token in (first, second)] == [
            401,
            200,
        ]
    toloka = small_monitor(f"file://{tmp_path}/storage")
    with pytest.raises(ValueError, match="backend: desk"):
        LocalDesk(toloka, tmp_path / "other", 8084).settings()
