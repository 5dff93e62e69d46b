"""The tables that ingest leaves of a day, written block by block: manifest, features, and the rows that a large day is judged by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from driftwatch.artifacts.ingest import Ingest, InputsIndex
from driftwatch.artifacts.model_input import ModelInput, pixel_fields
from driftwatch.artifacts.store import DayStore
from driftwatch.images.judged import JudgedImages
from driftwatch.images.late import keep_sampled
from driftwatch.images.one_pass import FEATURE_TABLE, features_table
from driftwatch.images.outcome import ACCEPTED, DUPLICATE, IGNORED, QUARANTINED
from driftwatch.images.picture import any_large
from driftwatch.images.segments import DaySegments, without_segment
from driftwatch.storage.tables import TableWriter, writing_table


class DayTables:
    """Writes the day's tables block by block, and counts."""

    def __init__(self, manifest: TableWriter, features: TableWriter, segments: DaySegments) -> None:
        self._manifest, self._features, self._segments = manifest, features, segments
        self.rows: list[int] = []
        """Accepted images in each block."""
        self.names: list[str] = []
        """The name of each block of inputs."""
        self.judged = JudgedImages()
        self._status: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._without_segment: Counter[str] = Counter()
        self._any_large = False

    def add(self, manifest: pa.Table, features: np.ndarray, name: str) -> None:
        """`manifest`: a table like MANIFEST; `name`: of the block's inputs."""
        with_segments = self._segments.added_to(manifest)
        self._manifest.add(with_segments)
        of_accepted = features_table(manifest, features)
        self._features.add(of_accepted)
        self.judged.add(with_segments, of_accepted)
        self._without_segment.update(without_segment(with_segments))
        self.rows.append(len(features))
        self.names.append(name)
        self._any_large |= any_large(features[:, 0], features[:, 1])
        status = manifest["status"]
        self._status.update(status.to_pylist())
        rejected = manifest["reason"].filter(pc.equal(status, QUARANTINED))
        self._reasons.update(reason.partition(":")[0] for reason in rejected.to_pylist())

    def counted(self, day: date, version: str, about: ModelInput, decoding: int) -> Ingest:
        """The counts of what was added. `version`: of the model that the day is judged by. `about`, `decoding`: how the day's inputs and features
        were made."""
        assert self._manifest.rows == sum(self._status.values())
        assert self._features.rows == sum(self.rows) == self._status[ACCEPTED]
        found = Ingest(
            day=day,
            listed=self._manifest.rows,
            accepted=self._status[ACCEPTED],
            duplicate=self._status[DUPLICATE],
            quarantined=self._status[QUARANTINED],
            ignored=self._status[IGNORED],
            reasons=dict(sorted(self._reasons.items())),
            model_version=version,
            **pixel_fields(about),
        )
        unknown = dict(sorted(self._without_segment.items()))
        later: dict[str, Any] = {"without_segment": unknown} if unknown else {}
        if self._any_large:
            later["decoding"] = decoding
        return found.model_copy(update=later)


@contextmanager
def writing_tables(day: DayStore, segments: DaySegments) -> Iterator[DayTables]:
    """Writes the day's manifest and features. If the pass fails, the earlier ones stay. Before they are replaced the earlier index of the inputs is
    removed. So a kill leaves tables and inputs that fit together, or no index; readers say that it is missing."""
    keep_sampled(day)
    with (
        writing_table(day.storage, day.keys.manifest, segments.schema) as manifest,
        writing_table(day.storage, day.keys.features, FEATURE_TABLE) as features,
    ):
        yield DayTables(manifest, features, segments)
        day.storage.delete(day.key(InputsIndex))
