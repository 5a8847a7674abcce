"""Messages to people, for plugins: name a type in the manifest, then `notify` by it."""

from chom_core.notifications.phrases import Amount, Day, phrase
from chom_core.notifications.service import notify as _notify
from chom_core.values.notifications import (
    INBOX,
    MAIL,
    Category,
    Channel,
    ChannelQuery,
    Message,
    NotificationType,
)
from chom_sdk.crossing import verb

#: Verb: an inbox row and mail by each person's preferences, exactly once per key.
notify = verb(_notify)

__all__ = [
    "INBOX",
    "MAIL",
    "Amount",
    "Category",
    "Channel",
    "ChannelQuery",
    "Day",
    "Message",
    "NotificationType",
    "notify",
    "phrase",
]
