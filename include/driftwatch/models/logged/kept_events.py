"""The events of KServe's log, kept on the local disk by their id: a request and its response may stand in different files."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from driftwatch.models.logged.presets import Event, kserve_records, requests_of
from driftwatch.storage.joining import Parts, part_of

_BATCH = 1 << 20  # images in one event at most, for the order of the rows


@dataclass
class KeptAnswers:
    """The answers of some events, in their order. `orders`: the place of each among the rows of the log. `broken`: how many could not be read, by
    the reason. `rows`: how many each file has, by its number, broken ones too."""

    records: list[dict[str, Any]] = field(default_factory=list)
    orders: list[int] = field(default_factory=list)
    broken: Counter[str] = field(default_factory=Counter)
    rows: Counter[int] = field(default_factory=Counter)


class KeptEvents:
    """Takes the events file by file, and gives their answers part by part: all events of one id are in one part."""

    def __init__(self, parts: Parts) -> None:
        self._parts, self._files, self._taken = parts, 0, 0

    def add(self, events: Sequence[Event]) -> None:
        """Those of the next file."""
        if events:
            ids = pa.array([json.dumps(event.id) for event in events], pa.string())
            table = pa.table(
                {
                    "order": range(self._taken, self._taken + len(events)),
                    "file": [self._files] * len(events),
                    "event": [json.dumps(vars(event)) for event in events],
                }
            )
            self._parts.add(table, part_of(pa.chunked_array([ids]), self._parts.count))
        self._files, self._taken = self._files + 1, self._taken + len(events)

    def answers(self) -> Iterator[KeptAnswers]:
        """All answers, each with its request."""
        for number in range(self._parts.count):
            kept = self._parts.part(number)
            if kept is not None:
                yield _answers(kept)


def _answers(kept: pa.Table) -> KeptAnswers:
    found = KeptAnswers()
    rows = [(row["order"], row["file"], _event(row["event"])) for row in kept.to_pylist()]
    requests = requests_of(event for _, _, event in rows)
    for order, file, event in rows:
        broken: Counter[str] = Counter()
        records = [*kserve_records([event], requests, broken)]
        found.records += records
        found.orders += range(order * _BATCH, order * _BATCH + len(records))
        found.broken += broken
        found.rows[file] += len(records) + broken.total()
    return found


def _event(text: str) -> Event:
    told = json.loads(text)
    return Event(told["id"], told["is_request"], tuple(told["parts"]), tuple(told["digests"]), told["about"])
