"""Reading back and deleting: models, metric time series, reference profiles, deletion requests."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from driftwatch_sandbox.whylabs.days import Days
from driftwatch_sandbox.whylabs.errors import invalid, not_found
from driftwatch_sandbox.whylabs.store import Settings, Store, now_ms
from driftwatch_sandbox.whylabs.uploads import check_dataset

router = APIRouter(prefix="/v0/organizations/{org}")
_HOUR_MS = 3_600_000


class TimeseriesRequest(BaseModel):
    interval: str
    metric: str
    column: str | None = None
    segment: Any = None


class AnalysisRequest(BaseModel):
    interval: str
    offset: Annotated[int, Field(ge=0, le=100_000)]
    limit: Annotated[int, Field(ge=1, le=10_000)]
    columnNames: list[str] | None = None
    metrics: list[str] | None = None
    analyzerIds: list[str] | None = None
    monitorIds: list[str] | None = None
    onlyAnomalies: bool | None = True
    includeFailures: bool | None = False


def interval_ms(interval: str) -> tuple[int, int]:
    """Start and end of an ISO interval `start/end` or `start/P<n>D`, in ms."""
    start_text, _, end_text = interval.partition("/")
    try:
        start = datetime.fromisoformat(start_text.replace("Z", "+00:00"))
        days = re.fullmatch(r"P(\d+)D", end_text)
        end = start + timedelta(days=int(days[1])) if days else datetime.fromisoformat(end_text.replace("Z", "+00:00"))
        return int(start.timestamp() * 1000), int(end.timestamp() * 1000)
    except ValueError as error:
        raise invalid(f"interval {interval!r} is not an ISO-8601 interval: {error}") from error


def _model(settings: Settings, dataset: str) -> dict[str, Any]:
    return {
        "id": dataset,
        "orgId": settings.organisation,
        "name": dataset,
        "creationTime": 0,
        "timePeriod": "P1D",
        "modelCategory": "MODEL",
        "tags": [],
        "modelType": "CLASSIFICATION",
        "active": True,
    }


@router.get("/models")
def list_models(request: Request) -> dict[str, Any]:
    settings: Settings = request.app.state.settings
    return {"items": [_model(settings, dataset) for dataset in settings.datasets]}


@router.get("/models/{dataset}")
def get_model(request: Request, dataset: str) -> dict[str, Any]:
    check_dataset(request, dataset)
    return _model(request.app.state.settings, dataset)


@router.post("/dataset/{dataset}/data/metric-timeseries")
def metric_timeseries(request: Request, dataset: str, body: TimeseriesRequest) -> dict[str, Any]:
    check_dataset(request, dataset)
    days: Days = request.app.state.days
    start, stop = interval_ms(body.interval)
    data = []
    for midnight in days.starts(dataset, start, stop):
        try:
            value = days.metric(dataset, midnight, body.metric, body.column)
        except ValueError as error:
            raise invalid(str(error)) from error
        if value is not None:
            newest = max(row["received"] for row in days.uploads(dataset, midnight, stop))
            data.append({"timestamp": midnight, "lastModified": newest, "value": float(value)})
    return {"data": data}


@router.post("/dataset/{dataset}/data/analysis-results")
def analysis_results(request: Request, dataset: str, body: AnalysisRequest) -> dict[str, Any]:
    check_dataset(request, dataset)
    start, stop = interval_ms(body.interval)
    request.app.state.days.carry_out_deletions()
    found = []
    for row in request.app.state.store.documents(dataset, "result"):
        wanted = (
            start <= row["datasetTimestamp"] < stop
            and (row["isAnomaly"] or body.onlyAnomalies is False)
            and (not row["failedAnalysis"] or body.includeFailures)
            and (body.columnNames is None or row["column"] in body.columnNames)
            and (body.metrics is None or row["metric"] in body.metrics)
            and (body.analyzerIds is None or row["analyzerId"] in body.analyzerIds)
            and (body.monitorIds is None or set(row["monitorIds"]) & set(body.monitorIds))
        )
        if wanted:
            found.append(row)
    return {"results": found[body.offset : body.offset + body.limit]}


@router.delete("/dataset-profiles/models/{dataset}")
def delete_profiles(
    request: Request,
    dataset: str,
    profile_start_timestamp: int | None = None,
    profile_end_timestamp: int | None = None,
    before_upload_timestamp: int | None = None,
    delete_analyzer_results: bool = True,
) -> dict[str, Any]:
    """Asks for a deletion. It happens `delete_seconds` later."""
    check_dataset(request, dataset)
    now = now_ms()
    start, stop = profile_start_timestamp, profile_end_timestamp
    if start is not None and stop is not None and stop < start:
        raise invalid("End timestamp cannot be before start timestamp when deleting dataset profiles")
    if start is not None and start > now - _HOUR_MS:
        raise invalid(
            "Start timestamp must be more than 1 hour prior. Only data older than 1 hour is eligible for deletion"
        )
    settings: Settings = request.app.state.settings
    due = now + int(settings.delete_seconds * 1000)
    request.app.state.store.change(
        "INSERT INTO deletions (dataset, start, stop, before, results, created, due) VALUES (?, ?, ?, ?, ?, ?, ?)",
        dataset, start, stop, before_upload_timestamp, delete_analyzer_results, now, due,
    )  # fmt: skip
    return {"id": f"{settings.organisation}/{dataset}"}


@router.get("/dataset-profiles/delete-requests/dataset-profiles")
def list_deletions(request: Request) -> list[dict[str, Any]]:
    settings: Settings = request.app.state.settings
    now = now_ms()
    return [
        {
            "id": row["id"],
            "status": "COMPLETED" if row["due"] <= now else "PENDING",
            "creationTimestamp": row["created"],
            "updatedTimestamp": min(row["due"], now),
            "orgId": settings.organisation,
            "datasetId": row["dataset"],
            "deleteGte": row["start"],
            "deleteLt": row["stop"],
            "beforeUploadTs": row["before"],
        }
        for row in request.app.state.store.rows("SELECT * FROM deletions ORDER BY id")
    ]


@router.get("/dataset-profiles/models/{dataset}/reference-profiles")
def list_references(request: Request, dataset: str) -> list[dict[str, Any]]:
    check_dataset(request, dataset)
    store: Store = request.app.state.store
    rows = store.rows(
        "SELECT id, min(alias) AS alias, min(created) AS created, min(timestamp) AS timestamp FROM uploads"
        " WHERE dataset = ? AND kind = 'reference' AND live = 1 GROUP BY id ORDER BY id",
        dataset,
    )
    return [
        {
            "orgId": request.app.state.settings.organisation,
            "modelId": dataset,
            "alias": row["alias"] or row["id"],
            "id": row["id"],
            "uploadTimestamp": row["created"],
            "datasetTimestamp": row["timestamp"],
        }
        for row in rows
    ]


@router.delete("/dataset-profiles/models/{dataset}/reference-profiles/{reference}")
def delete_reference(request: Request, dataset: str, reference: str) -> Response:
    check_dataset(request, dataset)
    store: Store = request.app.state.store
    if not store.row("SELECT id FROM uploads WHERE dataset = ? AND id = ? AND live = 1", dataset, reference):
        raise not_found(f"Reference profile {reference} not found")
    store.change("UPDATE uploads SET live = 0 WHERE dataset = ? AND id = ?", dataset, reference)
    return Response("true", media_type="application/json")
