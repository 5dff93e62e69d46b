"""What an alert says: the subject tells what happened, the message gives the numbers that matter and what to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, get_args

from driftwatch.accuracy.policy import interval, p_text, percent
from driftwatch.config import AlertKind
from driftwatch.errors import DriftwatchError
from driftwatch.view.report.drift import content_finding, of_mix, sample, shares, trend_evidence, trend_finding
from driftwatch.view.words import accuracy_text, count, direction, feature_name, listing, one_line

Facts = Mapping[str, Any]


def alert_text(kind: AlertKind, facts: Facts) -> tuple[str, str]:
    """The subject, one line, and the message, plain text.

    Not more than three numbers stand in it. `facts`: `monitor`, and `day` where it is known; `report`, the report's address, where
    there is one; `links`, further addresses by name. Beside them
    drift: what drift.json holds; performance, too_few_labels: what performance.json holds; too_many_rejects: what ingest.json
    holds, and `reason`; short_pool: the pool's progress, and `reason`; empty_day: `reason`; day_failed: `task`, `reason`, and `advice`; retraining_failed: `task`, `reason`, `champion`;
    model_promoted: `version`, `run_id`, and `gate` where there is one; model_rolled_back: `version`, `previous`, `run_id`.
    """
    if kind not in _TEXTS:
        raise DriftwatchError(f"alert kind {kind!r}: allowed are {', '.join(get_args(AlertKind))}")
    said, numbers, advice = _TEXTS[kind](facts)
    where = " ".join(str(facts[key]) for key in ("monitor", "day") if facts.get(key))
    lines = [f"{one_line(said, 1000)}.", ""]
    lines += [f"  {name}: {one_line(value, 1000)}" for name, value in numbers.items()]
    if facts.get("reasons") and kind in ("performance", "too_few_labels"):
        lines += ["", f"Because: {one_line(' '.join(facts['reasons']), 1000)}"]
    lines += ["", f"What to do: {advice}"]
    links = {**facts.get("links", {}), **({"Report": facts["report"]} if facts.get("report") else {})}
    if links:
        lines += ["", *(f"{name}: {address}" for name, address in links.items())]
    return one_line(f"[{where}] {said}"), "\n".join(lines)


def news(kind: AlertKind, facts: Facts) -> dict[str, Any]:
    """What makes an alert other news than the last of its kind and day: the verdict, not its digits. A day that failed is told once."""
    if kind == "drift" and "content" in facts:
        return {part: facts[part]["verdict"] for part in ("content", "predictions")}
    if kind == "drift":
        trend = (facts.get("trend") or {}).get("verdict")
        return {"verdict": facts["verdict"], "moved": sorted(facts["drifted_features"]), "trend": trend}
    return {name: facts.get(name) for name in _NEWS[kind]}


_NEWS: dict[str, tuple[str, ...]] = {
    "performance": ("verdict", "severity"),
    "too_few_labels": ("verdict",),
    "short_pool": ("reason",),
    "empty_day": (),
    "too_many_rejects": ("reason",),
    "day_failed": (),
    "retraining_failed": ("run_id", "task"),
    "model_promoted": ("version", "run_id"),
    "model_rolled_back": ("version", "previous", "run_id"),
}


def _drift(facts: Facts) -> tuple[str, dict[str, str], str]:
    if "content" in facts:
        return _answers_drift(facts)
    named = {feature["feature"]: feature for feature in facts["features"]}
    moved = [column for column in facts["drifted_features"] if column in named]
    looks = listing(list(dict.fromkeys(direction(named[column]) for column in moved)))
    trend = facts.get("trend") or {"verdict": "not_enough_evidence"}
    creeping = trend["verdict"] == "drifted"
    said = "The images changed" + (f": {looks}" if moved else "")
    if facts["verdict"] != "drifted" and creeping:
        said = f"The images change slowly: {trend_finding(trend)}"
    numbers = {
        "features that moved": f"{len(facts['drifted_features'])} of {len(facts['features'])}, "
        + listing([feature_name(column) for column in facts["drifted_features"]], 6),
        "evidence": f"{p_text(facts['p_value'])} on {sample(facts)}, against the training data of model {facts['reference_version']}; "
        f"a day without drift is called drifted with a chance of {_rate(facts)}",
    }
    if creeping:
        numbers["trend"] = f"{trend_finding(trend)}; {trend_evidence(trend)}"
    return said, numbers, _DRIFT_ADVICE


def _answers_drift(facts: Facts) -> tuple[str, dict[str, str], str]:
    content, predictions = facts["content"], facts["predictions"]
    said = []
    if content["verdict"] == "drifted":
        said.append(f"the content changed ({content_finding(content)})")
    if predictions["verdict"] == "drifted":
        said.append(f"the model's answers shifted ({shares(predictions)})")
    first = listing(said)
    numbers = {
        kind: f"{found['verdict'].replace('_', ' ')}, {p_text(found['p_value'])} on {sample(found)}{of_mix(found)}"
        if found["p_value"] is not None
        else f"not enough evidence: {found['reason']}"
        for kind, found in (("content", content), ("predictions", predictions))
    }
    numbers["evidence"] = (
        f"against {facts['reference_images']} held-out images of model {facts['reference_version']}; "
        f"a day without drift is called drifted with a chance of {_rate(facts)}"
    )
    return first[:1].upper() + first[1:], numbers, _DRIFT_ADVICE


_DRIFT_ADVICE = (
    "look at the example images in the report, and at the camera or service that sends them. "
    "Nothing is retrained for drift alone; the labels will tell whether the model suffers."
)


def _rate(facts: Facts) -> str:
    return percent(facts.get("day_false_alarm_rate", facts.get("false_alarm_rate")))


def _performance_numbers(facts: Facts) -> dict[str, str]:
    held = facts["holdout_accuracy"]
    held = held["value"] if isinstance(held, Mapping) else held
    return {
        "accuracy": f"{accuracy_text(facts)} at {percent(facts['confidence'])} confidence, floor {percent(facts['floor'])}{_corrected(facts)}",
        "labels": f"{facts['labels']} of {facts['sampled']} sampled images ({facts['ties']} ties, {facts['unclear']} unclear, "
        f"{facts['unanswered']} unanswered)",
        "model": f"{facts['model_version']}, "
        + (f"{percent(held)} on its holdout" if held is not None else "without a holdout"),
    }


def _corrected(facts: Facts) -> str:
    found, error = facts.get("corrected"), facts.get("label_error")
    if not found or found["value"] is None or not error:
        return ""
    wrong = f"about {percent(round(error['value'], 3))}"
    return f"; corrected for wrong labels ({wrong}) {percent(found['value'])} {interval(found)}"


def _performance(facts: Facts) -> tuple[str, dict[str, str], str]:
    return (
        ("Critical: the" if facts.get("severity") == "critical" else "The")
        + f" model got worse: accuracy {accuracy_text(facts)}, floor {percent(facts['floor'])}",
        _performance_numbers(facts),
        "look at the disagreements in the report. The retraining DAG starts by itself, unless the day is a backfill or within "
        "the cooldown: the log of check_performance says so; then trigger it by hand.",
    )


def _too_few_labels(facts: Facts) -> tuple[str, dict[str, str], str]:
    return (
        f"Not enough evidence about the model: {count(facts['labels'], 'label')}, accuracy {accuracy_text(facts)}",
        _performance_numbers(facts),
        "if the pool ended early, extend it in Toloka and clear wait_for_annotations, else raise annotation.sample_size. "
        "The day counts neither as good nor as bad.",
    )


def _short_pool(facts: Facts) -> tuple[str, dict[str, str], str]:
    return (
        f"Labelling ended early: {facts['answered_images']} of {facts['images']} images answered",
        {"answers": f"{facts['answers']} of {facts['answers_wanted']}", "reason": facts["reason"]},
        "look at the pool in Toloka (its balance, its end, its price), let it go on, and clear wait_for_annotations. "
        "The day counts neither as good nor as bad.",
    )


def _empty_day(facts: Facts) -> tuple[str, dict[str, str], str]:
    return (
        "No image arrived",
        {"reason": facts["reason"]},
        "check what delivers the images to the day's folder, then clear ingest_images. If days without images are normal, "
        "set images.on_empty_day to skip.",
    )


def _too_many_rejects(facts: Facts) -> tuple[str, dict[str, str], str]:
    ignored = facts.get("ignored", 0)
    delivered = facts["listed"] - ignored
    share = facts["quarantined"] / delivered if delivered else 0
    kinds = [
        f"{number} {kind}" for kind, number in sorted(facts["reasons"].items(), key=lambda item: (-item[1], item[0]))
    ]
    return (
        f"{percent(share)} of the day's files are no usable images: {facts['quarantined']} of {delivered}",
        {
            "files": f"{facts['listed']} listed = {f'{ignored} ignored + ' if ignored else ''}{facts['accepted']} accepted + {facts['duplicate']} duplicate + "
            f"{facts['quarantined']} quarantined",
            "reasons": listing(kinds, 6),
            "limit": facts["reason"],
        },
        "the day's manifest.parquet names every file with its reason. Repair the delivery and clear ingest_images, or raise "
        "images.max_reject_share if such files are normal.",
    )


def _day_failed(facts: Facts) -> tuple[str, dict[str, str], str]:
    return (
        f"The day failed at {facts['task']}",
        {"failed": facts["task"], "reason": facts["reason"]},
        f"{facts['advice']} Cleared in the run with what follows it, {facts['task']} goes on from there: nothing is paid, created or "
        "counted twice. Further failures of this day are not told until it has ended well; its page has them.",
    )


def _retraining_failed(facts: Facts) -> tuple[str, dict[str, str], str]:
    return (
        f"Retraining failed; the champion is {facts['champion']}",
        {"failed": facts["task"], "reason": facts["reason"], "serving": f"{facts['champion']}, as before"},
        "nothing is lost and nothing was promoted. See the failed task's log in the run; clear the task to go on from there, or trigger "
        "the DAG again with another range of days.",
    )


def _comparison(gate: Mapping[str, Any]) -> dict[str, str]:
    """Accuracy before and after, on the images that the gate compared."""
    found = {}
    for part, name in (("recent", "on recent days"), ("clean", "on clean images")):
        before, after = (
            (gate.get(part) or {}).get(model, {}).get("accuracy", {}).get("value")
            for model in ("champion", "challenger")
        )
        if before is not None and after is not None:
            n = count(gate[part]["n"], "image")
            found[name] = f"{percent(round(before, 3))} → {percent(round(after, 3))} of {n}"
    return found


def _model_promoted(facts: Facts) -> tuple[str, dict[str, str], str]:
    return (
        f"Model {facts['version']} is the new champion",
        {**_comparison(facts.get("gate") or {}), "promoted by": f"run {facts['run_id']}"},
        "nothing: days from now on are judged by it. The models page has the whole comparison, and the way back to the model before.",
    )


def _model_rolled_back(facts: Facts) -> tuple[str, dict[str, str], str]:
    return (
        f"Model {facts['version']} is the champion again, instead of {facts['previous']}",
        {"version": facts["version"], "rolled back by": f"run {facts['run_id']}"},
        "nothing: days from now on are judged by it, with its own drift reference. Days that were judged keep their model.",
    )


_TEXTS: dict[str, Callable[[Facts], tuple[str, dict[str, str], str]]] = {
    "drift": _drift,
    "performance": _performance,
    "too_few_labels": _too_few_labels,
    "short_pool": _short_pool,
    "empty_day": _empty_day,
    "too_many_rejects": _too_many_rejects,
    "day_failed": _day_failed,
    "retraining_failed": _retraining_failed,
    "model_promoted": _model_promoted,
    "model_rolled_back": _model_rolled_back,
}
