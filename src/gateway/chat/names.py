"""Tool names that a target would refuse, in a form that it takes, and back again.

Callers name tools as they like (``files.read``, 90 characters of an MCP server's); what each API
takes differs. A changed name is the same for the same tool in every call, so that caches hold.
"""

import re
import zlib

from gateway.chat.blocks import ToolResult, ToolUse
from gateway.chat.reply import ChatReply, ReplyEvent, ToolUseStarted
from gateway.chat.request import ChatRequest, Tool

LONGEST = 64
_ODD = re.compile(r"[^A-Za-z0-9_-]")

Names = dict[str, str]  # as the target knows it -> as the caller does


def fit_names(request: ChatRequest, taken: re.Pattern[str]) -> Names:
    """Change the tool names of the request that do not match, wherever they stand."""
    odd = {tool.name for tool in request.tools if isinstance(tool, Tool)}
    odd |= {block.name for block in _uses(request)}
    fitted = {name: _fitted(name) for name in odd if not taken.fullmatch(name)}
    if not fitted:
        return {}
    for tool in request.tools:
        if isinstance(tool, Tool):
            tool.name = fitted.get(tool.name, tool.name)
    if request.tool_choice and request.tool_choice.name:
        request.tool_choice.name = fitted.get(request.tool_choice.name, request.tool_choice.name)
    named = (
        block
        for message in request.messages
        for block in message.content
        if isinstance(block, ToolUse | ToolResult)
    )
    for block in named:
        if block.name:
            block.name = fitted.get(block.name, block.name)
    return {ours: theirs for theirs, ours in fitted.items()}


def restore(reply: ChatReply, names: Names) -> None:
    for choice in reply.choices:
        for block in choice.content:
            if isinstance(block, ToolUse):
                block.name = names.get(block.name, block.name)


def restore_in(event: ReplyEvent, names: Names) -> None:
    if isinstance(event, ToolUseStarted):
        event.name = names.get(event.name, event.name)


def _uses(request: ChatRequest) -> list[ToolUse]:
    return [
        block
        for message in request.messages
        for block in message.content
        if isinstance(block, ToolUse)
    ]


def _fitted(name: str) -> str:
    plain = _ODD.sub("_", name)
    if not plain[:1].isalpha():  # Gemini's begin with a letter or an underscore
        plain = f"tool_{plain}"
    return f"{plain[: LONGEST - 9]}_{zlib.crc32(name.encode()):08x}"
