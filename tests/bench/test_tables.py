"""The judgement benchmark's pages have the numbers of the .csv files beside them."""

from __future__ import annotations

import pytest
from bench.judgement.drift_data import OUT
from bench.judgement.tables import TABLES


@pytest.mark.parametrize(("page", "name"), [(page, name) for page, tables in TABLES.items() for name in tables])
def test_a_table_of_a_page_is_that_of_its_file(page: str, name: str) -> None:
    text = (OUT / page).read_text(encoding="utf-8")
    assert f"<!-- table: {name} -->\n\n{TABLES[page][name]()}\n\n<!-- end -->" in text
