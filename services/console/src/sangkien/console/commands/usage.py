"""What is wrong with the words of a command line, Vietnamese first."""

from typer.exceptions import TyperException

_KINDS = {
    "MissingParameter": "Thiếu phần bắt buộc",
    "NoSuchOption": "Không có tùy chọn này",
    "NoSuchCommand": "Không có lệnh này",
    "BadParameter": "Giá trị không hợp lệ",
    "BadOptionUsage": "Tùy chọn thiếu giá trị",
}
"""By the class of the error, which typer does not publish; another one is said in general."""


def in_words(error: TyperException) -> tuple[str, str]:
    """What is wrong, and how to mend it."""
    said = error.format_message()
    kind = type(error).__name__
    if said.startswith("No such command"):
        kind = "NoSuchCommand"
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "sangkien"
    return f"{_KINDS.get(kind, 'Câu lệnh sai')} · {said}", f"xem · see: {path} --help"


def asks_for_help(error: TyperException) -> bool:
    """Whether it is a group of commands that was given without any: no error, but a question."""
    return type(error).__name__ == "NoArgsIsHelpError"
