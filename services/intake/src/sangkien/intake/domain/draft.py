"""The content of a dossier, as its authors file it (đơn; TT 18/2013/TT-BKHCN, Phụ lục I)."""

from dataclasses import dataclass
from datetime import date

from sangkien.intake.domain.errors import (
    AppliedAfterFiling,
    AuthorsMissing,
    AuthorTwice,
    AuthorUnnamed,
    BenefitNegative,
    FiledInFuture,
    LimitationPassed,
    TextTooLong,
    TitleLength,
    TooManyAuthors,
    UnitMissing,
)
from sangkien.intake.domain.evidence import EvidenceFile, check_files
from sangkien.kernel import check_shares

LEAST_TITLE, MOST_TITLE = 5, 500
MOST_LINE, MOST_TEXT = 500, 20_000
MOST_AUTHORS = 50
MOST_VND = 2**53


@dataclass(frozen=True, slots=True)
class Author:
    """One author. `share` is in hundredths of a percent. `person_id` is "" until the person is found by name."""

    person_id: str
    full_name: str
    share: int
    birth_date: date | None = None
    unit_name: str = ""
    job_title: str = ""
    email: str = ""
    staff_code: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """What is filed, in normal form. Texts may be empty where the law does not ask for them; `benefit_vnd` 0 is none.

    `unit_id` is "" until the unit is found by name; `filed_on` is the legal day of filing.
    """

    round_id: str
    tier: str
    initiative_id: str
    title: str
    field: str
    unit_id: str
    unit_name: str
    authors: tuple[Author, ...]
    first_applied_on: date | None
    filed_on: date
    summary: str = ""
    benefit: str = ""
    benefit_vnd: int = 0
    confidential: str = ""
    head_author: bool = False
    state_funded: bool = False
    files: tuple[EvidenceFile, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether the unit and every author are known by id, so that nothing has to be looked up."""
        return bool(self.unit_id) and all(author.person_id for author in self.authors)


def check_draft(draft: Draft, today: date) -> None:
    """Accept content that can be filed. Raises a DraftRefused, or the refusals of `check_shares` and `check_files`."""
    if not LEAST_TITLE <= len(draft.title) <= MOST_TITLE:
        raise TitleLength(field="dossier.title", least=LEAST_TITLE, most=MOST_TITLE, length=len(draft.title))
    _check_lengths(draft)
    if not 0 <= draft.benefit_vnd <= MOST_VND:
        raise BenefitNegative(field="dossier.benefit_vnd")
    if not draft.unit_id and not draft.unit_name:
        raise UnitMissing(field="dossier.unit_name")
    _check_authors(draft.authors)
    if draft.filed_on > today:
        raise FiledInFuture(field="dossier.filed_on", filed_on=draft.filed_on.isoformat(), today=today.isoformat())
    applied = draft.first_applied_on
    if applied is not None and applied > draft.filed_on:
        raise AppliedAfterFiling(
            field="dossier.first_applied_on",
            first_applied_on=applied.isoformat(),
            filed_on=draft.filed_on.isoformat(),
        )
    if draft.files:
        check_files(draft.files)


def check_distinct(authors: tuple[Author, ...]) -> None:
    """Accept authors of whom no two are one person. Raises AuthorTwice."""
    seen: set[str] = set()
    for place, author in enumerate(authors):
        if author.person_id in seen:
            raise AuthorTwice(field=f"dossier.authors[{place}]", position=place + 1)
        if author.person_id:
            seen.add(author.person_id)


def limitation(draft: Draft) -> LimitationPassed | None:
    """A warning when the dossier comes more than one year after its first application.

    Source: NĐ 13/2012/NĐ-CP, Điều 5(2). Filing goes on; whether the term was kept is for the formal check to say.
    """
    applied = draft.first_applied_on
    if applied is None or applied.year == date.max.year:
        return None
    day = 28 if (applied.month, applied.day) == (2, 29) else applied.day
    limit = applied.replace(year=applied.year + 1, day=day)
    if draft.filed_on <= limit:
        return None
    return LimitationPassed(
        field="dossier.first_applied_on", first_applied_on=applied.isoformat(), limit=limit.isoformat()
    )


def _check_lengths(draft: Draft) -> None:
    for name, text, most in (
        ("field", draft.field, MOST_LINE),
        ("unit_name", draft.unit_name, MOST_LINE),
        ("summary", draft.summary, MOST_TEXT),
        ("benefit", draft.benefit, MOST_TEXT),
        ("confidential", draft.confidential, MOST_TEXT),
    ):
        if len(text) > most:
            raise TextTooLong(field=f"dossier.{name}", most=most, length=len(text))


def _check_authors(authors: tuple[Author, ...]) -> None:
    if not authors:
        raise AuthorsMissing(field="dossier.authors")
    if len(authors) > MOST_AUTHORS:
        raise TooManyAuthors(field="dossier.authors", most=MOST_AUTHORS)
    for place, author in enumerate(authors):
        if not author.person_id and not author.full_name:
            raise AuthorUnnamed(field=f"dossier.authors[{place}].full_name", position=place + 1)
        for name in ("full_name", "unit_name", "job_title", "email", "staff_code"):
            length = len(getattr(author, name))
            if length > MOST_LINE:
                raise TextTooLong(field=f"dossier.authors[{place}].{name}", most=MOST_LINE, length=length)
    check_distinct(authors)
    check_shares([author.share for author in authors])
