"""The demo's table and var/demo/summary.json, read from the artifacts that the product wrote."""

from __future__ import annotations

from datetime import date
from typing import Any

from rich.table import Table

from driftwatch.layout import MonitorLayout
from driftwatch.storage import Storage


def day_row(storage: Storage, layout: MonitorLayout, day: date, retraining_run_id: str | None) -> dict[str, Any]:
    """One day's row; what a day has not reached is null."""
    keys = layout.day(day)

    def read(key: str) -> dict[str, Any]:
        return storage.read_json(key) if storage.exists(key) else {}

    ingest, drift, performance = read(keys.ingest), read(keys.drift), read(keys.performance)
    accuracy = performance.get("accuracy") or {}
    return {
        "day": day.isoformat(),
        **{name: ingest.get(name) for name in ("listed", "accepted", "duplicate", "quarantined")},
        "drifted": drift["verdict"] == "drifted" if drift else None,
        "drifted_features": drift.get("drifted_features"),
        "labels": performance.get("labels"),
        "accuracy": accuracy.get("value"),
        "interval": [accuracy["low"], accuracy["high"]] if accuracy else None,
        "verdict": performance.get("verdict"),
        "model_version": ingest.get("model_version"),
        "retraining_run_id": retraining_run_id,
    }


def table(rows: list[dict[str, Any]]) -> Table:
    """The week as a person reads it."""
    shown = Table(title="The week")
    for name in ("Day", "Images", "Drifted features", "Accuracy", "95 % interval", "Verdict", "Model"):
        shown.add_column(name, justify="right" if name in ("Images", "Accuracy") else "left")
    for row in rows:
        features = [name.removeprefix("image.") for name in row["drifted_features"] or []]
        named = (
            f"{len(features)}: {', '.join(features[:2])}{', …' if len(features) > 2 else ''}" if features else "none"
        )
        rejected = f" (+{row['duplicate'] + row['quarantined']})" if row["duplicate"] or row["quarantined"] else ""
        verdict = {"ok": "[green]ok[/]", "alert": "[bold red]alert → retraining[/]"}.get(
            row["verdict"], str(row["verdict"])
        )
        if row["verdict"] == "alert" and not row["retraining_run_id"]:
            verdict = "[bold red]alert[/]"
        shown.add_row(
            row["day"],
            f"{row['accepted']}{rejected}",
            f"[yellow]{named}[/]" if features else named,
            f"{100 * row['accuracy']:.0f} %" if row["accuracy"] is not None else "-",
            f"{100 * row['interval'][0]:.0f} to {100 * row['interval'][1]:.0f} %" if row["interval"] else "-",
            verdict,
            str(row["model_version"]),
        )
    return shown
