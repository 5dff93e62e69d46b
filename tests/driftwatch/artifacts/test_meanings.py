"""Each field of a stored file has its meaning beneath it."""

from __future__ import annotations

import ast
import inspect
from importlib import import_module
from types import ModuleType

import pytest

FAMILIES = ("accuracy", "annotation", "decision", "drift", "episodes", "evidence", "failure", "ingest", "models", "parts", "publishing", "reference", "retraining", "watch")  # fmt: skip


@pytest.mark.parametrize("module", [import_module(f"driftwatch.artifacts.{name}") for name in FAMILIES], ids=FAMILIES)
def test_each_field_says_what_it_means(module: ModuleType):
    silent = []
    for model in ast.parse(inspect.getsource(module)).body:
        if not isinstance(model, ast.ClassDef):
            continue
        for field, beneath in zip(model.body, [*model.body[1:], None], strict=True):
            said = isinstance(beneath, ast.Expr) and isinstance(beneath.value, ast.Constant)
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and not said:
                silent.append(f"{model.name}.{field.target.id}")
        if ast.get_docstring(model) is None and not model.name.startswith("_"):
            silent.append(model.name)
    assert silent == []
