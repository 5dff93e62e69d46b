"""The words of an alert. The subject tells what happened. The message gives the numbers that matter, and says what to do.

There is one function for each class of `driftwatch.artifacts.alerts`. To change the words of an alert, change its function here.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import singledispatch

from driftwatch.artifacts.alerts import (
    Alert,
    AnswersDrifted,
    DayFailed,
    ImagesDrifted,
    ModelGotWorse,
    ModelPromoted,
    ModelRolledBack,
    NoImages,
    PoolTooShort,
    RetrainingFailed,
    SegmentsGotWorse,
    TooFewLabels,
    TooManyUnusable,
    TrainingSetHandedOver,
)
from driftwatch.artifacts.ended_alerts import EpisodeEnded
from driftwatch.artifacts.models_alerts import MlflowAliasMoved
from driftwatch.artifacts.retraining import GateResult
from driftwatch.view import advice
from driftwatch.view.alert_words import Words, performance_numbers
from driftwatch.view.drift_alerts import answers_drifted, images_drifted
from driftwatch.view.episodes import names, of_alert, said, whole_line
from driftwatch.view.mlflow import shows, to_follow
from driftwatch.view.numbers import percent
from driftwatch.view.segment_accuracy import segment_reasons, worse_title
from driftwatch.view.segments import coming_lines
from driftwatch.view.shares import accuracy_text
from driftwatch.view.states import after_promotion
from driftwatch.view.watch_words import finding_words
from driftwatch.view.words import accuracy_and_floor, count, listing, one_line
from driftwatch.watch.findings import Finding


def alert_text(monitor: str, alert: Alert, links: Mapping[str, str]) -> tuple[str, str]:
    """The subject, one line, and the message, plain text. `links`: addresses by name, in their order."""
    words = words_of(alert)
    lines = [f"{one_line(words.said, 1000)}.", ""]
    lines += [f"  {name}: {one_line(value, 1000)}" for name, value in words.numbers.items()]
    if words.reasons:
        lines += ["", f"Because: {one_line(' '.join(words.reasons), 1000)}"]
    lines += ["", f"What to do: {words.advice}"]
    if links:
        lines += ["", *(f"{name}: {address}" for name, address in links.items())]
    where = f"{monitor} {alert.about_day}".rstrip()
    return one_line(f"[{where}] {words.said}"), "\n".join(lines)


@singledispatch
def words_of(alert: Alert) -> Words:
    """The words for what happened."""
    raise TypeError(f"{type(alert).__name__} has no words: register a function for it in {__name__}")


words_of.register(ImagesDrifted, images_drifted)
words_of.register(AnswersDrifted, answers_drifted)
words_of.register(Finding, finding_words)


@words_of.register
def _episode_ended(alert: EpisodeEnded) -> Words:
    episode = alert.episode
    held = {"episode": f"{count(episode.alarms, 'day')} with an alarm: {names([sign.name for sign in episode.signs])}"}
    return Words("; ".join([whole_line(episode, alert.day), *coming_lines(alert.new)]), held, advice.NOTHING)


@words_of.register
def _model_got_worse(alert: ModelGotWorse) -> Words:
    found = alert.performance
    worse = (
        "Critical: the" if found.severity == "critical" else "The"
    ) + f" model got worse: {accuracy_and_floor(found)}"
    return Words(
        said(worse, alert.episode, alert.day),
        {**of_alert(alert.episode, alert.day), **performance_numbers(found)},
        advice.MODEL_GOT_WORSE,
        alert.reasons,
    )


@words_of.register
def _segments_got_worse(alert: SegmentsGotWorse) -> Words:
    found = alert.performance
    return Words(
        said(f"The model is worse in {worse_title(found)}", alert.episode, alert.day),
        {**of_alert(alert.episode, alert.day), **performance_numbers(found)},
        advice.SEGMENTS_GOT_WORSE,
        tuple(segment_reasons(found)),
    )


@words_of.register
def _too_few_labels(alert: TooFewLabels) -> Words:
    found = alert.performance
    return Words(
        f"Not enough evidence about the model: {count(found.labels, 'label')}, accuracy {accuracy_text(found.accuracy)}",
        performance_numbers(found),
        f"{advice.TOO_FEW_IN_TABLE if found.truth else advice.TOO_FEW_LABELS} {advice.NOT_COUNTED}",
        found.reasons,
    )


@words_of.register
def _pool_too_short(alert: PoolTooShort) -> Words:
    done = alert.progress
    return Words(
        f"Labelling ended early: {done.answered_images} of {done.images} images answered",
        {"answers": f"{done.answers} of {done.answers_wanted}", "reason": alert.reason},
        "look at the pool at the service by which people label (its balance, its end, its price), let it go on, and clear wait_for_annotations. "
        f"{advice.NOT_COUNTED}",
    )


@words_of.register
def _no_images(alert: NoImages) -> Words:
    return Words(
        "No image arrived",
        {"reason": alert.reason},
        advice.NO_IMAGES,
    )


@words_of.register
def _too_many_unusable(alert: TooManyUnusable) -> Words:
    day = alert.ingest
    share = day.quarantined / day.delivered if day.delivered else 0
    kinds = [f"{number} {kind}" for kind, number in sorted(day.reasons.items(), key=lambda item: (-item[1], item[0]))]
    ignored = f"{day.ignored} ignored + " if day.ignored else ""
    return Words(
        f"{percent(share)} of the day's files are no usable images: {day.quarantined} of {day.delivered}",
        {
            "files": f"{day.listed} listed = {ignored}{day.accepted} accepted + {day.duplicate} duplicate + {day.quarantined} quarantined",
            "reasons": listing(kinds, 6),
            "limit": alert.reason,
        },
        "the day's manifest.parquet names every file with its reason. Repair the delivery and clear ingest_images, or raise "
        "images.max_reject_share if such files are normal.",
    )


@words_of.register
def _day_failed(alert: DayFailed) -> Words:
    return Words(
        f"The day failed at {alert.task}",
        {"failed": alert.task, "reason": alert.reason},
        f"{alert.advice} Cleared in the run with what follows it, {alert.task} goes on from there: nothing is paid, created or "
        "counted twice. Further failures of this day are not told until it has ended well; its page has them.",
    )


@words_of.register
def _retraining_failed(alert: RetrainingFailed) -> Words:
    champion = alert.champion or "still to be registered"
    return Words(
        f"Retraining failed; the champion is {champion}",
        {"failed": alert.task, "reason": alert.reason, "serving": f"{champion}, as before"},
        "nothing is lost and nothing was promoted. See the failed task's log in the run; clear the task to go on from there, or trigger "
        "the DAG again with another range of days.",
    )


@words_of.register
def _training_set_handed_over(alert: TrainingSetHandedOver) -> Words:
    found = alert.handover
    then = f"its DAG {alert.dag} was triggered" if alert.dag else "no DAG was triggered (retraining.handover_dag)"
    return Words(
        f"A training set of {count(found.set.rows, 'image')} was handed over",
        {
            "labels": f"of {found.first_day} to {found.last_day}",
            "set": f"{found.place}; {then}",
            "serving": f"{found.champion}, as before",
        },
        f"train a model on it, and register that by `driftwatch challenger register MONITOR.yaml FILE --run {found.run_key}`. It is then "
        "compared with the champion. Until then, alerts hand over no other set (retraining.handover_days).",
    )


def _before_and_after(gate: GateResult) -> dict[str, str]:
    """The accuracy of both models on the images that the gate compared."""
    found = {}
    for part, name in ((gate.recent, "on recent days"), (gate.clean, "on clean images")):
        before, after = part.champion.accuracy.value, part.challenger.accuracy.value
        if before is not None and after is not None:
            found[name] = f"{percent(before)} → {percent(after)} of {count(part.n, 'image')}"
    return found


@words_of.register
def _model_promoted(alert: ModelPromoted) -> Words:
    return Words(
        f"Model {alert.version} is the new champion",
        {**_before_and_after(alert.gate), "promoted by": f"run {alert.run_id}"},
        after_promotion(alert),
    )


@words_of.register
def _model_rolled_back(alert: ModelRolledBack) -> Words:
    return Words(
        f"Model {alert.version} is the champion again, instead of {alert.previous}",
        {"version": alert.version, "rolled back by": f"run {alert.run_id}"},
        "nothing: days from now on are judged by it, with its own drift reference. Days that were judged keep their model.",
    )


@words_of.register
def _mlflow_alias_moved(alert: MlflowAliasMoved) -> Words:
    moved = alert.moved
    return Words(
        f"MLflow's alias champion of {alert.model} was moved from version {alert.number} to {moved.stands_at}",
        {
            "from": f"version {alert.number}, which shows {moved.found_at}; it is still the champion here",
            "to": f"version {moved.stands_at}, {shows(moved)}",
        },
        "choose one of the two: whoever serves by the alias may serve another model than the one that is watched. To follow: "
        f"{to_follow(moved, alert.model, 'MONITOR.yaml', 'the retraining DAG')}. To put the alias back: "
        f'`MlflowClient().set_registered_model_alias("{alert.model}", "champion", "{alert.number}")`. The next promotion or rollback here '
        "moves it too.",
    )
