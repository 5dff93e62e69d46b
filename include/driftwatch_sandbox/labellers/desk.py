"""A seat at Driftwatch's own desk: the requests that its labelling page sends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx

from driftwatch_sandbox.labellers.crowd import Shown


class DeskSeat:
    """One person, by a token. The page that the person works on has its tasks, and says what may be answered."""

    def __init__(self, url: str, token: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=30, headers={"Origin": url.rstrip("/")})
        self._token = token
        self._page: dict[str, Any] | None = None

    def work(self) -> Sequence[Shown]:
        if "Cookie" not in self.http.headers:
            self._log_in()
        for pool in self._asked("GET", "pools")["pools"]:
            if pool["closed_to_you"]:
                continue
            self._page = self._asked("POST", f"pools/{pool['id']}/page", {})["page"]
            if self._page:
                return self._open_tasks(self._page)
        return ()

    def give(self, shown: Shown, choice: str, seconds: float) -> None:
        assert self._page is not None
        field = _part(self._page, "choice")["field"]
        body = {"task_id": shown.task, "output_values": {field: choice}}
        self._asked("POST", f"pages/{self._page['id']}/answers", body)

    def _open_tasks(self, page: dict[str, Any]) -> Sequence[Shown]:
        image, choice = _part(page, "image")["field"], _part(page, "choice")
        options = [option["value"] for option in choice["options"]]
        return [
            Shown(task["id"], task["inputs"][image], options)
            for task in page["tasks"]
            if task["id"] not in page["answers"]
        ]

    def _log_in(self) -> None:
        answer = self.http.post("login", json={"token": self._token})
        answer.raise_for_status()
        # The cookie is for HTTPS, or for this machine, which a browser knows and httpx does not.
        self.http.headers["Cookie"] = answer.headers["set-cookie"].partition(";")[0]

    def _asked(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = self.http.request(method, path, json=body)
        if answer.status_code == 401:  # the session has ended; the next look logs in again
            del self.http.headers["Cookie"]
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found


def _part(page: dict[str, Any], kind: str) -> dict[str, Any]:
    found: dict[str, Any] = next(part for part in page["view"]["parts"] if part["kind"] == kind)
    return found
