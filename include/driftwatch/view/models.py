"""The registry for people: each version, where it comes from, what the gate found, and who or what promoted it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from driftwatch.artifacts import shapes
from driftwatch.artifacts.days import model_versions, stored_retrainings
from driftwatch.artifacts.keys import DATASET_CARD, GATE
from driftwatch.errors import DamagedArtifact
from driftwatch.models import registry
from driftwatch.models.metrics import in_order
from driftwatch.view.artifacts import Artifacts
from driftwatch.view.days import read_object

if TYPE_CHECKING:
    from driftwatch.artifacts.keys import MonitorKeys
    from driftwatch.storage import Storage

logger = logging.getLogger(__name__)
_PARTS = {"recent": "Recent days", "clean": "Clean images"}
_MOST_CLASSES = 15


def champion(artifacts: Artifacts, layout: MonitorKeys) -> dict[str, Any]:
    """The pointer to the version that production serves; empty before the first. Raises DamagedArtifact."""
    return artifacts.get(layout.champion, read_pointer) or {}


def champion_or_problem(artifacts: Artifacts, layout: MonitorKeys) -> tuple[dict[str, Any], str | None]:
    """As `champion`; empty, with the reason, where it cannot be read."""
    try:
        return champion(artifacts, layout), None
    except (DamagedArtifact, PermissionError) as error:
        return {}, str(error)


def models(artifacts: Artifacts, layout: MonitorKeys) -> list[dict[str, Any]]:
    """Every version with its card, newest first; `state` is champion, the one before it, or kept; `back`: whether it was champion before,
    so that there is a way back to it. Versions whose card cannot be read are left out: `problems` names them."""
    pointer, _ = champion_or_problem(artifacts, layout)
    before = registry.champions(pointer or None)
    found = []
    for version in reversed(model_versions(artifacts.storage, layout)):
        (card,) = artifacts.get_many([(layout.model_card(version), read_card)])
        if isinstance(card, Exception):
            continue
        card = card or {}
        state = "champion" if version == pointer.get("version") else "kept"
        if version == pointer.get("previous"):
            state = "previous"
        found.append(
            {
                "version": version,
                "state": state,
                "back": version in before and state != "champion",
                "promoted_by": pointer.get("promoted_by") if state == "champion" else None,
                "card": card,
                "holdout": (card.get("metrics") or {}).get("holdout") or {},
                "gate": gate(card.get("gate")),
                "facts": facts(card),
            }
        )
    return found


def problems(artifacts: Artifacts, layout: MonitorKeys) -> list[str]:
    """What of the registry cannot be read, each with its name."""
    cards = [(layout.model_card(version), read_card) for version in model_versions(artifacts.storage, layout)]
    found = artifacts.get_many([(layout.champion, read_pointer), *cards])
    return [str(problem) for problem in found if isinstance(problem, Exception)]


def read_pointer(storage: Storage, key: str) -> dict[str, Any]:
    return shapes.read_checked(storage, key, shapes.Pointer)


def read_card(storage: Storage, key: str) -> dict[str, Any]:
    return shapes.read_checked(storage, key, shapes.Card, whole=False)


def retrainings(artifacts: Artifacts, layout: MonitorKeys) -> list[dict[str, Any]]:
    """Each retraining that collected a set, by its day: the last whose labels it used. `decision` and `version` are None before
    the gate."""
    found = []
    for name in stored_retrainings(artifacts.storage, layout):
        try:
            data = artifacts.get(layout.retraining(name, DATASET_CARD), read_object)
            told = artifacts.get(layout.retraining(name, GATE), read_object) or {}
        except (DamagedArtifact, PermissionError) as error:
            logger.warning("a retraining is left out of the charts: %s", error)
            continue
        if not data or not isinstance(data.get("last_day"), str):
            continue
        found.append(
            {"day": data["last_day"], "run": name, "decision": told.get("decision"), "version": told.get("version")}
        )
    return sorted(found, key=lambda row: (row["day"], row["run"]))


def gate(found: dict[str, Any] | None) -> dict[str, Any] | None:
    """The gate's decision, reasons and table: one row for each part, champion and challenger on the same images."""
    if not found:
        return None
    rows = [
        {
            "part": title,
            **{key: part.get(key) for key in ("n", "won", "lost", "difference", "low", "high", "p_value")},
            "champion": (part.get("champion") or {}).get("accuracy"),
            "challenger": (part.get("challenger") or {}).get("accuracy"),
        }
        for name, title in _PARTS.items()
        if isinstance(part := found.get(name), dict)
    ]
    return {
        "decision": found.get("decision"),
        "against": found.get("champion"),
        "reasons": found.get("reasons") or [],
        "rows": rows,
        "days": found.get("recent_days") or [],
    }


def facts(card: dict[str, Any]) -> list[tuple[str, str]]:
    """The card's plain entries, nested ones with a dot, classes in their own order; the gate, the metrics and long lists have places of
    their own, and what is told of many classes is counted."""
    rows: list[tuple[str, str]] = []
    classes = list(card.get("classes") or [])

    def add(name: str, value: Any) -> None:
        if isinstance(value, dict) and value and set(value) <= set(classes):
            if len(value) > _MOST_CLASSES:
                rows.append((name, f"{len(value)} classes: `driftwatch models FILE show` lists them"))
                return
            value = {key: value[key] for key in in_order(value, classes)}
        if isinstance(value, dict):
            for key, inner in value.items():
                add(f"{name}.{key}" if name else str(key), inner)
        elif isinstance(value, list):
            rows.append((name, f"{len(value)} entries" if len(value) > 8 else ", ".join(map(str, value))))
        else:
            rows.append((name, "–" if value is None else str(value)))

    add("", {key: value for key, value in card.items() if key not in ("gate", "metrics", "history")})
    return rows
