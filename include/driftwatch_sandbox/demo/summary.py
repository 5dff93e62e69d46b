"""The demo's table and var/demo/summary.json, read from the artifacts that the product wrote."""

from __future__ import annotations

from datetime import date
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from driftwatch.artifacts.store import MonitorStore


def day_row(store: MonitorStore, day: date, retraining_run_id: str | None) -> dict[str, Any]:
    """One day's row; what a day has not reached is null."""
    keys = store.keys.day(day)

    def read(key: str) -> dict[str, Any]:
        return store.storage.read_json(key) if store.storage.exists(key) else {}

    ingest, drift, performance = read(keys.ingest), read(keys.drift), read(keys.performance)
    accuracy = performance.get("accuracy") or {}
    return {
        "day": day.isoformat(),
        **{name: ingest.get(name) for name in ("listed", "accepted", "duplicate", "quarantined", "ignored")},
        "drifted": drift["verdict"] == "drifted" if drift else None,
        "drifted_features": drift.get("drifted_features"),
        "labels": performance.get("labels"),
        "accuracy": accuracy.get("value"),
        "interval": [accuracy["low"], accuracy["high"]] if accuracy else None,
        "verdict": performance.get("verdict"),
        "model_version": ingest.get("model_version"),
        "retraining_run_id": retraining_run_id,
    }


def found(store: MonitorStore, day: date) -> str:
    """The headline of the day's report: what happened to the images, and to the model."""
    from driftwatch.view.words import headline

    keys = store.keys.day(day)
    others = (
        store.storage.read_json(key) if store.storage.exists(key) else None
        for key in (keys.drift, keys.performance, keys.content_drift)
    )
    return headline(store.storage.read_json(keys.ingest), *others)


def table(rows: list[dict[str, Any]], title: str) -> Table:
    """The days as a person reads them, in 80 columns."""
    shown = Table(
        title=title,
        caption="Images: accepted (+ duplicate or quarantined files). Accuracy: with its 95 % interval",
        box=SIMPLE_HEAD,
        padding=(0, 1),
        pad_edge=False,
    )
    for name in ("Day", "Images", "Drifted features", "Accuracy", "Verdict", "Model"):
        shown.add_column(name, no_wrap=name not in ("Drifted features", "Verdict"))
    for row in rows:
        names = [
            name.rsplit(".", 1)[-1] if "Sharpness" in name else name.removeprefix("image.")
            for name in row["drifted_features"] or []
        ]
        named = f"[yellow]{len(names)}: {names[0]}{' …' if names[1:] else ''}[/]" if names else "none"
        others = (row["duplicate"] or 0) + (row["quarantined"] or 0)
        accuracy = (
            f"{row['accuracy']:.0%} [{100 * row['interval'][0]:.0f}, {100 * row['interval'][1]:.0f}]"
            if row["interval"]
            else "-"
        )
        verdict = {"ok": "[green]ok[/]", "alert": "[bold red]alert[/]"}.get(
            row["verdict"], str(row["verdict"]).replace("_", " ")
        )
        shown.add_row(
            date.fromisoformat(row["day"]).strftime("%d %b"),
            f"{row['accepted']}{f' (+{others})' if others else ''}",
            named,
            escape(accuracy),
            verdict,
            str(row["model_version"]),
        )
    return shown
