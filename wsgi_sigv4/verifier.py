"""The rules, in order.

In comes a :class:`~wsgi_sigv4.request.Request`, out comes an
:class:`Identity`, or a refusal. Three steps, so that whoever does the I/O can
look up the key and read the body in its own way:

1. :meth:`Verifier.prepare`: rules 1-8, which need the request alone.
2. :meth:`Verifier.conclude`: rules 9 and 10, with the credentials.
3. :class:`~wsgi_sigv4.verification.Verification`: rule 11, while the body
   arrives. Where the request carries no payload hash, rule 10 waits for it too.

:meth:`Verifier.verify` is 1 and 2 with the verifier's own provider. The order
of the rules decides which of two faults a client is told; it is public
behaviour.
"""

from __future__ import annotations

import copy
import hmac
import secrets
import time
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence

from wsgi_sigv4.attempt import Attempt
from wsgi_sigv4.attempt import check_scope
from wsgi_sigv4.authorization import find_authorization
from wsgi_sigv4.authorization import is_attempt
from wsgi_sigv4.authorization import unsupported_scheme
from wsgi_sigv4.credentials import CredentialProvider
from wsgi_sigv4.credentials import Credentials
from wsgi_sigv4.credentials import CredentialSource
from wsgi_sigv4.credentials import Secret
from wsgi_sigv4.credentials import as_provider
from wsgi_sigv4.encoding import is_signature
from wsgi_sigv4.errors import MalformedQuery
from wsgi_sigv4.errors import SignatureMismatch
from wsgi_sigv4.errors import SigV4Error
from wsgi_sigv4.errors import UnknownAccessKey
from wsgi_sigv4.identity import Identity
from wsgi_sigv4.identity import name
from wsgi_sigv4.identity import naming
from wsgi_sigv4.messages import evidence
from wsgi_sigv4.messages import strings_to_sign
from wsgi_sigv4.payload import EMPTY_SHA256
from wsgi_sigv4.policy import Policy
from wsgi_sigv4.profiles import Profile
from wsgi_sigv4.request import Request
from wsgi_sigv4.request import parse_query
from wsgi_sigv4.signing_key import SigningKeyCache
from wsgi_sigv4.signing_key import derive_signing_key
from wsgi_sigv4.signing_key import hmac_sha256
from wsgi_sigv4.terms import TERMS
from wsgi_sigv4.timestamps import Timestamp
from wsgi_sigv4.verification import Verification
from wsgi_sigv4.verification import check_limits
from wsgi_sigv4.verification import key_fault


class Verifier:
    """Verifies requests that are signed with AWS Signature Version 4.

    One verifier serves all skins and threads: it holds no state of a request.

    Args:
        credentials: a mapping of access key id to secret (or
            :class:`Credentials`), a callable of the access key id, or a
            :class:`CredentialProvider`.
        region: the region accepted, several, or None for any.
        service: the service accepted, several, or None for any.
        profile: how requests are signed: one :class:`Profile`, or a mapping of
            service to profile. None means S3 where every service is an S3 one
            and GENERIC where none is.
        clock: POSIX seconds; tests pass their own.
        max_skew: seconds that a request time may differ; None: the profile's.
        hosts: Host values accepted, compared without case; one without a port
            also takes the default ports, one with a leading dot any name below
            it; an empty list accepts none. None: any, so that keys which
            several hosts share let a request to one be replayed to another.
        require_signed: names of headers that must be signed where present.
        allow_unsigned_headers: names of ``x-amz-*`` headers that an edge adds.
        allow_unsigned_payload: whether UNSIGNED-PAYLOAD is accepted; None: the
            profile's.
        allow_unsigned_session_token: accept a session token that was appended
            after signing.
        uniform_errors: answer an unknown key, and a wrong token, exactly as a
            wrong signature.

    Raises:
        ConfigurationError: if the parameters make no sense together.
    """

    def __init__(
        self,
        credentials: CredentialSource,
        *,
        region: str | Sequence[str] | None,
        service: str | Sequence[str] | None,
        profile: Profile | Mapping[str, Profile] | None = None,
        clock: Callable[[], float] = time.time,
        max_skew: int | None = None,
        hosts: Sequence[str] | None = None,
        require_signed: Sequence[str] = (),
        allow_unsigned_headers: Sequence[str] = (),
        allow_unsigned_payload: bool | None = None,
        allow_unsigned_session_token: bool = False,
        uniform_errors: bool = False,
    ) -> None:
        self.provider: CredentialProvider = as_provider(credentials)
        self.clock = clock
        self.uniform_errors = uniform_errors
        self._policy = Policy.of(
            region=region,
            service=service,
            profile=profile,
            max_skew=max_skew,
            hosts=hosts,
            require_signed=require_signed,
            allow_unsigned_headers=allow_unsigned_headers,
            allow_unsigned_payload=allow_unsigned_payload,
            allow_unsigned_session_token=allow_unsigned_session_token,
        )
        self._any_host: Verifier | None = None
        self._signing_keys = SigningKeyCache()
        # Whoever names an unknown key makes us derive from this one instead.
        self._dummy = Secret(secrets.token_hex(20))

    @property
    def hosts(self) -> tuple[str, ...] | None:
        """The Host values accepted, or None for any."""
        return self._policy.hosts

    @property
    def regions(self) -> tuple[str, ...] | None:
        """The regions accepted, or None for any."""
        return self._policy.regions

    @property
    def services(self) -> tuple[str, ...] | None:
        """The services accepted, or None for any."""
        return self._policy.services

    def profile(self, service: str | None) -> Profile:
        """Return the profile of *service*, or, where it has none, the verifier's first."""
        return self._policy.profile(service)

    def narrowed(
        self,
        *,
        region: str | Sequence[str] | None = None,
        service: str | Sequence[str] | None = None,
    ) -> Verifier:
        """Return a verifier that accepts only some of this one's regions and services.

        It shares the provider, the clock and the cache of signing keys.

        Args:
            region: the region accepted, or several; None: those of this verifier.
            service: the service accepted, or several; None: those of this verifier.

        Raises:
            ConfigurationError: if this verifier does not accept one of them.
        """
        narrowed = copy.copy(self)
        narrowed._policy = self._policy.narrowed(region=region, service=service)
        narrowed._any_host = None
        return narrowed

    def accepts_host(self, host: str) -> bool:
        """Return whether the Host value *host* is accepted."""
        return self._policy.accepts_host(host)

    def taking_any_host(self) -> Verifier:
        """Return one and the same verifier that has no hosts, to explain what this one refuses."""
        found = self._any_host
        if found is None:
            # What is remembered of a policy is found by it: another one each time would fill that.
            found = copy.copy(self)
            found._policy = self._policy.taking_any_host()
            self._any_host = found
        return found

    def check_scope(self, identity: Identity) -> None:
        """Apply rule 6 to an *identity* from a verifier of which this one is a narrowed form.

        Raises:
            ScopeMismatch: if this one does not accept its region or its service.
        """
        with naming(identity):
            check_scope(identity.scope, Timestamp.at(identity.request_time), self._policy)

    def verify(self, request: Request, *, now: float | None = None) -> Verification:
        """Verify the signature of *request*, and return what is left to do with its body.

        The request is authentic only when :meth:`Verification.finish` has
        returned its identity.

        Args:
            request: the request as sent.
            now: POSIX seconds; None: the verifier's clock.

        Raises:
            MissingAuthentication: if the request is not signed at all.
            SigV4Error: the reason for which it is refused.
        """
        attempt = self.prepare(request, now=now)
        if attempt is None:
            raise unsupported_scheme(request)
        credentials = self.provider.lookup(
            attempt.access_key_id, scope=attempt.scope, session_token=attempt.session_token
        )
        return self.conclude(attempt, credentials, now=now)

    def prepare(self, request: Request, *, now: float | None = None) -> Attempt | None:
        """Apply rules 1-8, and return what is left to verify; None for an anonymous request.

        Raises:
            SigV4Error: the reason for which the request is refused.
        """
        now = self.clock() if now is None else now
        try:
            query = parse_query(request.query)
        except MalformedQuery:
            if is_attempt(request):
                raise
            return None
        # Rules 1 and 2: exactly one authorization, and well-formed.
        authorization = find_authorization(request, query)
        if authorization is None:
            return None
        try:
            scope = authorization.credential.scope
            signed_headers = authorization.signed_headers
            terms = TERMS[self._policy, scope.text, signed_headers, request.names]
            return Attempt.of(request, query, authorization, terms=terms, now=now)
        except SigV4Error as refusal:
            name(refusal, authorization)
            raise

    def conclude(
        self,
        attempt: Attempt,
        credentials: Credentials | None,
        *,
        is_empty: bool = False,
        now: float | None = None,
    ) -> Verification:
        """Apply rules 9 and 10 with the *credentials* that a provider found.

        Args:
            attempt: what :meth:`prepare` returned.
            credentials: those of its access key id, or None where it is unknown.
            is_empty: there is no body, so that no rule has to wait for one.
            now: POSIX seconds; None: the verifier's clock.

        Raises:
            SigV4Error: the reason for which the request is refused.
        """
        now = self.clock() if now is None else now
        try:
            # Rule 9: the key is known, and the session token its own.
            fault = key_fault(attempt, credentials, now)
            if fault is not None:
                # With uniform errors it stands behind the refusal that is named below.
                name(fault, attempt)
                if not self.uniform_errors:
                    self._has_signed(Verification(self, attempt, None, fault), EMPTY_SHA256, now)
                    raise fault
                if isinstance(fault, UnknownAccessKey):
                    # A disabled key verifies nothing, not even who is told that it is disabled.
                    credentials = None
            verification = Verification(self, attempt, credentials, fault, is_empty=is_empty)
            if not verification.awaits_body:
                # Rule 10: the signature is right.
                self.check_signature(verification, verification.payload_hash, now)
            elif not is_signature(attempt.authorization.signature):
                # No body can make this one right.
                self.check_signature(verification, EMPTY_SHA256, now)
        except SigV4Error as refusal:
            name(refusal, attempt)
            raise
        return verification

    def check_signature(self, verification: Verification, payload_hash: str, now: float) -> None:
        """Apply rule 10: the signature is the one that the secret makes.

        Raises:
            SignatureMismatch: if it is not.
            KeyLimitExceeded: if it is, and the key may not be used for this.
        """
        if not self._has_signed(verification, payload_hash, now):
            attempt = verification.attempt
            signature = attempt.authorization.signature.decode("ascii", "backslashreplace")[:64]
            # The cause is for the operator's log; an answer never tells it.
            raise SignatureMismatch(
                signature=signature, explain=lambda: evidence(attempt, payload_hash)
            ) from verification.fault
        # With uniform errors a wrong token is told only to who has the secret.
        if verification.fault is not None:
            raise verification.fault
        # Rule 9: what a key may be used for is told only to who has its secret, too.
        credentials = verification.credentials
        if credentials is not None and credentials.limits is not None:
            check_limits(verification.attempt, credentials.limits)

    def _has_signed(self, verification: Verification, payload_hash: str, now: float) -> bool:
        """Return whether the signature is right; let *verification* go on with its key then.

        A wrong one always costs one derivation. So an unknown key, a known one
        that is cached and one that is not are refused at the same cost (T25).
        The calculated signature stays in here: an error tracker that keeps the
        locals of a traceback must not see it.
        """
        attempt, credentials = verification.attempt, verification.credentials
        signing_key, derived = self._signing_key(attempt, credentials, now)
        signature = attempt.authorization.signature
        right = False
        unsigned_token = self._policy.token_may_be_unsigned
        for message in strings_to_sign(attempt, payload_hash, unsigned_token):
            expected = hmac_sha256(signing_key, message).hex().encode("ascii")
            right = hmac.compare_digest(expected, signature)
            if right:
                break
        if not right or credentials is None:
            if not derived:
                derive_signing_key(self._dummy, attempt.scope)
            return False
        if derived and credentials.secret_access_key is not None:
            self._signing_keys.put(
                attempt.access_key_id,
                credentials.secret_access_key,
                attempt.scope,
                signing_key,
                now=now,
            )
        if attempt.stream is not None:
            verification.begin(signing_key, attempt.stream)
        return True

    def _signing_key(
        self, attempt: Attempt, credentials: Credentials | None, now: float
    ) -> tuple[bytes, bool]:
        """Return the signing key, and whether it was derived just now."""
        if credentials is None:
            return derive_signing_key(self._dummy, attempt.scope), True
        if credentials.signing_key is not None:
            return credentials.signing_key, False
        secret = credentials.secret_access_key
        assert secret is not None  # noqa: S101 (Credentials hold one of the two)
        credential = attempt.authorization.credential
        cached = self._signing_keys.get(credential.access_key_id, secret, credential.scope, now)
        if cached is not None:
            return cached, False
        return derive_signing_key(secret, credential.scope), True
