"""When the demo on three nodes cuts the link."""

from typing import Any, cast

import pytest

from sangkien.console.demo.outage import CutLink


@pytest.mark.parametrize(("place", "of"), [(0, 1), (0, 2), (0, 3), (1, 6)])
async def test_link_is_not_cut_before_the_first_file_or_a_third_of_them(place: int, of: int) -> None:
    drill = CutLink(cast("Any", None), cast("Any", None), print)  # there is no wire to cut

    await drill.before_file(1, place, of)
    await drill.after_files(1)

    assert drill.outage.cut_s == 0
