"""Who trains a challenger."""

from __future__ import annotations

import pytest
from tests.cards import model_card
from tests.stores import SMALLEST, monitor_store

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.store import MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.errors import ConfigError
from driftwatch.models.trainers import chosen_trainer, trainer_name
from driftwatch.models.training.base import trainer
from driftwatch.storage import open_storage

VERSION = "v0001-00000001"


class OurTrainer:
    """As much of a trainer as is looked at here."""

    def train(self) -> None: ...

    def seconds(self) -> None: ...


@pytest.fixture
def make(tmp_path):
    def made(kind: str, trainer: str | None) -> MonitorStore:
        config = MonitorConfig.model_validate({**SMALLEST, "retraining": {"trainer": trainer}})
        store = monitor_store(open_storage(f"file://{tmp_path}"), MonitorKeys("demo"), config)
        store.storage.write_json(store.keys.model_card(VERSION), model_card(version=VERSION, kind=kind).stored())
        store.storage.write_json(store.keys.champion, {"version": VERSION})
        return store

    return made


@pytest.mark.parametrize(
    ("kind", "said", "expected"),
    [
        ("keras", None, "keras"),
        ("onnx", None, "handover"),
        ("logged", None, "handover"),
        ("keras", "handover", "handover"),
        ("onnx", "ours", "ours"),
    ],
)
def test_keras_trains_a_keras_champion_and_the_team_another_unless_the_file_says_who(
    make, kind, said, expected
) -> None:
    assert trainer_name(make(kind, said)) == expected


def test_a_trainer_of_the_team_s_own_is_named_by_its_import_path(make, monkeypatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "our_package", sys.modules[__name__])
    assert isinstance(chosen_trainer(make("onnx", "our_package:OurTrainer")), OurTrainer)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (
            "no_such_package:Trainer",
            "no_such_package:Trainer cannot be loaded .*install its package where the tasks run",
        ),
        ("driftwatch.models.training.base:NoTrainer", "NoTrainer cannot be loaded"),
        ("builtins:dict", "builtins:dict has no train and no seconds"),
        ("builtins:range", "builtins:range cannot be made without arguments"),
    ],
)
def test_a_path_behind_which_is_no_trainer_is_refused_with_the_setting(path, said) -> None:
    with pytest.raises(ConfigError, match=f"retraining.trainer: .*({said})"):
        trainer(path)
