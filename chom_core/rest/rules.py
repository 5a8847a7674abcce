"""Werkzeug's rules, whose builders of addresses are compiled when somebody first needs them.

Werkzeug writes and compiles two small functions for each rule at boot, a quarter of a millisecond each. A process of
a few hundred routes builds the addresses of a few dozen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Rule

Builder = Callable[..., tuple[str, str]]


class LateRule(Rule):
    """`app.url_rule_class = LateRule`, before the first route.

    Should Werkzeug rename what is overridden here, nothing breaks: its builders are compiled at boot again.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Builder:
        """A builder that compiles the real one on its first call and puts it in its own place."""
        compile_now = super()._compile_builder

        def first(rule: LateRule, /, **values: Any) -> tuple[str, str]:
            builder: Builder = compile_now(append_unknown).__get__(rule, None)
            if append_unknown:
                rule._build_unknown = builder
            else:
                rule._build = builder
            return builder(**values)

        return first
