"""The views of Django REST framework, with the middleware before them and without."""

from __future__ import annotations

from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from wsgi_sigv4.contrib.django.rest_framework import IsSigned
from wsgi_sigv4.contrib.django.rest_framework import SigV4Authentication


class WhoAmI(APIView):
    """Answers with what was verified."""

    authentication_classes = (SigV4Authentication,)

    def get(self, request: Request) -> Response:
        """Answer."""
        key = request.auth and request.auth.access_key_id
        return Response({"key": key, "user": str(request.user)})

    def post(self, request: Request) -> Response:
        """Answer with the data, too."""
        return Response({"key": request.auth and request.auth.access_key_id, "data": request.data})


class Signed(WhoAmI):
    """Answers whoever signed."""

    permission_classes = (IsSigned,)


class Authenticated(WhoAmI):
    """Answers users only."""

    permission_classes = (IsAuthenticated,)


class Either(WhoAmI):
    """Answers who signed and who is logged in."""

    authentication_classes = (SigV4Authentication, SessionAuthentication)
