"""The drift test: do a batch's images have other features than the reference's, at one false-alarm rate for the whole batch?

    features = extract_features(paths)
    reference = Reference.build(features, false_alarm_rate=0.01, seed=0)
    report = reference.test(batch_features)

The tests of `driftwatch.drift.two_sample` look at each feature. The largest of all their scores is the batch's score. The reference
itself tells how large that score gets without drift: thousands of times it is split at random into a batch of the same size and the
rest, and each split goes through the same computation. So the correlations between features, ties and the number of tests are
accounted for. The reference's own finite size is accounted for too: batch and rest are both samples in each split, as they are on a
real day. For a batch of more than half the reference the splits are into halves: each statistic is scaled by the sizes of its two
samples, and hardly depends on them beyond that. The p-value of each feature is adjusted by the largest score too (Westfall and Young,
1993, single step). So the batch has drifted exactly when at least one of its features has.

Images that are not independent count for less: columns `phash` (near-duplicates) and `group` of the batch give each image a
weight (driftwatch.drift.dependence), and the batch is tested as one of so many independent images. Where both have a column
`prediction`, a batch with another mix of classes is compared with a reference of its mix (driftwatch.drift.class_mix).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import pandas as pd

from driftwatch.artifacts.parts import DriftVerdict
from driftwatch.artifacts.reference import ReferenceSettings
from driftwatch.drift.class_mix import PREDICTION, rows_of_the_days_mix
from driftwatch.drift.decoding import decoding_where_large
from driftwatch.drift.dependence import bursts, effective_size, weights_of
from driftwatch.drift.two_sample import TESTS, effects, scores
from driftwatch.errors import DriftwatchError

if TYPE_CHECKING:
    from driftwatch.artifacts.store import MonitorStore

ReferenceKind = Literal["image_quality", "content"]
IMAGE_QUALITY: Final = "image_quality"
CONTENT: Final = "content"
DRIFTED: Final = "drifted"
OK: Final = "ok"
NOT_ENOUGH_EVIDENCE: Final = "not_enough_evidence"
SPLITS = 5_000
SPLITS_AT_ONCE = 20_000  # 100 MB of a reference's rows; a small rate takes more
MAX_REFERENCE = 5_000
MIN_REFERENCE = 50
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_DIGITS = 6  # of the scores kept in reference.json: a day comes out alike from the cache and from a new calibration


@dataclass(frozen=True)
class DriftReport:
    """What the test says of a batch.

    `score`: the largest -log10(p) over features and tests; `p_value`: the chance of such a score without drift. Both are None
    without enough evidence.
    `n`: the batch's images; `effective_n`: how many independent images they are worth; `weights`: how much of an independent image
    each is worth for each feature, [n, features], None where each is one.
    `reference_of_mix`: with how many of the reference's images the batch was compared, where its mix of classes differs; None where
    with all.
    `features`: one row for each feature, strongest first. Columns:
    test (which of ks, shift, low_tail, high_tail was strongest), statistic (its score),
    effect (Kolmogorov-Smirnov distance, 0 to 1), shift (of the median, in the reference's standard deviations by IQR),
    direction (up, down, or none where a constant stays), p_value (adjusted for all features and tests), verdict,
    reference_quantiles and batch_quantiles (5, 25, 50, 75, 95 %).

    >>> features = pd.DataFrame({"brightness": np.arange(100.0)})
    >>> report = Reference.build(features).test(features)
    >>> report.verdict, report.drifted, report.features.loc[0, "effect"].item()
    ('ok', False, 0.0)
    """

    verdict: DriftVerdict
    score: float | None
    p_value: float | None
    n: int
    effective_n: int
    false_alarm_rate: float
    features: pd.DataFrame
    weights: np.ndarray | None = None
    reference_of_mix: int | None = None

    @property
    def drifted(self) -> bool:
        return self.verdict == DRIFTED


@dataclass
class Reference:
    """A sample of the features of images without drift, and the calibrations made from it, one for each batch size.

    `features`: float columns, one row for each image, at most MAX_REFERENCE rows. `calibrations`: for each batch size the null
    distribution (how the score is distributed without drift) as {rank: score}; rank 1 is the largest score of all `splits`.
    `classes`: the predicted class of each image, where known. `strata`: one value for each image; each random split keeps their
    shares. None where it need keep none. `decoding`: how the features of large images were made (`OfFeatures`); None where no image is large.

    >>> rng = np.random.default_rng(0)
    >>> usual = pd.DataFrame({"brightness": rng.normal(120, 15, 500), "sharpness": rng.normal(5, 1, 500)})
    >>> reference = Reference.build(usual, false_alarm_rate=0.01)
    >>> darker = pd.DataFrame({"brightness": rng.normal(105, 15, 200), "sharpness": rng.normal(5, 1, 200)})
    >>> report = reference.test(darker)
    >>> report.verdict, report.n
    ('drifted', 200)
    >>> report.features.set_index("feature")["verdict"].to_dict()
    {'brightness': 'drifted', 'sharpness': 'ok'}
    """

    features: pd.DataFrame
    false_alarm_rate: float = 0.01
    seed: int = 0
    min_images: int = 30
    calibrations: dict[int, dict[int, float]] = field(default_factory=dict)
    classes: np.ndarray | None = None
    strata: np.ndarray | None = None
    decoding: int | None = None

    @classmethod
    def build(
        cls, features: pd.DataFrame, false_alarm_rate: float = 0.01, seed: int = 0, min_images: int = 30
    ) -> Reference:
        """The reference of `features`, as from extract_features or features.parquet. Columns that are not numbers are left out.

        Where there is a column `phash`, only the first of near-duplicates is kept. A column `prediction` has the class that the
        model sees in each image. Above MAX_REFERENCE rows a seeded sample is kept.

        Raises DriftwatchError for fewer than MIN_REFERENCE rows, for values that are not finite, and for a rate that is not between
        0 and 1.
        """
        if not 0 < false_alarm_rate < 1:
            raise DriftwatchError(f"false_alarm_rate is {false_alarm_rate}; it must lie between 0 and 1, like 0.01")
        burst = bursts(features)
        if burst is not None:
            features = features[~pd.Series(burst).duplicated().to_numpy()]
        features = features.reset_index(drop=True)
        numbers = features.drop(columns=PREDICTION, errors="ignore").select_dtypes("number").astype(float)
        if len(numbers) < MIN_REFERENCE or not len(numbers.columns):
            raise DriftwatchError(
                f"the reference has {len(numbers)} images and {len(numbers.columns)} features; "
                f"at least {MIN_REFERENCE} images and one feature are needed to calibrate a drift test: add images without drift"
            )
        _refuse_not_finite(numbers, "reference")
        if len(numbers) > MAX_REFERENCE:
            numbers = numbers.sample(MAX_REFERENCE, random_state=seed).sort_index()
        classes = _classes(features.loc[numbers.index])
        return cls(numbers.reset_index(drop=True), false_alarm_rate, seed, min_images, classes=classes)

    @property
    def splits(self) -> int:
        """How many random splits calibrate: enough for twenty of them to lie beyond the threshold."""
        return max(SPLITS, int(np.ceil(20 / self.false_alarm_rate)))

    def test(self, batch: pd.DataFrame) -> DriftReport:
        """Tests a batch, one row for each image. Columns that the reference lacks are ignored, but for `phash` and `group`.

        Where both have a column `prediction`, a batch with another mix of classes is compared with a reference of its mix.
        Raises DriftwatchError where a feature of the reference is missing or not finite.
        """
        columns = list(self.features.columns)
        missing = [column for column in columns if column not in batch.columns]
        if missing:
            raise DriftwatchError(
                f"the batch lacks the features {missing} of the reference: extract both with the same version of Driftwatch, "
                "or build the reference again"
            )
        values = batch[columns].astype(float)
        _refuse_not_finite(values, "batch")
        weights = weights_of(batch, columns)
        images = len(values)
        n = images if weights is None else effective_size(weights)
        if n < self.min_images:
            table = self._describe(values, np.full((len(columns), len(TESTS)), np.nan))
            return DriftReport(NOT_ENOUGH_EVIDENCE, None, None, images, n, self.false_alarm_rate, table, weights)
        ours = self._with_mix_of(batch, weights)
        null, of_mix = ours.calibration(n), None if ours is self else len(ours.features)
        pooled = np.concatenate([values.to_numpy(), ours.features.to_numpy()])
        shares = None if weights is None else np.concatenate([weights, np.ones(ours.features.shape)])
        found = scores(pooled, (np.arange(len(pooled)) < images)[:, None], shares)[:, :, 0]
        table = ours._describe(values, found, null)
        score, p_value = float(found.max()), self._p_value(null, float(found.max()))
        verdict: DriftVerdict = DRIFTED if p_value <= self.false_alarm_rate else OK
        return DriftReport(verdict, score, p_value, images, n, self.false_alarm_rate, table, weights, of_mix)

    def _with_mix_of(self, batch: pd.DataFrame, weights: np.ndarray | None) -> Reference:
        """This reference, or as much of it as has the batch's shares of classes where they differ."""
        day = _classes(batch)
        if self.classes is None or day is None:
            return self
        worth = np.ones(len(day)) if weights is None else weights.min(axis=1)
        rows = rows_of_the_days_mix(day, self.classes, worth, self.seed)
        if rows is None or len(rows) < MIN_REFERENCE:
            return self
        features, classes = self.features.iloc[rows].reset_index(drop=True), self.classes[rows]
        return dataclasses.replace(self, features=features, classes=classes, strata=classes, calibrations={})

    def calibration(self, n: int) -> dict[int, float]:
        """The null distribution of the score for batches of `n` independent images, computed once and kept in `calibrations`."""
        if n not in self.calibrations:
            values = self.features.to_numpy()
            parts = [scores(values, members).max(axis=(0, 1)) for members in self._random_splits(n)]
            null = np.sort(np.concatenate(parts))[::-1]
            # Every rank of the far tail, then ever fewer: a few kB for each size, and p-values exact where they decide.
            ranks = np.unique(np.concatenate([np.arange(1, 101), np.geomspace(100, len(null), 150).astype(int)]))
            self.calibrations[n] = {int(rank): round(float(null[rank - 1]), _DIGITS) for rank in ranks}
        return self.calibrations[n]

    def _random_splits(self, n: int) -> Iterator[np.ndarray]:
        """Which rows are the batch in each split: bool [rows, splits], SPLITS_AT_ONCE at a time."""
        rows = len(self.features)
        share, rng = min(n, rows // 2) / rows, np.random.default_rng([self.seed, n])
        strata = np.zeros(rows) if self.strata is None else self.strata
        for start in range(0, self.splits, SPLITS_AT_ONCE):
            members = np.zeros((rows, min(SPLITS_AT_ONCE, self.splits - start)), bool)
            for stratum in np.unique(strata):
                of = np.flatnonzero(strata == stratum)
                drawn = np.zeros((len(of), members.shape[1]), bool)
                drawn[: round(share * len(of))] = True
                members[of] = rng.permuted(drawn, axis=0)
            yield members

    def _p_value(self, null: dict[int, float], score: float) -> float:
        """The share of splits, the batch counted among them, that score at least as high; rounded up to a kept rank."""
        reached = next((rank for rank, value in null.items() if value < round(score, _DIGITS)), self.splits + 1)
        return reached / (self.splits + 1)

    def _describe(self, batch: pd.DataFrame, found: np.ndarray, null: dict[int, float] | None = None) -> pd.DataFrame:
        rows = []
        for index, column in enumerate(batch.columns):
            ours, theirs = batch[column].to_numpy(), self.features[column].to_numpy()
            p_value = self._p_value(null, float(found[index].max())) if null else float("nan")
            test = TESTS[int(found[index].argmax())] if null else ""
            effect, shift, mean_shift = effects(ours, theirs)
            direction = {"low_tail": "down", "high_tail": "up"}.get(test) or _sign(shift or mean_shift)
            rows.append(
                {
                    "feature": column,
                    "test": test,
                    "statistic": float(found[index].max()),
                    "effect": effect,
                    "shift": shift,
                    "direction": direction,
                    "p_value": p_value,
                    "verdict": (DRIFTED if p_value <= self.false_alarm_rate else OK) if null else NOT_ENOUGH_EVIDENCE,
                    "reference_quantiles": np.quantile(theirs, QUANTILES).tolist(),
                    "batch_quantiles": np.quantile(ours, QUANTILES).tolist() if len(ours) else [],
                }
            )
        return pd.DataFrame(rows).sort_values("statistic", ascending=False, kind="stable", ignore_index=True)

    def save(self, store: MonitorStore, version: str, kind: ReferenceKind = IMAGE_QUALITY) -> None:
        """Writes the sample and the settings of one kind of reference of model `version`."""
        known = {} if self.classes is None else {PREDICTION: self.classes}
        store.storage.write_table(store.keys.reference_features(version, kind), self.features.assign(**known))
        self.save_calibrations(store, version, kind)

    def save_calibrations(self, store: MonitorStore, version: str, kind: ReferenceKind = IMAGE_QUALITY) -> None:
        """Writes the settings and the calibrations alone.

        Days that run at the same time may overwrite each other's calibrations. What is lost is computed again, to the same numbers.
        """
        settings = ReferenceSettings(
            false_alarm_rate=self.false_alarm_rate,
            seed=self.seed,
            min_images=self.min_images,
            images=len(self.features),
            features=tuple(self.features.columns),
            splits=self.splits,
            calibrations={n: tuple(null.items()) for n, null in self.calibrations.items()},
        )
        if self.decoding is not None:
            settings = settings.model_copy(update={"decoding": self.decoding})
        store.write(store.keys.reference(version, kind), settings)

    @classmethod
    def load(cls, store: MonitorStore, version: str, kind: ReferenceKind = IMAGE_QUALITY) -> Reference:
        """Reads the reference of model `version`; raises MissingArtifact where none was built."""
        settings = store.read(store.keys.reference(version, kind), ReferenceSettings)
        table = store.storage.read_table(store.keys.reference_features(version, kind))
        return cls(
            table.drop(columns=PREDICTION, errors="ignore"),
            settings.false_alarm_rate,
            settings.seed,
            settings.min_images,
            {n: dict(null) for n, null in settings.calibrations.items()},
            _classes(table),
            decoding=decoding_where_large(table, settings.decoding),
        )


def _classes(table: pd.DataFrame) -> np.ndarray | None:
    return table[PREDICTION].astype(str).to_numpy(object) if PREDICTION in table.columns else None


def _sign(shift: float) -> str:
    return "up" if shift > 0 else "down" if shift < 0 else "none"


def _refuse_not_finite(values: pd.DataFrame, what: str) -> None:
    bad = values.columns[~np.isfinite(values.to_numpy()).all(axis=0)]
    if len(bad):
        raise DriftwatchError(f"the {what} has values that are not finite in {list(bad)}: leave those images out")
