"""E-mail addresses from directory, asked for when a mail is sent and never kept."""

from collections.abc import Mapping, Sequence

from sangkien.api.directory.v1 import directory_pb2
from sangkien.api.directory.v1.directory_pb2_grpc import DirectoryServiceStub
from sangkien.notification.application.ports import Contact, Unreachable
from sangkien.rpc import RemoteError


class DirectoryContacts:
    """The `Contacts` port."""

    def __init__(self, directory: DirectoryServiceStub) -> None:
        self._directory = directory

    async def __call__(self, ids: Sequence[str]) -> Mapping[str, Contact]:
        """Raises Unreachable, for a refusal too: a mail is not given up because of how this service is set up."""
        try:
            answer = await self._directory.GetContacts(directory_pb2.GetContactsRequest(ids=ids))
        except RemoteError as error:
            raise Unreachable from error
        return {each.id: Contact(each.display_name, each.email) for each in answer.contacts}
