"""The kinds of drift, each with its own verdict: what the camera does, what is photographed, what the model answers, the trend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from driftwatch.accuracy.policy import p_text, percent
from driftwatch.view.words import count, direction, feature_name, listing

_VERDICTS = {
    "drifted": ("warn", "changed"),
    "ok": ("good", "as usual"),
    "not_enough_evidence": ("unsure", "not enough evidence"),
}


def kinds(drift: Mapping[str, Any] | None, answers: Mapping[str, Any] | None) -> list[dict[str, str]]:
    """One row a kind: name, about, tone, verdict, finding, evidence. `drift`: drift.json; `answers`: content_drift.json."""
    rows = []
    if drift:
        moved = [direction(feature) for feature in drift["features"] if feature["verdict"] == "drifted"]
        rows.append(_row("Image quality", "pixel features", drift, listing(moved, 3) if moved else ""))
    if answers:
        rows.append(_row("Content", "the model's embedding", answers["content"], content_finding(answers["content"])))
        rows.append(
            _row("Predictions", "shares of the classes", answers["predictions"], shares(answers["predictions"]))
        )
    found = drift.get("trend") if drift else None
    if found:
        rows.append(
            {
                **_row("Trend over days", "slow changes", {**found, "reason": ""}, trend_finding(found)),
                "evidence": trend_evidence(found),
            }
        )
    return rows


def _row(name: str, about: str, found: Mapping[str, Any], finding: str) -> dict[str, str]:
    tone, said = _VERDICTS[found["verdict"]]
    evidence = found.get("reason", "")
    if found.get("p_value") is not None:
        evidence = f"{p_text(found['p_value'])}, alarm below {found['false_alarm_rate']:.2g}{of_mix(found)}"
    return {"name": name, "about": about, "tone": tone, "verdict": said, "finding": finding, "evidence": evidence}


def content_finding(content: Mapping[str, Any]) -> str:
    """What moved in the embedding, in words; empty where nothing did."""
    if content["verdict"] != "drifted":
        return ""
    moved = {
        feature["feature"]: feature["direction"] for feature in content["features"] if feature["verdict"] == "drifted"
    }
    if moved.get("distance") == "up" or moved.get("residual") == "up":
        return "images unlike those that the model was tested on"
    return "its classes look other than where the model was tested"


def shares(predictions: Mapping[str, Any]) -> str:
    """`dog 50 % → 11 %`, the largest changes first."""
    known = [row for row in predictions["classes"] if row["day"] is not None]
    known.sort(key=lambda row: -abs(row["day"] - row["reference"]))
    return (
        listing(
            [f"{row['name']} {percent(round(row['reference'], 2))} → {percent(round(row['day'], 2))}" for row in known],
            3,
        )
        if known
        else ""
    )


def trend_finding(found: Mapping[str, Any]) -> str:
    """Which feature creeps, and since when; empty where none does."""
    if found["verdict"] != "drifted":
        return ""
    rising = "rises" if found["direction"] == "up" else "falls"
    return f"{feature_name(found['feature'])} {rising} slowly, about since {found['since']}"


def trend_evidence(found: Mapping[str, Any]) -> str:
    if found["score"] is None:
        return f"{count(found['days'], 'day')} without an alarm so far; 7 are needed"
    rate = found["false_alarms_per_year"]
    return f"CUSUM {found['score']:.1f}, alarm above {found['limit']:.1f}; {rate:g} false alarms a year at most"


def of_mix(found: Mapping[str, Any]) -> str:
    """With how much of the reference the day was compared, where its mix of classes differs; else empty."""
    images = found.get("reference_of_mix")
    return f", against the {count(images, 'reference image')} that have the day's mix of classes" if images else ""


def sample(found: Mapping[str, Any]) -> str:
    """`100 images, worth 61 independent ones (bursts)`, or the plain count."""
    if found.get("effective_n", found["n"]) == found["n"]:
        return count(found["n"], "image")
    return f"{count(found['n'], 'image')}, worth {found['effective_n']:,} independent ones (bursts or groups)"
