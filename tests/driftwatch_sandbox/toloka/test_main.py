"""The stand-in as the process that a demo starts: ready line, clean stop, a database that outlives it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter

import httpx
import pytest

from ..conftest import TOKEN, Market

ENVIRONMENT = {**os.environ, "DRIFTWATCH_TOLOKA_TOKEN": TOKEN}


@pytest.fixture
def start(tmp_path):
    """Starts `python -m driftwatch_sandbox.toloka` over one database; kills what is left."""
    processes = []

    def run(*options: str) -> tuple[subprocess.Popen, Market]:
        command = [sys.executable, "-m", "driftwatch_sandbox.toloka", "--database", str(tmp_path / "toloka.db")]
        process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
        processes.append(process)
        line = process.stdout.readline()
        assert line.startswith("listening on http://127.0.0.1:"), line
        return process, Market(line.removeprefix("listening on ").strip())

    yield run
    for process in processes:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_when_it_is_ready_and_stops_cleanly(start, number):
    process, market = start("--no-crowd")
    assert httpx.get(f"{market.url}/healthz").json() == {"status": "ok"}
    process.send_signal(number)
    assert process.wait(10) == 0


def test_a_killed_server_goes_on_where_it_was(start):
    # Slow enough that pages are being worked on when the server is killed; images need no server here.
    options = ("--no-resolve-images", "--seed", "3", "--balance", "20")
    process, market = start("--crowd-speed", "15", *options)
    pool = market.pool(real=4, overlap=3)
    market.upload(pool.id, [f"http://127.0.0.1:9/{number}.jpg" for number in range(24)])
    market.open(pool.id)
    while not market.pool_state(pool.id)["assignments"].get("ACTIVE"):
        time.sleep(0.02)
    late = market.kit.create_tasks_async(
        [type(next(iter(market.kit.get_tasks(pool_id=pool.id))))(pool_id=pool.id, input_values=VALUES)],
        allow_defaults=True,
    )
    process.kill()
    process.wait()

    _, market = start("--crowd-speed", "300", *options)
    assert market.finished(market.kit.get_operation(late.id)).status.value == "SUCCESS"
    assert market.closed(pool.id).last_close_reason.value == "COMPLETED"
    pages = list(market.kit.get_assignments(pool_id=pool.id))
    answers = Counter(task.id for page in pages if page.status.value == "ACCEPTED" for task in page.tasks)
    assert Counter(answers.values()) == {3: 25}
    assert market.state()["account"]["reserved"] == 0
    accepted = sum(page.status.value == "ACCEPTED" for page in pages)
    assert market.state()["account"]["spent"] == pytest.approx(0.06 * accepted)


VALUES = {"image": "http://127.0.0.1:9/late.jpg", "image_id": "late"}


def test_wrong_options_are_named(tmp_path):
    command = [sys.executable, "-m", "driftwatch_sandbox.toloka", "--database", str(tmp_path / "x.db")]
    for options, environment, said in (
        (["--crowd-speed", "0"], ENVIRONMENT, "--crowd-speed"),
        ([], os.environ, "DRIFTWATCH_TOLOKA_TOKEN is empty"),
    ):
        ended = subprocess.run(
            [*command, *options], capture_output=True, text=True, timeout=20, check=False, env=environment
        )
        assert ended.returncode != 0
        assert said in ended.stderr
