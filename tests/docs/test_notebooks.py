"""Each example of the pages is run (blocks of the kind `pycon`), and docs/notebooks.md shows each name that `import driftwatch` offers."""

from __future__ import annotations

import doctest
import re

import pytest

import driftwatch

from .pages import PAGES, ROOT, name_of

_BLOCK = re.compile(r"^```pycon\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def examples(text: str) -> str:
    """The page with everything but its examples blank, so that line numbers stay."""
    kept, end = "", 0
    for block in _BLOCK.finditer(text):
        kept += "\n" * text.count("\n", end, block.start(1)) + block[1]
        end = block.end(1)
    return kept


WITH_EXAMPLES = [page for page in PAGES if _BLOCK.search(page.read_text(encoding="utf-8"))]


def test_line_numbers_stay():
    text = "a\n```pycon\n>>> 1\n1\n```\nb\n\n```pycon\n>>> 2\n2\n```\n"
    assert [(example.lineno, example.want) for example in doctest.DocTestParser().get_examples(examples(text))] == [
        (2, "1\n"),
        (8, "2\n"),
    ]


def test_the_page_about_notebooks_has_examples():
    assert ROOT / "docs/notebooks.md" in WITH_EXAMPLES


@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=name_of)
def test_the_examples_of_a_page_give_what_it_says(page, monkeypatch):
    monkeypatch.chdir(ROOT)
    name, told = name_of(page), []
    test = doctest.DocTestParser().get_doctest(examples(page.read_text(encoding="utf-8")), {}, name, str(page), 0)
    found = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test, out=told.append)
    assert found.attempted
    assert not found.failed, "".join(told)


@pytest.mark.parametrize("name", driftwatch.__all__)
def test_the_page_shows_each_public_name(name):
    assert re.search(rf"\b{name}\b", (ROOT / "docs/notebooks.md").read_text(encoding="utf-8"))
