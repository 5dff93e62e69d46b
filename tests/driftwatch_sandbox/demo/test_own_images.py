"""A person's own images: found, and shared out over training and days."""

from __future__ import annotations

import pytest

from driftwatch_sandbox.demo.own_images import TRAINING_EACH, find, share_out


@pytest.mark.parametrize("n", [2, 7, 100])
def test_images_are_shared_out_for_any_number_of_classes(n: int, tmp_path) -> None:
    classes = [f"c{place}" for place in range(n)]
    images = {
        name: [tmp_path / f"{name}-{number}" for number in range(TRAINING_EACH + max(3, 240 // n))] for name in classes
    }
    for path in (path for paths in images.values() for path in paths):
        path.touch()
    shares = share_out(tmp_path, classes, images, 3)
    used = [image for part in (shares.training, *shares.days) for image in part]
    assert len(set(used)) == len(used)
    assert len(used) + shares.left == sum(map(len, images.values()))
    assert min(sum(label == name for _, label in shares.training) for name in classes) >= TRAINING_EACH
    assert len({len(day) for day in shares.days}) == 1


def test_hidden_files_and_others_are_no_images(tmp_path) -> None:
    (tmp_path / "a").mkdir()
    for name in (".hidden.jpg", "notes.txt", "one.JPEG", "two.webp"):
        (tmp_path / "a" / name).touch()
    assert [path.name for path in find(tmp_path, ["a"])["a"]] == ["one.JPEG", "two.webp"]
