"""An answer's form, asked for in words: where there is no other way, or an API wants one too."""

from gateway.chat.request import ResponseFormat
from gateway.wire.json import dumps

# For an API that holds the answer to it, and only wants the word.
JSON_WORD = "Answer with exactly one JSON object."
ONE_OBJECT = "Answer with exactly one JSON object: no words before or after it, and no code fence."
ONE_THAT_FITS = ONE_OBJECT.replace("object", "value") + " It must fit this JSON Schema:"


def in_words(asked: ResponseFormat) -> str:
    if asked.schema is None:
        return ONE_OBJECT
    return f"{ONE_THAT_FITS}\n{dumps(asked.schema).decode()}"
