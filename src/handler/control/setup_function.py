"""What a stack does once in its life: the first admin key when it is made, and when it is deleted
the secrets, which would go on to cost.

A custom resource of CloudFormation, on AWS' own loop. The protocol: AWS CloudFormation User Guide,
"Custom resource request objects" and "response objects". This module itself imports nothing that
could be missing, so that it can say so.
"""

import asyncio
import json
import logging
from collections.abc import Coroutine
from http.client import HTTPException
from typing import Any
from urllib.request import Request, urlopen

logger = logging.getLogger("sluicegate.setup")

MARGIN = 10.0  # seconds of the function's time that are left for saying how it went
REPORTS = 3
LONGEST_REASON = 600  # characters; CloudFormation takes 4,096 bytes of a report
REPORT_TAKES = 3.0  # seconds, at most
# Physical ids: one for ever, so that no update replaces it; and that of what could never be made.
ITSELF, NEVER_RAN = "sluicegate-setup", "sluicegate-never-ran"
WRONG_ARTEFACT = (
    "the code does not start here ({error}): was it built for this processor? "
    "sam build --parameter-overrides Architecture=…, as it is deployed"
)


def handler(event: dict[str, Any], context: Any) -> None:
    """Says in any case how it went: CloudFormation would wait for it."""
    left = context.get_remaining_time_in_millis() / 1000
    try:
        from handler.control.setup import set_up
    except Exception as error:
        logger.exception("the code does not start")
        _report(event, _never_ran(event, error), first_id=NEVER_RAN)
        return
    _report(event, _problem(set_up(event, left - MARGIN)), first_id=ITSELF)


def _never_ran(event: dict[str, Any], error: Exception) -> str | None:
    if event["RequestType"] == "Delete" and event.get("PhysicalResourceId") == NEVER_RAN:
        return None  # there is nothing of it to be deleted
    return WRONG_ARTEFACT.format(error=error)


def _problem(work: Coroutine[Any, Any, str | None]) -> str | None:
    try:
        return asyncio.run(work)
    except Exception as error:
        logger.exception("the set-up failed")
        return f"the set-up failed ({type(error).__name__}): the function's log says why"


def _report(event: dict[str, Any], problem: str | None, first_id: str) -> None:
    told = {
        "Status": "FAILED" if problem else "SUCCESS",
        "Reason": (problem or "")[:LONGEST_REASON],
        "PhysicalResourceId": event.get("PhysicalResourceId") or first_id,
        **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
    }
    if problem:
        logger.error("%s: %s", event["RequestType"], problem)
    for trial in range(1, REPORTS + 1):
        try:
            _put(
                event["ResponseURL"],
                json.dumps(told, ensure_ascii=False).encode("utf-8", "replace"),
            )
        except (OSError, HTTPException, ValueError) as error:
            logger.warning("CloudFormation was not told, trial %d: %s", trial, error)
        else:
            return


def _put(url: str, body: bytes) -> None:
    """The signature of the address is of a request without a content type."""
    if not url.startswith(("https://", "http://")):
        raise ValueError("no address of CloudFormation's")
    request = Request(url, body, {"content-type": ""}, method="PUT")  # noqa: S310 - CloudFormation's
    with urlopen(request, timeout=REPORT_TAKES) as answer:  # noqa: S310
        answer.read()
