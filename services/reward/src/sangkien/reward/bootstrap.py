"""The composition root of reward."""

from functools import partial
from typing import cast

from sangkien.api.reward.v1 import reward_pb2_grpc
from sangkien.chassis import Context, Definition, DirectoryLookup, Parts
from sangkien.contracts.topology import TOPOLOGY
from sangkien.messaging import Subscription
from sangkien.reward.adapters import stored_achievements, stored_decisions, stored_ledger
from sangkien.reward.adapters.decision_pdf import decision_pdf
from sangkien.reward.adapters.directory_names import DirectoryNames
from sangkien.reward.adapters.event_mapping import EventRecorder
from sangkien.reward.application.draft_decision import DraftDecision
from sangkien.reward.application.grant_entitlements import GrantEntitlements
from sangkien.reward.application.issue_decision import IssueDecision
from sangkien.reward.application.learn_achievements import LearnAchievements
from sangkien.reward.application.open_register import OpenRegister
from sangkien.reward.application.print_decision import PrintDecision
from sangkien.reward.application.read_rewards import ReadRewards
from sangkien.reward.application.record_payments import RecordPayments
from sangkien.reward.application.submit_decision import SubmitDecision
from sangkien.reward.entrypoints.background import complete
from sangkien.reward.entrypoints.grpc_service import POLICY, RewardServicer, UseCases
from sangkien.reward.entrypoints.messages import RecognitionHandler
from sangkien.reward.settings import RewardSettings


def build(context: Context) -> Parts:
    settings = cast("RewardSettings", context.settings)
    decisions = stored_decisions.StoredDecisions(context.store)
    ledger = stored_ledger.StoredLedger(context.store)
    achievements = stored_achievements.StoredAchievements(context.store)
    directory = DirectoryNames(DirectoryLookup(context.channel(settings.directory)))
    record = EventRecorder(context.new_id, context.now)
    traces, commit = context.telemetry, context.commit
    grant = GrantEntitlements(decisions, ledger, achievements, context, traces, record, commit)
    use_cases = UseCases(
        open_register=OpenRegister(decisions, commit),
        draft_decision=DraftDecision(decisions, achievements, directory, context, traces, commit),
        submit_decision=SubmitDecision(decisions, commit),
        issue_decision=IssueDecision(decisions, directory, grant, context, traces, record, commit),
        print_decision=PrintDecision(decisions, context.blobs, partial(decision_pdf, place=settings.place), commit),
        record_payments=RecordPayments(ledger, context, traces, record, commit),
        read=ReadRewards(decisions, ledger),
    )
    handler = RecognitionHandler(LearnAchievements(achievements))
    return Parts(
        servicers=[(reward_pb2_grpc.add_RewardServiceServicer_to_server, RewardServicer(use_cases))],
        policy=POLICY,
        subscriptions=[Subscription(TOPOLOGY.consumer("reward__recognition"), handler)],
        background=[partial(complete, grant)],
    )


SERVICE = Definition(
    "reward",
    RewardSettings,
    stored_decisions.SCHEMA + stored_ledger.SCHEMA + stored_achievements.SCHEMA,
    build,
)
