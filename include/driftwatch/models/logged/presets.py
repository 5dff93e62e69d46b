"""Logs of two model servers, as records with the same fields: key, image_id, time, model_version, request and response.

SageMaker's data capture writes one line for each request, with the request's and the response's body, each as text (JSON or CSV) or in
base64. KServe's request logger sends one CloudEvent for each request and one for each response; the two have the same id. Its payloads
are those of the V1 protocol (`instances`, `predictions`) or of the V2 protocol (`inputs`, `outputs`), and can be of several images.

`image_id` is the sha256 of the image's bytes, where the log has these. `key` is what the caller gave to tell the request: SageMaker's
inference id, KServe's event id.
"""

from __future__ import annotations

import base64
import binascii
import csv
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from driftwatch.config.logged import LoggedColumns

_VARIANT = re.compile(r"([^/]+)/\d{4}/\d\d/\d\d/\d\d/[^/]+$")
_REQUEST, _RESPONSE = "inference.request", "inference.response"
# No name and no list of scores is as long, and hardly an image is shorter.
_LONG = 2000

Line = dict[str, Any]


def preset_columns(told: LoggedColumns) -> LoggedColumns:
    """The preset's columns, and in their place those that the monitor file names."""
    own: dict[str, Any] = {"time": "time", "model_version": "model_version"}
    if not told.prediction:
        own["scores"] = "response"
    if not told.key:
        own["image_id"] = "image_id"
    return told.model_copy(update={**own, **{name: getattr(told, name) for name in told.model_fields_set}})


def sagemaker_records(name: str, lines: Iterable[Line], broken: Counter[str]) -> Iterator[Line]:
    """The records of a data capture file. `name`: its address, which names the variant: endpoint/variant/YYYY/MM/DD/HH/file. What cannot be
    read is counted in `broken`."""
    variant = _VARIANT.search(name)
    for line in lines:
        capture, about = line.get("captureData"), line.get("eventMetadata") or {}
        if not isinstance(capture, dict) or not isinstance(about, dict) or "endpointOutput" not in capture:
            broken["no_response"] += 1
            continue
        try:
            request, digest = _body(capture.get("endpointInput") or {})
            response, _ = _body(capture["endpointOutput"])
            found = [*islice(images_in(request), 2)] if digest is None else [digest]
        except (ValueError, TypeError, AttributeError, RecursionError):
            broken["no_payload"] += 1
            continue
        if len(found) > 1:
            broken["several_images"] += 1
            continue
        yield {
            "key": about.get("inferenceId"),
            "image_id": found[0] if found else None,
            "time": about.get("inferenceTime"),
            "model_version": variant[1] if variant else None,
            "request": request,
            "response": response,
            "event": about,
        }


def _body(part: Line) -> tuple[Any, str | None]:
    """What the body says, and the sha256 of the image that it is, if it is one."""
    data, encoding = part.get("data"), str(part.get("encoding", "")).upper()
    kind = str(part.get("observedContentType", "")).partition(";")[0].strip().lower()
    if encoding == "BASE64" and isinstance(data, str):
        raw = base64.b64decode(data, validate=True)
        if kind.startswith("image/") or kind in ("application/x-image", "application/octet-stream"):
            return None, hashlib.sha256(raw).hexdigest()
        data = raw.decode("utf-8")
        encoding = "JSON" if "json" in kind else "CSV" if "csv" in kind else ""
    if not isinstance(data, str):
        return data, None
    return (json.loads(data) if encoding == "JSON" else _plain(data)), None


def _plain(text: str) -> Any:
    """A body without a told encoding: JSON, or else one line of CSV: a list of its fields, or the field alone."""
    try:
        return json.loads(text)
    except ValueError:
        lines = text.strip().splitlines()
        if len(lines) > 1:
            raise ValueError("the answers to a batch, and one line is about one image") from None
        try:
            fields = next(csv.reader(lines), [])
        except csv.Error as error:
            raise ValueError(str(error)) from error
        return fields[0] if len(fields) == 1 else fields


@dataclass(frozen=True)
class Event:
    """One event of KServe's log: a request or a response about some images. `parts`: what the payload says of each; of images and tensors of
    pixels nothing is kept but the sha256 in `digests`."""

    id: Any
    is_request: bool
    parts: tuple[Any, ...]
    digests: tuple[str | None, ...]
    about: Line


def events_of(lines: Iterable[Line], broken: Counter[str]) -> Iterator[Event]:
    """The requests and responses of a file; what is neither, or cannot be read, is counted in `broken`."""
    for line in lines:
        kind = str(line.get("type", ""))
        if not kind.endswith((_REQUEST, _RESPONSE)):
            broken["no_response"] += 1
            continue
        is_request, name = kind.endswith(_REQUEST), line.get("id")
        about = {name: value for name, value in line.items() if name not in ("data", "data_base64")}
        try:
            if isinstance(name, dict | list):
                raise ValueError("the id is no text")
            payload = _payload(line)
            parts = tuple(_instances(payload))
            digests = tuple(map(image_in, parts)) if is_request else ()
            kept = tuple(map(_small, parts)) if is_request else parts
        except (ValueError, TypeError, KeyError, AttributeError, IndexError, ZeroDivisionError, RecursionError):
            # Of a request the response says that something is missing.
            broken["no_payload"] += not is_request
            continue
        about["model_version"] = payload.get("model_version") or line.get("inferenceservicename")
        yield Event(name, is_request, kept, digests, about)


def requests_of(events: Iterable[Event]) -> dict[Any, Event]:
    """The requests by their id. Without an id, and of one that several other requests have, nobody knows which response belongs to which."""
    found: dict[Any, Event] = {}
    several: set[Any] = set()
    for event in events:
        if event.is_request and event.id is not None:
            first = found.setdefault(event.id, event)
            if (first.parts, first.digests) != (event.parts, event.digests):
                several.add(event.id)
    return {name: event for name, event in found.items() if name not in several}


def kserve_records(events: Sequence[Event], requests: Mapping[Any, Event], broken: Counter[str]) -> Iterator[Line]:
    """The answers among the `events` of a file, each with its request: one record for each image of a batch. `requests`: those of all
    files, as `requests_of` gives them. A request without a response is an image without an answer: it has no row."""
    for event in events:
        request = requests.get(event.id)
        if event.is_request:
            continue
        if not event.parts or (request and len(request.parts) != len(event.parts)):
            broken["no_payload"] += 1
            continue
        for place, response in enumerate(event.parts):
            yield {
                "key": event.id if len(event.parts) == 1 else None,
                "image_id": request.digests[place] if request else None,
                "time": event.about.get("time"),
                "model_version": event.about["model_version"],
                "request": request.parts[place] if request else None,
                "response": response,
                "event": event.about,
            }


def _payload(event: Line) -> Line:
    data = event.get("data")
    if data is None and "data_base64" in event:
        data = base64.b64decode(event["data_base64"], validate=True).decode("utf-8")
    found = json.loads(data) if isinstance(data, str) else data
    if not isinstance(found, dict):
        raise ValueError("the payload is no JSON object")
    return found


def _instances(payload: Line) -> Iterator[Any]:
    """The payload cut into its images: V1's list, or V2's tensors along their first axis."""
    for name in ("instances", "predictions"):
        if name in payload:
            if not isinstance(payload[name], list):
                raise ValueError(f"{name} is no list")
            yield from payload[name]
            return
    tensors = payload.get("inputs") or payload.get("outputs") or []
    count = min((tensor["shape"][0] for tensor in tensors), default=0)
    for place in range(count):
        parts = {tensor["name"]: _row(tensor, place) for tensor in tensors}
        yield next(iter(parts.values())) if len(parts) == 1 and "outputs" in payload else parts


def _row(tensor: Line, place: int) -> Any:
    data, count = tensor["data"], tensor["shape"][0]
    if len(data) == count:  # nested, or one value for each
        return data[place]
    if len(data) < count:
        raise ValueError("the shape tells of more images than there are data for")
    width = len(data) // count
    row = data[place * width : (place + 1) * width]
    return row[0] if width == 1 else row


def image_in(value: Any) -> str | None:
    """The sha256 of the first image that stands in a request."""
    return next(images_in(value), None)


def images_in(value: Any) -> Iterator[str]:
    """The sha256 of each image that stands in a request in base64: the texts that are named `b64`, or are as long as an image."""
    for text in _texts(value):
        try:
            yield hashlib.sha256(base64.b64decode(text, validate=True)).hexdigest()
        except (binascii.Error, ValueError):
            continue


def _texts(value: Any, named: bool = False) -> Iterator[str]:
    if isinstance(value, str):
        if named or len(value) >= _LONG:
            yield value
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from _texts(part, named or name == "b64")
    elif isinstance(value, list) and not (value and isinstance(value[0], int | float)):
        for part in value:
            yield from _texts(part, named)


def _small(value: Any) -> Any:
    """The value without images and tensors of pixels."""
    if isinstance(value, dict):
        return {name: _small(part) for name, part in value.items()}
    return None if isinstance(value, str | list) and len(value) >= _LONG else value
