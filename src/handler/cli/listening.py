"""Where the server listens: checked and bound before anything else is started."""

import errno
import socket

from handler.cli.trouble import Trouble
from handler.local_guard import is_loopback

BACKLOG = 2048


def listen(host: str, port: int) -> list[socket.socket]:
    """Sockets that already take connections, one for each address of the host."""
    sockets: list[socket.socket] = []
    for family, address in _addresses(host):
        # A port that the system chose for the first address serves the others too.
        free = sockets[0].getsockname()[1] if sockets else port
        try:
            sockets.append(socket.create_server((address, free), family=family, backlog=BACKLOG))
        except OSError as error:
            if sockets and error.errno in _NO_SUCH_ADDRESS:
                continue
            for bound in sockets:
                bound.close()
            raise Trouble(_why_not(error, host, port)) from error
    return sockets


def url_of(host: str, sockets: list[socket.socket]) -> str:
    port = sockets[0].getsockname()[1]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


_NO_SUCH_ADDRESS = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


def is_own(host: str) -> bool:
    """Whether only this machine can reach it there."""
    return is_loopback(f"//[{host}]" if ":" in host else f"//{host}")


def _addresses(host: str) -> list[tuple[socket.AddressFamily, str]]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Trouble(f"--host {host} has no address; leave it out (127.0.0.1)") from error
    return list(dict.fromkeys((family, str(address[0])) for family, _, _, _, address in found))


def _why_not(error: OSError, host: str, port: int) -> str:
    another = f"choose another: sluicegate serve --port {port + 1 if port >= 1024 else 8000}"
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is already in use; {another}"
    if error.errno == errno.EACCES:
        return f"port {port} may not be used without more rights; {another}"
    return f"cannot listen on {host}, port {port}: {error.strerror}; {another}"
