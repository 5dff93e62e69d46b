"""Kernels are compiled wherever the package is installed, and only where pixels are looked at."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from numba.core import config
from numba.core.errors import TypingError

from driftwatch.images.kernels.compiled import compiled

# Compiles one function and says its value, and how often Numba's cache had it.
PROGRAM = """
from driftwatch.images.kernels.compiled import compiled

@compiled("int64(int64)")
def twice(number):
    return 2 * number

print(twice(21), sum(getattr(twice, "stats").cache_hits.values()))
"""


def start(program: Path, **environment: str) -> subprocess.Popen[str]:
    settings = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA")} | environment
    return subprocess.Popen(
        [sys.executable, str(program)], env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def ended(process: subprocess.Popen[str]) -> tuple[str, str]:
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return out.strip(), errors


def test_a_process_that_may_write_no_cache_compiles_for_itself_and_says_how_to_change_it(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    (tmp_path / "__pycache__").write_text("a file where the folder would be")
    out, errors = ended(start(program, HOME=os.devnull, XDG_CACHE_HOME=os.devnull))
    assert out == "42 0"
    assert "NUMBA_CACHE_DIR" in errors


@pytest.mark.all_faults("it starts three processes")
def test_processes_that_compile_at_once_share_one_cache(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    cache = str(tmp_path / "cache")
    together = [start(program, NUMBA_CACHE_DIR=cache) for _ in range(2)]
    assert {ended(process)[0].split()[0] for process in together} == {"42"}
    assert ended(start(program, NUMBA_CACHE_DIR=cache))[0] == "42 1"


def test_the_choice_of_registers_is_for_one_kernel_alone():
    before = vars(config)["SLP_VECTORIZE"]
    with pytest.raises(TypingError):
        compiled("int64(int64)", registers=True)(lambda number: number.no_such_thing)
    assert vars(config)["SLP_VECTORIZE"] == before


def test_what_does_not_look_at_pixels_does_not_import_numba():
    code = "import sys, driftwatch.images.ingest, driftwatch.models.splits; assert 'numba' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
