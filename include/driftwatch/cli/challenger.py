"""`driftwatch challenger`: the model that a team trained on a set that was handed over."""

from __future__ import annotations

import argparse
import json
from typing import Any

from driftwatch.artifacts.nested_keys import CHALLENGER_RUN_PREFIX
from driftwatch.cli.mlflow import tell_mlflow
from driftwatch.cli.monitor import monitor_argument, monitor_of
from driftwatch.cli.quiet import quiet_tensorflow
from driftwatch.view.expected import wrong_challenger_words
from driftwatch.view.shares import wide_share


def add(commands: Any, everywhere: argparse.ArgumentParser) -> None:
    challenger = commands.add_parser(
        "challenger", help="take back a model that was trained on a set that was handed over"
    )
    kinds = challenger.add_subparsers(required=True, metavar="register")
    register = kinds.add_parser(
        "register", parents=[everywhere], help="register the model; it is then compared, not promoted"
    )
    monitor_argument(register)
    register.add_argument(
        "file",
        help="the model, as `champion import` takes it, such as models:/NAME/VERSION, or its address in the monitor's storage",
    )
    register.add_argument(
        "--run", dest="run_key", required=True, metavar="RUN_KEY", help="the retraining whose set it was trained on"
    )
    register.add_argument(
        "--by", default="driftwatch challenger register", metavar="NAME", help="who made it, for its card"
    )
    register.set_defaults(run=_register)


def _register(options: argparse.Namespace) -> None:
    monitor = monitor_of(options)
    with quiet_tensorflow(options.debug):
        from driftwatch.models.mlflow.importing import model_at
        from driftwatch.models.own_model import examine_version
        from driftwatch.models.registry import card, champion_version
        from driftwatch.models.returned import register_challenger

        with model_at(monitor, options.file) as file:
            version = register_challenger(monitor, file, options.run_key, options.by)
        wrong = wrong_challenger_words(examine_version(monitor, version), version)
    accuracy = wide_share(card(monitor, version).metrics.holdout.accuracy)
    conf = json.dumps({"challenger": version})
    print(f"Challenger {version}: accuracy {accuracy} on held-out images; the champion is {champion_version(monitor)}")
    if wrong:
        print(f"Warning: {wrong}")
    dag, run_id = monitor.config.retraining_dag_id, f"{CHALLENGER_RUN_PREFIX}{version}"
    print(f"Compare them: airflow dags trigger {dag} --run-id {run_id} --conf '{conf}'")
    tell_mlflow(monitor)
