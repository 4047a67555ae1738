"""Why a command cannot go on, in words for the person who gave it."""


class Stop(Exception):
    """A command cannot go on for a reason the person can mend: a stable code, what is wrong, how to mend it."""

    def __init__(self, code: str, text: str, mend: str = "") -> None:
        super().__init__(text)
        self.code, self.text, self.mend = code, text, mend
