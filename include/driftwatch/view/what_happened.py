"""What is known of a day, for the card "What now": which segments and classes, and what the system has done or is doing about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftwatch.config.labels import TABLE
from driftwatch.models.metrics import in_order
from driftwatch.view import tones
from driftwatch.view.segment_accuracy import worse_line
from driftwatch.view.segments import changed_lines
from driftwatch.view.shares import accuracy_text, share_text, whole_percent
from driftwatch.view.words import count, one_line

if TYPE_CHECKING:
    from driftwatch.artifacts.accuracy import Performance
    from driftwatch.config import MonitorConfig
    from driftwatch.view.days import Day
    from driftwatch.view.next_steps import Situation
    from driftwatch.view.retrained import Outcome

_MOST_REASONS = 3


@dataclass(frozen=True)
class Done:
    """Something that the system did or is doing. `run_id`: the run of the retraining DAG; `version`: the model that it made; both empty where
    there is none."""

    tone: str
    text: str
    run_id: str = ""
    version: str = ""


def where_lines(now: Situation) -> list[str]:
    """Which part failed, which segments and classes are worse, and where the accuracy stands; sentences without a full stop."""
    day, measured = now.day, now.measured
    found = [day.failure.said] if day.failure else []
    if day.drift:
        found += [f"Also changed: {line}" for line in changed_lines(day.drift.segments)[1:]]
    if measured is None or measured.performance is None:
        return found
    if measured is not day:
        word = tones.of_model(measured.performance.verdict, measured.standing).word
        accuracy = accuracy_text(measured.performance.accuracy)
        more = f". {measured.standing.said.rstrip('.')}" if measured.standing and measured.standing.said else ""
        found.append(f"The newest day with labels is {measured.day}: the model {word}, accuracy {accuracy}{more}")
    if line := worse_line(measured.performance):
        found.append(f"Worse are {line}")
    if measured.performance.verdict == "alert":
        found += filter(None, [worst_class(measured.performance)])
    return found


def worst_class(found: Performance) -> str:
    """`Worst class dog: 52.1 % [45, 59] of 214 images found, most often taken for cat (73)`; empty where fewer than two classes have labels. Of a
    stratified sample it is the share of the class that was taken for it."""
    names = in_order(found.classes, found.confusion_matrix.labels)
    known = {name: value for name in names if (value := found.classes[name].recall.value) is not None}
    if len(known) < 2:
        return ""
    name = min(known, key=lambda each: known[each])
    recall, matrix = found.classes[name].recall, found.confusion_matrix
    answers = dict(zip(matrix.labels, matrix.rows[matrix.labels.index(name)], strict=True))
    wrong = {other: n for other, n in answers.items() if other != name and n}
    most = max(wrong, key=lambda other: wrong[other], default="")
    taken = f", most often taken for {most} ({_times(found, wrong[most], sum(answers.values()))})" if most else ""
    return f"Worst class {name}: {share_text(recall)} of {count(recall.n, 'image')} found{taken}"


def _times(found: Performance, wrong: int, of_class: int) -> str:
    """`73`; or `12 %`, where the matrix has not the labels themselves but what a plain sample would have."""
    weighed = found.evidence is not None and found.evidence.strata
    return whole_percent(wrong / of_class) if weighed else f"{wrong}"


def done_lines(now: Situation) -> tuple[Done, ...]:
    """The labelling that goes on, and what the alert led to."""
    waiting = _labelling(now.day, now.config)
    return (*([waiting] if waiting else []), *retraining_lines(now.outcome))


def _labelling(day: Day, config: MonitorConfig) -> Done | None:
    if not day.labelled or day.performance is not None or day.ingest is None or day.empty:
        return None
    if config.labels.backend == TABLE:
        return Done(tones.WAITING, f"The table is waited for, {config.labels.wait_days} days at most.")
    plan = day.annotation
    if plan is None or not plan.asked:
        return Done(tones.WAITING, "Nobody has been asked for labels yet.")
    newest = plan.newest
    if newest.close_reason is not None:
        return Done(tones.WAITING, "The labels are in. The day is being judged.")
    far = (
        day.progress.text if day.progress else f"{count(len(plan.asked_about), 'image')} asked about, no answer so far"
    )
    return Done(tones.WAITING, f"People are labelling until {newest.expires:%Y-%m-%d %H:%M} UTC: {one_line(far)}.")


def retraining_lines(outcome: Outcome | None) -> tuple[Done, ...]:
    """What an alert led to, and the gate's reasons where it did not let the new model pass."""
    if outcome is None:
        return ()
    first = Done(outcome.tone, outcome.said, outcome.run_id or "", outcome.version or "")
    if outcome.state not in ("refused", "too_little_evidence"):
        return (first,)
    reasons = outcome.reasons[:_MOST_REASONS]
    return (first, *(Done(outcome.tone, f"The gate: {one_line(reason)}") for reason in reasons))
