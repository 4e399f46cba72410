"""The triggers of append-only tables on PostgreSQL: one function for each table, and two triggers that call it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Table, text

# Bits of pg_trigger.tgtype. Source: PostgreSQL's src/include/catalog/pg_trigger.h
_ROW, _BEFORE, _INSERT, _DELETE, _UPDATE, _TRUNCATE = 1, 2, 4, 8, 16, 32

_BODY = """
BEGIN
  IF TG_OP <> 'INSERT' THEN
    RAISE EXCEPTION '{table} is append-only' USING ERRCODE = 'check_violation';
  END IF;
  IF ({condition}) IS NOT TRUE THEN
    RAISE EXCEPTION '{table} takes only the next row' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
"""
_FOUND = text("""
    SELECT t.tgname, t.tgtype, t.tgenabled IN ('O', 'A') AND t.tgqual IS NULL AND t.tgattr = ''::int2vector AS fires,
           p.prosrc, split_part(p.proconfig[1], '=', 1) AS setting
    FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE t.tgrelid = to_regclass(:table) AND NOT t.tgisinternal
""")
_CHANGEABLE = text("""
    SELECT pg_has_role(current_user, c.relowner, 'USAGE') OR pg_has_role(current_user, n.nspowner, 'USAGE')
        OR has_table_privilege(c.oid, 'UPDATE') OR has_table_privilege(c.oid, 'DELETE')
        OR has_table_privilege(c.oid, 'TRUNCATE')
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass(:table)
""")


@dataclass(frozen=True, slots=True)
class _Trigger:
    """One trigger: which of its function's refusals it brings about."""

    name: str
    type: int
    when: str


def protect(connection: Connection, tables: Sequence[Table]) -> None:
    """Install what is missing; the tables' owner may do so, others find it in place."""
    schema = connection.execute(text("SELECT quote_ident(current_schema())")).scalar_one()
    for table in tables:
        absent = list(_absent(connection, table))
        if not absent:
            continue
        # Its own search path, so that nobody puts another table of that name before the one that is meant.
        connection.exec_driver_sql(
            f"CREATE OR REPLACE FUNCTION {table.name}_guard() RETURNS trigger LANGUAGE plpgsql "
            f"SET search_path = {schema}, pg_temp AS $guard${_body(table)}$guard$",
            execution_options={"no_parameters": True},
        )
        for each in _triggers(table):
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {each.name} ON {table.name}")
            connection.exec_driver_sql(
                f"CREATE TRIGGER {each.name} BEFORE {each.when} EXECUTE FUNCTION {table.name}_guard()"
            )


def missing(connection: Connection, tables: Sequence[Table]) -> list[str]:
    """Return the triggers that are not in place or do something else."""
    return [name for table in tables for name in _absent(connection, table)]


def changeable(connection: Connection, tables: Sequence[Table]) -> list[str]:
    """Return the tables that this user may drop, or whose rows it could change but for the triggers."""
    return [table.name for table in tables if connection.execute(_CHANGEABLE, {"table": table.name}).scalar()]


def _absent(connection: Connection, table: Table) -> Iterator[str]:
    found = {row.tgname: row for row in connection.execute(_FOUND, {"table": table.name})}
    for each in _triggers(table):
        row = found.get(each.name)
        wanted = (True, each.type, _body(table), "search_path")
        if row is None or (row.fires, row.tgtype, row.prosrc, row.setting) != wanted:
            yield each.name


def _triggers(table: Table) -> tuple[_Trigger, _Trigger]:
    changed, added = f"{table.name}_no_change", f"{table.name}_in_order"
    return (
        _Trigger(changed, _BEFORE | _UPDATE | _DELETE | _TRUNCATE, f"UPDATE OR DELETE OR TRUNCATE ON {table.name}"),
        _Trigger(added, _ROW | _BEFORE | _INSERT, f"INSERT ON {table.name} FOR EACH ROW"),
    )


def _body(table: Table) -> str:
    return _BODY.format(table=table.name, condition=table.info["append_only"])
