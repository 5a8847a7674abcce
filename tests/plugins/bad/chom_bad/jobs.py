"""A job that misbehaves."""

from __future__ import annotations

from chom_sdk.work import Job, job

from . import behaviour


@job("bad.job")
def run(current: Job) -> None:
    behaviour.misbehave()
