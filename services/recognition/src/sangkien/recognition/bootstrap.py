"""The composition root of recognition."""

from functools import partial
from typing import cast

from sangkien.api.recognition.v1.recognition_pb2_grpc import add_RecognitionServiceServicer_to_server
from sangkien.chassis import Context, Definition, DirectoryLookup, Parts
from sangkien.contracts.topology import TOPOLOGY
from sangkien.messaging import Subscription
from sangkien.recognition.adapters.directory_names import DirectoryNames
from sangkien.recognition.adapters.documents import SCHEMA
from sangkien.recognition.adapters.drawing import draw_certificate, draw_decision, read_code, seal
from sangkien.recognition.adapters.event_mapping import EventRows
from sangkien.recognition.adapters.stored import StoredCandidates, StoredDecisions, StoredRegisters, StoredWorks
from sangkien.recognition.adapters.stored_records import RECORD_SCHEMA, StoredRecords
from sangkien.recognition.adapters.stored_register import StoredRegister
from sangkien.recognition.application.draft_decision import Collector, DraftDecision
from sangkien.recognition.application.enter_items import EnterItems
from sangkien.recognition.application.follow_records import FollowRecords
from sangkien.recognition.application.follow_review import FollowReview
from sangkien.recognition.application.issue_decision import FixNames, IssueDecision
from sangkien.recognition.application.open_register import OpenRegister
from sangkien.recognition.application.queries import Queries
from sangkien.recognition.application.serve_documents import Drawing, ServeDocuments
from sangkien.recognition.application.submit_decision import SubmitDecision
from sangkien.recognition.application.verify_certificate import VerifyCertificate
from sangkien.recognition.entrypoints.background import Sweep
from sangkien.recognition.entrypoints.grpc_service import POLICY, RecognitionServicer, UseCases
from sangkien.recognition.entrypoints.messages import ReviewHandler
from sangkien.recognition.entrypoints.record_messages import RecordHandler
from sangkien.recognition.settings import RecognitionSettings


def build(context: Context) -> Parts:
    settings = cast("RecognitionSettings", context.settings)
    traces, commit = context.telemetry, context.commit
    events = EventRows(context.new_id, context.now)
    candidates = StoredCandidates(context.store)
    decisions = StoredDecisions(context.store, events, traces.traceparent)
    registers, works = StoredRegisters(context.store), StoredWorks(context.store)
    register = StoredRegister(context.store, events)
    records = StoredRecords(context.store, events)
    following = RecordHandler(FollowRecords(records))
    directory = DirectoryNames(DirectoryLookup(context.channel(settings.directory)))
    collector = Collector(decisions, candidates, commit)
    names = FixNames(decisions, candidates, directory, commit)
    entering = EnterItems(decisions, candidates, works, register, context, traces, seal, commit)
    drawing = Drawing(
        certificate=partial(draw_certificate, place=settings.place, verify_url=settings.verify_url),
        decision=partial(draw_decision, place=settings.place),
    )
    documents = ServeDocuments(decisions, candidates, register, context.blobs, drawing, commit)
    use_cases = UseCases(
        OpenRegister(registers, commit),
        DraftDecision(decisions, candidates, collector, context, commit),
        SubmitDecision(decisions, collector, commit),
        IssueDecision(decisions, registers, works, names, entering, context, traces, commit),
        Queries(decisions, candidates, register, records),
        documents,
        VerifyCertificate(register, read_code),
    )
    return Parts(
        servicers=[(add_RecognitionServiceServicer_to_server, RecognitionServicer(use_cases))],
        policy=POLICY,
        subscriptions=[
            Subscription(TOPOLOGY.consumer("recognition__review"), ReviewHandler(FollowReview(candidates))),
            *(
                Subscription(TOPOLOGY.consumer(f"recognition__{source}"), following)
                for source in ("recognition", "directory", "exchange")
            ),
        ],
        background=[Sweep(entering, documents, seconds=settings.sweep_seconds)],
    )


SERVICE = Definition("recognition", RecognitionSettings, SCHEMA + RECORD_SCHEMA, build)
