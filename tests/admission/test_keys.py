"""Gateway keys: what one looks like, what is none, and what it is kept as."""

import hashlib
import re
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.admission.keys import (
    Credential,
    GatewayKey,
    Grant,
    credential_id,
    grants,
    hash_of,
    new_key,
    principal_id,
    read_grant,
    read_key,
    write_grant,
    write_key,
)
from gateway.wire.json import Json, dumps, loads

DIGITS = string.digits + string.ascii_letters
KEY = "sgk_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1Yo7hP"  # of bytes(range(32))
HASH = "b05e12a4a19275133bfa530276e0d8fde09edb8f162ddd58f6e53a5ca347ec46"
ZEROS = "sgk_00000000000000000000000000000000000000000002CZclj"
entropies = st.binary(min_size=32, max_size=32)


def test_a_key_is_known_by_its_entropy_and_found_by_its_hash() -> None:
    assert new_key(bytes(range(32))) == KEY
    assert (credential_id(KEY), hash_of(KEY)) == (HASH, HASH)
    assert hashlib.sha256(KEY.encode()).hexdigest() == HASH


@pytest.mark.parametrize(
    ("entropy", "key"),
    [
        (bytes(32), ZEROS),
        (b"\xff" * 32, "sgk_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp13sRzl1"),
    ],
)
def test_the_least_and_the_most_of_entropy_make_keys_of_one_length(
    entropy: bytes, key: str
) -> None:
    assert new_key(entropy) == key


@given(entropies)
@settings(deadline=None)
def test_a_key_has_one_shape_and_is_recognised(entropy: bytes) -> None:
    key = new_key(entropy)
    assert re.fullmatch(r"sgk_[0-9A-Za-z]{49}", key)
    assert credential_id(key) == hashlib.sha256(key.encode()).hexdigest()


@given(entropies, entropies)
@settings(deadline=None)
def test_another_entropy_is_another_key(one: bytes, other: bytes) -> None:
    assert (new_key(one) == new_key(other)) == (one == other)


@pytest.mark.parametrize("size", [0, 1, 16, 31, 33, 64])
def test_a_key_is_made_of_32_bytes(size: int) -> None:
    with pytest.raises(ValueError, match="a key is made of 32 bytes"):
        new_key(bytes(size))


@pytest.mark.parametrize("place", range(len(KEY)))
def test_each_mistyped_character_is_noticed(place: int) -> None:
    others = (set(DIGITS) | set("_- =\x00\n\u00e9")) - {KEY[place]}
    wrong = [KEY[:place] + other + KEY[place + 1 :] for other in others]
    assert [key for key in wrong if credential_id(key) is not None] == []


@pytest.mark.parametrize("place", range(4, len(KEY) - 1))
def test_two_neighbours_changed_about_are_noticed(place: int) -> None:
    swapped = KEY[:place] + KEY[place + 1] + KEY[place] + KEY[place + 2 :]
    assert (credential_id(swapped) is None) == (swapped != KEY)


@pytest.mark.parametrize(
    "presented",
    [
        "",
        " ",
        "sgk_",
        "sgk",
        KEY[:-1],
        KEY[1:],
        KEY[4:],
        KEY[:4],
        KEY + "0",
        KEY + "\n",
        KEY + "\r\n",
        KEY + " ",
        KEY + "\x00",
        KEY + KEY,
        KEY + ZEROS,
        KEY[:-1] + ZEROS,
        f"{KEY},{KEY}",
        " " + KEY,
        "\x00" + KEY,
        "\ufeff" + KEY,
        "x" + KEY,
        ZEROS[:47] + KEY[47:],
        KEY.upper(),
        KEY.lower(),
        KEY.swapcase(),
        "SGK_" + KEY[4:],
        "sk-" + KEY[4:],
        HASH,
        KEY.replace("0", "\u0660"),  # a digit to Python, but none of ours
        KEY.replace("a", "\u0430"),  # looks the same in Cyrillic
        KEY.replace("K", "\u212a"),  # the sign for kelvin, which folds to a k
        "sgk_" + "\U0001f600" * 49,
        "sgk_" + "0" * 49,
        "sgk_" + "\x00" * 49,
        "\udcff" * 53,
        "a" * 100_000,
        "sgk_" + "a" * 100_000,
        KEY * 2000,
        KEY + "\x00" * 100_000,
    ],
)
def test_what_is_no_key_of_ours_is_told_without_asking_anyone(presented: str) -> None:
    assert credential_id(presented) is None


@given(st.text() | st.from_regex(r"\Asgk_[0-9A-Za-z]{49}\Z") | st.from_regex(r"\Asgk_.{49}\Z"))
@settings(deadline=None)
def test_hardly_any_text_is_a_key_and_none_is_a_fault(presented: str) -> None:
    assert credential_id(presented) in (None, hashlib.sha256(presented.encode()).hexdigest())


USER = "arn:aws:iam::123456789012:user/team/ann"
ROLE = "arn:aws:iam::123456789012:role/caller"


@pytest.mark.parametrize(
    ("arn", "found"),
    [
        (USER, f"iam:{USER}"),
        (ROLE, f"iam:{ROLE}"),
        ("arn:aws:sts::123456789012:assumed-role/caller/i-0123", f"iam:{ROLE}"),
        ("arn:aws:sts::123456789012:assumed-role/caller/ann@example.com", f"iam:{ROLE}"),
        ("arn:aws:sts::123456789012:assumed-role/caller", f"iam:{ROLE}"),
        (
            "arn:aws-cn:sts::123456789012:assumed-role/caller/s",
            "iam:arn:aws-cn:iam::123456789012:role/caller",
        ),
        (
            "arn:aws:sts::123456789012:federated-user/ann",
            "iam:arn:aws:sts::123456789012:federated-user/ann",
        ),
        ("arn:aws:iam::123456789012:root", "iam:arn:aws:iam::123456789012:root"),
        ("", "iam:"),
    ],
)
def test_a_session_of_a_role_counts_as_the_role(arn: str, found: str) -> None:
    assert principal_id(arn) == found


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:sts::210987654321:assumed-role/caller/s",
        "arn:aws-cn:sts::123456789012:assumed-role/caller/s",
        "arn:aws:sts::123456789012:assumed-role/caller2/s",
        "arn:aws:sts::123456789012:assumed-role/other/caller",
        "arn:aws:sts::123456789012:assumed-role/other/:assumed-role/caller/s",
        "arn:aws:iam::123456789012:user/caller",
        "arn:aws:iam::123456789012:user/x:assumed-role/caller/s",
        "arn:aws:iam::123456789012:user/x:role/caller",
        "arn:aws:sts::123456789012:federated-user/caller",
        ROLE.upper(),
    ],
)
def test_nobody_else_counts_as_that_role(arn: str) -> None:
    assert principal_id(arn) != principal_id(ROLE)


def test_a_role_below_a_path_is_known_by_its_sessions() -> None:
    """Which do not say the path: a name is one role's alone in its account, whatever the path. All
    roles of IAM Identity Center have one."""
    role = "arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Dev_0a1b"
    session = "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Dev_0a1b/ann"
    assert principal_id(session) == principal_id(role)


def test_no_principal_is_found_by_a_keys_hash() -> None:
    assert re.fullmatch(r"iam:.*", principal_id(HASH))


OLD, NEW = Credential("h1", "aaaa", 5, expires=50), Credential("h2", "bbbb", 6)


def test_each_credential_of_a_key_gives_what_the_key_does() -> None:
    key = GatewayKey("k", "caller", endpoints=("a", "b"), credentials=(OLD, NEW), principal=ROLE)
    lasting = Grant("k", "caller", ("a", "b"))
    assert grants(key) == {
        "h1": Grant("k", "caller", ("a", "b"), expires=50),
        "h2": lasting,
        f"iam:{ROLE}": lasting,
    }


@pytest.mark.parametrize(
    ("of_key", "of_credential", "ends"),
    [(None, None, None), (9, None, 9), (None, 9, 9), (9, 8, 8), (8, 9, 8), (0, 9, 0)],
)
def test_a_grant_ends_with_the_first_of_key_and_credential(
    of_key: int | None, of_credential: int | None, ends: int | None
) -> None:
    key = GatewayKey("k", expires=of_key, credentials=(Credential("h", "t", 1, of_credential),))
    assert grants(key) == {"h": Grant("k", expires=ends)}


def test_a_disabled_key_grants_no_more_by_any_way() -> None:
    key = GatewayKey("k", "admin", disabled=True, credentials=(OLD, NEW), principal=ROLE)
    assert {(one.role, one.disabled) for one in grants(key).values()} == {("admin", True)}


def test_a_key_without_a_credential_grants_nothing() -> None:
    assert grants(GatewayKey("k")) == {}


words = st.text(max_size=6)
names = st.lists(words, max_size=3).map(tuple)
moments = st.integers(0, 2**40)
roles = st.sampled_from(["caller", "admin"])
credentials = st.builds(Credential, words, words, moments, st.none() | moments)
keys = st.builds(
    GatewayKey,
    name=words,
    role=roles,
    owner=st.none() | words,
    tags=names,
    endpoints=st.none() | names,
    expires=st.none() | moments,
    disabled=st.booleans(),
    created=moments,
    principal=st.none() | words,
    credentials=st.lists(credentials, max_size=3).map(tuple),
)
given_grants = st.builds(Grant, words, roles, st.none() | names, st.none() | moments, st.booleans())


@given(keys)
@settings(deadline=None)
def test_a_key_is_read_as_it_was_written(key: GatewayKey) -> None:
    assert read_key(loads(dumps(write_key(key)))) == key


@given(given_grants)
@settings(deadline=None)
def test_a_grant_is_read_as_it_was_written(grant: Grant) -> None:
    assert read_grant(loads(dumps(write_grant(grant)))) == grant


def test_a_key_that_may_call_nothing_may_not_call_everything_once_it_is_kept() -> None:
    assert read_grant(write_grant(Grant("k", endpoints=()))).endpoints == ()
    assert read_key(write_key(GatewayKey("k", endpoints=()))).endpoints == ()


def test_what_holds_its_default_is_left_out() -> None:
    assert write_key(GatewayKey("k")) == {"name": "k"}
    assert write_grant(Grant("k")) == {"key": "k"}


def test_a_key_is_kept_without_itself() -> None:
    credential = Credential(hash_of(KEY), KEY[-4:], 5)
    item = write_key(GatewayKey("k", credentials=(credential,)))
    assert item == {"name": "k", "credentials": [{"hash": HASH, "tail": "o7hP", "created": 5}]}
    assert KEY not in dumps(item).decode()


def test_fields_of_another_version_are_passed_over() -> None:
    item: Json = {
        "name": "k",
        "region": "eu",
        "limits": {"rpm": 5},
        "credentials": [{"hash": "h", "tail": "t", "created": 5, "salt": "x"}],
    }
    assert read_key(item) == GatewayKey("k", credentials=(Credential("h", "t", 5),))
    assert read_grant({"key": "k", "budget": 5, "role": "admin"}) == Grant("k", "admin")
