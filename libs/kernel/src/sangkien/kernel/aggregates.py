"""The base of objects that decide and record what they decided."""


class Aggregate:
    """A consistency boundary: it is loaded, decides once, and is saved with its events in one unit (DESIGN §6.1).

    `version` is the stored version the aggregate was loaded at, 0 when it was never stored. The repository sets it.
    Subclasses may be dataclasses: no `__init__` of this class has to run.
    """

    version: int = 0

    def record(self, event: object) -> None:
        """Remember a domain event, in the order decided, until it is pulled."""
        self.__dict__.setdefault("_recorded", []).append(event)

    def pull_events(self) -> list[object]:
        """Return the events recorded since the last pull, oldest first, and forget them."""
        events: list[object] = self.__dict__.pop("_recorded", [])
        return events
