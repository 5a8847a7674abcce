from chom_core.work import Job, job


@job("glow.nightly")
def nightly(current: Job) -> None:
    """Nothing to do at night."""
