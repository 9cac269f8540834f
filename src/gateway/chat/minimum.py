"""What every API asks of a chat, and not every caller's does: that somebody has spoken, and that
there are tools where one is to be chosen."""

from gateway.chat.blocks import Block, Foreign
from gateway.chat.request import ChatRequest, Message


def complete(request: ChatRequest, target: str) -> frozenset[str]:
    """Make it so; the names of what is then not told as it was asked. ``target``: the dialect that
    it is written in, which has its own tools."""
    dropped: set[str] = set()
    if request.system and not request.messages:
        said: list[Block] = [*request.system]
        request.system, request.messages = [], [Message("user", said)]
        dropped.add("system.position")
    offered = (not isinstance(tool, Foreign) or tool.dialect == target for tool in request.tools)
    if request.tool_choice and not any(offered):
        if request.tool_choice.mode in ("required", "named"):
            dropped.add("tool_choice")
        request.tool_choice = None
    return frozenset(dropped)
