"""What is wrong with something signed, chained or stamped: typed, with stable codes.

They are no kernel refusals: a service that shows one to a person raises a refusal of its own, with `code` for a fact.
`sangkien.text` has words for each code in the label group `custody`.
"""


class CustodyBroken(Exception):
    """Base of all that does not hold. `code` is a stable snake_case word; `claim` names the member at fault, or "".

    Neither quotes what was read: texts of these errors may be logged.
    """

    def __init__(self, code: str, claim: str = "") -> None:
        super().__init__(code, claim)
        self.code = code
        self.claim = claim

    def __str__(self) -> str:
        return f"{self.code} {self.claim}".rstrip()


class SealBroken(CustodyBroken):
    """A signed statement (seal, stamp, forward, receipt) does not hold, or a body is not the one that was sealed.

    Codes: `too_large`, `malformed`, `algorithm`, `unknown_key`, `signature`, `version`, `claims`; of a body `body`.
    """


class EntryBroken(CustodyBroken):
    """An entry of the custody log cannot be read. Codes: `too_large`, `malformed`, `version`, `claims`."""


class TimestampBroken(CustodyBroken):
    """A time-stamp token (RFC 3161) does not hold.

    Codes: `token` (none, not granted, or its signature or certificate does not hold), `imprint` (of another stamp).
    """


class ProofBroken(CustodyBroken):
    """A proof does not hold. `where` is the part at fault: proof, hub_key, stamp, token, entry, path, seal or body.

    Codes are those of what that part is made of, `root`, `mismatch`, and `key` where `hub_key` is no public key.
    """

    def __init__(self, code: str, where: str, claim: str = "") -> None:
        super().__init__(code, claim)
        self.where = where

    def __str__(self) -> str:
        return f"{self.where}: {super().__str__()}"


class BrokenLink(CustodyBroken):
    """The first place where a log or a chain does not hold.

    `where` is what it is and its number: `entry:17` and `seal:17` by position in the log, `stamp:3` and `token:3` by
    batch, `seal:12` in the chain of one node by its `n`.
    """

    def __init__(self, where: str, code: str, claim: str = "") -> None:
        super().__init__(code, claim)
        self.where = where

    def __str__(self) -> str:
        return f"{self.where}: {super().__str__()}"
