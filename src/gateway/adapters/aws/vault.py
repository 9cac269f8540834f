"""Providers' keys in AWS Secrets Manager: one secret each, ``{"value": …, "origin": …}``."""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from gateway.adapters.aws.clients import Clients
from gateway.adapters.aws.use import Refused, Use
from gateway.adapters.cached import Cached, Lifetimes, Looked
from gateway.errors import BadRequest, Unavailable, shortened
from gateway.exchange.background import Background
from gateway.wire.json import dumps, loads

LIFETIMES = Lifetimes(fresh=300, stale=3600, outage=86_400, absent=5, size=256)
RENEWAL = 5  # seconds between readings of a key that a provider keeps refusing
RECOVERY = 7  # days in which a deleted secret can be restored: the fewest there are
LONGEST = 16_384  # characters of a value; AWS takes 64 KB in all

MISSING, EXISTS = "ResourceNotFoundException", "ResourceExistsException"
DELETED = "InvalidRequestException"  # said of a secret that is scheduled for deletion

NAME = re.compile(r"[A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class Entry:
    value: str = field(repr=False)
    origin: str


class SecretsManagerVault:
    """A reference is ``vault:NAME``, or the name alone; the secret's id is ``prefix`` and the name.

    ``clock`` reads seconds from any fixed start.
    """

    def __init__(
        self,
        clients: Clients,
        prefix: str,
        *,
        clock: Callable[[], float],
        lifetimes: Lifetimes = LIFETIMES,
        background: Background | None = None,
    ) -> None:
        self._clients, self._prefix, self._clock = clients, prefix, clock
        self._entries = Cached(self._read, clock=clock, lifetimes=lifetimes, background=background)
        self._served: set[str] = set()
        self._renewed: dict[str, float] = {}

    async def secret(self, reference: str, origin: str) -> str:
        name = _name_in(reference)
        self._served.add(name)
        looked = await self._entries.find(name)
        if looked.found and looked.found.origin != origin and self._may_renew(name):
            looked = await self._anew(name)  # it may have been entered again, for this one
        return self._value(name, origin, looked)

    async def renewed(self, reference: str, origin: str, refused: str) -> str | None:
        """Read anew at most every few seconds: a bad key costs no reading for each call."""
        with suppress(Unavailable):
            value = await self.secret(reference, origin)  # another call may have renewed it
            name = _name_in(reference)
            if value == refused and self._may_renew(name):
                value = self._value(name, origin, await self._anew(name))
            return value if value != refused else None
        return None

    async def put(self, name: str, value: str, origin: str) -> None:
        _check_entry(name, value)
        text = dumps({"value": value, "origin": origin}).decode()
        if not await self._create(name, text):
            try:
                await self._replace(name, text, DELETED)
            except Refused:
                await self._restore(name)
                await self._replace(name, text)
        await self._forget(name)

    async def delete(self, name: str) -> None:
        if not NAME.fullmatch(name):
            return
        use = self._use("DeleteSecret", name, MISSING, DELETED)
        try:
            await self._clients.secrets(
                use,
                lambda client: client.delete_secret(
                    SecretId=self._prefix + name, RecoveryWindowInDays=RECOVERY
                ),
            )
        except Refused as error:
            if error.code == DELETED and await self.exists(name):  # a replica of it, say
                raise use.fault("aws_refused", "was refused: delete it in AWS") from None
        await self._forget(name)

    async def exists(self, name: str) -> bool:
        """Asks for no value: who configures the gateway need not be able to read one."""
        if not NAME.fullmatch(name):
            return False
        try:
            told = await self._clients.secrets(
                self._use("DescribeSecret", name, MISSING),
                lambda client: client.describe_secret(SecretId=self._prefix + name),
            )
        except Refused:
            return False
        return "DeletedDate" not in told

    async def _anew(self, name: str) -> Looked[Entry]:
        try:
            return await self._entries.renewed(name)
        finally:
            self._renewed[name] = self._clock()

    def _may_renew(self, name: str) -> bool:
        """Calls that come while it is read anew share that reading: it is noted at its end."""
        last = self._renewed.get(name)
        return last is None or self._clock() - last >= RENEWAL

    async def _forget(self, name: str) -> None:
        """Only where it was served before: whoever configures may be unable to read it."""
        if name in self._served:
            with suppress(Unavailable):
                await self._entries.renewed(name)

    async def _read(self, name: str) -> Looked[Entry]:
        try:
            told = await self._clients.secrets(
                self._use("GetSecretValue", name, MISSING, DELETED),
                lambda client: client.get_secret_value(
                    SecretId=self._prefix + name, VersionStage="AWSCURRENT"
                ),
            )
        except Refused:
            return Looked(None)
        return Looked(self._entry(name, told.get("SecretString", "")))

    def _entry(self, name: str, text: str) -> Entry:
        try:
            entry = loads(text)
        except ValueError:
            entry = None
        match entry:
            case {"value": str(value), "origin": str(origin)}:
                return Entry(value, origin)
        raise Unavailable(
            f"secret {self._prefix + name!r} is not what the gateway writes, "
            '`{"value": "THE KEY", "origin": "https://HOST"}`: '
            f"store it with `sluicegate secrets put {name}`",
            code="secret_malformed",
        )

    def _value(self, name: str, origin: str, looked: Looked[Entry]) -> str:
        entry = looked.found
        if entry is None or not entry.value:
            raise Unavailable(f"secret {name!r} is not set", code="secret_missing")
        if entry.origin != origin:
            raise Unavailable(
                f"secret {name!r} was entered for {entry.origin}: to send it to {origin}, "
                f"enter it again for that (`sluicegate secrets put {name}`)",
                code="secret_bound_elsewhere",
            )
        if not entry.value.isascii() or not entry.value.isprintable():
            raise Unavailable(f"secret {name!r} holds characters that no key has")
        return entry.value

    async def _create(self, name: str, text: str) -> bool:
        try:
            await self._clients.secrets(
                self._use("CreateSecret", name, EXISTS, DELETED),
                lambda client: client.create_secret(Name=self._prefix + name, SecretString=text),
            )
        except Refused:
            return False
        return True

    async def _replace(self, name: str, text: str, *expected: str) -> None:
        await self._clients.secrets(
            self._use("PutSecretValue", name, *expected),
            lambda client: client.put_secret_value(SecretId=self._prefix + name, SecretString=text),
        )

    async def _restore(self, name: str) -> None:
        await self._clients.secrets(
            self._use("RestoreSecret", name),
            lambda client: client.restore_secret(SecretId=self._prefix + name),
        )

    def _use(self, operation: str, name: str, *expected: str) -> Use:
        resource = f"secret {self._prefix + name!r}"
        return Use(f"secretsmanager:{operation}", resource, frozenset(expected))


def _name_in(reference: str) -> str:
    if reference.startswith(("env:", "file:")):
        raise Unavailable(
            f"secret {shortened(reference)!r} is for a gateway on one machine: here, store it with "
            "`sluicegate secrets put NAME` and refer to it as vault:NAME",
            code="secret_missing",
        )
    name = reference.removeprefix("vault:")
    if not NAME.fullmatch(name):
        raise Unavailable(
            "a secret's reference must be vault: and its name: letters, digits, `_`, `.` and `-`",
            code="secret_missing",
        )
    return name


def _check_entry(name: str, value: str) -> None:
    if not NAME.fullmatch(name):
        raise BadRequest("name", "must be letters, digits, `_`, `.` and `-`")
    if not value or not value.isascii() or not value.isprintable():
        raise BadRequest("value", "must be printable ASCII, as every key is")
    if len(value) > LONGEST:
        raise BadRequest("value", f"must have at most {LONGEST} characters")
