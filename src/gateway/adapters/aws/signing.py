"""Requests to AWS that no SDK makes, signed with the process' credentials: a function's role."""

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gateway.adapters.aws.clients import Clients
from gateway.adapters.aws.use import Use
from gateway.errors import Unavailable
from gateway.providers.regions import HOSTS, region_of

if TYPE_CHECKING:
    from gateway.adapters.aws.sdk import Session

# Seconds. The first signature waits for the SDK's import; a later one, at times, for credentials.
PATIENCE = 15


class AwsSigner:
    """``service``: as AWS calls the one that is asked.

    ``region_of`` says of which region a URL is, None where it is not that service's: then nothing
    is signed, since it would show our session to a stranger.
    """

    def __init__(
        self,
        clients: Clients,
        service: str,
        *,
        region_of: Callable[[str, str], str | None] = region_of,
    ) -> None:
        self._clients, self._service, self._region_of = clients, service, region_of

    async def sign(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes
    ) -> Mapping[str, str]:
        region = self._region_of(url, self._service)
        if region is None:
            raise Unavailable(
                f"{urlsplit(url).hostname} is no address of {self._service}, and nothing is signed "
                "for another: mend the target's base_url, or give the target a secret",
                code="aws_not_signed",
            )

        def sign(session: "Session") -> Mapping[str, str]:
            from gateway.adapters.aws.sigv4 import SigV4

            signature = SigV4(session.credentials(), self._service, region)
            return signature.headers(method, url, headers, body)

        use = Use("sign", f"a call to {self._service}")
        try:
            async with asyncio.timeout(PATIENCE):
                return {**headers, **await self._clients.session(use, sign)}
        except TimeoutError:
            raise use.fault("aws_timed_out", "had no AWS credentials in time") from None


def signers(clients: Clients) -> Mapping[str, AwsSigner]:
    """One for each service that may be signed for."""
    return {service: AwsSigner(clients, service) for service in HOSTS}
