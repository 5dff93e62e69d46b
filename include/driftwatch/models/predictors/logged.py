"""Production's own answers as a predictor: they are looked up by image id, and no image is looked at."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from driftwatch.artifacts.answers import Answers
from driftwatch.artifacts.store import MonitorStore
from driftwatch.config.model import LOGGED
from driftwatch.errors import NeedsAttention
from driftwatch.models import registry
from driftwatch.models.predictors.base import Asked, Predictions
from driftwatch.storage.tables import pieces

if TYPE_CHECKING:
    from driftwatch.artifacts.models import ModelCard

EMBEDDING = "embedding"


@dataclass(frozen=True)
class LoggedAnswers:
    """`known`: the registered answers by image id: prediction, score.<class>, model_version and embedding, of which the last three may be
    missing. Images of the days are looked up in the days' predictions."""

    store: MonitorStore
    card: ModelCard
    known: pd.DataFrame

    @property
    def input_size(self) -> tuple[int, int] | None:
        return None

    @property
    def classes(self) -> int:
        return len(self.card.classes)

    def predict(self, asked: Asked, batch_size: int) -> Predictions:
        """See `Predictor.predict`. An image that production has not answered has no answer here, and neither has one that it answered with a class
        that the version has not, as before a class was taken out. Raises NeedsAttention where nothing says which images are asked about."""
        if asked.image_ids is None:
            raise NeedsAttention(
                f"{self.card.version} are answers that production gave, and these images have no ids to look them up by"
            )
        ids = list(asked.image_ids)
        rows = self._with_days(ids).reindex(ids)
        rows = rows.where(rows["prediction"].isin(self.card.classes))
        scores = rows.reindex(columns=[f"score.{name}" for name in self.card.classes]).to_numpy(dtype=float)
        said = rows["prediction"].astype(object).where(rows["prediction"].notna(), None).tolist()
        versions = rows["model_version"] if "model_version" in rows else pd.Series(None, index=rows.index, dtype=object)
        told = [version if isinstance(version, str) else self.card.version for version in versions]
        return Predictions(scores, self._embeddings(rows), told, said)

    def _with_days(self, ids: Sequence[str]) -> pd.DataFrame:
        """The registered answers and, until all `ids` are found, those of the days, the newest first."""
        missing = set(ids) - set(self.known.index)
        found = [self.known]
        for date in reversed(self.store.days() if missing else []):
            day = self.store.day(date)
            if not missing:
                break
            if not (day.has(Answers) and day.storage.exists(day.keys.predictions)):
                continue
            wanted = pa.array([*missing], pa.string())
            parts = [
                part.filter(pc.is_in(part["image_id"], value_set=wanted))
                for part in pieces(day.storage, day.keys.predictions)
            ]
            here = pa.concat_tables(parts).to_pandas().set_index("image_id")
            found.append(here)
            missing -= set(here.index)
        return pd.concat([part for part in found if len(part)] or found)

    def _embeddings(self, rows: pd.DataFrame) -> np.ndarray | None:
        """float16 [n, width]; None where an answered image has none. A row of an image without an answer is 0."""
        if EMBEDDING not in self.known or not len(self.known):
            return None
        found = np.zeros((len(rows), len(self.known[EMBEDDING].iloc[0])), "float16")
        for place, (vector, said) in enumerate(zip(rows[EMBEDDING], rows["prediction"], strict=True)):
            if isinstance(vector, np.ndarray):
                found[place] = vector
            elif isinstance(said, str):
                return None
        return found


def load_answers(store: MonitorStore, version: str) -> LoggedAnswers:
    """The version's registered answers. Raises UnknownVersion, DamagedModel, and NeedsAttention for a version that is a model."""
    data, card = registry.model_file(store, version)
    if card.kind != LOGGED:
        raise NeedsAttention(
            f"{version} is a model of kind {card.kind}, which answers by itself: production's answers to a day are in the log of that day"
        )
    table = store.storage.parsed(
        registry.model_key(store, card), "parquet table", lambda: pd.read_parquet(io.BytesIO(data))
    )
    return LoggedAnswers(store, card, table.set_index("image_id"))
