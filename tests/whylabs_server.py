"""What tests ask of a running WhyLabs stand-in."""

from __future__ import annotations

import time
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from driftwatch.publish.whylabs.api import WhyLabsApi


def upload_profile(api: WhyLabsApi, payload: bytes, moment: datetime | date, key: str | None = None) -> str:
    """Both steps of an upload; its id."""
    slot = api.reserve_profile(moment, key)
    api.send(slot, payload)
    return slot.upload_id


def upload_reference(api: WhyLabsApi, alias: str, payload: bytes, moment: date) -> str:
    """The same of a reference profile."""
    slot = api.reserve_reference(alias, moment)
    api.send(slot, payload)
    return slot.upload_id


class WhyLabsServer:
    """A running WhyLabs stand-in with one dataset, `model-1` of `org-1`."""

    key = "abcdefghij.very-secret"
    organisation = "/v0/organizations/org-1"

    def __init__(self, url: str) -> None:
        import httpx

        self.url = url
        self.http = httpx.Client(base_url=url, headers={"X-API-Key": self.key}, timeout=10)

    def connection(self, **extra: Any) -> dict[str, Any]:
        """The fields of an Airflow connection to it."""
        extra = {"org_id": "org-1", "retries": 0, **extra}
        return {"conn_type": "whylabs", "host": self.url, "password": self.key, "extra": extra}

    def api(self, **more: Any) -> Any:
        from driftwatch.http import Limits
        from driftwatch.publish.whylabs.api import WhyLabsApi

        limits = {name: more.pop(name) for name in ("timeout", "retries", "backoff", "sleep") if name in more}
        limits = Limits(**{"timeout": 5, "sleep": lambda seconds: None, **limits})
        more = {"organisation": "org-1", "dataset": "model-1", "limits": limits, **more}
        return WhyLabsApi(self.url, more.pop("api_key", self.key), **more)

    def fault(self, method: str, path: str, fault: str, times: int | None = 1, **more: Any) -> None:
        body = {"method": method, "path_regex": path, "fault": fault, "times": times, **more}
        self.http.post("/_sandbox/faults", json=body).raise_for_status()

    def clear(self) -> None:
        self.http.delete("/_sandbox/faults").raise_for_status()

    def requests(self, method: str, path: str) -> list[str]:
        """The paths asked for, of those that have `path` in them."""
        seen = self.http.get("/_sandbox/requests").json()
        return [found["path"] for found in seen if found["method"] == method and path in found["path"]]

    def state(self) -> dict[str, Any]:
        return self.http.get("/_sandbox/state").raise_for_status().json()["datasets"]["model-1"]

    def monitor_config(self) -> dict[str, dict[str, Any]]:
        """Analyzers and monitors by id."""
        found = self.http.get(f"{self.organisation}/models/model-1/monitor-config/v3").raise_for_status().json()
        return {document["id"]: document for kind in ("analyzers", "monitors") for document in found[kind]}

    def analysed(self, day: str, seconds: float = 10) -> None:
        """Returns once the day has been analysed since its last upload."""
        end = time.monotonic() + seconds
        while day not in self.http.get("/_sandbox/analysed?dataset=model-1").json():
            assert time.monotonic() < end, f"{day} is still not analysed"
            time.sleep(0.02)
