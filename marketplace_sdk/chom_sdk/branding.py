"""Looks, for plugins."""

from chom_core.values.branding import Brand, BrandQuery

__all__ = ["Brand", "BrandQuery"]
