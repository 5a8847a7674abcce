"""A plugin's own settings in an organisation; for a plugin of platform level, the platform's."""

from chom_core.plugin_host import settings as _settings
from chom_sdk.crossing import reading, verb

#: `read("projects")` → the values in force, defaults filled in, secrets in clear.
read = reading(_settings.read)
#: Verb: `write("projects", {...})`; Invalid with a message per field.
write = verb(_settings.write)

__all__ = ["read", "write"]
