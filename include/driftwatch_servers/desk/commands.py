"""The desk's command line: the server, its people, its API's tokens, its batches."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import datetime, timezone
from pathlib import Path

from driftwatch.errors import NeedsAttention
from driftwatch.labels.backends.desk.wire import BatchState
from driftwatch_servers.desk.app import Settings, create_app
from driftwatch_servers.desk.batches import Batches
from driftwatch_servers.desk.database import VARIABLE, Database
from driftwatch_servers.desk.local import LocalDesk
from driftwatch_servers.desk.people import Holder, Keys
from driftwatch_servers.desk.tables import CLIENT, PERSON
from driftwatch_servers.images import SECRET_VARIABLE
from driftwatch_servers.labelling.source import Refused
from driftwatch_servers.serving import serve

TOKEN_VARIABLE = "DRIFTWATCH_DESK_TOKEN"  # noqa: S105 - the name, not the token
_DAYS = 90.0


def main(arguments: list[str] | None = None) -> None:
    """Ends with 1 and a sentence where something is wrong."""
    options = _parser().parse_args(arguments)
    database = options.database or os.environ.get(VARIABLE, "")
    if not database and options.run != _local:
        sys.exit(f"name the database with --database, or in {VARIABLE}: sqlite:///desk.db, or postgresql+psycopg2://…")
    try:
        options.run(options, database)
    except (ValueError, Refused, NeedsAttention) as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"the server cannot listen there: {error.strerror}; name another --port")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m driftwatch_servers.desk",
        description="The desk, where your own people label the day's images in their browsers. docs/desk.md says how to run it.",
    )
    parser.add_argument(
        "--database", help=f"SQLAlchemy address of Postgres or of an SQLite file; else that in {VARIABLE}"
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    _add_serve(commands.add_parser("serve", help="run the server"))
    local = commands.add_parser("local", help="run a desk on this machine for one monitor, as `make desk` does")
    local.add_argument("--monitor", type=Path, required=True, metavar="FILE", help="the monitor file")
    local.add_argument(
        "--home", type=Path, default=Path("var/desk"), help="where its database and its secrets are kept"
    )
    local.add_argument("--port", type=int, default=8084)
    local.set_defaults(run=_local)
    whose = (
        (PERSON, "who may label", "a person"),
        (CLIENT, "who may bring batches by the API, as Airflow does", "a client"),
    )
    for kind, text, one in whose:
        command = "person" if kind == PERSON else "token"
        _add_keys(commands.add_parser(command, help=text).add_subparsers(required=True, metavar="action"), kind, one)
    _add_batches(commands.add_parser("batch", help="the days' jobs").add_subparsers(required=True, metavar="action"))
    return parser


def _add_serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port; the first line of output names it")
    parser.add_argument(
        "--trusted-proxy",
        action="append",
        default=[],
        metavar="ADDRESS",
        help="address or network of the proxy with TLS in front, which is believed when it says for whom it asks; may be repeated",
    )
    parser.add_argument(
        "--images",
        type=Path,
        metavar="FOLDER",
        help=f"show the images of this file:// storage too, at /images, by links that are signed with the secret in {SECRET_VARIABLE}",
    )
    parser.set_defaults(run=_serve)


def _add_keys(actions: argparse._SubParsersAction, kind: str, one: str) -> None:
    add = actions.add_parser("add", help=f"give {one} a token, which is shown once")
    add.add_argument("name")
    add.add_argument("--days", type=_positive, default=_DAYS, help=f"how long the token is valid ({_DAYS:g})")
    add.set_defaults(run=lambda options, url: _add(Keys(Database(url), kind), options.name, options.days))
    listed = actions.add_parser("list", help="show names and states, and no tokens")
    listed.set_defaults(run=lambda options, url: _list(Keys(Database(url), kind)))
    revoke = actions.add_parser("revoke", help="make the token worthless at once")
    revoke.add_argument("name")
    revoke.set_defaults(run=lambda options, url: _revoke(Keys(Database(url), kind), options.name))


def _add_batches(actions: argparse._SubParsersAction) -> None:
    listed = actions.add_parser("list", help="show each batch, its state and its end")
    listed.set_defaults(run=lambda options, url: _batches(Batches(Database(url))))
    reopen = actions.add_parser("reopen", help="take answers again; then clear create_annotation_pool of the day")
    reopen.add_argument("key")
    reopen.add_argument("--hours", type=_positive, required=True, help="for how many hours from now")
    reopen.set_defaults(
        run=lambda options, url: print(_line(Batches(Database(url)).reopen(options.key, options.hours)))
    )
    close = actions.add_parser("close", help="take no more answers")
    close.add_argument("key")
    close.set_defaults(run=lambda options, url: print(_line(Batches(Database(url)).close(options.key))))
    remove = actions.add_parser("remove", help="forget a batch that is closed, with its links and answers")
    remove.add_argument("key")
    remove.set_defaults(run=lambda options, url: _remove(Batches(Database(url)), options.key))


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number <= 36_500:
        raise argparse.ArgumentTypeError("must be more than 0 and at most 36500")
    return number


def _serve(options: argparse.Namespace, database: str) -> None:
    token, secret = os.environ.get(TOKEN_VARIABLE, ""), os.environ.get(SECRET_VARIABLE, "")
    app = create_app(Settings(database, token, options.images, secret))
    serve(app, options.host, options.port, options.trusted_proxy)


def _local(options: argparse.Namespace, _database: str) -> None:
    from driftwatch.config.loader import load_monitor

    monitor = load_monitor(options.monitor)
    desk = LocalDesk(monitor, (options.home / monitor.name).absolute(), options.port)
    app = create_app(desk.settings())
    print(desk.welcome(), flush=True)
    serve(app, "127.0.0.1", desk.port)


def _add(keys: Keys, name: str, days: float) -> None:
    token = keys.add(name, days)
    end = next(holder.ends for holder in keys.all() if holder.name == name)
    print(f"{name} has a token until {_shown(end)}. It is shown this once, and kept nowhere:\n\n    {token}\n")


def _list(keys: Keys) -> None:
    now = datetime.now(timezone.utc).timestamp()
    for holder in keys.all():
        print(f"{holder.name:<30} {_standing(holder, now)}")


def _standing(holder: Holder, now: float) -> str:
    if holder.revoked is not None:
        return f"revoked {_shown(holder.revoked)}"
    return f"{'valid until' if holder.ends > now else 'ended'} {_shown(holder.ends)}"


def _revoke(keys: Keys, name: str) -> None:
    keys.revoke(name)
    print(f"The token of {name} is worth nothing any more, and {name} is logged out.")


def _batches(batches: Batches) -> None:
    for state in batches.all():
        print(_line(state))


def _remove(batches: Batches, key: str) -> None:
    batches.remove(key)
    print(f"Batch {key} is forgotten, with its links, pages and answers.")


def _line(state: BatchState) -> str:
    why = f" ({state.close_reason})" if state.close_reason else ""
    return f"{state.key:<40} {state.state + why:<20} {state.tasks:>6} tasks, ends {_shown(state.ends.timestamp())}"


def _shown(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, timezone.utc):%Y-%m-%d %H:%M} UTC"
