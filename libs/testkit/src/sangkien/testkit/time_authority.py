"""A time-stamping authority over HTTP (RFC 3161), with a root of its own, which tests may switch off."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sangkien.runtime import utc_now

_SHA256 = bytes.fromhex("300d06096086480165030402010500")
_TST_INFO = "1.2.840.113549.1.9.16.1.4"


class TimeAuthority:
    """Answers queries over SHA-256. While `answers` is False it says that it cannot (HTTP 503)."""

    def __init__(self) -> None:
        self.answers = True
        self.url = ""
        self._root_key, self._key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        self.root = self._certified("root", self._root_key, stamps=False)
        self._certificate = self._certified("stamps", self._key, stamps=True)

    def answer(self, query: bytes) -> bytes:
        """The response to a query, DER."""
        place = query.index(b"\x04\x20") + 2
        return self._response(query[place : place + 32])

    def _certified(self, name: str, key: ec.EllipticCurvePrivateKey, *, stamps: bool) -> x509.Certificate:
        named, by = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, cn)]) for cn in (name, "root"))
        now = utc_now()
        built = (
            x509.CertificateBuilder(by, named, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=not stamps, path_length=None), critical=True)
        )
        if stamps:
            built = built.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        return built.sign(self._root_key, hashes.SHA256())

    def _response(self, imprint: bytes) -> bytes:
        info = _der(
            0x30,
            b"\x02\x01\x01",
            _oid("1.2.3.4.1"),
            _der(0x30, _SHA256, _der(0x04, imprint)),
            b"\x02\x01\x07",
            _der(0x18, utc_now().strftime("%Y%m%d%H%M%SZ").encode()),
        )
        certificate = self._certificate.public_bytes(Encoding.DER)
        fingerprint = _der(0x04, hashlib.sha256(certificate).digest())
        signed = _der(
            0x31,
            _der(0x30, _oid("1.2.840.113549.1.9.3"), _der(0x31, _oid(_TST_INFO))),
            _der(0x30, _oid("1.2.840.113549.1.9.4"), _der(0x31, _der(0x04, hashlib.sha256(info).digest()))),
            _der(
                0x30,
                _oid("1.2.840.113549.1.9.16.2.47"),
                _der(0x31, _der(0x30, _der(0x30, _der(0x30, fingerprint)))),
            ),
        )
        serial = self._certificate.serial_number
        number = _der(0x02, serial.to_bytes(serial.bit_length() // 8 + 1, "big"))
        signer = _der(
            0x30,
            b"\x02\x01\x01",
            _der(0x30, self._certificate.issuer.public_bytes(), number),
            _SHA256,
            b"\xa0" + signed[1:],
            _der(0x30, _oid("1.2.840.10045.4.3.2")),
            _der(0x04, self._key.sign(signed, ec.ECDSA(hashes.SHA256()))),
        )
        content = _der(0x30, _oid(_TST_INFO), _der(0xA0, _der(0x04, info)))
        data = _der(0x30, b"\x02\x01\x03", _der(0x31, _SHA256), content, _der(0xA0, certificate), _der(0x31, signer))
        granted = _der(0x30, b"\x02\x01\x00")
        return _der(0x30, granted, _der(0x30, _oid("1.2.840.113549.1.7.2"), _der(0xA0, data)))


@contextmanager
def time_authority() -> Iterator[TimeAuthority]:
    """One that is served on loopback at `url`."""
    authority = TimeAuthority()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200 if authority.answers else 503)
            self.end_headers()
            if authority.answers:
                self.wfile.write(authority.answer(query))

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (named by the base class)
            """Nothing: the test says what it saw."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    authority.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, name="time-authority", daemon=True)
    thread.start()
    try:
        yield authority
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(sorted(parts) if tag == 0x31 else parts)
    size = len(content)
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, size) if size < 128 else (tag, 0x80 | len(octets), *octets)) + content


def _oid(dotted: str) -> bytes:
    numbers = [int(number) for number in dotted.split(".")]
    coded = bytearray([numbers[0] * 40 + numbers[1]])
    for number in numbers[2:]:
        sevens = [number & 127]
        rest = number >> 7
        while rest:
            sevens.append(rest & 127 | 128)
            rest >>= 7
        coded += bytes(reversed(sevens))
    return _der(0x06, bytes(coded))
