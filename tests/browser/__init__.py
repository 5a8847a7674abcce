"""CHOM as a person sees it: a real Chromium on a real demo."""
