"""Alembic's entry: runs inside the transaction that `History` opened, for whichever history it was asked for."""

from typing import Any, Literal

from alembic import context

from chom_core.database.encrypted import Encrypted


def _render(kind: str, item: Any, _: Any) -> str | Literal[False]:
    """A migration names plain types: it must still run when the code it was written from has moved."""
    return "sa.LargeBinary()" if isinstance(item, Encrypted) else False


_given = context.config.attributes
context.configure(
    connection=_given["connection"],
    target_metadata=_given["metadata"],
    version_table=_given["version_table"],
    version_table_schema=_given["version_table_schema"],
    include_name=_given["include_name"],
    include_schemas=True,
    compare_type=True,
    render_item=_render,
)
context.run_migrations()
