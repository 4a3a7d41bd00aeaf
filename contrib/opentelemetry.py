"""OpenTelemetry: what became of a request, on the span of that request.

``pip install 'wsgi-sigv4[opentelemetry]'``; :func:`set_attributes` is a hook::

    SigV4Middleware(app, verifier, on_accept=set_attributes, on_refuse=set_attributes)

The instrumentation that makes the span stands around the middleware. Without a
span that is recorded nothing happens.
"""

from __future__ import annotations

from opentelemetry import trace

from wsgi_sigv4.observing import Verdict


def set_attributes(verdict: Verdict) -> None:
    """Set on the current span what *verdict* says.

    ``aws.sigv4.outcome``, ``.report_only``, ``.presigned`` and ``.duration`` (in
    seconds) always; ``.reason`` and ``.code`` unless the request is accepted;
    ``.access_key_id`` where it was verified; ``.region``, ``.service`` and
    ``.payload_form`` where they are known, claims of whoever sent it unless it
    is accepted. The status of the span is left alone: a refusal is no fault of
    the server.
    """
    span = trace.get_current_span()
    if not span.is_recording():
        return
    form = verdict.payload_form
    attributes = {
        "outcome": verdict.outcome,
        "report_only": verdict.report_only,
        "presigned": verdict.presigned,
        "duration": verdict.seconds,
        "reason": verdict.error,
        "code": verdict.code,
        "access_key_id": verdict.access_key_id,
        "region": verdict.region,
        "service": verdict.service,
        "payload_form": None if form is None else form.name.lower(),
    }
    span.set_attributes(
        {f"aws.sigv4.{name}": value for name, value in attributes.items() if value is not None}
    )
