"""How many tokens a request may take, before any provider has told."""

from gateway.chat.blocks import Block, Foreign, Media, Refusal, Text, Thinking, ToolResult, ToolUse
from gateway.chat.request import ChatRequest, Tool
from gateway.wire.json import dumps

CHARACTERS = 4  # of a token, as a rule of thumb


def tokens_in(request: ChatRequest) -> int:
    """The characters of texts, thoughts, tools, their arguments and results, four to a token; of
    media, only what is text. At least one. Costs no more than writing the tools' schemas once."""
    characters = sum(len(text.text) for text in request.system)
    characters += sum(_length(block) for message in request.messages for block in message.content)
    characters += sum(_offered(tool) for tool in request.tools)
    return max(characters // CHARACTERS, 1)


def _length(block: Block) -> int:
    match block:
        case Text(text) | Refusal(text) | Thinking(text):
            return len(text)
        case ToolUse(_, name, arguments):
            return len(name) + len(arguments)
        case ToolResult(content=content):
            return sum(_length(one) for one in content)
        case Media(text=text):
            return len(text or "")
        case _:
            return 0


def _offered(tool: Tool | Foreign) -> int:
    if isinstance(tool, Foreign):
        return len(dumps(tool.data))
    schema = len(dumps(tool.schema)) if tool.schema else 0
    return len(tool.name) + len(tool.description or "") + schema
