"""Every caller's dialect against every provider's: nothing is lost in silence, and the page that says
what comes through is true."""

import asyncio

import pytest

from tests.compatibility.render import FILE, Matrix, matrix, page


@pytest.fixture(scope="module")
def cells() -> Matrix:
    return asyncio.run(matrix())


def test_nothing_is_lost_in_silence(cells: Matrix) -> None:
    silent = {place: cell.why for place, cell in cells.items() if cell.verdict == "silent"}
    assert silent == {}


def test_where_both_sides_speak_alike_all_comes_through(cells: Matrix) -> None:
    partly = {
        (caller, feature): cell
        for (caller, feature, provider), cell in cells.items()
        if caller == provider and cell.verdict not in ("same", "unsaid")
    }
    assert partly == {}


def test_the_page_is_what_the_run_says(cells: Matrix) -> None:
    assert FILE.read_text() == page(cells), "run `make compatibility`"
