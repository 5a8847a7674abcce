"""A plugin that uses every surface of the SDK, and bad ones, each with one way of misbehaving."""
