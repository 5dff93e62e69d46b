"""The kinds of a seam by name."""

from __future__ import annotations

import re
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from driftwatch import seams
from driftwatch.errors import ConfigError
from driftwatch.labels.backends.base import SEAM as BACKENDS
from driftwatch.models.predictors.base import SEAM as PREDICTORS
from driftwatch.models.training.base import SEAM as TRAINERS
from driftwatch.publish.sinks import SEAM as SINKS
from driftwatch.storage.kinds import SEAM as STORAGES
from driftwatch.storage.kinds import storage_kind

from ..installed import installed

ROOT = Path(__file__).parents[2]
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


@pytest.mark.parametrize("seam", [seam for seam in ALL if seam.extras], ids=lambda seam: seam.group)
def test_a_kind_whose_extra_is_not_installed_is_refused_with_the_command_that_installs_it(seam, monkeypatch):
    monkeypatch.setattr(seams, "find_spec", lambda module: None)
    for name, extra in seam.extras.items():
        with pytest.raises(
            ConfigError, match=rf"the {seam.what} '{name}' needs {extra.module}, .*'driftwatch\[{extra.name}\]'"
        ):
            seam.find(name)


def test_object_storage_without_its_extra_is_refused_before_anything_is_read(monkeypatch):
    monkeypatch.setattr(seams, "find_spec", lambda module: None)
    with pytest.raises(ConfigError, match=r"the storage uri 's3://bucket/x' needs obstore, .*'driftwatch\[s3\]'"):
        storage_kind("s3://bucket/x")


def test_each_extra_that_a_message_names_is_declared():
    declared = re.search(
        r"\[project.optional-dependencies\]\n(.*?)\n\[project", (ROOT / "pyproject.toml").read_text(), re.DOTALL
    )[1]
    named = {extra.name for seam in ALL for extra in seam.extras.values()} | {"s3"}
    assert named <= set(re.findall(r"^(\w+) = ", declared, re.MULTILINE))
