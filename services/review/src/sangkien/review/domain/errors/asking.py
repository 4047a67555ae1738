"""What is wrong with a call itself, whatever it is about."""

from sangkien.kernel import Refusal


class DateMalformed(Refusal):
    """A day is not written YYYY-MM-DD, or there is no such day."""

    code = "date_malformed"
    kind = "invalid"


class TextEmpty(Refusal):
    """A field that must be filled in is empty."""

    code = "text_empty"
    kind = "invalid"


class TooManyItems(Refusal):
    """More items than one call takes. Facts: `limit`, `items`."""

    code = "review_batch_too_large"
    kind = "invalid"


class NamedTwice(Refusal):
    """A dossier stands twice in one call, saying different things: the first counts."""

    code = "named_twice"
    kind = "invalid"


class NobodyNamed(Refusal):
    """An assignment names no reviewer, or a session nobody present."""

    code = "nobody_named"
    kind = "invalid"


class PageInvalid(Refusal):
    """A page token is none of this list's."""

    code = "page_invalid"
    kind = "invalid"


class ActInFuture(Refusal):
    """A legal act bears a day that has not come. Facts: `day`."""

    code = "act_in_future"
    kind = "invalid"


class DateBefore(Refusal):
    """A legal act bears a day before the one it rests on. Facts: `day`, `earliest`."""

    code = "date_before"
    kind = "invalid"
