"""Legal documents as PDF: certificates, decisions, minutes, receipts; and what fixes a document at issue."""

from sangkien.documents.certificate import Certificate, qr_code, render_certificate
from sangkien.documents.decision import Annex, Column, Decision, Section, numbered, render_decision
from sangkien.documents.errors import DocumentError
from sangkien.documents.minutes import Attendee, Minutes, Vote, render_minutes
from sangkien.documents.parts import Letterhead, Signature
from sangkien.documents.receipt import Receipt, render_receipt
from sangkien.documents.sealing import Json, canonical_json, check_code, grouped, read_check_code, sha256_hex

__all__ = [
    "Annex",
    "Attendee",
    "Certificate",
    "Column",
    "Decision",
    "DocumentError",
    "Json",
    "Letterhead",
    "Minutes",
    "Receipt",
    "Section",
    "Signature",
    "Vote",
    "canonical_json",
    "check_code",
    "grouped",
    "numbered",
    "qr_code",
    "read_check_code",
    "render_certificate",
    "render_decision",
    "render_minutes",
    "render_receipt",
    "sha256_hex",
]
