"""A .keras file that promises more than it holds is refused before anything is made room for."""

from __future__ import annotations

import io
import json
import resource
import zipfile

import h5py
import numpy as np
import pytest

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.models import keras_file
from driftwatch.models.architecture import build
from driftwatch.models.archive import CONFIG, WEIGHTS, DamagedModel, check_archive


@pytest.fixture(scope="module")
def model() -> bytes:
    return keras_file.to_bytes(build(ModelInput.square(32), 2, width=4))


def members(model: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(model)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def archive(files: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", compression) as result:
        for name, data in files.items():
            result.writestr(name, data)
    return target.getvalue()


def weights(fill) -> bytes:
    target = io.BytesIO()
    with h5py.File(target, "w") as file:
        fill(file)
    return target.getvalue()


def wider(model: bytes) -> dict:
    """Its configuration with a last layer of two hundred million outputs."""
    config = json.loads(members(model)[CONFIG])
    logits = next(layer for layer in config["config"]["layers"] if layer["config"]["name"] == "logits")
    logits["config"]["units"] = 200_000_000
    return config


def zipped_bomb() -> bytes:
    """2 GB of zeros, put in by pieces."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as result:
        result.writestr(CONFIG, "{}")
        with result.open(WEIGHTS, "w", force_zip64=True) as file:
            for _ in range(16):
                file.write(bytes(1_000_000))
    data = target.getvalue()
    # The directory at the end says how much it unpacks to: 2 GB here, which is all that may be looked at.
    return data.replace((16_000_000).to_bytes(4, "little"), (2_000_000_000).to_bytes(4, "little"))


def large_array(**options) -> bytes:
    return weights(lambda file: file.create_dataset("vars/0", (500_000_000,), "float32", **options))


def crossing(file: h5py.File) -> None:
    """Sixty groups, each with two links to the next."""
    for number in range(60):
        file.create_group(f"g{number}")
    for number in range(59):
        for name in "ab":
            file[f"g{number}"][name] = file[f"g{number + 1}"]


BROKEN = {
    "not a zip": (lambda model: b"\x89HDF\r\n\x1a\n" + bytes(100), "is no whole .keras file"),
    "cut short": (lambda model: model[: len(model) // 2], "is no whole .keras file"),
    "another archive": (lambda model: archive({"a.txt": b"text"}), r"no config\.json and no model\.weights\.h5"),
    "2 GB in the zip": (lambda model: zipped_bomb(), "unpacks to 2,0"),
    "2 GB never written": (lambda model: archive({**members(model), WEIGHTS: large_array()}), "arrays .* of 2,000,000,000"),
    "2 GB in chunks": (
        lambda model: archive({**members(model), WEIGHTS: large_array(chunks=(1000,), compression="gzip")}), "2,000,000,000",
    ),
    "a layer of gigabytes": (
        lambda model: archive({**members(model), CONFIG: json.dumps(wider(model)).encode()}), r"layers have \d,\d{3},\d{3},\d{3} parameters",
    ),
    "weights of another file": (
        lambda model: archive({**members(model), WEIGHTS: weights(lambda f: f.__setitem__("a", h5py.ExternalLink("/etc/x", "/a")))}), "is a link",
    ),
    "values of another file": (
        lambda model: archive({**members(model), WEIGHTS: weights(
            lambda f: f.create_dataset("a", (4,), "uint8", external=[("/etc/passwd", 0, 4)]))}), "from another file",
    ),
    "more ways than can be walked": (lambda model: archive({**members(model), WEIGHTS: weights(crossing)}), "has two places"),
    "a way out": (lambda model: archive({**members(model), "assets/../../x": b"x"}), "unpacked elsewhere"),
    "many files": (lambda model: archive({**members(model), **{f"assets/{n}": b"" for n in range(1000)}}), "holds 1,003 files"),
    "a configuration that is no JSON": (lambda model: archive({**members(model), CONFIG: b'{"module": '}), "is no whole .keras file"),
    "weights cut short": (lambda model: archive({**members(model), WEIGHTS: members(model)[WEIGHTS][:5000]}), "is no whole .keras file"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_promises_more_than_it_holds_is_refused_by_name_and_costs_nothing(name, model):
    make, said = BROKEN[name]
    data = make(model)
    assert len(data) < 4_000_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DamagedModel, match=said) as refused:
        keras_file.from_bytes(data, "s3://models/cats/model.keras")
    assert str(refused.value).startswith("s3://models/cats/model.keras")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kilobytes


def test_code_in_a_model_is_refused_before_it_runs(model):
    config = json.loads(members(model)[CONFIG])
    layer = next(layer for layer in config["config"]["layers"] if layer["config"]["name"] == "rescale")
    code = {"class_name": "__lambda__", "config": {"code": "4wEA", "defaults": None, "closure": None}}
    layer.update(class_name="Lambda", config={"name": "rescale", "function": code})
    with pytest.raises(DamagedModel, match="safe mode"):
        check_archive(archive({**members(model), CONFIG: json.dumps(config).encode()}), "m.keras")


def test_models_as_teams_have_them_pass(model, tmp_path):
    import keras
    from keras import layers

    image = keras.Input((32, 32, 3))
    x = layers.Normalization(mean=[0.5] * 3, variance=[0.2] * 3)(layers.RandomFlip()(layers.Rescaling(1 / 255)(image)))
    x = layers.Flatten()(layers.SeparableConv2D(4, 3, activation="relu")(layers.Resizing(24, 24)(x)))
    team = keras.Model(image, layers.Dense(2, activation="softmax")(layers.Dropout(0.5, seed=1)(x)))
    team.compile("adam", "mse")
    team.save(tmp_path / "m.keras")
    packed = archive(members((tmp_path / "m.keras").read_bytes()), zipfile.ZIP_DEFLATED)
    for data in ((tmp_path / "m.keras").read_bytes(), packed):
        loaded = keras_file.from_bytes(data, "m.keras")
        np.testing.assert_array_equal(loaded.get_weights()[-2], team.get_weights()[-2])
    check_archive(model, "m.keras")


def test_keras_does_not_make_the_values_of_a_model_that_was_only_looked_at(model, monkeypatch):
    """A refused model's variables would take their gigabytes at the end of Keras' next scope without state."""
    import keras

    made: list[str] = []
    check_archive(model, "model.keras")
    with pytest.raises(DamagedModel):
        check_archive(archive({**members(model), CONFIG: json.dumps(wider(model)).encode()}), "model.keras")
    monkeypatch.setattr(keras.Variable, "_deferred_initialize", lambda variable: made.append(variable.path))
    with keras.StatelessScope():
        pass
    assert made == []
