"""What notifications hooks ask and answer."""

from __future__ import annotations
