"""Subscriptions, from the first payment to the last renewal."""
