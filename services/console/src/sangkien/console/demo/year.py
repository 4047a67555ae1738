"""The whole year, in order: who exists, what is filed, decided, sent up, rewarded and told."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import Protocol

from sangkien.api.intake.v1 import intake_pb2 as intake
from sangkien.api.intake.v1.intake_pb2_grpc import IntakeServiceStub
from sangkien.api.recognition.v1 import recognition_pb2_grpc
from sangkien.api.review.v1 import review_pb2 as rev
from sangkien.api.review.v1 import review_pb2_grpc
from sangkien.api.reward.v1 import reward_pb2 as rew
from sangkien.api.reward.v1 import reward_pb2_grpc
from sangkien.console.demo.actors import Actor, DemoFailed
from sangkien.console.demo.cast import Casting
from sangkien.console.demo.council import CouncilWork, Held, Panel, Said, after
from sangkien.console.demo.evidence import read_back, write_evidence
from sangkien.console.demo.places import Place, Places
from sangkien.console.demo.register import Register
from sangkien.console.demo.scenario import RoundPlan, Scenario
from sangkien.console.demo.workbooks import write_workbooks
from sangkien.console.importing import ImportReport, file_drafts, import_file
from sangkien.console.patience import patiently, until
from sangkien.rules import Tier

MEMBERS = 9
SENT_UP_FOR_EACH = 3
"""Dossiers sent to the city for each that it recognises; the report does not say how many were."""


@dataclass(slots=True)
class Story:
    """What the driver has to remember: ids the services gave it. Figures are read from the services afterwards."""

    rounds: dict[str, str] = field(default_factory=dict)
    """Round id by name."""
    decisions: list[str] = field(default_factory=list)
    """Recognition decisions of the district, in order."""
    city_round: str = ""
    reward_decision: str = ""
    a_dossier: str = ""
    evidence_files: int = 0
    evidence_bytes: int = 0
    """Of the files that came with dossiers, read back whole."""


class Drill(Protocol):
    """What is made to go wrong while the year is played."""

    async def before_file(self, round_number: int, place: int, of: int) -> None:
        """Before spreadsheet `place` (from 0) `of` so many of a round (from 1) is filed."""
        ...

    async def after_files(self, round_number: int) -> None:
        """After the last spreadsheet of the round."""
        ...


class Year:
    """Drives one scenario through a node. Every step may be repeated: the keys it sends are the same each time."""

    def __init__(
        self,
        places: Places,
        scenario: Scenario,
        *,
        seed: int,
        workdir: Path,
        said: Said,
        drill: Drill | None = None,
    ) -> None:
        self._filing, self._council, self._city = places.filing, places.council, places.city
        self._places = places
        self._scenario = scenario
        self._seed = seed
        self._workdir = workdir
        self._said = said
        self._drill = drill
        self._casting = Casting(scenario, seed)
        self._cast = self._casting.cast()
        self._key = f"{scenario.slug}:{seed}"
        self.story = Story()

    async def play(self) -> Story:
        """All of it. Raises DemoFailed, WaitedTooLong and what a service refused."""
        await self._found_organisations()
        officer = await self._staff(self._filing, "Cán bộ công đoàn", self._filing.office, "union_officer")
        council = await self._panel(self._scenario.tier, self._council, self._council.district, self._scenario.council)
        council_id = await self._set_up(council, self._scenario.set_up_by, self._scenario.set_up_on)
        for number, plan in enumerate(self._scenario.rounds, start=1):
            reformed_on = self._scenario.reformed_on
            before = self._scenario.rounds[number - 2].session_on if number > 1 else date.min
            if reformed_on and before < reformed_on <= plan.session_on:
                council = await self._reform(council, council_id, reformed_on)
            await self._hold(number, plan, council, council_id, officer)
        await self._send_up(await self._sender(officer), council)
        await self._reward(council)
        for place in self._places.all:
            place.save_accounts()
        return self.story

    async def _found_organisations(self) -> None:
        for place in self._places.all:
            await place.found(self._scenario, self._cast.units)
        if self._places.apart:
            await self._filing.add_union(f"Liên đoàn Lao động {self._scenario.district}")
        self._said("Đơn vị", len(self._council.units), len(self._council.units))

    async def _staff(self, place: Place, job: str, organisation_id: str, *roles: str) -> Actor:
        return await place.registrar.actor(self._casting.person(job), organisation_id, roles)

    async def _panel(self, tier: Tier, place: Place, owner_id: str, name: str) -> Panel:
        secretary = await self._staff(place, "Thư ký hội đồng", owner_id, "secretary")
        leader = await self._staff(place, "Chủ tịch", owner_id, "leader")
        members = [await self._staff(place, "Ủy viên hội đồng", owner_id, "council_member") for _ in range(MEMBERS)]
        self._said(name, MEMBERS, MEMBERS)
        return Panel(name, tier, owner_id, secretary, leader, tuple(members))

    def _review(self, panel: Panel) -> "review_pb2_grpc.ReviewServiceStub":
        place = self._city if panel.tier == "city" else self._council
        return review_pb2_grpc.ReviewServiceStub(place.node.channel("review", panel.secretary.token))

    async def _set_up(self, panel: Panel, decision: str, on: date) -> str:
        request = rev.CreateCouncilRequest(
            idempotency_key=f"{self._key}:council:{panel.tier}",
            name=panel.name,
            tier=panel.tier,
            owner_id=panel.owner_id,
            established_by=decision,
            established_on=on.isoformat(),
            members=panel.listed(),
            sheet="vn/ha-noi",
        )
        return str((await patiently(self._review(panel).CreateCouncil, request)).council_id)

    async def _reform(self, panel: Panel, council_id: str, on: date) -> Panel:
        """Two members leave, two come: the rounds before keep the members they had."""
        fresh = [
            await self._staff(self._council, "Ủy viên hội đồng", panel.owner_id, "council_member") for _ in range(2)
        ]
        members = (*panel.members[:-2], *fresh)
        after_reform = Panel(panel.name, panel.tier, panel.owner_id, panel.secretary, panel.leader, members)
        request = rev.ReformCouncilRequest(
            council_id=council_id,
            established_by=self._scenario.reformed_by,
            established_on=on.isoformat(),
            members=after_reform.listed(),
        )
        await patiently(self._review(panel).ReformCouncil, request)
        return after_reform

    async def _open_round(self, panel: Panel, council_id: str, name: str, group: str, opens: date, closes: date) -> str:
        request = rev.OpenRoundRequest(
            idempotency_key=f"{self._key}:round:{panel.tier}:{name}",
            council_id=council_id,
            name=name,
            group=group,
            opens_on=opens.isoformat(),
            closes_on=closes.isoformat(),
        )
        return str((await patiently(self._review(panel).OpenRound, request)).round_id)

    async def _hold(self, number: int, plan: RoundPlan, panel: Panel, council_id: str, officer: Actor) -> None:
        round_id = await self._open_round(panel, council_id, plan.name, plan.group, plan.opens_on, plan.closes_on)
        self.story.rounds[plan.name] = round_id
        if not plan.filed:
            await self._close(panel, round_id, after(plan.session_on, -3))
            return
        await self._file(number, plan, round_id, officer)
        work = CouncilWork(
            self._council.node,
            panel,
            key=f"{self._key}:{number}",
            seed=f"{self._key}:{number}",
            said=_named(plan.name, self._said),
        )
        held = await self._carry(work, panel, round_id, plan.filed, plan.recognised, plan.session_on, plan.decided_on)
        self.story.decisions.append(held.decision_id)
        if held.recognised != plan.recognised:
            raise DemoFailed(f"{plan.name}: the council recognised {held.recognised}, the verdicts said otherwise")

    async def _file(self, number: int, plan: RoundPlan, round_id: str, officer: Actor) -> None:
        """The spreadsheets of a round, a unit after the other, with what evidence they name."""
        drafts, folder = self._cast.rounds[number - 1], self._workdir / f"dot-{number}"
        evidence = write_evidence(folder / "minh-chung", drafts, f"{self._key}:{number}")
        files = write_workbooks(folder, drafts, evidence)
        filed, channel = 0, self._filing.node.channel("intake", officer.token)
        for place, file in enumerate(files):
            if self._drill:
                await self._drill.before_file(number, place, len(files))
            one = partial(import_file, channel, file, round_id=round_id, evidence=folder / "minh-chung")
            report = await until("the round to be known where it is filed for", one, _round_known)
            if report.rejected:
                first = report.rejected[0]
                raise DemoFailed(f"{file.name}: row {first.row}, {first.column}: {first.message}")
            filed += report.filed + report.already
            self._said(f"{plan.name}: nộp hồ sơ", filed, plan.filed)
        count, size = await read_back(IntakeServiceStub(channel), round_id, sum(map(len, evidence.values())))
        self.story.evidence_files += count
        self.story.evidence_bytes += size
        if self._drill:
            await self._drill.after_files(number)

    async def _close(self, panel: Panel, round_id: str, on: date) -> None:
        close = rev.CloseRoundRequest(round_id=round_id, closed_on=on.isoformat())
        await patiently(self._review(panel).CloseRound, close)

    async def _carry(
        self,
        work: CouncilWork,
        panel: Panel,
        round_id: str,
        filed: int,
        passing: int,
        session_on: date,
        decided_on: date,
    ) -> Held:
        cases = await work.cases(round_id, "", filed)  # in any state: a year that goes on finds them further on
        self.story.a_dossier = self.story.a_dossier or cases[0].dossier_id
        closed_on = after(session_on, -3)
        await self._close(panel, round_id, closed_on)
        await work.check(cases, closed_on)
        reviewers = await work.assign(cases, closed_on)
        await work.judge(round_id, reviewers, passing, session_on)
        return await work.decide(round_id, filed, last_number=2055, on=decided_on)

    async def _sender(self, officer: Actor) -> Actor:
        """Who files for the district with the city: the same officer, where the district has no node of its own."""
        if not self._places.apart:
            return officer
        return await self._staff(self._council, "Chuyên viên", self._council.district, "union_officer")

    async def _send_up(self, officer: Actor, district: Panel) -> None:
        """The best go to the city's council, as dossiers of their own about the initiative."""
        wanted = self._scenario.city_recognised
        if not wanted:
            return
        last = self._scenario.rounds[-1].decided_on
        city = await self._panel("city", self._city, self._city.city, "Hội đồng sáng kiến Thành phố Hà Nội")
        council_id = await self._set_up(city, "1/QĐ-UBND", after(last, -30))
        round_id = await self._open_round(city, council_id, "Cấp Thành phố", "", last, after(last, 5))
        self.story.city_round = round_id
        register = self._register(district)
        authors = await register.authors(self.story.decisions)
        recognised = await register.recognised(self.story.rounds.values())
        chosen = recognised[: wanted * SENT_UP_FOR_EACH]
        drafts = [
            (
                f"{self._key}:city:{initiative.initiative_id}",
                intake.Draft(
                    round_id=round_id,
                    tier=intake.TIER_CITY,
                    initiative_id=initiative.initiative_id,
                    title=initiative.title,
                    field="Sáng kiến Thủ đô",
                    unit_id=initiative.unit_id,
                    authors=_shared(authors[initiative.initiative_id]),
                    filed_on=after(last, 1).isoformat(),
                    summary=f"Đã được công nhận tại Quyết định {initiative.decision_symbol}.",
                ),
            )
            for initiative in chosen
        ]
        await file_drafts(self._council.node.channel("intake", officer.token), drafts)
        work = CouncilWork(
            self._city.node,
            city,
            key=f"{self._key}:city",
            seed=f"{self._key}:city",
            said=_named("Thành phố", self._said),
        )
        await self._carry(work, city, round_id, len(chosen), wanted, after(last, 10), after(last, 12))

    def _register(self, panel: Panel) -> Register:
        token = panel.secretary.token
        return Register(recognition_pb2_grpc.RecognitionServiceStub(self._council.node.channel("recognition", token)))

    async def _reward(self, panel: Panel) -> None:
        """The secretary proposes names and a form. What each is worth, and the total, are reward's to say."""
        scenario = self._scenario
        if not scenario.collectives + scenario.individuals:
            return
        number, _, suffix = scenario.reward_decision.partition("/")
        stub = reward_pb2_grpc.RewardServiceStub(self._council.node.channel("reward", panel.secretary.token))
        register = rew.OpenRegisterRequest(
            issuer_id=panel.owner_id, suffix=f"/{suffix}", year=scenario.reward_on.year, last_number=int(number) - 1
        )
        await patiently(stub.OpenRegister, register)
        recipients = [
            rew.Recipient(holder=rew.HOLDER_COLLECTIVE, holder_id=unit_id)
            for unit_id in list(self._council.units.values())[: scenario.collectives]
        ] + [
            rew.Recipient(holder=rew.HOLDER_INDIVIDUAL, holder_id=person_id)
            for person_id in await self._deserving(panel, scenario.individuals)
        ]
        draft = await patiently(
            stub.DraftRewardDecision,
            rew.DraftRewardDecisionRequest(
                idempotency_key=f"{self._key}:reward",
                issuer_id=panel.owner_id,
                suffix=f"/{suffix}",
                form=scenario.reward_form,
                recipients=recipients,
                occasion="Có thành tích xuất sắc trong phong trào Sáng kiến, sáng tạo Thủ đô",
            ),
        )
        await patiently(stub.SubmitRewardDecision, rew.SubmitRewardDecisionRequest(decision_id=draft.decision_id))
        signing = reward_pb2_grpc.RewardServiceStub(self._council.node.channel("reward", panel.leader.token))
        issue = rew.IssueRewardDecisionRequest(
            decision_id=draft.decision_id,
            issued_on=scenario.reward_on.isoformat(),
            signing_mode="TM",
            signer_title="Chủ tịch",
        )
        issued = await patiently(signing.IssueRewardDecision, issue)
        self.story.reward_decision = draft.decision_id
        self._said(f"Quyết định khen thưởng {issued.symbol}", len(recipients), len(recipients))

    async def _deserving(self, panel: Panel, count: int) -> list[str]:
        """Different authors of recognised initiatives, leading authors first."""
        authors = await self._register(panel).authors(self.story.decisions)
        leading = [people[0] for _, people in sorted(authors.items())]
        others = [person for _, people in sorted(authors.items()) for person in people[1:]]
        people = list(dict.fromkeys([*leading, *others]))
        if len(people) < count:
            raise DemoFailed(
                f"kịch bản khen thưởng {count} người, chỉ {len(people)} người có sáng kiến được công nhận"
                f" · the scenario rewards {count} people, but only {len(people)} have a recognised initiative"
                ": giảm reward.individuals hoặc đổi --seed · lower reward.individuals or take another --seed"
            )
        return people[:count]


def _round_known(report: ImportReport) -> bool:
    """False while the council's node has not told the filing one of its round: the file may be filed once more."""
    return all(error.code != "round_unknown_yet" for error in report.rejected)


def _shared(author_ids: Sequence[str]) -> list[intake.Author]:
    """The authors' shares at the higher tier: equal, since entitlement is (QĐ 16/2023), the odd part to the first."""
    each, rest = divmod(10_000, len(author_ids))
    return [
        intake.Author(person_id=person, share=each + (rest if place == 0 else 0))
        for place, person in enumerate(author_ids)
    ]


def _named(name: str, said: Said) -> Callable[[str, int, int], None]:
    return lambda what, done, of: said(f"{name}: {what}", done, of)
