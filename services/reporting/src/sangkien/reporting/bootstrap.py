"""The composition root of reporting."""

from pydantic_settings import SettingsConfigDict

from sangkien.api.reporting.v1.reporting_pb2_grpc import add_ReportingServiceServicer_to_server
from sangkien.chassis import Context, Definition, Parts
from sangkien.contracts.topology import TOPOLOGY
from sangkien.messaging import Subscription
from sangkien.reporting.adapters.facts import SCHEMA, Facts
from sangkien.reporting.adapters.journal import Journal, StoredRebuild
from sangkien.reporting.application.rebuild_facts import RebuildFacts
from sangkien.reporting.application.report_nodes import ReportNodes
from sangkien.reporting.application.report_rewards import ReportRewards
from sangkien.reporting.application.report_rounds import ReportRounds
from sangkien.reporting.entrypoints.grpc_service import POLICY, ReportingServicer
from sangkien.reporting.entrypoints.messages import Recorder
from sangkien.runtime import ServiceSettings


class ReportingSettings(ServiceSettings):
    """Environment variables `REPORTING_…`."""

    model_config = SettingsConfigDict(env_prefix="REPORTING_")


def build(context: Context) -> Parts:
    facts, journal = Facts(context.store), Journal(context.store)
    recorder = Recorder(journal, facts)
    log = StoredRebuild(context.store)
    rebuild = RebuildFacts(facts, journal, log, context.commit)
    servicer = ReportingServicer(
        ReportRounds(facts, journal),
        ReportRewards(facts),
        ReportNodes(facts),
        rebuild,
        journal,
        log,
    )
    return Parts(
        servicers=[(add_ReportingServiceServicer_to_server, servicer)],
        policy=POLICY,
        subscriptions=[
            Subscription(consumer, recorder.record, batch=500)
            for consumer in TOPOLOGY.consumers
            if consumer.service == "reporting"
        ],
        background=[rebuild.run],
    )


SERVICE = Definition("reporting", ReportingSettings, SCHEMA, build)
