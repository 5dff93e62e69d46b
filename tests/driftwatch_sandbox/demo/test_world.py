"""The demo's outside world: its ports, and what stays out of it."""

from __future__ import annotations

import os
import socket
import stat
import subprocess

import pytest

from driftwatch_sandbox.demo.command_line import write_environment
from driftwatch_sandbox.demo.processes import ServerFailed
from driftwatch_sandbox.demo.world import World


def test_the_ports_stay_the_same_and_one_that_is_taken_is_named(tmp_path) -> None:
    world = World(tmp_path)
    again = World(tmp_path)
    assert again.ports == world.ports
    assert len(set(world.ports.values())) == 4
    again.refuse_taken_ports()
    with socket.create_server(("127.0.0.1", world.ports["toloka"])), pytest.raises(ServerFailed, match=r"for toloka"):
        again.refuse_taken_ports()


def test_nothing_of_the_persons_own_connections_reaches_a_simulation(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_AWS_PROD", "aws://")
    monkeypatch.setenv("AIRFLOW_CONN_TOLOKA_DEFAULT", "toloka://paid")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    world = World(tmp_path)
    assert "AIRFLOW_CONN_AWS_PROD" not in world.env
    assert "AWS_SECRET_ACCESS_KEY" not in world.env
    assert world.url("toloka") in world.env["AIRFLOW_CONN_TOLOKA_DEFAULT"]


def test_a_shell_that_reads_the_file_has_airflows_environment_and_nobody_else_reads_it(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("AIRFLOW_HOME", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    world = World(tmp_path / "it's here")
    world.home.mkdir(exist_ok=True)

    file = write_environment(world)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "export NO_PROXY=127.0.0.1,localhost\n" in file.read_text()  # the other shell may lack what this one has
    shell = [
        "bash",
        "-c",
        '. "$0"; printf "%s\\0" "$AIRFLOW_HOME" "$DRIFTWATCH_MONITORS" "$AIRFLOW_CONN_TOLOKA_DEFAULT"',
        file,
    ]
    seen = subprocess.run(shell, capture_output=True, text=True, check=True, env=dict(os.environ)).stdout.split("\0")
    assert seen[:3] == [
        world.env[name] for name in ("AIRFLOW_HOME", "DRIFTWATCH_MONITORS", "AIRFLOW_CONN_TOLOKA_DEFAULT")
    ]
