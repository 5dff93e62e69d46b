"""WhyLabs' API over the project's transport: what whylogs' own writer sends, with time limits, repeats and errors that say what to do.

Paths and bodies: https://api.whylabsapp.com/swagger-ui (Songbird). An upload takes two steps: the API reserves it and answers a
presigned URL that lives 15 minutes; a PUT without credentials sends the profile there, and only the answer 200 is a success.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, datetime, timedelta, timezone
from datetime import time as clock_time
from typing import Any, Literal

import httpx
from pydantic import JsonValue

from driftwatch.credentials import Access, usable_address, usable_secret
from driftwatch.errors import NeedsAttention
from driftwatch.http import Call, Limits, Service, ServiceError, client_for, is_temporary, limits_of
from driftwatch.publish.base import Slot
from driftwatch.publish.whylabs.errors import UPLOAD_HINT, WhyLabsError, whylabs_error, without_answer

# What WhyLabs writes and reads: its fields are WhyLabs' own.
Document = dict[str, JsonValue]
DEFAULT_ENDPOINT = "https://api.whylabsapp.com"
DEFAULT_LIMITS = Limits(timeout=30)


class WhyLabsApi:
    """One organisation, and one dataset where the call needs it.

    `api_key`: `<id>.<secret>`, or `<id>.<secret>:<org-id>`, which then names the organisation. `connection`: where these come
    from, for messages. Nothing connects before the first call.
    """

    def __init__(
        self,
        endpoint: str,
        api_key: str,
        organisation: str = "",
        dataset: str | None = None,
        limits: Limits = DEFAULT_LIMITS,
        connection: str = "the WhyLabs connection",
    ) -> None:
        api_key = usable_secret(api_key, f"the password (API key) of {connection}")
        key, _, key_organisation = api_key.partition(":")
        if not key:
            raise NeedsAttention(f"no WhyLabs API key: set the password of {connection}")
        self.organisation = key_organisation or organisation.strip()
        if not self.organisation:
            raise NeedsAttention(f"no WhyLabs organisation: set org_id in the extras of {connection}, like org-1")
        self.endpoint = usable_address(endpoint or DEFAULT_ENDPOINT, f"the WhyLabs address in {connection}")
        self.dataset = dataset
        self._headers = {"X-API-Key": api_key, "Accept": "application/json", "X-WhyLabs-File-Extension": "BIN"}
        self.limits = limits
        self._service = Service("WhyLabs", connection, (api_key, key, key.partition(".")[2]))

    def __repr__(self) -> str:
        return f"WhyLabsApi({self.endpoint}, {self.organisation}, {self.dataset})"

    @property
    def _organisation_path(self) -> str:
        return f"/v0/organizations/{self.organisation}"

    @property
    def _monitor_config_path(self) -> str:
        return f"{self._organisation_path}/models/{self.need_dataset()}/monitor-config"

    def need_dataset(self) -> str:
        """The dataset's id; raises NeedsAttention where none was given."""
        if not self.dataset:
            raise NeedsAttention("no WhyLabs dataset: set publish.dataset in the monitor file, like model-1")
        return self.dataset

    def reserve_profile(
        self, dataset_timestamp: datetime | date, idempotency_key: str | None = None, zipped: bool = False
    ) -> Slot:
        """The first step of an upload; `zipped`: of a zip of profiles, whose segments stand in their files. Raises WhyLabsKeyAlreadyUsed for a
        key that was used before."""
        body: Document = {"datasetTimestamp": _ms(dataset_timestamp), "segmentTags": [], "region": None}
        headers = {"X-WHYLABS-RESOURCE": self.need_dataset()}
        if zipped:
            headers["X-WhyLabs-File-Extension"] = "ZIP"
        return self._reserve("/v1/log/async", body, headers, idempotency_key)

    def reserve_reference(
        self, alias: str, dataset_timestamp: datetime | date, idempotency_key: str | None = None
    ) -> Slot:
        """The first step of a reference's upload."""
        body: Document = {"alias": alias, "datasetTimestamp": _ms(dataset_timestamp), "region": None}
        return self._reserve(
            f"{self._organisation_path}/log/reference/{self.need_dataset()}", body, {}, idempotency_key
        )

    def send(self, slot: Slot, payload: bytes) -> None:
        """The second step. Raises WhyLabsError, `uncertain` when the profile may have arrived."""
        headers = {"Content-Type": "application/octet-stream"}
        what = f"sending upload {slot.upload_id}"
        # The address of an upload is a permission to write by its query: no message names it.
        call = Call(shown="upload")
        with client_for(self._service, self.limits, follow_redirects=True) as client:
            response = self._request(client, what, "PUT", slot.address, call, headers=headers, content=payload)
        if response.status_code != 200:
            # What passes has the API's own hint.
            hint = None if is_temporary(response.status_code) else UPLOAD_HINT
            raise whylabs_error(what, response, self._service.connection, hint)

    def delete_day(self, day: date) -> None:
        """Asks for the deletion of the day's profiles and analysis results; WhyLabs carries it out within an hour or so."""
        start, stop = _span_ms(day)
        query = {"profile_start_timestamp": start, "profile_end_timestamp": stop, "delete_analyzer_results": "true"}
        self._call("DELETE", f"{self._organisation_path}/dataset-profiles/models/{self.need_dataset()}", params=query)

    def deletion_pending(self, day: date) -> bool:
        """Whether a deletion that touches the day is not carried out yet."""
        start, stop = _span_ms(day)
        requests = self._call("GET", f"{self._organisation_path}/dataset-profiles/delete-requests/dataset-profiles")
        return any(
            request["datasetId"] == self.need_dataset()
            and request["status"] in ("PENDING", "PROCESSING")
            and (request.get("deleteGte") or 0) < stop
            and (request.get("deleteLt") or math.inf) > start
            for request in requests
        )

    def read_day(self, day: date, metric: str, column: str | None = None) -> float | None:
        """A day's value of a dataset metric (`profile.count`, `classification.accuracy`) or of a column's (`count`, `mean`,
        `median`, …); None where WhyLabs has none, yet or at all."""
        body = {"interval": _interval(day), "metric": metric} | ({"column": column} if column else {})
        path = f"{self._organisation_path}/dataset/{self.need_dataset()}/data/metric-timeseries"
        points = self._call("POST", path, json=body)["data"]
        values = [point["value"] for point in points if point.get("value") is not None]
        return float(values[0]) if values else None

    def profile_count(self, day: date) -> int:
        """How many uploads WhyLabs has merged into the day."""
        return int(self.read_day(day, "profile.count") or 0)

    def monitor_config(self) -> dict[str, list[Document]]:
        """The dataset's whole configuration: `analyzers`, `monitors`, each with `metadata` of WhyLabs' own."""
        found: dict[str, list[Document]] = self._call("GET", f"{self._monitor_config_path}/v3")
        return found

    def put_monitor_config(self, kind: Literal["analyzer", "monitor"], document: Document) -> None:
        """Writes one document under its id. May be repeated."""
        self._call("PUT", f"{self._monitor_config_path}/{kind}/{document['id']}", json=document)

    def analysis_results(self, day: date, analyzers: Sequence[str]) -> list[Document]:
        """What the analyzers have found about the day: a row for each analysis, also where it failed or found no anomaly.
        An analyzer without a row has not looked at the day."""
        body = {
            "interval": _interval(day),
            "offset": 0,
            "limit": 1000,
            "analyzerIds": list(analyzers),
            "onlyAnomalies": False,
            "includeFailures": True,
        }
        path = f"{self._organisation_path}/dataset/{self.need_dataset()}/data/analysis-results"
        found: list[Document] = self._call("POST", path, json=body)["results"]
        return found

    def check(self) -> str:
        """Reads the dataset's name, or the organisation's list of datasets; one line on what was found, for people."""
        path = f"{self._organisation_path}/models"
        if self.dataset:
            model = self._call("GET", f"{path}/{self.dataset}")
            return f"{self.endpoint}: {self.organisation}/{self.dataset} is {model.get('name', self.dataset)!r}"
        found = [model["id"] for model in self._call("GET", path)["items"]]
        return f"{self.endpoint}: {self.organisation} has {len(found)} dataset(s): {', '.join(found[:10]) or 'none'}"

    def _reserve(self, path: str, body: Document, headers: dict[str, str], idempotency_key: str | None) -> Slot:
        if idempotency_key is not None:
            headers = {**headers, "X-WHYLABS-IDEMPOTENCY-KEY": idempotency_key}
        answer = self._call("POST", path, json=body, headers=headers)
        try:
            return Slot(answer["id"], answer["uploadUrl"])
        except (KeyError, TypeError) as error:
            what = f"POST {path} at {self.endpoint}"
            raise WhyLabsError(f"{what}: the answer has no id and uploadUrl; {self._is_it_whylabs}", 200) from error

    def _call(self, method: str, path: str, **arguments: Any) -> Any:
        what = f"{method} {path} at {self.endpoint}"
        # A POST may be repeated too: it reads, or it reserves an upload, and a reserved upload counts nothing.
        call = Call(repeatable=True, shown=path)
        with client_for(self._service, self.limits, base_url=self.endpoint, headers=self._headers) as client:
            response = self._request(client, what, method, path, call, **arguments)
        if response.status_code != 200:
            raise whylabs_error(what, response, self._service.connection)
        try:
            return response.json()
        except ValueError as error:
            raise WhyLabsError(f"{what}: the answer is not JSON; {self._is_it_whylabs}", 200) from error

    @property
    def _is_it_whylabs(self) -> str:
        return f"check that the address in {self._service.connection} is WhyLabs' API"

    def _request(
        self, client: httpx.Client, what: str, method: str, url: str, call: Call, **arguments: Any
    ) -> httpx.Response:
        try:
            return client.request(method, url, extensions=call.extensions, **arguments)
        except ServiceError as error:
            raise without_answer(what, error, self.limits.timeout) from error


def whylabs_api(access: Access, dataset: str | None) -> WhyLabsApi:
    """The API as a connection describes it: extras `org_id`, `timeout` (seconds for each request) and `retries`."""
    organisation = str(access.extras.get("org_id") or "")
    return WhyLabsApi(
        access.address,
        access.secret,
        organisation,
        dataset,
        limits_of(access, DEFAULT_LIMITS.timeout),
        connection=access.name,
    )


def _ms(moment: datetime | date) -> int:
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, clock_time(), timezone.utc)
    elif moment.tzinfo is None:
        raise ValueError(f"dataset timestamp {moment} has no time zone: give it one, such as timezone.utc")
    return int(moment.timestamp() * 1000)


def _interval(day: date) -> str:
    return f"{day.isoformat()}T00:00:00.000Z/P1D"


def _span_ms(day: date) -> tuple[int, int]:
    return _ms(day), _ms(day + timedelta(days=1))
