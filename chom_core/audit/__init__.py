"""The audit log: who did what to whom, when, from where and why. Written once, kept for ever."""

from chom_core.audit.models import AuditEntry
from chom_core.audit.service import Subject, record, search

__all__ = ["AuditEntry", "Subject", "record", "search"]
