"""What is wrong with a table or with one of its rows, in the catalogue's words."""

from dataclasses import dataclass

from sangkien.text.catalogue import fix, message


class TableUnreadable(Exception):
    """The file as a whole cannot be read as a table. `problem` says what, and how to mend it."""

    def __init__(self, code: str, **facts: str | int) -> None:
        self.problem = row_error(0, "", code, **facts)
        super().__init__(self.problem.message)


@dataclass(frozen=True, slots=True)
class RowError:
    """One thing wrong. `row` counts from 1 as spreadsheets do (0: the file), `column` is the header as written there.

    `message` and `fix` are Vietnamese, the `_en` ones English.
    """

    row: int
    column: str
    code: str
    message: str
    fix: str
    message_en: str = ""
    fix_en: str = ""

    def as_json(self) -> dict[str, str | int]:
        return {
            "row": self.row,
            "column": self.column,
            "code": self.code,
            "message": self.message,
            "fix": self.fix,
            "message_en": self.message_en,
            "fix_en": self.fix_en,
        }


class CellRefused(Exception):
    """A cell that cannot be read; `field` says which column it was in."""

    def __init__(self, field: str, code: str, **facts: str | int) -> None:
        super().__init__(code)
        self.field = field
        self.code = code
        self.facts = facts


def row_error(row: int, column: str, code: str, **facts: str | int) -> RowError:
    """The error with its texts."""
    return RowError(
        row,
        column,
        code,
        message(code, facts),
        fix(code, facts),
        message(code, facts, "en"),
        fix(code, facts, "en"),
    )
