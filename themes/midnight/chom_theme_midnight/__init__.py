"""A darker look with violet: theme.toml is all of it."""
