"""generateContent and countTokens requests.

https://ai.google.dev/api/generate-content, https://ai.google.dev/api/tokens
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gateway.chat.blocks import Text
from gateway.chat.in_words import in_words
from gateway.chat.request import ChatRequest
from gateway.dialects.forms import Written
from gateway.dialects.gemini.check import check, check_count, resource
from gateway.dialects.gemini.config import forms, read_config, write_config
from gateway.dialects.gemini.contents import read_contents, read_system, write_contents
from gateway.dialects.gemini.fields import ProtoFields
from gateway.dialects.gemini.models import model_of
from gateway.dialects.gemini.tools import read_choice, read_tools, write_tools
from gateway.errors import BadRequest
from gateway.wire.json import Json

# Their word for a service tier -> OpenAI's.
TIERS: Mapping[str, str] = {"standard": "default", "flex": "flex", "priority": "priority"}
TIERS_OUT: Mapping[str, str] = {ours: theirs for theirs, ours in TIERS.items()}
KEPT_NOWHERE: Mapping[str, str] = {
    "cachedContent": "names content that only Gemini keeps: send it whole, with what it holds of "
    "systemInstruction, contents and tools",
    "continuationToken": "names an answer that only Gemini can go on with: leave it out",
}


def read_request(body: Json) -> ChatRequest:
    """Raises BadRequest, naming the field."""
    check(body)
    return _read(ProtoFields(body), {})


def read_count(body: Json) -> ChatRequest:
    check_count(body)
    fields, unread = ProtoFields(body), dict[str, Any]()
    inner = fields.inner("generateContentRequest")
    if inner:
        fields.leave(unread)
    return _read(inner or fields, unread)


def _read(fields: ProtoFields, unread: Json) -> ChatRequest:
    for name, problem in KEPT_NOWHERE.items():
        own = fields.own(name)
        if fields.rest.pop(own, None):
            raise BadRequest(fields.path(own), problem)
    request = ChatRequest(
        model=(fields.may("model", str) or "").removeprefix("models/"),
        messages=read_contents(fields, unread),
        system=read_system(fields, unread),
        tools=read_tools(fields, unread),
        tool_choice=read_choice(fields, unread),
        unread=unread,
    )
    if config := fields.inner("generationConfig"):
        read_config(config, request)
        config.leave(unread)
    tier = fields.rest.get(fields.own("serviceTier"))
    if isinstance(tier, str) and tier.lower() in TIERS:
        fields.may("serviceTier", str)
        request.service_tier = TIERS[tier.lower()]
    if fields.rest.get("store") is False:  # nobody does
        del fields.rest["store"]
    fields.leave(unread)
    return request


def write_request(request: ChatRequest) -> Written:
    """What the model is known to refuse is left out."""
    dropped: set[str] = set()
    model = model_of(request.model)
    tools = write_tools(request, model, dropped)
    asked = request.response_format
    if asked and model.formed != "never" and not forms(model, tools="tools" in tools):
        request = replace(request, system=[*request.system, Text(in_words(asked))])
    body = {
        **write_contents(request, model, dropped),
        **tools,
        **write_config(request, model, dropped, tools="tools" in tools),
    }
    tier = request.service_tier or "auto"  # what the project is set to
    if tier in TIERS_OUT:
        body["serviceTier"] = TIERS_OUT[tier]
    elif tier != "auto":
        dropped.add("service_tier")
    for name in ("user", "metadata", "verbosity"):
        if getattr(request, name):
            dropped.add(name)
    return Written(body, frozenset(dropped))


def write_count(request: ChatRequest) -> Written:
    written = write_request(request)
    counted = {"model": resource(request.model), **written.body}
    return Written({"generateContentRequest": counted}, written.dropped)
