"""CSV for spreadsheets: written row by row into a spooled file, with formulas defused.

The rows are read while the request's unit of work is still open, so a failure is an error page and never half a file;
past a megabyte the file lies on disk, not in memory.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any

from flask import Response

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_CHUNK = 64 * 1024


def defuse(value: Any) -> Any:
    """A cell that no spreadsheet runs: text that starts like a formula gets an apostrophe in front (OWASP, «CSV
    Injection»). Numbers stay numbers, so −3.50 can still be summed."""
    if value is None or isinstance(value, bool | int | float):
        return "" if value is None else value
    from decimal import Decimal

    if isinstance(value, Decimal):
        return format(value, "f")
    text = str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) or text.startswith(_FORMULA) else text


def csv_response(filename: str, header: Sequence[object], rows: Iterable[Sequence[Any]]) -> Response:
    """A download of `header` and `rows`. `filename` without the ending; a mark at the start tells Excel it is UTF-8."""
    spool = tempfile.SpooledTemporaryFile(max_size=1_000_000, mode="w+", encoding="utf-8", newline="")  # noqa: SIM115
    writer = csv.writer(spool)
    try:
        writer.writerow([defuse(str(title)) for title in header])
        for row in rows:
            writer.writerow([defuse(cell) for cell in row])
    except BaseException:
        spool.close()
        raise
    spool.seek(0)
    safe = "".join(c if c.isalnum() or c in "-_." else "-" for c in filename if c.isascii()) or "export"
    response = Response(_chunks(spool), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{safe}.csv"'
    response.headers["Cache-Control"] = "private, no-store"
    response.call_on_close(spool.close)
    return response


def _chunks(spool: IO[str]) -> Iterator[bytes]:
    first = True
    with spool:
        while text := spool.read(_CHUNK):
            yield (b"\xef\xbb\xbf" if first else b"") + text.encode()
            first = False
