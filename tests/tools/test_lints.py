"""Each lint finds its planted fault, and is silent about the right way to write the same."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tools.lints import addresses, borders, declarations, habits, words
from tools.lints.tree import Finding, Tree

Lint = Callable[[Tree], Iterator[Finding]]
HOOKSPECS = "chom_core/hookspecs/ui.py"
SLOT_HOME = "@hook()\ndef slot_home(slot: PageSlot) -> Panel | None:\n    '''Home.'''\n"


def tree(root: Path, files: dict[str, str]) -> Tree:
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return Tree(root)


PLANTED: list[tuple[Lint, str, str, str]] = [
    (
        addresses.registry_hosts,
        "a.toml",
        'index = "https://py' + 'pi.org/simple"',
        'index = "https://chom.example"',
    ),
    (addresses.machine_paths, "a.sh", "cd /wo" + "rk/main", "cd ./wo" + "rk/main"),
    (addresses.machine_paths, "b.md", "see /ro" + "ot/x", "see tests/root/x"),
    (
        borders.core_knows_no_plugin,
        "chom_core/app.py",
        "from chom_sdk import Plugin",
        "import chom_core.values",
    ),
    (borders.core_knows_no_plugin, "chom_core/web/nav.py", "show('referrals')", "show('home')"),
    (
        borders.plugins_use_the_sdk,
        "plugins/referrals/chom_referrals/hooks.py",
        "import chom_core",
        "import chom_sdk",
    ),
    (
        borders.plugins_use_the_sdk,
        "plugins/referrals/tests/test_a.py",
        "import chom_stripe",
        "import chom_referrals.hooks",
    ),
    (borders.pure_floors, "chom_core/values/money.py", "def f():\n    import sqlalchemy", "import decimal"),
    (
        declarations.routes_declare_access,
        "chom_core/billing/pages.py",
        "pages = Pages('b')\n@pages.get('/')\ndef index(): ...",
        "pages = Pages('b', access='viewer')\n@pages.get('/')\ndef index(): ...",
    ),
    (
        declarations.routes_declare_access,
        "plugins/referrals/chom_referrals/api.py",
        "api = ApiRoutes('r')\n@api.post('/', scope='x')\ndef add(): ...",
        "api = ApiRoutes('r')\n@api.post('/', access='member')\ndef add(): ...",
    ),
    (
        declarations.tables_declare_tenancy,
        "chom_core/billing/models.py",
        "class Invoice(Model):\n    __tablename__ = 'invoices'",
        "class Invoice(TenantRow, Model):\n    __tablename__ = 'invoices'",
    ),
    (
        declarations.slots_are_hooks,
        "chom_core/web/templates/a.html",
        "{{ slot('hoem', page=page) }}",
        "{{ slot('home', page=page) }}",
    ),
    (
        declarations.hooks_are_documented,
        "docs/hooks.md",
        "slot_home(slot: PageSlot) -> Panel",
        "slot_home(slot: PageSlot) -> Panel | None",
    ),
    (habits.one_clock, "plugins/referrals/chom_referrals/jobs.py", "dt.datetime.now(UTC)", "clock.now()"),
    (
        habits.no_raw_writes_in_plugins,
        "plugins/referrals/chom_referrals/service.py",
        "session().execute(text('  WITH x AS (select 1) UPDATE core.t SET a = 1'))",
        "session().execute(text('SELECT updated_at FROM plugin_referrals.t'))",
    ),
    (
        habits.no_raw_writes_in_plugins,
        "plugins/referrals/chom_referrals/models.py",
        "text(f'SELECT {column} FROM t')",
        "text('SELECT a FROM t WHERE b = :b')",
    ),
    (
        habits.nothing_unfinished,
        "tests/test_x.py",
        "x = 1  # TO" + "DO: more",
        "x = 'todo list'  # a list of todos",
    ),
    (habits.rooms_are_readable, "chom_core/app.py", "x = 1\n" * 301, "x = 1\n" * 300),
    (
        habits.templates_keep_the_csp,
        "chom_core/web/templates/b.html",
        "<script>go()</script>",
        "<script src='/a.js'></script>",
    ),
    (
        habits.templates_keep_the_csp,
        "chom_core/web/templates/c.html",
        "<p style='color:red'>",
        "<style nonce='{{ n }}'>",
    ),
    (
        words.refusals_are_translatable,
        "chom_core/billing/service/a.py",
        "raise Invalid(_('No.'), fix=_('Look.'), fields={'day': [f'After {then}.']})",
        "raise Invalid(_('No.'), fields={'day': [_('Later.') if a == 'later' else _('Never.')]})",
    ),
    (
        words.refusals_are_translatable,
        "chom_core/billing/service/c.py",
        "errors['day'] = [f'After {then}.']",
        "errors['day'] = [_('Later.')]",
    ),
    (
        words.refusals_are_translatable,
        "plugins/a/chom_a/b.py",
        "raise errors.Conflict('Gone.')",
        "raise Conflict(_('Gone.'))",
    ),
]


@pytest.mark.parametrize(("lint", "name", "wrong", "right"), PLANTED)
def test_finds_the_fault_and_only_the_fault(
    tmp_path: Path, lint: Lint, name: str, wrong: str, right: str
) -> None:
    always = {HOOKSPECS: SLOT_HOME, "plugins/referrals/pyproject.toml": ""}
    found = list(lint(tree(tmp_path, {**always, name: wrong})))
    assert [finding.path for finding in found] in ([name], [HOOKSPECS])
    assert list(lint(tree(tmp_path, {**always, name: right}))) == []


def test_third_party_code_and_large_files_are_found(tmp_path: Path) -> None:
    files = {"web/vendor/a.js": "", "web/b.min.js": "", "c.bin": "x" * 1_000_001, "d.js": ""}
    found = {finding.path for finding in addresses.third_party(tree(tmp_path, files))}
    assert found == {"web/vendor/a.js", "web/b.min.js", "c.bin"}


def test_a_hook_without_words_is_found(tmp_path: Path) -> None:
    files = {
        HOOKSPECS: SLOT_HOME.replace("'''Home.'''", "..."),
        "docs/hooks.md": "slot_home(slot: PageSlot) -> Panel | None",
    }
    assert [f.text for f in declarations.hooks_are_documented(tree(tmp_path, files))] == [
        "the hook slot_home has no docstring"
    ]


def test_the_house_itself_holds_no_address_and_no_foreign_code() -> None:
    house = Tree(Path(__file__).parents[2])
    for lint in (addresses.registry_hosts, addresses.machine_paths, addresses.third_party):
        assert list(lint(house)) == []
