"""Lists of initiatives as units really send them, and filing what they hold."""

from sangkien.console.importing.authors import ImportAuthor
from sangkien.console.importing.filing import ImportReport, file_drafts, file_rows, import_file
from sangkien.console.importing.problems import RowError, TableUnreadable
from sangkien.console.importing.rows import ImportRow, read_rows
from sangkien.console.importing.tables import Table, read_table
from sangkien.console.importing.template import write_template

__all__ = [
    "ImportAuthor",
    "ImportReport",
    "ImportRow",
    "RowError",
    "Table",
    "TableUnreadable",
    "file_drafts",
    "file_rows",
    "import_file",
    "read_rows",
    "read_table",
    "write_template",
]
