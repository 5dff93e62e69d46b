"""What each section of the report shows, as plain values for the template."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from driftwatch.accuracy.policy import interval, p_text, percent
from driftwatch.labels.backends.toloka.collect import COUNTED
from driftwatch.view import charts
from driftwatch.view.confusions import confusions
from driftwatch.view.report.drift import kinds as drift_kinds
from driftwatch.view.report.drift import sample
from driftwatch.view.report.facts import DayFacts
from driftwatch.view.words import count, direction, feature_name, headline, listing

if TYPE_CHECKING:
    import pandas as pd

MOST_FILES, MOST_ANNOTATORS, MOST_OVER_TIME = 20, 12, 4
_MERGED_BY = {"majority": "majority vote", "weighted": "votes weighted by control tasks", "dawid_skene": "Dawid-Skene"}
_TESTS = {"ks": "distribution", "shift": "median", "low_tail": "low tail", "high_tail": "high tail"}
_TONES = {"drifted": "warn", "alert": "bad", "ok": "good", "not_enough_evidence": "unsure", None: "waiting"}
_SAID = {
    "drifted": "Images: changed",
    "images ok": "Images: as usual",
    "images not_enough_evidence": "Images: not enough evidence",
    "alert": "Model: worse",
    "model ok": "Model: holds",
    "model not_enough_evidence": "Model: not enough evidence",
}


def summary(facts: DayFacts) -> dict[str, Any]:
    """The headline, the two verdicts as badges, the worst tone, and the four big numbers."""
    drift, performance, ingest = facts.drift, facts.performance, facts.ingest
    verdicts = (drift["verdict"] if drift else None, performance["verdict"] if performance else None)
    badges = [{"tone": "bad", "text": f"Failed at {facts.failure.task}"}] if facts.failure else []
    for topic, verdict in zip(("images", "model"), verdicts, strict=True):
        said = "waiting" if verdict is None else verdict
        text = _SAID.get(said) or _SAID.get(f"{topic} {said}") or f"{topic.capitalize()}: not known yet"
        badges.append({"tone": _TONES[verdict], "text": text})
    for row in drift_kinds(drift, facts.content_drift)[1:]:
        if row["verdict"] == "changed":
            badges.append({"tone": row["tone"], "text": f"{row['name']}: changed"})
    tones = [badge["tone"] for badge in badges]
    tone = next((tone for tone in ("bad", "warn", "unsure", "waiting") if tone in tones), "good")
    if not ingest["accepted"]:
        tone = "bad"
    late = ingest.get("late", 0) + (facts.late_files["files"] if facts.late_files else 0)
    if late:
        badges.append({"tone": "warn", "text": f"{count(late, 'image')} came late"})
    numbers = [_accuracy_number(facts), _drift_number(facts), _images_number(facts), _labels_number(facts)]
    return {
        "headline": (f"The day failed at {facts.failure.task}. " if facts.failure else "")
        + headline(ingest, drift, performance, facts.content_drift),
        "badges": badges,
        "tone": tone,
        "numbers": numbers,
    }


def _number(name: str, value: str, note: str, tone: str = "") -> dict[str, str]:
    return {"name": name, "value": value, "note": note, "tone": tone}


def _accuracy_number(facts: DayFacts) -> dict[str, str]:
    performance = facts.performance
    if performance is None:
        guess = facts.estimate["accuracy"] if facts.estimate else None
        if guess is None or guess["value"] is None:
            return _number("Accuracy", "–", "known once the labels are in")
        return _number(
            "Accuracy", f"≈ {percent(round(guess['value'], 2))}", f"{interval(guess)} by the scores, no labels yet"
        )
    accuracy, floor = performance["accuracy"], f"floor {percent(performance['floor'])}"
    if accuracy["value"] is None:
        return _number("Accuracy", "–", accuracy["reason"], "unsure")
    tone = _TONES[performance["verdict"]]
    return _number("Accuracy", percent(round(accuracy["value"], 3)), f"{interval(accuracy)} · {floor}", tone)


def _drift_number(facts: DayFacts) -> dict[str, str]:
    drift = facts.drift
    if drift is None:
        return _number("Features that moved", "–", "not tested yet")
    if drift["verdict"] == "not_enough_evidence":
        return _number("Features that moved", "–", f"{sample(drift)}: too few", "unsure")
    note = f"{p_text(drift['p_value'])} · alarm below {drift['false_alarm_rate']:g}"
    moved = f"{len(drift['drifted_features'])} of {len(drift['features'])}"
    return _number("Features that moved", moved, note, _TONES[drift["verdict"]])


def _images_number(facts: DayFacts) -> dict[str, str]:
    ingest = facts.ingest
    ignored = f" · {ingest['ignored']:,} ignored" if ingest.get("ignored") else ""
    note = f"{ingest['listed']:,} listed · {ingest['duplicate']:,} duplicate · {ingest['quarantined']:,} quarantined{ignored}"
    return _number("Images accepted", f"{ingest['accepted']:,}", note)


def _labels_number(facts: DayFacts) -> dict[str, str]:
    if facts.performance is None:
        planned = (
            f"{count(len(facts.annotation['sample']), 'image')} asked about"
            if facts.annotation
            else "not asked for yet"
        )
        return _number("Labels", "–", planned)
    performance = facts.performance
    alpha = performance["agreement"]["alpha"]
    note = "agreement not defined" if alpha is None else f"agreement α = {alpha:.2f}"
    return _number("Labels", f"{performance['labels']} of {performance['sampled']}", note)


def files(facts: DayFacts) -> dict[str, Any]:
    """The counts that add up, reasons by number, and the rejected files, then those that were accepted with a note."""
    # What went wrong first; what is ignored, which can be a file beside each image, last.
    rejected = facts.manifest[facts.manifest["reason"] != ""].sort_values(
        ["status", "key"], ascending=[True, True], key=_most_telling_first
    )
    rows = [
        {
            "name": row.key.split("/incoming/", 1)[-1].split("/", 1)[-1],
            "status": row.status,
            "reason": row.reason,
            "bytes": row.bytes,
        }
        for row in rejected.head(MOST_FILES).itertuples()
    ]
    reasons = sorted(facts.ingest["reasons"].items(), key=lambda item: (-item[1], item[0]))
    kinds = ("accepted", "duplicate", "quarantined", *(["ignored"] if facts.ingest.get("ignored") else []))
    parts = {kind: facts.ingest[kind] for kind in kinds}
    return {"reasons": reasons, "rows": rows, "more": len(rejected) - len(rows), "bar": charts.parts(parts)}


def _most_telling_first(column: pd.Series) -> pd.Series:
    return (
        column.map({"quarantined": 0, "accepted": 1, "duplicate": 2, "ignored": 3})
        if column.name == "status"
        else column
    )


def features(facts: DayFacts) -> list[dict[str, Any]]:
    """One row a feature of the drift table, in the order of drift.json (strongest first)."""
    rows = []
    for feature in facts.drift["features"] if facts.drift else []:
        moved, tested = feature["verdict"] == "drifted", feature["p_value"] is not None
        both = feature["reference_quantiles"] and feature["day_quantiles"]
        rows.append(
            {
                "column": feature["feature"],
                "name": feature_name(feature["feature"]),
                "moved": moved,
                "verdict": "moved" if moved else "as usual" if tested else "not tested",
                "looks": direction(feature) if moved else "",
                "test": _TESTS.get(feature["test"], feature["test"]) if tested else "–",
                "effect": f"{feature['effect']:.2f}" if feature["effect"] is not None else "–",
                "hellinger": _hellinger(facts, feature["feature"]),
                "p": p_text(feature["p_value"]).removeprefix("p ").removeprefix("= ") if tested else "–",
                "chart": charts.bands(feature["reference_quantiles"], feature["day_quantiles"], moved)
                if both
                else Markup(""),
            }
        )
    return rows


def _hellinger(facts: DayFacts, column: str) -> str:
    found = (facts.drift or {}).get("hellinger", {}).get(column)
    return "–" if found is None else f"{found:.2f}"


def history(facts: DayFacts) -> Markup:
    """The chart of the last days; empty before anything was measured or tested."""
    known = [past for past in facts.history if past.drift or past.performance]
    floor = facts.performance["floor"] if facts.performance else facts.config.performance.floor
    return charts.history(facts.history, floor) if known else Markup("")


def over_time(facts: DayFacts) -> list[dict[str, Any]]:
    """The features that moved, the strongest first, each over the last days; on a day where none did, the strongest."""
    tested = [feature for feature in facts.drift["features"] if feature["p_value"] is not None] if facts.drift else []
    moved = [feature for feature in tested if feature["verdict"] == "drifted"]
    rows = []
    for feature in (moved or tested[:1])[:MOST_OVER_TIME]:
        name = feature_name(feature["feature"])
        looks = direction(feature) if feature in moved else "as usual"
        rows.append({"name": name, "looks": looks, "chart": charts.over_time(facts.history, feature["feature"], name)})
    return rows


def performance(facts: DayFacts) -> dict[str, Any] | None:
    """Per-class shares, in the monitor file's order of the classes, and what was confused with what."""
    found = facts.performance
    if found is None:
        return None
    classes = [
        {
            "name": name,
            "support": values["support"],
            "shares": [_share(values[key]) for key in ("precision", "recall", "f1")],
        }
        for name in found["confusion_matrix"]["labels"]
        for values in [found["classes"][name]]
    ]
    held = found["holdout_accuracy"]
    held = held["value"] if isinstance(held, dict) else held
    return {
        "classes": classes,
        "confusions": confusions(found["confusion_matrix"]),
        "reasons": found["reasons"],
        "holdout": percent(round(held, 3)) if held is not None else "unknown",
    }


def _share(found: dict[str, Any]) -> dict[str, Any]:
    if found["value"] is None:
        return {"text": "–", "note": found["reason"], "chart": Markup("")}
    return {"text": percent(round(found["value"], 3)), "note": interval(found), "chart": charts.interval_bar(found)}


def labelling(facts: DayFacts) -> dict[str, Any] | None:
    """What was asked, what it cost, and how far the answers can be trusted."""
    if facts.annotation is None:
        return None
    cost, settings = facts.annotation["cost"], facts.config.annotation
    rows = [
        ("Asked", f"{count(len(facts.annotation['sample']), 'image')}, {facts.annotation['overlap']} annotators each"),
        ("Planned cost", f"{cost['total']:.2f} USD, fee included"),
    ]
    if facts.assignments is not None:
        pages = facts.assignments.drop_duplicates("assignment_id")
        paid = pages[pages["status"].isin(COUNTED)]
        spent = float(paid["reward"].sum()) * (1 + settings.fee_share)
        rows.append(("Spent", f"{spent:.2f} USD for {count(len(paid), 'page')}; {len(pages) - len(paid)} rejected"))
    if facts.performance is not None:
        agreement = facts.performance["agreement"]
        alpha = agreement["alpha"]
        rows.append(("Merged by", _MERGED_BY[facts.performance.get("merged_by", "majority")]))
        unclear = int(facts.labels["votes.unclear"].sum()) if facts.labels is not None else 0
        if settings.unclear_answer:
            rows.append(
                (
                    f"Answered {settings.unclear_answer!r}",
                    f"{unclear} of {count(agreement['votes'], 'answer')}, counted apart",
                )
            )
        rows.append(("Agreement", "not defined" if alpha is None else f"Krippendorff's α = {alpha:.2f}"))
        if agreement["unanimous"] is not None:
            rows.append(("Unanimous", f"{percent(round(agreement['unanimous'], 3))} of the labels"))
        if agreement["control_answers"]:
            right = agreement["control_right"] / agreement["control_answers"]
            rows.append(("Control tasks", f"{percent(round(right, 3))} of {agreement['control_answers']} right"))
    annotators: list[dict[str, Any]] = []
    more = 0
    if facts.annotators is not None:
        ordered = facts.annotators.sort_values(["flagged", "answers", "annotator_id"], ascending=[False, False, True])
        annotators = ordered.head(MOST_ANNOTATORS).to_dict("records")
        more = len(ordered) - len(annotators)
        flagged = int(ordered["flagged"].sum())
        rows.append(("Annotators", f"{len(ordered)}, {flagged} flagged" + (" (their votes count)" if flagged else "")))
    return {"rows": rows, "annotators": annotators, "more": more}


def model(facts: DayFacts) -> list[tuple[str, str]]:
    """Which model judged the day, where it comes from, and what it answered."""
    rows = [("Version", facts.ingest["model_version"])]
    card = facts.card
    if card:
        held = card["metrics"]["holdout"]
        rows.append(
            ("Comes from", f"{card['created_by']}" + (f", after {card['parent']}" if card.get("parent") else ""))
        )
        value = held["accuracy"]["value"] if isinstance(held["accuracy"], dict) else held["accuracy"]
        rows.append(("On its holdout", f"{percent(round(value, 3))} of {count(held['n'], 'image')}"))
    if facts.predictions is not None and len(facts.predictions):
        shares = facts.predictions["prediction"].value_counts(normalize=True)
        answers = [f"{name} {percent(round(float(shares.get(name, 0)), 2))}" for name in facts.config.classes]
        rows.append(("Its answers", f"{listing(answers, 12)} of {count(len(facts.predictions), 'image')}"))
    versions = [(past.day.isoformat(), past.performance["model_version"]) for past in facts.history if past.performance]
    took_over = [f"{day} ({new})" for (_, old), (day, new) in pairwise(versions) if new != old]
    rows.append(("New models of these days", listing(took_over, 6)))
    return rows
