"""The tree of refusals: one class per reason.

A refusal is raised where a rule fails, carries the facts of the case as
attributes and knows nothing of HTTP. What a client is told for it (AWS code,
status, message) is a table in :mod:`wsgi_sigv4.s3_reasons`, and one in
:mod:`wsgi_sigv4.aws_reasons`. All are imported from here; they are written down
in :mod:`~wsgi_sigv4.errors.claims` (rules 1-8, and the request itself),
:mod:`~wsgi_sigv4.errors.proof` (rules 9 and 10) and
:mod:`~wsgi_sigv4.errors.body` (rule 11, and the body itself).

    SigV4Error
        MissingAuthentication           rule 1: nothing to verify
        AmbiguousAuthentication         rule 1: header and query at once
        UnsupportedAuthorization        rule 2: another scheme
        UnsupportedAlgorithm            rule 2: not AWS4-HMAC-SHA256
            AlgorithmNotImplemented     rule 2: SigV4A, known but not built
        MalformedAuthorization          rule 2: the header's grammar
        MissingParameters               rule 2: a part is missing or empty
        DuplicateParameter              rule 2: a part stands twice
        MalformedCredential             rules 2, 6: not keyid/date/region/service/aws4_request
        MalformedSignedHeaders          rules 2, 7: not sorted, unique, lower-case
        HostNotSigned                   rule 3
        MissingDate                     rule 4
        MalformedDate                   rule 4
        RequestTimeTooSkewed            rule 5: header form, either side
        InvalidExpires                  rule 5
        RequestExpired                  rule 5: presigned
        RequestNotYetValid              rule 5: presigned
        ScopeMismatch                   rule 6
        SignedHeaderMissing             rule 7: listed, but not sent
        HeadersNotSigned                rule 7: sent, but not listed
        HostNotAccepted                 rule 7
        ConflictingValues               rule 8: header and query disagree
        MissingPayloadHash              rule 8
        InvalidPayloadHash              rule 8: not one of the closed set of forms
        PayloadFormNotAllowed           rule 8: known, but not here
        PayloadFormNotImplemented       rule 8: known, but not built
        UnknownAccessKey                rule 9
            DisabledAccessKey           rule 9: known, but not to be used
        InvalidSessionToken             rule 9
        ExpiredCredentials              rule 9
        CredentialsUnavailable          rule 9: the back end is down
        SignatureMismatch               rule 10
        PayloadHashMismatch             rule 11
        MalformedChunk                  rule 11: aws-chunked
        InvalidChunkSize                rule 11
        ChunkSignatureMismatch          rule 11
        MalformedTrailer                rule 11: not the declared trailers
        UnsupportedTrailer              rule 11: no checksum
        ChecksumMismatch                rule 11: x-amz-checksum-*, Content-MD5
        InvalidChecksum                 rule 11: no checksum of its kind
        SeveralChecksums                rule 11
        ChecksumNotImplemented          rule 11: unknown, or its library not there
        MalformedRequest                the request itself
            MalformedTarget
            MalformedQuery
        PathNotRouted                   the verified path is not the routed one
        LengthRequired                  the body itself
        InvalidContentLength
        IncompleteBody
        BodyTooLarge
        BodyTooSlow
        StorageUnavailable
        AccessDenied                    the operator's own word
            KeyLimitExceeded            rule 9: told after rule 10

:class:`ConfigurationError` is no refusal: it is the programmer's fault and is
raised at start-up only.
"""

from __future__ import annotations

from wsgi_sigv4.errors.body import BodyTooLarge as BodyTooLarge
from wsgi_sigv4.errors.body import BodyTooSlow as BodyTooSlow
from wsgi_sigv4.errors.body import ChecksumMismatch as ChecksumMismatch
from wsgi_sigv4.errors.body import ChecksumNotImplemented as ChecksumNotImplemented
from wsgi_sigv4.errors.body import ChunkSignatureMismatch as ChunkSignatureMismatch
from wsgi_sigv4.errors.body import IncompleteBody as IncompleteBody
from wsgi_sigv4.errors.body import InvalidChecksum as InvalidChecksum
from wsgi_sigv4.errors.body import InvalidChunkSize as InvalidChunkSize
from wsgi_sigv4.errors.body import InvalidContentLength as InvalidContentLength
from wsgi_sigv4.errors.body import LengthRequired as LengthRequired
from wsgi_sigv4.errors.body import MalformedChunk as MalformedChunk
from wsgi_sigv4.errors.body import MalformedTrailer as MalformedTrailer
from wsgi_sigv4.errors.body import PayloadHashMismatch as PayloadHashMismatch
from wsgi_sigv4.errors.body import SeveralChecksums as SeveralChecksums
from wsgi_sigv4.errors.body import StorageUnavailable as StorageUnavailable
from wsgi_sigv4.errors.body import UnsupportedTrailer as UnsupportedTrailer
from wsgi_sigv4.errors.claims import AlgorithmNotImplemented as AlgorithmNotImplemented
from wsgi_sigv4.errors.claims import AmbiguousAuthentication as AmbiguousAuthentication
from wsgi_sigv4.errors.claims import ConflictingValues as ConflictingValues
from wsgi_sigv4.errors.claims import DuplicateParameter as DuplicateParameter
from wsgi_sigv4.errors.claims import HeadersNotSigned as HeadersNotSigned
from wsgi_sigv4.errors.claims import HostNotAccepted as HostNotAccepted
from wsgi_sigv4.errors.claims import HostNotSigned as HostNotSigned
from wsgi_sigv4.errors.claims import InvalidExpires as InvalidExpires
from wsgi_sigv4.errors.claims import InvalidPayloadHash as InvalidPayloadHash
from wsgi_sigv4.errors.claims import MalformedAuthorization as MalformedAuthorization
from wsgi_sigv4.errors.claims import MalformedCredential as MalformedCredential
from wsgi_sigv4.errors.claims import MalformedDate as MalformedDate
from wsgi_sigv4.errors.claims import MalformedQuery as MalformedQuery
from wsgi_sigv4.errors.claims import MalformedRequest as MalformedRequest
from wsgi_sigv4.errors.claims import MalformedSignedHeaders as MalformedSignedHeaders
from wsgi_sigv4.errors.claims import MalformedTarget as MalformedTarget
from wsgi_sigv4.errors.claims import MissingAuthentication as MissingAuthentication
from wsgi_sigv4.errors.claims import MissingDate as MissingDate
from wsgi_sigv4.errors.claims import MissingParameters as MissingParameters
from wsgi_sigv4.errors.claims import MissingPayloadHash as MissingPayloadHash
from wsgi_sigv4.errors.claims import PathNotRouted as PathNotRouted
from wsgi_sigv4.errors.claims import PayloadFormNotAllowed as PayloadFormNotAllowed
from wsgi_sigv4.errors.claims import PayloadFormNotImplemented as PayloadFormNotImplemented
from wsgi_sigv4.errors.claims import RequestExpired as RequestExpired
from wsgi_sigv4.errors.claims import RequestNotYetValid as RequestNotYetValid
from wsgi_sigv4.errors.claims import RequestTimeTooSkewed as RequestTimeTooSkewed
from wsgi_sigv4.errors.claims import ScopeMismatch as ScopeMismatch
from wsgi_sigv4.errors.claims import SignedHeaderMissing as SignedHeaderMissing
from wsgi_sigv4.errors.claims import UnsupportedAlgorithm as UnsupportedAlgorithm
from wsgi_sigv4.errors.claims import UnsupportedAuthorization as UnsupportedAuthorization
from wsgi_sigv4.errors.proof import AccessDenied as AccessDenied
from wsgi_sigv4.errors.proof import CredentialsUnavailable as CredentialsUnavailable
from wsgi_sigv4.errors.proof import DisabledAccessKey as DisabledAccessKey
from wsgi_sigv4.errors.proof import Evidence as Evidence
from wsgi_sigv4.errors.proof import ExpiredCredentials as ExpiredCredentials
from wsgi_sigv4.errors.proof import InvalidSessionToken as InvalidSessionToken
from wsgi_sigv4.errors.proof import KeyLimitExceeded as KeyLimitExceeded
from wsgi_sigv4.errors.proof import SignatureMismatch as SignatureMismatch
from wsgi_sigv4.errors.proof import UnknownAccessKey as UnknownAccessKey
from wsgi_sigv4.errors.root import ConfigurationError as ConfigurationError
from wsgi_sigv4.errors.root import SigV4Error as SigV4Error
