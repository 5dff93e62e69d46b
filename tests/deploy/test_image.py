"""The image: fixed versions, locked requirements, and no more in it than it needs."""

from __future__ import annotations

import os
import re
import subprocess

from .compose import VARIABLE


def test_make_digests_prints_a_line_for_each_image_and_refuses_what_is_no_digest(root, tmp_path):
    docker = tmp_path / "docker"
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    for answer, ok in ((f"sha256:{'a' * 64}", True), ("no such image", False)):
        docker.write_text(f"#!/bin/sh\necho '{answer}'\n")
        docker.chmod(0o755)
        done = subprocess.run([root / "deploy" / "pin-images.sh"], env=environment, capture_output=True, text=True)
        assert (done.returncode == 0) is ok
        lines = done.stdout.splitlines()
        assert [line.split("=")[0] for line in lines] == (
            ["AIRFLOW_IMAGE", "POSTGRES_IMAGE", "REDIS_IMAGE"] if ok else []
        )
        assert all(re.search(r"=[\w/.:-]+@sha256:a{64}$", line) for line in lines)


def test_images_have_fixed_versions(services, root):
    tags = {VARIABLE.sub(lambda found: found[3], service["image"]) for service in services.values()}
    version = re.search(r'^version = "(.+)"$', (root / "pyproject.toml").read_text(), re.M)[1]
    assert tags == {"postgres:16-bookworm", "redis:7.2-bookworm", f"driftwatch:{version}"}
    lock = (root / "requirements.txt").read_text()
    airflow = re.search(r"^apache-airflow==(\S+)", lock, re.M)[1]
    base = f"apache/airflow:{airflow}-python3.11"
    assert re.findall(r"^ARG BASE=(.+)\nFROM (.+)$", (root / "Dockerfile").read_text(), re.M) == [(base, "${BASE}")]
    assert {service["build"]["args"]["BASE"] for service in services.values() if "build" in service} == {
        f"${{AIRFLOW_IMAGE:-{base}}}"
    }


def test_every_requirement_is_locked_with_hashes_that_the_image_insists_on(root):
    lines = re.sub(r" \\\n\s+", " ", (root / "requirements.txt").read_text()).splitlines()
    pinned = [line for line in lines if not line.startswith("#")]
    assert len(pinned) > 200
    assert all(re.match(r"[\w.\[\]-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line) for line in pinned)
    assert "uv pip sync --no-cache --require-hashes" in (root / "Dockerfile").read_text()


def test_there_is_a_licence_that_the_package_carries(root):
    assert "Apache License" in (root / "LICENSE").read_text()
    assert 'license-files = ["LICENSE"]' in (root / "pyproject.toml").read_text()


def test_the_image_holds_what_compose_points_at(root):
    dockerfile = (root / "Dockerfile").read_text()
    copied = re.findall(r"^COPY --chown=airflow:root (.+) (\S+)$", dockerfile, re.M)
    for sources, _ in copied:
        for source in sources.split():
            assert (root / source).exists(), source
    targets = {target for _, target in copied}
    assert {"/opt/driftwatch/dags", "/opt/driftwatch/plugins", "/opt/airflow/include/monitors"} <= targets
    assert "driftwatch deploy --to /opt/airflow" in dockerfile
    assert "--constraints /opt/driftwatch/requirements.txt" in dockerfile
    assert "--editable" not in dockerfile


def test_the_builder_never_sees_secrets_or_run_time_state(root):
    rules = (root / ".dockerignore").read_text().splitlines()
    patterns = [rule for rule in rules if rule and not rule.startswith("#")]
    assert patterns[0] == "*"
    allowed = {rule[1:] for rule in patterns if rule.startswith("!")}
    assert not {".env", "var", ".venv", ".git"} & allowed
    copied = re.findall(r"^COPY --chown=airflow:root (.+) \S+$", (root / "Dockerfile").read_text(), re.M)
    assert {source.split("/")[0] for sources in copied for source in sources.split()} <= allowed
