"""The tables of a day, read to be compared: who answered what, and which images have a label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftwatch.accuracy.as_plain import as_plain
from driftwatch.accuracy.strata import KnownStrata
from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.artifacts.forgetting import FORGOTTEN
from driftwatch.artifacts.ingest import Ingest
from driftwatch.artifacts.label_table import LabelTable, TableTruth
from driftwatch.artifacts.store import DayStore
from driftwatch.config.model import LOGGED
from driftwatch.errors import DriftwatchError, NeedsAttention
from driftwatch.images.judged import is_sampled, judged_predictions, told_of
from driftwatch.images.late import late_images
from driftwatch.labels.annotators import whose_votes_count
from driftwatch.labels.consensus import counted_votes
from driftwatch.labels.kept_strata import images_of_strata, strata_of_images
from driftwatch.models.as_trained import as_trained
from driftwatch.models.serving import AnsweredBy, answered_on

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class DayTables:
    """What is compared. `version`: the registered one; `answered`: who answered; `sample`: labels.parquet, without images of a greater
    chance than the others; `late`: the images of the `accepted` ones that no sample could be drawn from; `labelled`: those of the sample with a label and an
    answer, whichever version gave it; `predictions`: the day's, of a day that is judged by a sample those of the sample; `unpredicted`: how many have a label and no answer; `votes`: the counted ones. `strata`: of each
    image, and `weights`: for how many each image of the sample stands; None and empty for a plain random sample. Of a day that is judged by a sample `strata` is that of
    the labelled images and of `predictions`, and `stratum_images` has for each version how many images of each stratum it answered. `truth`: the table that
    the labels come from, None where people labelled the images."""

    version: str
    answered: AnsweredBy
    sample: pd.DataFrame
    late: Collection[str]
    plan: AnnotationPlan | None
    accepted: int
    predictions: pd.DataFrame
    assignments: pd.DataFrame
    labelled: pd.DataFrame
    unpredicted: int
    votes: pd.DataFrame
    strata: pd.Series | None
    stratum_images: Mapping[str, Mapping[str, int]] | None
    weights: Mapping[str, float]
    truth: TableTruth | None

    @property
    def no_interval(self) -> str | None:
        """Why the labels say nothing of the other images; None where they do."""
        return self.truth.no_interval if self.truth else None

    @property
    def serving(self) -> str:
        """The version that the verdict is about."""
        assert self.answered.serving is not None, "a day without an answer is refused when it is read"
        return self.answered.serving

    @property
    def scored(self) -> pd.DataFrame:
        """The labelled images that the serving version answered."""
        return self.of(self.serving, self.labelled)

    @property
    def plain(self) -> pd.DataFrame:
        """`scored`, as a plain random sample would have it."""
        return as_plain(self.scored, self.weights)

    def strata_of(self, version: str) -> KnownStrata | None:
        """The strata of the images that the version answered."""
        if self.strata is None:
            return None
        if self.stratum_images is not None:
            versions = [version] if self.answered.several else [*self.stratum_images]
            counts = sum((Counter(self.stratum_images.get(name, {})) for name in versions), Counter[str]())
            return KnownStrata(self.strata, counts)
        answered = self.of(version, self.predictions)["image_id"]
        return KnownStrata.counted(self.strata[self.strata.index.isin(answered)])

    def of(self, version: str, table: pd.DataFrame) -> pd.DataFrame:
        """The rows that the version answered."""
        return table[table["model_version"] == version] if self.answered.several else table


def read_tables(day: DayStore) -> DayTables:
    """The day's tables. Raises DriftwatchError for a day without an answer, and for labelled images without one."""
    sample = day.storage.read_table(day.keys.labels)
    whole = not is_sampled(day)
    predictions = day.storage.read_table(day.keys.predictions) if whole else judged_predictions(day)
    assignments = whose_votes_count(day.storage.read_table(day.keys.assignments), day.config)
    answered = answered_on(day, predictions)
    if answered.serving is None:
        raise DriftwatchError(f"{day.keys.predictions}: no image of the day has an answer; clear predict_labels")
    # Not by the monitor file: it may name another backend now than when the day was labelled.
    table = day.find(LabelTable)
    truth = table.truth() if table else None
    # People who check a table have a plan, and it is no plan of the labels.
    ingest, plan = day.find(Ingest), None if truth else day.find(AnnotationPlan)
    if plan is not None and plan.surplus:
        sample = sample[~sample["image_id"].isin(plan.surplus)].reset_index(drop=True)
    sample = _without_gone(sample, day)
    late: Collection[str] = [] if truth else late_images(day, plan.supplements if plan else ())
    version = ingest.model_version if ingest else answered.serving
    accepted = ingest.accepted if ingest else len(predictions)
    with_label = sample[sample["label"].notna()]
    ids = with_label["image_id"].tolist()
    labelled = _join(with_label, predictions if whole else _answers_to(day, ids, predictions.columns), day)
    votes = counted_votes(assignments, sample["image_id"].tolist(), as_trained(day.monitor, version))
    unpredicted = len(with_label) - len(labelled)
    told = None if whole else {*predictions["image_id"], *ids}
    strata = strata_of_images(day, told) if plan else None
    return DayTables(
        version=version,
        answered=answered,
        sample=sample,
        late=late,
        plan=plan,
        accepted=accepted,
        predictions=predictions,
        assignments=assignments,
        labelled=labelled,
        unpredicted=unpredicted,
        votes=votes,
        strata=strata,
        stratum_images=None if whole or strata is None else images_of_strata(day),
        weights=plan.weights if plan else {},
        truth=truth,
    )


def _without_gone(sample: pd.DataFrame, day: DayStore) -> pd.DataFrame:
    """Without the images that were forgotten and that the day, which was taken in again since, has no more: what people said of them is about no image
    of the day."""
    forgotten = sample["image_id"].str.startswith(FORGOTTEN)
    if not forgotten.any():
        return sample
    there = told_of(day, day.keys.features, [], sample.loc[forgotten, "image_id"].tolist())["image_id"]
    return sample[~forgotten | sample["image_id"].isin(there)].reset_index(drop=True)


def _answers_to(day: DayStore, ids: Sequence[str], columns: Sequence[str]) -> pd.DataFrame:
    """The rows of predictions.parquet about these images, with these of its columns."""
    return told_of(day, day.keys.predictions, [name for name in columns if name != "image_id"], ids)


def _join(labelled: pd.DataFrame, predictions: pd.DataFrame, day: DayStore) -> pd.DataFrame:
    """The labelled images with their answers. Only production's log may lack an answer; it is counted, and the image is left out."""
    scored = labelled[["image_id", "label"]].merge(predictions, on="image_id", how="left", validate="one_to_one")
    lost = scored.loc[scored["prediction"].isna(), "image_id"]
    if len(lost) and day.config.model.predictions == LOGGED:
        return scored[scored["prediction"].notna()].reset_index(drop=True)
    if len(lost):
        there = told_of(day, day.keys.features, [], lost.tolist())["image_id"]
        gone = lost[~lost.isin(there)]
        raise NeedsAttention(
            f"{day.keys.predictions}: {len(lost)} labelled image(s) have no prediction, the first is {lost.iloc[0]}: "
            + (
                f"{len(gone)} of them are in the day no more, which was taken in again since. Put the files back and clear ingest_images; if they "
                "are gone for good, the verdict that the day has stays"
                if len(gone)
                else "clear predict_labels"
            )
        )
    return scored
