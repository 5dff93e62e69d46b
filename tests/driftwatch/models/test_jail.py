"""The process that converts has no network, starts no other program, and writes nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tensorflow.core.protobuf import saved_model_pb2

from driftwatch.models.jail import refuse_effects


def inside(code: str) -> subprocess.CompletedProcess[str]:
    """Runs the code as the process that converts runs what it loads."""
    start = "from driftwatch.models import jail; jail.without_network(); jail.limit(0)\n"
    return subprocess.run([sys.executable, "-c", start + code], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    "code",
    [
        "import socket; socket.create_connection(('127.0.0.1', 9))",
        "import os; os.system('true')",
        "import subprocess; subprocess.run(['true'])",
        "import os; os.fork()",
    ],
)
def test_python_in_it_may_not_leave_it(code: str) -> None:
    found = inside(code)
    assert found.returncode == 1
    assert "PermissionError: a model may not do" in found.stderr


def test_it_has_a_network_of_its_own_with_no_way_out() -> None:
    if subprocess.run(["unshare", "-rn", "true"], capture_output=True).returncode:
        pytest.skip("this system lets nobody make a network namespace")
    found = inside("import socket; print(*(name for _, name in socket.if_nameindex()))")
    assert found.stdout.split() in (["lo"], [])


def test_no_byte_can_be_written_to_a_file(tmp_path: Path) -> None:
    found = inside(f"open({str(tmp_path / 'x')!r}, 'wb', buffering=0).write(b'x')")
    assert "File too large" in found.stderr
    assert not (tmp_path / "x").read_bytes()


def saved(*ops: str, inner: bool = False) -> saved_model_pb2.SavedModel:
    found = saved_model_pb2.SavedModel()
    graph = found.meta_graphs.add().graph_def
    nodes = graph.library.function.add().node_def if inner else graph.node
    for op in ops:
        nodes.add(op=op)
    return found


@pytest.mark.parametrize(
    "op", ["WriteFile", "ReadFile", "PyFunc", "EagerPyFunc", "PrintV2", "NoSuchOperator", "TensorArrayV3"]
)
def test_a_saved_model_that_does_more_than_compute_is_refused(op: str) -> None:
    for inner in (False, True):
        with pytest.raises(ValueError, match=f"operators that do more than compute, .*: {op}$"):
            refuse_effects(saved("Conv2D", op, inner=inner))


def test_one_that_computes_passes() -> None:
    refuse_effects(saved("Conv2D", "Softmax", "VarHandleOp", "ReadVariableOp", "RestoreV2", "StatefulPartitionedCall"))
