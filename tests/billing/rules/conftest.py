"""Properties are found false by what they say, never by how long an example took on a busy machine."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("rules", settings(), deadline=None)
settings.load_profile("rules")
