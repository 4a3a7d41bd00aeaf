"""Judgements on a terminal: colours where it has them, plain lines elsewhere.

Needs rich, which ``wsgi-sigv4[cli]`` brings. Whatever comes out of a file is
escaped, and is handed over as Text, in which rich reads no markup.
"""

from __future__ import annotations

import os
import sys
from textwrap import wrap
from typing import IO
from typing import Final

from rich.console import Console
from rich.text import Text

from wsgi_sigv4.command.comparison import Difference
from wsgi_sigv4.command.judging import Judgement
from wsgi_sigv4.command.visible import visible
from wsgi_sigv4.command.visible import visible_lines
from wsgi_sigv4.explain import Check

_STYLES: Final = {"passed": "green", "failed": "bold red", "not reached": "dim"}
#: Columns of text.
_NARROWEST: Final = 24
_WIDEST: Final = 110
#: Of a line that differs, what is shown before the place.
_BEFORE: Final = 40
_LABELS: Final = ("  client  ", "  server  ")
_NO_LINE: Final = "(no such line)"


class _Console(Console):
    def on_broken_pipe(self) -> None:  # pragma: no cover (a test has it in a process of its own)
        """Leave it to the command, which knows its exit code; rich would end it with its own."""
        raise BrokenPipeError


def console(file: IO[str] | None = None) -> Console:
    """Return a console on *file*, the standard output by default: plain where it is no terminal.

    Python and rich let FORCE_COLOR and TERM decide too; NO_COLOR takes bold away as well.
    """
    file = sys.stdout if file is None else file
    return _Console(
        file=file,
        markup=False,
        highlight=False,
        emoji=False,
        color_system=None if os.environ.get("NO_COLOR") else "auto",
    )


def print_explanation(console: Console, judgement: Judgement) -> None:
    """Print all of *judgement*: verdict, rules, what was canonicalised, difference, finding."""
    print_verdict(console, judgement)
    explanation = judgement.explanation
    _print_checks(console, explanation.checks)
    for title, data in (
        ("Canonical request, as the server builds it", explanation.canonical_request),
        ("String to sign", explanation.string_to_sign),
    ):
        if data is not None:
            _title(console, title)
            for line in visible_lines(data):
                _line(console, Text(f"  {line}"))
    if judgement.compared:
        _title(console, "Against the client's canonical request")
        _print_difference(console, judgement.difference)
    _print_finding(console, judgement)


def print_verdict(console: Console, judgement: Judgement) -> None:
    """Print whether the request is accepted, and what is in doubt."""
    explanation = judgement.explanation
    if explanation.accepted:
        verdict = [("accepted", "bold green")]
    else:
        verdict = [("refused", "bold red"), (f": {visible(explanation.refusal or '')}", "")]
    saved = judgement.chosen.saved
    where = f"  {visible(saved.method)} {_cut(visible(judgement.path), 200)}"
    if judgement.chosen.entry > 1:
        where += f" (entry {judgement.chosen.entry})"
    _line(console, Text.assemble(*verdict, (where, "dim")))
    for note in judgement.notes:
        console.print(Text(f"note: {visible(note)}", style="yellow"))


def _print_checks(console: Console, checks: tuple[Check, ...]) -> None:
    _title(console, "Rules")
    width = max((len(visible(check.name)) for check in checks), default=0)
    for check in checks:
        status = check.status.value
        label = Text.assemble(
            f"  {check.number:2}  ",
            (f"{status:11}", _STYLES[status]),
            f"  {visible(check.name):{width}}  ",
        )
        _paragraph(console, label, check.detail)


def _print_difference(console: Console, difference: Difference | None) -> None:
    if difference is None:
        text = "No line differs; what is not shown here, such as a session token, still may."
        console.print(Text(f"  {text}", style="green"))
        return
    where = f"  Line {difference.line} ({difference.what}) differs at column {difference.column}:"
    console.print(Text(where, style="bold"))
    start = max(0, difference.column - 1 - _BEFORE)
    width = max(40, console.width - len(_LABELS[0]) - 6)
    for label, line in zip(_LABELS, (difference.client, difference.server), strict=True):
        around = _around(line, difference.column, start, width)
        _line(console, Text.assemble((label, "dim"), around))
    caret = len(_LABELS[0]) + difference.column - 1 - start + (len("...") if start else 0)
    _line(console, Text.assemble(" " * caret, ("^", "bold red")))


def _around(line: str | None, column: int, start: int, width: int) -> Text:
    """Return what stands around *column* of *line*, the part from there on marked."""
    if line is None:
        return Text(_NO_LINE, style="dim")
    end = start + width
    return Text.assemble(
        ("..." if start else "", "dim"),
        line[start : column - 1],
        (line[column - 1 : end], "red"),
        ("..." if len(line) > end else "", "dim"),
    )


def _print_finding(console: Console, judgement: Judgement) -> None:
    finding = judgement.explanation.finding
    if finding is None:
        return
    _title(console, "Finding")
    _paragraph(console, Text("  "), finding.summary, style="bold")
    for label, text, style in (
        ("cause", ", ".join(finding.causes) or "none on the list", ""),
        ("whose", finding.party, ""),
        ("remedy", finding.remedy, "cyan"),
    ):
        _paragraph(console, Text(f"  {label:6}  ", style="dim"), text, style=style)


def _paragraph(console: Console, label: Text, text: str, *, style: str = "") -> None:
    """Print *text* beside its *label*, folded at blanks."""
    room = max(_NARROWEST, min(console.width, _WIDEST) - len(label))
    lines = wrap(visible(text), room, break_long_words=False, break_on_hyphens=False)
    indent = "\n" + " " * len(label)
    body = Text(indent.join(lines), style=style)
    _line(console, Text.assemble(label, body))


def _title(console: Console, title: str) -> None:
    console.print()
    console.print(Text(title, style="bold underline"))


def _line(console: Console, text: Text) -> None:
    # Not folded: it may be copied, and a caret stands below its place.
    text.rstrip()
    console.print(text, soft_wrap=True)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]}..."
