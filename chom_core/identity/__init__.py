"""People, their log-ins, the organisations they belong to, and the keys of programs.

Seam: `identity.mails.use(sender)` — the notifications floor sends what identity asks for (`MailRequest`).
"""

from chom_core.identity.mail import MailRequest, mails
from chom_core.identity.options import Settings, configure, settings

__all__ = ["MailRequest", "Settings", "configure", "mails", "settings"]
