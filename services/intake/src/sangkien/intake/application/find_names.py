"""Finds the ids behind names of units and people, for many drafts with as few questions as possible."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from sangkien.intake.application.ports import Directory, PersonAsked, PersonTurnedDown, UnitAnswer
from sangkien.intake.domain.draft import Author, Draft
from sangkien.intake.domain.errors import PersonRefused, UnitAmbiguous, UnitUnknown
from sangkien.kernel import Refusal


async def find_names(directory: Directory, drafts: Sequence[Draft]) -> list[Draft | Refusal]:
    """Each draft with the ids of its unit and its authors, or why one was not found. Raises DirectoryDown.

    An author's own unit is looked up where it is named and differs from the dossier's. People are registered only for
    drafts whose units are all known. Complete drafts cost nothing.
    """
    if all(draft.complete for draft in drafts):
        return list(drafts)
    units = await _units(directory, drafts)
    answers: list[Draft | Refusal] = []
    asked: dict[PersonAsked, None] = {}
    for draft in drafts:
        placed = _placed(draft, units)
        answers.append(placed)
        if not isinstance(placed, Refusal):
            asked.update(
                dict.fromkeys(_asked(placed, author, units) for author in placed.authors if not author.person_id)
            )
    people = dict(zip(asked, await directory.people(list(asked)), strict=True)) if asked else {}
    return [
        answer if isinstance(answer, Refusal) or answer.complete else _with_people(answer, units, people)
        for answer in answers
    ]


_Units = dict[tuple[str, date], UnitAnswer]


async def _units(directory: Directory, drafts: Sequence[Draft]) -> _Units:
    """The answer for every name that matters, by name and day."""
    wanted: dict[date, dict[str, None]] = {}
    for draft in drafts:
        names = wanted.setdefault(draft.filed_on, {})
        if not draft.unit_id:
            names[draft.unit_name] = None
        for author in draft.authors:
            if not author.person_id and author.unit_name and author.unit_name != draft.unit_name:
                names[author.unit_name] = None
    found: _Units = {}
    for on, names in wanted.items():
        if names:
            answers = await directory.units(list(names), on)
            found.update({(name, on): answer for name, answer in zip(names, answers, strict=True)})
    return found


def _placed(draft: Draft, units: _Units) -> Draft | Refusal:
    """The draft with its unit's id, once all its units are known."""
    try:
        unit_id = draft.unit_id or _known("dossier.unit_name", units[draft.unit_name, draft.filed_on])
        for place, author in enumerate(draft.authors):
            own = units.get((author.unit_name, draft.filed_on)) if not author.person_id and author.unit_name else None
            if own is not None:
                _known(f"dossier.authors[{place}].unit_name", own)
    except Refusal as refusal:
        return refusal
    return replace(draft, unit_id=unit_id)


def _known(field: str, answer: UnitAnswer) -> str:
    if answer.unit_id:
        return answer.unit_id
    suggestions = "; ".join(answer.suggestions[:3])
    if answer.ambiguous:
        raise UnitAmbiguous(field=field, suggestions=suggestions)
    raise UnitUnknown(field=field, suggestions=suggestions or "–", suggested=len(answer.suggestions[:3]))


def _asked(draft: Draft, author: Author, units: _Units) -> PersonAsked:
    own = units.get((author.unit_name, draft.filed_on)) if author.unit_name else None
    return PersonAsked(
        unit_id=own.unit_id if own is not None and author.unit_name != draft.unit_name else draft.unit_id,
        full_name=author.full_name,
        birth_date=author.birth_date,
        staff_code=author.staff_code,
        email=author.email,
        job_title=author.job_title,
    )


def _with_people(draft: Draft, units: _Units, people: dict[PersonAsked, str | PersonTurnedDown]) -> Draft | Refusal:
    authors = []
    for place, author in enumerate(draft.authors):
        if author.person_id:
            authors.append(author)
            continue
        found = people[_asked(draft, author, units)]
        if isinstance(found, PersonTurnedDown):
            return PersonRefused(
                field=f"dossier.authors[{place}]", position=place + 1, reason=found.reason, why=found.why
            )
        authors.append(replace(author, person_id=found))
    return replace(draft, authors=tuple(authors))
