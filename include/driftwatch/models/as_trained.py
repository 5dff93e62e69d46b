"""The card of a model has its classes, in the order of its outputs, and what it is given of an image. For the champion, the monitor file
must say the same. A day is handled as the card of its own model says, even if the monitor file has changed since.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftwatch.artifacts.ingest import Ingest
from driftwatch.artifacts.model_input import ModelInput
from driftwatch.artifacts.models import ModelCard
from driftwatch.artifacts.store import DayStore, MonitorStore
from driftwatch.errors import NeedsAttention
from driftwatch.models.predictors.heads import ONE_NUMBER

if TYPE_CHECKING:
    from driftwatch.config import MonitorConfig


class OtherModel(NeedsAttention):
    """The monitor file has other classes, or another input, than the model was made for."""


def refuse_other(card: ModelCard, config: MonitorConfig, role: str = "the champion") -> None:
    """Raises OtherModel if the card and the monitor file differ in the classes, their order, the class that one number for two is the
    chance of, or a setting of `model.input`."""
    classes = list(card.classes)
    wrong = []
    if classes != list(config.classes):
        kind = "in another order" if sorted(classes) == sorted(config.classes) else "others"
        wrong.append(f"its outputs are {classes}, and classes in the monitor file are {kind}: {list(config.classes)}")
    for name, its, said in card.model_input.otherwise(ModelInput.of(config.model.input)):
        wrong.append(f"its input has the {name} {its}, and model.input.{name} is {said}")
    wrong += _other_positive(card, config)
    if wrong:
        raise OtherModel(
            f"{config.name}: {role} {card.version} is another model than the monitor file describes: {'; '.join(wrong)}. Nothing "
            "was changed. Put the file back as it was, or make a model for the file as it is: `driftwatch champion train` or "
            "`driftwatch champion import`, with --replace"
        )


def _other_positive(card: ModelCard, config: MonitorConfig) -> list[str]:
    """Of a model that gives one number for two classes: whether the file says that it is the chance of the other one."""
    if card.output not in ONE_NUMBER or list(card.classes) != list(config.classes):
        return []
    its, said = (name or card.classes[1] for name in (card.positive_class, config.model.positive_class))
    return [f"its one number is the chance of {its}, and model.positive_class is {said}"] if its != said else []


def refuse_other_champion(store: MonitorStore) -> None:
    """`refuse_other` for the champion. Before the first champion there is nothing to compare."""
    from driftwatch.models.registry import champion

    current = champion(store)
    if current and (card := _card(store, current.version)):
        refuse_other(card, store.config)


def as_trained(store: MonitorStore, version: str) -> MonitorConfig:
    """The monitor file with the classes and the input of model `version`."""
    config, card = store.config, _card(store, version)
    if card is None:
        return config
    same_input = not card.model_input.otherwise(ModelInput.of(config.model.input))
    if same_input and card.classes == config.classes:
        return config
    model = config.model if same_input else config.model.model_copy(update={"input": card.model_input.as_config})
    return config.model_copy(update={"classes": card.classes, "model": model})


def for_day(day: DayStore) -> MonitorConfig:
    """`as_trained` for the model that judges the day. For a day that was not taken in: the monitor file as it is."""
    ingest = day.find(Ingest)
    return as_trained(day.monitor, ingest.model_version) if ingest else day.config


def refuse_other_pixels(stored: ModelInput, config: MonitorConfig, what: str, remedy: str) -> None:
    """Raises NeedsAttention if images were stored in another way than the monitor file says. `what`: which images; `remedy`: what to do."""
    wrong = [
        f"their {name} is {its}, and model.input.{name} is {said}"
        for name, its, said in stored.otherwise(ModelInput.of(config.model.input).pixels)
    ]
    if wrong:
        raise NeedsAttention(f"{what} are stored with other pixels than the model takes: {'; '.join(wrong)}. {remedy}")


def _card(store: MonitorStore, version: str) -> ModelCard | None:
    """The card, or None where there is none. Code that needs the model itself reports that it is missing."""
    return store.find(store.keys.model_card(version), ModelCard)
