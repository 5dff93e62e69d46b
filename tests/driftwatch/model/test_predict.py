"""Predictions keep the day's order, are probabilities, and repeat to the byte."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from driftwatch.errors import NeedsAttention
from driftwatch.model.predict import fit_temperature, predict_day, probabilities
from driftwatch.model.registry import champion_version, load_model

DAY = date(2026, 1, 3)


def predict(world) -> dict:
    version = champion_version(world.storage, world.layout)
    return predict_day(world.storage, world.layout.day(DAY), world.layout, world.config, version)


def test_the_same_day_gives_the_same_bytes_in_the_days_order(world) -> None:
    labels = world.add_day(DAY, 41).set_index("image_id")
    keys = world.layout.day(DAY)
    counts = predict(world)
    first = world.storage.read_bytes(keys.predictions)
    predict(world)
    table = world.storage.read_table(keys.predictions)
    assert world.storage.read_bytes(keys.predictions) == first
    assert table["image_id"].tolist() == world.storage.read_table(keys.features)["image_id"].tolist()
    assert table.columns.tolist() == ["image_id", "prediction", "score.across", "score.upright", "model_version"]
    assert (table["prediction"].to_numpy() == labels.loc[table["image_id"], "label"].to_numpy()).mean() > 0.9
    assert counts["images"] == 41
    assert sum(counts["predictions"].values()) == 41
    best = table[["score.across", "score.upright"]].to_numpy()
    assert np.allclose(best.sum(axis=1), 1, atol=2e-6)


def test_batches_and_the_filled_up_last_one_change_no_answer(world) -> None:
    from driftwatch.model.predict import logits

    world.add_day(DAY, 41)
    model = load_model(world.storage, world.layout, champion_version(world.storage, world.layout))
    inputs = world.storage.read_array(world.layout.day(DAY).inputs)
    assert np.allclose(logits(model, inputs, 16), model.model(inputs.astype("float32")), atol=1e-4)


def test_the_embedding_is_the_last_hidden_layers_and_explains_the_logits(world) -> None:
    world.add_day(DAY, 41)
    predict(world)
    keys = world.layout.day(DAY)
    embeddings = world.storage.read_array(keys.embeddings)
    model = load_model(world.storage, world.layout, champion_version(world.storage, world.layout))
    weights, bias = model.model.get_layer("logits").get_weights()
    assert embeddings.shape == (41, len(weights))
    expected = model.model(world.storage.read_array(keys.inputs).astype("float32"))
    assert np.allclose(embeddings.astype("float32") @ weights + bias, expected, atol=0.05)


@pytest.mark.parametrize("head", ["map", "softmax", "opaque"])
def test_other_architectures_have_an_embedding_too(head) -> None:
    import keras
    from keras import layers

    from driftwatch.model.predict import logits_and_embeddings
    from driftwatch.model.registry import LoadedModel

    image = keras.Input((16, 16, 3))
    if head == "map":  # classes by a convolution, pooled afterwards
        answer = layers.GlobalAveragePooling2D()(layers.Conv2D(2, 1)(layers.Conv2D(7, 3)(image)))
        model, width = keras.Model(image, answer), 7
    elif head == "softmax":
        layer_list = [image, layers.Flatten(), layers.Dense(5), layers.Dense(2), layers.Softmax()]
        model, width = keras.Sequential(layer_list), 5
    else:
        inner = keras.Sequential([keras.Input((16, 16, 3)), layers.Flatten(), layers.Dense(2)])
        model, width = keras.Sequential([image, inner]), 2
    inputs = np.random.default_rng(0).integers(0, 255, (5, 16, 16, 3)).astype("uint8")
    raw, embeddings = logits_and_embeddings(LoadedModel("", model, 1.0, True, 16), inputs, 4)
    assert embeddings.shape == (5, width)
    assert np.ptp(embeddings.astype("float32")) > 0
    np.testing.assert_allclose(raw, model(inputs.astype("float32")), rtol=1e-3, atol=1e-4)


def test_a_day_without_an_accepted_image_has_no_predictions_and_no_error(world) -> None:
    world.add_day(DAY, 3)
    keys = world.layout.day(DAY)
    world.storage.write_table(keys.features, world.storage.read_table(keys.features).head(0))
    world.storage.write_array(keys.inputs, np.zeros((0, 32, 32, 3), np.uint8))
    assert predict(world)["images"] == 0
    assert len(world.storage.read_table(keys.predictions)) == 0
    assert len(world.storage.read_array(keys.embeddings)) == 0


def test_inputs_of_another_size_are_refused_with_both_sizes(world) -> None:
    world.add_day(DAY, 3)
    world.storage.write_array(world.layout.day(DAY).inputs, np.zeros((3, 64, 64, 3), np.uint8))
    with pytest.raises(NeedsAttention, match=r"input_size 32.*\[64, 64, 3\]"):
        predict(world)


def test_the_temperature_undoes_what_made_a_model_too_sure() -> None:
    rng = np.random.default_rng(0)
    honest = rng.normal(0, 1.5, (4000, 2))
    labels = (rng.random(4000) < probabilities(honest, 1.0)[:, 1]).astype(int)
    assert fit_temperature(honest * 2.5, labels) == pytest.approx(2.5, rel=0.1)
    assert fit_temperature(honest[:20], labels[:20]) == 1.0
