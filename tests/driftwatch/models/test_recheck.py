"""A sample of a logged day is answered by the champion's file too, and a difference warns without an alert."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.cards import model_card
from tests.driftwatch.models.logged.days import IMAGES, SIDE, a_day, answers, csv_of, image_id, put

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.artifacts.recheck import Recheck
from driftwatch.artifacts.store import DayStore
from driftwatch.errors import NeedsAttention
from driftwatch.images.inputs import DayInputs, write_block, write_index
from driftwatch.models import registry
from driftwatch.models.own_model import Scores
from driftwatch.models.predict import predict_day
from driftwatch.models.predictors.base import predictor
from driftwatch.models.recheck import recheck_day
from driftwatch.models.serving import answered_on
from driftwatch.storage import Storage

from .onnx_models import Net, data

NET = Net(size=(SIDE, SIDE), spread=4.0, seed=3)


@pytest.fixture
def day(tmp_path: Path) -> DayStore:
    """A day of a hundred images in two blocks, with a champion that is an ONNX file."""
    day = a_day(tmp_path)
    pixels = np.random.default_rng(0).integers(0, 256, (IMAGES, SIDE, SIDE, 3)).astype(np.uint8)
    write_block(day, 0, pixels[:60])
    write_block(day, 1, pixels[60:])
    write_index(day, ModelInput.square(SIDE), [60, IMAGES - 60])
    ids = [image_id(number) for number in range(IMAGES)]
    day.storage.write_table(day.keys.features, pd.DataFrame({"image_id": ids}))
    given = {"height": SIDE, "width": SIDE, "layout": "nchw", "scale": 1 / 255}
    card = model_card(
        kind="onnx", classes=["cat", "dog"], input_size=SIDE, input=given, output="logits", temperature=2.0
    )
    registry.register(day.monitor, "v0001-00000001", data(NET), card)
    return day


def log(day: DayStore, scores: np.ndarray, versions: list[str] | None = None, with_scores: bool = True) -> None:
    """Production's answers: image 99 has none."""
    table = pd.DataFrame({"image_id": [image_id(number) for number in range(IMAGES - 1)]})
    table["prediction"] = np.array(["cat", "dog"])[scores[:-1].argmax(axis=1)]
    if with_scores:
        table["score.cat"], table["score.dog"] = scores[:-1].T
    table["model_version"] = versions or "prod-7"
    day.storage.write_table(day.keys.predictions, table)


def own_scores(day: DayStore, other: bool = False) -> np.ndarray:
    model = predictor(day.monitor, "v0001-00000001")
    images = np.concatenate(list(DayInputs(day).blocks()))
    return Scores(model)(images // 4 if other else images, model.facts.input)


def test_answers_of_the_same_model_agree_though_the_cards_scores_are_calibrated(day: DayStore) -> None:
    log(day, own_scores(day))
    found = recheck_day(day, "v0001-00000001")
    assert found == day.read(Recheck)
    assert (found.images, found.agrees, found.other_class, found.scores) == (64, True, 0, True)
    assert found.largest < 1e-5


def test_answers_to_other_pixels_are_told_and_logged_as_a_warning(
    day: DayStore, caplog: pytest.LogCaptureFixture
) -> None:
    log(day, own_scores(day, other=True))
    found = recheck_day(day, "v0001-00000001")
    assert found.agrees is False
    assert found.largest > 0.02
    assert "Production's answers are not those of the file of v0001-00000001" in caplog.text
    assert not day.storage.list(day.keys.outbox)


def test_answers_without_scores_are_compared_by_class(day: DayStore) -> None:
    log(day, own_scores(day), with_scores=False)
    found = recheck_day(day, "v0001-00000001")
    assert (found.scores, found.agrees, found.other_class) == (False, True, 0)
    log(day, own_scores(day)[:, ::-1], with_scores=False)
    found = recheck_day(day, "v0001-00000001")
    assert (found.agrees, found.other_class) == (False, 64)


def test_only_the_serving_versions_answers_count(day: DayStore) -> None:
    scores = own_scores(day)
    scores[:20] = scores[:20, ::-1]
    log(day, scores, ["canary"] * 20 + ["prod-7"] * 79)
    assert recheck_day(day, "v0001-00000001").agrees


@pytest.mark.parametrize(
    ("named", "agrees"),
    [(None, True), ("canary", False), ("a-new-one", False)],
    ids=[
        "of as many answers the first by name, as the verdict is about",
        "the named one",
        "a named one of few answers",
    ],
)
def test_the_serving_version_is_the_verdicts(day: DayStore, named: str | None, agrees: bool) -> None:
    """The canary's answers come first, and are as many as production's."""
    scores = own_scores(day)
    wrong = np.r_[:49, 98]
    scores[wrong] = scores[wrong, ::-1]
    log(day, scores, ["canary"] * 49 + ["b-prod"] * 49 + ["a-new-one"])
    day = day.with_config(
        day.config.model_copy(update={"model": day.config.model.model_copy(update={"serving_version": named})})
    )
    predictions = day.storage.read_table(day.keys.predictions)
    serving = answered_on(day, predictions).serving
    found = recheck_day(day, "v0001-00000001")
    assert (serving, found.agrees) == (named or "b-prod", agrees)


def test_a_serving_version_that_answered_nothing_is_refused_as_for_the_verdict(day: DayStore) -> None:
    log(day, own_scores(day))
    model = day.config.model.model_copy(update={"serving_version": "prod-8"})
    with pytest.raises(NeedsAttention, match=r"model.serving_version is prod-8, which answered no image"):
        recheck_day(day.with_config(day.config.model_copy(update={"model": model})), "v0001-00000001")


def test_an_old_day_whose_inputs_were_removed_is_answered_again_without_a_recheck(day: DayStore) -> None:
    log(day, own_scores(day))
    assert recheck_day(day, "v0001-00000001").agrees
    for item in day.storage.list(day.keys.inputs):
        if item.key != day.keys.inputs_index:
            day.storage.delete(item.key)
    put(day, "a.csv", csv_of(answers()))
    assert predict_day(day, "v0001-00000001")["images"] == IMAGES
    assert not day.has(Recheck)


def test_a_recheck_of_no_images_or_of_a_champion_that_is_no_file_leaves_nothing(day: DayStore) -> None:
    """Not even what an earlier run found."""
    log(day, own_scores(day, other=True))
    assert not recheck_day(day, "v0001-00000001").agrees
    model = day.config.model.model_copy(update={"recheck_images": 0})
    assert recheck_day(day.with_config(day.config.model_copy(update={"model": model})), "v0001-00000001") is None
    assert not day.has(Recheck)
    assert not recheck_day(day, "v0001-00000001").agrees
    card = model_card(kind="logged", classes=["cat", "dog"])
    registry.register(day.monitor, "v0002-00000002", b"answers", card)
    assert recheck_day(day, "v0002-00000002") is None
    assert not day.has(Recheck)


def test_the_step_that_reads_the_log_rechecks_the_day(day: DayStore) -> None:
    put(day, "a.csv", csv_of(answers()))
    predict_day(day, "v0001-00000001")
    assert day.read(Recheck).images == 64


def test_no_table_of_the_day_is_read_whole(day: DayStore, monkeypatch: pytest.MonkeyPatch) -> None:
    log(day, own_scores(day))
    expected = recheck_day(day, "v0001-00000001")
    read = type(day.storage).read_bytes

    def of(self: Storage, key: str) -> bytes:
        assert key not in (day.keys.predictions, day.keys.features), f"{key} is read whole"
        return read(self, key)

    monkeypatch.setattr(type(day.storage), "read_bytes", of)
    assert recheck_day(day, "v0001-00000001") == expected
