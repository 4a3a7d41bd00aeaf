"""What ends the command early, and with which exit code."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the command tells the shell."""

    #: The request is accepted, nothing differs, or what was asked for is printed.
    OK = 0
    #: The request is refused, or the canonical requests differ.
    REFUSED = 1
    #: The arguments make no sense; argparse uses the same.
    USAGE = 2
    #: A file cannot be read, or holds no request; or the output cannot be written.
    UNREADABLE = 3
    #: There are no credentials, or something is not installed.
    NOT_SET_UP = 4
    #: Ctrl-C, as shells count it.
    INTERRUPTED = 130


class CommandFault(Exception):
    """The command ends here; its text is for the user, and holds no secret."""

    code = ExitCode.USAGE


class UnreadableInput(CommandFault):
    """A file cannot be read, or there is no request in it."""

    code = ExitCode.UNREADABLE


class UnwritableOutput(CommandFault):
    """There is no room for the output."""

    code = ExitCode.UNREADABLE


class NotSetUp(CommandFault):
    """There are no credentials, or something is not installed."""

    code = ExitCode.NOT_SET_UP
