"""The wheel has all that an Airflow needs: the DAG files, the plugin, the pages' files."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import zipfile
from configparser import ConfigParser
from email.parser import HeaderParser
from pathlib import Path

import pytest

UV = Path(sys.executable).with_name("uv")


@pytest.fixture(scope="module")
def wheel(root, tmp_path_factory) -> Path:
    """Built from the sdist, as an index would."""
    folder = tmp_path_factory.mktemp("dist")
    done = subprocess.run([UV, "build", "--quiet", "--out-dir", folder, root], capture_output=True, text=True)
    if done.returncode and "network" in done.stderr.lower():
        pytest.skip(f"the build's own tools cannot be had here: {done.stderr.splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))


def test_the_wheel_has_every_file_of_the_packages_and_the_dag_files(root, wheel):
    held = set(zipfile.ZipFile(wheel).namelist())
    for source in (
        "include/driftwatch",
        "include/driftwatch_servers",
        "include/driftwatch_sandbox",
        "plugins/driftwatch_airflow",
    ):
        base = (root / source).parent
        tracked = subprocess.run(["git", "ls-files", source], cwd=root, capture_output=True, text=True).stdout.split()
        assert tracked
        assert {str((root / name).relative_to(base)) for name in tracked} <= held
    assert {f"driftwatch_airflow/dag_files/{path.name}" for path in (root / "dags").glob("*.py")} <= held
    assert any(name.endswith("licenses/LICENSE") for name in held)


def test_the_sdist_builds_the_same_and_has_licence_and_changelog(root, wheel):
    (sdist,) = wheel.parent.glob("*.tar.gz")
    with tarfile.open(sdist) as files:
        held = {name.partition("/")[2] for name in files.getnames()}
    tracked = subprocess.run(
        ["git", "ls-files", "dags", "include", "plugins"], cwd=root, capture_output=True, text=True
    )
    assert {*tracked.stdout.split(), "LICENSE", "CHANGELOG.md", "README.md", "pyproject.toml"} <= held


def test_the_wheel_says_its_version_its_licence_and_its_extras(root, wheel):
    with zipfile.ZipFile(wheel) as files:
        name = next(name for name in files.namelist() if name.endswith("dist-info/METADATA"))
        told = HeaderParser().parsestr(files.read(name).decode())
    (newest, *_) = (line for line in (root / "CHANGELOG.md").read_text().splitlines() if line.startswith("## "))
    assert told["Version"] == newest.split()[1]
    assert told["License-Expression"] == "Apache-2.0"
    assert {"keras", "onnx", "toloka", "whylogs", "s3", "kubernetes", "fab", "statsd"} <= set(
        told.get_all("Provides-Extra")
    )
    without = [line for line in told.get_all("Requires-Dist") if "extra ==" not in line]
    assert not [line for line in without if line.startswith(("whylogs", "toloka", "tensorflow", "onnx"))]


def test_the_wheel_registers_the_plugin_the_provider_and_the_command(wheel):
    with zipfile.ZipFile(wheel) as files:
        name = next(name for name in files.namelist() if name.endswith("entry_points.txt"))
        points = ConfigParser()
        points.read_string(files.read(name).decode())
    assert points["airflow.plugins"]["driftwatch"] == "driftwatch_airflow.plugin:DriftwatchPlugin"
    assert "provider_info" in points["apache_airflow_provider"]
    assert points["console_scripts"]["driftwatch"] == "driftwatch.cli:main"


def test_an_airflow_with_the_wheel_alone_gets_the_dag_files_by_the_command(wheel, tmp_path):
    where, home = tmp_path / "installed", tmp_path / "airflow"
    home.mkdir()
    install = [UV, "pip", "install", "--quiet", "--no-deps", "--target", where, wheel]
    subprocess.run(install, check=True, capture_output=True)
    run = [sys.executable, "-m", "driftwatch.cli", "deploy", "--to", home]
    done = subprocess.run(run, env={"PYTHONPATH": str(where)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    deployed = {path.name: path.read_bytes() for path in (home / "dags" / "driftwatch").glob("*.py")}
    assert deployed == {
        path.name: path.read_bytes() for path in (where / "driftwatch_airflow" / "dag_files").glob("*.py")
    }
    assert "image_monitoring.py" in deployed


@pytest.mark.parametrize("name", ["docker-compose.yaml", "deploy/helm/values.yaml", "docs/operate/kubernetes.md"])
def test_what_names_the_image_names_this_version(root, name):
    (version,) = re.findall(r'^version = "(.+)"', (root / "pyproject.toml").read_text(), re.M)
    named = re.findall(r'(?:driftwatch:|defaultAirflowTag: ")(\d[\d.]*\d)', (root / name).read_text())
    assert set(named) == {version}
