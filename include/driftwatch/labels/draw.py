"""How a day's sample is drawn: evenly or by strata, and beside it the images that are labelled for training alone."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from driftwatch.artifacts.annotation import AnnotationPlan, SampledImage, Stratum
from driftwatch.artifacts.store import DayStore
from driftwatch.config.model import LOGGED
from driftwatch.errors import NeedsAttention
from driftwatch.images.late import late_images
from driftwatch.labels.sample import Accepted, CanShow, ManyAccepted, Sample, accepted_images

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from driftwatch.labels.strata import Strata

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wanted:
    """What to draw: `images` for the sample, and `extra` ones for training."""

    seed: int
    images: int
    stratified: bool = False
    extra: int = 0


@dataclass(frozen=True)
class _Answered:
    """The accepted images that the model answered, by id. `answers` [n]: places in the classes; `scores` [n, classes], None without."""

    image_ids: tuple[str, ...]
    answers: np.ndarray
    scores: np.ndarray | None


def draw_sample(accepted: Accepted | ManyAccepted, wanted: Wanted, can_show: CanShow | None) -> Sample:
    """The day's sample. Only a stratified one, and images for training, need the day's predictions, and all accepted images."""
    if isinstance(accepted, ManyAccepted) or not (wanted.stratified or wanted.extra):
        return accepted.draw(wanted.seed, wanted.images, can_show)
    answered = _answered(accepted)
    if wanted.stratified:
        sample = _by_strata(accepted, answered, wanted, can_show)
    else:
        sample = accepted.draw(wanted.seed, wanted.images, can_show)
    return replace(sample, extra=_unsure(accepted, answered, sample, wanted.extra, can_show))


def keep_strata(day: DayStore, plan: AnnotationPlan) -> None:
    """Writes the stratum of every image, strata.parquet, before the pool of a stratified plan is asked for: the estimates need those of
    the images that were not drawn."""
    import pandas as pd

    if not plan.strata or plan.asked:
        return
    answered = _answered(accepted_images(day))
    strata = _strata(answered, day, plan.sample_size.images)
    names = [strata.names[place] for place in strata.of_image]
    day.storage.write_table(day.keys.strata, pd.DataFrame({"image_id": answered.image_ids, "stratum": names}))


def strata_of_images(day: DayStore) -> pd.Series | None:
    """The stratum of each image that the day's sample stands for, by image id; the categories are the plan's strata. None for a plain
    random sample. Images that came later have the stratum of the supplement that was drawn from them, or none."""
    import pandas as pd

    plan = day.find(AnnotationPlan)
    if plan is None or not plan.strata:
        return None
    table = day.storage.read_table(day.keys.strata)
    parts = [table[~table["image_id"].isin(late_images(day))].set_index("image_id")["stratum"]]
    for part in plan.supplements:
        for stratum in part.strata:
            drawn_from = day.storage.read_table(day.keys.supplement(part.number))["image_id"]
            parts.append(pd.Series(stratum.name, index=pd.Index(drawn_from, name="image_id"), name="stratum"))
    return pd.concat(parts).astype(pd.CategoricalDtype([stratum.name for stratum in plan.all_strata]))


def _answered(accepted: Accepted) -> _Answered:
    day = accepted.day
    table = day.storage.read_table(day.keys.predictions)
    table = table[table["prediction"].notna() & table["image_id"].isin(set(accepted.keys))].sort_values("image_id")
    missing = len(accepted.keys) - len(table)
    if missing and day.config.model.predictions != LOGGED:
        raise NeedsAttention(
            f"{day.storage.url(day.keys.predictions)} has no answer for {missing} of the day's images, and the sample is drawn by the answers "
            "(labels.sampling or labels.extra_for_training): clear predict_labels and what follows it"
        )
    if missing:
        log.info("%d images that production did not answer are not asked about: they say nothing of the model", missing)
    place = {name: index for index, name in enumerate(day.config.classes)}
    scores = table.reindex(columns=[f"score.{name}" for name in day.config.classes]).to_numpy(dtype=float)
    known = len(scores) > 0 and bool((scores == scores).all())
    answers = table["prediction"].map(place).to_numpy(dtype="int64")
    return _Answered(tuple(table["image_id"]), answers, scores if known else None)


def _strata(answered: _Answered, day: DayStore, wanted: int) -> Strata:
    from driftwatch.labels.strata import stratify

    return stratify(answered.answers, answered.scores, day.config.classes, wanted)


def _by_strata(accepted: Accepted, answered: _Answered, wanted: Wanted, can_show: CanShow | None) -> Sample:
    """From each stratum its number of images, in the order of the seed, which a plain sample has too."""
    strata = _strata(answered, accepted.day, wanted.images)
    images: list[SampledImage] = []
    changed: list[SampledImage] = []
    told = []
    for place, name in enumerate(strata.names):
        ids = [answered.image_ids[row] for row in (strata.of_image == place).nonzero()[0]]
        part = replace(accepted, keys={image_id: accepted.keys[image_id] for image_id in ids})
        drawn = part.draw(wanted.seed, int(strata.asked[place]), can_show)
        images += [image.model_copy(update={"stratum": name}) for image in drawn.images]
        changed += drawn.changed
        told.append(Stratum(name=name, images=len(ids), asked=len(drawn.images)))
    return Sample(tuple(sorted(images, key=lambda image: image.image_id)), tuple(changed), tuple(told))


def _unsure(
    accepted: Accepted, answered: _Answered, sample: Sample, wanted: int, can_show: CanShow | None
) -> tuple[SampledImage, ...]:
    """The `wanted` images outside the sample whose two best scores are nearest to each other, sorted by id."""
    if not wanted:
        return ()
    if answered.scores is None:
        log.warning("No image is labelled for training (labels.extra_for_training): production gave no scores")
        return ()
    two = answered.scores.copy()
    two.partition(two.shape[1] - 2, axis=1)
    order = (two[:, -1] - two[:, -2]).argsort(kind="stable")
    taken = {image.image_id for image in (*sample.images, *sample.changed)}
    found: list[SampledImage] = []
    for row in order:
        image_id = answered.image_ids[row]
        if len(found) == wanted:
            break
        if image_id not in taken and (can_show is None or can_show(image_id, accepted.keys[image_id])):
            found.append(SampledImage(image_id=image_id, key=accepted.keys[image_id]))
    return tuple(sorted(found, key=lambda image: image.image_id))
