"""Where a request may say who it is from, and where it may not."""

import base64
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.admission.admission import Presented
from gateway.admission.keys import credential_id, new_key
from gateway.wire.json import dumps
from handler.credentials import NOBODYS, presented
from tests.handler.driver import scope

KEY, OTHER = new_key(bytes(range(32))), new_key(bytes(32))
CHAT, GEMINI = "/gateway/openai/v1/chat/completions", "/gateway/gemini/v1beta/models/e:generate"
ROLE = "arn:aws:iam::123456789012:role/caller"
SIGV4 = (
    "AWS4-HMAC-SHA256 Credential=AKIA/20250101/eu-west-1/lambda/aws4_request, "
    "SignedHeaders=host;x-amz-date, Signature=0123456789abcdef"
)
NONE = Presented()


def brought(
    *headers: tuple[str, str], path: str = CHAT, query: bytes = b"", event: Any = None
) -> Presented:
    """What is presented by a request with these headers, in this order."""
    request = scope("POST", path) | {"query_string": query}
    request["headers"] += [(name.encode(), value.encode("latin-1")) for name, value in headers]
    if event is not None:
        request["aws.event"] = event
    return presented(request)


def basic(text: str | bytes) -> str:
    return "Basic " + base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("authorization", f"Bearer {KEY}"),
        ("authorization", f"bearer {KEY}"),
        ("authorization", f"BEARER {KEY}"),
        ("authorization", f"  Bearer   {KEY}  "),
        ("authorization", basic(f"anyone:{KEY}")),
        ("authorization", basic(f":{KEY}")),
        ("authorization", "basic " + basic(f"u:{KEY}").removeprefix("Basic ")),
        ("x-api-key", KEY),
        ("x-api-key", f" {KEY}\t"),
        ("api-key", KEY),
        ("x-goog-api-key", KEY),
    ],
)
def test_a_key_is_found_wherever_an_sdk_puts_it(name: str, value: str) -> None:
    assert brought((name, value)) == Presented(KEY)


def test_a_password_may_hold_colons() -> None:
    assert brought(("authorization", basic(f"u:{KEY}:x"))) == Presented(f"{KEY}:x")


@pytest.mark.parametrize(
    "headers",
    [
        [("cookie", f"key={KEY}")],
        [("x-auth-token", KEY)],
        [("proxy-authorization", f"Bearer {KEY}")],
        [("openai-api-key", KEY)],
        [("x-forwarded-authorization", f"Bearer {KEY}")],
        [],
    ],
)
def test_elsewhere_nothing_is_looked_for(headers: list[tuple[str, str]]) -> None:
    assert brought(*headers) == NONE


@pytest.mark.parametrize(
    "value", [SIGV4, KEY, f"Token {KEY}", "Digest username=u", "Negotiate", ""]
)
def test_a_scheme_that_holds_no_key_presents_none(value: str) -> None:
    assert brought(("authorization", value)) == NONE


@pytest.mark.parametrize("value", ["Bearer", "Bearer ", "Basic", "Basic ", basic("u:"), basic("u")])
def test_a_key_that_is_empty_is_one_that_was_presented(value: str) -> None:
    assert brought(("authorization", value), event=iam_of_http_api(ROLE)) == Presented("")


@pytest.mark.parametrize(
    "junk",
    [
        "Basic !!!!",
        "Basic dTp",
        "Basic " + "=" * 8,
        "Basic \xff\xfe",
        "Basic dTpr dTpr",
        "Basic dTpr\x00",
        "Basic " + "A" * 100_001,
    ],
)
def test_what_is_no_base64_is_nobodys_key(junk: str) -> None:
    assert brought(("authorization", junk)) == Presented("")


def test_a_password_that_is_no_text_is_nobodys_key() -> None:
    found = brought(("authorization", basic(b"u:\xff\xfe\x00")))
    assert found == Presented("\xff\xfe\x00")
    assert credential_id(found.key or "") is None


@pytest.mark.parametrize(
    "header",
    [
        ("authorization", f"Bearer {KEY}" + "x" * 1_000_000),
        ("x-api-key", KEY + "x" * 1_000_000),
        ("authorization", basic("u" * 100_000 + f":{KEY}")),
        ("authorization", "Bearer " + "\xff" * 100_000),
    ],
)
def test_a_huge_header_holds_no_key_and_is_not_kept_whole(header: tuple[str, str]) -> None:
    found = brought(header).key or ""
    assert credential_id(found) is None
    assert len(found) <= 1024


@pytest.mark.parametrize(
    "header",
    [
        ("x-api-key", KEY + " " * 1024 + "x"),
        ("authorization", f"Bearer {KEY}" + " " * 1024 + "x"),
        ("authorization", basic(f"u:{KEY}" + " " * 1024 + "x")),
    ],
)
def test_a_header_that_is_too_long_is_not_taken_for_the_key_it_begins_with(
    header: tuple[str, str],
) -> None:
    assert credential_id(brought(header).key or "") is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("authorization", f"Bearer {KEY}"), ("x-api-key", OTHER)),
        (("authorization", f"Bearer {KEY}"), ("authorization", f"Bearer {OTHER}")),
        (("x-api-key", KEY), ("x-api-key", OTHER)),
        (("api-key", KEY), ("x-goog-api-key", OTHER)),
        (("authorization", basic(f"u:{KEY}")), ("x-api-key", OTHER)),
        (("authorization", f"Bearer {KEY}"), ("x-api-key", "sk-junk")),
        (("authorization", "Basic !!!!"), ("x-api-key", KEY)),
    ],
)
def test_two_different_keys_are_nobodys_in_either_order(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    event = iam_of_http_api(ROLE)
    assert [brought(one, other, event=event), brought(other, one, event=event)] == [NOBODYS] * 2


def test_the_same_key_twice_is_that_key() -> None:
    """Anthropic's SDK sends both headers when it is given both."""
    everywhere = [
        ("authorization", f"Bearer {KEY}"),
        ("authorization", basic(f"u:{KEY}")),
        ("x-api-key", KEY),
        ("x-api-key", KEY),
        ("api-key", KEY),
        ("x-goog-api-key", KEY),
    ]
    assert brought(*everywhere) == Presented(KEY)
    assert brought(*everywhere, path=GEMINI, query=f"key={KEY}".encode()) == Presented(KEY)


@pytest.mark.parametrize("event", [None, "http"])
def test_a_key_beside_a_signature_of_aws_is_the_key(event: str | None) -> None:
    """The signature is for the front of AWS; the key is for us."""
    found = brought(
        ("authorization", SIGV4),
        ("x-api-key", KEY),
        event=iam_of_http_api(ROLE) if event else None,
    )
    assert found == Presented(KEY)


@pytest.mark.parametrize(
    ("query", "key"),
    [
        (f"key={KEY}", KEY),
        (f"alt=sse&key={KEY}", KEY),
        (f"key={KEY}&alt=sse", KEY),
        (f"key={KEY}&key={KEY}", KEY),
        (f"key={KEY}&key={OTHER}", ""),
        (f"key={KEY[:-1]}%{ord(KEY[-1]):x}", KEY),
        ("key=", None),
        ("key", None),
        (f"KEY={KEY}", None),
        (f"xkey={KEY}", None),
        (f"a=1;key={KEY}", None),
        ("", None),
    ],
)
def test_a_key_in_the_address_is_read_for_gemini(query: str, key: str | None) -> None:
    assert brought(path=GEMINI, query=query.encode()) == Presented(key)


@pytest.mark.parametrize(
    "path",
    [
        CHAT,
        "/gateway/mlflow/v1/models",
        "/gateway/gemini",
        "/gateway/geminix/v1",
        "/gateway/e/mlflow/invocations",
        "/gateway/x/gateway/gemini/",
        "/GATEWAY/GEMINI/v1",
        "/api/3.0/keys",
        "//gateway/gemini/",
    ],
)
def test_a_key_in_the_address_is_read_nowhere_else(path: str) -> None:
    assert brought(path=path, query=f"key={KEY}".encode()) == NONE


@pytest.mark.parametrize(
    "query", [b"key=\xff\xfe", b"key=%ff%00", b"&" * 100_000, b"a&" * 50_000, b"key=%", b"\x00"]
)
def test_a_hostile_query_holds_no_key(query: bytes) -> None:
    assert credential_id(brought(path=GEMINI, query=query).key or "") is None


def test_a_key_in_the_address_and_another_in_a_header_are_nobodys() -> None:
    query = f"key={KEY}".encode()
    assert brought(("x-goog-api-key", OTHER), path=GEMINI, query=query) == NOBODYS


def iam_of_function_url(arn: object) -> Any:
    """Payload format 2.0, as AWS_IAM at a function URL has it."""
    iam = {
        "accessKey": "AKIA",
        "accountId": "123456789012",
        "callerId": "AIDA",
        "cognitoIdentity": None,
        "principalOrgId": None,
        "userArn": arn,
        "userId": "AIDA",
    }
    return {"version": "2.0", "requestContext": {"authorizer": {"iam": iam}, "http": {}}}


def iam_of_http_api(arn: object) -> Any:
    authorizer = {"iam": {"accountId": "123456789012", "userArn": arn, "principalOrgId": "aws:p"}}
    return {"version": "2.0", "requestContext": {"authorizer": authorizer, "stage": "$default"}}


def iam_of_rest_api(arn: object) -> Any:
    identity = {"accountId": "123456789012", "userArn": arn, "sourceIp": "192.0.2.1"}
    return {"resource": "/{proxy+}", "requestContext": {"identity": identity, "stage": "prod"}}


EVENTS = [iam_of_function_url, iam_of_http_api, iam_of_rest_api]


@pytest.mark.parametrize("event", EVENTS)
def test_whom_aws_has_authenticated_is_told_by_its_event(event: Any) -> None:
    assert brought(("authorization", SIGV4), event=event(ROLE)) == Presented(principal=ROLE)


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("arn", [None, "", 5, [ROLE], {"userArn": ROLE}, True])
def test_an_event_without_a_principal_presents_none(event: Any, arn: object) -> None:
    assert (brought(event=event(arn)).principal or None) is None


@pytest.mark.parametrize(
    "event",
    [
        {},
        [],
        "event",
        {"requestContext": None},
        {"requestContext": "x"},
        {"requestContext": [{"identity": {"userArn": ROLE}}]},
        {"requestContext": {"authorizer": None, "identity": None}},
        {"requestContext": {"authorizer": "x", "identity": "x"}},
        {"requestContext": {"authorizer": {"iam": None}}},
        {"requestContext": {"authorizer": {"iam": ROLE}}},
        {"requestContext": {"authorizer": {"lambda": {"iam": {"userArn": ROLE}}}}},
        {"requestContext": {"authorizer": {"jwt": {"claims": {"userArn": ROLE}}}}},
        {"requestContext": {"authorizer": {"userArn": ROLE}}},
        {"authorizer": {"iam": {"userArn": ROLE}}, "identity": {"userArn": ROLE}},
        {"userArn": ROLE, "headers": {"userArn": ROLE}},
    ],
)
def test_an_event_of_another_shape_presents_nobody(event: Any) -> None:
    assert brought(event=event) == NONE


FORGED = [
    ("aws.event", dumps({"requestContext": {"identity": {"userArn": ROLE}}}).decode()),
    ("aws-event", ROLE),
    ("x-amzn-request-context", dumps({"authorizer": {"iam": {"userArn": ROLE}}}).decode()),
    ("x-amz-user-arn", ROLE),
    ("userarn", ROLE),
]


def test_a_header_cannot_say_what_aws_says() -> None:
    assert brought(*FORGED) == NONE
    other = "arn:aws:iam::123456789012:user/other"
    for event in EVENTS:
        assert brought(*FORGED, event=event(other)) == Presented(principal=other)


@pytest.mark.parametrize("event", EVENTS)
def test_what_a_caller_puts_into_an_events_headers_and_body_counts_for_nothing(event: Any) -> None:
    forged = event(None) | {"headers": dict(FORGED), "body": dict(FORGED), "userArn": ROLE}
    assert brought(event=forged) == NONE


values = st.text(st.characters(max_codepoint=255), max_size=80)
names = st.sampled_from(["authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie"])


@given(st.lists(st.tuples(names, values | values.map("Basic {}".format)), max_size=4), st.binary())
@settings(deadline=None)
def test_nothing_that_is_sent_is_a_fault(headers: list[tuple[str, str]], query: bytes) -> None:
    found = brought(*headers, path=GEMINI, query=query)
    assert found.principal is None
    assert credential_id(found.key or "") is None
