"""What can go wrong for a person, in words that person can act on.

Each error knows its HTTP status and a stable `code`; the REST kit shows it as an RFC 9457 problem document, the web
kit as a page or beside the form field, the command line as two lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar


class ChomError(Exception):
    """Base of everything CHOM refuses. `detail` says what is wrong, `fix` what to do next."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad-request"
    title: ClassVar[str] = "That did not work"

    def __init__(
        self, detail: str = "", *, fix: str = "", fields: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.fix = fix
        self.fields = {name: list(messages) for name, messages in (fields or {}).items()}


class Unauthenticated(ChomError):
    """Nobody is logged in, or the key is unknown."""

    status, code, title = 401, "unauthenticated", "Log in first"


class PaymentRequired(ChomError):
    """The payment was declined or the plan does not allow it."""

    status, code, title = 402, "payment-required", "Payment needed"


class Refused(ChomError):
    """The principal is known and may not do this."""

    status, code, title = 403, "refused", "You may not do this"


class NotFound(ChomError):
    """No such thing, or it is somebody else's: the two look the same from outside."""

    status, code, title = 404, "not-found", "Not found"


class Conflict(ChomError):
    """The thing is not in a state that allows this, or somebody was faster."""

    status, code, title = 409, "conflict", "That changed in the meantime"


class Invalid(ChomError):
    """The input is wrong; `fields` says where."""

    status, code, title = 422, "invalid", "Some fields need your attention"


class TooMany(ChomError):
    """A limit on attempts or requests is reached."""

    status, code, title = 429, "too-many", "Too many attempts"


class PluginFailed(ChomError):
    """A fail-closed hook failed: `plugin` names who."""

    status, code, title = 502, "plugin-failed", "A feature failed"

    def __init__(self, detail: str = "", *, plugin: str = "", fix: str = "") -> None:
        super().__init__(detail, fix=fix)
        self.plugin = plugin


class Unavailable(ChomError):
    """Something outside does not answer; trying again later may help."""

    status, code, title = 503, "unavailable", "Not available right now"
