"""The desk's HTTP API over the project's transport."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from driftwatch.credentials import Access, usable_address, usable_secret
from driftwatch.errors import AccessRefused, RequestRefused
from driftwatch.http import Call, Service, ServiceError, client_for, error_of, is_temporary, limits_of, tries_of
from driftwatch.labels.backends.desk.wire import (
    API,
    MOST_TASKS,
    Account,
    Batch,
    BatchProgress,
    BatchState,
    Blanked,
    GivenAnswer,
    GivenAnswers,
    NewLinks,
    NewNames,
    NewTask,
    Tasks,
    ToOpen,
    Wire,
)

Body = TypeVar("Body", bound=Wire)


class DeskClient:
    """One desk. Every request may be repeated, so each is sent again where that may help. Nothing connects before the first.

    `before_change` is called before each request that may change something; what it raises stops the request. What the desk refuses is
    raised as AccessRefused or RequestRefused with the desk's own sentence; what may pass, as ServiceError.
    """

    before_change: Callable[[], None] | None = None

    def __init__(self, access: Access) -> None:
        secret = usable_secret(access.secret, f"the token in {access.name}")
        address = usable_address(access.address, f"the address in {access.name}")
        self._connection = access.name
        self._service = Service("The desk", access.name, (secret,), before_try=self._before_try)
        headers = {"Authorization": f"Bearer {secret}"}
        self._http = client_for(self._service, limits_of(access, 30), base_url=address, headers=headers)

    def account(self) -> Account:
        """Whose token this is."""
        return self._ask("GET", "/account", Account)

    def find(self, key: str) -> BatchState | None:
        """The batch; None if there is none."""
        response = self._send("GET", _path(key))
        if response.status_code == 404 and _sentence(response):
            return None
        return self._read(response, BatchState)

    def state(self, key: str) -> BatchState:
        return self._ask("GET", _path(key), BatchState)

    def put(self, key: str, batch: Batch) -> BatchState:
        return self._ask("PUT", _path(key), BatchState, batch)

    def put_tasks(self, key: str, tasks: Sequence[NewTask]) -> None:
        for start in range(0, len(tasks), MOST_TASKS):
            self._ask("PUT", f"{_path(key)}/tasks", BatchState, Tasks(tasks=tuple(tasks[start : start + MOST_TASKS])))

    def open(self, key: str, tasks: int) -> BatchState:
        return self._ask("POST", f"{_path(key)}/open", BatchState, ToOpen(tasks=tasks))

    def close(self, key: str) -> BatchState:
        return self._ask("POST", f"{_path(key)}/close", BatchState)

    def renew(self, key: str, links: Mapping[str, str]) -> None:
        items = list(links.items())
        for start in range(0, len(items), MOST_TASKS):
            body = NewLinks(links=dict(items[start : start + MOST_TASKS]))
            self._ask("POST", f"{_path(key)}/links", BatchState, body)

    def blank(self, key: str, names: Mapping[str, str]) -> int:
        items, blanked = list(names.items()), 0
        for start in range(0, len(items), MOST_TASKS):
            body = NewNames(names=dict(items[start : start + MOST_TASKS]))
            blanked += self._ask("POST", f"{_path(key)}/blank", Blanked, body).tasks
        return blanked

    def progress(self, key: str) -> BatchProgress:
        return self._ask("GET", f"{_path(key)}/progress", BatchProgress)

    def answers(self, key: str) -> Iterator[GivenAnswer]:
        after: int | None = 0
        while after is not None:
            some = self._ask("GET", f"{_path(key)}/answers?after={after}", GivenAnswers)
            yield from some.answers
            after = some.after

    def _ask(self, method: str, path: str, of: type[Body], body: Wire | None = None) -> Body:
        return self._read(self._send(method, path, body), of)

    def _send(self, method: str, path: str, body: Wire | None = None) -> httpx.Response:
        content = None if body is None else body.model_dump_json()
        headers = {} if body is None else {"Content-Type": "application/json"}
        extensions = Call(repeatable=True).extensions
        return self._http.request(method, f"{API}{path}", content=content, headers=headers, extensions=extensions)

    def _read(self, response: httpx.Response, of: type[Body]) -> Body:
        if response.is_success:
            try:
                return of.model_validate_json(response.content)
            except ValidationError as error:
                raise ServiceError(
                    f"what answers at the address in {self._connection} is no desk of this version of Driftwatch: correct the address under "
                    "Admin > Connections, or run the same version on both sides",
                    response.status_code,
                ) from error
        raise self._refused(response)

    def _refused(self, response: httpx.Response) -> Exception:
        status, said = response.status_code, _sentence(response)
        if status in (401, 403, 407):
            return AccessRefused(
                f"the desk refused the token ({status}: {said or 'no reason given'}): look at the token and the address of {self._connection} "
                "under Admin > Connections; the desk's `token list` shows which tokens are valid"
            )
        if said and not is_temporary(status):
            return RequestRefused(
                f"the desk refused {response.request.method} {response.request.url.path} ({status}): {said}"
            )
        if said or is_temporary(status):
            return error_of(response, self._service)
        # No sentence of the desk's: something in between answered, and its trouble may pass.
        return ServiceError(
            f"{error_of(response, self._service)}; the desk itself did not answer", status, tries_of(response).uncertain
        )

    def _before_try(self, request: httpx.Request) -> None:
        if self.before_change and request.method != "GET":
            self.before_change()


def _path(key: str) -> str:
    return f"/batches/{quote(key, safe='')}"


def _sentence(response: httpx.Response) -> str:
    """What the desk says of a request that it refuses; empty if it was not the desk that answered."""
    try:
        said = response.json()["message"]
    except (ValueError, KeyError, TypeError):
        return ""
    return str(said)[:500]
