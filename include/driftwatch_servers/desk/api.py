"""The HTTP API by which Driftwatch brings batches and fetches answers; `driftwatch.labels.backends.desk.wire` has its bodies."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from driftwatch.labels.backends.desk.wire import (
    API,
    MOST_ANSWERS,
    Account,
    Batch,
    BatchProgress,
    BatchState,
    Blanked,
    GivenAnswers,
    Key,
    NewLinks,
    NewNames,
    Tasks,
    ToOpen,
)
from driftwatch_servers.desk.batches import Batches
from driftwatch_servers.desk.people import Clients, Keys
from driftwatch_servers.labelling.sessions import Guesses
from driftwatch_servers.labelling.source import Refused

LARGEST_BODY = 16 * 2**20  # bytes; a thousand tasks with presigned links are some two million
_LAST_ID = 2**31 - 1


@dataclass(frozen=True)
class Door:
    """What the routes share."""

    batches: Batches
    clients: Clients
    people: Keys
    guesses: Guesses = field(default_factory=Guesses)


def _door(request: Request) -> Door:
    return request.app.state.door


def _client(request: Request, door: Annotated[Door, Depends(_door)]) -> str:
    """Who asks. Raises Refused 401 for a token that nobody has, and 429 after too many of those."""
    address = request.client.host if request.client else "unknown"
    wait = math.ceil(door.guesses.wait(address))
    if wait:
        raise Refused(429, f"too many wrong tokens: try again in {wait} s")
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    name = door.clients.owner(token.strip()) if kind.lower() == "bearer" else None
    if name is None:
        if token:
            door.guesses.wrong(address)
        raise Refused(
            401, "the API needs the header Authorization: Bearer with a token of `token add`, which has not ended"
        )
    return name


Client = Annotated[str, Depends(_client)]
Served = Annotated[Door, Depends(_door)]
OfKey = Annotated[Key, Path()]
router = APIRouter(prefix=API, dependencies=[Depends(_client)])


@router.get("/account")
def account(door: Served, client: Client) -> Account:
    return Account(name=client, people=sum(door.people.may_enter(holder.name) for holder in door.people.all()))


@router.put("/batches/{key}")
def put(door: Served, key: OfKey, body: Batch, response: Response) -> BatchState:
    state, new = door.batches.put(key, body)
    response.status_code = 201 if new else 200
    return state


@router.get("/batches/{key}")
def state(door: Served, key: OfKey) -> BatchState:
    return door.batches.state(key)


@router.put("/batches/{key}/tasks")
def put_tasks(door: Served, key: OfKey, body: Tasks) -> BatchState:
    return door.batches.put_tasks(key, body.tasks)


@router.post("/batches/{key}/open")
def open_batch(door: Served, key: OfKey, body: ToOpen) -> BatchState:
    return door.batches.open(key, body.tasks)


@router.post("/batches/{key}/close")
def close(door: Served, key: OfKey) -> BatchState:
    return door.batches.close(key)


@router.post("/batches/{key}/links")
def renew(door: Served, key: OfKey, body: NewLinks) -> BatchState:
    return door.batches.renew(key, body.links)


@router.post("/batches/{key}/blank")
def blank(door: Served, key: OfKey, body: NewNames) -> Blanked:
    return door.batches.blank(key, body.names)


@router.get("/batches/{key}/progress")
def progress(door: Served, key: OfKey) -> BatchProgress:
    return door.batches.progress(key)


@router.get("/batches/{key}/answers")
def answers(
    door: Served,
    key: OfKey,
    after: Annotated[int, Query(ge=0, le=_LAST_ID)] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST_ANSWERS)] = MOST_ANSWERS,
) -> GivenAnswers:
    return door.batches.answers(key, after, limit)
