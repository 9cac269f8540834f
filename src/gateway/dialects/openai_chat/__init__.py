"""The OpenAI Chat Completions API, and the many that imitate it.

https://platform.openai.com/docs/api-reference/chat
"""

from dataclasses import replace
from functools import partial

from gateway.dialects.base import Dialect, read_error
from gateway.dialects.forms import ChatForm
from gateway.dialects.openai_chat.check import check, check_closely
from gateway.dialects.openai_chat.imitators import write_for_any, write_for_mistral
from gateway.dialects.openai_chat.reply import check_reply, read_reply
from gateway.dialects.openai_chat.request import read_request, write_request
from gateway.dialects.openai_chat.stream import ChatReader
from gateway.dialects.openai_chat.told import write_reply
from gateway.dialects.openai_chat.unsealing import unseal
from gateway.dialects.openai_chat.usage import read_usage
from gateway.dialects.openai_chat.watch import ChatWatch, amend
from gateway.dialects.openai_chat.writer import ChatWriter
from gateway.dialects.openai_errors import is_error, write_error, write_stream_error

CHAT_FORM = ChatForm(read_request, write_request, read_reply, write_reply, ChatReader, ChatWriter)
# For the providers that want to be told their thoughts again: DeepSeek, Moonshot.
THOUGHTFUL_FORM = replace(CHAT_FORM, write_request=partial(write_request, thoughts=True))
COMPATIBLE_FORM = replace(CHAT_FORM, write_request=write_for_any)
MISTRAL_FORM = replace(CHAT_FORM, write_request=write_for_mistral)

OPENAI_CHAT = Dialect(
    name="openai_chat",
    check=check,
    check_closely=check_closely,
    amend=amend,
    watch=ChatWatch,
    read_usage=read_usage,
    check_reply=check_reply,
    read_error=read_error,
    is_error=is_error,
    write_error=write_error,
    write_stream_error=write_stream_error,
    unseal=unseal,
    chat=CHAT_FORM,
)

__all__ = ["CHAT_FORM", "COMPATIBLE_FORM", "MISTRAL_FORM", "OPENAI_CHAT", "THOUGHTFUL_FORM"]
