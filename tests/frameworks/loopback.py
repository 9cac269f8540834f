"""Keeps a process on this machine: whoever connects or looks up elsewhere is refused, and named.

As a program: `python loopback.py SCRIPT` runs the script so, and fails if it tried.
"""

import ipaddress
import runpy
import sys
from typing import Any

# What these frameworks would fetch or report of themselves.
QUIET = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "HF_HUB_OFFLINE": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_MODEL_CATALOG_URI": "",
    "DO_NOT_TRACK": "true",
    "LANGSMITH_TRACING": "false",
    "OPENAI_AGENTS_DISABLE_TRACING": "1",
}
STRAYED = 70  # the exit status of a script that tried

strays: list[str] = []


def stay() -> None:
    """For good: an audit hook cannot be taken away. It sees all that Python's sockets do."""
    sys.addaudithook(_watch)


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    match event, arguments:
        case (("socket.getaddrinfo" | "socket.gethostbyname"), (host, *_)):
            pass
        case (("socket.connect" | "socket.sendto"), (_, (host, *_))):
            pass
        case _:
            return
    if not _here(host):
        strays.append(f"{event} {host!r}")
        raise PermissionError(f"{event}: {host!r} is not on this machine")


def _here(host: object) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost"):
        return True
    try:
        return ipaddress.ip_address(str(name)).is_loopback
    except ValueError:
        return False


if __name__ == "__main__":
    stay()
    runpy.run_path(sys.argv[1], run_name="__main__")
    if strays:
        sys.stderr.write(f"left this machine: {strays}\n")
        sys.exit(STRAYED)
