"""What `pipeline.py` times: many dossiers' way through all seven services, as officers and members work, in batches."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from sangkien.api.intake.v1 import intake_pb2 as intake
from sangkien.api.recognition.v1 import recognition_pb2 as rec
from sangkien.api.recognition.v1.recognition_pb2_grpc import RecognitionServiceStub
from sangkien.api.review.v1 import review_pb2 as rev
from sangkien.api.review.v1.review_pb2_grpc import ReviewServiceStub
from sangkien.api.reward.v1 import reward_pb2 as rew
from sangkien.api.reward.v1.reward_pb2_grpc import RewardServiceStub
from sangkien.console.demo.actors import Actor, Registrar
from sangkien.console.demo.cast import Casting
from sangkien.console.demo.council import BATCH, CouncilWork, Panel
from sangkien.console.demo.outcome import Reader
from sangkien.console.demo.scenario import load_scenario
from sangkien.console.importing import file_drafts
from sangkien.console.node.local import LocalNode
from sangkien.console.operations import Operations, quiet
from sangkien.console.patience import patiently, until

MEMBERS = 7
UNITS = 40
OPENED, CLOSED, HELD, DECIDED, REWARDED = (date(2023, 5, day) for day in (8, 20, 23, 28, 30))

T = TypeVar("T")


@dataclass(slots=True)
class Stages:
    """Seconds each stage took, in order."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - began, 3)


class Journey:
    """One council, one round, one session, one decision, one reward decision, over any number of dossiers.

    Each dossier has one author of its own, given by name, so that directory registers them while the dossier is filed.
    """

    def __init__(self, node: LocalNode, dossiers: int) -> None:
        self._node = node
        self._count = dossiers
        self._scenario = load_scenario("ba-dinh-2023")
        self._casting = Casting(self._scenario, seed=7)
        self._operator = node.operator()
        self.stages = Stages()

    async def prepare(self) -> None:
        """Everything that exists before the first dossier: units, people with accounts, the council, the round."""
        registrar = Registrar(self._node)
        _, self._district = await registrar.top(self._scenario)
        self._units = [f"Trường Tiểu học số {number}" for number in range(UNITS)]
        await registrar.below(self._district, self._units)

        async def actor(job: str, role: str) -> Actor:
            return await registrar.actor(self._casting.person(job), self._district, [role])

        self._officer = await actor("Cán bộ công đoàn", "union_officer")
        self._finance = await actor("Kế toán", "finance")
        self._panel = Panel(
            self._scenario.council,
            "district",
            self._district,
            await actor("Thư ký", "secretary"),
            await actor("Chủ tịch", "leader"),
            tuple([await actor("Ủy viên", "council_member") for _ in range(MEMBERS)]),
        )
        self._review = ReviewServiceStub(self._node.channel("review", self._panel.secretary.token))
        council = rev.CreateCouncilRequest(
            idempotency_key="bench:council",
            name=self._panel.name,
            tier="district",
            owner_id=self._district,
            established_by=self._scenario.set_up_by,
            established_on=OPENED.isoformat(),
            members=self._panel.listed(),
            sheet="vn/ha-noi",
        )
        set_up = await patiently(self._review.CreateCouncil, council)
        opening = rev.OpenRoundRequest(
            idempotency_key="bench:round",
            council_id=set_up.council_id,
            name="Đợt 1",
            opens_on=OPENED.isoformat(),
            closes_on=CLOSED.isoformat(),
        )
        self._round = (await patiently(self._review.OpenRound, opening)).round_id
        self._drafts = [self._draft(number) for number in range(self._count)]
        await until("the round to be known everywhere", Operations(self._node, self._operator).statuses, quiet)

    async def travel(self) -> float:
        """From the first filing to the last notice; returns the seconds it took."""
        began = time.perf_counter()
        stage, count, panel = self.stages.stage, self._count, self._panel
        work = CouncilWork(self._node, panel, key="bench", seed="bench", said=lambda *_: None)
        with stage("file_check_assign"):
            officer = self._node.channel("intake", self._officer.token)
            report, reviewers = await asyncio.gather(file_drafts(officer, self._drafts), self._receive(work))
            assert report.filed == count, report.rejected[:1]
            closing = rev.CloseRoundRequest(round_id=self._round, closed_on=CLOSED.isoformat())
            await patiently(self._review.CloseRound, closing)
        with stage("judge"):
            await work.judge(self._round, reviewers, count, HELD)
        with stage("decide"):
            held = await work.decide(self._round, count, last_number=0, on=DECIDED)
            assert (held.recognised, held.refused) == (count, 0)
        with stage("reward"):
            await self._reward(held.decision_id)
        with stage("last_notice"):
            await Reader(self._node, self._operator).come_to_rest()
        return time.perf_counter() - began

    async def _receive(self, work: CouncilWork) -> dict[str, tuple[str, ...]]:
        """The secretary checks and assigns what has come in, batch by batch, while the officer goes on filing."""
        reviewers: dict[str, tuple[str, ...]] = {}
        while len(reviewers) < self._count:
            cases = await work.cases(self._round, "DA_NOP", min(BATCH, self._count - len(reviewers)))
            await work.check(cases, CLOSED)
            reviewers |= await work.assign(cases, CLOSED)
        return reviewers

    async def come_to_rest(self) -> None:
        """Return when nothing is on its way any more."""
        await Reader(self._node, self._operator).come_to_rest()

    async def _reward(self, decision_id: str) -> None:
        """Every author is commended and paid."""
        people = await self._authors(decision_id)
        secretary = RewardServiceStub(self._node.channel("reward", self._panel.secretary.token))
        leader = RewardServiceStub(self._node.channel("reward", self._panel.leader.token))
        finance = RewardServiceStub(self._node.channel("reward", self._finance.token))
        register = rew.OpenRegisterRequest(issuer_id=self._district, suffix="/QĐ-UBND", year=2023, last_number=0)
        await patiently(secretary.OpenRegister, register)
        draft = await patiently(
            secretary.DraftRewardDecision,
            rew.DraftRewardDecisionRequest(
                idempotency_key="bench:reward",
                issuer_id=self._district,
                suffix="/QĐ-UBND",
                form=self._scenario.reward_form,
                recipients=[rew.Recipient(holder=rew.HOLDER_INDIVIDUAL, holder_id=person) for person in people],
                occasion="Có thành tích trong phong trào Sáng kiến, sáng tạo Thủ đô",
            ),
        )
        await patiently(secretary.SubmitRewardDecision, rew.SubmitRewardDecisionRequest(decision_id=draft.decision_id))
        issue = rew.IssueRewardDecisionRequest(
            decision_id=draft.decision_id,
            issued_on=REWARDED.isoformat(),
            signing_mode="TM",
            signer_title="Chủ tịch",
        )
        await patiently(leader.IssueRewardDecision, issue)
        owed = await self._entitlements(finance, draft.decision_id)
        payments = [
            rew.Payment(
                idempotency_key=f"bench:{each.entitlement_id}",
                entitlement_id=each.entitlement_id,
                amount_vnd=each.amount_vnd,
                paid_on=REWARDED.isoformat(),
            )
            for each in owed
        ]
        for start in range(0, len(payments), BATCH):
            paid = await patiently(
                finance.RecordPayments, rew.RecordPaymentsRequest(payments=payments[start : start + BATCH])
            )
            assert not any(result.HasField("error") for result in paid.results)

    async def _authors(self, decision_id: str) -> list[str]:
        """The holders of the decision's certificates, once there is one for every dossier."""
        stub = RecognitionServiceStub(self._node.channel("recognition", self._panel.secretary.token))

        async def held() -> list[str]:
            people: list[str] = []
            token = ""
            while True:
                page = await stub.ListCertificates(
                    rec.ListCertificatesRequest(decision_id=decision_id, page_size=1_000, page_token=token)
                )
                people += [each.person_id for each in page.certificates]
                token = page.next_page_token
                if not token:
                    return people

        return await until("a certificate for every dossier", held, lambda people: len(people) == self._count)

    async def _entitlements(self, stub: "RewardServiceStub", decision_id: str) -> list[rew.Entitlement]:
        async def granted() -> list[rew.Entitlement]:
            found: list[rew.Entitlement] = []
            token = ""
            while True:
                page = await stub.ListEntitlements(
                    rew.ListEntitlementsRequest(decision_id=decision_id, page_size=1_000, page_token=token)
                )
                found += page.entitlements
                token = page.next_page_token
                if not token:
                    return found

        return await until("every entitlement", granted, lambda found: len(found) == self._count)

    def _draft(self, number: int) -> tuple[str, intake.Draft]:
        """A dossier of some 2 KB, as people write them."""
        person, unit = self._casting.person("Giáo viên"), self._units[number % UNITS]
        author = intake.Author(
            full_name=person.name,
            birth_date=person.birth_date.isoformat(),
            email=person.email,
            job_title=person.job,
            unit_name=unit,
            staff_code=f"GV{number:06d}",
            share=10_000,
        )
        draft = intake.Draft(
            round_id=self._round,
            title=f"Một số biện pháp nâng cao chất lượng dạy học môn Lịch sử lớp 7, phương án {number}",
            field="Giáo dục và đào tạo",
            unit_name=unit,
            authors=[author],
            first_applied_on="2023-01-10",
            filed_on="2023-05-10",
            summary="Tạo dựng không gian lịch sử ở lớp học bằng tư liệu, hiện vật và sơ đồ tư duy. " * 10,
            benefit="Học sinh hứng thú hơn, kết quả kiểm tra tăng. " * 8,
        )
        return f"bench-dossier-{number:06d}", draft
