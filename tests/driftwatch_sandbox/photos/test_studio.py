"""The drawn demo photos."""

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from sklearn.linear_model import LogisticRegression

from driftwatch.errors import DriftwatchError
from driftwatch_sandbox.photos import draw, write_photos

LABELS = ("cat", "dog")


def sharpness(image: Image.Image) -> float:
    """The variance of the Laplacian, which only edges and texture raise."""
    return float(cv2.Laplacian(np.asarray(image.convert("L")), cv2.CV_64F).var())


def digests(paths: list[Path]) -> list[str]:
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    write_photos(folder, {"cat": 30, "dog": 30}, seed=7)
    return folder


@pytest.mark.parametrize("label", LABELS)
def test_a_seed_draws_the_same_picture_again_and_another_seed_another(label):
    first, again, other = draw(label, 3), draw(label, 3), draw(label, 4)
    assert first.mode == "RGB"
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()


def test_cat_and_dog_of_one_seed_are_different_pictures():
    assert draw("cat", 3).tobytes() != draw("dog", 3).tobytes()


def test_an_unknown_class_is_refused_with_the_classes_there_are(tmp_path):
    with pytest.raises(DriftwatchError, match=r"'fox'.*cat and dog"):
        draw("fox", 0)
    with pytest.raises(DriftwatchError, match=r"'fox'.*cat and dog"):
        write_photos(tmp_path, {"fox": 1}, seed=0)
    assert list(tmp_path.iterdir()) == []


def test_files_are_named_by_class_and_number_and_all_decode_as_different_jpegs(folder):
    paths = sorted(folder.rglob("*.jpg"))
    assert {path.relative_to(folder).as_posix() for path in paths} == {
        f"{c}/{c}.{i}.jpg" for c in LABELS for i in range(30)
    }
    assert len(set(digests(paths))) == 60
    for path in paths:
        with Image.open(path) as image:
            image.load()
            assert image.format == "JPEG"
            assert image.mode == "RGB"


def test_sizes_shapes_and_qualities_vary_within_the_promised_range(folder):
    sizes, coarseness = set(), set()
    for path in folder.rglob("*.jpg"):
        with Image.open(path) as image:
            sizes.add(image.size)
            coarseness.add(image.quantization[0][0])
    sides = np.array(list(sizes))
    assert sides.min() >= 200
    assert sides.max() <= 500
    assert len(sizes) > 50
    assert sides[:, 0].std() > 30
    assert (sides[:, 0] / sides[:, 1]).min() < 0.9
    assert (sides[:, 0] / sides[:, 1]).max() > 1.1
    # The quantization step of the mean is 13 at quality 60 and 2 at quality 95.
    assert min(coarseness) >= 2
    assert max(coarseness) <= 13
    assert len(coarseness) > 5


def test_the_photos_are_textured_and_of_many_colours_and_lights(folder):
    pictures = [Image.open(path) for path in folder.rglob("*.jpg")]
    means = np.array([np.asarray(picture).mean((0, 1)) for picture in pictures])
    assert min(sharpness(picture) for picture in pictures) > 20
    assert (means.std(0) > 15).all()
    assert 60 < means.mean() < 180


def test_the_same_seed_writes_the_same_files_with_any_number_of_processes(tmp_path):
    counts = {"cat": 52, "dog": 2}
    one = write_photos(tmp_path / "one", counts, seed=5, processes=1)
    two = write_photos(tmp_path / "two", counts, seed=5, processes=2)
    other = write_photos(tmp_path / "other", {"cat": 2}, seed=6)
    assert [path.relative_to(tmp_path / "one") for path in one] == [path.relative_to(tmp_path / "two") for path in two]
    assert [path.name for path in one[:3]] == ["cat.0.jpg", "cat.1.jpg", "cat.2.jpg"]
    assert digests(one) == digests(two)
    assert not set(digests(other)) & set(digests(one))


def test_more_photos_of_a_seed_keep_the_first_ones(tmp_path):
    few = write_photos(tmp_path / "few", {"dog": 2}, seed=5)
    more = write_photos(tmp_path / "more", {"cat": 1, "dog": 4}, seed=5)
    assert digests(more)[1:3] == digests(few)


def edges(image: Image.Image) -> np.ndarray:
    """How much edge there is of each of 6 directions in each of 8 x 8 cells."""
    grey = cv2.resize(np.asarray(image.convert("L"), np.float32), (64, 64), interpolation=cv2.INTER_AREA)
    strength, angle = cv2.cartToPolar(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    direction = (angle * 6 / np.pi).astype(int) % 6
    layers = [cv2.resize(strength * (direction == k), (8, 8), interpolation=cv2.INTER_AREA) for k in range(6)]
    return np.concatenate(layers, axis=None) / strength.mean()


@pytest.mark.all_faults("it draws four hundred photos")
def test_what_tells_the_classes_apart_carries_over_to_other_seeds():
    seen, new = (
        [(edges(draw(label, i)), label) for label in LABELS for i in seeds] for seeds in (range(150), range(900, 960))
    )
    model = LogisticRegression(C=0.1, max_iter=500).fit(*zip(*seen, strict=True))
    assert model.score(*zip(*new, strict=True)) > 0.7  # 120 coin tosses stay below .61 with 99 % probability
