"""What the year came to, read back from the services that counted it."""

from dataclasses import dataclass
from typing import Any

from sangkien.api.notification.v1 import notification_pb2 as note
from sangkien.api.notification.v1 import notification_pb2_grpc
from sangkien.api.reporting.v1 import reporting_pb2 as rep
from sangkien.api.reporting.v1 import reporting_pb2_grpc
from sangkien.console.demo.year import Story
from sangkien.console.node.local import LocalNode
from sangkien.console.operations import Operations, quiet
from sangkien.console.patience import patiently, until
from sangkien.rpc import TokenSource

STATES = ("sent", "gathering", "held", "queued", "failed", "no_address")
"""Of a delivery, in the order they are told."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Figures as the services state them."""

    rounds: list[rep.RoundSummary]
    city: rep.RoundSummary | None
    reward: rep.RewardSummary
    notices: dict[str, dict[str, int]]
    """Deliveries by channel and state: `inbox` has one for each notice, `email` one for each mail. A reviewer's notices
    of a round share a mail, so there are fewer mails than notices."""
    dead_letters: int
    restarts: int
    duration_s: float
    evidence_files: int = 0
    evidence_bytes: int = 0

    @property
    def certificates(self) -> int:
        return sum(each.certificates for each in self.rounds)

    def as_json(self) -> dict[str, Any]:
        """The figures as `sangkien demo --json` prints them."""
        return {
            "rounds": [
                {
                    "name": each.name,
                    "filed": each.filed,
                    "accepted": each.accepted,
                    "recognised": each.recognised,
                    "not_recognised": each.not_recognised,
                    "certificates": each.certificates,
                }
                for each in self.rounds
            ],
            "totals": {
                "filed": sum(each.filed for each in self.rounds),
                "recognised": sum(each.recognised for each in self.rounds),
            },
            "city": {
                "filed": self.city.filed if self.city else 0,
                "recognised": self.city.recognised if self.city else 0,
            },
            "reward": {
                "decision": self.reward.symbol,
                "individuals": self.reward.individuals,
                "collectives": self.reward.collectives,
                "individuals_vnd": self.reward.individuals_vnd,
                "collectives_vnd": self.reward.collectives_vnd,
                "total_vnd": self.reward.total_vnd,
                "reconciled": self.reward.reconciled,
            },
            "certificates": self.certificates,
            "evidence": {"files": self.evidence_files, "bytes": self.evidence_bytes},
            "notices": {
                **{state: sum(counts.get(state, 0) for counts in self.notices.values()) for state in STATES},
                "by_channel": {channel: counts.get("sent", 0) for channel, counts in self.notices.items()},
            },
            "dead_letters": self.dead_letters,
            "restarts": self.restarts,
            "duration_s": round(self.duration_s, 2),
        }


class Reader:
    """Reads the outcome once everything has come to rest."""

    def __init__(self, node: LocalNode, token: TokenSource) -> None:
        if "reporting" in node.running.targets:  # a union's node has none
            self._reporting = reporting_pb2_grpc.ReportingServiceStub(node.channel("reporting", token))
        self._notification = notification_pb2_grpc.NotificationServiceStub(node.channel("notification", token))
        self._operations = Operations(node, token)

    async def come_to_rest(self) -> None:
        """Return when no outbox holds a row, no consumer is behind and no notice waits. Raises WaitedTooLong."""
        seen = 0
        while seen < 2:  # twice in a row: a consumer's effect may be an event that was not there at the first look
            await until("every service to come to rest", self._operations.statuses, quiet)
            counts = await until(
                "the last notice", lambda: self._notification.CountDeliveries(note.CountDeliveriesRequest()), _no_queue
            )
            seen = seen + 1 if quiet(await self._operations.statuses()) and _no_queue(counts) else 0

    async def read(self, story: Story, *, restarts: int, duration_s: float) -> Outcome:
        """The figures of the story's rounds and decision."""
        rewards = await patiently(self._reporting.GetRewardReport, rep.GetRewardReportRequest())
        by_id = await self._rounds()
        return Outcome(
            rounds=[by_id[round_id] for round_id in story.rounds.values()],
            city=by_id.get(story.city_round),
            reward=next(
                (d for d in rewards.decisions if d.decision_id == story.reward_decision),
                rep.RewardSummary(reconciled=True),  # a year that rewards nobody
            ),
            notices=await self.notices(),
            dead_letters=await self.dead_letters(),
            restarts=restarts,
            duration_s=duration_s,
            evidence_files=story.evidence_files,
            evidence_bytes=story.evidence_bytes,
        )

    async def round(self, round_id: str) -> rep.RoundSummary | None:
        """One round as this node's reporting states it."""
        return (await self._rounds()).get(round_id)

    async def reported(self) -> rep.NodeSummary:
        """What the nodes below this one reported of their decisions, all together."""
        return (await patiently(self._reporting.GetNodeReport, rep.GetNodeReportRequest())).total

    async def notices(self) -> dict[str, dict[str, int]]:
        """Deliveries by channel and state."""
        counts = await patiently(self._notification.CountDeliveries, note.CountDeliveriesRequest())
        found: dict[str, dict[str, int]] = {}
        for each in counts.counts:
            found.setdefault(each.channel, {})[each.state] = each.count
        return found

    async def dead_letters(self) -> int:
        """Of all services of the node."""
        statuses = await self._operations.statuses()
        return sum(status.dead_letters for status in statuses.values() if status)

    async def _rounds(self) -> dict[str, rep.RoundSummary]:
        report = await patiently(self._reporting.GetRoundReport, rep.GetRoundReportRequest())
        return {each.round_id: each for each in report.rounds}


def _no_queue(counts: note.CountDeliveriesResponse) -> bool:
    """Nothing leaves today any more; what is held is for tomorrow."""
    return not any(each.count for each in counts.counts if each.state in ("queued", "gathering"))
