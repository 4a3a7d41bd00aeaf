"""Why a request is refused: the rule it failed, what was canonicalised, and the cause.

    explanation = explain(request, verifier, body=body)
    print(explanation.as_text())

Never part of the way of a request: a skin asks for it after a refusal, where
the operator has switched it on. Its output holds no secret, no signing key, no
signature, no session token and no cookie.
"""

from __future__ import annotations

from wsgi_sigv4.explain.engine import explain as explain
from wsgi_sigv4.explain.explanation import Check as Check
from wsgi_sigv4.explain.explanation import Explanation as Explanation
from wsgi_sigv4.explain.explanation import Finding as Finding
from wsgi_sigv4.explain.explanation import Status as Status
