"""What went wrong at AWS, in words for whoever must mend it.

Nothing of what AWS or its SDK said is handed on: it may quote what was sent, secrets included.
"""

from collections.abc import Mapping

from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    HTTPClientError,
    InvalidRegionError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
    SSOError,
    TokenRetrievalError,
)
from botocore.exceptions import ConnectionError as NoConnection

from gateway.adapters.aws.use import THROTTLED, Use
from gateway.errors import Unavailable

DENIED = ("aws_access_denied", "is not allowed: give the role this action on this resource")
REFUSED = (
    "aws_credentials_refused",
    "was refused: the AWS credentials are wrong or expired, or this machine's clock is",
)
NO_CREDENTIALS = (
    "aws_no_credentials",
    "failed: no AWS credentials were found; give the function a role, or set AWS_PROFILE",
)
NO_REGION = ("aws_no_region", "failed: no AWS region; set AWS_DEFAULT_REGION")
UNREACHABLE = ("aws_unreachable", "failed: AWS cannot be reached, or hung up")
FAILED = ("aws_failed", "failed at AWS: try again in a moment")

CODES: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(
        (
            "ProvisionedThroughputExceededException",
            "RequestLimitExceeded",
            "ThrottledException",
            "Throttling",
            "ThrottlingException",
            "TooManyRequestsException",
        ),
        THROTTLED,
    ),
    **dict.fromkeys(("AccessDenied", "AccessDeniedException", "NotAuthorized"), DENIED),
    **dict.fromkeys(
        (
            "ExpiredToken",
            "ExpiredTokenException",
            "IncompleteSignatureException",
            "InvalidClientTokenId",
            "InvalidSignatureException",
            "MissingAuthenticationTokenException",
            "RequestExpired",
            "UnrecognizedClientException",
        ),
        REFUSED,
    ),
    "DecryptionFailure": ("aws_access_denied", "failed: its KMS key cannot be used (kms:Decrypt)"),
    "EncryptionFailure": (
        "aws_access_denied",
        "failed: its KMS key cannot be used (kms:GenerateDataKey)",
    ),
    "LimitExceededException": ("aws_quota", "failed: it is over a quota of this account"),
    "ResourceNotFoundException": (
        "aws_missing",
        "failed: there is none in this account and region; deploy it, or mend its name",
    ),
}
EXCEPTIONS: tuple[tuple[tuple[type[Exception], ...], tuple[str, str]], ...] = (
    (
        (
            NoCredentialsError,
            PartialCredentialsError,
            CredentialRetrievalError,
            TokenRetrievalError,
            SSOError,
            ProfileNotFound,
        ),
        NO_CREDENTIALS,
    ),
    ((NoRegionError, InvalidRegionError), NO_REGION),
    ((NoConnection, HTTPClientError), UNREACHABLE),
    ((ParamValidationError,), ("aws_refused", "was refused: a name or a value is malformed")),
    ((ValueError,), ("aws_configuration", "failed: AWS_ENDPOINT_URL is malformed")),
)


def fault_of(use: Use, error: Exception) -> Unavailable:
    if isinstance(error, ClientError):
        return _answered(use, error)
    if isinstance(error, ReadTimeoutError | ConnectTimeoutError):
        return use.timed_out()
    for kinds, said in EXCEPTIONS:
        if isinstance(error, kinds):
            return use.fault(*said)
    return use.fault("aws_failed", f"failed ({type(error).__name__})")


def _answered(use: Use, error: ClientError) -> Unavailable:
    code = code_of(error)
    # A key's policy is another thing to mend than the role's.
    if CODES.get(code) == DENIED and "KMS" in error.response["Error"].get("Message", ""):
        return use.fault(*CODES["DecryptionFailure"])
    if code in CODES:
        return use.fault(*CODES[code])
    if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500:
        return use.fault(*FAILED)
    return use.fault("aws_refused", f"was refused ({code})")


def code_of(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
