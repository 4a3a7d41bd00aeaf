"""The body of the current request, as Flask keeps it.

Who looks at a body before it is verified leaves traces of the raw one.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING
from typing import Final
from typing import NoReturn

from flask import request
from werkzeug.wsgi import LimitedStream

from wsgi_sigv4.authentication import dismiss
from wsgi_sigv4.authentication import forget_body
from wsgi_sigv4.contrib.flask.current import remember_refused
from wsgi_sigv4.contrib.flask.current import request_itself
from wsgi_sigv4.environ import forget_identity
from wsgi_sigv4.environ import has_body
from wsgi_sigv4.identity import naming

if TYPE_CHECKING:
    from wsgi_sigv4.body import StreamedBody
    from wsgi_sigv4.errors import SigV4Error
    from wsgi_sigv4.identity import Identity

#: What a request may have kept of a body while that was still aws-chunked.
_FRAMED: Final = ("_cached_data", "_cached_json", "data", "files", "form", "values")


def forget_kept(*, framed: bool = False) -> None:
    """Have the current request look anew for its body.

    Args:
        framed: the body was aws-chunked: what was made of it goes as well.
    """
    for name in ("stream", "content_length", *(_FRAMED if framed else ())):
        vars(request_itself()).pop(name, None)


def turn_away(identity: Identity, body: StreamedBody | None, refusal: SigV4Error) -> NoReturn:
    """Refuse the current request, which is authentic, and leave nothing of it.

    Args:
        identity: whose it is; nobody was told.
        body: what is still to be verified of it, or None.
        refusal: what is raised.
    """
    environ = request.environ
    if has_body(environ):
        remember_refused(refusal)
    if body is not None:
        dismiss(body, environ)
    else:
        environ["wsgi.input"].close()
        forget_identity(environ)
        forget_body(environ)
    with naming(identity):
        raise refusal


def put_body_back() -> bool:
    """Make ``wsgi.input`` hold the body from its beginning; return whether it was read already.

    Raises:
        RuntimeError: if it was read and not kept as a whole.
    """
    environ = request.environ
    length = request.content_length
    done = vars(request_itself())
    is_chunked = length is None and "HTTP_TRANSFER_ENCODING" in environ
    if "stream" not in done or not (length or is_chunked):
        return False
    cached: bytes | None = getattr(request_itself(), "_cached_data", None)
    # After a form was parsed, get_data() keeps only what that has left of the body.
    if cached is not None and (len(cached) == length or (is_chunked and "form" not in done)):
        environ["wsgi.input"] = BytesIO(cached)
        return True
    stream = done["stream"]
    if isinstance(stream, LimitedStream) and stream.tell() == 0:
        return False
    raise RuntimeError(
        "The body of this request was read before sigv4_required could verify it. Verify first: "
        "app.before_request(sigv4_required(optional=True).check) above whatever reads the body."
    )
