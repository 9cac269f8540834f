"""All that touches the SDK itself. It takes longer to import than the rest of the gateway, so it is
imported by the threads that use it (see Clients), and blocks whoever calls it."""

import logging
from collections.abc import Callable
from typing import Any, TypeVar

import botocore.session
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError

from gateway.adapters.aws.faults import code_of, fault_of
from gateway.adapters.aws.use import Refused, Use

Answer = TypeVar("Answer")

PATIENCE = 1.0  # seconds to connect, and for an answer to begin


class Session:
    """Makes clients, one at a time: the models that it reads for one it has for the next."""

    def __init__(self, connections: int) -> None:
        _hush()
        self._session = botocore.session.get_session()
        self._config = Config(
            connect_timeout=PATIENCE,
            read_timeout=PATIENCE,
            retries={"total_max_attempts": 2, "mode": "standard"},
            max_pool_connections=connections,
        )

    def client(self, service: str) -> Any:
        make: Any = self._session.create_client
        return make(service, config=self._config)

    def credentials(self) -> Credentials | None:
        """The process' own, which renew themselves; None where it has none."""
        return self._session.get_credentials()


def done(use: Use, work: Callable[[], Answer]) -> Answer:
    """Raises Unavailable, or Refused for a code that ``use`` expects."""
    try:
        return work()
    except ClientError as error:
        if (code := code_of(error)) in use.expected:
            raise Refused(code, error.response) from None
        raise fault_of(use, error) from None
    except BotoCoreError as error:
        raise fault_of(use, error) from None


def made(use: Use, work: Callable[[], Answer]) -> Answer:
    """What is made of what the environment says, which may be nonsense. Raises Unavailable."""
    try:
        return done(use, work)
    except ValueError as error:
        raise fault_of(use, error) from None


def _hush() -> None:
    """At DEBUG the SDK logs what it sends, secrets and all, whatever the root logger is set to."""
    for name in ("botocore", "urllib3"):
        logging.getLogger(name).setLevel(logging.WARNING)
