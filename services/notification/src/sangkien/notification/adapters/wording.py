"""Notices in the words of the one catalogue, and codes of the rule sets in words."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import cache

from sangkien.notification.application.ports import Line, Words
from sangkien.notification.domain.notice import DIGEST_KIND, Facts, Kind, Occasion
from sangkien.rules import NoRuleOnDate, Reason, refusal_reasons, shortcomings
from sangkien.text.catalogue import Lang, label, message, placeholders

_BETWEEN_LANGUAGES = "\n\n----\n\n"


class CatalogueWording:
    """The `Wording` port. A template that is not given exactly its facts is a mistake, and is never sent."""

    def words(self, occasion: Occasion) -> Words:
        english = {**occasion.facts, **occasion.facts_en}
        subject_code, body_code, wanted = _template(occasion.kind)
        if not wanted <= occasion.facts.keys():
            raise LookupError(f"{occasion.kind} lacks {', '.join(sorted(wanted - occasion.facts.keys()))}")
        subject = message(subject_code, occasion.facts)
        body = message(body_code, occasion.facts)
        subject_en = message(subject_code, english, "en")
        body_en = message(body_code, english, "en")
        return Words(subject, body, *_mail((subject, body), (subject_en, body_en)))

    def digest(self, lines: Sequence[Line]) -> tuple[str, str]:
        return _mail(_digest(lines, "vi"), _digest(lines, "en"))


class RuleGlossary:
    """The `Glossary` port on the rule sets and the labels."""

    def refusal(self, code: str, on: date) -> tuple[str, str]:
        return _in_words([code], on, refusal_reasons)

    def recognition(self, code: str) -> tuple[str, str]:
        return _labelled("recognition_reason", code)

    def not_received(self, code: str) -> tuple[str, str]:
        return _labelled("not_received", code)

    def shortcomings(self, codes: Iterable[str], on: date) -> tuple[str, str]:
        return _in_words(codes, on, shortcomings)


def _labelled(group: str, code: str) -> tuple[str, str]:
    key = f"{group}.{code}"
    vi, en = label(key), label(key, "en")
    return (vi, en) if vi != key else (code, code)


def _digest(lines: Sequence[Line], lang: Lang) -> tuple[str, str]:
    name = f"notice.{DIGEST_KIND}"
    listed = [message(f"{name}.line", {**line.facts, "number": at}, lang) for at, line in enumerate(lines, start=1)]
    facts: Facts = {"count": len(lines), "initiatives": "\n".join(listed)}
    return message(f"{name}.subject", facts, lang), message(f"{name}.body", facts, lang)


def _mail(vi: tuple[str, str], en: tuple[str, str]) -> tuple[str, str]:
    return f"{vi[0]} / {en[0]}", f"{vi[1]}{_BETWEEN_LANGUAGES}{en[1]}"


@cache
def _template(kind: Kind) -> tuple[str, str, frozenset[str]]:
    subject, body = f"notice.{kind}.subject", f"notice.{kind}.body"
    return subject, body, placeholders(subject) | placeholders(body)


def _in_words(codes: Iterable[str], on: date, listed: Callable[[date], dict[str, Reason]]) -> tuple[str, str]:
    try:
        words = listed(on)
    except NoRuleOnDate:
        words = {}
    pairs = [(words[code].vi, words[code].en) if code in words else (code, code) for code in codes]
    return "; ".join(vi for vi, _ in pairs), "; ".join(en for _, en in pairs)
