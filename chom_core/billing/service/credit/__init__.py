"""Credit: grants, top-ups, what is given back."""
