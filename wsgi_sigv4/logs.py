"""What is logged of a refusal, and what is kept out of other logs.

One record on the logger ``wsgi_sigv4`` for each refusal. Access logs and error
trackers keep the URLs of requests, and a presigned URL is a key to its
resource until it ends: :class:`RedactingFilter` takes its secrets out.
"""

from __future__ import annotations

import logging
from types import MethodType
from typing import TYPE_CHECKING
from typing import Final

from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.redaction import redacted_line

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from wsgi_sigv4.explain.telling import Explained

logger: Final = logging.getLogger("wsgi_sigv4")


def log_refusal(
    refusal: SigV4Error,
    environ: WSGIEnvironment,
    *,
    told: str = "refused",
    explained: Explained | None = None,
) -> None:
    """Log why a request was refused, and what to look at; never key material.

    Args:
        refusal: the reason.
        environ: the environ of the request.
        told: what became of the request.
        explained: why it was refused, or None where nobody has looked for that.
    """
    if not logger.isEnabledFor(logging.WARNING) or _is_unheard():
        return
    cause = refusal.underlying
    # Not warning(), which looks for its caller: that takes as long as all rules before rule 10.
    record = logger.makeRecord(
        logger.name,
        logging.WARNING,
        __file__,
        log_refusal.__code__.co_firstlineno,
        f"{told} %s %a (access key id: %s): %s: %s",
        _parts(refusal, cause, environ, explained),
        None,
        func=log_refusal.__name__,
        extra={
            "sigv4_reason": type(cause).__name__,
            "sigv4_access_key_id": refusal.access_key_id,
            **({} if explained is None else _found(explained)),
        },
    )
    logger.handle(record)
    if explained is not None:
        logger.debug("%s", explained.explanation.as_text())


def _said(cause: SigV4Error, explained: Explained) -> str:
    """Return what is said of *cause*, and the finding."""
    finding = explained.finding
    parts = [str(cause)] if finding.summary != str(cause) else []
    named = f"Cause: {', '.join(finding.causes)} ({finding.party})." if finding.causes else ""
    parts += [finding.summary, named, f"Remedy: {finding.remedy}"]
    if explained.missed:
        parts.append(f"Refusals before this one that were not explained: {explained.missed}.")
    return " ".join(filter(None, parts))


def _found(explained: Explained) -> dict[str, object]:
    finding = explained.finding
    return {
        "sigv4_causes": finding.causes,
        "sigv4_finding": finding.summary,
        "sigv4_party": finding.party,
        "sigv4_remedy": finding.remedy,
        "sigv4_unexplained": explained.missed,
    }


def _is_unheard() -> bool:
    """Return whether the only handlers are such that do nothing, and a record is not needed."""
    found = list(logger.handlers)
    named: logging.Logger | None = logger
    while named is not None and named.propagate:
        named = named.parent
        found += named.handlers if named is not None else ()
    if not found or logger.filters or any(type(h) is not logging.NullHandler for h in found):
        return False
    # Error trackers hear what no handler does: they replace one of these.
    is_own_factory = logging.getLogRecordFactory() is logging.LogRecord
    return is_own_factory and all(map(_is_own, (logger.handle, logger.callHandlers)))


def _is_own(method: object) -> bool:
    """Return whether a *method* of the logger is the one of the standard library."""
    if type(method) is not MethodType:
        return False
    return getattr(method.__func__, "__globals__", None) is vars(logging)


def warn_of_report_only() -> None:
    """Warn, at start, that no request will be refused."""
    logger.warning(
        "report_only is on: requests are verified, and all of them are passed on, unsigned and "
        "forged ones among them, without an identity"
    )


def warn_of_explain() -> None:
    """Warn, at start, that answers tell more than they should in production."""
    logger.warning(
        "explain is on: answers to refused requests say what the server canonicalised, and what "
        "is wrong with them; it is for development, and not for production"
    )


def warn_of_missing_app(name: str) -> None:
    """Warn, at start, that the Django app *name* does not do its part."""
    logger.warning(
        "%s is not in INSTALLED_APPS: its checks do not run, and diffsettings shows SIGV4 with its "
        "secrets",
        name,
    )


def _parts(
    refusal: SigV4Error,
    cause: SigV4Error,
    environ: WSGIEnvironment,
    explained: Explained | None,
) -> tuple[object, ...]:
    # A presigned URL whose question mark was escaped is all path.
    path: str = environ.get("PATH_INFO", "")
    return (
        # Some servers pass on a method with control characters.
        ascii(environ.get("REQUEST_METHOD", "-"))[1:-1],
        path if "=" not in path and "%" not in path else redacted_line(path),
        refusal.access_key_id or "none",
        type(cause).__name__,
        _sentences(cause) if explained is None else _said(cause, explained),
    )


def _sentences(cause: SigV4Error) -> str:
    """Return what is said of *cause* where nobody has looked for more."""
    detail = cause.log_detail
    told = f"{cause} {redacted_line(detail)}" if detail else str(cause)
    return f"{told} {cause.hint}".rstrip()


class RedactingFilter(logging.Filter):
    """Takes signatures and session tokens of requests out of log records.

    Add it to a logger or a handler, such as ``gunicorn.access``, ``werkzeug``
    or ``django.server``. It keeps every record.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact *record* in place, and keep it."""
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError):
            # Arguments that do not fit: logging itself reports that, and does not raise.
            return True
        redacted = redacted_line(message)
        if redacted == message:
            return True
        if isinstance(record.args, tuple):
            # uvicorn's formatter takes the arguments one by one.
            record.args = tuple(
                redacted_line(part) if isinstance(part, str) else part for part in record.args
            )
        if record.getMessage() != redacted:
            record.msg, record.args = redacted, None
        return True
