"""The demo's servers are stopped with all that they started, and one that fails is named with the end of its log."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from driftwatch_sandbox.demo.processes import Processes, ServerFailed


def alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def wait_for(path: Path) -> str:
    end = time.monotonic() + 10
    while not path.exists() or not path.read_text():
        assert time.monotonic() < end
        time.sleep(0.05)
    return path.read_text()


def test_stopping_ends_a_server_its_children_and_one_that_ignores_the_request(tmp_path):
    processes = Processes(tmp_path / "logs")
    script = "trap '' TERM; sleep 60 & echo $! > {0}.new; mv {0}.new {0}; while true; do sleep 1; done"
    server = processes.start("stubborn", ["bash", "-c", script.format(tmp_path / "child")], os.environ)
    child = int(wait_for(tmp_path / "child"))
    assert alive(server.pid)
    assert alive(child)
    processes.stop(seconds=0.5)
    assert not alive(server.pid)
    end = time.monotonic() + 10  # nobody waits for the child, which a busy machine ends a moment after its kill
    while alive(child):
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_server_that_ends_is_named_with_its_last_words(tmp_path):
    processes = Processes(tmp_path / "logs")
    processes.start("toloka", [sys.executable, "-c", "raise SystemExit('the port is taken')"], os.environ)
    with pytest.raises(ServerFailed, match=r"(?s)toloka ended with code 1:.*the port is taken"):
        processes.wait_for_http("toloka", "http://127.0.0.1:9/healthz", lambda response: True, seconds=20)
    processes.stop()


def test_a_command_that_fails_raises_and_one_that_succeeds_does_not(tmp_path):
    processes = Processes(tmp_path / "logs")
    processes.run("fine", [sys.executable, "-c", "print('done')"], os.environ)
    assert processes.log_end("fine").startswith("done")
    with pytest.raises(ServerFailed, match="code 3"):
        processes.run("broken", [sys.executable, "-c", "raise SystemExit(3)"], os.environ)
