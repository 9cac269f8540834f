"""Tool names that a target takes, whatever the caller calls its tools."""

import re
from collections.abc import Iterator

import pytest

from gateway.chat.blocks import ToolUse
from gateway.chat.names import fit_names, restore
from gateway.chat.reply import ChatReply, Choice
from gateway.chat.request import ChatRequest, Tool
from gateway.dialects import CHAT_DIALECTS


def patterns() -> Iterator[re.Pattern[str]]:
    for dialect in CHAT_DIALECTS:
        assert dialect.chat
        yield dialect.chat.tool_name


@pytest.mark.parametrize("name", ["files.read", "7zip", "-", "", "häuser", "ß" * 70, "_x" * 40])
def test_whatever_a_tool_is_called_every_api_takes_its_name(name: str) -> None:
    for pattern in patterns():
        request = ChatRequest("m", [], tools=[Tool(name, None, None)])
        names = fit_names(request, pattern)
        (tool,) = request.tools
        assert isinstance(tool, Tool)
        assert pattern.fullmatch(tool.name)
        assert names.get(tool.name, tool.name) == name


def test_names_that_differ_in_what_cannot_be_said_still_differ() -> None:
    for pattern in patterns():
        request = ChatRequest("m", [], tools=[Tool(one, None, None) for one in ("a b", "a?b")])
        fit_names(request, pattern)
        assert len({tool.name for tool in request.tools if isinstance(tool, Tool)}) == 2


def test_an_answer_calls_the_tool_by_the_callers_name() -> None:
    request = ChatRequest("m", [], tools=[Tool("7zip", None, None)])
    names = fit_names(request, re.compile(r"[a-z_0-9]{1,64}_?x"))
    (fitted,) = names
    reply = ChatReply("r", "m", 0, [Choice([ToolUse("c", fitted, "{}")], "tool_use")])
    restore(reply, names)
    assert reply.choices[0].content == [ToolUse("c", "7zip", "{}")]
