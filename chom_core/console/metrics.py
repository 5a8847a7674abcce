"""Prometheus metrics: requests of this web process group, work in the database, hooks and breakers of plugins.

With several web processes PROMETHEUS_MULTIPROC_DIR (which `chom web` sets) adds their requests up. Times and errors of
hooks are those of the process that answers, so they carry its number as a label.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from chom_core.database import transaction
from chom_core.plugin_host import registry
from chom_core.plugin_host.models import Breaker
from chom_core.work import JobRow

CONTENT_TYPE = CONTENT_TYPE_LATEST
_own = CollectorRegistry()
_requests = Counter(
    "chom_requests", "Requests by method, route and status.", ["method", "route", "status"], registry=_own
)
_seconds = Histogram(
    "chom_request_seconds",
    "How long requests took.",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
    registry=_own,
)


def request_ended(method: str, route: str, status: int, seconds: float) -> None:
    """Count one request; `route` is a template, so the number of series stays small."""
    known = method if method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS") else "other"
    _requests.labels(known, route, str(status)).inc()
    _seconds.labels(known, route).observe(seconds)


class Work(Collector):
    """Jobs by pool and state, and tripped plugins: one look at the database for each scrape."""

    def collect(self) -> Iterator[Metric]:
        jobs = GaugeMetricFamily("chom_jobs", "Jobs by pool and state.", labels=["pool", "state"])
        waited = GaugeMetricFamily(
            "chom_job_wait_seconds", "How long the oldest due job of a pool has waited.", labels=["pool"]
        )
        tripped = GaugeMetricFamily(
            "chom_breaker_open", "Tripped breakers by plugin.", labels=["plugin", "state"]
        )
        up = GaugeMetricFamily("chom_database_up", "1 while the database answers.")
        try:
            with transaction() as here:
                query = select(JobRow.pool, JobRow.state, func.count()).group_by(JobRow.pool, JobRow.state)
                for pool, state, count in here.execute(query.where(JobRow.state != "done")):
                    jobs.add_metric([pool, state], count)
                late = func.extract("epoch", func.now() - func.min(JobRow.due_at))
                due = select(JobRow.pool, late).where(JobRow.state == "ready", JobRow.due_at <= func.now())
                for pool, seconds in here.execute(due.group_by(JobRow.pool)):
                    waited.add_metric([pool], float(seconds))
                open_ones = select(Breaker.plugin, Breaker.state, func.count()).group_by(
                    Breaker.plugin, Breaker.state
                )
                for plugin, state, count in here.execute(open_ones):
                    tripped.add_metric([plugin, state], count)
            up.add_metric([], 1)
        except SQLAlchemyError:
            up.add_metric([], 0)
        yield from (up, jobs, waited, tripped)


class Hooks(Collector):
    """What each plugin's answers cost this process, and how often they failed."""

    def collect(self) -> Iterator[Metric]:
        names = ["plugin", "hook", "process"]
        calls = CounterMetricFamily("chom_hook_calls", "Calls of a plugin's answer to a hook.", labels=names)
        seconds = CounterMetricFamily("chom_hook_seconds", "Seconds spent in it.", labels=names)
        errors = CounterMetricFamily("chom_hook_errors", "Calls that failed.", labels=names)
        skipped = GaugeMetricFamily("chom_plugins_skipped", "Plugins that are here and do not run.")
        for hook, row in registry.implementations.items():
            for item in row:
                label, count, ns = [item.plugin, hook, str(os.getpid())], item.calls, item.ns
                calls.add_metric(label, count)
                seconds.add_metric(label, ns / 1e9)
                errors.add_metric(label, item.errors)
        skipped.add_metric([], len(registry.skipped))
        yield from (calls, seconds, errors, skipped)


def render() -> bytes:
    """All of it, as Prometheus reads it."""
    together = CollectorRegistry()
    together.register(Work())
    together.register(Hooks())
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        shared = CollectorRegistry()
        MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
        return generate_latest(together) + generate_latest(shared)
    return generate_latest(together) + generate_latest(_own)
