"""OpenAI Chat Completions replies, written whole for a caller."""

from collections.abc import Mapping

from gateway.chat.blocks import Block, Foreign, Media, Refusal, Text, Thinking, ToolUse
from gateway.chat.reply import ChatReply, Choice, StopReason
from gateway.chat.seals import with_seal
from gateway.dialects.forms import Asked, Written
from gateway.dialects.openai_chat.pieces import (
    write_annotation,
    write_audio,
    write_image,
    write_logprobs,
)
from gateway.dialects.openai_chat.request import speaks_of_functions
from gateway.dialects.openai_chat.thoughts import Placed, write_thoughts
from gateway.dialects.openai_chat.tools import custom_names, write_call, write_custom_call
from gateway.dialects.openai_chat.usage import write_usage
from gateway.wire.json import Json

STOP_REASONS: Mapping[StopReason, str] = {
    "end": "stop",
    "length": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
    "stop_sequence": "stop",
    "pause": "stop",
}


def write_reply(reply: ChatReply, asked: Asked) -> Written:
    dropped: set[str] = set()
    choices = []
    for index, choice in enumerate(reply.choices):
        message = _Message(reply, asked, dropped).write(choice.content)
        choices.append(
            {
                "index": index,
                "message": message,
                "logprobs": write_logprobs(choice.logprobs) if choice.logprobs else None,
                "finish_reason": _reason(choice, message),
            }
        )
        if choice.stop_sequence is not None:
            dropped.add("stop_sequence")
    body: Json = {
        "id": reply.id,
        "object": "chat.completion",
        "created": reply.created,
        "model": reply.model,
        "choices": choices,
        "usage": write_usage(reply.usage),
    }
    if reply.service_tier is not None:
        body["service_tier"] = reply.service_tier
    return Written(body, frozenset(dropped))


def _reason(choice: Choice, message: Json) -> str:
    return finish_reason(
        choice.stop_reason,
        calls="tool_calls" in message,
        function="function_call" in message,
        words=message["refusal"] is not None,
    )


def finish_reason(reason: StopReason, *, calls: bool, function: bool, words: bool) -> str:
    """A caller that is told of calls looks for them: where none could be told, it is no such end.
    ``function``: one was told as it was once; ``words``: those of a refusal, with which OpenAI says
    ``stop``: at ``content_filter`` the helpers of its SDK raise, and nobody gets to see them."""
    if reason == "refusal" and words and not (calls or function):
        return "stop"
    if reason == "tool_use" and not calls:
        return "function_call" if function else "stop"
    return STOP_REASONS[reason]


def hides_thoughts(asked: Asked) -> bool:
    reasoning = asked.request.reasoning
    return reasoning is not None and reasoning.shown is False


class _Message:
    def __init__(self, reply: ChatReply, asked: Asked, dropped: set[str]) -> None:
        self._reply, self._asked, self._dropped = reply, asked, dropped
        self._text = self._refusal = ""
        self._thoughts: list[Placed] = []
        self._annotations: list[Json] = []
        self._images: list[Json] = []
        self._calls: list[Json] = []
        self._audio: Json | None = None
        self._customs = custom_names(asked.body)

    def write(self, content: list[Block]) -> Json:
        for block in content:
            match block:
                case Text():
                    self._tell_text(block)
                case Thinking():
                    self._thoughts.append(Placed(block, self._told()))
                case Refusal(text):
                    self._refusal += text
                case Media():
                    self._tell_media(block)
                case ToolUse(id, name, arguments):
                    write = write_custom_call if name in self._customs else write_call
                    self._calls.append(write(with_seal(id, block.seal), name, arguments))
                case Foreign():
                    self._dropped.add(block.kind)
        said: Json = {
            "role": "assistant",
            "content": self._text or None,
            "refusal": self._refusal or None,
        }
        if not hides_thoughts(self._asked):
            said |= write_thoughts(self._thoughts)
        more = {
            "annotations": self._annotations,
            "audio": self._audio,
            "images": self._images,
            **self._told_calls(),
        }
        return said | {name: value for name, value in more.items() if value}

    def _told(self) -> int:
        """How many blocks there are so far beside the thoughts: texts and refusals are one each."""
        single = [self._text, self._refusal, self._audio]
        return sum(map(bool, single)) + len(self._images) + len(self._calls)

    def _told_calls(self) -> Json:
        one_function = len(self._calls) == 1 and "function" in self._calls[0]
        if one_function and speaks_of_functions(self._asked.body):
            return {"function_call": self._calls[0]["function"]}
        return {"tool_calls": self._calls}

    def _tell_text(self, block: Text) -> None:
        start = len(self._text)
        self._text += block.text
        for citation in block.citations:
            annotation = write_annotation(citation, start, len(self._text))
            if annotation is None:
                self._dropped.add("citations")
            else:
                self._annotations.append(annotation)
        if block.seal is not None:  # a text has no place for one
            self._dropped.add("signature")

    def _tell_media(self, block: Media) -> None:
        told: Json | None = None
        if block.kind == "image" and (told := write_image(block)):
            self._images.append(told)
        elif block.kind == "audio" and self._audio is None:
            name = f"audio_{self._reply.id}"
            self._audio = told = write_audio(block, name, self._reply.created)
        if told is None:
            self._dropped.add(block.kind)
        elif block.seal is not None:
            self._dropped.add("signature")
