"""docs/extending.md is true: each file, name and entry-point group that it names exists."""

from __future__ import annotations

import re
from importlib import import_module

import pytest

from .pages import ROOT

PAGE = (ROOT / "docs/extending.md").read_text(encoding="utf-8")
_TOML = re.compile(r"```toml\n(.*?)```", re.DOTALL)
_LINK = re.compile(r"\]\(\.\./([^)#]+)\)")
_PLACE = re.compile(r"`((?:include|plugins|tests)/[^`<]+)`")
_NAME = re.compile(r"`([A-Za-z_]\w*)`")
# By heading, what follows it.
SECTIONS = {part.split("\n", 1)[0]: part for part in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]}
# By group: where the seam is, and where what a new kind of it has to be.
SEAMS = {
    "driftwatch.label_backends": ("driftwatch.labels.backends.base", "driftwatch.labels.backends.base", "LabelBackend"),
    "driftwatch.predictors": ("driftwatch.models.predictors.base", "driftwatch.models.predictors.base", "Predictor"),
    "driftwatch.trainers": ("driftwatch.models.training.base", "driftwatch.models.training.base", "Trainer"),
    "driftwatch.sinks": ("driftwatch.publish.sinks", "driftwatch.publish.base", "Sink"),
    "driftwatch.storages": ("driftwatch.storage.kinds", "driftwatch.storage.base", "Storage"),
}


def test_the_page_has_a_section_for_each_thing_to_add():
    wanted = {
        "An annotation backend", "A predictor", "A trainer", "A sink", "A kind of storage", "A feature", "An alert's wording", "A page's chart",
        "A setting of the monitor file",
    }  # fmt: skip
    assert set(SECTIONS) == wanted


@pytest.mark.parametrize("place", sorted({*_LINK.findall(PAGE), *_PLACE.findall(PAGE)}))
def test_each_file_and_folder_of_the_page_exists(place):
    assert (ROOT / place).exists()


@pytest.mark.parametrize("section", SECTIONS)
def test_each_name_of_a_section_stands_in_a_file_that_it_links_to(section):
    text = _TOML.sub("", SECTIONS[section])
    files = "\n".join((ROOT / place).read_text(encoding="utf-8") for place in _LINK.findall(text))
    missing = [name for name in sorted(set(_NAME.findall(text))) if not re.search(rf"\b{name}\b", files)]
    assert missing == []


def test_the_seams_of_the_page_are_those_of_the_code():
    named = re.findall(r'entry-points\."([\w.]+)"', PAGE)
    assert sorted(named) == sorted(SEAMS)
    assert sorted(re.findall(r"group `([\w.]+)`", PAGE)) == sorted(SEAMS)


@pytest.mark.parametrize("group", SEAMS)
def test_a_seam_reads_its_group_and_has_its_protocol(group):
    seam, module, protocol = SEAMS[group]
    assert isinstance(getattr(import_module(module), protocol), type)
    assert import_module(seam).SEAM.group == group
