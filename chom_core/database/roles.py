"""The three roles. chom_owner makes tables, chom_app runs the product, chom_staff sees every organisation."""

from __future__ import annotations

from sqlalchemy import Connection, create_engine, make_url, text

OWNER, APP, STAFF = "chom_owner", "chom_app", "chom_staff"
#: What a superuser runs once on a new cluster; passwords, where the cluster wants them, are set beside it.
ROLES_SQL = f"""
do $$ begin
  if not exists (select from pg_roles where rolname = '{OWNER}') then
    create role {OWNER} login nosuperuser nobypassrls; end if;
  if not exists (select from pg_roles where rolname = '{STAFF}') then
    create role {STAFF} nologin nosuperuser nobypassrls; end if;
  if not exists (select from pg_roles where rolname = '{APP}') then
    create role {APP} login noinherit nosuperuser nobypassrls; end if;
end $$;
grant {STAFF} to {APP};
"""


def bootstrap(superuser_url: str, database: str) -> None:
    """Make the roles and an empty `database` owned by chom_owner. What exists already stays as it is."""
    root = create_engine(superuser_url, isolation_level="AUTOCOMMIT")
    with root.connect() as connection:
        connection.exec_driver_sql(ROLES_SQL)
        exists = connection.execute(text("select 1 from pg_database where datname = :d"), {"d": database})
        if exists.scalar() is None:
            connection.exec_driver_sql(f'create database "{database}" owner {OWNER}')
    root.dispose()
    inside = create_engine(make_url(superuser_url).set(database=database), isolation_level="AUTOCOMMIT")
    with inside.connect() as connection:
        connection.exec_driver_sql("revoke create on schema public from public")
        connection.exec_driver_sql(f'grant create on database "{database}" to {OWNER}')
    inside.dispose()


def faults(connection: Connection) -> list[str]:
    """Why the role of `connection` is unfit to run the product; empty where it is fit. /readyz asks this."""
    row = connection.execute(
        text(
            "select current_user as name, rolsuper, rolbypassrls, rolinherit,"
            " pg_has_role(current_user, 'chom_staff', 'member') as staff,"
            " (select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace"
            "  where c.relowner = r.oid and (n.nspname = 'core' or n.nspname like 'plugin\\_%')) as owns"
            " from pg_roles r where rolname = current_user"
        )
    ).one()
    found = []
    if row.rolsuper or row.rolbypassrls:
        found.append(f"the role {row.name} goes around row security; connect as {APP}")
    if row.owns:
        found.append(f"the role {row.name} owns {row.owns} tables, so their policies do not hold for it")
    if row.rolinherit:
        found.append(f"the role {row.name} inherits; it must be NOINHERIT, or it always sees as {STAFF}")
    if not row.staff:
        found.append(f"the role {row.name} is no member of {STAFF}; grant {STAFF} to {row.name}")
    return found
