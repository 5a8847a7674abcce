"""Buying: a click becomes a purchase, is allowed, paid, built, and funds what was ordered."""
