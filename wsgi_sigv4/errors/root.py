"""What all refusals have in common, and the programmer's own fault."""

from __future__ import annotations

from typing import Any


class ConfigurationError(ValueError):
    """A parameter of the verifier or of a skin makes no sense."""


class SigV4Error(Exception):
    """Root of all refusals. Never raised itself.

    A refusal can be copied and pickled; what no repr shows stays behind.

    Attributes:
        access_key_id: the key the request names, or None where it names none
            that can be read. Nothing has been verified about it.
        presigned: True where the request was judged as a presigned URL.
        service: the service of the credential scope, or None before rule 6.
    """

    #: One sentence for the log: what happened.
    summary = "The request was refused."
    #: One sentence for the operator: what to look at; empty where there is nothing to say.
    hint = ""

    access_key_id: str | None = None
    presigned: bool = False
    service: str | None = None

    def __str__(self) -> str:
        return self.summary

    def __reduce__(self) -> tuple[Any, ...]:
        # An exception is made again from its args, which facts are not among.
        return _made_again, (type(self), self.args), self._facts()

    def _facts(self) -> dict[str, object]:
        """Return the attributes that go along with a copy."""
        return dict(vars(self))


def _made_again(kind: type[SigV4Error], args: tuple[object, ...]) -> SigV4Error:
    return kind.__new__(kind, *args)
