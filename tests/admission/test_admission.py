"""Who may call, and what."""

from collections.abc import Iterable

import pytest

from gateway.admission.admission import Caller, KeyAdmission, OpenAdmission, Presented
from gateway.admission.keys import Grant, hash_of, new_key, principal_id
from gateway.errors import Forbidden, GatewayError, Unauthenticated, Unavailable
from tests.fakes import CALLER, Clock, run

KEY, OTHER = new_key(bytes(range(32))), new_key(bytes(32))
ROLE = "arn:aws:iam::123456789012:role/caller"
SESSION = "arn:aws:sts::123456789012:assumed-role/caller/ann"


class FakeGrants:
    """``asked``: every credential that the store was asked for."""

    def __init__(self, **granted: Grant) -> None:
        self.granted: dict[str, Grant] = dict(granted)
        self.asked: list[str] = []
        self.down = False

    async def find(self, credential: str) -> Grant | None:
        self.asked.append(credential)
        if self.down:
            raise Unavailable("the store is down")
        return self.granted.get(credential)


class Door:
    """Admission with one grant of a key, and one of a role; at second 1000."""

    def __init__(self, grant: Grant | None = None) -> None:
        self.grants, self.clock = FakeGrants(), Clock()
        self.seen: list[tuple[str, float]] = []
        if grant is not None:
            self.grants.granted = {hash_of(KEY): grant, principal_id(ROLE): grant}
        self.admission = KeyAdmission(
            self.grants, clock=self.clock, seen=lambda key, now: self.seen.append((key, now))
        )

    def identify(self, presented: Presented) -> Caller:
        return run(self.admission.identify(presented))

    def refusal(self, presented: Presented) -> GatewayError:
        with pytest.raises(Unauthenticated) as refused:
            self.identify(presented)
        return refused.value


WAYS = [Presented(KEY), Presented(principal=ROLE), Presented(principal=SESSION)]


@pytest.mark.parametrize("presented", WAYS)
def test_who_holds_a_key_or_a_role_that_was_given_one_is_let_in(presented: Presented) -> None:
    door = Door(Grant("team-a", "caller", ("e", "f")))
    assert door.identify(presented) == Caller(
        "team-a", frozenset({"caller"}), frozenset({"e", "f"})
    )
    assert door.seen == [("team-a", 1000.0)]


def test_an_admin_is_no_caller_and_a_caller_no_admin() -> None:
    assert Door(Grant("k", "admin")).identify(Presented(KEY)).roles == {"admin"}
    assert Door(Grant("k", "caller")).identify(Presented(KEY)).roles == {"caller"}


@pytest.mark.parametrize("presented", WAYS)
@pytest.mark.parametrize(
    "grant",
    [
        None,
        Grant("k", disabled=True),
        Grant("k", expires=999),
        Grant("k", expires=1000),
        Grant("k", expires=0),
        Grant("k", expires=-1),
        Grant("k", expires=5000, disabled=True),
    ],
)
def test_a_grant_that_there_is_not_or_that_is_over_lets_nobody_in(
    presented: Presented, grant: Grant | None
) -> None:
    door = Door(grant)
    door.refusal(presented)
    assert door.seen == []


def test_a_grant_is_good_until_its_last_second() -> None:
    door = Door(Grant("k", expires=1001))
    assert door.identify(Presented(KEY)).name == "k"
    door.clock.now = 1000.999
    assert door.identify(Presented(KEY)).name == "k"
    door.clock.now = 1001
    door.refusal(Presented(KEY))


MALFORMED = ["", " ", "sgk_", KEY[:-1], KEY + " ", KEY + OTHER, "x" * 100_000, "\x00", "\udcff"]


@pytest.mark.parametrize("key", MALFORMED)
def test_what_is_no_key_never_reaches_the_store(key: str) -> None:
    door = Door(Grant("k"))
    door.refusal(Presented(key))
    assert door.grants.asked == []


def test_a_hash_that_is_presented_as_a_key_is_none() -> None:
    """Who has read the store cannot call with what is in it."""
    Door(Grant("k")).refusal(Presented(hash_of(KEY)))
    Door(Grant("k")).refusal(Presented(principal_id(ROLE)))


def test_a_bad_key_is_not_made_good_by_a_good_principal() -> None:
    door = Door(Grant("k"))
    door.refusal(Presented("sk-wrong", ROLE))
    door.refusal(Presented(OTHER, ROLE))
    assert door.identify(Presented(KEY, "arn:aws:iam::123456789012:user/nobody")).name == "k"


@pytest.mark.parametrize("presented", [Presented(), Presented(principal=""), Presented("", "")])
def test_who_brings_nothing_is_not_let_in_and_the_store_not_asked(presented: Presented) -> None:
    door = Door(Grant("k"))
    door.grants.granted |= {"": Grant("k"), "iam:": Grant("k"), hash_of(""): Grant("k")}
    door.refusal(presented)
    assert door.grants.asked == []


def told(error: GatewayError) -> tuple[object, ...]:
    return (type(error), error.status, error.kind, error.message, error.field, error.code)


def refusals() -> Iterable[GatewayError]:
    for grant in (None, Grant("k", disabled=True), Grant("k", expires=1)):
        for presented in (*WAYS, Presented(OTHER), Presented()):
            yield Door(grant).refusal(presented)
    yield from (Door(Grant("k")).refusal(Presented(key)) for key in MALFORMED)


def test_whatever_is_wrong_is_told_in_the_same_words() -> None:
    first, *others = refusals()
    assert first.headers == {"www-authenticate": 'Bearer realm="sluicegate"'}
    assert {told(one) for one in others} == {told(first)}
    assert [one.headers for one in others if one.headers != first.headers] == []
    assert [word for word in (KEY, OTHER, ROLE) if word in first.message] == []


def test_a_store_that_is_down_says_nothing_about_a_key() -> None:
    door = Door(Grant("k"))
    door.grants.down = True
    with pytest.raises(Unavailable):
        door.identify(Presented(KEY))
    assert door.seen == []


def forbidden(caller: Caller, endpoint: str) -> Forbidden:
    with pytest.raises(Forbidden) as refused:
        Door().admission.admit(caller, endpoint)
    return refused.value


def test_a_caller_may_call_the_endpoints_of_its_key_and_no_other() -> None:
    some = Caller("k", endpoints=frozenset({"e", "f"}))
    for name in ("e", "f"):
        Door().admission.admit(some, name)
    error = forbidden(some, "g")
    assert (error.field, error.code, error.message) == (
        "model",
        "endpoint_not_allowed",
        ("this gateway key may not call endpoint 'g'; the models listed are those it may"),
    )


@pytest.mark.parametrize("name", ["", "E", "e ", " e", "e\x00", "e/f", "*", "\u0435"])
def test_a_name_is_itself_and_nothing_like_it(name: str) -> None:
    forbidden(Caller("k", endpoints=frozenset({"e"})), name)


def test_a_key_without_a_list_may_call_all_and_one_with_an_empty_list_none() -> None:
    Door().admission.admit(Caller("k", endpoints=None), "e")
    forbidden(Caller("k", endpoints=frozenset()), "e")
    empty = Door(Grant("k", endpoints=())).identify(Presented(KEY))
    assert empty == Caller("k", frozenset({"caller"}), frozenset())


def test_a_name_is_said_back_in_bounds() -> None:
    assert len(forbidden(Caller("k", endpoints=frozenset()), "x" * 1_000_000).message) < 300


@pytest.mark.parametrize("presented", [Presented(), Presented("junk"), Presented(principal=ROLE)])
def test_an_open_gateway_lets_everyone_in_to_everything(presented: Presented) -> None:
    admission = OpenAdmission()
    assert run(admission.identify(presented)) == CALLER
    admission.admit(Caller("k", endpoints=frozenset()), "e")
