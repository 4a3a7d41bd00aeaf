"""What became of one request on one server."""

from __future__ import annotations

import hashlib
import re
import uuid
from dataclasses import dataclass
from typing import Any

from tests.servers.applications import ACCESS_KEY_ID
from tests.servers.applications import TEMPORARY_KEY_ID
from tests.servers.roster import Running
from tests.servers.signing import Case
from tests.servers.wire import Answer
from tests.servers.wire import exchange

_CODE = re.compile(r"<Code>([A-Za-z0-9]+)</Code>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came back, and what the application noted.

    Attributes:
        case: the request.
        answer: what came back.
        calls: what reached the application; more than one would be a fault of the server.
    """

    case: Case
    answer: Answer
    calls: tuple[dict[str, Any], ...]

    @property
    def served(self) -> bool:
        """Whether the application was called."""
        return bool(self.calls)

    @property
    def refused_by_us(self) -> bool:
        """Whether the refusal is the middleware's, and not the server's own."""
        ids = self.answer.values("x-amzn-requestid") + self.answer.values("x-amz-request-id")
        return bool(ids) and not self.served

    @property
    def code(self) -> str | None:
        """AWS's code of a refusal of ours, where the answer has one."""
        if not self.refused_by_us:
            return None
        found = _CODE.search(self.answer.body.decode())
        return found[1] if found else next(iter(self.answer.values("x-amzn-errortype")), None)

    @property
    def is_race(self) -> bool:
        """Whether the server may have taken the client for lost while the application answered.

        All of such a body was there and is verified; only the end of its framing is missing.
        """
        return self.answer.status is None and self.case.name.endswith("without its last chunk")

    def faults(self) -> list[str]:
        """Return what must never be, on whatever server: a request that is misread."""
        found = []
        if len(self.calls) > 1:
            found.append("the application was called twice")
        for call in self.calls:
            found += self._misread(call)
        if self.served and self.case.path is None:
            found.append("the application was called for a request that had to be refused")
        if self.served and self.answer.status != 200 and not self.is_race:
            found.append(f"the application was called, and the client got {self.answer.status}")
        if not self.served and self.answer.status is not None and self.answer.status < 400:
            found.append(f"status {self.answer.status} without a call of the application")
        if self.answer.status == 500:
            found.append("status 500")
        if self.refused_by_us and len(self.answer.values("date")) != 1:
            found.append(f"a refusal with {len(self.answer.values('date'))} Date headers")
        return found

    def _misread(self, call: dict[str, Any]) -> list[str]:
        request = self.case.request
        key = TEMPORARY_KEY_ID if request.temporary else ACCESS_KEY_ID
        expected = {
            "method": request.method,
            "path": (self.case.path or "").encode().hex(),
            "query": request.target.partition("?")[2],
            "sha256": hashlib.sha256(request.body).hexdigest(),
            "access_key_id": key,
            "principal": "temporary" if request.temporary else "permanent",
            "transfer_encoding": None,
        }
        if request.presigned:
            del expected["query"]
        if request.body:
            expected["content_length"] = str(len(request.body))
        found = [
            f"{name} is {call[name]!r} and not {value!r}"
            for name, value in expected.items()
            if call[name] != value
        ]
        if "HTTP_X_AMZ_ACL" in call["amz"]:
            found.append("an unsigned x-amz-acl reached the application")
        return found

    def describe(self) -> str:
        """Return the outcome as a cell of the table has it."""
        if self.served:
            return "ok"
        if self.answer.status is None:
            return "closed"
        return f"{self.answer.status}{'' if self.refused_by_us else ' by the server'}"


def outcome(running: Running, case: Case) -> Outcome:
    """Send *case* to the server and return what became of it."""
    name = f"{case.id}-{uuid.uuid4()}"
    signed = case.signed(prefix=running.server.prefix, case=name)
    answer = exchange(running.port, signed.sending())
    return Outcome(case=case, answer=answer, calls=tuple(running.calls(name)))
