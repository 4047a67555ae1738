"""How long a page of a list is: every list of the API promises the same."""

LARGEST_PAGE = 1_000


def page_size(asked: int, *, default: int = 100) -> int:
    """As many items as were asked for, 1,000 at most; `default` for 0, which is a request that does not say."""
    return min(asked or default, LARGEST_PAGE)
