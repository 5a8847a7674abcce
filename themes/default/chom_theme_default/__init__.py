"""The house's default look: theme.toml is all of it."""
