"""Uploading. An API call reserves an upload, and answers with a URL that is valid for 15 minutes. A PUT to that URL sends the profile."""

from __future__ import annotations

import hashlib
import hmac
import sqlite3
from datetime import datetime, timezone
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from pydantic import BaseModel, Field

from driftwatch_sandbox.whylabs.days import decode
from driftwatch_sandbox.whylabs.errors import ApiError, invalid, not_found
from driftwatch_sandbox.whylabs.store import Settings, Store, now_ms

router = APIRouter()
_THREE_DAYS_MS = 3 * 86_400_000
_FIVE_YEARS_MS = 5 * 365 * 86_400_000
Idempotency = Annotated[str | None, Header(alias="X-WHYLABS-IDEMPOTENCY-KEY")]


class Tag(BaseModel):
    key: str
    value: str


class Segment(BaseModel):
    tags: list[Tag] = Field(default_factory=list)


class LogRequest(BaseModel):
    datasetTimestamp: Annotated[int, Field(ge=0)]
    segmentTags: list[Tag] = Field(default_factory=list)
    region: str | None = None


class ReferenceRequest(BaseModel):
    alias: str | None = None
    datasetTimestamp: Annotated[int, Field(ge=0)] = 0
    segments: list[Segment] = Field(default_factory=list)
    region: str | None = None


class TransactionRequest(BaseModel):
    datasetId: str


def check_dataset(request: Request, dataset: str) -> None:
    settings: Settings = request.app.state.settings
    if dataset not in settings.datasets:
        raise not_found(f"Unable to load model {dataset} for organization {settings.organisation}")


@router.post("/v1/log/async")
def log_async(
    request: Request,
    body: LogRequest,
    dataset: Annotated[str | None, Header(alias="X-WHYLABS-RESOURCE")] = None,
    idempotency: Idempotency = None,
) -> dict[str, Any]:
    if dataset is None:
        raise invalid("Missing required header: X-WHYLABS-RESOURCE")
    return _reserve(request, dataset, "batch", body, idempotency)


@router.post("/v0/organizations/{org}/log/async/{dataset}")
def log_async_v0(request: Request, dataset: str, body: LogRequest, idempotency: Idempotency = None) -> dict[str, Any]:
    if body.datasetTimestamp < now_ms() - _FIVE_YEARS_MS:
        raise invalid("Dataset timestamp cannot be more than 5 years ago.")
    return _reserve(request, dataset, "batch", body, idempotency)


@router.post("/v0/organizations/{org}/log/reference/{dataset}")
def log_reference(
    request: Request, dataset: str, body: ReferenceRequest, idempotency: Idempotency = None
) -> dict[str, Any]:
    answer = _reserve(request, dataset, "reference", body, idempotency)
    return {**answer, "alias": body.alias}


@router.post("/v0/organizations/{org}/dataset-profiles/models/{dataset}/reference-profile")
def create_reference_profile(request: Request, dataset: str, body: ReferenceRequest) -> dict[str, Any]:
    parts = max(1, len(body.segments))
    answer = _reserve(request, dataset, "reference", body, None, parts=parts)
    segments = ["&".join(f"{tag.key}={tag.value}" for tag in segment.tags) for segment in body.segments]
    return {
        "id": answer["id"],
        "alias": body.alias or answer["id"],
        "datasetId": dataset,
        "segments": segments,
        "uploadUrls": [_url(request, answer["id"], part) for part in range(parts)],
        "uploadTimestamp": answer["uploadTimestamp"],
    }


@router.post("/v1/transaction")
def start_transaction(request: Request, body: TransactionRequest) -> dict[str, Any]:
    check_dataset(request, body.datasetId)
    store: Store = request.app.state.store
    expires = now_ms() + _THREE_DAYS_MS
    number = store.row("SELECT count(*) AS n FROM transactions")
    transaction_id = f"txn-{(number['n'] if number else 0) + 1:06d}"
    store.change("INSERT INTO transactions VALUES (?, ?, 'open', ?)", transaction_id, body.datasetId, expires)
    return {
        "orgId": request.app.state.settings.organisation,
        "datasetId": body.datasetId,
        "transactionId": transaction_id,
        "expirationTime": datetime.fromtimestamp(expires / 1000, timezone.utc).isoformat(),
        "aborted": False,
    }


@router.post("/v1/transaction/log")
def log_transaction(request: Request, transaction_id: str, body: LogRequest) -> dict[str, Any]:
    transaction = _transaction(request, transaction_id)
    return _reserve(request, transaction["dataset"], "transaction", body, None, transaction_id=transaction_id)


@router.get("/v1/transaction")
def transaction_status(request: Request, transaction_id: str) -> dict[str, Any]:
    _transaction(request, transaction_id)
    rows = request.app.state.store.rows(
        "SELECT id FROM uploads WHERE transaction_id = ? ORDER BY number", transaction_id
    )
    return {"files": [row["id"] for row in rows]}


@router.post("/v1/transaction/abort")
def abort_transaction(request: Request, transaction_id: str) -> dict[str, Any]:
    _transaction(request, transaction_id)
    request.app.state.store.change("UPDATE transactions SET state = 'aborted' WHERE id = ?", transaction_id)
    return {}


@router.post("/v1/transaction/commit")
def commit_transaction(request: Request, transaction_id: str) -> dict[str, Any]:
    _transaction(request, transaction_id)
    store: Store = request.app.state.store
    with store.transaction():
        store.change("UPDATE uploads SET kind = 'batch' WHERE transaction_id = ?", transaction_id)
        store.change("UPDATE transactions SET state = 'committed' WHERE id = ?", transaction_id)
    request.app.state.analyst.wake()
    return {}


@router.put("/upload/{upload_id}/{part}")
async def put_profile(request: Request, upload_id: str, part: int, expires: int, signature: str) -> Response:
    """Does what S3 does with a presigned URL: stores any bytes. Only when they are read it shows whether they are a profile."""
    settings: Settings = request.app.state.settings
    fault = getattr(request.scope.get("sandbox.fault"), "fault", None)
    if fault == "url_refused" or not hmac.compare_digest(signature, _signature(settings, upload_id, part, expires)):
        return _s3_error("SignatureDoesNotMatch", "The request signature does not match")
    if fault == "url_expired" or expires < now_ms():
        return _s3_error("AccessDenied", "Request has expired")
    payload = await request.body()
    try:
        decode(payload)
        error = None
    except ValueError as refused:
        error = str(refused)
    request.app.state.store.change(
        "UPDATE uploads SET payload = ?, received = ?, error = ?, live = 1 WHERE id = ? AND part = ?",
        payload, now_ms(), error, upload_id, part,
    )  # fmt: skip
    request.app.state.analyst.wake()
    return Response(status_code=200)


def _transaction(request: Request, transaction_id: str) -> sqlite3.Row:
    row = request.app.state.store.row("SELECT * FROM transactions WHERE id = ?", transaction_id)
    if row is None:
        raise not_found(f"Transaction {transaction_id} not found")
    if row["state"] == "aborted":
        raise not_found("Transaction has been aborted")
    if row["state"] == "committed" or row["expires"] < now_ms():
        raise not_found("Transaction has been committed or has expired")
    return row


def _reserve(
    request: Request,
    dataset: str,
    kind: str,
    body: LogRequest | ReferenceRequest,
    idempotency: str | None,
    parts: int = 1,
    transaction_id: str | None = None,
) -> dict[str, Any]:
    store: Store = request.app.state.store
    settings: Settings = request.app.state.settings
    check_dataset(request, dataset)
    if body.region is not None:
        raise invalid(f"Unsupported region provided: {body.region}. Remove the requested region to use the default.")
    alias = getattr(body, "alias", None)
    with store.transaction():
        known = _known(store, settings, dataset, kind, idempotency)
        created = known["created"] if known else now_ms()
        upload_id = known["id"] if known else None
        if upload_id is None:
            row = store.row("SELECT coalesce(max(number), 0) + 1 AS next FROM uploads")
            upload_id = f"{'ref' if kind == 'reference' else 'log'}-{row['next'] if row else 1:08d}"
            for part in range(parts):
                store.change(
                    "INSERT INTO uploads"
                    " (id, part, dataset, kind, timestamp, alias, transaction_id, idempotency_key, created)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    upload_id, part, dataset, kind, body.datasetTimestamp, alias, transaction_id, idempotency, created,
                )  # fmt: skip
    return {
        "id": upload_id,
        "modelId": dataset,
        "uploadUrl": _url(request, upload_id, 0),
        "uploadTimestamp": created,
        "tags": {"tags": []},
    }


def _known(store: Store, settings: Settings, dataset: str, kind: str, idempotency: str | None) -> sqlite3.Row | None:
    """The upload that the key reserved before, if a repeated key gets the first answer again."""
    if idempotency is None or settings.idempotency == "ignore":
        return None
    row = store.row(
        "SELECT id, created FROM uploads WHERE dataset = ? AND kind = ? AND idempotency_key = ?",
        dataset,
        kind,
        idempotency,
    )
    # The server that WhyLabs has published looks at the key only for log/async, and refuses it when it is used again.
    if row and settings.idempotency == "refuse":
        if kind == "reference":
            return None
        raise ApiError(400, "IllegalArgumentException", f"Failed Idempotent request. Idempotency key: {idempotency}")
    return row


def _url(request: Request, upload_id: str, part: int) -> str:
    settings: Settings = request.app.state.settings
    expires = now_ms() + int(settings.url_seconds * 1000)
    signature = _signature(settings, upload_id, part, expires)
    return f"{str(request.base_url).rstrip('/')}/upload/{upload_id}/{part}?expires={expires}&signature={signature}"


def _signature(settings: Settings, upload_id: str, part: int, expires: int) -> str:
    return hmac.new(settings.api_key.encode(), f"{upload_id}/{part}/{expires}".encode(), hashlib.sha256).hexdigest()


def _s3_error(code: str, message: str) -> Response:
    body = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Response(body, 403, media_type="application/xml")
