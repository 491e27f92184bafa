"""The command line: serve, demo, simulate, collect, user, key, config, doctor, migrate."""

from __future__ import annotations

import sys

import typer

from mooring import __version__
from mooring.commandline import collect, fleet, people, server, upkeep
from mooring.kernel.errors import MooringError

cli = typer.Typer(
    name="mooring",
    help="Backend for fleets of devices and robots: one process that hears them, keeps it, shows it, and answers.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@cli.callback(invoke_without_command=True)
def _version(version: bool = typer.Option(False, "--version", help="Show the version and exit.")) -> None:
    if version:
        typer.echo(f"mooring {__version__}")
        raise typer.Exit


cli.command("serve")(server.serve)
cli.command("demo")(server.demo)
cli.command("simulate")(fleet.simulate)
cli.command("collect")(collect.collect)
cli.add_typer(people.users, name="user")
cli.add_typer(people.keys, name="key")
cli.command("config")(upkeep.config)
cli.command("doctor")(upkeep.doctor)
cli.command("migrate")(upkeep.migrate)


def main() -> None:
    """Run a command; a refusal becomes a sentence, never a traceback."""
    try:
        cli()
    except MooringError as error:
        typer.echo(f"error: {error.message}", err=True)
        if error.hint:
            typer.echo(f"hint: {error.hint}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
