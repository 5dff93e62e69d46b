"""What `driftwatch champion` looks at in a new model: held-out images, and the scores of the team's own serving."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from driftwatch.artifacts.keys import own_key
from driftwatch.artifacts.store import MonitorStore
from driftwatch.errors import NeedsAttention

if TYPE_CHECKING:
    import numpy as np

    from driftwatch.models.champion import OwnModel
    from driftwatch.models.diagnosis import Diagnosis
    from driftwatch.view.expected import OrderWords


class WrongModel(NeedsAttention):
    """The model cannot be the one that the monitor file describes. --accept takes it all the same."""


def check_own(options: argparse.Namespace, monitor: MonitorStore, own: OwnModel) -> None:
    """Refuses a model whose answers are no better than chance, or would be far better by other settings, or are not those of the team's
    own serving. With --accept it says so and goes on."""
    from driftwatch.models.own_model import examine
    from driftwatch.view.expected import OrderWords

    own, found = examine(monitor, own)
    _refuse_wrong(options, found, str(own.path), OrderWords(positive=own.facts.head.positive_class))
    if options.expect:
        _check_expected(options, monitor, own, options.expect)


def check_version(options: argparse.Namespace, monitor: MonitorStore, version: str) -> None:
    """The same of a registered version that stands for production's own answers."""
    from driftwatch.config.model import LOGGED
    from driftwatch.models.own_model import examine_version
    from driftwatch.view.expected import OrderWords

    model = monitor.config.model
    by_log = OrderWords(by_name=monitor.config.classes)
    order = by_log if model.predictions == LOGGED else OrderWords(positive=model.positive_class)
    _refuse_wrong(options, examine_version(monitor, version), version, order)


def warn_of_chance(monitor: MonitorStore, version: str) -> None:
    """Says so where a version that was trained here answers no better than chance. It is no mistake of a setting, and nothing is refused."""
    from driftwatch.models.own_model import examine_version
    from driftwatch.view.shares import wide_share

    found = examine_version(monitor, version)
    if found.by_chance:
        print(
            f"Warning: {version} is right on {wide_share(found.accuracy)} of held-out images, no better than chance ({found.chance:.1%}): look "
            "whether each image lies in its own class's folder, then train with more images or --epochs, and --replace",
            flush=True,
        )


def _refuse_wrong(options: argparse.Namespace, found: Diagnosis, name: str, order: OrderWords) -> None:
    from driftwatch.view.expected import wrong_words

    if found.wrong:
        _refuse(options, wrong_words(found, name, order))
    elif found.too_few:
        print(
            f"Warning: the {found.accuracy.n} held-out images are too few to tell the model from chance: give more training images",
            flush=True,
        )


def _check_expected(options: argparse.Namespace, monitor: MonitorStore, own: OwnModel, path: Path) -> None:
    from driftwatch.models import expected
    from driftwatch.models.champion import training_images
    from driftwatch.models.expected_answers import read_expected
    from driftwatch.models.own_model import Scores
    from driftwatch.view.expected import expected_words

    table, whole = training_images(monitor)
    given = read_expected(monitor, path, table)
    ours = Scores(own.predictor)(whole.images[given.places], own.facts.input)
    found = expected.compare(ours, given.scores)
    print(expected_words(found, str(path)), flush=True)
    if given.unused:
        print(f"Of its {given.rows} rows, so many were not used: {given.unused}")
    if found.agrees:
        return
    order = expected.other_order(ours, given.scores, monitor.config.classes)
    if order:
        _refuse(
            options,
            f"The scores in {path} are the model's with the classes in another order: set classes: [{', '.join(order)}] if that is the "
            "order of the model's outputs, or correct the file's columns, and run the same command again; or add --accept.",
        )
        return
    few = expected.to_try(ours, given.scores)
    advice = _tried(monitor, own, table["key"].iloc[given.places[few]].tolist(), given.scores[few])
    _refuse(
        options,
        f"The team's own serving gives other scores than this model. {advice}, and run the same command again; or add --accept to take the "
        "model as it is.",
    )


def _tried(monitor: MonitorStore, own: OwnModel, keys: Sequence[str], theirs: np.ndarray) -> str:
    """Tries settings on the images at these keys of the training set, prints them as a table, and says which explains their scores."""
    from driftwatch.models import expected
    from driftwatch.models.own_model import Scores
    from driftwatch.view.expected import tried_lines

    files = (monitor.storage.read_bytes(own_key(monitor.keys.monitor, key)) for key in keys)
    tried = expected.search(files, theirs, own.facts.input, monitor.config.images, Scores(own.predictor))
    print(f"\nSettings tried on {len(keys)} of the images, the best first:")
    print("\n".join(tried_lines(tried)) + "\n", flush=True)
    best = expected.explains(tried)
    if best is None:
        return "No setting of model.input explains it: look at whether both are the same model"
    return f"Set model.input {best.said}"


def _refuse(options: argparse.Namespace, said: str) -> None:
    if not options.accept:
        raise WrongModel(said)
    print(f"Warning: {said}", flush=True)
