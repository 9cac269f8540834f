"""Where the server listens."""

import errno
import socket

import pytest

from handler.cli.listening import is_own, listen, url_of
from handler.cli.trouble import Trouble


def close(sockets: list[socket.socket]) -> None:
    for held in sockets:
        held.close()


def test_takes_connections_before_the_server_runs() -> None:
    sockets = listen("127.0.0.1", 0)
    port = sockets[0].getsockname()[1]
    with socket.create_connection(("127.0.0.1", port), timeout=5):
        assert url_of("127.0.0.1", sockets) == f"http://127.0.0.1:{port}"
    close(sockets)


def test_all_addresses_of_a_host_share_one_port(monkeypatch: pytest.MonkeyPatch) -> None:
    both = [
        (socket.AF_INET, 1, 6, "", ("127.0.0.1", 0)),
        (socket.AF_INET, 1, 6, "", ("127.0.0.2", 0)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    sockets = listen("localhost", 0)
    assert len({held.getsockname()[1] for held in sockets}) == 1
    assert [held.getsockname()[0] for held in sockets] == ["127.0.0.1", "127.0.0.2"]
    close(sockets)


def test_an_address_that_this_machine_has_not_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    both = [
        (socket.AF_INET, 1, 6, "", ("127.0.0.1", 0)),
        (socket.AF_INET, 1, 6, "", ("192.0.2.1", 0)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    sockets = listen("localhost", 0)
    assert [held.getsockname()[0] for held in sockets] == ["127.0.0.1"]
    close(sockets)


def test_an_address_of_the_other_family_has_its_own_url() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        assert url_of("::1", [held]) == f"http://[::1]:{port}"


def test_nothing_stays_open_when_one_address_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.2", 0)) as held:
        port = held.getsockname()[1]
        both = [(socket.AF_INET, 1, 6, "", (host, 0)) for host in ("127.0.0.1", "127.0.0.2")]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
        with pytest.raises(Trouble, match="already in use"):
            listen("localhost", port)
    close(listen("127.0.0.1", port))


@pytest.mark.parametrize(
    ("code", "port", "said"),
    [
        (errno.EACCES, 80, "port 80 may not be used without more rights; choose another: .* 8000"),
        (errno.EADDRNOTAVAIL, 8000, "cannot listen on 127.0.0.1, port 8000: .*--port 8001"),
    ],
)
def test_a_port_that_cannot_be_had_is_told_with_another(
    monkeypatch: pytest.MonkeyPatch, code: int, port: int, said: str
) -> None:
    def refuse(*_: object, **__: object) -> socket.socket:
        raise OSError(code, "refused")

    monkeypatch.setattr(socket, "create_server", refuse)
    with pytest.raises(Trouble, match=said):
        listen("127.0.0.1", port)


def test_a_name_without_an_address_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(Trouble, match="--host localhost has no address"):
        listen("localhost", 8000)


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("127.0.0.1", True),
        ("localhost", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.2", False),
        ("example.com", False),
    ],
)
def test_tells_which_hosts_only_this_machine_reaches(host: str, own: bool) -> None:
    assert is_own(host) is own
