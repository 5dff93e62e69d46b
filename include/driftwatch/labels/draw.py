"""How a day's sample is drawn: evenly or by strata, and beside it the images that are labelled for training alone."""

from __future__ import annotations

from dataclasses import dataclass, replace

from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.artifacts.store import DayStore
from driftwatch.labels.answered import answered_in
from driftwatch.labels.sample import Accepted, CanShow, ManyAccepted, Sample, accepted_of_any_day


@dataclass(frozen=True)
class Wanted:
    """What to draw: `images` for the sample, and `extra` ones for training."""

    seed: int
    images: int
    stratified: bool = False
    extra: int = 0


def draw_sample(accepted: Accepted | ManyAccepted, wanted: Wanted, can_show: CanShow | None) -> Sample:
    """The day's sample. Only a stratified one, and images for training, need the day's predictions."""
    if not (wanted.stratified or wanted.extra):
        return accepted.draw(wanted.seed, wanted.images, can_show)
    answered = answered_in(accepted)
    if wanted.stratified:
        sample = answered.by_strata(wanted.seed, wanted.images, can_show)
    else:
        sample = accepted.draw(wanted.seed, wanted.images, can_show)
    if not wanted.extra:
        return sample
    taken = {image.image_id for image in (*sample.images, *sample.changed)}
    return replace(sample, extra=answered.unsure(wanted.extra, taken, can_show))


def keep_strata(day: DayStore, plan: AnnotationPlan) -> None:
    """Writes the stratum of every image, strata.parquet, before the pool of a stratified plan is asked for: the estimates need those of
    the images that were not drawn."""
    if plan.strata and not plan.asked:
        answered_in(accepted_of_any_day(day)).write_strata(plan.sample_size.images)
