"""The WSGI entry that servers name: `chom_core.wsgi:app`."""

from chom_core.app import create_app

app = create_app()
