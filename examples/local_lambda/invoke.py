"""Invoke the function with an event, and watch the answer come: no Docker, no AWS.

    python -m examples.local_lambda.invoke events/function_url/stream.json

The function is started as Lambda starts it, by its exec wrapper, against an emulation of the
Runtime API on loopback that is stricter than AWS' own. The built-in endpoint `demo` answers. What
is in your environment reaches the function (OPENAI_API_KEY, say, and with it the endpoint
openai/MODEL), but for AWS_…, GATEWAY_… and SLUICEGATE_….
"""

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

from rich.console import Console

from examples.local_lambda.function import HANDLER, ROOT, SOURCE, Function, FunctionFailed, running
from examples.local_lambda.posted import Began, Body, End, Invocation, Posted, Prelude
from examples.local_lambda.runtime_api import RuntimeApi

EVENTS = ROOT / "events"
LONGEST_SHOWN = 4000  # characters of one piece
MS = 1000


class NoSuchEvent(Exception):
    """The message says which there are."""


def main() -> int:
    """0 when all was answered and no rule of the Runtime API was broken."""
    options = _options()
    try:
        event = read_event(options.event)
        return asyncio.run(_run(event, options))
    except (NoSuchEvent, FunctionFailed) as error:
        _complain(str(error))
    except (KeyboardInterrupt, asyncio.CancelledError):
        _complain("interrupted")
    return 1


def read_event(path: Path) -> bytes:
    """The file's bytes, be they JSON or not; paths are also taken from the project's root."""
    found = next((one for one in (path, ROOT / path) if one.is_file()), None)
    if found is None:
        raise NoSuchEvent(f"there is no event {path}. There are:\n{_listing()}")
    return found.read_bytes()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m examples.local_lambda.invoke",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"events:\n{_listing()}",
    )
    add = parser.add_argument
    add("event", type=Path, help="a file with the event, such as events/function_url/chat.json")
    add("--handler", default=HANDLER, help="what _HANDLER says (%(default)s)")
    add("--artefact", type=Path, default=SOURCE, help="run a built package, not src/")
    add("--python", default=sys.executable, help="the interpreter to run it with")
    add("--times", type=int, default=1, help="invoke so many times; all but the first are warm")
    add("--seconds", type=float, default=60, help="the function's timeout (%(default)g)")
    return parser.parse_args()


async def _run(event: bytes, options: argparse.Namespace) -> int:
    task = asyncio.current_task()
    assert task  # noqa: S101 - asyncio.run makes one
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    async with (
        RuntimeApi() as api,
        running(
            api,
            handler=options.handler,
            code=options.artefact.absolute(),
            python=options.python,
        ) as function,
    ):
        print(f"{options.event} → {options.handler}\ninit {function.init * MS:.0f} ms")
        answers = [await _invoke(function, event, options.seconds) for _ in range(options.times)]
        await function.idle()
        return _verdict(function, answers)


async def _invoke(function: Function, event: bytes, seconds: float) -> Posted:
    await function.idle()
    invocation = await function.api.invoke(event, seconds=seconds)
    print()
    await _show(invocation)
    posted = await invocation.finished()
    print(_totals(posted))
    return posted


async def _show(invocation: Invocation) -> None:
    """As it comes; of a buffered answer all at the end, taken apart."""
    mode = None
    async for piece in invocation:
        match piece:
            case Began():
                mode = piece.mode
            case Prelude():
                _show_head(piece)
            case Body() if mode == "streaming":
                _show_body(piece.at - invocation.invoked_at, piece.data)
            case End() if mode != "streaming":
                posted = await invocation.finished()
                if posted.status is not None:
                    _show_head(posted)
                _show_body(piece.at - invocation.invoked_at, posted.body)
            case _:
                pass


def _show_head(head: Prelude | Posted) -> None:
    several = [(name, one) for name, all_ in head.multi_value_headers.items() for one in all_]
    cookies = [("set-cookie", cookie) for cookie in head.cookies]
    print(head.status)
    for name, value in [*head.headers.items(), *several, *cookies]:
        print(f"{name}: {value}")


def _show_body(after: float, data: bytes) -> None:
    text = data.decode("utf-8", errors="backslashreplace").strip("\n").replace("\n\n", "\n")
    if len(text) > LONGEST_SHOWN:
        text = f"{text[:LONGEST_SHOWN]}… ({len(data):,} bytes)"
    lead = f"+{after:.3f} s  "
    print(lead + text.replace("\n", "\n" + " " * len(lead)), flush=True)


def _totals(posted: Posted) -> str:
    first = posted.chunks[0][0] if posted.chunks else posted.ended_at
    told = (
        f"first byte {(first - posted.invoked_at) * MS:.0f} ms",
        f"duration {(posted.ended_at - posted.invoked_at) * MS:.0f} ms",
        posted.mode or "no answer",
        f"{len(posted.body):,} bytes",
        f"{len(posted.chunks)} pieces",
    )
    return f"\n{', '.join(told)}"


def _verdict(function: Function, answers: list[Posted]) -> int:
    faults = function.api.faults
    failed = [posted for posted in answers if posted.how != "whole"]
    for posted in failed:
        told = f": {posted.error_type} {json.dumps(posted.error)}" if posted.error_type else ""
        _complain(f"the invocation ended: {posted.how}{told}")
    for fault in faults:
        _complain(f"against the protocol: the runtime {fault}")
    if failed or faults:
        _complain(f"the function's log:\n{function.last_lines()}")
    return 1 if failed or faults else 0


def _listing() -> str:
    names: dict[str, list[str]] = {}
    for path in sorted(EVENTS.glob("*/*.json")):
        names.setdefault(path.parent.name, []).append(path.stem)
    return "\n".join(f"  events/{door}/  {' '.join(found)}" for door, found in names.items())


def _complain(text: str) -> None:
    """In red, if somebody is there to see it."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(text, style="red", markup=False)


if __name__ == "__main__":
    sys.exit(main())
