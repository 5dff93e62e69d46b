"""Airflow's command line on what a run left: the file that a shell sources, so that `airflow …` of the documentation means that Airflow."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from driftwatch_sandbox.demo.world import World
from driftwatch_servers.private_files import write_private


def write_environment(world: World) -> Path:
    """Writes what differs from this process's environment, passwords among it, and returns the file. It is for its owner alone."""
    file = world.home / "airflow.env"
    mine = {name: value for name, value in world.env.items() if os.environ.get(name) != value}
    write_private(file, "".join(f"export {name}={shlex.quote(value)}\n" for name, value in mine.items()))
    return file
