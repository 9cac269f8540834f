"""Records on their way to be kept."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from gateway.adapters.ledgers import BATCH, HOUR, MOST_KEYS, MOST_WAITING, Keeping, Ledgers
from gateway.adapters.memory import MemoryLedger
from gateway.errors import Unavailable
from gateway.exchange.background import Background
from gateway.metering.records import Record
from tests.fakes import run

BROKEN = (Unavailable("the table is gone"), RuntimeError("nobody expected this"))


def record(request_id: str = "r") -> Record:
    return Record(
        request_id=request_id,
        caller="k",
        endpoint="e",
        dialect="openai_chat",
        stream=False,
        outcome="answered",
        status=200,
        provider="openai",
        model="gpt",
        attempts=1,
        usage=None,
        cost=None,
        duration=1,
        first_content=None,
        error=None,
    )


def records(count: int, first: int = 0) -> list[Record]:
    return [record(f"r{nth}") for nth in range(first, first + count)]


class FakeRecords:
    """Holds back what is added until ``gate`` is open; fails as often as there are ``faults``."""

    def __init__(self, *faults: Exception) -> None:
        self.faults = list(faults)
        self.added: list[list[Record]] = []
        self.touched: list[tuple[str, int]] = []
        self.gate, self.asked = asyncio.Event(), asyncio.Event()
        self.gate.set()
        self.at_once = self.most_at_once = 0

    async def add(self, records: Sequence[Record]) -> None:
        self.asked.set()
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.gate.wait()
            self._fail()
            self.added.append(list(records))
        finally:
            self.at_once -= 1

    async def find(self, request_id: str) -> Record | None:
        raise NotImplementedError

    async def touch(self, key: str, at: int) -> None:
        self._fail()
        self.touched.append((key, at))

    async def last_used(self, keys: Sequence[str]) -> Mapping[str, int]:
        raise NotImplementedError

    def _fail(self) -> None:
        if self.faults:
            raise self.faults.pop(0)


class World:
    def __init__(self, *faults: Exception, pause: float = 0) -> None:
        self.records, self.background = FakeRecords(*faults), Background()
        self.keeping = Keeping(self.records, self.background, pause=pause)

    async def write(self, *records: Record) -> None:
        for one in records:
            await self.keeping.write(one)

    async def begun(self) -> None:
        """Once the store has been asked."""
        await self.records.asked.wait()

    async def settled(self) -> FakeRecords:
        await self.background.finish(5)
        return self.records


def test_what_is_written_is_kept() -> None:
    async def work() -> list[list[Record]]:
        world = World()
        await world.write(record("a"))
        await world.settled()
        await world.write(record("b"))
        return (await world.settled()).added

    assert run(work()) == [[record("a")], [record("b")]]


def test_records_gather_and_are_kept_at_once_when_somebody_hurries() -> None:
    async def work() -> list[int]:
        world = World(pause=3600)
        await world.write(*records(3))
        await asyncio.sleep(0)
        assert world.records.added == []
        world.keeping.hurry()
        await world.settled()
        await world.write(*records(2, first=3))  # and those after that gather again
        await asyncio.sleep(0)
        world.keeping.hurry()
        return [len(batch) for batch in (await world.settled()).added]

    assert run(work()) == [3, 2]


def test_a_full_batch_waits_for_nothing() -> None:
    async def work() -> list[int]:
        world = World(pause=3600)
        await world.write(*records(BATCH))
        return [len(batch) for batch in (await world.settled()).added]

    assert run(work()) == [BATCH]


def test_nobody_who_writes_waits_for_the_store() -> None:
    async def work() -> list[Record]:
        world = World()
        world.records.gate.clear()
        await world.write(*records(60))
        assert world.records.added == []
        world.records.gate.set()
        return [one for batch in (await world.settled()).added for one in batch]

    assert run(work()) == records(60)


def test_what_waits_is_kept_in_batches_one_after_the_other() -> None:
    async def work() -> FakeRecords:
        world = World()
        await world.write(*records(2 * BATCH + 1))
        return await world.settled()

    kept = run(work())
    assert [len(batch) for batch in kept.added] == [BATCH, BATCH, 1]
    assert kept.most_at_once == 1


def test_what_comes_while_a_batch_is_being_kept_goes_with_the_next() -> None:
    async def work() -> FakeRecords:
        world = World()
        world.records.gate.clear()
        await world.write(record("first"))
        await world.begun()
        await world.write(*records(3))
        world.records.gate.set()
        return await world.settled()

    kept = run(work())
    assert kept.added == [[record("first")], records(3)]
    assert kept.most_at_once == 1


def logged(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [(one.levelname, one.getMessage()) for one in caplog.records]


@pytest.mark.parametrize("fault", BROKEN)
def test_a_batch_that_cannot_be_kept_is_told_and_those_behind_it_are_kept(
    fault: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async def work() -> list[list[Record]]:
        world = World(fault)
        await world.write(*records(BATCH + 2))
        return (await world.settled()).added

    assert run(work()) == [records(2, first=BATCH)]
    ((level, message),) = logged(caplog)
    assert (level, message.startswith(f"records ({BATCH}) could not be kept")) == ("ERROR", True)
    assert (": the table is gone" in message) == isinstance(fault, Unavailable)


def test_after_a_failure_it_goes_on_keeping(caplog: pytest.LogCaptureFixture) -> None:
    async def work() -> list[list[Record]]:
        world = World(*BROKEN)
        for name in "abc":
            await world.write(record(name))
            await world.settled()
        return world.records.added

    assert run(work()) == [[record("c")]]
    assert len(caplog.records) == 2


def test_no_more_wait_than_there_is_room_for_and_each_that_is_lost_is_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def work() -> int:
        world = World()
        world.records.gate.clear()
        await world.write(record("first"))
        await world.begun()  # it is on its way, and waits no more
        await world.write(*records(MOST_WAITING), record("lost"), record("lost too"))
        world.records.gate.set()
        return sum(map(len, (await world.settled()).added))

    assert run(work()) == MOST_WAITING + 1
    assert logged(caplog) == [
        ("ERROR", "request lost is not kept: too many wait"),
        ("ERROR", "request lost too is not kept: too many wait"),
    ]


def test_what_still_waits_when_the_process_ends_is_told(caplog: pytest.LogCaptureFixture) -> None:
    async def work() -> None:
        world = World(pause=3600)
        await world.write(*records(3))
        await world.keeping.close()

    run(work())
    assert logged(caplog) == [("ERROR", "records (3) could not be kept in time")]


def test_what_is_on_its_way_when_the_process_ends_is_told_too(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A store that hangs has taken the first batch, and keeps none of it."""

    async def work() -> None:
        world = World()
        world.records.gate.clear()
        await world.write(*records(3))
        await world.begun()
        await world.write(record("later"))
        await world.keeping.close()

    run(work())
    assert logged(caplog) == [("ERROR", "records (4) could not be kept in time")]


def test_where_all_is_kept_the_end_is_quiet(caplog: pytest.LogCaptureFixture) -> None:
    async def work() -> None:
        world = World()
        await world.keeping.close()
        await world.write(*records(3))
        await world.settled()
        await world.keeping.close()

    run(work())
    assert logged(caplog) == []


NOW = 1_700_000_000.75
THIS_HOUR = 1_699_999_200


def test_the_use_of_a_key_is_noted_once_an_hour() -> None:
    async def work() -> list[tuple[str, int]]:
        world = World()
        for now in (NOW, NOW + 1, THIS_HOUR + HOUR - 0.01, THIS_HOUR + HOUR, NOW + HOUR):
            world.keeping.seen("a", now)
        world.keeping.seen("b", NOW)
        return (await world.settled()).touched

    assert run(work()) == [("a", THIS_HOUR), ("a", THIS_HOUR + HOUR), ("b", THIS_HOUR)]


@pytest.mark.parametrize("fault", BROKEN)
def test_a_use_that_cannot_be_noted_is_told_and_stops_nobody(
    fault: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async def work() -> list[tuple[str, int]]:
        world = World(fault)
        world.keeping.seen("a", NOW)
        await world.settled()
        world.keeping.seen("b", NOW)
        return (await world.settled()).touched

    assert run(work()) == [("b", THIS_HOUR)]
    ((level, message),) = logged(caplog)
    assert (level, message.startswith("the use of key 'a' could not be kept")) == ("ERROR", True)


def test_the_keys_it_remembers_are_bounded() -> None:
    async def work() -> int:
        world = World()
        for nth in range(MOST_KEYS + 10):
            world.keeping.seen(f"k{nth}", NOW)
        assert len((await world.settled()).touched) == MOST_KEYS + 10
        return len(world.keeping._hours)

    assert run(work()) <= MOST_KEYS


def test_several_ledgers_each_get_every_record() -> None:
    one, other = MemoryLedger(), MemoryLedger()
    for name in "ab":
        run(Ledgers(one, other).write(record(name)))
    assert one.records == other.records == [record("a"), record("b")]
    run(Ledgers().write(record()))
