"""Dunning: unpaid invoices are asked for again, and their services stop at a told date."""
