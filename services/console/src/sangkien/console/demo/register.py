"""Recognition's register as the demo's people read it."""

from collections.abc import Iterable

from sangkien.api.recognition.v1 import recognition_pb2 as rec
from sangkien.api.recognition.v1.recognition_pb2_grpc import RecognitionServiceStub
from sangkien.console.patience import patiently

PAGE = 1_000


class Register:
    """What a council's secretary finds in it, page by page."""

    def __init__(self, stub: RecognitionServiceStub) -> None:
        self._stub = stub

    async def recognised(self, round_ids: Iterable[str]) -> list[rec.Initiative]:
        """The initiatives of these rounds, by id."""
        found: list[rec.Initiative] = []
        for round_id in round_ids:
            request = rec.ListInitiativesRequest(round_id=round_id, page_size=PAGE)
            while True:
                page = await patiently(self._stub.ListInitiatives, request)
                found.extend(page.initiatives)
                if not page.next_page_token:
                    break
                request = rec.ListInitiativesRequest(round_id=round_id, page_size=PAGE, page_token=page.next_page_token)
        return sorted(found, key=lambda initiative: initiative.initiative_id)

    async def authors(self, decision_ids: Iterable[str]) -> dict[str, list[str]]:
        """Who holds a certificate, by initiative: the register itself is public and names no person ids."""
        found: dict[str, list[str]] = {}
        for decision_id in decision_ids:
            request = rec.ListCertificatesRequest(decision_id=decision_id, page_size=PAGE)
            while True:
                page = await patiently(self._stub.ListCertificates, request)
                for each in page.certificates:
                    found.setdefault(each.initiative_id, []).append(each.person_id)
                if not page.next_page_token:
                    break
                request = rec.ListCertificatesRequest(
                    decision_id=decision_id, page_size=PAGE, page_token=page.next_page_token
                )
        return found
