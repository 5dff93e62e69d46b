"""The kinds of a seam by name."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from driftwatch.errors import ConfigError
from driftwatch.labels.backends.base import SEAM as BACKENDS
from driftwatch.models.predictors.base import SEAM as PREDICTORS
from driftwatch.models.training.base import SEAM as TRAINERS
from driftwatch.publish.sinks import SEAM as SINKS
from driftwatch.storage.kinds import SEAM as STORAGES

from ..installed import installed

ALL = [BACKENDS, PREDICTORS, TRAINERS, SINKS, STORAGES]


@pytest.mark.parametrize("seam", ALL, ids=lambda seam: seam.group)
def test_each_seam_takes_what_a_package_brings_and_names_what_is_wrong(seam, monkeypatch):
    installed(
        monkeypatch,
        EntryPoint("ours", "collections:Counter", seam.group),
        EntryPoint("broken", "nowhere:nothing", seam.group),
    )
    assert seam.find("ours").__name__ == "Counter"
    with pytest.raises(
        ConfigError,
        match=rf"entry point nowhere:nothing of the {seam.what} 'broken' cannot be loaded \(ModuleNotFoundError",
    ):
        seam.find("broken")
    with pytest.raises(ConfigError, match=rf"no {seam.what} 'gone'; there are .*broken, ours\. .*{seam.group}"):
        seam.find("gone")


@pytest.mark.parametrize("seam", [seam for seam in ALL if seam.built_in], ids=lambda seam: seam.group)
def test_no_package_takes_the_name_of_what_is_built_in(seam, monkeypatch):
    installed(monkeypatch, *(EntryPoint(name, "nowhere:nothing", seam.group) for name in seam.built_in))
    assert all(callable(seam.find(name)) for name in seam.built_in)
