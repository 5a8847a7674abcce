"""Two round trips fewer a transaction: BEGIN goes with the first statement, COMMIT with the last, in one message.

psycopg sends each of them on its own, and its pipeline mode costs more CPU than the trips it saves. So a statement
that psycopg has prepared on this connection is executed by its name, beside BEGIN or COMMIT, in Postgres' simple
protocol: on an error the server leaves out what follows. While it is not prepared (psycopg prepares what returns, and
forgets all of it at a rollback), it goes the usual way, with the same outcome.

The call blocks in libpq, where no signal of Python's gets through, so it is for what does not wait long for others:
entering an organisation, marking a job.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import psycopg
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, Escaping, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

_FINE = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)
Text = str | None


class Statement:
    """SQL with `%s` parameters that are all given as text, so that psycopg knows it by one key. Answers are text."""

    def __init__(self, sql: str) -> None:
        self.sql = sql
        count = sql.count("%s")
        # As psycopg writes it to the server; 0: the server finds out each parameter's type.
        self._key = (sql.replace("%s", "${}").format(*range(1, count + 1)).encode(), (0,) * count)

    def named(self, driver: psycopg.Connection[Any], values: Sequence[Text]) -> bytes | None:
        """The EXECUTE of this statement; None where the server does not have it prepared now."""
        # psycopg's own list: one of ours would not see it drop them. Without it all goes the usual way.
        names = getattr(getattr(driver, "_prepared", None), "_names", {})
        name = names.get(self._key)
        if name is None:
            return None
        escape = Escaping(driver.pgconn).escape_literal
        given = [b"null" if value is None else escape(value.encode()) for value in values]
        return b"execute %s(%s)" % (name, b",".join(given))


def first(connection: Connection, statement: Statement, values: Sequence[Text]) -> Sequence[Text] | None:
    """The first row of `statement`, which opens the transaction where none is open."""
    driver = _driver(connection)
    if driver.pgconn.transaction_status == TransactionStatus.IDLE:
        text = statement.named(driver, values)
        if text is not None:
            return _row(_send(connection, driver, b"begin;" + text))
    row: Sequence[Text] | None = connection.exec_driver_sql(statement.sql, tuple(values)).one_or_none()
    return row


def last(connection: Connection, statement: Statement, values: Sequence[Text]) -> None:
    """Run `statement`, which must fail where it may not take effect, and commit: both or neither.

    Nothing may be written afterwards: the caller's own commit then finds that there is nothing to commit.
    """
    driver = _driver(connection)
    text = statement.named(driver, values)
    if text is None:
        connection.exec_driver_sql(statement.sql, tuple(values))
        return
    opening = b"begin;" if driver.pgconn.transaction_status == TransactionStatus.IDLE else b""
    result = _send(connection, driver, opening + text + b";commit")
    if result.command_status != b"COMMIT":
        raise RuntimeError(f"Postgres did not commit but said {result.command_status!r}")


def _driver(connection: Connection) -> psycopg.Connection[Any]:
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver


def _send(connection: Connection, driver: psycopg.Connection[Any], text: bytes) -> PGresult:
    """The result of the last statement that was run."""
    try:
        result = driver.pgconn.exec_(text)
    except psycopg.Error as error:
        _fail(connection, driver, text, error)
    if result.status not in _FINE:
        _fail(connection, driver, text, error_from_result(result, "utf-8"))
    return result


def _fail(
    connection: Connection, driver: psycopg.Connection[Any], text: bytes, error: psycopg.Error
) -> NoReturn:
    """Raise what SQLAlchemy would: those above tell a lost connection from a failed statement by it."""
    if driver.pgconn.status != ConnStatus.OK:
        connection.exec_driver_sql("select 1")  # SQLAlchemy learns it, and drops the pool's other connections
    raise DBAPIError.instance(text.decode(), None, error, psycopg.Error) from error


def _row(result: PGresult) -> Sequence[Text] | None:
    if not result.ntuples:
        return None
    found = [result.get_value(0, column) for column in range(result.nfields)]
    return [None if value is None else value.decode() for value in found]
