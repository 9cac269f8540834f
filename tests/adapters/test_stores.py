"""What every store of endpoints does alike, and what one file on a disk does besides."""

import asyncio
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.adapters.memory import MemoryEndpoints
from gateway.adapters.sqlite import SqliteEndpoints
from gateway.errors import EndpointNotFound, Unavailable
from gateway.ports import WritableEndpoints
from gateway.routing.endpoint import Endpoint, Price, Retries, Target, Timeouts
from tests.fakes import run

GPT = Target("openai", "gpt")
WHOLE = Endpoint(
    "whole",
    (Target("openai", "gpt", "env:K", 2, "http://h", Price(1, 2, 0.5, 0)), GPT),
    (GPT,),
    Retries(2, 0.5, 8),
    Timeouts(60, 30, 5, 10),
    created=1_700_000_000,
)

MakeStore = Callable[[Path], WritableEndpoints]
STORES: dict[str, MakeStore] = {
    "memory": lambda _: MemoryEndpoints(),
    "sqlite": lambda folder: SqliteEndpoints(folder / "new" / "gateway.db"),
}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> WritableEndpoints:
    make: MakeStore = STORES[request.param]
    return make(tmp_path)


def named(*names: str) -> list[Endpoint]:
    return [Endpoint(name, (GPT,)) for name in names]


def test_a_new_store_is_empty(store: WritableEndpoints) -> None:
    assert list(run(store.list())) == []
    with pytest.raises(EndpointNotFound, match="endpoint 'e' not found"):
        run(store.find("e"))


def test_what_is_put_is_found_whole(store: WritableEndpoints) -> None:
    run(store.put(WHOLE))
    assert run(store.find("whole")) == WHOLE
    assert list(run(store.list())) == [WHOLE]


def test_every_endpoint_is_listed_sorted_by_name(store: WritableEndpoints) -> None:
    for endpoint in named("b", "a", "B", "c.1", "c-1", "10", "9"):
        run(store.put(endpoint))
    assert list(run(store.list())) == named("10", "9", "B", "a", "b", "c-1", "c.1")


def test_what_is_put_again_is_replaced(store: WritableEndpoints) -> None:
    run(store.put(Endpoint("e", (GPT,))))
    run(store.put(Endpoint("e", (GPT, GPT))))
    assert run(store.find("e")) == Endpoint("e", (GPT, GPT))
    assert len(run(store.list())) == 1


def test_what_is_deleted_is_gone_and_cannot_be_deleted_again(store: WritableEndpoints) -> None:
    for endpoint in named("a", "b"):
        run(store.put(endpoint))
    run(store.delete("a"))
    assert list(run(store.list())) == named("b")
    for work in (store.find, store.delete):
        with pytest.raises(EndpointNotFound, match="'a' not found"):
            run(work("a"))


@pytest.mark.parametrize(
    "name", ["", "A", "' OR 1=1 --", 'a"b', "a%", "a\x00b", "\u00e9", "\U0001f600", "x" * 100_000]
)
def test_a_name_is_itself_and_nothing_else(store: WritableEndpoints, name: str) -> None:
    run(store.put(Endpoint("a", (GPT,))))
    with pytest.raises(EndpointNotFound):
        run(store.find(name))
    run(store.put(Endpoint(name, (GPT,))))
    assert run(store.find(name)).name == name


def test_a_name_that_is_no_text_is_not_found(store: WritableEndpoints) -> None:
    """Half of a surrogate pair: what a command line gives for a byte that is no UTF-8."""
    run(store.put(WHOLE))
    with pytest.raises(EndpointNotFound):
        run(store.find("\udcff"))


def test_many_calls_at_once_are_all_served(store: WritableEndpoints) -> None:
    async def storm() -> list[Endpoint]:
        names = [f"e{nth:02}" for nth in range(20)]
        await asyncio.gather(*(store.put(endpoint) for endpoint in named(*names)))
        await asyncio.gather(*(store.find(name) for name in names))
        await asyncio.gather(*(store.delete(name) for name in names[:10]))
        return list(await store.list())

    assert [endpoint.name for endpoint in run(storm())] == [f"e{nth}" for nth in range(10, 20)]


def test_two_programs_on_one_file_see_each_others_writing(tmp_path: Path) -> None:
    one, other = SqliteEndpoints(tmp_path / "db"), SqliteEndpoints(tmp_path / "db")
    run(one.put(WHOLE))
    assert run(other.find("whole")) == WHOLE
    run(other.delete("whole"))
    assert list(run(one.list())) == []


def test_reading_makes_no_file(tmp_path: Path) -> None:
    store = SqliteEndpoints(tmp_path / "new" / "db")
    assert list(run(store.list())) == []
    assert list(tmp_path.iterdir()) == []


def test_its_folder_is_its_owners_alone(tmp_path: Path) -> None:
    run(SqliteEndpoints(tmp_path / "new" / "db").put(WHOLE))
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def garbage(file: Path) -> None:
    file.write_bytes(b"this is no database, but long enough to be taken for one" * 100)


def folder(file: Path) -> None:
    file.mkdir()


def another_table(file: Path) -> None:
    with sqlite3.connect(file) as db:
        db.execute("CREATE TABLE endpoints (x INTEGER)")
    db.close()


@pytest.mark.parametrize("spoil", [garbage, folder, another_table])
def test_a_file_that_is_no_store_is_unavailable_and_named(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    file = tmp_path / "db"
    spoil(file)
    store = SqliteEndpoints(file)
    for work in (store.find("e"), store.list(), store.put(WHOLE), store.delete("e")):
        with pytest.raises(Unavailable, match="cannot be used") as down:
            run(work)
        assert str(file) in down.value.message


def test_a_file_below_a_file_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable):
        run(SqliteEndpoints(tmp_path / "file" / "db").put(WHOLE))


def written_by_hand(file: Path, body: str, version: int = 99) -> SqliteEndpoints:
    store = SqliteEndpoints(file)
    run(store.put(Endpoint("e", (GPT,))))
    with sqlite3.connect(file) as db:
        db.execute("UPDATE endpoints SET version = ?, body = ?", (version, body))
    db.close()
    return store


def test_an_item_of_another_version_is_read(tmp_path: Path) -> None:
    item = (
        '{"name":"e","owner":"ann","targets":[{"provider":"openai","model":"gpt","region":"eu"}],'
        '"retries":{"times":1,"on":[429]},"limits":{"rpm":5}}'
    )
    store = written_by_hand(tmp_path / "db", item)
    assert run(store.find("e")) == Endpoint("e", (GPT,), retries=Retries(1))


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "null",
        "[]",
        "5",
        "{}",
        '{"name":"e"}',
        '{"name":"e","targets":5}',
        '{"name":"e","targets":[5]}',
        '{"name":"e","targets":[{}]}',
        '{"targets":[]}',
    ],
)
def test_an_item_that_cannot_be_read_is_the_stores_fault(tmp_path: Path, body: str) -> None:
    store = written_by_hand(tmp_path / "db", body)
    with pytest.raises(Unavailable):
        run(store.find("e"))
    with pytest.raises(Unavailable):
        run(store.list())


def test_an_item_that_cannot_be_read_does_not_hide_the_others(tmp_path: Path) -> None:
    store = written_by_hand(tmp_path / "db", "{")
    run(store.put(WHOLE))
    assert run(store.find("whole")) == WHOLE
