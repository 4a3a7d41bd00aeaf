"""An explained refusal as a page, for somebody who has opened a bad link in a browser.

A request that was refused may hold anything, and a link may have been sent by
anybody. So nothing on the page is code: everything that comes from the request
is printable ASCII and escaped, and the policy of the page allows one style
sheet, known by its hash, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import TYPE_CHECKING
from typing import Final

from wsgi_sigv4.explain.explanation import Explanation
from wsgi_sigv4.explain.explanation import Finding
from wsgi_sigv4.explain.explanation import Status
from wsgi_sigv4.explain.showing import MAX_TEXT
from wsgi_sigv4.explain.showing import cut
from wsgi_sigv4.explain.showing import readable
from wsgi_sigv4.reason import Reason

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_STYLE: Final = """
:root { color-scheme: light dark; --line: #d0d5dd; --soft: #f4f6f8; --dim: #5d6673;
  --bad: #b42318; --good: #16704a; }
@media (prefers-color-scheme: dark) { :root { --line: #3a414c; --soft: #1d2229;
  --dim: #9aa4b2; --bad: #ff8a7d; --good: #5fd39d; } }
* { box-sizing: border-box; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 50rem;
  padding: 1.5rem 1rem 3rem; overflow-wrap: anywhere; }
h1 { font-size: 1.4rem; line-height: 1.3; margin: 0 0 .25rem; }
h2 { font-size: 1rem; margin: 2rem 0 .5rem; }
p { margin: .5rem 0; }
code, pre { font: .85rem/1.5 ui-monospace, monospace; }
pre { background: var(--soft); border: 1px solid var(--line); border-radius: .4rem; margin: 0;
  padding: .75rem; white-space: pre-wrap; }
dl { background: var(--soft); border: 1px solid var(--line); border-left: .3rem solid var(--bad);
  border-radius: .4rem; margin: 1.5rem 0; padding: .75rem 1rem; }
dt { color: var(--dim); font-size: .8rem; margin-top: .5rem; }
dt:first-child { margin-top: 0; }
dd { margin: 0; }
ol { list-style: none; margin: 0; padding: 0; }
li { border-top: 1px solid var(--line); display: grid; grid-template-columns: 1.7rem 1fr;
  padding: .3rem 0; }
li b { font-weight: normal; }
li span { color: var(--dim); font-size: .85rem; grid-column: 2; }
.passed i { color: var(--good); }
.failed i, .failed b { color: var(--bad); font-weight: bold; }
.open, footer, .message { color: var(--dim); }
i { font-style: normal; }
footer { border-top: 1px solid var(--line); font-size: .8rem; margin-top: 2rem;
  padding-top: .5rem; }
"""
_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; sandbox"
)
_MARKS: Final = {
    Status.PASSED: ("passed", "&#10003;", "passed"),
    Status.FAILED: ("failed", "&#10007;", "failed"),
    Status.NOT_REACHED: ("open", "&middot;", "not reached"),
}

Headers = tuple[tuple[str, str], ...]


def wants_page(environ: WSGIEnvironment) -> bool:
    """Return whether somebody has opened a link in a browser.

    Browsers ask for HTML and XHTML before all else. SDKs do not, nor does
    Java's client for HTTP, which asks for HTML.
    """
    if environ.get("REQUEST_METHOD") not in ("GET", "HEAD") or "HTTP_AUTHORIZATION" in environ:
        return False
    accepted: str = environ.get("HTTP_ACCEPT", "")
    ranges = {item.strip().lower() for item in accepted.split(",", maxsplit=8)}
    return {"text/html", "application/xhtml+xml"} <= ranges


def as_page(found: Reason, told: Explanation, *, limit: int) -> tuple[Headers, bytes]:
    """Return the headers and the body of a page of at most *limit* bytes.

    Args:
        found: AWS's name for the refusal.
        told: what the client may be told of it.
        limit: bytes.
    """
    size = MAX_TEXT
    body = _page(found, told, size)
    while len(body) > limit and size:
        size //= 2
        body = _page(found, told, size)
    headers = (
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Content-Security-Policy", _POLICY),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
    )
    return headers, body


def _page(found: Reason, told: Explanation, size: int) -> bytes:
    parts = [
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{found.status} {escape(found.code)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{found.status} {escape(found.code)}</h1>",
        f'<p class="message">{_text(found.message, size)}</p>',
        "" if told.finding is None else _finding(told.finding),
        "<h2>Rules</h2><ol>",
    ]
    for check in told.checks:
        kind, mark, word = _MARKS[check.status]
        detail = f"<span>{_text(check.detail, size)}</span>" if check.detail else ""
        named = f"<b>{check.number}. {escape(check.name)}</b>"
        parts.append(f'<li class="{kind}"><i title="{word}">{mark}</i>{named}{detail}</li>')
    parts.append("</ol>")
    for title, data in (
        ("Canonical request", told.canonical_request),
        ("String to sign", told.string_to_sign),
    ):
        if data is not None:
            parts.append(f"<h2>{title}, as the server built it</h2>")
            parts.append(f"<pre>{_text(readable(data), size)}</pre>")
    parts.append(
        "<footer>You see this because <code>explain</code> is on. "
        "It is for development, and not for production.</footer></body></html>"
    )
    return "".join(parts).encode("ascii", "xmlcharrefreplace")


def _finding(finding: Finding) -> str:
    causes = ", ".join(finding.causes) or "none on the list"
    rows = (
        ("What is wrong", escape(finding.summary)),
        ("Cause", f"<code>{escape(causes)}</code> ({escape(finding.party)})"),
        ("What to do", escape(finding.remedy)),
    )
    return "<dl>" + "".join(f"<dt>{title}</dt><dd>{text}</dd>" for title, text in rows) + "</dl>"


def _text(text: str, size: int) -> str:
    return escape(cut(text, size))
