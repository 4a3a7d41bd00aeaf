"""The one view; the middleware has let nothing through to it that is not signed."""

from __future__ import annotations

import json

from django.http import HttpRequest
from django.http import JsonResponse
from django.views import View

from wsgi_sigv4 import Identity

items = ["lamp", "table"]


class SignedRequest(HttpRequest):
    """A request behind the middleware, for type checkers."""

    sigv4: Identity


class Items(View):
    """The items."""

    def get(self, request: SignedRequest) -> JsonResponse:
        """Answer with the items that contain ``q``."""
        q = request.GET.get("q", "")
        found = [item for item in items if q in item]
        return JsonResponse({"items": found, "caller": request.sigv4.access_key_id})

    def post(self, request: SignedRequest) -> JsonResponse:
        """Add the item that the JSON body names."""
        name = json.loads(request.body)["name"]
        items.append(name)
        return JsonResponse({"added": name, "caller": request.sigv4.access_key_id})
