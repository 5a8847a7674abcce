"""Months in order: each organisation's clock is moved to its next act, the act is done, what falls due is run.

Where an organisation stands is its test clock, so a run that was stopped goes on where it was: months that are over
are passed, and the rest is drawn from the same seed.
"""

from __future__ import annotations

import signal
import threading
import time
from calendar import monthrange
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from chom_core.billing.service.subscribing import subscriptions
from chom_core.database import PLATFORM_ID, Tenant, clock, transaction
from chom_core.identity import service as identity
from chom_core.identity.mail import MailRequest, mails
from chom_core.identity.models import Person
from chom_core.simulation import acts, books, crew, guard, stage
from chom_core.simulation.bar import Bar
from chom_core.simulation.cast import Actor, cast
from chom_core.simulation.script import Act, month
from chom_core.values.errors import ChomError, Invalid
from chom_core.values.principal import SYSTEM, Principal, Role, StaffRole
from chom_core.work import advance, stand, wake

#: What somebody without a plan still may do.
OUTSIDERS = frozenset({"join", "come_back", "settle_up", "open_shop", "settle"})
STAFF = Principal("system", tenant_id=PLATFORM_ID, staff_role=StaffRole.ADMIN, name="Simulated staff")
Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Simulation:
    """One run. `until`: where the last month ends. `release`: let the clocks go to real time at the end.

    `processes`: how many play it side by side.
    """

    seed: int
    months: int
    tenants: int
    until: datetime
    release: bool = False
    processes: int = 1
    stopping: Callable[[], bool] = lambda: False
    outcomes: Counter[str] = field(default_factory=Counter)
    _ids: dict[int, UUID] = field(default_factory=dict)
    _owners: dict[int, Principal] = field(default_factory=dict)

    def run(self, progress: Progress = lambda done, of: None) -> dict[str, Any]:
        """Do what is not done yet. Answers the summary; `stopped` says whether something is left."""
        if not 1 <= self.months <= 120 or not 1 <= self.tenants <= 100_000:
            raise Invalid("How long, and how many?", fix="1 to 120 months, 1 to 100000 tenants.")
        guard.must_be_unreal()
        begun = time.monotonic()
        stage.operator()
        dealt = crew.shares(cast(self.seed, self.months, self.tenants), self.months, self.processes)
        if len(dealt) == 1:
            stopped, _outcomes, _ids = self.play(dealt[0], progress)
        else:
            stopped, self.outcomes, self._ids = crew.play(self, dealt, progress)
        if self.release and not stopped:
            for tenant_id in self._ids.values():
                stand(tenant_id, None)
        return self._summary(stopped, time.monotonic() - begun)

    def play(self, actors: Sequence[Actor], progress: Progress) -> crew.Played:
        """Every month of these actors, the first one of all of them first."""
        todo = [(actor, number) for number in range(self.months) for actor in actors if number >= actor.joins]
        for done, (actor, number) in enumerate(todo, start=1):
            if self.stopping():
                return True, self.outcomes, self._ids
            self._month(actor, number)
            progress(done, len(todo))
        return False, self.outcomes, self._ids

    def boundary(self, number: int) -> datetime:
        """Where month `number` begins."""
        count = self.until.year * 12 + self.until.month - 1 - (self.months - number)
        year, month_ = divmod(count, 12)
        last = monthrange(year, month_ + 1)[1]
        return self.until.replace(year=year, month=month_ + 1, day=min(self.until.day, last))

    def _month(self, actor: Actor, number: int) -> None:
        start, end = self.boundary(number), self.boundary(number + 1)
        if actor.number not in self._ids:
            self._enter(actor, start)
        tenant_id = self._ids[actor.number]
        now = self._standing(tenant_id)
        if now is None or now >= end:
            return
        todo = [act for act in month(actor, number, start, end, self.months) if act.at >= now]
        for act in todo:
            if act.what not in OUTSIDERS and not self._subscribed(tenant_id):
                continue
            advance(tenant_id, act.at, quick=True)
            self._do(actor, tenant_id, act)
        advance(tenant_id, end, quick=True)

    def _do(self, actor: Actor, tenant_id: UUID, act: Act) -> None:
        try:
            outcome = acts.do(acts.On(actor, tenant_id, self._owners[actor.number], STAFF, act))
        except ChomError as refusal:
            outcome = f"refused: {refusal.detail[:80]}"
        self.outcomes[f"{act.what} {outcome}"] += 1

    def _subscribed(self, tenant_id: UUID) -> bool:
        with transaction(tenant_id):
            return subscriptions.hosting(any_state=True) is not None

    def _standing(self, tenant_id: UUID) -> datetime | None:
        with transaction() as here:
            return here.scalar(select(Tenant.clock_at).where(Tenant.id == tenant_id))

    def _enter(self, actor: Actor, start: datetime) -> None:
        """Sign up as a newcomer does, by the link that is mailed; or find who signed up in an earlier run."""
        with transaction() as here:
            person = identity.find_person(actor.email)
            mine = identity.organisations_of(person.id) if person is not None else []
            if not mine:
                tenant_id = self._sign_up(actor)
                person = here.scalars(select(Person).where(Person.email == actor.email)).one()
            else:
                tenant_id = mine[0].id
            assert person is not None
            self._owners[actor.number] = Principal(
                "person", person.id, tenant_id, Role.OWNER, name=actor.owner
            )
        self._ids[actor.number] = tenant_id
        if not mine:
            stand(tenant_id, start)

    def _sign_up(self, actor: Actor) -> UUID:
        if (
            actor.kind == "reseller" or actor.parent is not None
        ):  # staff enter resellers, resellers their customers
            person = identity.create_person(
                actor.email, actor.owner, f"{actor.seed} paper lanterns", zone=actor.zone
            )
            parent = self._ids[actor.parent] if actor.parent is not None else PLATFORM_ID
            return identity.create_organisation(
                actor.name,
                zone=actor.zone,
                owner=person.id,
                kind=actor.kind,
                parent_id=parent,
                principal=SYSTEM,
            ).id
        address = f"2001:db8:{actor.number >> 16:x}:{actor.number & 0xFFFF:x}::1"
        with _mailbox() as box:
            identity.sign_up(
                actor.email,
                actor.owner,
                f"{actor.seed} paper lanterns",
                actor.name,
                zone=actor.zone,
                address=address,
            )
        token = str(box[-1].context["path"]).rpartition("/")[2]
        tenant_id = identity.verify_email(token, address=address).tenant_id
        assert tenant_id is not None
        return tenant_id

    def _summary(self, stopped: bool, seconds: float) -> dict[str, Any]:
        found = books.counts(self.seed)
        return {
            "simulate": "stopped" if stopped else "done", "seed": self.seed, "months": self.months,
            "until": self.until.date().isoformat(), **found, "ledger_hash": books.ledger_hash(self.seed),
            "seconds": round(seconds, 1),
        }  # fmt: skip


@contextmanager
def _mailbox() -> Iterator[list[MailRequest]]:
    """What identity mails in the block: its links are the newcomer's, and no mail goes out."""
    box: list[MailRequest] = []
    before = mails.use(box.append)
    try:
        yield box
    finally:
        mails.use(before)


def simulate(
    seed: int,
    months: int,
    tenants: int,
    until: datetime | None = None,
    *,
    release: bool = False,
    processes: int = 1,
) -> dict[str, Any]:
    """The command: in a process that has started, with a progress bar; Ctrl-C ends it after the act that is on."""
    stop = threading.Event()
    before = signal.signal(signal.SIGINT, lambda *_: stop.set())
    wake.configure(None)  # jobs are run here, by the clock's mover
    end = (until or clock.machine().replace(day=1)).replace(
        hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC
    )
    try:
        with Bar("simulating") as bar:
            return Simulation(seed, months, tenants, end, release, processes, stop.is_set).run(bar.show)
    finally:
        signal.signal(signal.SIGINT, before)
