"""A seat in Label Studio: signed up by the invitation, as the browser does, then the requests that its labelling page sends."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx

from driftwatch_sandbox.labellers.crowd import Shown

_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
# People who have work look for new projects at most this often, in seconds.
_PROJECTS_FOR = 30.0


def invitation(url: str, api_token: str) -> str:
    """Where people sign up."""
    answer = httpx.get(f"{url}/api/invite", headers={"Authorization": f"Token {api_token}"}, timeout=30)
    answer.raise_for_status()
    return str(answer.json()["invite_url"])


class LabelStudioSeat:
    """One person, who signs up, or logs in if the person is known already."""

    def __init__(self, url: str, email: str, password: str, invite_url: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=60)
        self._login = {"email": email, "password": password}
        self._invite = f"{urlsplit(invite_url).path}?{urlsplit(invite_url).query}"
        self._in, self._projects, self._looked = False, list[dict[str, Any]](), 0.0

    def work(self) -> Sequence[Shown]:
        if not self._in:
            self._in = self._enter("/user/login/") or self._enter(self._invite)
        if not self._projects or time.monotonic() - self._looked > _PROJECTS_FOR:
            self._projects, self._looked = self._open_projects(), time.monotonic()
        for project in self._projects:
            answer = self.http.get(f"/api/projects/{project['id']}/next")
            if answer.status_code == 404:  # nothing for this person now
                continue
            answer.raise_for_status()
            self._task = answer.json()
            return [Shown(str(self._task["id"]), self._task["data"]["image"], _choices(project))]
        self._projects = []
        return ()

    def give(self, shown: Shown, choice: str, seconds: float) -> None:
        result = {
            "id": "answer", "from_name": "answer", "to_name": "image", "type": "choices",
            "value": {"choices": [choice]}, "origin": "manual",
        }  # fmt: skip
        body = {"lead_time": seconds, "result": [result], "unique_id": self._task["unique_lock_id"], "draft_id": 0}
        answer = self.http.post(f"/api/tasks/{shown.task}/annotations", json=body)
        if answer.status_code != 409:  # it is stored already
            answer.raise_for_status()

    def _enter(self, path: str) -> bool:
        form = self.http.get(path)
        token = _TOKEN.search(form.text)
        if token is None:
            return False
        headers = {"Referer": f"{self.http.base_url}{path.lstrip('/')}"}
        answer = self.http.post(path, data={"csrfmiddlewaretoken": token[1], **self._login}, headers=headers)
        return answer.status_code == 302

    def _open_projects(self) -> list[dict[str, Any]]:
        answer = self.http.get("/api/projects/", params={"filter": "pinned_only", "page_size": 100})
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()["results"]
        return found


def _choices(project: dict[str, Any]) -> list[str]:
    return list(project["parsed_label_config"]["answer"]["labels"])
