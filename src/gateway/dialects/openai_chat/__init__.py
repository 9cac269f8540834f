"""The OpenAI Chat Completions API, and the many that imitate it.

https://platform.openai.com/docs/api-reference/chat
"""

from gateway.dialects.base import Dialect, read_error
from gateway.dialects.openai_chat.check import check, check_closely
from gateway.dialects.openai_chat.reply import check_reply, read_reply, write_reply
from gateway.dialects.openai_chat.request import read_request, write_request
from gateway.dialects.openai_chat.stream import ReplyReader, ReplyWriter
from gateway.dialects.openai_chat.usage import read_usage
from gateway.dialects.openai_chat.watch import ChatWatch, amend
from gateway.dialects.openai_errors import is_error, write_error, write_stream_error

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
)

__all__ = [
    "OPENAI_CHAT",
    "ReplyReader",
    "ReplyWriter",
    "read_reply",
    "read_request",
    "write_reply",
    "write_request",
]
