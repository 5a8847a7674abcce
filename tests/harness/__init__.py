"""The harnesses: programs that attack or break CHOM on purpose and count what gives way."""
