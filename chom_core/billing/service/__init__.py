"""Billing's verbs, a room for each subject. Nothing else writes billing's tables."""
