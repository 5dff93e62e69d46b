"""`driftwatch deploy`: puts the DAG files and the preload where an Airflow finds them. The package itself is installed by pip."""

from __future__ import annotations

import argparse
from importlib.metadata import version
from pathlib import Path
from typing import Any

from driftwatch.errors import NeedsAttention


def add(commands: Any, everywhere: argparse.ArgumentParser) -> None:
    deploy = commands.add_parser(
        "deploy", parents=[everywhere], help="put the DAG files and the preload into an Airflow's folder"
    )
    deploy.add_argument(
        "--to", type=Path, metavar="AIRFLOW_HOME", required=True, help="the folder that Airflow calls AIRFLOW_HOME"
    )
    deploy.add_argument("--dags", type=Path, help="Airflow's folder of DAGs, where it is not AIRFLOW_HOME/dags")
    deploy.add_argument("--no-preload", action="store_true", help="leave airflow_local_settings.py alone")
    deploy.add_argument("--force", action="store_true", help="also replace DAG files that somebody has changed")
    deploy.add_argument("--dry-run", action="store_true", help="say what would be written, and write nothing")
    deploy.set_defaults(run=_deploy)


def _deploy(options: argparse.Namespace) -> None:
    from driftwatch.deployment import carry_out, changes

    home = options.to.expanduser()
    folder = (options.dags.expanduser() if options.dags else home / "dags") / "driftwatch"
    if not home.is_dir():
        raise NeedsAttention(f"--to {home}: there is no such folder. Give the folder that Airflow calls AIRFLOW_HOME")
    planned = changes(home, folder, not options.no_preload, options.force)
    for change in planned:
        print(f"{'would write' if options.dry_run else 'wrote'} {change.path} ({change.said})" if change.content is not None
              else f"{'would remove' if options.dry_run else 'removed'} {change.path}")  # fmt: skip
        if not options.dry_run:
            carry_out(change)
    if not planned:
        print(f"{folder} has the DAG files of {version('driftwatch')} already.")
    elif not options.dry_run:
        print(
            "Next: set DRIFTWATCH_MONITORS to the folder of your monitor files for each part of Airflow, and restart its parts."
        )
