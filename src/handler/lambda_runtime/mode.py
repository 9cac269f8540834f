"""Whether an answer is streamed."""

from collections.abc import Mapping
from typing import Any

# Derived in the template from the parameter that sets InvokeMode: the two must never disagree.
SETTING = "GATEWAY_INVOKE_MODE"
STREAM = "RESPONSE_STREAM"


def streams(event: Any, environment: Mapping[str, str]) -> bool:
    """Nothing tells a function how it was invoked, so the event's shape and our setting must.

    Function URLs and REST APIs stream when the setting says so. All else is buffered by nature:
    HTTP APIs (also in payload format 1.0, which looks like REST but for its ``version``), load
    balancers, `sam local`, the console's test events.
    """
    if environment.get(SETTING) != STREAM or environment.get("AWS_SAM_LOCAL") == "true":
        return False
    if not isinstance(event, Mapping) or not isinstance(
        context := event.get("requestContext"), Mapping
    ):
        return False
    if event.get("version") == "2.0":
        return ".lambda-url." in str(context.get("domainName", ""))
    rest = "resource" in event and "httpMethod" in event
    return rest and "version" not in event and "elb" not in context
