"""Billing's verbs, by what they are about. Nothing else writes billing's tables."""
