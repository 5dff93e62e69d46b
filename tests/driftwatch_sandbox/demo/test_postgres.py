"""The Postgres that tests start: it answers on loopback to its own password alone, and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from driftwatch_sandbox.demo.postgres import postgres_binaries, running_postgres

psycopg2 = pytest.importorskip("psycopg2")


@pytest.mark.skipif(postgres_binaries() is None, reason="Postgres is not on this machine (apt-get install postgresql)")
def test_a_database_is_there_for_those_who_know_the_password_and_gone_afterwards():
    with running_postgres() as url:
        address = url.replace("+psycopg2", "")
        connection = psycopg2.connect(address)
        with connection.cursor() as cursor:
            cursor.execute("select inet_server_addr()::text, current_setting('data_directory')")
            where, data = cursor.fetchone()
        assert where.startswith("127.0.0.1")
        user, rest = address.split("@")
        with pytest.raises(psycopg2.OperationalError, match="password"):
            psycopg2.connect(user.rpartition(":")[0] + ":wrong@" + rest)
    assert not Path(data).parent.exists()
    with pytest.raises(psycopg2.OperationalError, match="Connection refused"):
        psycopg2.connect(address)
    connection.close()
