"""People and organisations, for plugins."""

from chom_core.values.identity import Arrival

__all__ = ["Arrival"]
