"""The next step in each situation: what to do in words, and the buttons and links by which it is done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from driftwatch.config.labels import TABLE
from driftwatch.view import advice, tones
from driftwatch.view.segment_accuracy import worse
from driftwatch.view.words import in_address

if TYPE_CHECKING:
    from datetime import date

    from driftwatch.config import MonitorConfig
    from driftwatch.view.days import Day
    from driftwatch.view.retrained import Outcome

Conf = dict[str, str | bool]


@dataclass(frozen=True)
class Step:
    """Something that may be done next. `text`: on its button or link.

    A step is one of three: a `page`, an address below the monitor's own page; a run of `dag` with its form filled in as `conf`, where
    `sure` is what the button says before it is pressed the second time; or the page of the run `run_id` of `dag`. `pool`: the
    day for which people label, at a place whose address Airflow keeps; where it does not, the `page`.
    """

    text: str
    page: str = ""
    dag: str = ""
    conf: Conf = field(default_factory=dict)
    sure: str = ""
    run_id: str = ""
    pool: date | None = None


@dataclass(frozen=True)
class Situation:
    """What the next step depends on. `day`: the day that it is about; `measured`: the day whose labels judge the model, which may be an
    earlier one; `outcome`: what that day's alert led to; `before`: the champion before the one that serves, None if there is no way back."""

    config: MonitorConfig
    day: Day
    measured: Day | None
    outcome: Outcome | None
    before: str | None = None

    @property
    def verdict(self) -> str | None:
        """The verdict on the model."""
        return self.measured.performance.verdict if self.measured and self.measured.performance else None


def next_steps(now: Situation) -> tuple[str, tuple[Step, ...]]:
    """What to do, in words as `advice` has them, and how."""
    day, measured = now.day, now.measured
    page = f"days/{day.day}/"
    if day.failure and day.failure.needs_revision:
        return advice.NEEDS_REVISION, (_revise(now),)
    if day.failure:
        return advice.DAY_FAILED, _run_again(now)
    if day.problems:
        return advice.UNREADABLE, (Step("See which file", page),)
    if day.empty:
        return advice.NO_IMAGES, _run_again(now)
    if now.verdict == "alert":
        return _after_alert(now)
    if measured and measured.performance and worse(measured.performance):
        return advice.SEGMENTS_GOT_WORSE, _segments(now)
    if day.drift and (day.drift.verdict == "drifted" or day.other_drift):
        said = f"{advice.IMAGES_DRIFTED} {advice.LASTING}"
        see = f"{page}evidence" if day.drift.verdict == "drifted" else page
        return said, (Step("See the images", see), Step("Accept this change", f"{page}#usual"))
    return _of_evidence(now)


def _of_evidence(now: Situation) -> tuple[str, tuple[Step, ...]]:
    """Where nothing alarms: too few labels, a number that is not plainly well, labels that are waited for, or nothing at all."""
    day, measured = now.day, now.measured
    if now.verdict == "not_enough_evidence" and measured is not None:
        too_few = (
            advice.TOO_FEW_IN_TABLE if measured.performance and measured.performance.truth else advice.TOO_FEW_LABELS
        )
        return f"{too_few} {advice.NOT_COUNTED}", (_labelling(measured),)
    if measured is not None and measured.standing and not measured.standing.plain:
        see = Step("See the disagreements", f"days/{measured.day}/{_disagreements(now.config)}")
        return advice.NOT_PLAIN, (see, *_way_back(now), *_retrain(now))
    if day.ingest is None or day.drift is None:
        return advice.WAIT_FOR_DAY, (Step("See the day", f"days/{day.day}/"),)
    if day.labelled and day.performance is None:
        by_table = now.config.labels.backend == TABLE
        return advice.WAIT_FOR_LABELS, () if by_table else (_labelling(day),)
    return advice.NOTHING, ()


def _after_alert(now: Situation) -> tuple[str, tuple[Step, ...]]:
    outcome = now.outcome
    if outcome is None:
        return advice.MODEL_GOT_WORSE, _retrain(now)
    # Before there is a challenger there is nothing to compare.
    see = (Step("Compare both models", f"models#{outcome.version}"),) if outcome.version else ()
    if outcome.state == "promoted":
        day = f"days/{now.measured.day}/#usual" if now.measured else ""
        if outcome.accepted:
            return advice.PROMOTED_AND_ACCEPTED, (*see, Step("Withdraw the change", day), *_way_back(now))
        return advice.AFTER_ALERT["promoted"], (Step("Accept this change", day), *see, *_way_back(now))
    said = advice.AFTER_ALERT[outcome.state]
    if outcome.state == "passed" and outcome.run_id:
        run = Step("Decide in the run", dag=now.config.retraining_dag_id, run_id=outcome.run_id)
        return said, (run, *see)
    if outcome.state in ("held", "failed"):
        return said, _retrain(now)
    if outcome.state in ("refused", "too_little_evidence"):
        return said, (*see, *_retrain(now))
    if outcome.state == "handed_over":  # the page has the command that registers the team's model
        return said, see or (Step("See the models", "models"),)
    return said, see


def _run_again(now: Situation) -> tuple[Step, ...]:
    day = now.day.day
    text = f"Run {day} again"
    return (Step(text, dag=now.config.monitoring_dag_id, conf={"day": day.isoformat()}, sure=f"Yes, run {day} again"),)


def _revise(now: Situation) -> Step:
    day = now.day.day
    return Step(
        f"Run {day} as a correction",
        dag=now.config.monitoring_dag_id,
        conf={"day": day.isoformat(), "revise": True},
        sure=f"Yes, delete what was sent of {day} and send it anew",
    )


def _retrain(now: Situation) -> tuple[Step, ...]:
    """First what it would do, then it. None where the team has no labels to train by."""
    if now.measured is None or not now.config.labels.labelled:
        return ()
    last, dag = now.measured.day.isoformat(), now.config.retraining_dag_id
    return (
        Step("Show the plan of a retraining", dag=dag, conf={"last_day": last, "dry_run": True}),
        Step(
            "Retrain",
            dag=dag,
            conf={"last_day": last, "dry_run": False},
            sure=f"Yes, retrain on the labels up to {last}",
        ),
    )


def _disagreements(config: MonitorConfig) -> str:
    """Where images stand on which people and model disagree: a page of people's answers, or one of wrong images where a table says what is right."""
    return "people" if config.labels.people else "evidence?answer=wrong"


def _way_back(now: Situation) -> tuple[Step, ...]:
    return (Step(f"Roll back to {now.before}", f"models#{now.before}"),) if now.before else ()


def _segments(now: Situation) -> tuple[Step, ...]:
    found = worse(now.measured.performance) if now.measured and now.measured.performance else []
    return tuple(
        Step(f"See {each.by.replace('_', ' ')} {each.name}", f"segments/{each.by}/{in_address(each.name)}")
        for each in found[:3]
    )


def _labelling(day: Day) -> Step:
    return Step("Open the labelling", f"days/{day.day}/#spend", pool=day.day)


def tone(now: Situation) -> str:
    """The worst of what the situation is about. An alert that was answered by a model that serves now is a warning, and so is a segment on
    which the model is worse."""
    found = [now.day.tone]
    if now.measured and now.measured.performance and worse(now.measured.performance):
        found.append(tones.WARN)
    verdict = now.measured.model_verdict if now.measured and now.measured is not now.day else None
    if verdict is not None:
        answered = now.outcome is not None and now.outcome.state == "promoted" and verdict.tone == tones.BAD
        found.append(tones.WARN if answered else verdict.tone)
    return tones.worst(found)
