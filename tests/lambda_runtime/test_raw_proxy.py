"""The raw proxy as a function: whole bodies in, streams out, an error for one that is cut."""

import pytest

from examples.local_lambda.posted import Posted
from gateway.errors import UpstreamBroke
from tests.fakes import FakeUpstream, Hang, run
from tests.handler.driver import World
from tests.lambda_runtime.looping import BUFFERED, STREAMING, asked, looping

MODES = {"streamed": STREAMING, "whole": BUFFERED}
PATH = "/gateway/proxy/gpt/v1/files?a=1"
PDF = {"content-type": "application/pdf", "content-length": "4"}
CUT = UpstreamBroke("the provider hung up")


async def told(world: World, mode: str, *, seconds: float = 60) -> Posted:
    event = asked("POST", PATH, [("content-type", "audio/wav")], b"\x00\xff")
    async with looping(world.app(), environment=MODES[mode]) as aws:
        posted = await (await aws.invoke(event, seconds=seconds)).finished()
        await aws.idle()
        return posted


@pytest.mark.parametrize("mode", MODES)
def test_bodies_of_any_kind_go_through(mode: str) -> None:
    world = World((FakeUpstream(b"\xff\x00", b"\x00\xfe", headers=PDF),))
    posted = run(told(world, mode))
    assert (posted.how, posted.status, posted.body) == ("whole", 200, b"\xff\x00\x00\xfe")
    assert {name: posted.headers[name] for name in PDF} == PDF
    assert [record.outcome for record in world.ledger.records] == ["answered"]


def test_a_cut_answer_is_a_failed_one() -> None:
    world = World((FakeUpstream(b"half", CUT),))
    posted = run(told(world, "streamed"))
    assert (posted.how, posted.status, posted.body) == ("failed", 200, b"half")
    assert posted.error_type == "Runtime.StreamError"
    assert posted.error["errorMessage"] == "the provider hung up"
    assert [record.error for record in world.ledger.records] == ["UpstreamBroke"]


def test_a_cut_answer_is_a_502_where_answers_are_whole() -> None:
    posted = run(told(World((FakeUpstream(b"half", CUT),)), "whole"))
    assert (posted.how, posted.status) == ("whole", 502)
    assert posted.json["error"]["message"] == "the provider hung up"


@pytest.mark.parametrize("mode", MODES)
def test_what_takes_longer_than_the_function_has_is_ended_as_failed(mode: str) -> None:
    world = World((FakeUpstream(b"half", Hang()),))
    posted = run(told(world, mode, seconds=0.8))
    assert posted.how == ("failed" if mode == "streamed" else "whole")
    assert posted.status == (200 if mode == "streamed" else 504)
    assert [record.status for record in world.ledger.records] == [499]
