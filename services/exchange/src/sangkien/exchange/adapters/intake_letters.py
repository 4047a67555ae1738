"""The port `Letters`: dossiers of this node with the names that another one needs, from intake and directory."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Final, Literal, cast

import grpc

from sangkien.api.directory.v1 import directory_pb2 as people
from sangkien.api.intake.v1 import intake_pb2 as pb
from sangkien.api.intake.v1.intake_pb2_grpc import IntakeServiceStub
from sangkien.chassis import DirectoryLookup
from sangkien.contracts.crossing import AttachedFile, DossierFiled, FiledAuthor
from sangkien.contracts.events import DossierFacts

_AT_ONCE: Final = 16
_WITHDRAWN: Final = "RUT"
_TIERS: Final = {
    pb.TIER_GRASSROOTS: "grassroots",
    pb.TIER_DISTRICT: "district",
    pb.TIER_CITY: "city",
    pb.TIER_NATIONAL: "national",
}
_Tier = Literal["grassroots", "district", "city", "national"]

MOST: Final = {"title": 500, "field": 300, "unit_name": 300, "full_name": 200, "job_title": 200, "staff_code": 60}
"""Characters that the contract carries of each; intake keeps more of some."""


class IntakeLetters:
    """Reads with this service's own token: intake gives exchange the names of what another node decides."""

    def __init__(self, intake: Callable[[], grpc.aio.Channel], directory: DirectoryLookup) -> None:
        self._intake = intake
        self._directory = directory

    async def written(self, facts: Sequence[DossierFacts], symbols: Mapping[str, str]) -> list[DossierFiled | None]:
        lane = asyncio.Semaphore(_AT_ONCE)

        async def fetched(one: DossierFacts) -> pb.Dossier:
            async with lane:
                request = pb.GetDossierRequest(dossier_id=one.dossier_id)
                return (await IntakeServiceStub(self._intake()).GetDossier(request)).dossier

        dossiers = await asyncio.gather(*[fetched(one) for one in facts])
        wanted = [
            dossier if dossier.version == one.version and dossier.state != _WITHDRAWN else None
            for one, dossier in zip(facts, dossiers, strict=True)
        ]
        units, persons = await self._names([one for one in wanted if one is not None])
        return [_letter(one, units, persons, symbols) if one is not None else None for one in wanted]

    async def _names(self, dossiers: Sequence[pb.Dossier]) -> tuple[dict[str, str], dict[str, people.Person]]:
        unit_ids = _each(one.content.unit_id for one in dossiers)
        nameless = _each(author.person_id for one in dossiers for author in one.content.authors if not author.full_name)
        units = await self._directory.organisations(unit_ids) if unit_ids else []
        persons = await self._directory.people(nameless) if nameless else []
        return {one.organisation_id: one.name for one in units}, {one.person_id: one for one in persons}


def _each(ids: Iterable[str]) -> list[str]:
    return [id for id in dict.fromkeys(ids) if id]


def _letter(
    dossier: pb.Dossier, units: Mapping[str, str], persons: Mapping[str, people.Person], symbols: Mapping[str, str]
) -> DossierFiled:
    content = dossier.content
    return DossierFiled(
        dossier_id=dossier.dossier_id,
        version=dossier.version,
        code=dossier.code,
        round_id=content.round_id,
        tier=cast("_Tier", _TIERS[content.tier]),
        initiative_id=content.initiative_id,
        decision_symbol=symbols.get(content.initiative_id, ""),
        title=_cut("title", content.title),
        field=_cut("field", content.field),
        unit_name=_cut("unit_name", units.get(content.unit_id, content.unit_name)),
        authors=tuple([_author(author, content.unit_id, persons.get(author.person_id)) for author in content.authors]),
        first_applied_on=_day(content.first_applied_on),
        filed_on=date.fromisoformat(content.filed_on),
        summary=content.summary,
        benefit=content.benefit,
        benefit_vnd=content.benefit_vnd,
        confidential=content.confidential,
        head_author=content.head_author,
        state_funded=content.state_funded,
        files=tuple([AttachedFile(sha256=file.sha256, size=file.size, name=file.name) for file in content.files]),
    )


def _author(author: pb.Author, unit_id: str, known: people.Person | None) -> FiledAuthor:
    """As filed, or as directory knows a person who was filed by id alone; one of the dossier's unit names none."""
    elsewhere = known is not None and known.organisation_id != unit_id
    return FiledAuthor(
        ref=author.person_id,
        full_name=_cut("full_name", author.full_name or (known.full_name if known else "") or author.person_id),
        birth_date=_day(author.birth_date),
        unit_name=_cut("unit_name", author.unit_name or (known.organisation_name if known and elsewhere else "")),
        job_title=_cut("job_title", author.job_title or (known.job_title if known else "")),
        staff_code=_cut("staff_code", author.staff_code),
        share=author.share,
    )


def _cut(name: str, text: str) -> str:
    return text[: MOST[name]]


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
