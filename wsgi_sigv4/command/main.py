"""The command itself: arguments in, lines and an exit code out."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from wsgi_sigv4.command.arguments import parser
from wsgi_sigv4.command.faults import CommandFault
from wsgi_sigv4.command.faults import ExitCode
from wsgi_sigv4.command.faults import NotSetUp
from wsgi_sigv4.command.faults import UnwritableOutput
from wsgi_sigv4.command.inputs import STDIN
from wsgi_sigv4.command.inputs import Chosen
from wsgi_sigv4.command.inputs import choose_request
from wsgi_sigv4.command.inputs import read_canonical_request
from wsgi_sigv4.command.inputs import read_file
from wsgi_sigv4.command.judging import PROFILES
from wsgi_sigv4.command.judging import Judgement
from wsgi_sigv4.command.judging import Server
from wsgi_sigv4.command.judging import judge
from wsgi_sigv4.command.keys import find_keys
from wsgi_sigv4.command.signing import Draft
from wsgi_sigv4.command.signing import curl_command
from wsgi_sigv4.command.signing import presigned_url
from wsgi_sigv4.command.signing import signed_headers
from wsgi_sigv4.command.signing import signer
from wsgi_sigv4.command.visible import visible
from wsgi_sigv4.signer import Signer

_VERDICT = ("format", "entry", "method", "path", "judged_at", "notes", "accepted", "refusal")
_NO_RICH = "the output needs rich: pip install 'wsgi-sigv4[cli]' (--json goes without)"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with *arguments*, those of the process by default; return its exit code.

    Raises:
        SystemExit: from argparse, for --help and for arguments that it refuses.
    """
    chosen = parser().parse_args(arguments)
    commands = {"explain": _explain, "verify": _verify, "sign": _sign, "presign": _presign}
    try:
        return commands[chosen.command](chosen)
    except CommandFault as fault:
        print(f"wsgi_sigv4: {visible(str(fault))}", file=sys.stderr)
        return fault.code
    except UnicodeEncodeError:
        # Of what the user has typed: all else is ASCII.
        print("wsgi_sigv4: the terminal cannot show this; use --json", file=sys.stderr)
        return ExitCode.USAGE
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED


def _explain(chosen: argparse.Namespace) -> ExitCode:
    _check_rich(chosen)
    name = chosen.client_canonical_request
    _check_stdin(name, chosen.file, chosen.body_file)
    client = None if name is None else read_canonical_request(name)
    judgement = _judge(chosen, client)
    with _printing():
        if chosen.json:
            _print_json(judgement.as_dict())
        else:
            from wsgi_sigv4.command.terminal import console
            from wsgi_sigv4.command.terminal import print_explanation

            print_explanation(console(), judgement)
    differs = judgement.difference is not None
    return ExitCode.OK if judgement.explanation.accepted and not differs else ExitCode.REFUSED


def _verify(chosen: argparse.Namespace) -> ExitCode:
    _check_rich(chosen)
    _check_stdin(chosen.file, chosen.body_file)
    judgement = _judge(chosen, None)
    with _printing():
        if chosen.json:
            told = judgement.as_dict()
            _print_json({name: told[name] for name in _VERDICT})
        else:
            from wsgi_sigv4.command.terminal import console
            from wsgi_sigv4.command.terminal import print_verdict

            print_verdict(console(), judgement)
    return ExitCode.OK if judgement.explanation.accepted else ExitCode.REFUSED


def _sign(chosen: argparse.Namespace) -> ExitCode:
    draft = _draft(chosen)
    made = _signer(chosen)
    headers = signed_headers(made, draft, unsigned_payload=chosen.unsigned_payload)
    command = curl_command(draft, headers)
    with _printing():
        if chosen.json:
            told = {"method": draft.method, "url": draft.url, "headers": headers, "curl": command}
            _print_json(told)
        elif chosen.headers:
            print(*(f"{name}: {value}" for name, value in headers.items()), sep="\n")
        else:
            print(command)
    return ExitCode.OK


def _presign(chosen: argparse.Namespace) -> ExitCode:
    draft = _draft(chosen)
    made = _signer(chosen)
    url = presigned_url(made, draft, expires=chosen.expires)
    with _printing():
        if chosen.json:
            _print_json({"method": draft.method, "url": url, "expires": chosen.expires})
        else:
            print(url)
    return ExitCode.OK


def _judge(chosen: argparse.Namespace, client: bytes | None) -> Judgement:
    server = Server(
        keys=find_keys(credentials_file=chosen.credentials_file, profile_name=chosen.profile_name),
        region=chosen.region,
        service=chosen.service,
        profile=chosen.signing_profile,
        hosts=tuple(chosen.host),
        path_prefix=chosen.path_prefix or "",
        now=time.time() if chosen.at_clock else chosen.now,
    )
    found = choose_request(chosen.file, format=chosen.format, entry=chosen.entry)
    if chosen.body_file is not None:
        saved = found.saved.with_body(read_file(chosen.body_file))
        found = Chosen(saved=saved, format=found.format, entry=found.entry)
    return judge(found, server, client=client)


def _draft(chosen: argparse.Namespace) -> Draft:
    body = None
    if chosen.data is not None:
        body = chosen.data.encode("utf-8", "surrogateescape")
    elif chosen.data_file is not None:
        body = read_file(chosen.data_file)
    return Draft.of(chosen.method, chosen.url, chosen.header, body=body, body_file=chosen.data_file)


def _signer(chosen: argparse.Namespace) -> Signer:
    region = chosen.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if not region:
        raise CommandFault("--region says which region to sign for, or AWS_REGION")
    return signer(
        find_keys(credentials_file=chosen.credentials_file, profile_name=chosen.profile_name),
        region=region,
        service=chosen.service,
        profile=PROFILES.get(chosen.signing_profile),
        clock=time.time if chosen.now is None else lambda: chosen.now,
    )


def _check_rich(chosen: argparse.Namespace) -> None:
    if not chosen.json and find_spec("rich") is None:
        raise NotSetUp(_NO_RICH)


def _check_stdin(*names: str | None) -> None:
    if names.count(STDIN) > 1:
        raise CommandFault("the standard input holds one file")


@contextmanager
def _printing() -> Iterator[None]:
    """Let a reader go who has enough, as ``head`` has: the exit code stays what it is.

    Raises:
        UnwritableOutput: if there is no room for what is printed.
    """
    try:
        yield
        # None: it was closed before, and prints went nowhere.
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as fault:  # pragma: no cover (tests have it in processes of their own)
        # Python would complain once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(fault, BrokenPipeError):
            raise UnwritableOutput(f"the output cannot be written: {fault.strerror}") from None


def _print_json(value: dict[str, Any]) -> None:
    # ASCII: whatever a request holds stands in escapes, but for DEL, which JSON lets pass.
    print(json.dumps(value, indent=2).replace("\x7f", "\\u007f"))
