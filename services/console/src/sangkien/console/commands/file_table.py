"""Evidence files between nodes as commands show them: by content, for people write names into the names of files."""

from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from sangkien.api.exchange.v1 import exchange_pb2 as ex
from sangkien.console.commands.reaching import worded

_SHOWN = 16


def file_table(files: Sequence[ex.File]) -> Table:
    """Each file: how much of it is where, and why it failed."""
    table = Table(title="Tệp minh chứng · Evidence files", title_justify="left")
    for heading in ("SHA-256", "Nút · Node", "Trạng thái · State", "Byte"):
        table.add_column(heading, overflow="fold", justify="right" if heading == "Byte" else "left")
    for one in files:
        way = "←" if one.direction == "in" else "→"
        state = worded("file_state", one.state) + (f": {worded('file_failure', one.reason)}" if one.reason else "")
        size = f"{one.received:,} / {one.size:,}".replace(",", ".")
        table.add_row(f"{one.sha256[:_SHOWN]}…", escape(f"{way} {one.node}"), escape(state), size)
    return table
