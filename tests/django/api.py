"""The views of Django REST framework, with the middleware before them and without."""

from __future__ import annotations

from collections.abc import Sequence

from rest_framework.authentication import BaseAuthentication
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from wsgi_sigv4.contrib.django.rest_framework import IsSigned
from wsgi_sigv4.contrib.django.rest_framework import SigV4Authentication
from wsgi_sigv4.identity import Identity


class WhoAmI(APIView):
    """Answers with what was verified."""

    authentication_classes: Sequence[type[BaseAuthentication]] = (SigV4Authentication,)

    def get(self, request: Request) -> Response:
        """Answer."""
        return Response({"key": key_of(request), "user": str(request.user)})

    def post(self, request: Request) -> Response:
        """Answer with the data, too."""
        return Response({"key": key_of(request), "data": request.data})


def key_of(request: Request) -> str | None:
    """Return the access key id of who signed *request*."""
    identity: object = request.auth
    return identity.access_key_id if isinstance(identity, Identity) else None


class Signed(WhoAmI):
    """Answers whoever signed."""

    permission_classes = (IsSigned,)


class Authenticated(WhoAmI):
    """Answers users only."""

    permission_classes = (IsAuthenticated,)


class Either(WhoAmI):
    """Answers who signed and who is logged in."""

    authentication_classes = (SigV4Authentication, SessionAuthentication)
