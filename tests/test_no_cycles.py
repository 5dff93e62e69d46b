"""No module imports another that, by whatever way round, imports it: imports within functions and for type checking count too."""

from __future__ import annotations

import importlib.util

import grimp
import pytest

PACKAGES = ("driftwatch", "driftwatch_airflow", "driftwatch_sandbox", "driftwatch_servers")


def cycles(imports: dict[str, set[str]]) -> list[set[str]]:
    """The groups of modules that can each be reached from each other (strongly connected components of more than one)."""
    reached = {module: _reached(module, imports) for module in imports}
    groups = {frozenset(other for other in reached[module] if module in reached[other]) for module in imports}
    return sorted((set(group) for group in groups if group), key=sorted)


def _reached(start: str, imports: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        new = imports[waiting.pop()] - found
        found |= new
        waiting.extend(new)
    return found


@pytest.fixture(scope="module")
def imports() -> dict[str, set[str]]:
    present = [name for name in PACKAGES if importlib.util.find_spec(name)]
    graph = grimp.build_graph(*present, cache_dir=None)
    return {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}


def test_a_cycle_is_found_and_a_way_without_return_is_none() -> None:
    assert cycles({"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set(), "e": {"a"}}) == [{"b", "c"}]


def test_modules_import_each_other_in_one_direction(imports: dict[str, set[str]]) -> None:
    assert cycles(imports) == []


def test_the_airflow_layer_has_no_cycle_at_all(imports: dict[str, set[str]]) -> None:
    assert "driftwatch_airflow.operators.publish" in imports
    found = cycles(imports)
    assert [group for group in found if any(module.startswith("driftwatch_airflow") for module in group)] == []
