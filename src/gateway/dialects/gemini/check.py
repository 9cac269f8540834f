"""What a request must be before it is worth sending, what a reply must be, and where a body names
its model.

Google reads its JSON as protocol buffers do: each field in camelCase or in snake_case, and one
value in the place of a list of one.
"""

from typing import Any

from gateway.dialects.base import json_type
from gateway.dialects.gemini.errors import failure_in
from gateway.errors import BadRequest, UpstreamBroke
from gateway.wire.json import Json

COUNTED = ("generateContentRequest", "generate_content_request")


def check(body: Json) -> None:
    _check_contents(body, "")


def check_count(body: Json) -> None:
    """Either the contents, or a whole request under a name of its own."""
    name = _counted_in(body)
    if name is None:
        _check_contents(body, "")
    else:
        _check_contents(_object(body[name], name), f"{name}.")


def check_embed(body: Json) -> None:
    if body.get("content") is None:
        raise BadRequest("content", "is required: an object with parts")
    _object(body["content"], "content")


def check_batch_embed(body: Json) -> None:
    requests = body.get("requests")
    if requests is None:
        raise BadRequest("requests", "is required: a list of requests, each with a content")
    if not isinstance(requests, list):
        raise BadRequest("requests", f"must be an array, not {json_type(requests)}")
    if not requests:
        raise BadRequest("requests", "must hold at least one request")
    for nth, request in enumerate(requests):
        place = f"requests[{nth}]"
        if _object(request, place).get("content") is None:
            raise BadRequest(f"{place}.content", "is required: an object with parts")
        _object(request["content"], f"{place}.content")


def _check_contents(body: Json, place: str) -> None:
    contents = body.get("contents")
    if contents is None:
        raise BadRequest(f"{place}contents", "is required: a list of contents, each with parts")
    if not isinstance(contents, list | dict):
        raise BadRequest(f"{place}contents", f"must be an array, not {json_type(contents)}")


def _object(value: Any, place: str) -> Json:
    if not isinstance(value, dict):
        raise BadRequest(place, f"must be an object, not {json_type(value)}")
    return value


def _counted_in(body: Json) -> str | None:
    return next((name for name in COUNTED if body.get(name) is not None), None)


def address_count(body: Json, model: str) -> Json:
    name = _counted_in(body)
    return {} if name is None else {name: {**body[name], "model": resource(model)}}


def address_embed(body: Json, model: str) -> Json:
    return {"model": resource(model)} if "model" in body else {}


def address_batch_embed(body: Json, model: str) -> Json:
    """Each request of a batch must name the model that the path names."""
    named = resource(model)
    return {"requests": [{**request, "model": named} for request in body["requests"]]}


def resource(model: str) -> str:
    """A model as bodies name it: ``models/gemini-2.5-flash``, ``tunedModels/mine``."""
    return model if "/" in model else f"models/{model}"


def check_reply(body: Json) -> None:
    """A prompt that was refused has no candidates, but feedback in their place."""
    if isinstance(body.get("candidates"), list) or isinstance(body.get("promptFeedback"), dict):
        return
    _refuse_error(body)
    if isinstance(body.get("usageMetadata"), dict):  # a list that is empty is left out
        return
    raise UpstreamBroke("the provider's answer has no candidates: it is no generated content")


def check_counted(body: Json) -> None:
    """Zeros are left out by protocol buffers, but not by this API."""
    if isinstance(body.get("totalTokens"), int):
        return
    _refuse_error(body)
    raise UpstreamBroke("the provider's answer has no totalTokens: it is no count of tokens")


def check_embedded(body: Json) -> None:
    if isinstance(body.get("embedding"), dict):
        return
    _refuse_error(body)
    raise UpstreamBroke("the provider's answer has no embedding")


def check_batch_embedded(body: Json) -> None:
    if isinstance(body.get("embeddings"), list):
        return
    _refuse_error(body)
    raise UpstreamBroke("the provider's answer has no embeddings: it is no list of them")


def _refuse_error(body: Json) -> None:
    if error := body.get("error"):
        raise failure_in(error)
