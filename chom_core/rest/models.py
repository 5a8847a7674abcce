"""What the REST kit keeps: idempotency keys with the answer they led to."""

from sqlalchemy import LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from chom_core.database import Model, TenantRow


class IdempotencyKey(TenantRow, Model):
    """A key an organisation sent with a writing request, and the answer. Kept for ever: money must never repeat."""

    __tablename__ = "idempotency_key"
    __table_args__ = (UniqueConstraint("tenant_id", "key"),)

    key: Mapped[str] = mapped_column(String(255))
    request_hash: Mapped[str] = mapped_column(String(64))
    status: Mapped[int | None]
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
