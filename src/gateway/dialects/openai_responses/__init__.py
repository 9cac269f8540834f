"""The OpenAI Responses API, and those that imitate it.

https://platform.openai.com/docs/api-reference/responses
"""

from dataclasses import replace

from gateway.dialects.base import Dialect, read_error
from gateway.dialects.forms import ChatForm, CountForm
from gateway.dialects.openai_errors import is_error, write_error
from gateway.dialects.openai_responses.check import (
    check,
    check_compaction,
    check_count,
    check_counted,
    check_reply,
)
from gateway.dialects.openai_responses.count import read_count, write_count
from gateway.dialects.openai_responses.failed import write_stream_error
from gateway.dialects.openai_responses.reader import ReplyReader
from gateway.dialects.openai_responses.reply import read_reply, write_reply
from gateway.dialects.openai_responses.request import (
    read_counted,
    read_request,
    write_counted,
    write_request,
)
from gateway.dialects.openai_responses.usage import read_usage
from gateway.dialects.openai_responses.watch import ResponsesWatch
from gateway.dialects.openai_responses.writer import ReplyWriter

RESPONSES_FORM = ChatForm(
    read_request, write_request, read_reply, write_reply, ReplyReader, ReplyWriter
)

OPENAI_RESPONSES = Dialect(
    name="openai_responses",
    check=check,
    check_closely=check,
    amend=lambda _: {},  # its streams always end with the usage
    watch=ResponsesWatch,
    read_usage=read_usage,
    check_reply=check_reply,
    read_error=read_error,
    is_error=is_error,
    write_error=write_error,
    write_stream_error=write_stream_error,
    chat=RESPONSES_FORM,
)

# POST /responses/compact: the same words, but never a stream, and an answer that only OpenAI reads.
OPENAI_COMPACTION = replace(
    OPENAI_RESPONSES,
    name="openai_compaction",
    check=check_compaction,
    check_closely=check_compaction,
    watch=None,
    chat=None,
)

# POST /responses/input_tokens: the same words, never a stream, and nothing is used.
OPENAI_INPUT_TOKENS = replace(
    OPENAI_RESPONSES,
    name="openai_input_tokens",
    check=check_count,
    check_closely=check_count,
    watch=None,
    read_usage=lambda _: None,
    check_reply=check_counted,
    chat=None,
    count=CountForm(read_counted, write_counted, read_count, write_count),
)

__all__ = ["OPENAI_COMPACTION", "OPENAI_INPUT_TOKENS", "OPENAI_RESPONSES", "RESPONSES_FORM"]
