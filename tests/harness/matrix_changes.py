"""What a request changed, row by row, and taking it back: triggers write every change down, a superuser undoes them.

So each call of the matrix meets the same data, and a write into another organisation's rows cannot hide.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from chom_core.plugin_host import gate

_SETUP = """
create schema matrix;
create unlogged table matrix.change (n bigserial, place text, op text, old jsonb, new jsonb);
create function matrix.log() returns trigger language plpgsql security definer as $$
begin
  insert into matrix.change (place, op, old, new) values (
    quote_ident(tg_table_schema) || '.' || quote_ident(tg_table_name), tg_op,
    case when tg_op <> 'INSERT' then to_jsonb(old) end, case when tg_op <> 'DELETE' then to_jsonb(new) end);
  return null;
end $$;
"""
_TABLES = """
select quote_ident(schemaname) || '.' || quote_ident(tablename) from pg_tables
where (schemaname = 'core' or schemaname like 'plugin\\_%%') and tablename not like 'alembic_version%%'
"""


@dataclass(frozen=True)
class Change:
    """One row that was changed: `old` and `new` as the table has them."""

    place: str
    op: str
    old: dict[str, Any] | None
    new: dict[str, Any] | None

    def owners(self) -> set[str]:
        """The ids of organisations and people whose row it is or was. A generation that counts up is nobody's data."""
        found: set[str] = set()
        if self.place == "core.tenant" and self.old and self.new and _data(self.old) == _data(self.new):
            return found
        for row in (self.old, self.new):
            if row is not None:
                names = ["tenant_id", "person_id", "organisation_id"]
                names += ["id"] if self.place in ("core.tenant", "core.person") else []
                found |= {str(row[name]) for name in names if row.get(name)}
        return found


def _data(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "generation"}


class Changes:
    """The record of one database. `root` is its superuser's URL."""

    def __init__(self, root: str) -> None:
        self._root = psycopg.connect(root.replace("+psycopg", ""), autocommit=True)
        self._root.execute(_SETUP)
        for (table,) in self._root.execute(_TABLES).fetchall():
            self._root.execute(
                f"create trigger zz_matrix after insert or update or delete on {table}"
                " for each row execute function matrix.log()"
            )

    def close(self) -> None:
        self._root.close()

    def forget(self) -> None:
        """What was changed up to now stays."""
        self._root.execute("delete from matrix.change")

    def take_back(self) -> list[Change]:
        """What was changed since the last time, undone."""
        rows = self._root.execute(
            "with gone as (delete from matrix.change returning *) select n, place, op, old, new from gone order by n"
        ).fetchall()
        if not rows:
            return []
        with self._root.transaction():
            self._root.execute("set local session_replication_role = replica")
            for _n, place, op, old, new in reversed(rows):
                self._undo(place, op, old, new)
        if any(place in ("core.tenant", "core.plugin_switch", "core.plugin_state") for _, place, *_ in rows):
            gate.forget()
        return [Change(place, op, old, new) for _n, place, op, old, new in rows]

    def _undo(self, place: str, op: str, old: dict[str, Any] | None, new: dict[str, Any] | None) -> None:
        if new is not None:
            self._root.execute(f"delete from {place} where id = %s", (new["id"],))
        if old is not None:
            if place == "core.tenant" and new is not None:  # a number once seen is never used again
                old["generation"] = max(old["generation"], new["generation"]) + 1
            self._root.execute(
                f"insert into {place} select * from jsonb_populate_record(null::{place}, %s)", (Jsonb(old),)
            )
