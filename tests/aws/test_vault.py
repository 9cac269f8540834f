"""Providers' keys in AWS Secrets Manager."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from gateway.adapters.aws.clients import Clients
from gateway.adapters.aws.use import Use
from gateway.adapters.aws.vault import LIFETIMES, SecretsManagerVault
from gateway.errors import BadRequest, Unavailable
from tests.aws.emulators import Aws
from tests.fakes import Clock, run

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient

Answer = TypeVar("Answer")

HERE, ELSEWHERE = "https://api.openai.com", "https://evil.example"
CANARY = "sk-canary-1"


class CountingClients(Clients):
    """Notes what is asked of Secrets Manager; ``down``: nothing is answered."""

    def __init__(self, inner: Clients) -> None:
        super().__init__()
        self._inner = inner
        self.asked: list[str] = []
        self.down = False

    async def secrets(self, use: Use, work: "Callable[[SecretsManagerClient], Answer]") -> Answer:
        self.asked.append(use.action.partition(":")[2])
        if self.down:
            raise use.timed_out()
        return await self._inner.secrets(use, work)


class World:
    def __init__(self, aws: Aws) -> None:
        self.raw, self.prefix = aws.raw.secrets, aws.prefix
        self.clients, self.clock = CountingClients(aws.clients), Clock()
        self.vault = SecretsManagerVault(self.clients, aws.prefix, clock=self.clock)

    @property
    def asked(self) -> list[str]:
        asked, self.clients.asked = self.clients.asked, []
        return asked

    def rotate(self, value: str, name: str = "openai", origin: str = HERE) -> None:
        """As someone else does it, whom the vault hears nothing from."""
        text = f'{{"value": "{value}", "origin": "{origin}"}}'
        self.raw.put_secret_value(SecretId=self.prefix + name, SecretString=text)


@pytest.fixture
def world(aws: Aws) -> World:
    return World(aws)


def test_what_is_put_is_served(world: World) -> None:
    async def work() -> str:
        await world.vault.put("openai", CANARY, HERE)
        return await world.vault.secret("openai", HERE)

    assert run(work()) == CANARY
    assert world.asked == ["CreateSecret", "GetSecretValue"]


def test_it_is_kept_under_the_prefix_with_its_origin(world: World) -> None:
    run(world.vault.put("openai", 'sk-"\\', HERE))
    kept = world.raw.get_secret_value(SecretId=f"{world.prefix}openai")
    assert kept["SecretString"] == '{"value":"sk-\\"\\\\","origin":"https://api.openai.com"}'
    assert run(world.vault.secret("openai", HERE)) == 'sk-"\\'


def test_what_is_put_again_is_replaced_and_bound_anew(world: World) -> None:
    async def work() -> list[str]:
        await world.vault.put("openai", "sk-1", HERE)
        served = [await world.vault.secret("openai", HERE)]
        await world.vault.put("openai", "sk-2", ELSEWHERE)
        return [*served, await world.vault.secret("openai", ELSEWHERE)]

    assert run(work()) == ["sk-1", "sk-2"]


def test_a_key_goes_to_the_origin_that_it_was_entered_for_and_to_no_other(world: World) -> None:
    async def work() -> None:
        await world.vault.put("openai", CANARY, HERE)
        for origin in (ELSEWHERE, "http://api.openai.com", HERE + ":8443", ""):
            with pytest.raises(Unavailable) as elsewhere:
                await world.vault.secret("openai", origin)
            assert elsewhere.value.code == "secret_bound_elsewhere"
            assert f"was entered for {HERE}: to send it to {origin}" in elsewhere.value.message
            assert_quiet(elsewhere.value)
            assert await world.vault.renewed("openai", origin, "sk-old") is None

    run(work())


def test_a_secret_that_is_not_there_is_missing_until_it_is_put(world: World) -> None:
    async def work() -> str:
        with pytest.raises(Unavailable, match="secret 'openai' is not set") as missing:
            await world.vault.secret("openai", HERE)
        assert missing.value.code == "secret_missing"
        await world.vault.put("openai", CANARY, HERE)
        return await world.vault.secret("openai", HERE)

    assert run(work()) == CANARY


def test_of_many_first_calls_at_once_one_reads(world: World) -> None:
    async def work() -> list[str]:
        await world.vault.put("openai", CANARY, HERE)
        return await asyncio.gather(*(world.vault.secret("openai", HERE) for _ in range(64)))

    assert run(work()) == [CANARY] * 64
    assert world.asked == ["CreateSecret", "GetSecretValue"]


def test_a_warm_key_is_served_while_secrets_manager_is_down(world: World) -> None:
    async def work() -> list[str]:
        await world.vault.put("openai", CANARY, HERE)
        served = [await world.vault.secret("openai", HERE)]
        world.clients.down = True
        for seconds in (LIFETIMES.fresh, LIFETIMES.stale, LIFETIMES.outage / 2):
            world.clock.now += seconds
            served.append(await world.vault.secret("openai", HERE))
            await asyncio.sleep(0)
        with pytest.raises(Unavailable, match="GetSecretValue"):
            await world.vault.secret("groq", HERE)
        return served

    assert run(work()) == [CANARY] * 4


def test_a_rotated_key_is_read_anew_once_a_provider_refuses_the_old(world: World) -> None:
    async def work() -> list[str | None]:
        await world.vault.put("openai", "sk-1", HERE)
        await world.vault.secret("openai", HERE)
        world.rotate("sk-2")
        assert await world.vault.secret("openai", HERE) == "sk-1"
        renewed = await asyncio.gather(
            *(world.vault.renewed("openai", HERE, "sk-1") for _ in range(64))
        )
        return [*renewed, await world.vault.secret("openai", HERE)]

    assert run(work()) == ["sk-2"] * 65
    assert world.asked.count("GetSecretValue") == 2


def test_a_key_that_stays_refused_is_read_at_most_every_five_seconds(world: World) -> None:
    async def work() -> list[str | None]:
        await world.vault.put("openai", "sk-1", HERE)
        tried = []
        for seconds in (0, 1, 3.9, 0.2, 1):
            world.clock.now += seconds
            tried.append(await world.vault.renewed("openai", HERE, "sk-1"))
        world.rotate("sk-2")
        tried.append(await world.vault.renewed("openai", HERE, "sk-1"))
        world.clock.now += 5
        return [*tried, await world.vault.renewed("openai", HERE, "sk-1")]

    assert run(work()) == [None] * 6 + ["sk-2"]
    # The first reading of all; at 0 s; at 5.1 s; and at 11.1 s.
    assert world.asked == ["CreateSecret"] + ["GetSecretValue"] * 4


def test_a_key_that_another_process_entered_for_another_origin_is_read_at_once(
    world: World,
) -> None:
    async def work() -> list[str]:
        await world.vault.put("openai", CANARY, HERE)
        served = [await world.vault.secret("openai", HERE)]
        world.rotate("sk-2", origin=ELSEWHERE)
        served.append(await world.vault.secret("openai", ELSEWHERE))
        with pytest.raises(Unavailable) as old:
            await world.vault.secret("openai", HERE)
        assert old.value.code == "secret_bound_elsewhere"
        return [*served, await world.vault.secret("openai", ELSEWHERE)]

    assert run(work()) == [CANARY, "sk-2", "sk-2"]
    assert world.asked == ["CreateSecret", "GetSecretValue", "GetSecretValue"]


def test_a_key_that_is_bound_elsewhere_is_read_at_most_every_five_seconds(world: World) -> None:
    async def work() -> str:
        await world.vault.put("openai", CANARY, HERE)
        for seconds in (0, 1, 3.9, 0.2, 1):
            world.clock.now += seconds
            with pytest.raises(Unavailable, match=f"was entered for {HERE}"):
                await world.vault.secret("openai", ELSEWHERE)
        world.rotate("sk-2", origin=ELSEWHERE)
        with pytest.raises(Unavailable, match=f"was entered for {HERE}"):
            await world.vault.secret("openai", ELSEWHERE)
        world.clock.now += 5
        return await world.vault.secret("openai", ELSEWHERE)

    assert run(work()) == "sk-2"
    # The first reading of all, and another at once; at 5.1 s; and at 11.1 s.
    assert world.asked == ["CreateSecret"] + ["GetSecretValue"] * 4


def test_what_cannot_be_read_anew_is_not_renewed(world: World) -> None:
    async def work() -> None:
        assert await world.vault.renewed("openai", HERE, CANARY) is None
        assert await world.vault.renewed("env:OPENAI_API_KEY", HERE, CANARY) is None
        await world.vault.put("openai", CANARY, HERE)
        world.clients.down = True
        world.clock.now += 10
        assert await world.vault.renewed("openai", HERE, CANARY) is None
        world.clients.down = False
        world.clock.now += 10
        world.rotate("sk-2")
        assert await world.vault.renewed("openai", HERE, CANARY) == "sk-2"

    run(work())


def test_what_is_deleted_is_missing_and_can_be_put_again(world: World) -> None:
    async def work() -> list[bool]:
        await world.vault.delete("openai")
        there = [await world.vault.exists("openai")]
        await world.vault.put("openai", "sk-1", HERE)
        await world.vault.secret("openai", HERE)
        there.append(await world.vault.exists("openai"))
        for _ in range(2):
            await world.vault.delete("openai")
            with pytest.raises(Unavailable, match="is not set"):
                await world.vault.secret("openai", HERE)
        there.append(await world.vault.exists("openai"))
        await world.vault.put("openai", "sk-2", HERE)
        assert await world.vault.secret("openai", HERE) == "sk-2"
        return [*there, await world.vault.exists("openai")]

    assert run(work()) == [False, True, False, True]
    assert "RestoreSecret" in world.asked


def test_who_configures_reads_no_value(world: World) -> None:
    async def work() -> None:
        await world.vault.put("openai", "sk-1", HERE)
        await world.vault.put("openai", "sk-2", HERE)
        await world.vault.exists("openai")
        await world.vault.delete("openai")

    run(work())
    assert "GetSecretValue" not in world.asked


@pytest.mark.parametrize(
    "text",
    [
        CANARY,
        "",
        f'"{CANARY}"',
        f'["{CANARY}"]',
        f'{{"value": "{CANARY}"}}',
        f'{{"value": ["{CANARY}"], "origin": 5}}',
    ],
)
def test_a_secret_made_by_hand_is_refused_with_the_shape_that_is_needed(
    world: World, text: str
) -> None:
    if text:
        world.raw.create_secret(Name=f"{world.prefix}openai", SecretString=text)
    else:
        world.raw.create_secret(Name=f"{world.prefix}openai", SecretBinary=CANARY.encode())
    with pytest.raises(Unavailable, match="is not what the gateway writes") as made:
        run(world.vault.secret("openai", HERE))
    assert '`{"value": "THE KEY", "origin": "https://HOST"}`' in made.value.message
    assert "`sluicegate secrets put openai`" in made.value.message
    assert_quiet(made.value)


@pytest.mark.parametrize("value", ["sk-\\n1", "sk-\\u00e9"])
def test_what_no_header_can_carry_is_refused(world: World, value: str) -> None:
    world.raw.create_secret(
        Name=f"{world.prefix}openai", SecretString=f'{{"value": "{value}", "origin": "{HERE}"}}'
    )
    with pytest.raises(Unavailable, match="holds characters that no key has") as odd:
        run(world.vault.secret("openai", HERE))
    assert_quiet(odd.value)


@pytest.mark.parametrize("value", ["", CANARY + "\n", CANARY + "\u00e9", "x" * 20_000])
def test_what_cannot_be_a_key_is_not_put(world: World, value: str) -> None:
    with pytest.raises(BadRequest, match="value") as bad:
        run(world.vault.put("openai", value, HERE))
    assert_quiet(bad.value)
    assert world.asked == []


@pytest.mark.parametrize("reference", ["env:OPENAI_API_KEY", "file:openai"])
def test_a_reference_of_a_gateway_on_one_machine_says_what_to_do(
    world: World, reference: str
) -> None:
    with pytest.raises(Unavailable, match="sluicegate secrets put NAME") as local:
        run(world.vault.secret(reference, HERE))
    assert reference in local.value.message
    assert world.asked == []


@pytest.mark.parametrize("name", ["", "a/b", "../x", "a b", "arn:aws:x", "a\n", "\u00e9", "\udcff"])
def test_a_name_is_letters_digits_and_three_signs(world: World, name: str) -> None:
    with pytest.raises(Unavailable, match="must be vault: and its name"):
        run(world.vault.secret(name, HERE))
    with pytest.raises(BadRequest, match="name"):
        run(world.vault.put(name, CANARY, HERE))
    run(world.vault.delete(name))
    assert run(world.vault.exists(name)) is False
    assert world.asked == []


def test_a_reference_is_the_name_with_its_scheme_or_without(world: World) -> None:
    async def work() -> list[str]:
        await world.vault.put("openai", CANARY, HERE)
        return [await world.vault.secret(one, HERE) for one in ("vault:openai", "openai")]

    assert run(work()) == [CANARY] * 2
    assert world.asked == ["CreateSecret", "GetSecretValue"]


def test_two_prefixes_do_not_mix(world: World, aws: Aws) -> None:
    run(world.vault.put("openai", CANARY, HERE))
    other = World(replace(aws, prefix=aws.prefix + "other/"))
    with pytest.raises(Unavailable, match="is not set"):
        run(other.vault.secret("openai", HERE))


def test_its_parts_show_no_value(world: World) -> None:
    async def work() -> str:
        await world.vault.put("openai", CANARY, HERE)
        await world.vault.secret("openai", HERE)
        return repr(await world.vault._entries.find("openai"))

    shown = run(work())
    assert CANARY not in shown
    assert HERE in shown


def assert_quiet(error: BaseException | None) -> None:
    """Neither it nor what led to it shows the value."""
    while error is not None:
        shown: list[Any] = [repr(error), str(error), vars(error)]
        assert CANARY not in str(shown)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
