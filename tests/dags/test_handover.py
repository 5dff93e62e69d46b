"""A set that is handed over, the team's own DAG, and the model that comes back, through the real DAGs as `dag.test()` runs them."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from tests.driftwatch.models.conftest import CLASSES, World, make_config, open_world, striped
from tests.stores import monitor_store

from driftwatch.models import registry

CLEAN, BROKEN = date(2026, 1, 3), date(2026, 1, 4)
# The real retraining DAG of the monitor `stripes`, and that of a team.
DAGS = """
import runpy
from airflow.sdk import DAG
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from driftwatch_airflow.operators.handover import RegisterChallengerOperator

stripes_retraining = runpy.run_path("{folder}/model_retraining.py")["stripes_retraining"]
stripes_retraining.fileloc = __file__
with DAG("ours", schedule=None) as ours:
    register = RegisterChallengerOperator(
        task_id="register", monitor="stripes", file="{{{{ dag_run.conf['place'] }}}}/model.onnx", retries=0
    )
    compare = TriggerDagRunOperator(
        task_id="compare", trigger_dag_id="stripes_retraining", logical_date=None, skip_when_already_exists=True,
        trigger_run_id="challenger__{{{{ ti.xcom_pull(task_ids='register') }}}}",
        conf={{"challenger": "{{{{ ti.xcom_pull(task_ids='register') }}}}"}},
    )
    register >> compare
for task in stripes_retraining.tasks:
    task.retries = 0
"""
PROGRAM = """
import json, runpy, shutil, sys
from pathlib import Path
from urllib.parse import urlsplit
from airflow.models.dagrun import DagRun
from airflow.utils.session import create_session

told = {}

def run(name, dag_id, **conf):
    dags = runpy.run_path(sys.argv[1])  # anew, since `test` leaves the conf in the DAG's params
    found = dags[dag_id].test(run_conf=conf)
    states = {ti.task_id: str(ti.state) for ti in found.get_task_instances()}
    told[name] = {"run": str(found.state), "run_id": found.run_id, "tasks": states}

def triggered(dag_id):
    with create_session() as session:
        rows = session.query(DagRun).filter(DagRun.dag_id == dag_id, DagRun.state == "queued").all()
        return [(row.run_id, row.conf) for row in rows]

run("hand over", "stripes_retraining")
told["team"] = triggered("ours")
assert len(told["team"]) == 1, told
((_, conf),) = told["team"]
for model in sys.argv[2:]:
    shutil.copy(model, Path(urlsplit(conf["place"]).path) / "model.onnx")
    run("ours", "ours", **conf)
    told["asked"] = triggered("stripes_retraining")
    assert len(told["asked"]) == 1, told
    ((_, conf),) = told["asked"]
    run("compare", "stripes_retraining", **conf)
    run("back", "stripes_retraining", rollback="previous")
print(json.dumps(told))
"""


def stripes_file(bias: float) -> bytes:
    """ONNX: how much a picture changes from left to right against from top to bottom, and a bias for `across`. With a large bias weak
    stripes are all taken for `across`: a model that fails in the dark."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    steps = np.zeros((2, 3, 2, 2), np.float32)
    steps[0, :, 0, :] = [-1, 1]  # to the right: upright stripes
    steps[1, :, :, 0] = [-1, 1]  # down: stripes across
    weights = {"steps": steps, "mix": np.array([[-1, 1], [1, -1]], np.float32), "bias": np.array([bias, 0], np.float32)}
    nodes = [
        helper.make_node("Conv", ["images", "steps"], ["moves"]),
        helper.make_node("Abs", ["moves"], ["sizes"]),
        helper.make_node("GlobalAveragePool", ["sizes"], ["means"]),
        helper.make_node("Flatten", ["means"], ["flat"]),
        helper.make_node("MatMul", ["flat", "mix"], ["mixed"]),
        helper.make_node("Add", ["mixed", "bias"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "stripes",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", 3, 32, 32])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 2])],
        [numpy_helper.from_array(values, name) for name, values in weights.items()],
    )
    opset = [helper.make_opsetid("", 17)]
    made = helper.make_model(graph, opset_imports=opset, ir_version=9)
    onnx.checker.check_model(made)
    return made.SerializeToString()


def prepared(home: Path) -> World:
    """A champion that fails in the dark, a clean day, and a dark one that alerts."""
    from driftwatch.drift.handover import build_reference_of
    from driftwatch.models.champion import import_champion
    from driftwatch.models.damage import apply_damage
    from driftwatch.models.dataset import take_in_training_set

    world = open_world(home / "storage")
    changed = {**make_config(home / "storage").model_dump(), **SETTINGS}
    world = World(storage=world.storage, layout=world.layout, config=type(world.config).model_validate(changed))
    store = monitor_store(world.storage, world.layout, world.config)
    rng = np.random.default_rng(0)
    for label in CLASSES:
        for number in range(150):
            world.put_training(label, f"{number:03d}", striped(rng, label))
    take_in_training_set(store)
    (home / "champion.onnx").write_bytes(stripes_file(30.0))
    version = import_champion(store, home / "champion.onnx")
    build_reference_of(store, version)
    registry.promote(store, version, "test", None)
    world.add_day(CLEAN, 60)
    world.add_day(BROKEN, 150, lambda rgb: apply_damage(rgb, "contrast", 0.2), verdict="alert")
    return world


SETTINGS = {
    "model": {"input": {"size": 32, "layout": "nchw"}, "output": "logits"},
    "retraining": {"min_new_labels": 20, "imitate_drift": False, "handover_dag": "ours"},
}


@pytest.fixture(scope="module")
def told(root: Path, tmp_path_factory, dag_runs, pytestconfig) -> dict[str, Any]:
    """What became of each run, by its name; and the registry at the end. In the plain suite no model comes back."""
    home = tmp_path_factory.mktemp("airflow")
    world = prepared(home)
    (home / "challenger.onnx").write_bytes(stripes_file(0.0))
    for folder in ("monitors", "dags"):
        (home / folder).mkdir()
    monitor = json.loads(world.config.model_dump_json(exclude_defaults=True))
    (home / "monitors/stripes.yaml").write_text(yaml.safe_dump(monitor))
    (home / "dags/teams.py").write_text(DAGS.format(folder=root / "dags"))
    env = {"AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"), "DRIFTWATCH_MONITORS": str(home / "monitors")}
    models = [str(home / "challenger.onnx")] if pytestconfig.getoption("--all-faults") else []
    dag_runs.start(home, PROGRAM, str(home / "dags/teams.py"), *models, env=env)
    return {**dag_runs.told(home), "store": monitor_store(world.storage, world.layout, world.config)}


def states(told: dict[str, Any], run: str, *tasks: str) -> list[str]:
    return [told[run]["tasks"][task] for task in tasks]


pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_a_run_that_hands_over_ends_well_trains_nothing_and_triggers_the_team_s_dag_once(told):
    assert told["hand over"]["run"] == "success"
    assert states(told, "hand over", "hand_over", "trigger_handover") == ["success"] * 2
    assert set(states(told, "hand over", "train_challenger", "evaluate_challenger", "gate", "promote_model")) == {
        "skipped"
    }
    ((run_id, conf),) = told["team"]
    assert run_id == f"stripes__{conf['run_key']}"
    assert conf["monitor"] == "stripes"
    assert conf["place"].endswith(f"/stripes/retraining/{conf['run_key']}/handover")


@pytest.mark.all_faults("models/test_returned.py does all that without Airflow")
def test_the_team_s_model_is_registered_compared_promoted_and_rolled_back(told):
    assert (told["ours"]["run"], told["compare"]["run"], told["back"]["run"]) == ("success",) * 3
    ((run_id, conf),) = told["asked"]
    compared = states(
        told, "compare", "take_up_challenger", "evaluate_challenger", "gate", "promote_model", "refresh_reference"
    )
    assert compared == ["success"] * 5
    assert set(states(told, "compare", "collect_training_set", "train_challenger", "hand_over", "keep_champion")) == {
        "skipped"
    }
    store = told["store"]
    first, second = registry.versions(store)
    assert (run_id, conf) == (f"challenger__{second}", {"challenger": second})
    card = registry.card(store, second)
    assert (card.kind, card.parent, card.gate.decision) == ("onnx", first, "promote")
    assert card.created_by.startswith("ours, run ")
    pointer = registry.champion(store)
    assert (pointer.version, pointer.previous, pointer.history) == (first, second, (first, second, first))
