"""`python -m driftwatch_sandbox.whylabs`: serves until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import os
import sys

from driftwatch_sandbox.whylabs import KEY_VARIABLE
from driftwatch_sandbox.whylabs.app import create_app
from driftwatch_sandbox.whylabs.store import Settings
from driftwatch_servers.serving import serve


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m driftwatch_sandbox.whylabs",
        description=f"{__doc__} The API key, <10 characters>.<secret>, is in the environment variable {KEY_VARIABLE}.",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8082, help="0 takes a free port")
    parser.add_argument("--database", required=True, help="SQLite file; made if it is missing, and kept between runs")
    parser.add_argument("--org", default="org-1")
    parser.add_argument("--dataset", action="append", required=True, help="may be given several times")
    parser.add_argument("--url-seconds", type=float, default=900, help="how long an upload URL lives")
    parser.add_argument(
        "--delete-seconds", type=float, default=0, help="how long a deletion takes; WhyLabs: up to an hour"
    )
    parser.add_argument(
        "--ingest-seconds", type=float, default=0, help="how long it takes until an upload can be read back"
    )
    parser.add_argument(
        "--idempotency",
        choices=["replay", "refuse", "ignore"],
        default="replay",
        help="a repeated X-WHYLABS-IDEMPOTENCY-KEY gets the first answer again, a 400 (as from WhyLabs), or no notice",
    )
    parser.add_argument(
        "--analyse-seconds",
        type=float,
        default=2,
        help="run the analyzers on a day this long after its last upload; WhyLabs: up to a day later",
    )
    return parser


def main() -> None:
    arguments = _parser().parse_args()
    if not os.environ.get(KEY_VARIABLE):
        sys.exit(f"{KEY_VARIABLE} is empty: clients need a key")
    settings = Settings(
        api_key=os.environ.get(KEY_VARIABLE, ""),
        organisation=arguments.org,
        datasets=tuple(arguments.dataset),
        url_seconds=arguments.url_seconds,
        delete_seconds=arguments.delete_seconds,
        ingest_seconds=arguments.ingest_seconds,
        idempotency=arguments.idempotency,
        analyse_seconds=arguments.analyse_seconds,
    )
    serve(create_app(arguments.database, settings), arguments.host, arguments.port)


if __name__ == "__main__":
    main()
