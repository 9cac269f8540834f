"""A chat asked of a gateway that runs elsewhere, over HTTP."""

from collections.abc import AsyncGenerator

import httpx

from handler.cli.asking import Question, Served, said_in
from handler.cli.remote import CALLER_KEY, base_of, bearer, client_for, key_in, unreachable
from handler.cli.trouble import Trouble
from handler.local_guard import is_loopback

PATH = "/gateway/openai/v1/chat/completions"
# The gateway has its own patience with providers, and keeps a silent stream open.
TIMEOUT = httpx.Timeout(5, read=600)


class Remote:
    """``url``: where the gateway is; its paths are ours to know."""

    def __init__(self, url: str) -> None:
        self.url = base_of(url)
        self._served = Served()
        self._key = bearer(key_in(CALLER_KEY))

    async def ask(self, question: Question) -> AsyncGenerator[bytes, None]:
        try:
            async with (
                client_for(self.url, TIMEOUT) as client,
                client.stream("POST", PATH, json=question.body(), headers=self._key) as response,
            ):
                if response.status_code != 200:
                    raise Trouble(_refusal(response, await response.aread()))
                self._served = _served(response)
                async for part in response.aiter_bytes():
                    yield part
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise unreachable(self.url, error) from error

    def served(self) -> Served:
        return self._served


def _served(response: httpx.Response) -> Served:
    attempts = response.headers.get("x-gateway-attempts", "1")
    return Served(
        target=response.headers.get("x-gateway-target"),
        attempts=int(attempts) if attempts.isdecimal() else 1,
    )


def _refusal(response: httpx.Response, body: bytes) -> str:
    said = said_in(body)
    if said is None:
        return f"{response.url} answered {response.status_code}; is it a Sluicegate?"
    more = f"; export {CALLER_KEY}=…" if response.status_code == 401 else ""
    return f"the gateway answered {response.status_code}: {said}{more}"


def readiness(url: str) -> str:
    """What a gateway says of itself. Raises Trouble when none answers, or it is not ready."""
    base = base_of(url)
    try:
        with httpx.Client(timeout=TIMEOUT, trust_env=not is_loopback(base)) as client:
            response = client.get(f"{base}/ready")
        said = response.json()
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise unreachable(base, error) from error
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        said = None
    if not isinstance(said, dict) or "status" not in said:
        raise Trouble(f"{base} does not answer as a Sluicegate does; check the URL")
    if response.status_code != 200 or said["status"] != "ready":
        raise Trouble(f"{base} is not ready: {said.get('reason', response.status_code)}")
    return f"{base} is ready, {said.get('endpoints')} endpoints"
