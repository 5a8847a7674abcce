"""Changes of a subscription: asked for, reckoned, paid, applied; pausing and ending among them."""
