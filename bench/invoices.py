"""`./dev bench invoices`: finalised invoices a second of one worker, with 100, 1,000 and 10,000 organisations.

Each sampled organisation's hosting plan is renewed by the real path: its use of the month rated, the invoice drafted,
finalised with its ledger entries, numbered, committed. The organisations, their subscriptions and accounts, a year of
closed months and their use are rows made by the server, since they are only there to be in the way. One JSON object a
line.
"""

from __future__ import annotations

import argparse
import json
import time
from uuid import UUID

import psycopg
from sqlalchemy import event

from chom_core.billing import ledger
from chom_core.billing.service.offers import catalogue
from chom_core.billing.service.subscribing import renewal
from chom_core.billing.service.usage import tariffs
from chom_core.database import PLATFORM_ID, engine, everyone, transaction
from chom_core.demo import install
from chom_core.embedded import Postgres
from chom_core.simulation.__main__ import settings
from chom_core.work import wake

SIZES, SAMPLE, ROUNDS = (100, 1_000, 10_000), 15, 6
#: An organisation on Pro whose period ended an hour ago, with a month of use and twelve earlier months.
_FILL = """
create temp table made as select gen_random_uuid() as tenant, gen_random_uuid() as sub, gen_random_uuid() as item, n,
  date_trunc('hour', now()) - interval '1 hour' as ended, (select id from core.plan where code = 'pro') as plan,
  (select id from core.seller) as seller from generate_series(%(first)s::int, %(last)s::int) n;
insert into core.tenant (id, created_at, parent_id, kind, name, slug)
  select tenant, now(), %(platform)s, 'customer', 'Bench ' || n, 'bench-' || n from made;
insert into core.plugin_state (id, created_at, tenant_id, plugin, changed_at)
  select gen_random_uuid(), now(), tenant, p.plugin, now() from made,
    (select distinct plugin from core.plugin_state where tenant_id = %(platform)s) p;
insert into core.billing_profile (id, created_at, tenant_id, name, address, country, vat_id, email, currency)
  select gen_random_uuid(), now(), tenant, 'Bench ' || n, 'Street 1', 'US', '', '', 'USD' from made;
insert into core.subscription (id, created_at, tenant_id, seller_id, shape, status, currency, billing_period, anchor,
    zone, started_at, current_period_start, current_period_end)
  select sub, ended - interval '13 months', tenant, seller, 'hosting', 'active', 'USD', 'monthly',
    ended - interval '13 months', 'UTC', ended - interval '13 months', ended - interval '1 month', ended from made;
insert into core.subscription_item (id, created_at, tenant_id, subscription_id, plan_id, plan_code, title, shape,
    quantity, amount, currency, priced_at)
  select item, ended - interval '13 months', tenant, sub, plan, 'pro', 'Pro', 'hosting', 1, 7900, 'USD',
    ended - interval '13 months' from made;
insert into core.usage_closing (id, created_at, tenant_id, subscription_id, meter, period_start, period_end, number,
    quantity, events, amount, currency, terms, interim)
  select gen_random_uuid(), ended - (12 - m) * interval '1 month', tenant, sub, meter,
    ended - (13 - m) * interval '1 month', ended - (12 - m) * interval '1 month', 1, 0, 0, 0, 'USD', terms, false
  from made, generate_series(0, 11) m, jsonb_each(%(terms)s) as priced (meter, terms);
insert into core.ledger_account (id, created_at, tenant_id, seller_id, code, party, currency)
  select gen_random_uuid(), ended - interval '13 months', tenant, seller, code, '', 'USD'
  from made, unnest(array['receivable', 'revenue', 'cash']) code;
insert into core.usage_day (id, created_at, tenant_id, meter, subject, day, events, total, highest, last_value, last_at,
    last_id, first_at, area)
  select gen_random_uuid(), day, tenant, meter, '00000000-0000-0000-0000-000000000000', day::date, 1, 30, 30, 30,
    day + interval '1 hour', 'bench', day + interval '1 hour', 0
  from made, generate_series(date_trunc('day', ended - interval '20 days'), ended - interval '3 days',
    interval '1 day') day, unnest(array['sites', 'traffic_gb']) meter;
"""


def fill(root: psycopg.Connection, first: int, last: int) -> None:
    """Organisations `first` to `last`."""
    with transaction(PLATFORM_ID):
        prices = catalogue.usage_prices(catalogue.plan("pro"), "USD")
        kept = {"": {}} | {meter: tariffs.terms(tariffs.tariff(row)) for meter, row in prices.items()}
    given = {
        "first": first,
        "last": last,
        "platform": f"'{PLATFORM_ID}'",
        "terms": f"'{json.dumps(kept)}'::jsonb",
    }
    sql = _FILL
    for name, value in given.items():
        sql = sql.replace(f"%({name})s", str(value))
    root.execute("drop table if exists made")  # type: ignore[arg-type]
    root.execute(sql)  # type: ignore[arg-type]
    root.execute("analyze")


def waiting(root: psycopg.Connection, count: int) -> list[tuple[UUID, UUID]]:
    """Organisations that are not renewed yet, spread over all, with their subscription."""
    rows = root.execute(
        "select tenant_id, id from core.subscription where current_period_end <= now() order by md5(id::text) limit %s",
        (count,),
    )
    return [(row[0], row[1]) for row in rows.fetchall()]


def renew(chosen: list[tuple[UUID, UUID]]) -> tuple[float, float, int]:
    """(wall seconds, CPU seconds of this process, statements) for all of them, one after the other."""
    count = 0

    def counted(*_: object) -> None:
        nonlocal count
        count += 1

    event.listen(engine.engine(), "before_cursor_execute", counted)
    wall, cpu = time.perf_counter(), time.process_time()
    for tenant_id, subscription_id in chosen:
        with transaction(tenant_id):
            assert renewal.roll(subscription_id) is not None
    spent = time.perf_counter() - wall, time.process_time() - cpu
    event.remove(engine.engine(), "before_cursor_execute", counted)
    return *spent, count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=SAMPLE)
    given = parser.parse_args()
    done, rates = min(given.sample, SAMPLE), []
    with Postgres() as postgres:
        list(install.install(settings(postgres), postgres))
        wake.configure(None)
        with transaction(PLATFORM_ID):
            catalogue.seed_catalogue("USD", "Lanternworks Inc.")
        here, before = postgres.url(database=install.DATABASE).replace("+psycopg", ""), 0
        with psycopg.connect(here, autocommit=True) as root:
            for size in SIZES:
                fill(root, before + 1, size)
                before = size
                renew(waiting(root, 5))
                rounds = [renew(waiting(root, done)) for _ in range(ROUNDS)]
                wall, cpu, statements = min(rounds)
                rates.append(done / wall)
                print(json.dumps({
                    "bench": "invoices", "metric": "invoices_per_s", "value": round(done / wall, 1),
                    "unit": "invoices/s", "tenants": size, "workers": 1, "cpu_ms": round(cpu / done * 1000, 1),
                    "statements": round(statements / done, 1), "sample": done, "rounds": ROUNDS,
                }), flush=True)  # fmt: skip
        with everyone("bench: the books") as session:
            assert ledger.check(session) == []
    flat = {"bench": "invoices", "metric": "slowest_of_fastest", "value": round(min(rates) / max(rates), 2)}
    print(json.dumps(flat | {"unit": "ratio", "tenants": list(SIZES)}), flush=True)


if __name__ == "__main__":
    main()
