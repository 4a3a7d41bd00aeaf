"""What all refusals have in common, and the programmer's own fault."""

from __future__ import annotations

from typing import Any
from typing import ClassVar
from typing import dataclass_transform


class ConfigurationError(ValueError):
    """A parameter of the verifier or of a skin makes no sense."""


@dataclass_transform(kw_only_default=True, eq_default=False)
class SigV4Error(Exception):
    """Root of all refusals. Never raised itself.

    The annotated attributes of a subclass are its facts: keyword arguments, as
    those of a dataclass. To make forty of those would take most of the time
    that the package takes to be imported.

    A refusal can be copied and pickled; what no repr shows stays behind.

    Attributes:
        access_key_id: the key the request names, or None where it names none
            that can be read. Nothing has been verified about it.
        presigned: True where the request was judged as a presigned URL.
        service: the service of the credential scope, or None before rule 6.
        region: the region of the credential scope, or None before rule 6.
        payload_form: the name of the payload form, or None before rule 8.
    """

    #: One sentence for the log: what happened.
    summary = "The request was refused."
    #: One sentence for the operator: what to look at; empty where there is nothing to say.
    hint = ""

    access_key_id: str | None = None
    presigned: bool = False
    service: str | None = None
    region: str | None = None
    payload_form: str | None = None

    _names: ClassVar[tuple[str, ...]] = ()
    _known: ClassVar[frozenset[str]] = frozenset()
    #: Those that have no default.
    _required: ClassVar[frozenset[str]] = frozenset()
    #: Facts that no repr shows.
    _hidden: ClassVar[tuple[str, ...]] = ()

    @property
    def log_detail(self) -> str:
        """One sentence of printable ASCII for the log: what came, and what was expected.

        Not for whoever sent the request: it tells what the server is configured with. Empty where
        there is nothing to say.
        """
        return ""

    @property
    def underlying(self) -> SigV4Error:
        """The reason itself: with uniform errors it stands behind what the client is told."""
        return self.__cause__ if isinstance(self.__cause__, SigV4Error) else self

    def __init_subclass__(cls) -> None:
        cls._names = (*cls._names, *(name for name in cls.__annotations__ if name[0] != "_"))
        cls._known = frozenset(cls._names)
        cls._required = frozenset(name for name in cls._names if not hasattr(cls, name))

    def __init__(self, *args: object, **facts: object) -> None:
        super().__init__(*args)
        if not self._required <= facts.keys() <= self._known:
            raise TypeError(f"{type(self).__name__} takes {', '.join(self._names) or 'no facts'}")
        vars(self).update(facts)

    def __repr__(self) -> str:
        shown = [name for name in self._names if name not in self._hidden]
        if not self._names:
            return super().__repr__()
        return f"{type(self).__name__}({', '.join(f'{n}={getattr(self, n)!r}' for n in shown)})"

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
