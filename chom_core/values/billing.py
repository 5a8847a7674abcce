"""What billing hooks ask and answer."""

from __future__ import annotations
