"""Addresses that no provider may have, in every spelling that a machine understands."""

import ipaddress
from itertools import chain

import pytest

from gateway.providers.addresses import (
    ASSIGNED,
    NOT_PUBLIC,
    RESERVED,
    is_public,
    refused_address,
    refused_url,
    spelled_address,
)

METADATA = "points at a metadata service"
LINK_LOCAL = "points at a link-local address"
NO_SERVER = "points at an address that no server has"


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "169.254.169.254.",
        "2852039166",
        "0xa9fea9fe",
        "0XA9FEA9FE",
        "0xa9.0xfe.0xa9.0xfe",
        "0251.0376.0251.0376",
        "025177524776",
        "169.16689662",
        "169.254.43518",
        "0xa9.254.0251.0xfe",
        "0000251.0376.169.254",
        "[::ffff:169.254.169.254]",
        "[::ffff:a9fe:a9fe]",
        "[::FFFF:A9FE:A9FE]",
        "[0:0:0:0:0:ffff:a9fe:a9fe]",
        "[2002:a9fe:a9fe::]",
        "[2002:a9fe:a9fe::1]",
        "[64:ff9b::169.254.169.254]",
        "[64:ff9b::a9fe:a9fe]",
        "[2001:0:a9fe:a9fe::]",
        "[2001:0:4136:e378:8000:63bf:5601:5601]",
        "169.254.170.2",
        "100.100.100.200",
        "192.0.0.192",
        "[fd00:ec2::254]",
        "[FD00:0EC2::0254]",
        "[fd00:ec2::254%25eth0]",
        "metadata.google.internal",
        "METADATA.Google.Internal",
        "metadata.google.internal.",
        "metadata.goog",
        "instance-data",
        "INSTANCE-DATA.",
        "instance-data.ec2.internal",
        "metadata.tencentyun.com",
        "[::169.254.169.254]",
        "[::a9fe:a9fe]",
        "[64:ff9b:1::169.254.169.254]",
        "[64:ff9b:1:a9fe:a9:fe00:808:808]",
    ],
)
@pytest.mark.parametrize("form", ["http://{}/v1", "https://{}", "HTTP://{}:8080/latest/meta-data"])
def test_a_metadata_service_is_refused_however_it_is_spelled(host: str, form: str) -> None:
    assert (refused_url(form.format(host)) or "").startswith(METADATA)


@pytest.mark.parametrize(
    "host",
    [
        "[fd00:ec2::23]",  # EKS Pod Identity hands out credentials there
        "[fd20:ce::254]",  # Google's metadata service over IPv6
        "168.63.129.16",  # Azure's WireServer: certificates and the goal state
        "[fd00:c1::a9fe:a9fe]",  # Oracle's over IPv6
        "[fd00:42::42]",  # Scaleway's over IPv6
    ],
)
def test_metadata_services_beyond_the_best_known_are_refused_too(host: str) -> None:
    assert refused_url(f"http://{host}/") is not None


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("169.254.170.23", LINK_LOCAL),
        ("169.254.0.1", LINK_LOCAL),
        ("169.254.255.255", LINK_LOCAL),
        ("[fe80::1]", LINK_LOCAL),
        ("[fe80::1%25eth0]", LINK_LOCAL),
        ("[febf::1]", LINK_LOCAL),
        ("[::ffff:169.254.0.1]", LINK_LOCAL),
        ("[2002:a9fe:1::]", LINK_LOCAL),
        ("0", NO_SERVER),
        ("0.0.0.0", NO_SERVER),
        ("0x0", NO_SERVER),
        ("[::]", NO_SERVER),
        ("224.0.0.1", NO_SERVER),
        ("[ff02::1]", NO_SERVER),
        ("[::ffff:0.0.0.0]", NO_SERVER),
        ("0.0.0.1", NO_SERVER),
        ("0.255.255.255", NO_SERVER),
        ("240.0.0.1", NO_SERVER),
        ("255.255.255.255", NO_SERVER),
        ("4294967295", NO_SERVER),
        ("[::2]", NO_SERVER),
        ("[::ffff:0:1.1.1.1]", NO_SERVER),
        ("[100::1]", NO_SERVER),
        ("[200::1]", NO_SERVER),
        ("[4000::1]", NO_SERVER),
        ("[fe00::1]", NO_SERVER),
        ("[2002::1]", NO_SERVER),
        ("[64:ff9b::]", NO_SERVER),
        ("[64:ff9b::255.255.255.255]", NO_SERVER),
    ],
)
def test_an_address_that_no_provider_has_is_refused(host: str, why: str) -> None:
    assert (refused_url(f"https://{host}/v1") or "").startswith(why)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.openai.com/v1",
        "https://API.OpenAI.com/v1/",
        "http://127.0.0.1:11434/v1",
        "http://localhost:8080",
        "http://[::1]:8080/v1",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://10.0.0.5/v1",
        "http://192.168.1.7:65535/v1",
        "http://172.16.0.1",
        "http://[fd12::1]/v1",
        "http://[fec0::1]/v1",
        "http://[::127.0.0.1]/v1",
        "http://[64:ff9b::1.1.1.1]/v1",
        "http://[64:ff9b:1::10.0.0.1]/v1",
        "http://model-server.internal/v1",
        "https://169.254.169.254.example.com",
        "https://metadata.google.internal.example.com",
        "https://xn--bcher-kva.example/v1",
        "https://example.com./v1",
        "http://1.2.3.4.5/v1",
        "http://256.1.1.1/v1",
        "http://09.1.1.1/v1",
    ],
)
def test_loopback_private_and_public_addresses_are_allowed(url: str) -> None:
    assert refused_url(url) is None


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "must begin with https:// or http:// and name a host"),
        ("api.openai.com/v1", "must begin with https:// or http:// and name a host"),
        ("//api.openai.com", "must begin with https:// or http:// and name a host"),
        ("ftp://host/", "must begin with https:// or http:// and name a host"),
        ("file:///etc/passwd", "must begin with https:// or http:// and name a host"),
        ("echo://built-in", "must begin with https:// or http:// and name a host"),
        ("http://", "must begin with https:// or http:// and name a host"),
        ("http:///v1", "must begin with https:// or http:// and name a host"),
        ("http:host/v1", "must begin with https:// or http:// and name a host"),
        ("http:/\\host", "must begin with https:// or http:// and name a host"),
        ("http://:8080/", "must begin with https:// or http:// and name a host"),
        ("http://user@host/", "must not hold a user or a password: give the key as a secret"),
        ("http://u:p@host/", "must not hold a user or a password: give the key as a secret"),
        ("http://:p@host/", "must not hold a user or a password: give the key as a secret"),
        (
            "http://169.254.169.254@host/",
            "must not hold a user or a password: give the key as a secret",
        ),
        (
            "http://host\\@169.254.169.254/",
            "must not hold a user or a password: give the key as a secret",
        ),
        ("http://host/?a=1", "must not hold a query or a fragment"),
        ("http://host/#a", "must not hold a query or a fragment"),
        ("http://host/a b", "must be plain ASCII without spaces"),
        ("http://host/\n", "must be plain ASCII without spaces"),
        ("ht\ntp://host/", "must be plain ASCII without spaces"),
        ("http://host\t/", "must be plain ASCII without spaces"),
        (" http://host/", "must be plain ASCII without spaces"),
        ("http://b\u00fccher.example/", "must be plain ASCII without spaces"),
        ("http://\u0661\u0666\u0669.254.169.254/", "must be plain ASCII without spaces"),
        ("http://\uff11\uff16\uff19.254.169.254/", "must be plain ASCII without spaces"),
        ("http://\u2460\u2465\u2468.254.169.254/", "must be plain ASCII without spaces"),
        ("http://127.0.0.1%2f/", "must not hold a % in its host"),
        ("http://127.0.0.1%2f.example.com/", "must not hold a % in its host"),
        ("http://%6c%6f%63alhost/", "must not hold a % in its host"),
        ("http://[fd12::1%25eth0]/", "must not hold a % in its host"),
        (
            "http://127.0.0.1%2f@127.0.0.1/",
            "must not hold a user or a password: give the key as a secret",
        ),
        ("http://127\u30020\u30020\u30021/", "must be plain ASCII without spaces"),
        ("http://host:65536/", "is no URL: Port out of range 0-65535"),
        ("http://[::1/", "is no URL: Invalid IPv6 URL"),
    ],
)
def test_what_is_no_base_url_is_refused_with_the_reason(url: str, why: str) -> None:
    assert refused_url(url) == why


@pytest.mark.parametrize(
    "url",
    [
        "http://host:-1/",
        "http://host:http/",
        "http://[host]/",
        "http://[169.254.169.254]/",
        "http://@169.254.169.254/",
        "http://:@169.254.169.254/",
        "http://::1/",
        "http://host/v1?",  # what is appended would be a query
        "http://host/v1#",
        "http://host/\x00",
        "http://ho\x00st/",
        "http://host/\x7f",
        "http://host/\x01",
    ],
)
def test_what_no_request_could_be_sent_to_is_refused(url: str) -> None:
    assert refused_url(url) is not None


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "fe80::1%eth0",
        "fe80::1%25eth0",
        "fd00:ec2::254",
        "fd00:ec2::254%1",
        "0.0.0.0",
        "::",
        "239.255.255.250",
    ],
)
def test_a_resolved_address_is_refused_too(address: str) -> None:
    assert (refused_address(address) or "").endswith(f"({address})")


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "10.1.2.3", "1.1.1.1", "2606:4700::1111"])
def test_a_resolved_address_may_be_near_or_far(address: str) -> None:
    assert refused_address(address) is None


def test_what_is_public_here_is_global_to_every_python_as_well() -> None:
    edges = {
        str(network[at] + step)
        for network in chain(NOT_PUBLIC, RESERVED, ASSIGNED)
        for at, step in ((0, -1), (0, 0), (0, 1), (-1, -1), (-1, 0), (-1, 1))
        if 0 <= int(network[at]) + step < 1 << network.max_prefixlen
    }
    public = {edge for edge in edges if is_public(edge)}
    assert {edge for edge in public if not ipaddress.ip_address(edge).is_global} == set()
    assert {"9.255.255.255", "11.0.0.0", "2001:200::", "3fff:1000::"} <= public


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("0x7f000001", "127.0.0.1"),
        ("0177.0.0.1", "127.0.0.1"),
        ("127.0.0.1.", "127.0.0.1"),
        ("::ffff:7f00:1", "::ffff:7f00:1"),
        ("fe80::1%eth0", "fe80::1"),
    ],
)
def test_an_address_is_known_by_any_spelling(host: str, address: str) -> None:
    assert spelled_address(host) == ipaddress.ip_address(address)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1.example", "1.2.3.4.5", "256.1.1.1"])
def test_a_name_is_no_address(host: str) -> None:
    assert spelled_address(host) is None
