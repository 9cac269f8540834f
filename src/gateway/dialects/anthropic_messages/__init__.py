"""Anthropic's Messages API, and those that imitate it.

https://platform.claude.com/docs/en/api/messages
"""

from dataclasses import replace

from gateway.dialects.anthropic_messages.check import (
    check,
    check_count,
    check_counted,
    check_reply,
)
from gateway.dialects.anthropic_messages.count import read_counted, write_count, write_counted
from gateway.dialects.anthropic_messages.errors import is_error, write_error, write_stream_error
from gateway.dialects.anthropic_messages.reader import MessagesReader
from gateway.dialects.anthropic_messages.reply import read_reply, write_reply
from gateway.dialects.anthropic_messages.request import (
    read_conversation,
    read_request,
    write_request,
)
from gateway.dialects.anthropic_messages.unsealing import unseal
from gateway.dialects.anthropic_messages.usage import read_usage
from gateway.dialects.anthropic_messages.watch import MessagesWatch
from gateway.dialects.anthropic_messages.writer import MessagesWriter
from gateway.dialects.base import Dialect, read_error
from gateway.dialects.forms import ChatForm, CountForm

ANTHROPIC_MESSAGES = Dialect(
    name="anthropic_messages",
    check=check,
    check_closely=check,
    amend=lambda _: {},  # its streams always tell the usage
    watch=MessagesWatch,
    read_usage=read_usage,
    check_reply=check_reply,
    read_error=read_error,
    is_error=is_error,
    write_error=write_error,
    write_stream_error=write_stream_error,
    # The API's own, which every client must bear anywhere in a stream and its SDKs skip.
    heartbeat=b'event: ping\ndata: {"type": "ping"}\n\n',
    request_id_header="request-id",
    unseal=unseal,
    chat=ChatForm(
        read_request=read_request,
        write_request=write_request,
        read_reply=read_reply,
        write_reply=write_reply,
        reader=MessagesReader,
        writer=MessagesWriter,
    ),
)

# POST /messages/count_tokens: the same words, never a stream, and nothing is used.
ANTHROPIC_COUNT = replace(
    ANTHROPIC_MESSAGES,
    name="anthropic_count_tokens",
    check=check_count,
    check_closely=check_count,
    watch=None,
    read_usage=lambda _: None,
    check_reply=check_counted,
    chat=None,
    count=CountForm(
        read_request=read_conversation,
        write_request=write_count,
        read_reply=read_counted,
        write_reply=write_counted,
    ),
)

__all__ = [
    "ANTHROPIC_COUNT",
    "ANTHROPIC_MESSAGES",
    "MessagesReader",
    "MessagesWriter",
    "read_reply",
    "read_request",
    "write_reply",
    "write_request",
]
