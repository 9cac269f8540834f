"""Where the gateway may connect, and what an operator can allow."""

import pytest

from gateway.providers.egress import AllowList, EgressGuard, private_url

# The forms that reach the own machine, a private network or a metadata service.
LOOPBACK = ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1", "0:0:0:0:0:0:0:1"]
PRIVATE = ["10.0.0.1", "172.31.255.255", "192.168.1.1", "::ffff:10.0.0.1", "fd12::1", "fc00::1"]
SHARED = ["100.64.0.1", "100.127.255.255", "::ffff:100.64.0.1"]
SET_ASIDE = ["198.18.0.1", "192.0.2.1", "203.0.113.9", "192.0.0.9", "192.88.99.1", "fec0::1"]
SET_ASIDE_6 = ["2001:db8::1", "2001:2::1", "2001:20::1", "3fff::1"]
CARRYING = [
    "2002:7f00:1::",
    "2002:a00:1::1",
    "2002:808:808::1",  # nobody needs 6to4 to reach what is public
    "64:ff9b::7f00:1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::10.0.0.1",
    "64:ff9b:1::8.8.8.8",
    "::127.0.0.1",
    "::8.8.8.8",
    "2001:0:808:808::f5ff:fffe",
]
NOT_PUBLIC = [*LOOPBACK, *PRIVATE, *SHARED, *SET_ASIDE, *SET_ASIDE_6, *CARRYING]
PUBLIC = ["1.1.1.1", "100.63.255.255", "100.128.0.0", "172.32.0.1", "2606:4700::1111"]
PUBLIC += ["::ffff:1.1.1.1", "64:ff9b::1.1.1.1"]
NEVER = [
    "169.254.169.254",
    "169.254.170.2",
    "169.254.1.1",
    "100.100.100.200",
    "168.63.129.16",
    "fd00:ec2::254",
    "fd00:c1::a9fe:a9fe",
    "fe80::1",
    "fe80::1%eth0",
    "0.0.0.0",
    "0.0.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "ff02::1",
    "100::1",
    "200::1",
    "::ffff:169.254.169.254",
    "::ffff:0.0.0.0",
    "::169.254.169.254",
    "2002:a9fe:a9fe::",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::0.0.0.0",
    "64:ff9b:1::a9fe:a9fe",
    "64:ff9b:1:a9fe:a9:fe00:808:808",  # as a prefix of 48 bits carries it
    "64:ff9b:1:a9:fe:a9fe:808:808",  # of 56
    "64:ff9b:1:0:a9:feaa:208:808",  # of 64
    "2001:0:a9fe:a9fe::",
]
EVERYTHING = ["10.0.0.0/8", "100.64.0.0/10", "168.0.0.0/8", "fc00::/7", "64:ff9b::/96", "a.test"]


def guard(
    *allowed: str, forbidden: tuple[tuple[str, int], ...] = (("127.0.0.1", 9001),)
) -> EgressGuard:
    return EgressGuard(forbidden, lambda: AllowList.parse(allowed))


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_is_reached_without_being_allowed(address: str) -> None:
    assert guard().refuses("a.test", 443, address) is None


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_what_is_not_public_is_refused_unless_its_name_or_address_is_allowed(address: str) -> None:
    why = guard("b.test", f"[{address}]:80" if ":" in address else f"{address}:80").refuses(
        "a.test", 443, address
    )
    assert (why or "").startswith(f"a.test is at {address}, which is not a public address; to let")
    assert guard("a.test").refuses("a.test", 443, address) is None
    assert guard(address).refuses("a.test", 443, address) is None


@pytest.mark.parametrize("address", NEVER)
def test_what_no_provider_may_have_is_refused_whatever_is_allowed(address: str) -> None:
    why = guard(*EVERYTHING).refuses("a.test", 443, address)
    assert (why or "").startswith("a.test points at ")
    assert not AllowList.parse(EVERYTHING).admits("a.test", 443, address)


@pytest.mark.parametrize("name", ["metadata.google.internal", "METADATA.goog.", "instance-data"])
def test_the_name_of_a_metadata_service_is_refused_wherever_it_leads(name: str) -> None:
    for address in ("1.1.1.1", "10.0.0.1"):
        why = guard("10.0.0.1").refuses(name, 80, address)
        assert why == f"{name} points at a metadata service ({name})"


def test_a_host_with_a_percent_sign_is_refused_wherever_it_leads() -> None:
    why = guard().refuses("127.0.0.1%2f.a.test", 80, "1.1.1.1")
    assert why == "127.0.0.1%2f.a.test must not hold a % in its host"


@pytest.mark.parametrize(
    ("host", "address", "reason"),
    [
        (
            "127.0.0.1",
            "127.0.0.1",
            (
                "127.0.0.1 is not a public address; to let the gateway connect there, allow it: "
                "`sluicegate settings allow 127.0.0.1:11434`, or allow_private: [127.0.0.1:11434]"
            ),
        ),
        (
            "2130706433",
            "127.0.0.1",
            (
                "127.0.0.1 is not a public address; to let the gateway connect there, allow it: "
                "`sluicegate settings allow 127.0.0.1:11434`, or allow_private: [127.0.0.1:11434]"
            ),
        ),
        (
            "::1",
            "::1",
            (
                "::1 is not a public address; to let the gateway connect there, allow it: "
                '`sluicegate settings allow "[::1]:11434"`, or allow_private: ["[::1]:11434"]'
            ),
        ),
        (
            "localhost",
            "::1",
            (
                "localhost is at ::1, which is not a public address; to let the gateway connect "
                "there, allow it: `sluicegate settings allow localhost:11434`, or allow_private: [localhost:11434]"
            ),
        ),
        (
            "ollama.internal.",
            "10.0.0.5",
            (
                "ollama.internal. is at 10.0.0.5, which is not a public address; to let the gateway "
                "connect there, allow it: `sluicegate settings allow ollama.internal:11434`, or allow_private: [ollama.internal:11434]"
            ),
        ),
        (
            "evil.test",
            "::ffff:10.0.0.5",
            (
                "evil.test is at ::ffff:10.0.0.5, which is not a public address; to let the gateway "
                "connect there, allow it: `sluicegate settings allow 10.0.0.5:11434`, or allow_private: [10.0.0.5:11434]"
            ),
        ),
    ],
)
def test_the_reason_names_the_entry_that_helps(host: str, address: str, reason: str) -> None:
    assert guard().refuses(host, 11434, address) == reason
    entry = reason.rpartition("allow_private: [")[2][:-1].strip('"')
    assert guard(entry).refuses(host, 11434, address) is None


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.0.0.2", "::1", "::ffff:7f00:1", "64:ff9b::7f00:1", "2002:7f00:1::"],
)
def test_the_runtime_api_of_lambda_is_out_of_reach_whatever_is_allowed(address: str) -> None:
    why = guard("a.test").refuses("a.test", 9001, address)
    assert (why or "").endswith(
        "9001 is the gateway's own or its platform's, and is never connected to"
    )
    assert guard("a.test").refuses("a.test", 9002, address) is None


def test_a_gateway_on_every_address_is_out_of_its_own_reach() -> None:
    for own in ("0.0.0.0", "::", "::1"):
        refuses = guard("localhost", forbidden=((own, 8080),)).refuses
        assert refuses("localhost", 8080, "127.0.0.1") is not None
        assert refuses("localhost", 8080, "::1") is not None
        assert refuses("localhost", 8081, "127.0.0.1") is None


def test_a_forbidden_place_may_be_public() -> None:
    refuses = guard(forbidden=(("1.1.1.1", 443),)).refuses
    assert refuses("a.test", 443, "1.1.1.1") is not None
    assert refuses("a.test", 444, "1.1.1.1") is None


def test_the_list_is_asked_for_at_each_connection_to_a_private_place() -> None:
    lists = [AllowList(), AllowList.parse(["a.test"]), AllowList()]
    refuses = EgressGuard((), lambda: lists.pop(0)).refuses
    answers = [refuses("a.test", 80, "10.0.0.1") is None for _ in range(3)]
    assert answers == [False, True, False]
    assert refuses("a.test", 80, "1.1.1.1") is None


@pytest.mark.parametrize(
    ("entry", "host", "port", "address"),
    [
        ("localhost", "localhost", 1, "127.0.0.1"),
        ("localhost", "LOCALHOST.", 65535, "::1"),
        (" LocalHost.:80 ", "localhost", 80, "::1"),
        ("model_server:8000", "model_server", 8000, "172.18.0.2"),
        ("ollama.internal:11434", "ollama.internal", 11434, "10.0.0.5"),
        ("127.0.0.1", "a.test", 80, "127.0.0.1"),
        ("127.0.0.1:80", "2130706433", 80, "127.0.0.1"),
        ("127.0.0.1:80", "a.test", 80, "::ffff:127.0.0.1"),
        ("::ffff:127.0.0.1", "a.test", 80, "127.0.0.1"),
        ("::ffff:a00:0/104", "a.test", 80, "10.1.2.3"),
        ("::1", "a.test", 80, "::1"),
        ("[::1]", "a.test", 80, "::1"),
        ("[0:0::1]:80", "a.test", 80, "::1"),
        ("[fd12::]/16:80", "a.test", 80, "fd12::5%eth0"),
        ("fd12::/16", "a.test", 80, "fd12::5"),
        ("fd12::/16:80", "a.test", 80, "fd12::5"),
        ("10.0.0.0/8", "a.test", 80, "10.255.255.255"),
        ("10.0.0.0/8:80", "a.test", 80, "::ffff:10.0.0.1"),
        ("64:ff9b:1::/48", "a.test", 80, "64:ff9b:1::1.1.1.1"),
        ("64:ff9b:1::/48", "a.test", 80, "64:ff9b:1:ffff::10.0.0.1"),
    ],
)
def test_an_entry_admits_what_it_names(entry: str, host: str, port: int, address: str) -> None:
    assert AllowList.parse(["other.test", entry]).admits(host, port, address)


@pytest.mark.parametrize(
    ("entry", "host", "port", "address"),
    [
        ("localhost", "127.0.0.1", 80, "127.0.0.1"),
        ("localhost", "a.localhost", 80, "127.0.0.1"),
        ("localhost:80", "localhost", 81, "127.0.0.1"),
        ("test", "a.test", 80, "127.0.0.1"),
        ("127.0.0.1:80", "a.test", 8080, "127.0.0.1"),
        ("127.0.0.1", "localhost", 80, "::1"),
        ("127.0.0.1", "127.0.0.1", 80, "10.0.0.1"),
        ("127.0.0.1", "a.test", 80, "64:ff9b::7f00:1"),
        ("127.0.0.1", "a.test", 80, "::127.0.0.1"),
        ("10.0.0.0/8", "a.test", 80, "11.0.0.0"),
        ("10.0.0.0/8:80", "a.test", 81, "10.0.0.1"),
        ("::1", "a.test", 80, "127.0.0.1"),
        ("fd12::/16", "a.test", 80, "fd13::1"),
    ],
)
def test_an_entry_admits_nothing_else(entry: str, host: str, port: int, address: str) -> None:
    assert not AllowList.parse([entry]).admits(host, port, address)


def test_an_empty_list_admits_nothing() -> None:
    assert AllowList.parse([]) == AllowList()
    assert not AllowList().admits("localhost", 80, "127.0.0.1")


UNREADABLE = "cannot be read: write HOST, HOST:PORT, [IPV6]:PORT, NETWORK/BITS or NETWORK/BITS:PORT"
NO_PORT = "the port must be 1 to 65535; leave"


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("", f"'' {UNREADABLE}"),
        ("  ", f"'  ' {UNREADABLE}"),
        ("*", "'*': name each host, or give a network, such as 10.0.0.0/8"),
        ("*.internal", "'*.internal': name each host, or give a network, such as 10.0.0.0/8"),
        ("http://localhost:80", "'http://localhost:80': leave out http:// and any path"),
        ("https://a.test/v1", "'https://a.test/v1': leave out https:// and any path"),
        ("me@localhost", "'me@localhost': leave out the @ and the user before it"),
        ("localhost:0", f"'localhost:0': {NO_PORT} :0 out for every one"),
        ("localhost:70000", f"'localhost:70000': {NO_PORT} :70000 out for every one"),
        ("localhost:65536", f"'localhost:65536': {NO_PORT} :65536 out for every one"),
        ("localhost:", f"'localhost:': {NO_PORT} : out for every one"),
        ("localhost:-1", f"'localhost:-1': {NO_PORT} :-1 out for every one"),
        ("localhost:\u0661", f"'localhost:\u0661': {NO_PORT} :\u0661 out for every one"),
        ("localhost:http", f"'localhost:http': {NO_PORT} :http out for every one"),
        ("[::1]:0", f"'[::1]:0': {NO_PORT} :0 out for every one"),
        ("localhost:80/v1", f"'localhost:80/v1': {NO_PORT} :80/v1 out for every one"),
        ("localhost/v1", f"'localhost/v1' {UNREADABLE}"),
        ("localhost/8", f"'localhost/8' {UNREADABLE}"),
        ("a..test", f"'a..test' {UNREADABLE}"),
        ("-a.test", f"'-a.test' {UNREADABLE}"),
        (".", f"'.' {UNREADABLE}"),
        ("a b", f"'a b' {UNREADABLE}"),
        ("b\u00fccher.test", f"'b\u00fccher.test' {UNREADABLE}"),
        ("[localhost]:80", f"'[localhost]:80' {UNREADABLE}"),
        ("[::1]x", f"'[::1]x' {UNREADABLE}"),
        ("[::1", f"'[::1' {UNREADABLE}"),
        ("a:b:c", f"'a:b:c' {UNREADABLE}"),
        ("fd12::1%eth0", f"'fd12::1%eth0' {UNREADABLE}"),
        ("127.0.0.1%2f", f"'127.0.0.1%2f' {UNREADABLE}"),
        ("0.0.0.0/0", "'0.0.0.0/0' is too wide: name a network of /8 or narrower"),
        ("0.0.0.0/0:80", "'0.0.0.0/0:80' is too wide: name a network of /8 or narrower"),
        ("128.0.0.0/1", "'128.0.0.0/1' is too wide: name a network of /8 or narrower"),
        ("::/0", "'::/0' is too wide: name a network of /7 or narrower"),
        ("::ffff:0:0/96", "'::ffff:0:0/96' is too wide: name a network of /8 or narrower"),
        ("10.0.0.5/8", "'10.0.0.5/8': write 10.0.0.0/8, or 10.0.0.5 alone"),
        ("10.0.0.0/33", "'10.0.0.0/33': the bits must be 8 to 32"),
        ("fd12::/129", "'fd12::/129': the bits must be 7 to 128"),
        ("010.0.0.1", "'010.0.0.1': write the address as 8.0.0.1"),
        ("2130706433:80", "'2130706433:80': write the address as 127.0.0.1"),
        (
            "metadata.google.internal:80",
            (
                "'metadata.google.internal:80' points at a metadata service "
                "(metadata.google.internal), which nothing allows: leave it out"
            ),
        ),
        (
            "169.254.169.254",
            (
                "'169.254.169.254' points at a metadata service (169.254.169.254), which nothing "
                "allows: leave it out"
            ),
        ),
        (
            "169.254.0.0/16",
            (
                "'169.254.0.0/16' points at a link-local address (169.254.0.0), which nothing allows: "
                "leave it out"
            ),
        ),
        (
            "0.0.0.0",
            (
                "'0.0.0.0' points at an address that no server has (0.0.0.0), which nothing allows: "
                "leave it out"
            ),
        ),
        (
            "64:ff9b::a9fe:a9fe",
            (
                "'64:ff9b::a9fe:a9fe' points at a metadata service (64:ff9b::a9fe:a9fe), which "
                "nothing allows: leave it out"
            ),
        ),
        (
            "::1:8080",  # [::1]:8080 was meant
            (
                "'::1:8080' points at an address that no server has (::1:8080), which nothing allows: "
                "leave it out"
            ),
        ),
    ],
)
def test_nonsense_is_refused_with_the_entry_and_the_fix(entry: str, why: str) -> None:
    with pytest.raises(ValueError) as raised:
        AllowList.parse(["localhost", entry])
    assert str(raised.value) == why


def test_a_name_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        AllowList.parse([".".join(["a" * 63] * 4)])


@pytest.mark.parametrize(
    ("url", "entry"),
    [
        ("http://localhost:11434/v1", "localhost:11434"),
        ("http://LOCALHOST.", "localhost:80"),
        ("https://a.localhost/v1", "a.localhost:443"),
        ("http://box.local:8080", "box.local:8080"),
        ("https://ollama.internal", "ollama.internal:443"),
        ("http://127.0.0.1:11434/v1", "127.0.0.1:11434"),
        ("http://127.1/", "127.0.0.1:80"),
        ("http://2130706433", "127.0.0.1:80"),
        ("http://0x7f.1:81", "127.0.0.1:81"),
        ("https://10.0.0.5/v1", "10.0.0.5:443"),
        ("http://100.64.0.1", "100.64.0.1:80"),
        ("http://[::1]:8080/v1", "[::1]:8080"),
        ("http://[::ffff:127.0.0.1]:8080", "127.0.0.1:8080"),
        ("http://[fd12::1]", "[fd12::1]:80"),
        ("http://[2002:7f00:1::]", "[2002:7f00:1::]:80"),
    ],
)
def test_a_url_that_is_private_by_its_spelling_tells_the_entry_it_needs(
    url: str, entry: str
) -> None:
    assert private_url(url) == entry
    AllowList.parse([entry])


@pytest.mark.parametrize(
    "url",
    [
        "https://api.openai.com/v1",
        "https://internal.example.com",
        "https://mylocalhost",
        "http://1.1.1.1",
        "http://[2606:4700::1111]:80",
        "http://169.254.169.254",
        "http://metadata.google.internal",
        "http://0.0.0.0:8080",
        "http://127.0.0.1%2f/",
        "echo://localhost",
        "ftp://localhost:21",
        "localhost:11434",
        "http://",
        "http://localhost:99999",
        "http://[::1",
        "",
    ],
)
def test_no_entry_is_told_for_what_is_public_forbidden_or_no_url(url: str) -> None:
    assert private_url(url) is None
