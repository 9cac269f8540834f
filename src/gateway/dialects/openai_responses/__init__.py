"""The OpenAI Responses API, as far as a relay must know it.

https://platform.openai.com/docs/api-reference/responses
"""

from dataclasses import replace

from gateway.dialects.base import Dialect, read_error
from gateway.dialects.openai_errors import is_error, write_error
from gateway.dialects.openai_responses.check import check, check_compaction, check_reply
from gateway.dialects.openai_responses.watch import ResponsesWatch, read_usage, write_stream_error

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
)

# POST /responses/compact: the same words, but never a stream.
OPENAI_COMPACTION = replace(
    OPENAI_RESPONSES,
    name="openai_compaction",
    check=check_compaction,
    check_closely=check_compaction,
    watch=None,
)
