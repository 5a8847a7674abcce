"""The audit log, for plugins: who did what to what."""

from chom_core.audit.service import Subject, record
from chom_sdk.crossing import verb

#: Verb: `record("projects.created", Subject("project", id, name), after={...})`.
record = verb(record)

__all__ = ["Subject", "record"]
