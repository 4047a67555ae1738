"""Time-stamps of an outside authority (RFC 3161) over the hub's stamps."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from cryptography.x509 import Certificate
from rfc3161_client import (
    HashAlgorithm,
    PKIStatus,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from sangkien.custody.errors import TimestampBroken

MOST_TOKEN_BYTES: Final = 64 * 1024
_GRANTED: Final = bytes.fromhex("3003020100")
"""PKIStatusInfo with status 0, in DER."""


def timestamp_request(stamp: str) -> bytes:
    """What to post to the authority for a stamp (`application/timestamp-query`).

    Asks for SHA-256 and the authority's certificate, so that the token can be checked years later with the root alone.
    Without a nonce: an old answer to the same question would be as good, and the request stays a function of the stamp.
    """
    return (
        TimestampRequestBuilder()
        .data(stamp.encode())
        .hash_algorithm(HashAlgorithm.SHA256)
        .nonce(nonce=False)
        .cert_request(cert_request=True)
        .build()
        .as_bytes()
    )


def timestamp_token(response_der: bytes, stamp: str) -> bytes:
    """The token in the authority's answer, to be kept with the stamp. Raises TimestampBroken: no answer, not granted,
    or over something else. Its signature is checked by `check_timestamp`, which needs the authority's root.
    """
    try:
        response = _decoded(response_der)
        granted = PKIStatus(response.status) in {PKIStatus.GRANTED, PKIStatus.GRANTED_WITH_MODS}
        token = response.time_stamp_token() if granted else b""
    except ValueError:
        raise TimestampBroken("token") from None
    if not token:
        raise TimestampBroken("token")
    check_imprint(token, stamp)
    return token


def check_imprint(token_der: bytes, stamp: str) -> None:
    """See that a token is over this stamp, whoever issued it. Raises TimestampBroken."""
    _see_imprint(_response(token_der), stamp)


def check_timestamp(token_der: bytes, stamp: str, roots: Sequence[Certificate]) -> datetime:
    """When the authority saw the stamp.

    Checked are the signature, the certificate's chain to one of `roots` at that time and its purpose (critical extended
    key usage timeStamping), and that the token is over the SHA-256 of the stamp. Revocation is not: that needs a list
    from the authority. Raises TimestampBroken, and ValueError without roots.
    """
    if not roots:
        raise ValueError("no root certificate to check a time-stamp with")
    response = _response(token_der)
    _see_imprint(response, stamp)
    try:
        VerifierBuilder(roots=list(roots)).build().verify(response, _digest(stamp))
        return response.tst_info.gen_time
    except (VerificationError, ValueError):
        raise TimestampBroken("token") from None


def _response(token_der: bytes) -> TimeStampResponse:
    """The token as the answer it came in: the library reads only answers."""
    try:
        return _decoded(_sequence(_GRANTED + token_der))
    except ValueError:
        raise TimestampBroken("token") from None


def _decoded(response_der: bytes) -> TimeStampResponse:
    if len(response_der) > MOST_TOKEN_BYTES:
        raise TimestampBroken("token")
    return decode_timestamp_response(response_der)


def _see_imprint(response: TimeStampResponse, stamp: str) -> None:
    try:
        imprint = response.tst_info.message_imprint.message
    except ValueError:
        raise TimestampBroken("token") from None
    if imprint != _digest(stamp):
        raise TimestampBroken("imprint")


def _digest(stamp: str) -> bytes:
    return hashlib.sha256(stamp.encode()).digest()


def _sequence(content: bytes) -> bytes:
    """DER of a SEQUENCE with this content (X.690 §8.1.3)."""
    size = len(content)
    if size < 0x80:
        return bytes((0x30, size)) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((0x30, 0x80 | len(octets))) + octets + content
