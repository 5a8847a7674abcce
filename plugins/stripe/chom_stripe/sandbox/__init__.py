"""A stateful Stripe inside this process: the SDK's own client talks to it through `transport.Transport`.

Nothing here is imported before the first call without keys. Its state are rows of the plugin's own schema, so that web
and worker see one Stripe; each call is one transaction of its own, as an outside company's would be.
"""
