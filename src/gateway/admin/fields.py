"""The fields of what is configured: their names, addresses and moments, checked."""

import difflib
import re
from datetime import UTC, date, datetime, time
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from gateway.providers.addresses import refused_url
from gateway.providers.catalog import PROVIDERS
from gateway.providers.egress import AllowList

# First steps of our own paths: an endpoint of such a name could not be told from a route.
RESERVED = frozenset(
    ("anthropic", "api", "cohere", "gemini", "health", "mlflow", "openai", "proxy", "ready")
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,127}")
_ARN = re.compile(r"arn:aws[a-z\-]*:(iam|sts)::\d{12}:[\x21-\x7e]{1,512}")


LAST_MOMENT = 253_402_300_799  # of the year 9999: later ones have no date


def _known_provider(name: str) -> str:
    if name in PROVIDERS:
        return name
    close = difflib.get_close_matches(name, PROVIDERS, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"one of {', '.join(sorted(PROVIDERS))}"
    raise ValueError(f"unknown provider {name!r}; {hint}")


def _allowed_url(url: str) -> str:
    if why := refused_url(url):
        raise ValueError(why)
    return url.rstrip("/")


def _plain_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(
            "must be letters, digits, '.', '_' or '-', at most 128, not beginning with a mark"
        )
    return name


def _endpoint_name(name: str) -> str:
    if _plain_name(name) in RESERVED:
        raise ValueError(f"{name!r} is a word of the gateway's own paths; choose another name")
    return name


def _moment(value: Any) -> Any:
    """Seconds since 1970, of a date (its end, UTC) or a moment, however it was written."""
    if isinstance(value, str):
        try:
            whole_day = len(value) == len("2027-01-31")
            value = date.fromisoformat(value) if whole_day else datetime.fromisoformat(value)
        except ValueError:
            raise ValueError("must be a date or a moment: 2027-01-31, 2027-01-31T12:00Z") from None
    if isinstance(value, datetime):
        return int((value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp())
    if isinstance(value, date):
        return int(datetime.combine(value, time(23, 59, 59), UTC).timestamp())
    return value


def _arn(value: str) -> str:
    if not _ARN.fullmatch(value):
        raise ValueError("must be an IAM ARN: arn:aws:iam::123456789012:role/NAME")
    return value


def _allow_entry(entry: str) -> str:
    AllowList.parse([entry])
    return entry


EndpointName = Annotated[str, AfterValidator(_endpoint_name)]
Name = Annotated[str, AfterValidator(_plain_name)]
ProviderName = Annotated[str, AfterValidator(_known_provider)]
BaseUrl = Annotated[str, AfterValidator(_allowed_url)]
Text = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[^\x00-\x1f\x7f]+$")]
Moment = Annotated[int, BeforeValidator(_moment), Field(gt=0, le=LAST_MOMENT)]
Arn = Annotated[str, AfterValidator(_arn)]
AllowEntry = Annotated[str, AfterValidator(_allow_entry)]
SecretReference = Annotated[str, Field(pattern=r"^(vault|env|file):[A-Za-z0-9_.\-]+$")]
SecretValue = Annotated[str, Field(min_length=1, max_length=8192, pattern=r"^[\x21-\x7e]+$")]
