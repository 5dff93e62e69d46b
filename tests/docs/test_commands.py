"""Every command of the pages is run, or checked in the cheapest way that would find it wrong. One that nobody checks fails."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from driftwatch import cli
from driftwatch.config.loader import load_monitor
from driftwatch.storage import open_storage

from .commands import ALL, Command, indented, inline, scripts
from .pages import PAGES, ROOT, name_of

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
SERVICES = yaml.safe_load((ROOT / "docker-compose.yaml").read_text(encoding="utf-8"))["services"]
PAGES_WITH_DRIFTWATCH = sorted({command.page for command in ALL if command.words[:1] == ["driftwatch"]})
# These need a model, images or a server. The tutorials' tests run some; here their words alone are looked at.
PARSED = {
    ("champion", "train"),
    ("champion", "import"),
    ("champion", "rollback"),
    ("challenger", "register"),
    ("models", "mlflow"),
    ("doctor", "MONITOR.yaml"),
    ("forget", "MONITOR.yaml"),
}
# Of a module whose commands end by themselves and need no more than a database.
RUN = {"person", "token"}


class Parsed(Exception):
    """The command line was read, and nothing was run."""


@pytest.fixture
def parse_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever parses a command line does no more than that."""
    real = argparse.ArgumentParser.parse_args

    def parse(self: argparse.ArgumentParser, *given: object) -> None:
        real(self, *given)  # type: ignore[arg-type]
        raise Parsed

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a monitor file, and a storage with forty generated days up to 12 January 2026."""
    from driftwatch_sandbox.demo.year import Year

    place = tmp_path_factory.mktemp("known")
    raw = yaml.safe_load((ROOT / "include/monitors/cats_vs_dogs.yaml").read_text(encoding="utf-8"))
    raw |= {
        "storage": {"uri": "file:///nowhere"},
        "segments": {"camera": {"key": "^([^/]+)/"}},
        "model": {"input": {"size": 32}},
    }
    (place / "MONITOR.yaml").write_text(yaml.safe_dump(raw), encoding="utf-8")
    config = load_monitor(place / "MONITOR.yaml")
    Year(open_storage(f"file://{place}/storage"), config, date(2026, 1, 12), days=40, whole_days=5).write()
    return place


@pytest.fixture
def place(known: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, in which the commands are run."""
    found = tmp_path / "place"
    shutil.copytree(known, found)
    file = found / "MONITOR.yaml"
    file.write_text(file.read_text().replace("file:///nowhere", f"file://{found}/storage"), encoding="utf-8")
    monkeypatch.chdir(found)
    return found


def named(kind: str) -> list[Command]:
    return [command for command in ALL if command.words[:1] == [kind]]


@pytest.mark.parametrize("page", PAGES_WITH_DRIFTWATCH)
def test_the_commands_of_driftwatch_run_in_the_order_of_the_page(page: str, place: Path, capsys, monkeypatch) -> None:
    monkeypatch.setenv("AIRFLOW_HOME", str(place))
    for command in (command for command in named("driftwatch") if command.page == page):
        words = [os.path.expandvars(word) for word in command.words[1:]]
        options = cli.parser().parse_args(words)
        if {(words[0], word) for word in words[1:]} & PARSED:
            assert callable(options.run)
        else:
            assert cli.main(words) == 0, f"{command}: {capsys.readouterr().err}"


@pytest.mark.parametrize("command", sorted({command.text.partition("#")[0].strip() for command in named("make")}))
def test_each_target_of_make_is_there_and_takes_its_variables(command: str, monkeypatch, parse_only) -> None:
    words = Command("", command).words[1:]
    for name in (word.partition("=")[0] for word in words if "=" in word):
        assert f"$({name})" in MAKEFILE, f"{command}: no target reads {name}"
    told = subprocess.run(
        ["make", "-n", "PYTHON=python3", *words], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert told.returncode == 0, told.stderr
    for line in re.findall(r"python -m driftwatch_sandbox\.demo(.*)$", told.stdout, re.MULTILINE):
        _parse("driftwatch_sandbox.demo.__main__", Command("", line).words, monkeypatch)


@pytest.mark.parametrize("command", named("python"), ids=str)
def test_each_module_takes_its_words(command: Command, monkeypatch, tmp_path, request, capsys) -> None:
    flag, module, *words = command.words[1:]
    assert flag == "-m"
    if module == "driftwatch_servers.desk" and words[0] in RUN | {"batch"} and words[1:2] != ["reopen"]:
        monkeypatch.setenv("DRIFTWATCH_DESK_DATABASE", f"sqlite:///{tmp_path}/desk.db")
        main = importlib.import_module("driftwatch_servers.desk.commands").main
        if words[1] == "revoke":
            main([words[0], "add", words[2]])
        main(words)
        assert capsys.readouterr().out or words[1] == "list"
        return
    request.getfixturevalue("parse_only")
    _parse({"driftwatch_servers.desk": "driftwatch_servers.desk.commands"}.get(module, module), words, monkeypatch)


def _parse(module: str, words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["x", *words])
    with pytest.raises(Parsed):
        importlib.import_module(module).main()


@pytest.fixture(scope="module")
def airflow() -> Callable[[list[str]], argparse.Namespace]:
    from airflow.cli.cli_parser import get_parser

    return get_parser().parse_args


@pytest.mark.parametrize("command", named("airflow"), ids=str)
def test_airflow_knows_the_command_and_the_dag_its_settings(command: Command, airflow) -> None:
    options = airflow(command.words[1:])
    if "dag_id" in options:
        kinds = {
            "monitoring": "image_monitoring",
            "retraining": "model_retraining",
            "reference": "monitor_reference",
            "doctor": "monitor_doctor",
            "forget": "monitor_forget",
        }
        dag = (ROOT / f"dags/{kinds[options.dag_id.rpartition('_')[2]]}.py").read_text(encoding="utf-8")
        conf = json.loads(getattr(options, "conf", None) or "{}")
        assert set(conf) <= set(re.findall(r'^ +"(\w+)": Param\(', dag, re.MULTILINE))
    if given := getattr(options, "conn_json", None):
        assert json.loads(given)["conn_type"] in (ROOT / "plugins/driftwatch_airflow/provider.py").read_text()


@pytest.mark.parametrize("command", [*named("docker"), *named("docker-compose")], ids=str)
def test_the_compose_file_has_the_profile_or_the_service(command: Command) -> None:
    words = [word for word in command.words if word not in ("docker", "docker-compose", "compose")]
    if words[0] == "build":
        arguments = re.findall(r"^ARG (\w+)", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
        given = [words[place + 1] for place, word in enumerate(words) if word == "--build-arg"]
        assert {argument.partition("=")[0] for argument in given} <= set(arguments)
        return
    if words[0] == "--profile":
        assert words[1] in {name for service in SERVICES.values() for name in service.get("profiles", ())}
        words = words[2:]
    assert words[:2] == ["up", "-d"] or (words[0] == "exec" and words[1] in SERVICES)


@pytest.mark.parametrize("command", [*named("pip"), *named("cp")], ids=str)
def test_what_is_copied_or_installed_is_there(command: Command) -> None:
    words = [word for word in command.words[1:] if not word.startswith("-") and "$" not in word and word != "install"]
    assert words
    assert [word for word in words if not (ROOT / word).exists()] == []


@pytest.mark.parametrize("command", named("export"), ids=str)
def test_each_variable_is_one_that_the_code_reads(command: Command) -> None:
    name = command.words[1].partition("=")[0]
    assert any(name in path.read_text(encoding="utf-8") for path in (ROOT / "include").rglob("*.py"))


@pytest.mark.parametrize("command", named("pg_dump"), ids=str)
def test_the_database_is_dumped_as_the_test_of_restoring_does_it(command: Command) -> None:
    done = (ROOT / "tests/end_to_end/backups.py").read_text(encoding="utf-8")
    assert [word.partition("=")[0] for word in command.words[1:] if f'"{word.partition("=")[0]}' not in done] == []


@pytest.mark.parametrize("command", [*named("kubectl"), *named("helm")], ids=str)
def test_what_a_cluster_is_given_is_there(command: Command) -> None:
    files = [found.rpartition("=")[2] for found in command.words if re.search(r"(^|=)(deploy|include)/", found)]
    assert files or command.words[:3] == ["kubectl", "create", "secret"]
    assert [name for name in files if not (ROOT / name).exists()] == []


@pytest.mark.parametrize(("page", "script"), scripts())
def test_a_script_runs_as_it_stands_in_the_repository_s_root(page: str, script: str, tmp_path: Path) -> None:
    shutil.copy(ROOT / ".env.example", tmp_path)
    stand_in = tmp_path / "bin/docker-compose"
    stand_in.parent.mkdir()
    stand_in.write_text('#!/bin/sh\necho "docker-compose $*"\n')
    stand_in.chmod(stand_in.stat().st_mode | stat.S_IXUSR)
    path = f"{stand_in.parent}{os.pathsep}{os.environ['PATH']}"
    told = subprocess.run(
        ["bash", "-euc", script], cwd=tmp_path, env={"PATH": path}, capture_output=True, text=True, timeout=60
    )
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout == "docker-compose up -d\n"
    set_there = [line for line in (tmp_path / ".env").read_text().splitlines() if not line.startswith("#")]
    assert [line for line in set_there if "change-me" in line] == []


def test_no_command_is_in_no_class() -> None:
    known = {
        "driftwatch",
        "make",
        "python",
        "airflow",
        "docker",
        "docker-compose",
        "kubectl",
        "helm",
        "pg_dump",
        "pip",
        "cp",
        "export",
    }
    assert [str(command) for command in ALL if (command.words or [""])[0] not in known] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_command_hides_in_indented_code(page: Path) -> None:
    assert indented(page) == []


@pytest.mark.parametrize("page", [page for page in PAGES if inline(page)], ids=name_of)
def test_what_a_sentence_names_is_a_command(page: Path) -> None:
    assert [text for text in inline(page) if not _is_known(*text.split())] == []


def _is_known(first: str, *words: str) -> bool:
    """Whether there is such a command; its placeholders, options and values are not looked at."""
    plain = [word for word in words if re.fullmatch(r"[a-z][a-z_-]*", word)]
    if first == "make":
        return plain[0] in TARGETS
    if first == "python":
        return find_spec(words[1]) is not None
    if first == "airflow":
        from airflow.cli.cli_parser import get_parser

        return _is_command(get_parser(), plain[:2])
    return first != "driftwatch" or _is_command(cli.parser(), plain)


def _is_command(parser: argparse.ArgumentParser, words: list[str]) -> bool:
    """Whether the words, as far as commands go, are the parser's."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return not words or (words[0] in action.choices and _is_command(action.choices[words[0]], words[1:]))
    return True
