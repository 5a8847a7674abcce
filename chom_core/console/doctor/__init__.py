"""`chom doctor`: looks at everything an installation stands on; says of each thing how it is, and what to do.

Each check is a function that yields findings; one that cannot be made for want of another says so.
"""

from chom_core.console.doctor.examine import examine
from chom_core.console.doctor.finding import Finding

__all__ = ["Finding", "examine"]
