"""The real DAGs as `dag.test()` runs them: the branch with each alert_source, where WhyLabs finds an anomaly that the verdict does not;
and a day and a retraining that fail, with one notifier that works and one that does not.
"""

from __future__ import annotations

import json
import threading
import time
from datetime import date
from pathlib import Path

import pytest
import yaml
from tests.driftwatch.artifacts import samples
from tests.whylabs_server import upload_profile

from driftwatch.artifacts.day_keys import DayKeys
from driftwatch.config.loader import load_monitor
from driftwatch.drift.whylogs_profiles import performance_profile
from driftwatch.publish.whylabs.monitors import documents, put_documents
from driftwatch.storage import open_storage

DAY = date(2026, 1, 20)
ASKED = "/data/analysis-results"
SOURCES = ("either", "local", "whylabs")
ONE_ALONE = pytest.mark.all_faults("tests/driftwatch_airflow/operators has the decision by one source")
# The branch and what follows it, of the real DAG: the steps before are taken as done.
DAGS = """
import runpy
from airflow.sdk import DAG

for name in ("image_monitoring", "model_retraining"):
    for dag_id, dag in runpy.run_path("{folder}/" + name + ".py").items():
        if isinstance(dag, DAG) and name == "image_monitoring" and dag_id != "failing_monitoring":
            whole, dag = dag, dag.partial_subset("check_performance", include_downstream=True, include_upstream=False)
            # "Not given" is a single object, of which the subset holds a copy.
            dag.get_task("trigger_retraining").run_after = whole.get_task("trigger_retraining").run_after
        if isinstance(dag, DAG):
            dag.fileloc = __file__
            globals()[dag_id] = dag
"""
PROGRAM = """
import json, runpy, sys
from datetime import datetime, timezone
from pathlib import Path
dags = runpy.run_path(sys.argv[1])
states = {}
for source in sys.argv[3:]:
    run = dags[source + "_monitoring"].test(logical_date=datetime.fromisoformat(sys.argv[2]).replace(tzinfo=timezone.utc))
    states[source] = {ti.task_id: str(ti.state) for ti in run.get_task_instances()}

# A day without a champion, with a mail server that is down and then up; then one that brings no image. A retraining without labels.
sys.path.insert(0, str(Path(sys.argv[1]).parent))
home = Path(sys.argv[1]).parents[1]
champion = home / "storage/failing/models/champion.json"

def failing(name, dag_id):
    dag = dags[dag_id]
    for task in dag.tasks:
        task.retries = 0
    run = dag.test(**({"logical_date": datetime(2026, 1, 20, tzinfo=timezone.utc)} if "monitoring" in dag_id else {}))
    files = {path.stem: path.read_text().splitlines() for path in home.glob("*.told")}
    failure = home / "storage/failing/days/2026-01-20/failure.json"
    states[name] = {ti.task_id: str(ti.state) for ti in run.get_task_instances()} | {
        "run": str(run.state), "told": files, "failure": json.loads(failure.read_text()) if failure.exists() else None
    }

failing("mail is down", "failing_monitoring")
(home / "down").unlink()
failing("mail is up", "failing_monitoring")
failing("retraining", "failing_retraining")
champion.parent.mkdir(parents=True)
champion.write_text('{"version": "v0001-00000001"}')
failing("no image", "failing_monitoring")
print(json.dumps(states))
"""
MAILBOX = """
from pathlib import Path
from airflow.sdk import BaseNotifier

class Mailbox(BaseNotifier):
    template_fields = ("line",)

    def __init__(self, file, line, down=""):
        super().__init__()
        self.file, self.line, self.down = file, line, down

    def notify(self, context):
        if self.down and Path(self.down).exists():
            raise ConnectionError("no mail server")
        with open(self.file, "a") as file:
            file.write(self.line + chr(10))
"""


@pytest.fixture(scope="module")
def states(root: Path, tmp_path_factory, whylabs_servers, dag_runs, pytestconfig) -> dict[str, dict[str, str]]:
    """The state of each task, for each source that this suite asks about."""
    home = tmp_path_factory.mktemp("airflow")
    sources = SOURCES if pytestconfig.getoption("--all-faults") else SOURCES[:1]
    servers = {source: whylabs_servers() for source in sources}
    storage = open_storage(f"file://{home}/storage")
    example = yaml.safe_load((root / "include/monitors/cats_vs_dogs.yaml").read_text())
    env = {
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "DRIFTWATCH_STORAGE": storage.uri,
        "DRIFTWATCH_MONITORS": str(home / "monitors"),
    }
    (home / "monitors").mkdir()
    (home / "dags").mkdir()
    (home / "dags/branches.py").write_text(DAGS.format(folder=root / "dags"))
    for source, server in servers.items():
        publish = {"sinks": ["whylabs"], "dataset": "model-1", "connection": source, "alert_source": source}
        publish["analysis_poll_seconds"] = 0.2
        path = home / "monitors" / f"{source}.yaml"
        path.write_text(yaml.safe_dump({**example, "name": source, "publish": publish}))
        env[f"AIRFLOW_CONN_{source.upper()}"] = json.dumps(server.connection())
        profile = performance_profile(["cat"] * 100, ["cat"] * 60 + ["dog"] * 40, [1.0] * 100, DAY)
        day = DayKeys(source, DAY)
        storage.write_bytes(day.performance_profile, profile)
        written = {"day": DAY.isoformat(), "verdict": "ok", "labels": 100, "content_hash": "hash"}
        storage.write_json(day.performance, samples.PERFORMANCE | written | FACTS)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DRIFTWATCH_STORAGE", storage.uri)
            put_documents(server.api(), documents(load_monitor(path), "ref-1"))
        upload_profile(server.api(), profile, DAY)
        if source != "local":
            threading.Thread(target=analyse_when_asked, args=(server,), daemon=True).start()
    line = "{{ alert.kind }}|{{ alert.message.splitlines() | map('trim') | select | join('|') }}"
    told = [
        {"file": f"{home}/chat.told", "line": line},
        {"file": f"{home}/mail.told", "line": line, "down": f"{home}/down"},
    ]
    failing = {"name": "failing", "images": {"on_empty_day": "skip"}}
    failing["notifiers"] = [{"notifier": "mailbox.Mailbox", "arguments": arguments} for arguments in told]
    (home / "monitors/failing.yaml").write_text(yaml.safe_dump({**example, **failing}))
    (home / "dags/mailbox.py").write_text(MAILBOX)
    (home / "down").touch()
    dag_runs.start(home, PROGRAM, str(home / "dags/branches.py"), f"{DAY}T00:00:00", *sources, env=env)
    found = dag_runs.told(home)
    asked = {source: len(server.requests("POST", ASKED)) for source, server in servers.items()}
    assert asked.pop("local", 0) == 0
    assert min(asked.values()) >= 2
    return found


def analyse_when_asked(server) -> None:
    """The analysis comes after the branch has asked for the first time, so that it must wait."""
    while not server.requests("POST", ASKED):
        time.sleep(0.3)
    server.http.post(f"/_sandbox/analyse?dataset=model-1&day={DAY}").raise_for_status()


FACTS = {
    "accuracy": {"value": 0.6, "low": 0.5, "high": 0.7, "n": 100},
    "holdout_accuracy": {"value": 0.9, "low": 0.88, "high": 0.92, "n": 500},
    "confidence": 0.95,
    "floor": 0.7,
    "sampled": 100,
    "ties": 0,
    "unclear": 0,
    "unanswered": 0,
    "model_version": "v0001-00000001",
    "reasons": [],
}


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("source", "retrains"),
    [
        pytest.param("either", True, id="either"),
        pytest.param("local", False, id="local", marks=ONE_ALONE),
        pytest.param("whylabs", True, id="whylabs", marks=ONE_ALONE),
    ],
)
def test_the_branch_follows_the_source(states, source, retrains):
    expected = {"trigger_retraining": "skipped", "performance_ok": "success"}
    if retrains:
        expected = {"trigger_retraining": "success", "performance_ok": "skipped"}
    assert {name: states[source][name] for name in expected} == expected
    assert states[source]["check_performance"] == "success"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_day_that_fails_is_told_once_by_each_notifier_and_shown_until_it_has_ended_well(states):
    down, up, empty = states["mail is down"], states["mail is up"], states["no image"]
    assert (down["run"], down["ingest_images"], down["tell_failure"]) == ("failed", "failed", "failed")
    assert (up["run"], up["ingest_images"], up["tell_failure"]) == ("failed", "failed", "success")
    assert down["day_done"] == up["day_done"] == "upstream_failed"
    for told in (down["told"]["chat"], up["told"]["chat"], up["told"]["mail"]):
        (message,) = [line for line in told if line.startswith("day_failed")]
        assert "failed: ingest_images|reason: file://" in message
        assert "champion.json does not exist: register a first model" in message
        assert "What to do: " in message
    assert "mail" not in down["told"]
    assert up["failure"]["task"] == "ingest_images"
    assert (empty["run"], empty["day_done"], empty["failure"]) == ("success", "success", None)
    assert (empty["tell_drift"], empty["tell_failure"]) == ("success", "skipped")
    assert [line.split("|")[0] for line in empty["told"]["mail"]] == ["day_failed", "retraining_failed", "empty_day"]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_retraining_that_fails_is_told_after_its_last_task_and_its_run_stays_failed(states):
    found = states["retraining"]
    assert (found["run"], found["collect_training_set"], found["tell_outcome"]) == ("failed", "failed", "success")
    (message,) = [line for line in found["told"]["mail"] if line.startswith("retraining_failed")]
    assert "failed: collect_training_set|reason: " in message
    assert "no day has labels yet" in message
