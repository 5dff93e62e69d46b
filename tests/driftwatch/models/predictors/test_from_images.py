"""How blocks are cut into batches."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from driftwatch.artifacts.model_input import ModelInput
from driftwatch.models.predictors.from_images import ImagePredictor, ModelFacts, Run
from driftwatch.models.predictors.heads import Head


@dataclass(frozen=True)
class Noting(ImagePredictor):
    """Notes the batches that it is given."""

    batches: list[int] = field(default_factory=list)

    def runner(self, batch_size: int) -> tuple[Run, int]:
        def run(batch: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
            self.batches.append(len(batch))
            return batch.reshape(len(batch), -1)[:, :2], None

        return run, 0


def noting(height: int, width: int) -> Noting:
    return Noting(ModelFacts("v1", ("cat", "dog"), ModelInput(height=height, width=width), Head("logits")))


@pytest.mark.parametrize(
    ("height", "width", "batches"),
    [(64, 64, [100]), (96, 96, [100]), (224, 224, [47, 47, 6]), (112, 448, [47, 47, 6]), (1024, 1024, [2] * 50)],
)
def test_a_batch_of_large_pictures_has_fewer_images(height: int, width: int, batches: list[int]) -> None:
    model = noting(height, width)
    block = np.broadcast_to(np.zeros((1, 1, 1, 3), np.uint8), (100, height, width, 3))
    answers, _ = model.raw([block], 256)
    assert (model.batches, len(answers)) == (batches, 100)


def test_a_batch_is_no_larger_than_the_setting_says() -> None:
    model = noting(224, 224)
    model.raw([np.zeros((10, 224, 224, 3), np.uint8)], 4)
    assert model.batches == [4, 4, 2]
