"""A client of the WhyLabs stand-in, and what it sends."""

from __future__ import annotations

from datetime import date, datetime, timezone

import httpx
import numpy as np
import pandas as pd

KEY = "abcdefghij.secret-part"
DAY = date(2026, 1, 2)
MIDNIGHT = datetime(2026, 1, 2, tzinfo=timezone.utc)
MS = int(MIDNIGHT.timestamp() * 1000)
ORG = "/v0/organizations/org-1"
MODEL = f"{ORG}/models/model-1"


def features(rows: int = 40, shift: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    return pd.DataFrame({"image.Brightness.mean": rng.normal(100 + shift, 10, rows), "image.width": [320] * rows})


class Server:
    """A client with the key, and the state by day."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.Client(base_url=url, headers={"X-API-Key": KEY}, timeout=10)

    def state(self) -> dict:
        return self.http.get("/_sandbox/state").raise_for_status().json()["datasets"]["model-1"]

    def day(self, day: date = DAY) -> dict:
        return self.state()["days"][day.isoformat()]

    def reserve(self, timestamp: int = MS, **headers: str) -> dict:
        body = {"datasetTimestamp": timestamp, "segmentTags": [], "region": None}
        answer = self.http.post("/v1/log/async", json=body, headers={"X-WHYLABS-RESOURCE": "model-1", **headers})
        return answer.raise_for_status().json()

    def upload(self, payload: bytes, timestamp: int = MS, **headers: str) -> str:
        reserved = self.reserve(timestamp, **headers)
        assert httpx.put(reserved["uploadUrl"], content=payload).status_code == 200
        return reserved["id"]


def logged(rows: int = 40):
    from whylogs.core import DatasetProfile

    profile = DatasetProfile(dataset_timestamp=MIDNIGHT)
    profile.track(pandas=features(rows))
    return profile.view()
