"""What every test shares: an Airflow home of its own, set before the first `import airflow`, and the shared real data."""

from __future__ import annotations

import gc
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.authority import one_authority
from tests.routes import include_each_once
from tests.schemas import check_each_once
from tests.whylabs_server import WhyLabsServer

ROOT = Path(__file__).resolve().parents[1]
# Compiling costs each worker 20 s of CPU, and each process that a test starts a second: what is compiled once is kept, also where the
# environment says otherwise.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
_HOME = tempfile.mkdtemp(prefix="driftwatch-tests-")

os.environ.update(
    AIRFLOW_HOME=_HOME,
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__CORE__DAGS_FOLDER=str(ROOT / "dags"),
    AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION="False",
    AIRFLOW__CORE__UNIT_TEST_MODE="False",
    AIRFLOW__LOGGING__LOGGING_LEVEL="WARNING",
    WHYLOGS_NO_ANALYTICS="True",
    _WHYLABS_SKIP_CONFIG_READ="1",
    TF_CPP_MIN_LOG_LEVEL="2",
    # Two pytest workers share the machine, and start more processes: threads of each would only wait for one another.
    OMP_NUM_THREADS="1",
    OPENBLAS_NUM_THREADS="1",
    DRIFTWATCH_THREADS="1",
    SSL_CERT_FILE=one_authority(_HOME),
    NO_PROXY="127.0.0.1,localhost",
    no_proxy="127.0.0.1,localhost",
)

# Airflow configures logging at its import, and that ends what other libraries log with: TensorFlow's closes the stderr that pytest captures
# where it was imported before.
import airflow.settings  # noqa: E402, F401

check_each_once()
include_each_once()


def pytest_runtest_setup() -> None:
    """Layers of Keras draw the seeds of their first weights from `random`. A test meets the same network each time."""
    random.seed(1)


@pytest.fixture(scope="session", autouse=True)
def files_have_rested() -> Iterator[None]:
    """Tests write files just before they are taken in: nobody waits a minute to see whether the broken ones are still growing."""
    with pytest.MonkeyPatch.context() as patch:
        for module in ("settling", "table_file"):
            patch.setattr(f"driftwatch.images.{module}._age", lambda storage, key: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def nothing_waits_for_the_disk() -> Iterator[None]:
    """Storage writes each file through to the disk, which takes four milliseconds. Here no machine loses its power."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real photos and crowd answers beside the repository; tests that need them are skipped where they are missing."""
    folder = ROOT.parent / "shared"
    if not (folder / "photos").is_dir():
        pytest.skip("the shared real photos and crowd answers (../shared) are not on this machine")
    return folder


@pytest.fixture(scope="session")
def small_monitor() -> Callable[..., Any]:
    """`small_monitor(storage_uri, annotation={...}, ...)`: a monitor of cats and dogs with the fewest settings, and these."""
    from driftwatch.config import MonitorConfig

    def make(uri: str = "file:///unused", **more: Any) -> Any:
        annotation = {"project_name": "p", "question": "q", "instructions": "i", **more.pop("annotation", {})}
        small = {
            "name": "demo",
            "classes": ["cat", "dog"],
            "schedule": {"start_date": "2026-01-01"},
            "storage": {"uri": uri},
        }
        return MonitorConfig.model_validate({**small, "annotation": annotation, **more})

    return make


@pytest.fixture(scope="module")
def whylabs_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., WhyLabsServer]]:
    """Starts WhyLabs stand-ins with other settings, each with a new database; they end with the module."""
    from driftwatch_sandbox.whylabs.app import create_app
    from driftwatch_sandbox.whylabs.store import Settings
    from driftwatch_servers.serving import running

    with ExitStack() as stack:

        def start(**settings: Any) -> WhyLabsServer:
            database = str(tmp_path_factory.mktemp("whylabs") / "w.db")
            app = create_app(database, Settings(api_key=WhyLabsServer.key, **settings))
            server = WhyLabsServer(stack.enter_context(running(app)))
            stack.enter_context(server.http)  # open connections would hold up the server's end
            return server

        yield start


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--all-faults", action="store_true", help="every fault at every call, and other long proofs (make test-faults)"
    )
    parser.addoption(
        "--outages", action="store_true", help="parts of Airflow are killed in mid-day (make test-outages)"
    )
    parser.addoption("--write-outages", metavar="FILE", help="write how long the days stood still as Markdown")
    parser.addoption("--write-fault-matrix", metavar="FILE", help="write the table of tests/faults as Markdown")
    parser.addoption(
        "--add-to-fault-matrix", metavar="FILE", help="renew the cells of such a table that this run measured"
    )
    parser.addoption("--missing-in", metavar="FILE", help="of the object store only the cells that such a table lacks")


# What takes longest stands first. xdist gives each worker a file, then the next to whoever has at most one test left.
LONG = (
    "end_to_end/test_real_airflow.py",
    "dags/test_alert_source_branch.py",
    "dags/test_labels.py",
    "dags/test_handover.py",
    "faults/test_storage_faults.py",
    "faults/test_service_faults.py",
    "faults/test_kills.py",
    "faults/test_desk_faults.py",
    "ui/test_pages.py",
    "driftwatch_airflow/test_label_studio.py",
    "backends/test_conformance_kills.py",
    "backends/test_conformance.py",
    "models/test_retraining.py",
    "training/test_keras.py",
    "training/test_conformance.py",
    "models/test_killed_tasks.py",
    "models/test_conversion.py",
    "mlflow/test_mirror.py",
    "mlflow/test_importing.py",
    "cli/test_cli.py",
    "drift/test_reference.py",
    "drift/test_class_mix.py",
    "whylabs/test_sink.py",
)


# A worker holds some millions of objects for its whole life: Airflow, TensorFlow, the tests. To look through them for cycles again and
# again takes a seventh of the CPU of importing them, and some of every test's.
gc.set_threshold(100_000, 20, 100)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The long files first, so that no worker is left alone with one of them at the end. Long proofs wait for `make test-faults`."""
    gc.freeze()  # what is imported stays
    if not config.getoption("--all-faults"):
        for item in items:
            for reason in (reason for mark in item.iter_markers("all_faults") for reason in mark.args):
                item.add_marker(pytest.mark.skip(reason=f"with --all-faults: {reason}"))

    if not config.getoption("--outages"):
        for item in items:
            if item.get_closest_marker("outages"):
                item.add_marker(pytest.mark.skip(reason="with --outages: days that wait for Airflow's own time limits"))

    def place(item: pytest.Item) -> int:
        name = "/".join(item.path.parts[-2:])
        return LONG.index(name) if name in LONG else len(LONG)

    items.sort(key=place)


# The files that share a server: whoever gets one of them gets them all. Another Label Studio would cost twenty seconds of CPU.
ONE_SERVER = {
    "the pages": ("tests/driftwatch_airflow/ui/test_pages",),
    "the DAGs": (
        "tests/dags/test_alert_source_branch.py",
        "tests/dags/test_handover.py",
        "tests/dags/test_labels.py",
        "tests/dags/test_watch.py",
    ),
    "MLflow": ("tests/driftwatch/models/mlflow/",),
    "the built days": ("tests/driftwatch/view/report/", "tests/driftwatch/view/one_view/"),
    "Label Studio": (
        "tests/driftwatch/labels/backends/label_studio/",
        "tests/driftwatch/labels/backends/test_conformance",
        "tests/driftwatch_airflow/test_label_studio.py",
        "tests/faults/test_label_studio_faults.py",
    ),
    "the stand-ins of the faults": ("tests/faults/",),
}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """`--dist loadfile` as it is, but for ONE_SERVER."""
    from xdist.scheduler import LoadFileScheduling

    class ByServer(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            shared = (server for server, files in ONE_SERVER.items() if nodeid.startswith(files))
            return next(shared, super()._split_scope(nodeid))

    return ByServer(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Prints the fault suite's table; in the controller of xdist, which has the reports of all its workers."""
    sys.path.insert(0, str(ROOT / "tests"))
    from faults.matrix import LEGEND, added_to, calls_of, cells_of, render

    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    cells = cells_of(reports)
    if not cells:
        return
    terminalreporter.section("faults")
    terminalreporter.write_line(render(cells))
    target = config.getoption("--write-fault-matrix")
    if target:
        Path(target).write_text(
            f"# Faults\n\nWritten by `make test-faults`.\n\n{LEGEND}\n{render(cells, markdown=True)}\n"
        )
    if older := config.getoption("--add-to-fault-matrix"):
        Path(older).write_text(added_to(Path(older).read_text(), cells, calls_of(reports)))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """The system's Chromium."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("Chromium is not on this machine (Debian: apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # A container's root has no user namespaces for the browser's own sandbox.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
