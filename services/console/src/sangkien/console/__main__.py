"""The `sangkien` command. Each group of commands is a module of `commands`, imported only when the command runs."""

import io
import os
import sys

import typer
from typer.exceptions import TyperException

# The supervisor starts children while gRPC runs; they execute another program at once, so gRPC has nothing to mend.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")

_INTERRUPTED = 130

app = typer.Typer(
    name="sangkien",
    help="Sáng Kiến Network: một nút trên một máy · a node on one machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def main() -> None:
    """Entry point of the `sangkien` command."""
    from sangkien.console.commands import (
        audit_commands,
        demo_command,
        dossier_command,
        evidence_command,
        exchange_commands,
        import_command,
        member_commands,
        node_commands,
        operator_commands,
        organisation_commands,
        peer_commands,
        person_commands,
        report_commands,
        rules_commands,
    )

    for module in (node_commands, demo_command, import_command, operator_commands, report_commands, rules_commands):
        module.add_to(app)
    node = typer.Typer(help="Nút trong mạng lưới: mời, tham gia, rời · a node in the federation: invite, join, leave.")
    for group in (peer_commands, member_commands):
        group.add_to(node)
    app.add_typer(node, name="node", no_args_is_help=True)
    for module in (exchange_commands, dossier_command, evidence_command, audit_commands):
        module.add_to(app)
    for module in (organisation_commands, person_commands):
        module.add_to(app)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # Vietnamese on any terminal, JSON in the one encoding it has
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    sys.exit(_run(as_json="--json" in sys.argv))


def _run(*, as_json: bool) -> int | None:
    """The exit status. What is wrong with the command line itself is said like any other refusal."""
    from sangkien.console.commands.speaking import say_refused
    from sangkien.console.commands.usage import asks_for_help, in_words

    try:
        status: int | None = app(standalone_mode=False)
    except typer.Abort:
        say_refused(as_json, "not_confirmed", "Đã thôi, chưa làm gì · stopped, nothing was done", "")
        return 1
    except TyperException as error:
        if not asks_for_help(error):  # typer has shown the help
            say_refused(as_json, "usage", *in_words(error))
        return error.exit_code
    except Exception as error:
        if as_json:  # a program reads an object whatever went wrong; people read what follows on stderr
            fix = "báo lỗi kèm stderr · report it with what is on stderr"
            say_refused(as_json, "internal", f"Lỗi ngoài dự kiến · unexpected: {type(error).__name__}", fix)
        raise
    if status == _INTERRUPTED:
        say_refused(as_json, "interrupted", "Đã dừng giữa chừng · interrupted", "")
    return status


if __name__ == "__main__":
    main()
