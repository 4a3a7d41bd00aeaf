"""The server side of AWS Signature Version 4 for Python web applications."""

from __future__ import annotations

from wsgi_sigv4.credentials import CredentialProvider as CredentialProvider
from wsgi_sigv4.credentials import Credentials as Credentials
from wsgi_sigv4.credentials import CredentialScope as CredentialScope
from wsgi_sigv4.errors import ConfigurationError as ConfigurationError
from wsgi_sigv4.errors import CredentialsUnavailable as CredentialsUnavailable
from wsgi_sigv4.errors import SigV4Error as SigV4Error
from wsgi_sigv4.identity import Identity as Identity
from wsgi_sigv4.logs import RedactingFilter as RedactingFilter
from wsgi_sigv4.middleware import SigV4Middleware as SigV4Middleware
from wsgi_sigv4.profiles import GENERIC as GENERIC
from wsgi_sigv4.profiles import S3 as S3
from wsgi_sigv4.profiles import Profile as Profile
from wsgi_sigv4.request import Request as Request
from wsgi_sigv4.responses import Answer as Answer
from wsgi_sigv4.verification import Verification as Verification
from wsgi_sigv4.verifier import Verifier as Verifier
