"""A seeded slice of the matrix in every test run; `./dev matrix` walks all of it."""

from __future__ import annotations

from tests.harness import matrix, matrix_forms
from tests.harness.matrix_changes import Change


def test_a_slice_finds_the_planted_holes_and_nothing_else() -> None:
    report, missed, _seconds = matrix.run(seed=11, share=0.01)
    assert missed == set()
    assert report.offences == []
    assert report.combinations > 200
    assert {200, 303, 401, 403, 404, 405} & set(report.answers) > {200, 403, 404}


def test_forms_are_read_as_a_browser_would_send_them() -> None:
    page = """<form method="post" action="/a"><input name="x" value="1"><input type="checkbox" name="c" value="on">
      <input type="radio" name="r" value="a"><input type="radio" name="r" value="b" checked>
      <select name="s"><option value="p">P</option><option value="q" selected>Q</option></select>
      <textarea name="t">long
text</textarea><button name="go" value="now">Go</button></form>
      <form action="/search"><input name="q" value="no"></form><form method="post"><input name="y" value="2"></form>"""
    assert matrix_forms.read(page, "/here") == {
        "/a": {"x": "1", "r": "b", "s": "q", "t": "long\ntext", "go": "now"},
        "/here": {"y": "2"},
    }


def test_a_change_belongs_to_whom_its_row_names() -> None:
    row = {"id": "i", "tenant_id": "t", "person_id": None, "generation": 1}
    assert Change("core.service", "UPDATE", row, row | {"tenant_id": "u"}).owners() == {"t", "u"}
    assert (
        Change("core.tenant", "UPDATE", {"id": "i", "generation": 1}, {"id": "i", "generation": 2}).owners()
        == set()
    )
    assert Change("core.tenant", "UPDATE", {"id": "i", "name": "a"}, {"id": "i", "name": "b"}).owners() == {
        "i"
    }
