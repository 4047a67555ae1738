"""Reads: one dossier, many, the receipt's data."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sangkien.intake.application.evidence import Evidence
from sangkien.intake.application.ports import Caller, Councils, Directory, Dossiers, Rounds
from sangkien.intake.application.visibility import EVERYTHING, may_judge, may_read_names, may_see, streams
from sangkien.intake.domain.codes import read_receipt_code
from sangkien.intake.domain.dossier import Dossier
from sangkien.intake.domain.draft import Draft
from sangkien.intake.domain.errors import DossierUnknown, EvidenceForbidden, EvidenceUnknown
from sangkien.intake.domain.evidence import EvidenceFile


@dataclass(frozen=True, slots=True)
class View:
    """A dossier with its latest content, as this caller may see it."""

    dossier: Dossier
    draft: Draft
    held: tuple[bool, ...]
    """Of each of the draft's files, in order: whether it is here whole."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to list; empty fields do not narrow. `before` is the id of the last dossier of the page before."""

    round_id: str = ""
    unit_id: str = ""
    state: str = ""
    limit: int = 100
    before: str = ""


@dataclass(frozen=True, slots=True)
class ReceiptFacts:
    """What a receipt says, with the names that only the directory knows. `filed_at` is the recorded time."""

    code: str
    title: str
    filer: str
    filer_unit: str
    receiver: str
    filed_on: date
    filed_at: datetime
    answer_due: date
    confidential: bool


class Queries:
    """Reads of dossiers. A dossier the caller may not know of is one that does not exist.

    Members of the council read what they judge, names and evidence too; whether they may is asked of review each time,
    which knows of conflicts the moment they are declared.
    """

    def __init__(
        self, dossiers: Dossiers, rounds: Rounds, directory: Directory, evidence: Evidence, councils: Councils
    ) -> None:
        self._councils = councils
        self._dossiers = dossiers
        self._rounds = rounds
        self._directory = directory
        self._evidence = evidence

    async def get(self, id_or_code: str, caller: Caller) -> View:
        """Raises DossierUnknown, ReviewDown."""
        dossier, names = await self._seen(id_or_code, caller)
        drafts, held = await self._contents([dossier])
        return _view(dossier, drafts[dossier.dossier_id], caller, held, names=names)

    async def file(self, id_or_code: str, sha256: str, caller: Caller) -> EvidenceFile:
        """The file of the latest version. Raises DossierUnknown, EvidenceForbidden, EvidenceUnknown, ReviewDown.

        A file cannot be shown without the names in it: only those read it who may read the dossier's.
        """
        dossier, names = await self._seen(id_or_code, caller)
        if not names:
            raise EvidenceForbidden(field="dossier_id")
        draft = (await self._dossiers.drafts([dossier]))[dossier.dossier_id]
        for file in draft.files:
            if file.sha256 == sha256:
                return file
        raise EvidenceUnknown(field="sha256")

    async def list(self, wanted: Wanted, caller: Caller) -> tuple[Sequence[View], str]:
        """A page, newest first, and where the next one begins ("" at the end)."""
        limit = wanted.limit
        narrow = {
            name: value
            for name, value in (("round_id", wanted.round_id), ("unit_id", wanted.unit_id), ("state", wanted.state))
            if value
        }
        found: dict[str, Dossier] = {}
        for stream in streams(caller):
            if any(narrow.get(name, value) != value for name, value in stream.items()):
                continue
            page = await self._dossiers.newest({**narrow, **stream}, before=wanted.before, limit=limit + 1)
            found.update({one.dossier_id: one for one in page})
        if not caller.roles & EVERYTHING and caller.person_id:
            found.update(await self._authored(caller.person_id, narrow, wanted.before, limit + 1))
        ordered = [found[id] for id in sorted(found, reverse=True)]
        page, more = ordered[:limit], len(ordered) > limit
        drafts, held = await self._contents(page)
        views = [_view(one, drafts[one.dossier_id], caller, held, names=may_read_names(caller, one)) for one in page]
        return views, page[-1].dossier_id if more else ""

    async def receipt(self, dossier_id: str, caller: Caller) -> ReceiptFacts:
        """Raises DossierUnknown, DirectoryDown."""
        dossier, _ = await self._seen(dossier_id, caller)
        draft = (await self._dossiers.drafts([dossier]))[dossier.dossier_id]
        filer = dossier.filed_by or dossier.author_ids[0]
        people = await self._directory.named([filer])
        within = await self._rounds.get(dossier.round_id)
        units = [unit for unit in (within.owner_id if within else "", draft.unit_id) if unit]
        names = await self._directory.unit_names(units)
        receiver = names.get(within.owner_id, "") if within else ""
        person = people.get(filer)
        return ReceiptFacts(
            code=dossier.code,
            title=draft.title,
            filer=person.full_name if person else draft.authors[0].full_name or filer,
            filer_unit=person.unit_name if person and person.unit_name else names.get(draft.unit_id, draft.unit_name),
            receiver=receiver or (within.name if within else dossier.round_id),
            filed_on=dossier.filed_on,
            filed_at=await self._dossiers.filed_at(dossier.dossier_id),
            answer_due=dossier.answer_due,
            confidential=bool(draft.confidential),
        )

    async def _authored(self, person_id: str, narrow: dict[str, str], before: str, limit: int) -> dict[str, Dossier]:
        """Own dossiers are few, so that narrowing them after reading is cheap; it goes on until the page is full."""
        kept: dict[str, Dossier] = {}
        while len(kept) < limit:
            ids = await self._dossiers.authored(person_id, before=before, limit=limit)
            for id, one in (await self._dossiers.get_many(ids)).items():
                fits = all(getattr(one, name) == value for name, value in narrow.items())
                kept.update({id: one} if fits and person_id in one.author_ids else {})
            if len(ids) < limit:
                break
            before = ids[-1]
        return kept

    async def _contents(self, dossiers: Sequence[Dossier]) -> tuple[Mapping[str, Draft], Collection[str]]:
        """The latest content of each, and which of the files it names are here."""
        drafts = await self._dossiers.drafts(dossiers)
        files = [file for draft in drafts.values() for file in draft.files]
        return drafts, await self._evidence.held(files) if files else frozenset()

    async def _seen(self, id_or_code: str, caller: Caller) -> tuple[Dossier, bool]:
        """The dossier, and whether the caller may read the names in it."""
        code = read_receipt_code(id_or_code)
        dossier_id = await self._dossiers.id_of_code(code) if code else id_or_code
        dossier = await self._dossiers.get(dossier_id) if dossier_id else None
        if dossier is not None and may_see(caller, dossier):
            return dossier, may_read_names(caller, dossier)
        asked = dossier is not None and may_judge(caller, dossier)
        if dossier is None or not asked or not await self._councils.may_judge(dossier.dossier_id, caller.person_id):
            raise DossierUnknown(field="dossier_id")
        return dossier, True


def _view(dossier: Dossier, draft: Draft, caller: Caller, held: Collection[str], *, names: bool) -> View:
    here = tuple([file.sha256 in held for file in draft.files])
    if names:
        return View(dossier, draft, here)
    authors = [
        replace(author, full_name="", birth_date=None, job_title="", email="", staff_code="")
        for author in draft.authors
    ]
    # A file's name often is a person's, and whoever knows its hash might name the file as evidence of their own.
    files = [replace(file, name="", sha256=file.sha256 if caller.service else "") for file in draft.files]
    return View(dossier, replace(draft, authors=tuple(authors), files=tuple(files)), here)
