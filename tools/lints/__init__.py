"""The house's own rules, checked without running the house. `python -m tools.lints` prints each finding.

A lint is a function from the tree to findings; each says in its docstring what it holds and why.
"""

from __future__ import annotations
