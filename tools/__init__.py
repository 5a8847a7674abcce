"""What the house checks itself with."""
