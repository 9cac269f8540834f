"""Google's Gemini API: generateContent, countTokens, embedContent, batchEmbedContents.

https://ai.google.dev/api
"""

import re
from dataclasses import replace

from gateway.dialects.base import Dialect
from gateway.dialects.forms import ChatForm, CountForm, EmbeddingsForm
from gateway.dialects.gemini.check import (
    address_batch_embed,
    address_count,
    address_embed,
    check,
    check_batch_embed,
    check_batch_embedded,
    check_count,
    check_counted,
    check_embed,
    check_embedded,
    check_reply,
)
from gateway.dialects.gemini.embeddings import (
    read_batch,
    read_batch_reply,
    read_one,
    read_one_reply,
    write_batch,
    write_batch_reply,
    write_one,
    write_one_reply,
)
from gateway.dialects.gemini.errors import (
    is_error,
    read_first_error,
    read_wait,
    write_error,
    write_stream_error,
)
from gateway.dialects.gemini.reader import ReplyReader
from gateway.dialects.gemini.reply import read_reply, write_reply
from gateway.dialects.gemini.request import read_count, read_request, write_count, write_request
from gateway.dialects.gemini.sse import END
from gateway.dialects.gemini.unsealing import unseal
from gateway.dialects.gemini.usage import read_counted, read_usage, write_counted
from gateway.dialects.gemini.watch import GeminiWatch
from gateway.dialects.gemini.writer import ReplyWriter

# https://ai.google.dev/api/caching#FunctionDeclaration
TOOL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}")

GEMINI = Dialect(
    name="gemini",
    check=check,
    check_closely=check,
    amend=lambda _: {},  # its streams always tell the usage
    watch=GeminiWatch,
    read_usage=read_usage,
    check_reply=check_reply,
    read_error=read_first_error,
    is_error=is_error,
    write_error=write_error,
    write_stream_error=write_stream_error,
    # An empty line, the only thing that no client minds. A comment ends the stream with an error in
    # google-genai for Python (1.16 to 3.4) and for Go, and without one in LiteLLM (1.106); at a
    # chunk that holds nothing, the chats of google-genai forget the answer it is in. The line end
    # is Google's, since the Go client mistakes a mixture.
    heartbeat=END,
    address=lambda _, __: {},  # the path names the model
    unseal=unseal,
    read_wait=read_wait,
    chat=ChatForm(
        read_request=read_request,
        write_request=write_request,
        read_reply=read_reply,
        write_reply=write_reply,
        reader=ReplyReader,
        writer=ReplyWriter,
        tool_name=TOOL_NAME,
    ),
)

GEMINI_COUNT = replace(
    GEMINI,
    name="gemini_count_tokens",
    check=check_count,
    check_closely=check_count,
    watch=None,
    read_usage=lambda _: None,
    check_reply=check_counted,
    address=address_count,
    chat=None,
    count=CountForm(
        read_request=read_count,
        write_request=write_count,
        read_reply=read_counted,
        write_reply=write_counted,
        tool_name=TOOL_NAME,
    ),
)

GEMINI_EMBED = replace(
    GEMINI,
    name="gemini_embed",
    check=check_embed,
    check_closely=check_embed,
    watch=None,
    check_reply=check_embedded,
    address=address_embed,
    chat=None,
    embeddings=EmbeddingsForm(
        read_request=read_one,
        write_request=write_one,
        read_reply=read_one_reply,
        write_reply=write_one_reply,
    ),
)

GEMINI_BATCH_EMBED = replace(
    GEMINI_EMBED,
    name="gemini_batch_embed",
    check=check_batch_embed,
    check_closely=check_batch_embed,
    check_reply=check_batch_embedded,
    address=address_batch_embed,
    embeddings=EmbeddingsForm(
        read_request=read_batch,
        write_request=write_batch,
        read_reply=read_batch_reply,
        write_reply=write_batch_reply,
    ),
)

__all__ = ["GEMINI", "GEMINI_BATCH_EMBED", "GEMINI_COUNT", "GEMINI_EMBED"]
