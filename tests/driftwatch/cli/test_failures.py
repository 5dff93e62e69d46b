"""What the command line says when something is wrong: one message that names it, and a code; never a traceback unless asked for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from botocore import exceptions

from driftwatch import cli
from driftwatch.cli.failures import exit_code, explain

SETTINGS = {
    "name": "shades",
    "classes": ["dark", "light"],
    "schedule": {"start_date": "2026-01-01"},
    "annotation": {"project_name": "Shades", "question": "Which?", "instructions": "Look."},
}


def written(folder: Path, uri: str) -> Path:
    path = folder / "monitor.yaml"
    path.write_text(yaml.safe_dump(SETTINGS | {"storage": {"uri": uri}}), encoding="utf-8")
    return path


@pytest.fixture
def monitor(tmp_path: Path) -> Path:
    return written(tmp_path, f"file://{tmp_path}/storage")


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    code = cli.main([str(argument) for argument in arguments])
    error = capsys.readouterr().err
    assert "Traceback" not in error
    assert error.startswith("driftwatch: ")
    return code, error


def client_error(code: str, message: str) -> BaseException:
    return exceptions.ClientError({"Error": {"Code": code, "Message": message}}, "GetObject")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (exceptions.NoCredentialsError(), "no login for the object store"),
        (exceptions.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"), "AWS_SECRET_ACCESS_KEY"),
        (exceptions.EndpointConnectionError(endpoint_url="http://127.0.0.1:9"), "http://127.0.0.1:9"),
        (exceptions.ReadTimeoutError(endpoint_url="http://127.0.0.1:9"), "does not answer"),
        (exceptions.ProfileNotFound(profile="nope"), "could not be found"),
        (client_error("AccessDenied", "Access Denied"), "refused GetObject: .*Access Denied.*may not do this"),
        (client_error("ExpiredToken", "The provided token has expired."), "token has expired.*AWS_ACCESS_KEY_ID"),
        (client_error("SlowDown", "Please reduce your request rate."), "reduce your request rate"),
        (PermissionError(13, "Permission denied", "/storage/a"), "/storage/a: Permission denied"),
        (OSError(28, "No space left on device", "/storage/a"), "/storage/a: No space left"),
        (KeyError("version"), "unexpected KeyError: 'version'.*--debug"),
    ],
)  # fmt: skip
def test_each_error_of_the_outside_is_one_message_that_says_what_to_do(error, said) -> None:
    message = explain(error)
    assert "\n" not in message
    assert exit_code(error) == 1
    assert re.search(said, message), message


def test_a_server_that_is_down_and_a_missing_login_are_told(monkeypatch, capsys, tmp_path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    path = written(tmp_path, "s3://bucket/root")
    code, error = refused(capsys, "check", path)
    assert (code, "no login" in error, "s3://bucket/root" in error) == (1, True, True)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert cli.main(["check", str(path)]) == 1
    told, error = capsys.readouterr()
    assert "http://127.0.0.1:9" in error
    assert re.search(r"every setting is allowed.*\nA day of 100 labelled images: .*USD.*\nNot checked", told)


@pytest.mark.parametrize("text", ['{"version": "v0', "", "[]", "{}", '{"version": 3}', "\x00\x01"])
@pytest.mark.parametrize("command", [["check"], ["champion", "rollback"], ["champion", "train"]])
def test_a_broken_pointer_to_the_champion_is_named(monitor, capsys, command, text) -> None:
    pointer = monitor.parent / "storage/shades/models/champion.json"
    pointer.parent.mkdir(parents=True)
    pointer.write_text(text)
    code, error = refused(capsys, *command, monitor)
    assert (code, "champion.json" in error) == (1, True)


@pytest.mark.parametrize("text", ["a: [", "just words", "- 1", "\x00", "name: *nothing", "a: b: c"])
def test_a_file_that_is_no_monitor_file_ends_with_status_two(monitor, capsys, text) -> None:
    monitor.write_text(text)
    code, error = refused(capsys, "check", monitor)
    assert (code, "monitor.yaml" in error) == (2, True)
    assert refused(capsys, "check", monitor.parent)[0] == 2
    assert refused(capsys, "check", monitor.parent / "none.yaml")[0] == 2


def test_a_storage_that_is_a_file_is_told(monitor, capsys) -> None:
    (monitor.parent / "storage").touch()
    code, error = refused(capsys, "check", monitor)
    assert (code, "Not a directory" in error) == (1, True)


def test_debug_shows_the_traceback_before_and_after_the_command(monitor, capsys) -> None:
    for arguments in (["--debug", "check", "none.yaml"], ["check", "none.yaml", "--debug"]):
        assert cli.main(arguments) == 2
        assert "Traceback" in capsys.readouterr().err


def test_a_model_of_another_format_is_told_before_anything_is_taken_in(monitor, capsys, tmp_path) -> None:
    (tmp_path / "model.pth").write_bytes(b"\x80\x02\x8a\x0a")
    code, error = refused(capsys, "champion", "import", monitor, tmp_path / "model.pth")
    assert code == 1
    assert re.search(r"(?s)model\.pth.*PyTorch.*\n.*torch\.onnx\.export", error), error
    assert not (tmp_path / "storage").exists()


def test_a_folder_of_images_that_is_not_there_is_told_before_anything_is_written(monitor, capsys) -> None:
    code, error = refused(capsys, "champion", "train", monitor, "--images", monitor.parent / "none")
    assert (code, "no such folder" in error) == (2, True)
