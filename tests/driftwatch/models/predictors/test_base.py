"""A predictor is found by its name, the built-in one and a package's own."""

from __future__ import annotations

from datetime import date
from importlib.metadata import EntryPoint
from types import SimpleNamespace

import numpy as np
import pytest
from tests.cards import model_card
from tests.stores import monitor_store

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.errors import NeedsAttention
from driftwatch.models import registry
from driftwatch.models.predictors import base
from driftwatch.models.predictors.base import Predictions, day_predictor, predictor
from driftwatch.storage import open_storage

from ....installed import installed


def theirs(store, version):
    return SimpleNamespace(store=store, version=version, kind="theirs")


def ours(store, version):
    return SimpleNamespace(store=store, version=version, kind="ours")


def test_a_packages_own_predictor_is_found_by_its_name(tmp_path, monkeypatch) -> None:
    store = monitor_store(open_storage(f"file://{tmp_path}"), MonitorKeys("demo"))
    found = [
        EntryPoint("theirs", f"{__name__}:theirs", base.SEAM.group),
        EntryPoint("keras", "nowhere:nothing", base.SEAM.group),
    ]
    installed(monkeypatch, *found)
    made = predictor(store, "v0001-00000001", "theirs")
    assert (made.store, made.version) == (store, "v0001-00000001")
    with pytest.raises(
        NeedsAttention, match=r"no predictor 'keros'; there are keras, .*theirs\. .*driftwatch\.predictors"
    ):
        predictor(store, "v0001-00000001", "keros")
    with pytest.raises(NeedsAttention, match="has no version"):  # a package does not take the built-in one's name
        predictor(store, "v0001-00000001", "keras")


@pytest.mark.parametrize(
    ("said", "card_kind", "asked"),
    [("champion", "theirs", "theirs"), ("ours", "theirs", "ours")],
)
def test_a_day_is_answered_by_the_version_itself_or_by_production(
    tmp_path, monkeypatch, said, card_kind, asked
) -> None:
    store = monitor_store(open_storage(f"file://{tmp_path}"), MonitorKeys("demo"))
    model = store.config.model.model_copy(update={"predictions": said})  # `ours` stands for endpoint and logged
    store = store.with_config(store.config.model_copy(update={"model": model}))
    version = registry.version_for(store, b"x")
    registry.register(store, version, b"x", model_card(kind=card_kind))
    installed(monkeypatch, *(EntryPoint(name, f"{__name__}:{name}", base.SEAM.group) for name in ("theirs", "ours")))
    assert predictor(store, version).kind == card_kind
    assert day_predictor(store.day(date(2026, 1, 3)), version).kind == asked


def test_the_first_class_wins_a_tie_and_scores_are_rounded() -> None:
    table = Predictions(np.array([[0.5, 0.5], [0.1234567, 0.8765433]]), None, ["v1"] * 2).table(("b", "a"))
    assert table["prediction"].tolist() == ["b", "a"]
    assert table.columns.tolist() == ["prediction", "score.b", "score.a"]
    assert table["score.b"].tolist() == [0.5, 0.123457]
