"""Alembic's environment, shared by every history."""
