"""The `sangkien` command. Each group of commands is a module of `commands`, imported only when the command runs."""

import os

import typer

# The supervisor starts children while gRPC runs; they execute another program at once, so gRPC has nothing to mend.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")

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
        demo_command,
        import_command,
        node_commands,
        operator_commands,
        report_commands,
        rules_commands,
    )

    for module in (node_commands, demo_command, import_command, operator_commands, report_commands, rules_commands):
        module.add_to(app)
    app()


if __name__ == "__main__":
    main()
