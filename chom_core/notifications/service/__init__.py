"""The verbs of notifications: `notify`, the inbox, preferences, and the outbox of mail."""

from chom_core.notifications.service import identity_mails, outbox
from chom_core.notifications.service.inbox import (
    inbox,
    mark_all_read,
    mark_read,
    mark_unread,
    me,
    recent,
    unread_count,
)
from chom_core.notifications.service.notify import notify
from chom_core.notifications.service.outbox import queue_mail, retry_mail, send_test
from chom_core.notifications.service.preferences import Choice, choose, grid

identity_mails.install()

__all__ = [
    "Choice",
    "choose",
    "grid",
    "inbox",
    "mark_all_read",
    "mark_read",
    "mark_unread",
    "me",
    "notify",
    "outbox",
    "queue_mail",
    "recent",
    "retry_mail",
    "send_test",
    "unread_count",
]
