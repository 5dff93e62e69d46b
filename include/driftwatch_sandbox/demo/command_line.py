"""Airflow's command line on what a run left: the file that a shell sources, so that `airflow …` of the documentation means that Airflow."""

from __future__ import annotations

import shlex
from pathlib import Path

from driftwatch_sandbox.demo.world import World
from driftwatch_servers.private_files import write_private


def write_environment(world: World) -> Path:
    """Writes all that the world sets, passwords among it, and returns the file. It is for its owner alone."""
    file = world.home / "airflow.env"
    write_private(file, "".join(f"export {name}={shlex.quote(value)}\n" for name, value in world.own_env.items()))
    return file
