"""Refusals and faults in the catalogue's words."""

from collections.abc import Mapping

from sangkien.api.errors.v1 import errors_pb2
from sangkien.text import catalogue


def worded(code: str, facts: Mapping[str, str | int], field: str) -> errors_pb2.ItemError:
    """The wire form of a code: both languages, facts filled in. A code without a text speaks for itself."""
    return errors_pb2.ItemError(
        code=code,
        field=field,
        message_vi=catalogue.message(code, facts, "vi"),
        message_en=catalogue.message(code, facts, "en"),
        fix_vi=catalogue.fix(code, facts, "vi"),
        fix_en=catalogue.fix(code, facts, "en"),
        facts={name: str(value) for name, value in facts.items()},
    )
