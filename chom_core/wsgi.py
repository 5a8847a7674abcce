"""The WSGI entry that servers name: `chom_core.wsgi:app`."""

import gc
import os

gc.disable()  # what a boot makes stays: looking through it for garbage again and again was a twentieth of the boot
# Nothing here is in the machine's zone (people and organisations have theirs), and Babel would look for its name
# among six hundred files.
os.environ.setdefault("TZ", "UTC")

from chom_core.app import create_app  # noqa: E402

app = create_app()
gc.freeze()  # and no later collection looks through it either
gc.enable()
