"""Production's answers for the training images are a version like any other: hashed, measured, with references, and no image is answered."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.stores import monitor_store

from driftwatch.artifacts.ingest import Ingest
from driftwatch.artifacts.reference import UsualPredictions
from driftwatch.artifacts.store import MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.drift.content_and_predictions import judge_content_and_predictions
from driftwatch.drift.handover import build_reference_of
from driftwatch.errors import NeedsAttention
from driftwatch.images.gist import WIDTH
from driftwatch.models import registry
from driftwatch.models.dataset import take_in_training_set
from driftwatch.models.logged.registration import _alike, register_answers
from driftwatch.models.predict import predict_day
from driftwatch.models.predictors.base import Asked, predictor

from ..conftest import CLASSES, World, striped

DAY = date(2026, 1, 3)
IMAGES = 160  # of each class: a fifth is held out, and a reference needs 50


@pytest.fixture(scope="module")
def taken_in(tmp_path_factory) -> Path:
    """A storage with a training set of stripes."""
    from ..conftest import open_world

    root = tmp_path_factory.mktemp("taken_in") / "storage"
    world = open_world(root)
    rng = np.random.default_rng(0)
    for label in CLASSES:
        for number in range(IMAGES):
            world.put_training(label, f"{number:03d}", striped(rng, label))
    take_in_training_set(monitor_store(world.storage, world.layout, world.config))
    return root


@pytest.fixture
def world(taken_in, tmp_path) -> World:
    import shutil

    from ..conftest import open_world

    shutil.copytree(taken_in, tmp_path / "storage")
    return open_world(tmp_path / "storage")


def store_of(world: World, columns: dict[str, Any] | None = None, **model: Any) -> MonitorStore:
    logged = {
        "path": "logs/{day}/*.csv",
        "columns": columns or {"key": "file", "prediction": "said", "scores": {"across": "a", "upright": "u"}},
        "settle_seconds": 0,
    }
    settings = world.config.model_dump()
    settings["model"] = {"input_size": 32, "predictions": "logged", "logged": logged, **model}
    return monitor_store(world.storage, world.layout, MonitorConfig.model_validate(settings))


def answers(world: World, wrong: int = 10) -> pd.DataFrame:
    """What production answered for the training images; every `wrong`th is wrong."""
    rows = []
    for label in CLASSES:
        for number in range(IMAGES):
            right = number % wrong != 0
            said = label if right else next(other for other in CLASSES if other != label)
            upright = 0.8 if said == "upright" else 0.2
            rows.append((f"{label}/{number:03d}.png", said, round(1 - upright, 2), upright))
    return pd.DataFrame(rows, columns=["file", "said", "a", "u"])


def register(store: MonitorStore, table: pd.DataFrame, folder: Path, name: str = "answers.csv") -> str:
    path = folder / name
    table.to_csv(path, index=False) if name.endswith("csv") else table.to_json(path, orient="records", lines=True)
    return register_answers(store, [path])


def test_the_card_says_how_right_production_is_on_the_holdout_and_its_scores(world, tmp_path):
    store = store_of(world)
    version = register(store, answers(world), tmp_path)
    card = registry.card(store, version)
    table = store.storage.read_table(store.keys.training_set)
    holdout = table[table["split"] == "evaluation"]
    right = [int(key.rpartition("/")[2][:3]) % 10 != 0 for key in holdout["key"]]
    assert (card.kind, card.parameters, card.temperature, card.output) == ("logged", 0, 1.0, "probabilities")
    assert card.metrics.holdout.n == len(holdout) > 5
    assert card.metrics.holdout.accuracy.value == pytest.approx(np.mean(right))
    assert card.metrics.holdout.mean_score == pytest.approx(0.8)
    assert card.classes == CLASSES
    assert store.storage.exists(store.keys.model(version, "logged"))
    assert register(store, answers(world), tmp_path) == version
    assert register(store, answers(world, wrong=7), tmp_path) != version


def test_another_file_in_the_place_of_the_registered_one_is_refused(world, tmp_path):
    store = store_of(world)
    version = register(store, answers(world), tmp_path)
    store.storage.write_bytes(store.keys.model(version, "logged"), b"PAR1 other PAR1")
    with pytest.raises(NeedsAttention, match="sha256"):
        predictor(store, version)


@pytest.mark.parametrize("setting", ["auto", "none"])
def test_its_references_and_a_day_of_the_log_are_judged_like_those_of_a_model(world, tmp_path, setting):
    store = store_of(world, content_features=setting)
    version = register(store, answers(world), tmp_path)
    counts = build_reference_of(store, version)
    usual = store.read(store.keys.reference_predictions(version), UsualPredictions)
    assert usual.content == ("gist" if setting == "auto" else "none")
    registry.promote(store, version, "test", None)
    labels = world.add_day(DAY, 40)
    day = store.day(DAY)
    day.write(day.read(Ingest).model_copy(update={"model_version": version}))
    keys = day.storage.read_table(day.keys.manifest)["key"]
    log = pd.DataFrame({"file": keys, "said": "Upright", "a": 0.3, "u": 0.7}).iloc[:39]
    day.storage.write_bytes(f"logs/{DAY}/a.csv", log.to_csv(index=False).encode())
    found = predict_day(day, version)
    assert found == {"images": 39, "model_version": version, "predictions": {"across": 0, "upright": 39}}
    assert len(labels) == 40
    drift = judge_content_and_predictions(day, version)
    assert drift.predictions.n == 39
    if setting == "none":
        assert (
            drift.content.reason
            == f"{version} gives no embeddings, and model.content_features was none when it was registered"
        )
    else:
        assert day.storage.read_array(day.keys.embeddings).shape == (39, WIDTH)
        assert counts.held_out >= 50
        assert (drift.content.reason, drift.content.n, drift.content.by) == (None, 39, "gist")


def test_embeddings_of_the_file_make_the_reference(world, tmp_path):
    columns = {"key": "file", "prediction": "said", "embedding": "v", "model_version": "by"}
    store = store_of(world, columns=columns)
    table = answers(world).assign(v=[[float(n), 1.0] for n in range(2 * IMAGES)], by="prod-3")
    version = register(store, table, tmp_path, "answers.jsonl")
    build_reference_of(store, version)
    assert store.read(store.keys.reference_predictions(version), UsualPredictions).content == "embeddings"
    ids = store.storage.read_table(store.keys.training_set)["image_id"].tolist()
    found = predictor(store, version).predict(Asked([], image_ids=ids[:5]), 8)
    assert found.embeddings is not None
    assert (found.embeddings.dtype, found.embeddings.shape) == (np.float16, (5, 2))
    assert found.versions == ["prod-3"] * 5
    assert np.isnan(found.scores).all()
    assert registry.card(store, version).metrics.holdout.mean_score is None


def test_too_few_answers_are_refused_with_what_became_of_the_rows(world, tmp_path):
    store = store_of(world)
    table = answers(world)
    table.loc[:20, "said"] = "sideways"
    with pytest.raises(
        NeedsAttention, match=r"21 of 320 training images .*'unknown_class': 21.*Unknown classes: sideways"
    ):
        register(store, table, tmp_path)
    with pytest.raises(NeedsAttention, match=r"320 of 320 training images .*<class>/<file>"):
        register(store, table.assign(file="x"), tmp_path)
    with pytest.raises(NeedsAttention, match="cannot be read"):
        register_answers(store, [tmp_path / "nowhere.csv"])
    assert registry.versions(store) == []


def test_a_training_image_is_found_whatever_the_case_of_its_path_and_the_way_of_its_accents(world, tmp_path):
    """The folder of a class is taken so, and the answers' keys about its images were not: 450 of 450 had no answer."""
    store = store_of(world)
    table = answers(world)
    exact = register(store, table, tmp_path)
    assert register(store, table.assign(file=table["file"].str.upper()), tmp_path, "other.csv") == exact
    assert _alike(["A\u0308pfel/1.jpg", "a/1.jpg", "A/1.jpg"]) == {"\u00e4pfel/1.jpg": "A\u0308pfel/1.jpg"}


def test_a_few_images_without_an_answer_are_in_no_number(world, tmp_path):
    store = store_of(world)
    table = answers(world).iloc[3:]
    version = register(store, table, tmp_path)
    build_reference_of(store, version)
    ids = store.storage.read_table(store.keys.training_set).set_index("key")["image_id"]
    missing = ids[store.keys.training_image("across", "000.png")]
    found = predictor(store, version).predict(Asked([], image_ids=[missing]), 8)
    assert found.answers == [None]


def test_the_command_takes_the_training_images_in_and_makes_it_the_champion(world, tmp_path, capsys):
    from driftwatch.cli import main

    store = store_of(world)
    file, log = tmp_path / "stripes.yaml", tmp_path / "answers.csv"
    file.write_text(json.dumps(store.config.model_dump(mode="json", exclude_none=True, exclude_defaults=True)))
    answers(world).to_csv(log, index=False)
    assert main(["champion", "import", str(file), "--answers", str(log)]) in (0, None)
    out = capsys.readouterr().out
    version = registry.champion_version(store)
    assert f"Champion {version}: accuracy" in out
    assert registry.card(store, version).created_by == "driftwatch champion import"
    assert main(["champion", "import", str(file), str(log), "--answers", str(log), "--replace"]) != 0
    assert main(["champion", "import", str(file), "--replace"]) != 0


def test_the_gate_leaves_out_what_production_has_not_answered(world, tmp_path):
    from driftwatch.artifacts.keys import CHALLENGER, DATASET_CARD, SET
    from driftwatch.artifacts.retraining import ChallengerNote, DatasetCard
    from driftwatch.models.dataset import summary
    from driftwatch.models.gate import evaluate_challenger

    store = store_of(world)
    table = store.storage.read_table(store.keys.training_set)
    holdout = table[table["split"] == "evaluation"].reset_index(drop=True)
    unanswered = holdout["key"].iloc[:3].str.removeprefix(f"{store.keys.training_images}/")
    known = answers(world)
    champion = register(store, known[~known["file"].isin(unanswered)], tmp_path)
    challenger = register(store, answers(world, wrong=100), tmp_path)
    registry.promote(store, champion, "test", None)
    rows = holdout.assign(source="original", day="", confidence=1.0)
    store.storage.write_table(store.keys.retraining("r1", SET), rows)
    about = DatasetCard(**dict(summary(rows)), first_day=date(2026, 1, 5), last_day=date(2026, 1, 5), left_out={})
    store.write(store.keys.retraining("r1", DATASET_CARD), about)
    note = ChallengerNote(version=challenger, parent=champion, requested_by="test")
    store.write(store.keys.retraining("r1", CHALLENGER), note)
    gate = evaluate_challenger(store, "r1", in_words=lambda reason, rules: reason.finding.name)
    assert gate.clean.champion.accuracy.n == len(holdout) - 3
    assert gate.unanswered == 3
    evaluated = store.storage.read_table(store.keys.model_evaluation(challenger))
    assert set(evaluated["image_id"]) == set(holdout["image_id"].iloc[3:])


def test_answers_whose_classes_are_mixed_up_are_refused_by_the_command_until_they_are_accepted(world, tmp_path, capsys):
    from driftwatch.cli import main

    store = store_of(world)
    file, log = tmp_path / "stripes.yaml", tmp_path / "answers.csv"
    file.write_text(json.dumps(store.config.model_dump(mode="json", exclude_none=True, exclude_defaults=True)))
    table = answers(world)
    table["said"] = table["said"].map({"across": "upright", "upright": "across"})
    table.to_csv(log, index=False)
    command = ["champion", "import", str(file), "--answers", str(log)]
    assert main(command) == 1
    said = capsys.readouterr().err
    assert "no better than chance" in said
    assert "with its class across being upright and upright being across" in said
    assert "Map them by model.logged.classes" in said
    assert registry.champion(store) is None
    assert main([*command, "--accept"]) == 0
    assert registry.champion_version(store)
