"""Signature Version 4. As slow to import as the SDK that it is a part of, and imported by the same
threads (see Clients)."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import NoCredentialsError

PORTS = {"https": 443, "http": 80}
# Of the headers given, those that AWS wants in the signature (IAM user guide, Create a signed AWS
# API request). The others may pass through hands that change them.
SIGNED = ("content-type",)


@dataclass(frozen=True, slots=True)
class SigV4:
    credentials: Credentials | None
    service: str
    region: str

    def headers(
        self, method: str, url: str, given: Mapping[str, str], body: bytes
    ) -> Mapping[str, str]:
        """Those to send besides the given ones. Asks for new credentials where these expire, which
        takes its time; raises what the SDK raises."""
        if self.credentials is None:
            raise NoCredentialsError
        kept = {name: given[name] for name in SIGNED if name in given}
        request = AWSRequest(method, url, headers={**kept, "host": _host(url)}, data=body)
        frozen = self.credentials.get_frozen_credentials()
        SigV4Auth(frozen, self.service, self.region).add_auth(request)
        return {name.lower(): str(value) for name, value in request.headers.items()}


def _host(url: str) -> str:
    """As a transport would write it, were it left to one."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else f"{parts.hostname}"
    usual = parts.port in (None, PORTS.get(parts.scheme))
    return host if usual else f"{host}:{parts.port}"
