"""Facts and jobs, for plugins. A handler runs as the plugin, once its effects are committed once."""

from chom_core.work import EventFact, GiveUp, Job, emit, enqueue, job, looks_ahead, outside
from chom_sdk.crossing import verb

#: Verb: say a fact. Types begin with the plugin's name: `projects.project_created`.
emit = verb(emit)
#: Verb: put a job of the plugin's own into the queue, in the caller's transaction.
enqueue = verb(enqueue)

__all__ = ["EventFact", "GiveUp", "Job", "emit", "enqueue", "job", "looks_ahead", "outside"]
