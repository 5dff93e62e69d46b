"""A model's classes, in the order of its outputs, and its input size stand in its card. The monitor file must say the same of the
champion; a day is handled as the card of its own model says, however the file was changed since.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from driftwatch.artifacts.keys import MonitorLayout
from driftwatch.errors import NeedsAttention

if TYPE_CHECKING:
    from collections.abc import Mapping

    from driftwatch.artifacts.keys import DayLayout
    from driftwatch.config import MonitorConfig
    from driftwatch.storage import Storage


class OtherModel(NeedsAttention):
    """The monitor file has other classes, or another input size, than the model was trained with."""


def refuse_other(card: Mapping[str, Any], config: MonitorConfig, role: str = "the champion") -> None:
    """Raises OtherModel where the card's ordered classes or its input size are not the file's."""
    classes, size = list(card.get("classes") or config.classes), card.get("input_size") or config.model.input_size
    wrong = []
    if classes != list(config.classes):
        kind = "in another order" if sorted(classes) == sorted(config.classes) else "others"
        wrong.append(f"its outputs are {classes}, and classes in the monitor file are {kind}: {list(config.classes)}")
    if size != config.model.input_size:
        wrong.append(f"its input is {size} px, and model.input_size is {config.model.input_size}")
    if wrong:
        raise OtherModel(
            f"{config.name}: {role} {card.get('version', '')} is another model than the monitor file describes: {'; '.join(wrong)}. Nothing "
            "was changed. Put the file back as it was, or make a model for the file as it is: `driftwatch champion train` or "
            "`driftwatch champion import`, with --replace"
        )


def refuse_other_champion(storage: Storage, layout: MonitorLayout, config: MonitorConfig) -> None:
    """`refuse_other` for the champion; before the first there is nothing to compare."""
    from driftwatch.models.registry import champion

    current = champion(storage, layout)
    if current:
        refuse_other(_card(storage, layout, current["version"]), config)


def as_trained(storage: Storage, layout: MonitorLayout, config: MonitorConfig, version: str) -> MonitorConfig:
    """The monitor file with the classes and the input size of model `version`."""
    card = _card(storage, layout, version)
    classes, size = tuple(card.get("classes") or config.classes), card.get("input_size") or config.model.input_size
    if (classes, size) == (config.classes, config.model.input_size):
        return config
    return config.model_copy(update={"classes": classes, "model": config.model.model_copy(update={"input_size": size})})


def for_day(storage: Storage, day: DayLayout, config: MonitorConfig) -> MonitorConfig:
    """`as_trained` for the model that the day is judged by; the file itself for a day that was not taken in."""
    if not storage.exists(day.ingest):
        return config
    return as_trained(storage, MonitorLayout(day.monitor), config, storage.read_json(day.ingest)["model_version"])


def _card(storage: Storage, layout: MonitorLayout, version: str) -> dict[str, Any]:
    """The card, empty where there is none: whoever needs the model itself says so."""
    key = layout.model_card(version)
    return dict(storage.read_json(key)) if storage.exists(key) else {}
