"""The closed list of causes of refusals other than a wrong signature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from wsgi_sigv4.explain.explanation import Finding
from wsgi_sigv4.explain.explanation import Party


@dataclass(frozen=True, slots=True)
class Cause:
    """What a refusal other than a wrong signature comes from.

    Attributes:
        id: its name in findings.
        title: what went wrong, as the documentation lists it.
        party: who has to mend it.
        remedy: how.
    """

    id: str
    title: str
    party: Party
    remedy: str

    def finding(self, summary: str, *, remedy: str = "") -> Finding:
        """Return the finding that this is the cause; it may have a *remedy* of its own."""
        return Finding(
            causes=(self.id,), summary=summary, party=self.party, remedy=remedy or self.remedy
        )


SIGV2: Final = Cause(
    "sigv2",
    "The request is signed with Signature Version 2",
    "client",
    "Switch the client to Signature Version 4: boto3: Config(signature_version='s3v4'); s3cmd: "
    "signature_v2 = False.",
)
SIGV4A: Final = Cause(
    "sigv4a",
    "The request is signed with SigV4A (AWS4-ECDSA-P256-SHA256)",
    "client",
    "Switch the client to AWS4-HMAC-SHA256: boto3: Config(signature_version='v4' or 's3v4'), and "
    "no multi-region endpoint.",
)
ALGORITHM: Final = Cause(
    "algorithm",
    "The algorithm is spelt otherwise than AWS4-HMAC-SHA256",
    "client",
    "Let the client write AWS4-HMAC-SHA256, in upper case.",
)
OTHER_SCHEME: Final = Cause(
    "other-scheme",
    "The Authorization header is of another scheme (Basic, Bearer)",
    "client",
    "Let the client sign with AWS Signature Version 4. If it does, something replaced its header: "
    "a .netrc, a login in the URL, a session's own auth, or a proxy (nginx: take proxy_set_header "
    "Authorization out).",
)
POST_POLICY: Final = Cause(
    "post-policy",
    "The request is a form with a POST policy",
    "client",
    "Upload with a presigned PUT URL: generate_presigned_url, not generate_presigned_post.",
)
NOT_SIGNED: Final = Cause(
    "not-signed",
    "The request arrived without a signature",
    "client",
    "Sign it: curl --aws-sigv4, an SDK, or a presigned URL for a browser. If the client did sign "
    "it, something took the Authorization header away: mod_wsgi needs WSGIPassAuthorization On, a "
    "proxy must not touch it (nginx: take proxy_set_header Authorization out; Apache: "
    "RequestHeader unset), and redirects to another host lose it.",
)
TWO_AUTHENTICATIONS: Final = Cause(
    "two-authentications",
    "A presigned URL was sent with an Authorization header beside it",
    "client",
    "Send the presigned URL without an Authorization header: a .netrc, a session's default header, "
    "a browser's login or a proxy (nginx: proxy_set_header Authorization) adds one.",
)
MALFORMED: Final = Cause(
    "malformed-authorization",
    "The authorization lacks a part, has one twice or cannot be parsed",
    "client",
    "Send it as the SDKs do: AWS4-HMAC-SHA256 Credential=ID/DATE/REGION/SERVICE/aws4_request, "
    "SignedHeaders=..., Signature=...; a shell, a proxy or a copied URL may have cut it (quote the "
    "URL: & ends a command).",
)
SIGNED_HEADERS: Final = Cause(
    "signed-headers-list",
    "The list of signed headers is not sorted, unique and lower-case (curl 7.88 with repeats)",
    "client",
    "Send each header once and with a value (curl 7.88 lists repeated and empty ones wrongly:"
    " update it), list names sorted and in lower case, and write them with a hyphen: servers "
    "drop names with an underscore, or take them for others.",
)
SIGNATURE_FORM: Final = Cause(
    "signature-form",
    "The signature is cut, in upper case or not hex",
    "client",
    "Send the signature as 64 hex digits in lower case: a copied URL or header may be cut, or "
    "have a character more (a full stop, a quote).",
)
HOST_NOT_SIGNED: Final = Cause(
    "host-not-signed",
    "Host is not among the signed headers",
    "client",
    "Let the client sign host: it says which server the request is for.",
)
NO_DATE: Final = Cause(
    "no-date",
    "The request has no date that can be read (aws4 for CodeCommit)",
    "client",
    "Let the client send X-Amz-Date once, as YYYYMMDDThhmmssZ; aws4 leaves it out for CodeCommit "
    "only.",
)
TIME_ZONE: Final = Cause(
    "clock-time-zone",
    "The client's clock is off by its time zone",
    "client",
    "Let the client take UTC: its machine, container or code takes the local time for UTC "
    "(datetime.now(timezone.utc), not datetime.now()).",
)
CLOCK: Final = Cause(
    "clock-off",
    "The clocks differ, or the request is old",
    "client",
    "Compare the clocks of both machines (NTP, chronyc tracking): a virtual machine that slept is "
    "behind. A request that was recorded or queued is too old: sign it anew.",
)
LINK_EXPIRED: Final = Cause(
    "link-expired",
    "The presigned URL is past its end",
    "client",
    "Presign a new URL, with a longer life where that is right (ExpiresIn).",
)
EXPIRES: Final = Cause(
    "expires-range",
    "X-Amz-Expires is not a number from 1 to 604800",
    "client",
    "Presign for at most seven days: ExpiresIn=604800.",
)
WRONG_REGION: Final = Cause(
    "wrong-region",
    "The client signed for a region that is not accepted",
    "client",
    "Set the client's region (region_name, AWS_REGION, --region), or the verifier's region=.",
)
WRONG_SERVICE: Final = Cause(
    "wrong-service",
    "The client signed for a service that is not accepted",
    "client",
    "Set the service that the client signs for (curl: --aws-sigv4 aws:amz:REGION:SERVICE), or the "
    "verifier's service=.",
)
SCOPE_DATE: Final = Cause(
    "wrong-scope-date",
    "The date of the credential is not that of the request time",
    "client",
    "Let the client make both of one UTC time: the local date differs from it for some hours a day,"
    " and a cached credential from midnight on.",
)
TERMINATOR: Final = Cause(
    "wrong-terminator",
    "The credential does not end with aws4_request",
    "client",
    "Let the client end the credential scope with aws4_request.",
)
HEADER_REMOVED: Final = Cause(
    "header-removed",
    "A proxy removed a signed header",
    "proxy",
    "Let the proxy pass the header on (nginx: proxy_set_header NAME $http_name; Apache: no "
    "RequestHeader unset; HAProxy: no del-header, no compression offload), or let the client leave "
    "it out of its signed headers: Connection, Keep-Alive, TE, Expect and Upgrade end at many "
    "proxies.",
)
HEADER_ADDED: Final = Cause(
    "header-added",
    "A header that must be signed is not: an edge added it, or the client did after signing",
    "proxy",
    "Where an edge adds it, name it in allow_unsigned_headers; else let the client set it before it"
    " signs.",
)
TOKEN_NOT_LISTED: Final = Cause(
    "token-not-signed",
    "The session token came in a header that is not signed",
    "client",
    "Let the client sign x-amz-security-token, or set allow_unsigned_session_token=True.",
)
HOST_NOT_ACCEPTED: Final = Cause(
    "host-not-accepted",
    "Host is none of those that the verifier accepts",
    "server",
    "Where a proxy replaced it: nginx: proxy_set_header Host $http_host; Apache: "
    "ProxyPreserveHost On; or ProxyFix(x_host=1). Add it to hosts where clients ask for it.",
)
CONFLICT: Final = Cause(
    "conflicting-values",
    "A value stands in a header and in the query, and they differ",
    "client",
    "Send X-Amz-Date, x-amz-content-sha256 and the session token once: as headers, or in a "
    "presigned URL.",
)
NO_PAYLOAD_HASH: Final = Cause(
    "payload-hash-not-sent",
    "S3 wants x-amz-content-sha256, and it is not there (curl 7.88)",
    "client",
    "Let the client send x-amz-content-sha256: curl 7.88 does not by itself: add "
    "-H 'x-amz-content-sha256: UNSIGNED-PAYLOAD'. To take such requests: "
    "dataclasses.replace(S3, payload_header_required=False).",
)
PAYLOAD_FORM: Final = Cause(
    "payload-form",
    "The payload form is unknown, or not allowed here",
    "client",
    "Send the SHA-256 of the body in hex; UNSIGNED-PAYLOAD needs allow_unsigned_payload=True "
    "outside S3, and streaming forms a PUT or POST.",
)
PATH_NOT_CLEAN: Final = Cause(
    "path-not-clean",
    "The path reaches above the root, hides dot segments or is not percent-encoded",
    "client",
    "Ask for the path without . and .. segments, percent-encoded.",
)
QUERY_NOT_CLEAN: Final = Cause(
    "query-not-clean",
    "The query is not percent-encoded",
    "client",
    "Write %25 for a percent sign, and encode all that is no letter, digit, - . _ ~.",
)
PATH_NOT_ROUTED: Final = Cause(
    "path-not-routed",
    "The application would route on another path than was signed",
    "proxy",
    "Let the proxy pass the path on as sent (nginx: proxy_pass http://upstream; without a URI part;"
    " Apache: ProxyPass ... nocanon; mod_wsgi: AllowEncodedSlashes On), name a prefix that it "
    "strips in path_prefix, and put middleware that rewrites PATH_INFO behind the verifier.",
)
UNKNOWN_KEY: Final = Cause(
    "unknown-key",
    "The access key id is unknown",
    "key",
    "Compare the access key id with those issued: a key of AWS's own, another stage's or a deleted "
    "one.",
)
DISABLED_KEY: Final = Cause(
    "disabled-key", "The access key is disabled", "key", "Enable the key, or issue another one."
)
TOKEN_MISSING: Final = Cause(
    "token-missing",
    "The key is temporary, and its session token did not arrive",
    "client",
    "Give the client the session token (AWS_SESSION_TOKEN), and let proxies pass "
    "x-amz-security-token on.",
)
TOKEN_WRONG: Final = Cause(
    "token-wrong",
    "The session token is not that of the key, or the key has none",
    "client",
    "Take key id, secret and token from the same issue; with a permanent key unset "
    "AWS_SESSION_TOKEN.",
)
CREDENTIALS_EXPIRED: Final = Cause(
    "credentials-expired",
    "The credentials are past their end",
    "client",
    "Let the client fetch new temporary credentials.",
)
PROVIDER_DOWN: Final = Cause(
    "provider-down",
    "The credentials cannot be looked up",
    "server",
    "Look at the log of the credential provider: its back end does not answer.",
)
KEY_LIMIT: Final = Cause(
    "key-limit",
    "The key is not allowed this: a region, service, method, path or life of a URL",
    "server",
    "Widen the limits of the credentials (regions, services, methods, path_prefixes, presigned, "
    "max_expires), or use another key.",
)
DENIED: Final = Cause(
    "denied",
    "The operator's authorize refused it",
    "server",
    "The signature is right: look at what the authorize function wants of this identity. It must "
    "return True itself; anything else refuses.",
)
BODY_CHANGED: Final = Cause(
    "body-changed",
    "The body, a chunk or a checksum is not the one that was signed",
    "proxy",
    "Something changed the body after it was signed: a proxy that rewrites it (nginx: take "
    "proxy_set_body out; Apache: SetInputFilter), a retry that sent it from the middle, a file "
    "that changed while it was sent.",
)
NOT_CHUNKED: Final = Cause(
    "not-chunked",
    "The body is not aws-chunked, though its payload form says so",
    "proxy",
    "Let no proxy decode or rewrite the body; a client that announces a streaming form must frame "
    "its body so.",
)
BODY_INCOMPLETE: Final = Cause(
    "body-incomplete",
    "The body ended early",
    "proxy",
    "Look for a proxy or client that closes the connection: time limits, sizes "
    "(client_max_body_size).",
)
BODY_TOO_LARGE: Final = Cause(
    "body-too-large",
    "The body is larger than accepted",
    "server",
    "Raise max_body; for bodies without x-amz-content-sha256 unverified_body_limit, or let the "
    "client send it.",
)

CAUSES: Final[tuple[Cause, ...]] = tuple(
    value for value in tuple(globals().values()) if isinstance(value, Cause)
)
