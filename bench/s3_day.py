"""What the same day costs from S3 and from a folder: processor time of the client, in turn, in one run; a row of docs/scaling.md.

    make bench-object-store [PHOTOS=FOLDER]       # installs the server, then runs:
    python -m bench.s3_day [--photos FOLDER] [--rounds 9] [--endpoint URL] [--write]   # by default 1,001 drawn photos

Each round takes the day in twice, from a folder and from the bucket, in the same process; the order changes from round to round. All
that ingest does counts: listing, reading, decoding, and writing inputs and tables. The server is nanio, in a process of its own: it keeps
its connections, as S3 does (moto's, which the tests use, ends each after one request, and that alone doubles the client's work).
`--endpoint`: another server of S3's API; its credentials are those of the environment.
"""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.page_parts import SCALING, Part
from bench.steps import DAY, monitor_at
from driftwatch_sandbox.demo.processes import Processes, free_port

IMAGES = 1001
BUCKET = f"driftwatch-bench-{os.getpid()}"
ROOT = Path(__file__).resolve().parents[1]
NANIO = ROOT / "var" / "bench" / "s3" / "bin" / "nanio"
PART = Part(SCALING, "<!-- python -m bench.s3_day --write -->", "<!-- end of s3_day -->")


@dataclass(frozen=True)
class Rounds:
    """Processor time of taking the day in, in seconds, by round."""

    images: int
    bytes: float
    """Of an image, on average."""
    folder: list[float]
    s3: list[float]

    @property
    def ratios(self) -> list[float]:
        return sorted(remote / local for remote, local in zip(self.s3, self.folder, strict=True))

    @property
    def seconds_an_image(self) -> float:
        """What S3 adds to an image."""
        return (statistics.median(self.s3) - statistics.median(self.folder)) / self.images

    def sentence(self) -> str:
        local, remote = (1000 * statistics.median(times) / self.images for times in (self.folder, self.s3))
        low, high = self.ratios[0], self.ratios[-1]
        return (
            f"A day of {self.images:,} photos ({self.bytes:,.0f} bytes each) from S3 costs **{statistics.median(self.ratios):.2f} times** the same day "
            f"from a folder ({low:.2f} to {high:.2f} in {len(self.s3)} rounds): {remote:.2f} ms of processor time an image, and {local:.2f}."
        )


def measure(photos: list[Path], rounds: int = 9, endpoint: str | None = None) -> Rounds:
    """Takes a day of these photos in from both, `rounds` times after one that does not count."""
    from driftwatch.artifacts.model_input import ModelInput
    from driftwatch.artifacts.store import MonitorStore
    from driftwatch.images.ingest import DayModel, ingest_day
    from driftwatch.storage import open_storage

    home = Path(tempfile.mkdtemp(prefix="driftwatch-s3-day-"))
    store = monitor_at(home)
    model = DayModel("v0001-00000000", ModelInput.of(store.config.model.input))
    times: dict[str, list[float]] = {"file": [], "s3": []}
    try:
        with _server(home, endpoint):
            days = [store.day(DAY), MonitorStore(open_storage(f"s3://{BUCKET}/day"), store.config).day(DAY)]
            for day in days:
                for number, path in enumerate(photos):
                    day.storage.write_bytes(f"{day.keys.incoming}/{number:05d}.jpg", path.read_bytes())
            for number in range(rounds + 1):
                for day in days[:: 1 if number % 2 else -1]:
                    start = time.process_time()
                    found = ingest_day(day, model)
                    if number:
                        times[day.storage.scheme].append(time.process_time() - start)
                    assert found.listed == len(photos)
    finally:
        shutil.rmtree(home)
    mean = sum(path.stat().st_size for path in photos) / len(photos)
    return Rounds(len(photos), mean, times["file"], times["s3"])


def need_server() -> None:
    """Ends the program where the local server is not installed."""
    if not NANIO.exists():
        raise SystemExit(
            f"{NANIO} is missing: make bench-object-store installs the server; bench.s3_day takes another one with --endpoint"
        )


@contextmanager
def _server(home: Path, endpoint: str | None) -> Iterator[None]:
    import boto3

    processes = Processes(home / "logs")
    try:
        if endpoint is None:
            need_server()
            login, port = ("key", secrets.token_hex(16)), free_port()
            endpoint = f"http://127.0.0.1:{port}"
            os.environ |= dict(zip(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), login, strict=True))
            given = dict(zip(("NANIO_ACCESS_KEY", "NANIO_SECRET_KEY"), login, strict=True))
            command = [
                str(NANIO),
                "serve",
                "--host",
                "127.0.0.1",
                "--port",
                str(port),
                "--data-dir",
                str(home / "served"),
            ]
            processes.start("s3", [*command, "--no-access-log", "--log-level", "warning"], os.environ | given)
            processes.wait_for_http("s3", endpoint, lambda answer: answer.status_code < 500)
        os.environ |= {"AWS_ENDPOINT_URL": endpoint, "AWS_DEFAULT_REGION": "us-east-1"}
        boto3.client("s3").create_bucket(Bucket=BUCKET)
        yield
    finally:
        processes.stop()


@contextmanager
def photos_of(folder: Path | None, images: int = IMAGES) -> Iterator[list[Path]]:
    """The first photos of a folder of classes; without one, drawn photos, which are removed again."""
    from driftwatch_sandbox.photos import write_photos

    if folder is not None:
        yield sorted(folder.rglob("*.jp*g"))[:images]
        return
    with tempfile.TemporaryDirectory(prefix="driftwatch-photos-") as drawn:
        write_photos(Path(drawn), {"cat": -(-images // 2), "dog": images // 2}, seed=5, processes=1)
        yield sorted(Path(drawn).rglob("*.jp*g"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--photos", type=Path, help="a folder of photos for each class")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--endpoint", help="the address of another server of S3's API")
    parser.add_argument("--write", action="store_true", help="writes the sentence into docs/scaling.md")
    options = parser.parse_args()
    with photos_of(options.photos) as photos:
        said = measure(photos, options.rounds, options.endpoint).sentence()
    print(said)
    if options.write:
        PART.write(f"{said}\n")


if __name__ == "__main__":
    main()
