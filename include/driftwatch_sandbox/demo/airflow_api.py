"""The few calls of Airflow's REST API that the demo makes, as any client would."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx

from driftwatch_sandbox.demo.processes import START_SECONDS


class AirflowApi:
    """A logged-in client. `url`: the api-server's address."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=120, trust_env=False)
        answer = self._client.post("/auth/token", json={"username": user, "password": password})
        answer.raise_for_status()
        self._client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def _get(self, path: str, **params: Any) -> Any:
        answer = self._client.get(f"/api/v2{path}", params=params)
        answer.raise_for_status()
        return answer.json()

    def wait_for_dags(self, dag_ids: list[str], seconds: float = START_SECONDS) -> None:
        """Waits until the dag-processor has read the DAGs. Raises with their import errors if it could not."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            known = {dag["dag_id"] for dag in self._get("/dags", limit=100)["dags"]}
            if set(dag_ids) <= known:
                return
            errors = self._get("/importErrors")["import_errors"]
            if errors:
                raise RuntimeError("\n".join(f"{error['filename']}: {error['stack_trace']}" for error in errors))
            time.sleep(0.5)
        raise TimeoutError(f"Airflow has not read {dag_ids} within {seconds:.0f} s")

    def trigger(self, dag_id: str, run_id: str, logical_date: str | None, conf: dict[str, Any]) -> None:
        """Starts a run."""
        answer = self._client.post(
            f"/api/v2/dags/{dag_id}/dagRuns", json={"dag_run_id": run_id, "logical_date": logical_date, "conf": conf}
        )
        if answer.is_error:
            raise RuntimeError(f"Airflow refused run {run_id} of {dag_id}: {answer.status_code} {answer.text}")

    def pause(self, dag_id: str) -> None:
        """Pauses the DAG: its runs wait from now on."""
        self._client.patch(f"/api/v2/dags/{dag_id}", json={"is_paused": True}).raise_for_status()

    def run_state(self, dag_id: str, run_id: str) -> str | None:
        """The run's state. None if there is no such run."""
        answer = self._client.get(f"/api/v2/dags/{dag_id}/dagRuns/{run_id}")
        if answer.status_code == 404:
            return None
        answer.raise_for_status()
        return str(answer.json()["state"])

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """The run's task instances."""
        return list(self._get(f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances", limit=100)["task_instances"])

    def xcom(self, dag_id: str, run_id: str, task_id: str) -> Any:
        """What a task returned."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/return_value"
        return self._get(path, deserialize=True)["value"]

    def question(self, dag_id: str, run_id: str, task_id: str) -> dict[str, Any]:
        """What a task asks a person (Airflow's human in the loop): subject, body, options."""
        return dict(self._get(f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/-1/hitlDetails"))

    def answer(self, dag_id: str, run_id: str, task_id: str, option: str) -> None:
        """Answers it."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/-1/hitlDetails"
        answer = self._client.patch(path, json={"chosen_options": [option], "params_input": {}})
        answer.raise_for_status()

    def log(self, dag_id: str, run_id: str, task_id: str, try_number: int) -> str:
        """The end of a task's log, with its error."""
        answer = self._client.get(
            f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{try_number}",
            headers={"Accept": "application/x-ndjson"},
        )
        answer.raise_for_status()
        lines = []
        for line in map(json.loads, filter(None, answer.text.splitlines())):
            lines.append(f"  {line.get('event', '')}")
            lines += [f"  {error['exc_type']}: {error['exc_value']}" for error in line.get("error_detail") or []]
        return "\n".join(lines[-12:])
