"""The composition root of exchange."""

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import cast

import structlog

from sangkien.api.exchange.v1.exchange_pb2_grpc import add_ExchangeServiceServicer_to_server
from sangkien.chassis import Context, Definition, DirectoryLookup, Parts
from sangkien.contracts.topology import TOPOLOGY
from sangkien.exchange.adapters.book import StoredBook
from sangkien.exchange.adapters.crossings import ContractCrossings
from sangkien.exchange.adapters.documents import OUTGOING, SCHEMA
from sangkien.exchange.adapters.foreign_books import FOREIGN_SCHEMA, StoredBooks
from sangkien.exchange.adapters.intake_desk import IntakeDesk
from sangkien.exchange.adapters.intake_files import IntakeFiles
from sangkien.exchange.adapters.intake_letters import IntakeLetters
from sangkien.exchange.adapters.leaf import LinkLeaf
from sangkien.exchange.adapters.link_desk import DirectoryLinks
from sangkien.exchange.adapters.organisation_book import ORGANISATION_SCHEMA, StoredOrganisations
from sangkien.exchange.adapters.stored import StoredIncomings, StoredLedger, StoredOutgoings, StoredSteps
from sangkien.exchange.adapters.stored_files import FILES_SCHEMA, StoredFiles, turns_change
from sangkien.exchange.application.adopt_history import AdoptHistory
from sangkien.exchange.application.follow_receipts import FollowReceipts
from sangkien.exchange.application.link_ports import Notes
from sangkien.exchange.application.live_in_federation import LiveInFederation
from sangkien.exchange.application.offer_messages import OfferMessages
from sangkien.exchange.application.ports import Outward
from sangkien.exchange.application.post_messages import PostMessages
from sangkien.exchange.application.prune_bodies import PruneBodies
from sangkien.exchange.application.queries import Queries
from sangkien.exchange.application.read_arrivals import ReadArrivals
from sangkien.exchange.application.receive_messages import ReceiveMessages
from sangkien.exchange.application.seal_messages import SealMessages
from sangkien.exchange.application.take_messages import TakeMessages
from sangkien.exchange.application.tell_hub import TellHub
from sangkien.exchange.application.tidy_leaf import TidyLeaf
from sangkien.exchange.domain.patience import Patience
from sangkien.exchange.entrypoints.announcing import AnnounceToNewcomers
from sangkien.exchange.entrypoints.fetching import FetchFiles
from sangkien.exchange.entrypoints.gauges import Gauges
from sangkien.exchange.entrypoints.grpc_service import POLICY, ExchangeServicer, UseCases
from sangkien.exchange.entrypoints.inward import Business
from sangkien.exchange.entrypoints.linking import FromDirectory, ReturnToRegistrars, WithDirectory, WithRecords
from sangkien.exchange.entrypoints.loops import LinkLoops, Upkeep
from sangkien.exchange.entrypoints.messages import OutwardHandler
from sangkien.exchange.entrypoints.organising import FromOrganisations, IntroduceOrganisations
from sangkien.exchange.entrypoints.outward import FromIntake, FromRecognition, FromReview
from sangkien.exchange.entrypoints.returning import ReturnToAuthors, one_after_the_other
from sangkien.exchange.entrypoints.serving import NamingFiles, ServeFiles
from sangkien.exchange.entrypoints.with_files import WithFiles
from sangkien.exchange.settings import ExchangeSettings
from sangkien.federation import LeafBroker, MemberFolder
from sangkien.messaging import Subscription
from sangkien.messaging.failures import is_transient
from sangkien.store import Op


class _Ground:
    """What the use cases of the core stand on."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.settings = settings = cast("ExchangeSettings", context.settings)
        self.folder = folder = MemberFolder(settings.folder)
        self.link, self.key, self.hub_key = folder.link, folder.seal_key, folder.hub_key
        self.notes: Notes = structlog.get_logger("sangkien.exchange")
        self.steady, self.patience = time.monotonic, Patience(settings.silence_s)
        store = context.store
        self.outgoings, self.incomings = StoredOutgoings(store), StoredIncomings(store)
        self.ledger, self.crossings = StoredLedger(store), ContractCrossings()
        self.steps, self.books = StoredSteps(store, context.new_id), StoredBooks(store)
        self.book = StoredBook(store, self.commit, self.link, self.key.public, settings.folder)
        self.post = PostMessages(self.outgoings, self.ledger, context)
        self.leaf = LinkLeaf(LeafBroker(folder.login_at(settings.leaf_url), self.link.node))
        self.files = StoredFiles(store)
        self.desk = IntakeFiles(lambda: context.channel(settings.intake))
        self.fetching = FetchFiles(
            self.files,
            self.desk,
            self.outgoings,
            context,
            self.post,
            self.commit,
            patience=timedelta(seconds=settings.file_patience_s),
        )
        self.organisations = StoredOrganisations(store)
        self.links = DirectoryLinks(lambda: context.channel(settings.directory))
        self.wake: Callable[[], None] = lambda: None
        self.wake_fetching: Callable[[], None] = lambda: None

    async def commit(self, ops: Sequence[Op]) -> None:
        """Write a unit, and let what it posted be sealed and sent at once."""
        await self.context.commit(ops)
        if any(op.coll == OUTGOING for op in ops):
            self.wake()
        if any(turns_change(op) for op in ops):
            self.wake_fetching()


def build(context: Context) -> Parts:
    on = _Ground(context)
    life = LiveInFederation(
        on.outgoings, on.ledger, on.crossings, on.post, context, on.commit, on.steady, on.notes, epoch=on.link.epoch
    )
    business = Business(on.books, _desk(on), on.steps, on.book, context, on.commit)
    serving = ServeFiles(on.files, on.desk, on.outgoings)
    taking = TakeMessages(
        on.incomings,
        on.book,
        on.crossings,
        WithDirectory(WithFiles(business, on.fetching, serving), on.links, context),
        on.post,
        context,
        on.commit,
        is_transient,
        on.notes,
        context.telemetry,
    )
    loops = _loops(on, life, taking)
    on.wake, on.wake_fetching = loops.wake, loops.fetching.wake
    queries = Queries(on.outgoings, on.incomings, on.ledger, on.book, on.steps, on.books, on.leaf, context)
    gauges = Gauges(context.metrics, queries, on.files, context, lambda: on.folder.certificate_until)
    use_cases = UseCases(
        queries,
        life,
        taking,
        on.book,
        on.files,
        on.fetching,
        on.key.public,
        lambda: on.folder.certificate_until,
    )
    return Parts(
        servicers=[(add_ExchangeServiceServicer_to_server, ExchangeServicer(use_cases))],
        policy=POLICY,
        subscriptions=_subscriptions(on),
        background=[*loops.background, gauges],
        open=[on.book.load, life.begin],
    )


def _loops(on: _Ground, life: LiveInFederation, taking: TakeMessages) -> LinkLoops:
    world, commit, node = on.context, on.commit, on.link.node
    adopting = AdoptHistory(on.outgoings, on.ledger, on.book, world, commit, on.notes, seal_key=on.key.public)
    receiving = ReceiveMessages(
        on.incomings,
        on.ledger,
        on.book,
        on.crossings,
        world,
        commit,
        on.steady,
        on.notes,
        hub_key=on.hub_key,
        gap_patience_s=on.settings.gap_patience_s,
    )
    receipts = FollowReceipts(
        on.outgoings,
        on.ledger,
        world,
        commit,
        on.patience,
        on.steady,
        on.notes,
        node=node,
        hub_key=on.hub_key,
        fleeting=on.crossings.fleeting,
    )
    keep = timedelta(days=on.settings.keep_bodies_days)
    return LinkLoops(
        on.leaf,
        SealMessages(on.outgoings, on.ledger, world, commit, node=node, key=on.key),
        OfferMessages(on.outgoings, on.ledger, on.leaf, world, commit, on.patience, on.steady, on.notes),
        ReadArrivals(on.leaf, receipts, adopting, receiving, on.notes),
        TellHub(on.ledger, on.leaf, receiving, adopting, world, on.steady, node=node, key=on.key),
        taking,
        life,
        Upkeep(
            PruneBodies(on.outgoings, on.incomings, world, commit, keep=keep),
            TidyLeaf(on.outgoings, on.ledger, on.leaf),
        ),
        one_after_the_other(
            AnnounceToNewcomers(on.books, on.book, world, on.post, commit),
            ReturnToAuthors(on.books, on.steps, on.book, world, commit),
            IntroduceOrganisations(on.organisations, on.book, on.post, commit),
            ReturnToRegistrars(on.organisations, on.links),
        ),
        on.fetching,
    )


def _subscriptions(on: _Ground) -> list[Subscription]:
    context, settings = on.context, on.settings
    letters = IntakeLetters(
        lambda: context.channel(settings.intake), DirectoryLookup(context.channel(settings.directory))
    )
    outward: dict[str, Outward] = {
        "exchange__intake": NamingFiles(FromIntake(on.books, letters, on.steps, on.book), on.files),
        "exchange__review": FromReview(on.books, on.steps, on.book),
        "exchange__recognition": WithRecords(FromRecognition(on.books, on.steps, on.book), on.outgoings, on.book),
        "exchange__directory": FromDirectory(FromOrganisations(on.organisations, on.book), on.links),
    }
    return [Subscription(TOPOLOGY.consumer(name), OutwardHandler(one, on.post)) for name, one in outward.items()]


def _desk(on: _Ground) -> IntakeDesk:
    return IntakeDesk(lambda: on.context.channel(on.settings.intake))


SERVICE = Definition("exchange", ExchangeSettings, SCHEMA + ORGANISATION_SCHEMA + FOREIGN_SCHEMA + FILES_SCHEMA, build)
