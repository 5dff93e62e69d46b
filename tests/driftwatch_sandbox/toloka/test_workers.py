"""The simulated annotators: what they answer depends on seed, worker and image alone, and is mostly right."""

from __future__ import annotations

import hashlib

import numpy as np

from driftwatch_sandbox.toloka.workers import answer, population


def test_an_answer_depends_on_the_seed_the_worker_and_the_image_alone():
    images = {hashlib.sha256(str(n).encode()).hexdigest(): "cat" if n % 2 else "dog" for n in range(72)}
    classes, allowed = {"cat", "dog"}, ["cat", "dog", "unclear"]

    def all_answers(seed):
        return [
            answer(worker, image, label, allowed, classes, seed)
            for worker in population(seed)
            for image, label in images.items()
        ]

    assert all_answers(3) == all_answers(3)
    assert all_answers(3) != all_answers(4)


def test_careful_workers_are_mostly_right_and_hard_images_are_hard_for_all():
    images = [hashlib.sha256(str(n).encode()).hexdigest() for n in range(600)]
    careful = [worker for worker in population(3) if worker.kind == "careful"]
    right = np.array(
        [[answer(w, i, "cat", ["cat", "dog"], {"cat", "dog"}, 3) == "cat" for i in images] for w in careful]
    )
    assert 0.9 < right.mean() < 0.99
    by_image = right.mean(axis=0)
    # Were all images alike, one on which less than 7 of 10 are right would come up once in a million.
    assert (by_image < 0.7).mean() > 0.01
