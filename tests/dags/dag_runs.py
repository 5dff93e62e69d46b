"""Programs that run the real DAGs by `dag.test()`, each in a fork of one process that has imported Airflow: each other process takes ten
seconds of CPU for that.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ENDED = "the program ended with "
PROCESS = r"""
import json, os, sys, traceback
from driftwatch.drift.whylogs_profiles import without_network
without_network()
import airflow.api_fastapi.execution_api.app, airflow.models.dagrun, airflow.sdk.execution_time.supervisor, airflow.settings
import cv2, pandas, pyarrow.parquet, scipy.stats, sklearn.metrics, whylogs
from tests.schemas import check_each_once
check_each_once()

for line in sys.stdin:
    asked = json.loads(line)
    if child := os.fork():
        print("\nthe program ended with", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        continue
    for stream, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(asked[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), stream)
    os.environ.update(asked["env"])
    airflow.settings.DAGS_FOLDER = os.environ["AIRFLOW__CORE__DAGS_FOLDER"]
    sys.argv = ["-c", *asked["arguments"]]
    code = 1
    try:
        exec(compile(asked["program"], asked["name"], "exec"), {"__name__": "__main__"})
        code = 0
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
"""


class DagRuns:
    """A process with an Airflow database of its own, which all programs share. `dag.test()` stores all DAGs of the folder that the
    program's environment names: the fewer these are, the sooner it begins."""

    def __init__(self, home: Path) -> None:
        env = os.environ | {
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
            "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "0",  # by which triggers rest
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROCESS],
            env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip

    def start(self, home: Path, program: str, *arguments: str, env: Mapping[str, str]) -> None:
        """`program` begins to run with its output in `home`."""
        asked = {"program": program, "name": str(home / "program"), "arguments": arguments, "env": dict(env)}
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({**asked, "out": f"{home}/out", "err": f"{home}/err"}) + "\n")
        self.process.stdin.flush()

    def told(self, home: Path) -> Any:
        """The last line that the program printed, which is JSON, once it has ended."""
        assert self.process.stdout is not None
        ends = (line.removeprefix(ENDED) for line in self.process.stdout if line.startswith(ENDED))
        assert int(next(ends)) == 0, (home / "out").read_text()[-3000:] + (home / "err").read_text()[-3000:]
        return json.loads((home / "out").read_text().strip().splitlines()[-1])

    def stop(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)
