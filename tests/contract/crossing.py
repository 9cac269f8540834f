"""What comes in crosses to every dialect, and what may be raised on the way."""

from collections.abc import Callable
from typing import Any

from gateway.chat.reply import ReplyEvent
from gateway.dialects import CHAT_DIALECTS, Dialect
from gateway.errors import UpstreamError
from gateway.wire.json import Json, dumps
from tests.contract.holding import IDENTITY, form_of, over_the_wire
from tests.contract.machines import MACHINES
from tests.contract.told import Gathering
from tests.contract.wires import PLAIN, plain_asked


def crash(work: Callable[[Any], object], given: Any, *allowed: type[Exception]) -> str | None:
    """What it raises that it may not."""
    try:
        work(given)
    except allowed:
        return None
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what we look for
        return f"{type(error).__name__}: {error}"[:200]
    return None


def cross(dialect: Dialect, body: Json) -> None:
    """Read it, and say it to every provider."""
    before = dumps(body)
    dialect.check(body)
    request = form_of(dialect).read_request(body)
    assert dumps(body) == before, "a body is left as it is"
    request.model = request.model or "m"
    for provider in CHAT_DIALECTS:
        over_the_wire(form_of(provider).write_request(request).body)


def come_back(dialect: Dialect, body: Json) -> None:
    """Read a reply, and say it to every caller."""
    dialect.check_reply(body)
    dialect.read_usage(body)
    reply = form_of(dialect).read_reply(body, IDENTITY)
    for caller in CHAT_DIALECTS:
        over_the_wire(form_of(caller).write_reply(reply, plain_asked(caller)).body)


def come_streamed(provider: Dialect, events: list[tuple[str, Any]]) -> None:
    """Up to a failure, what is read is in order, and what is written keeps to the protocol."""
    reader, gathering = form_of(provider).reader(IDENTITY), Gathering(gaps=True)
    read: list[ReplyEvent] = []
    failed = None
    try:
        for name, data in events:
            read += reader.feed(data if isinstance(data, bytes) else dumps(data), name)
        if not reader.ended:
            read += reader.finish()
    except UpstreamError as error:
        failed = error
    for event in read:
        gathering.take(event)
    for caller in CHAT_DIALECTS:
        writer = form_of(caller).writer(plain_asked(caller))
        stream = b"".join(writer.feed(event) for event in read)
        if gathering.ended:
            assert failed is None or reader.ended
            machine = MACHINES[caller.name](PLAIN[caller.name])
            machine.lenient = True
            machine.hear(stream)
