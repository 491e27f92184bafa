"""Every command explains itself, and a slip of the fingers is answered with a sentence."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import typer
from tests.commandline.conftest import Command

from mooring import __version__
from mooring.__main__ import cli

COMMANDS = ["serve", "demo", "simulate", "collect", "user", "key", "config", "doctor", "migrate"]


def every_command() -> Iterator[tuple[str, ...]]:
    """Yield the words of every command there is."""
    root = typer.main.get_command(cli)
    for name, command in root.commands.items():  # type: ignore[attr-defined]
        yield (name,)
        for inner in getattr(command, "commands", {}):
            yield (name, inner)


def test_the_commands_are_those_promised(mooring: Command) -> None:
    assert sorted({words[0] for words in every_command()}) == sorted(COMMANDS)
    said = mooring("--help")
    assert said.status == 0
    for command in COMMANDS:
        assert f" {command} " in said.out


@pytest.mark.parametrize("words", list(every_command()), ids=" ".join)
def test_every_command_explains_itself_and_its_options(mooring: Command, words: tuple[str, ...]) -> None:
    said = mooring(*words, "--help")
    assert said.status == 0
    assert f"mooring {' '.join(words)}" in said.out
    command = typer.main.get_command(cli)
    for word in words:
        command = command.commands[word]  # type: ignore[attr-defined]
    assert command.help
    for parameter in command.params:
        assert getattr(parameter, "help", None), f"{' '.join(words)} {parameter.name} has no help"


def test_the_version_is_told(mooring: Command) -> None:
    assert mooring("--version").out == f"mooring {__version__}\n"


SLIPS = {
    "sail": ["sail"],
    "--speed": ["serve", "--speed", "9"],
    "--port": ["serve", "--port", "many"],
    "65535": ["serve", "--port", "70000"],
    "shout": ["user", "shout"],
}


@pytest.mark.parametrize(("named", "words"), SLIPS.items())
def test_a_slip_is_answered_without_a_traceback(mooring: Command, named: str, words: list[str]) -> None:
    said = mooring(*words)
    assert said.status == 2
    assert "Traceback" not in said.err
    assert "Usage: " in said.err
    assert named in said.err


@pytest.mark.parametrize("words", [[], ["user"], ["key"]])
def test_a_command_without_its_rest_shows_what_there_is(mooring: Command, words: list[str]) -> None:
    said = mooring(*words)
    assert "Commands" in said.out + said.err
