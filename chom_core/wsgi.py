"""The WSGI entry that servers name: `chom_core.wsgi:app`."""

import gc

gc.disable()  # what a boot makes stays: looking through it for garbage again and again was a twentieth of the boot

from chom_core.app import create_app  # noqa: E402

app = create_app()
gc.freeze()  # and no later collection looks through it either
gc.enable()
