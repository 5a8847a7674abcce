"""Payments: attempts, cards, gateways, settlement, refunds and disputes."""
