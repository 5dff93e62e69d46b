"""Models of other formats are converted in a process of their own, and answer as before."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.models import conversion
from driftwatch.models.cards import open_file
from driftwatch.models.conversion import converted
from driftwatch.models.model_file import NotAModel, read_model_file
from driftwatch.models.predictors.from_images import ModelFacts
from driftwatch.models.predictors.heads import Head

from .onnx_models import data

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 16, 16, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def team() -> keras.Model:
    image = keras.Input((16, 16, 3))
    x = keras.layers.Conv2D(4, 3, activation="relu")(keras.layers.Rescaling(1 / 255)(image))
    x = keras.layers.Dropout(0.5)(keras.layers.GlobalAveragePooling2D()(keras.layers.BatchNormalization()(x)))
    return keras.Model(image, keras.layers.Dense(2, activation="softmax")(x))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "kind"),
    [
        pytest.param("team.h5", "keras", marks=pytest.mark.all_faults("test_malicious_files.py converts one of these")),
        ("saved", "onnx"),
    ],
)
def test_a_converted_model_answers_as_it_did(team, tmp_path: Path, name: str, kind: str) -> None:
    path = tmp_path / name
    if kind == "keras":
        team.save(path)
    else:
        team.export(path, verbose=False)
    file, found = converted(read_model_file(path))
    assert found == kind
    facts = ModelFacts("v", ("a", "b"), ModelInput(height=16, width=16), Head("probabilities"))
    answers, embeddings = open_file(file, kind, facts, name).raw([IMAGES], 5)
    np.testing.assert_allclose(answers, team(IMAGES.astype("float32"), training=False), atol=1e-5)
    assert embeddings is not None
    assert embeddings.shape == (5, 4)


def test_a_file_that_needs_none_is_given_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(data())
    assert converted(read_model_file(tmp_path / "m.onnx")) == (data(), "onnx")


def test_the_process_gets_nothing_of_the_users_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cret")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(conversion, "_START", "import os, sys; sys.exit(repr(dict(os.environ)) + str(os.getcwd()))")
    (tmp_path / "m.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    with pytest.raises(NotAModel) as told:
        converted(read_model_file(tmp_path / "m.h5"))
    assert "s3cret" not in str(told.value)
    assert str(tmp_path) not in str(told.value).splitlines()[0].split("converted:")[1]
    assert "'HOME': '/tmp/driftwatch-convert-" in str(told.value)


def test_one_that_takes_too_long_or_too_much_is_told_with_the_command_to_use(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "m.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    monkeypatch.setattr(conversion, "_START", "import os; os.kill(os.getpid(), 9)")
    with pytest.raises(NotAModel, match=r"(?s)ended by signal 9.*\n  python -c .*m\.h5 .*m\.onnx"):
        converted(read_model_file(tmp_path / "m.h5"))
    monkeypatch.setattr(conversion, "_START", "import time; time.sleep(60)")
    monkeypatch.setattr(conversion, "SECONDS", 0.2)
    with pytest.raises(NotAModel, match=r"not converted in 0\.2 seconds"):
        converted(read_model_file(tmp_path / "m.h5"))
