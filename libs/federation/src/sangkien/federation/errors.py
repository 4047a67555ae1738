"""What can go wrong with a link and its keys."""


class FederationError(Exception):
    """Base of the library's errors. `code` is stable."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code


class FolderRefused(FederationError):
    """A folder is half made, of something else, or readable by others. Codes: folder_*."""


class RequestRefused(FederationError):
    """A certificate request or public key that may not be signed. Codes: csr_*, key_*."""


class ClaimsRefused(FederationError):
    """An account's claims were not ours, or the server did not take them. Codes: claims_*."""


class LinkDown(FederationError):
    """The broker at this end did not answer in time; whether it stored is not known. Offer again. Code: link_down."""


class LinkRefused(FederationError):
    """The broker refuses this message or request for good, such as one that is too large. Code: link_refused."""


class UnknownNode(FederationError):
    """No node of this name is in the folder, or it is not open. Code: node_unknown."""
