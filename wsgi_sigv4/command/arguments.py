"""The arguments of the command: what --help says."""

from __future__ import annotations

import argparse
import re
from typing import Final

from wsgi_sigv4.command.inputs import READERS
from wsgi_sigv4.command.judging import PROFILES
from wsgi_sigv4.command.judging import parse_time

_ABOUT: Final = """\
Tell why the signature of a request (AWS Signature Version 4) does not match, verify one that
was saved, and sign one to try things out.
"""

_EXIT_CODES: Final = """\
exit codes:
  0  the request is accepted; the canonical requests are the same; or what was asked for is printed
  1  the request is refused, or the canonical requests differ
  2  the arguments make no sense
  3  a file cannot be read, or holds no request
  4  there are no credentials, or wsgi-sigv4[cli] is not installed
  130  interrupted
"""

_CREDENTIALS: Final = """\
where keys come from:
  AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, and the shared file
  (AWS_SHARED_CREDENTIALS_FILE, or ~/.aws/credentials). Never on the command line.
"""

_EXAMPLES: Final = """\
examples:
  python -m wsgi_sigv4 explain request.txt
  python -m wsgi_sigv4 verify --json request.har
  python -m wsgi_sigv4 sign GET https://api.example.com/items --service items --region us-east-1
"""

_EXPLAIN_EXAMPLES: Final = """\
examples:
  python -m wsgi_sigv4 explain request.txt
  curl --trace-ascii - --aws-sigv4 aws:amz:us-east-1:items ... | python -m wsgi_sigv4 explain -
  python -m wsgi_sigv4 explain --entry 3 session.har
  python -m wsgi_sigv4 explain --client-canonical-request boto3.log request.txt
"""

_VERIFY_EXAMPLES: Final = """\
examples:
  python -m wsgi_sigv4 verify --at-clock request.txt
  python -m wsgi_sigv4 verify --region us-east-1 --service s3 session.har && echo good
"""

_SIGN_EXAMPLES: Final = """\
examples:
  python -m wsgi_sigv4 sign GET 'https://api.example.com/items?a=b' --service items
  python -m wsgi_sigv4 sign PUT http://127.0.0.1:8000/photos/a.txt --service s3 --data-file a.txt
  python -m wsgi_sigv4 sign POST https://api.example.com/items --service items \\
      -H 'Content-Type: application/json' -d '{"a": 1}' | sh
"""

_PRESIGN_EXAMPLES: Final = """\
examples:
  python -m wsgi_sigv4 presign GET https://photos.example.com/a.jpg --service s3 --expires 300
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(
        prog="python -m wsgi_sigv4",
        description=_ABOUT,
        epilog="\n".join((_CREDENTIALS, _EXIT_CODES, _EXAMPLES)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_explain(_command(commands, "explain", "tell why a request is refused", _EXPLAIN_EXAMPLES))
    _add_input(_command(commands, "verify", "tell whether it is accepted", _VERIFY_EXAMPLES))
    _add_sign(_command(commands, "sign", "print a signed curl command", _SIGN_EXAMPLES))
    _add_presign(_command(commands, "presign", "print a presigned URL", _PRESIGN_EXAMPLES))
    return made


def _add_explain(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--client-canonical-request",
        metavar="FILE",
        help="what the client says that it signed: a canonical request, or a debug log of "
        "botocore; the first line that differs from the server's is shown",
    )
    _add_input(made)


def _add_sign(made: argparse.ArgumentParser) -> None:
    _add_draft(made)
    made.add_argument(
        "--headers", action="store_true", help="print the headers instead of a curl command"
    )
    made.add_argument(
        "--unsigned-payload", action="store_true", help="sign UNSIGNED-PAYLOAD, not the body"
    )


def _add_presign(made: argparse.ArgumentParser) -> None:
    _add_draft(made)
    made.add_argument(
        "--expires",
        type=int,
        default=900,
        metavar="SECONDS",
        help="how long the URL lives, one week at most (default: %(default)s)",
    )


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    summary: str,
    examples: str,
) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog="\n".join((_CREDENTIALS, _EXIT_CODES, examples)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("--json", action="store_true", help="print JSON, for machines")
    keys = made.add_argument_group("credentials")
    keys.add_argument(
        "--credentials-file", metavar="FILE", help="a shared credentials file, and no other key"
    )
    keys.add_argument(
        "--profile-name", metavar="NAME", help="a profile of that file, and no other key"
    )
    return made


def _add_input(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "file",
        metavar="FILE",
        help="a raw HTTP request, what curl --trace-ascii (or --trace) writes, a HAR file, or a "
        "debug log of botocore; - is the standard input",
    )
    given = made.add_argument_group("what is in the file")
    given.add_argument(
        "--format", choices=[*READERS], help="the format of FILE (default: what it looks like)"
    )
    given.add_argument(
        "--entry",
        type=_positive,
        metavar="N",
        help="which request of FILE, from 1 on (default: the first signed one that was refused, "
        "or else the first signed one)",
    )
    given.add_argument("--body-file", metavar="FILE", help="the body, where FILE does not hold it")
    _add_server(made)


def _add_server(made: argparse.ArgumentParser) -> None:
    server = made.add_argument_group("what the server is like")
    server.add_argument("--region", help="the region it accepts (default: any)")
    server.add_argument("--service", help="the service it is (default: the one signed for)")
    _add_profile(server)
    server.add_argument(
        "--host",
        action="append",
        default=[],
        help="a Host value it accepts, with the port where it is not 80 or 443; may be repeated "
        "(default: any)",
    )
    server.add_argument(
        "--path-prefix",
        type=_path_prefix,
        metavar="/PREFIX",
        help="what a proxy has stripped from the path of the saved request",
    )
    clock = server.add_mutually_exclusive_group()
    clock.add_argument(
        "--now",
        type=_time,
        metavar="TIME",
        help="judge as of TIME, such as 20261121T213000Z (default: the time of the request "
        "itself, so that a saved one is not too old)",
    )
    clock.add_argument("--at-clock", action="store_true", help="judge as of now")


def _add_draft(made: argparse.ArgumentParser) -> None:
    made.add_argument("method", metavar="METHOD")
    made.add_argument("url", metavar="URL", help="the whole URL, percent-encoded")
    made.add_argument(
        "-H",
        "--header",
        action="append",
        default=[],
        metavar="'NAME: VALUE'",
        help="a header to send and sign; may be repeated",
    )
    body = made.add_mutually_exclusive_group()
    body.add_argument("-d", "--data", metavar="TEXT", help="the body")
    body.add_argument("--data-file", metavar="FILE", help="the body, in a file")
    made.add_argument("--region", help="the region (default: AWS_REGION or AWS_DEFAULT_REGION)")
    made.add_argument("--service", required=True, help="the service, such as s3")
    _add_profile(made)
    made.add_argument(
        "--now", type=_time, metavar="TIME", help="sign as of TIME (default: the clock)"
    )


def _add_profile(made: argparse._ActionsContainer) -> None:
    made.add_argument(
        "--signing-profile",
        choices=[*PROFILES],
        help="how its clients sign (default: s3 for the services of S3, else generic)",
    )


def _positive(text: str) -> int:
    if re.fullmatch(r"[1-9][0-9]{0,14}", text) is None:
        raise argparse.ArgumentTypeError("it is a number, counted from 1 on")
    return int(text)


def _time(text: str) -> float:
    try:
        return parse_time(text)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError("a time is 20261121T213000Z, or POSIX seconds") from None


def _path_prefix(text: str) -> str:
    if not text.startswith("/") or text.endswith("/"):
        raise argparse.ArgumentTypeError("it starts with a slash and does not end with one")
    return text
