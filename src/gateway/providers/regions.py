"""Which addresses are AWS' own, and of which region: nothing is signed for another.

As AWS' endpoints are named (Bedrock user guide, Endpoints supported by Amazon Bedrock; AWS
PrivateLink, interface endpoints).
"""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

# What a service is signed as -> how the hosts that serve it begin.
HOSTS: Mapping[str, tuple[str, ...]] = {
    "bedrock": ("bedrock-runtime", "bedrock-runtime-fips"),
    "bedrock-mantle": ("bedrock-mantle", "bedrock-mantle-fips"),
}
REGION = r"(?P<region>[a-z]{2,8}(?:-[a-z0-9]+)+-[0-9]+)"
# Of every partition, and of interface endpoints in a VPC.
SUFFIX = (
    r"(?:vpce\.)?(?:amazonaws\.com(?:\.cn)?|amazonaws\.eu"
    r"|c2s\.ic\.gov|sc2s\.sgov\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)"
    r"|api\.aws|api\.amazonwebservices\.com\.cn|api\.amazonwebservices\.eu"
)
_BY_SERVICE = {
    service: re.compile(
        rf"(?:vpce-[a-z0-9-]+\.)?(?:{'|'.join(map(re.escape, hosts))})\.{REGION}\.(?:{SUFFIX})"
    )
    for service, hosts in HOSTS.items()
}


def region_of(url: str, service: str) -> str | None:
    """``us-east-1`` of ``https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1``; None where
    this service is not, or not behind TLS."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        return None
    pattern = _BY_SERVICE.get(service)
    found = pattern.fullmatch(host) if pattern and parts.scheme == "https" else None
    return found["region"] if found else None
