"""Label Studio's REST API over the project's transport, and the two kinds of token that it has.

Seen by running 1.23.2. A POST is sent once: neither a project nor an import has a key, so the caller looks for what arrived first. A PATCH
here gives what is there a value, so it may be repeated.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import httpx
from pydantic import TypeAdapter, ValidationError

from driftwatch.credentials import Access, usable_secret
from driftwatch.errors import NeedsAttention
from driftwatch.http import (
    Call,
    Service,
    ServiceError,
    ServiceRefusedAccess,
    ServiceRefusedRequest,
    client_for,
    error_of,
    limits_of,
)
from driftwatch.labels.backends.label_studio.records import (
    ExportedTask,
    FoundProject,
    Person,
    Project,
    Projects,
    TaskPage,
    TaskState,
    TokenKinds,
    Version,
)
from driftwatch.labels.backends.label_studio.tokens import auth_of, is_personal

T = TypeVar("T")
TITLE = "Label Studio"
_PAGE = 1000
# Tasks of one part of an export: at most a thousand parameters are taken, and an address may have 8,000 letters.
_PART = 250
_PROJECT = "id,title,description,maximum_annotations,task_number,finished_task_number,total_annotations_number,parsed_label_config"
_TASK = "id,data,overlap,is_labeled,total_annotations"


class LabelStudioApi:
    """One account at a server. Nothing connects before the first call.

    `before_change` is called before each request that may change something; what it raises stops the request.
    """

    before_change: Callable[[], None] | None = None

    def __init__(self, access: Access) -> None:
        if not access.address:
            raise NeedsAttention(
                f"{access.name} has no address: give Label Studio's, such as https://labels.example.org, under Admin > Connections"
            )
        token = usable_secret(access.secret, f"the token in {access.name}")
        self.url = access.address
        self.personal = is_personal(token)
        self._service = Service(TITLE, access.name, (token,), before_try=self._before_try)
        self._http = client_for(
            self._service, limits_of(access, timeout=60), base_url=access.address, auth=auth_of(token, self._refused)
        )

    def person(self) -> Person:
        """Whose token it is."""
        return self._get("/api/current-user/whoami", Person)

    def version(self) -> str:
        return self._get("/api/version", Version).release

    def token_kinds(self) -> TokenKinds:
        """Which kinds of token the server takes."""
        return self._get("/api/jwt/settings", TokenKinds)

    def projects(self, title: str) -> Iterator[FoundProject]:
        """The projects that have this in their title, the oldest first."""
        asked = {"title": title, "ordering": "id", "include": "id,title,task_number", "page_size": 100}
        page = 1
        while True:
            found = self._get("/api/projects/", Projects, **asked, page=page)
            yield from found.results
            if found.next is None:
                return
            page += 1

    def create_project(self, fields: dict[str, Any]) -> int:
        """Creates a project, and returns its id."""
        return self._read(self._send("POST", "/api/projects/", json=fields), FoundProject).id

    def project(self, project_id: str) -> Project:
        """The project, and how far it is. Raises ServiceRefusedRequest with status 404 where there is none."""
        return self._get(f"/api/projects/{project_id}/", Project, include=_PROJECT)

    def change_project(self, project_id: str, **fields: Any) -> None:
        self._send("PATCH", f"/api/projects/{project_id}/", json=fields)

    def delete_project(self, project_id: int) -> None:
        """Deletes a project with its tasks and answers. One that is gone already stays so."""
        self._send("DELETE", f"/api/projects/{project_id}/", gone_is_fine=True)

    def tasks(self, project_id: str) -> list[TaskState]:
        """Every task of the project, by id."""
        found: list[TaskState] = []
        page = 1
        while True:
            asked = {"project": project_id, "page": page, "page_size": _PAGE, "include": _TASK}
            part = self._get("/api/tasks", TaskPage, **asked)
            found += part.tasks
            if not part.tasks or len(found) >= part.total:
                return found
            page += 1

    def import_tasks(self, project_id: str, data: Sequence[dict[str, str]]) -> None:
        """Adds a task for each, all or none; the overlap of each is the project's `maximum_annotations`."""
        self._send("POST", f"/api/projects/{project_id}/import", json=[{"data": one} for one in data])

    def change_task(self, task_id: int, **fields: Any) -> None:
        self._send("PATCH", f"/api/tasks/{task_id}/", json=fields)

    def delete_task(self, task_id: int) -> None:
        """Deletes a task with its answers. One that is gone already stays so."""
        self._send("DELETE", f"/api/tasks/{task_id}/", gone_is_fine=True)

    def export(self, project: Project) -> list[ExportedTask]:
        """Every task of the project with every answer to it, the skipped ones too. A large one comes in parts: whole, it would take longer
        than a request may."""
        path, asked = f"/api/projects/{project.id}/export", {"exportType": "JSON", "download_all_tasks": "true"}
        if project.tasks <= _PART:
            return self._get(path, list[ExportedTask], **asked)
        names = [task.id for task in self.tasks(str(project.id))]
        parts = (names[first : first + _PART] for first in range(0, len(names), _PART))
        return [task for part in parts for task in self._get(path, list[ExportedTask], **asked, **{"ids[]": part})]

    def time(self) -> datetime:
        """What the server's clock says, rounded up to a second."""
        response = self._send("GET", "/api/version")
        try:
            told = parsedate_to_datetime(response.headers.get("Date", ""))
        except ValueError as error:
            raise ServiceError(
                f"the answer of {TITLE} has no time (header Date): let the proxy before it pass that header on"
            ) from error
        return told.astimezone(timezone.utc) + timedelta(seconds=1)

    def _get(self, path: str, kind: type[T], **params: Any) -> T:
        return self._read(self._send("GET", path, params=params), kind)

    def _send(self, method: str, path: str, gone_is_fine: bool = False, **arguments: Any) -> httpx.Response:
        call = Call(repeatable=method != "POST")
        response = self._http.request(method, path, extensions=call.extensions, **arguments)
        if response.is_success or (gone_is_fine and response.status_code == 404):
            return response
        raise self._refused(response)

    def _read(self, response: httpx.Response, kind: type[T]) -> T:
        try:
            return TypeAdapter(kind).validate_json(response.content)
        except ValidationError as error:
            where = ".".join(map(str, error.errors()[0]["loc"]))
            raise ServiceRefusedRequest(
                f"the answer to {response.request.method} {response.request.url.path} is none of {TITLE}'s ({where or 'no JSON'}: "
                f"{error.errors()[0]['msg']}): check that the address in {self._service.connection} is {TITLE}'s",
                response.status_code,
            ) from error

    def _before_try(self, request: httpx.Request) -> None:
        if self.before_change and request.method != "GET" and not request.url.path.endswith("/token/refresh/"):
            self.before_change()

    def _refused(self, response: httpx.Response) -> ServiceError:
        """The error for an answer that is no success. A page that is not Label Studio's own answer may come from a proxy, and pass."""
        status, said = response.status_code, said_by(response)
        where = f"{response.request.method} {response.request.url.path}"
        if status == 401:
            return ServiceRefusedAccess(
                f"{TITLE} refused the login ({said}): look at the token and the address of {self._service.connection} under Admin > "
                "Connections. A token with two dots is a personal access token, which the organisation must allow; one of 40 letters and "
                "digits is a legacy token, which is off in a new Label Studio (docs/label-studio.md)",
                status,
            )
        if status in (404, 405) and said is None:
            return ServiceError(f"{TITLE} answered {status} to {where} with a page, so probably a proxy did", status)
        if 400 <= status < 500 and said and status not in (403, 407, 408, 429):
            return ServiceRefusedRequest(f"{TITLE} answered {status} to {where}: {said}", status)
        return error_of(response, self._service)


def said_by(response: httpx.Response) -> str | None:
    """What Label Studio itself says of a failure, with the fields that it found wrong; None for another's answer, such as a proxy's."""
    try:
        body = json.loads(response.content)
    except ValueError:
        return None
    if not isinstance(body, dict) or "detail" not in body:
        return None
    wrong = body.get("validation_errors")
    fields = "; ".join(f"{name}: {problem}" for name, problem in wrong.items()) if isinstance(wrong, dict) else ""
    return re.sub(r"\s+", " ", f"{body['detail']}" + (f" ({fields})" if fields else ""))[:300]
