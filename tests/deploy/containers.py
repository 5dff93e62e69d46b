"""Services of a compose file as processes of this machine, without Docker: each has the user, rights, environment, files and host name that the
file gives it, in Linux namespaces of its own. They share one network that leads nowhere but to themselves.

It must be root, or have a root's rights in a sandbox. What it does not do: limits of memory and processes, and which service may reach which.
"""

from __future__ import annotations

import ctypes
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

CLONE_NEWNET = 0x40000000
NEEDED = ("unshare", "nsenter", "setpriv", "mount", "ip")
# The root of a container: this machine's programs, and its own /opt, /tmp, /run and homes.
ROOT = """
set -eu
hostname "$NAME"
mount -t tmpfs root "$ROOT"
for path in /*; do
  case $path in
    /opt|/tmp|/run|/root|/home) mkdir "$ROOT$path" ;;
    *) if [ -L "$path" ]; then cp -P "$path" "$ROOT/"; elif [ -d "$path" ]; then mkdir "$ROOT$path"; mount --rbind "$path" "$ROOT$path"; fi ;;
  esac
done
chmod 1777 "$ROOT/tmp"
"""
# What a container writes into its image stays its own.
LAYERS = """
mkdir -p "$ROOT/layers/work" "$ROOT/layers/own"
chmod 775 "$ROOT/layers/own"
mount -t overlay opt -o "lowerdir=$IMAGE/opt,upperdir=$ROOT/layers/own,workdir=$ROOT/layers/work" "$ROOT/opt"
"""
# This Python may lie in a home or in /opt.
PYTHON = """
if [ ! -e "$ROOT$BASE/bin" ]; then mkdir -p "$ROOT$BASE"; mount --rbind "$BASE" "$ROOT$BASE"; fi
"""


def needs_namespaces() -> None:
    """Skips the test where this machine cannot give a process namespaces of its own."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    tried = ["unshare", "--mount", "--uts", "--net", "true"]
    if missing or os.geteuid() != 0 or subprocess.run(tried, capture_output=True).returncode:
        pytest.skip(
            f"namespaces need root and {', '.join(NEEDED)}; here {'is no ' + missing[0] if missing else 'they are refused'}"
        )


@contextmanager
def own_network() -> Iterator[None]:
    """This thread, and what it starts, in a network of its own with nothing but 127.0.0.0/8."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net") as before:
        if libc.unshare(CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "no network of its own")
        try:
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            yield
        finally:
            if libc.setns(before.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "there is no way back into the network of before")


class Machine:
    """What runs the services. `image`: the folder that stands for the root of Driftwatch's image. `home`: a folder for volumes and logs."""

    def __init__(self, home: Path, image: Path, names: Sequence[str]) -> None:
        self.home, self.image = home, image
        self.logs = home / "logs"
        self.logs.mkdir(parents=True)
        (home / "volumes").mkdir()
        hosts = "".join(f"127.0.1.{number} {name}\n" for number, name in enumerate(names, 1))
        (home / "hosts").write_text(f"127.0.0.1 localhost\n{hosts}")
        # The base image knows its user by name.
        people = Path("/etc/passwd").read_text()
        (home / "passwd").write_text(f"{people}airflow:x:50000:0:airflow:/opt/home:/bin/bash\n")

    def volume(self, name: str, owner: str) -> Path:
        """The folder of a named volume. Docker gives a new one the owner that its place has in the image."""
        folder = self.home / "volumes" / name
        if not folder.exists():
            folder.mkdir(mode=0o770)
            subprocess.run(["chown", owner, str(folder)], check=True)
        return folder

    def container(
        self, name: str, command: Sequence[str], env: Mapping[str, str], user: str, mounts: Sequence[tuple[Path, str, bool]],
        workdir: str,
    ) -> subprocess.Popen[bytes]:  # fmt: skip
        """Starts a command as a container of its own. `mounts`: source, place, whether it is read only. Its output goes to logs/<name>.log."""
        root = self.home / "roots" / f"{name}-{time.monotonic_ns()}"
        root.mkdir(parents=True)
        lines = [ROOT, LAYERS, PYTHON]
        for source, place, read_only in [
            (self.home / "hosts", "/etc/hosts", True),
            (self.home / "passwd", "/etc/passwd", True),
            *mounts,
        ]:
            lines.append(_mounted(source, place, read_only))
        inside = ["env", f"--chdir={workdir}", "-i", *(f"{key}={value}" for key, value in env.items()), *command]
        lines.append('exec "$@"')
        start = [
            "unshare",
            "--mount",
            "--uts",
            "bash",
            "-c",
            "\n".join(lines),
            "bash",
            "chroot",
            str(root),
            *_as(user),
            *inside,
        ]
        given = {
            "PATH": os.environ["PATH"],
            "NAME": name.split(".")[0],
            "ROOT": str(root),
            "IMAGE": str(self.image),
            "BASE": sys.base_prefix,
        }
        with (self.logs / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                start, env=given, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True
            )

    def said(self, name: str) -> str:
        """The end of what a container printed."""
        return (self.logs / f"{name}.log").read_text(errors="replace")[-4000:]


def _mounted(source: Path, place: str, read_only: bool) -> str:
    where, from_ = f'"$ROOT"{shlex.quote(place)}', shlex.quote(str(source))
    if place.startswith("/var/lib/"):  # the machine's own folder there stays out of sight
        above = f'"$ROOT"{shlex.quote(str(Path(place).parent))}'
        made = f"mount -t tmpfs own {above}; mkdir -p {where}; chmod 755 {above}"
    elif source.is_dir():
        made = f"mkdir -p {where}"
    else:
        made = f'mkdir -p "$(dirname {where})"; [ -e {where} ] || touch {where}'
    lines = [made, f"mount --bind {from_} {where}"]
    return "\n".join([*lines, f"mount -o remount,ro,bind {where}"] if read_only else lines)


def _as(user: str) -> list[str]:
    """The command that becomes the user for good: no right of root's, and no way to gain one."""
    name, _, group = user.partition(":")
    more = [f"--regid={group}", "--clear-groups"] if group else [f"--regid={name}", "--init-groups"]
    return ["setpriv", f"--reuid={name}", *more, "--no-new-privs", "--bounding-set=-all"]


def inside(
    process: subprocess.Popen[Any], user: str, command: Sequence[str], env: Mapping[str, str], seconds: float
) -> int:
    """Runs a command in a running container, as `docker exec` does. Returns its exit code."""
    spaces = ["nsenter", f"--target={process.pid}", "--mount", "--uts", "--root", "--wd"]
    whole = [*spaces, *_as(user), "env", "-i", *(f"{key}={value}" for key, value in env.items()), *command]
    return subprocess.run(whole, capture_output=True, timeout=seconds).returncode


def end(process: subprocess.Popen[Any], seconds: float = 20) -> None:
    """Stops a container as Docker does: asks its first process, then ends all of them."""
    with suppress(psutil.NoSuchProcess):
        family = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        for each in family:
            with suppress(psutil.NoSuchProcess):
                each.kill()
    with suppress(ProcessLookupError):
        process.kill()
    process.wait()
