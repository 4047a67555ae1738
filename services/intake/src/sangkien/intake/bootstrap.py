"""The composition root of intake."""

from datetime import timedelta
from functools import partial
from typing import cast

from sangkien.api.intake.v1 import intake_pb2_grpc
from sangkien.chassis import Context, Definition, Parts
from sangkien.contracts.topology import TOPOLOGY
from sangkien.intake.adapters.directory_client import DirectoryClient
from sangkien.intake.adapters.documents import SCHEMA
from sangkien.intake.adapters.receipts import receipt_pdf
from sangkien.intake.adapters.review_client import ReviewClient
from sangkien.intake.adapters.stored_dossiers import StoredDossiers
from sangkien.intake.adapters.stored_owners import OWNERS_SCHEMA, StoredOwners
from sangkien.intake.adapters.stored_rounds import StoredRoundBook, StoredRounds
from sangkien.intake.application.change_dossier import ChangeDossier
from sangkien.intake.application.evidence import Evidence
from sangkien.intake.application.file_dossiers import FileDossiers
from sangkien.intake.application.learn_from_exchange import LearnFromExchange
from sangkien.intake.application.learn_from_review import LearnFromReview
from sangkien.intake.application.learn_organisations import LearnOrganisations
from sangkien.intake.application.queries import Queries
from sangkien.intake.application.sweep_files import SweepFiles
from sangkien.intake.domain.evidence import MIB
from sangkien.intake.entrypoints.background import Sweeping
from sangkien.intake.entrypoints.grpc_service import POLICY, IntakeServicer
from sangkien.intake.entrypoints.messages import ExchangeHandler, ReviewHandler
from sangkien.intake.entrypoints.organisations import WithOrganisations
from sangkien.intake.settings import IntakeSettings
from sangkien.messaging import Subscription
from sangkien.store.files import open_files


def build(context: Context) -> Parts:
    settings = cast("IntakeSettings", context.settings)
    dossiers = StoredDossiers(context.store, context.new_id)
    rounds = StoredRounds(context.store)
    directory = DirectoryClient(lambda: context.channel(settings.directory))
    files = open_files(context.store, reserve=settings.file_reserve_mib * MIB)
    evidence = Evidence(files, most_mib=settings.file_most_mib)
    servicer = IntakeServicer(
        FileDossiers(dossiers, rounds, directory, evidence, context, context.telemetry, context.commit),
        ChangeDossier(dossiers, directory, evidence, context, context.telemetry, context.commit),
        Queries(dossiers, rounds, directory, evidence, ReviewClient(lambda: context.channel(settings.review))),
        evidence,
        context.today,
        partial(receipt_pdf, place=settings.receipt_place),
    )
    book = StoredRoundBook(context.store)
    learn = LearnFromReview(dossiers, book, context)
    learn_foreign = LearnFromExchange(dossiers, book, context)
    learn_owners = LearnOrganisations(StoredOwners(context.store))
    sweep = SweepFiles(
        files,
        dossiers,
        context,
        partial=timedelta(days=settings.file_partial_days),
        unnamed=timedelta(days=settings.file_unnamed_days),
    )
    return Parts(
        servicers=[(intake_pb2_grpc.add_IntakeServiceServicer_to_server, servicer)],
        policy=POLICY,
        subscriptions=[
            Subscription(TOPOLOGY.consumer("intake__review"), ReviewHandler(learn)),
            Subscription(
                TOPOLOGY.consumer("intake__exchange"), WithOrganisations(learn_owners, ExchangeHandler(learn_foreign))
            ),
            Subscription(TOPOLOGY.consumer("intake__directory"), WithOrganisations(learn_owners)),
        ],
        background=[Sweeping(sweep, seconds=settings.file_sweep_hours * 3600)],
    )


SERVICE = Definition("intake", IntakeSettings, SCHEMA + OWNERS_SCHEMA, build)
