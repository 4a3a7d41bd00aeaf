"""Hypotheses about the Host header: proxies rewrite it, and ports get lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from wsgi_sigv4.explain.hypothesis import Hypothesis
from wsgi_sigv4.explain.readings import HEADER
from wsgi_sigv4.explain.readings import Case
from wsgi_sigv4.explain.readings import Change

#: Ports that services listen on; the default ones first.
_PORTS: Final = (
    *(b"443", b"80", b"8080", b"8443", b"8000", b"5000", b"9000", b"3000", b"4566"),
    *(b"8888", b"8081", b"9001", b"9443", b"10443", b"8333", b"7480", b"3900", b"8001"),
)
_DEFAULT_PORTS: Final = (b"80", b"443")
_FORWARDED_HOSTS: Final = (
    *("x-forwarded-host", "x-original-host", "x-host", "x-forwarded-server"),
    *("x-real-host", "x-envoy-original-host", "x-http-host-override"),
)
_X_FORWARDED_HOST: Final = "x-forwarded-host"
_MAX_HOSTS: Final = 32
_KEEP_HOST: Final = (
    "Let the proxy pass Host on: nginx: proxy_set_header Host $http_host; Apache: "
    "ProxyPreserveHost On; HAProxy: no set-header Host; Caddy: no header_up Host."
)
_X_PORT: Final = (
    f"{_KEEP_HOST} Or, where the proxy is trusted and overwrites X-Forwarded-Host and "
    "X-Forwarded-Port: ProxyFix(x_host=1, x_port=1)."
)


def _host(case: Case, host: bytes, *, remedy: str = "") -> Change:
    return Change(
        pieces={HEADER + "host": host},
        what="Host",
        right=host,
        arrived=case.base[HEADER + "host"],
        header="host",
        remedy=remedy,
    )


def _split(host: bytes) -> tuple[bytes, bytes]:
    name, colon, port = host.rpartition(b":")
    return (name, port) if colon and port.isdigit() else (host, b"")


def _lost_port(case: Case) -> Iterator[Change]:
    host = case.base[HEADER + "host"]
    name, port = _split(host)
    if port:
        return
    for known in _known_ports(case):
        yield _host(case, name + b":" + known)


def _known_ports(case: Case) -> tuple[bytes, ...]:
    return (*_forwarded_ports(case), *_configured_ports(case), *_PORTS)


def _forwarded_ports(case: Case) -> Iterator[bytes]:
    ports = case.header("x-forwarded-port") or b""
    for port in ports.split(b",")[:4]:
        if port.strip().isdigit():
            yield port.strip()


def _configured_ports(case: Case) -> Iterator[bytes]:
    for host in (case.verifier.hosts or ())[:_MAX_HOSTS]:
        port = _split(host.encode())[1]
        if port:
            yield port


def _added_port(case: Case) -> Iterator[Change]:
    name, port = _split(case.base[HEADER + "host"])
    if port in _DEFAULT_PORTS:
        yield _host(case, name)


def _unsigned_port(case: Case) -> Iterator[Change]:
    name, port = _split(case.base[HEADER + "host"])
    if port:
        yield _host(case, name)


def _other_port(case: Case) -> Iterator[Change]:
    name, port = _split(case.base[HEADER + "host"])
    if port:
        for known in _known_ports(case):
            yield _host(case, name + b":" + known)


def _forwarded(case: Case) -> Iterator[Change]:
    ports = tuple(_forwarded_ports(case))
    for header, host in _forwarded_values(case):
        # Of several hosts none is the whole value, which header_overrides takes.
        is_whole = case.header(header) == host
        yield _host(case, host, remedy=_as_forwarded(header) if is_whole else _KEEP_HOST)
        name, port = _split(host)
        if port:
            yield _host(case, name, remedy=_KEEP_HOST)
        # ProxyFix alone puts the two together.
        remedy = _X_PORT if header == _X_FORWARDED_HOST else _KEEP_HOST
        for known in ports:
            yield _host(case, name + b":" + known, remedy=remedy)


def _as_forwarded(header: str) -> str:
    """Return the remedy where *header* has the very value that was signed."""
    fix = "ProxyFix(x_host=1) or " if header == _X_FORWARDED_HOST else ""
    return (
        f"{_KEEP_HOST} Or, where the proxy is trusted and overwrites {header}: "
        f"{fix}header_overrides={{'host': '{header}'}}."
    )


def _forwarded_values(case: Case) -> Iterator[tuple[str, bytes]]:
    for header in _FORWARDED_HOSTS:
        for host in (case.header(header) or b"").split(b",")[:4]:
            if host.strip():
                yield header, host.strip()
    for pair in (case.header("forwarded") or b"").replace(b",", b";").split(b";")[:16]:
        name, _, value = pair.strip().partition(b"=")
        if name.lower() == b"host" and value:
            yield "forwarded", value.strip(b'"')


def _configured(case: Case) -> Iterator[Change]:
    arrived, sent = _split(case.base[HEADER + "host"])
    for host in (case.verifier.hosts or ())[:_MAX_HOSTS]:
        known = host.lstrip(".").encode()
        name, port = _split(known)
        if name == arrived and not sent:
            # It has lost its port at most.
            continue
        yield _host(case, known)
        for other in dict.fromkeys((sent, b"443", b"80")):
            if other not in (port, b""):
                yield _host(case, name + b":" + other)


def _case_of_letters(case: Case) -> Iterator[Change]:
    host = case.base[HEADER + "host"]
    for spelt in (host.lower(), host.upper(), host.title(), host.capitalize()):
        yield _host(case, spelt)


def _local(case: Case) -> Iterator[Change]:
    port = _split(case.base[HEADER + "host"])[1]
    for name in (b"localhost", b"127.0.0.1", b"[::1]", b"0.0.0.0", b"host.docker.internal"):
        yield _host(case, name)
        for known in dict.fromkeys((port, *_PORTS[:10])):
            if known:
                yield _host(case, name + b":" + known)


def _aws(case: Case) -> Iterator[Change]:
    scope = case.attempt.scope
    region, service = scope.region.encode(), scope.service.encode()
    yield _host(case, b"%b.%b.amazonaws.com" % (service, region))
    yield _host(case, b"%b.amazonaws.com" % service)
    yield _host(case, b"%b-%b.amazonaws.com" % (service, region))
    yield _host(case, b"%b.dualstack.%b.amazonaws.com" % (service, region))


def _dot(case: Case) -> Iterator[Change]:
    name, port = _split(case.base[HEADER + "host"])
    other = name[:-1] if name.endswith(b".") else name + b"."
    yield _host(case, other + (b":" + port if port else b""))


def _bucket(case: Case) -> Iterator[Change]:
    host, path = case.base[HEADER + "host"], case.request.path
    first, _, rest = path[1:].partition(b"/")
    if first:
        yield _host_and_path(case, first + b"." + host, b"/" + rest)
    label, dot, parent = host.partition(b".")
    if dot and parent:
        yield _host_and_path(case, parent, b"/" + label + path)


def _host_and_path(case: Case, host: bytes, path: bytes) -> Change:
    return Change(
        pieces={HEADER + "host": host, "uri": case.uri(path)},
        what="Host and path",
        right=host + path,
        arrived=case.base[HEADER + "host"] + case.request.path,
    )


HOSTS: Final = (
    Hypothesis(
        id="host-forwarded",
        title="A proxy replaced Host and kept the original in X-Forwarded-Host or the like",
        party="proxy",
        remedy=_as_forwarded(_X_FORWARDED_HOST),
        propose=_forwarded,
    ),
    Hypothesis(
        id="host-configured",
        title="A proxy replaced Host with its upstream's name; the client signed one of hosts",
        party="proxy",
        remedy=_KEEP_HOST,
        propose=_configured,
    ),
    Hypothesis(
        id="host-port-dropped",
        title="A proxy dropped the port from Host",
        party="proxy",
        remedy=(
            "nginx: proxy_set_header Host $http_host; ($host has no port). Where the proxy cannot "
            "be changed, is trusted and sends X-Forwarded-Port: ProxyFix(x_host=1, x_port=1)."
        ),
        propose=_lost_port,
    ),
    Hypothesis(
        id="host-port-added",
        title="A proxy added the default port to Host",
        party="proxy",
        remedy=(
            "Let the proxy pass Host on as it came: nginx: proxy_set_header Host $http_host; not "
            "$host:$server_port. A client that sends the default port must sign it."
        ),
        propose=_added_port,
    ),
    Hypothesis(
        id="host-port-not-signed",
        title="The client signed Host without the port that it sends, or a proxy added one",
        party="client",
        remedy=(
            "The client must sign Host as it sends it, port included (httpx-auth-awssigv4 does "
            "not: use another signer, or serve on port 80 or 443). Where a proxy adds the port: "
            "nginx: proxy_set_header Host $http_host;"
        ),
        propose=_unsigned_port,
    ),
    Hypothesis(
        id="host-port-changed",
        title="A proxy or a port mapping changed the port in Host",
        party="proxy",
        remedy="Let the proxy pass Host on as it came: nginx: proxy_set_header Host $http_host;",
        propose=_other_port,
        rare=4,
    ),
    Hypothesis(
        id="host-case",
        title="Host was signed in another letter case than it arrived in",
        party="client",
        remedy=(
            "Write the host in the client's endpoint URL in lower case; nginx's $host is in lower "
            "case too: proxy_set_header Host $http_host;"
        ),
        propose=_case_of_letters,
        rare=10,
    ),
    Hypothesis(
        id="host-local",
        title="The client signed for localhost: a tunnel or a port forward replaced Host",
        party="proxy",
        remedy=(
            "Give the client the public name as its endpoint, or let the tunnel pass Host on "
            "unchanged (nginx: proxy_set_header Host $http_host;)."
        ),
        propose=_local,
        rare=8,
    ),
    Hypothesis(
        id="host-aws",
        title="The client signed for AWS's own endpoint, and something sent the request here",
        party="client",
        remedy="Set the client's endpoint URL (endpoint_url, --endpoint-url) to this server.",
        propose=_aws,
        rare=8,
    ),
    Hypothesis(
        id="host-dot",
        title="Host was signed with or without a dot at its end",
        party="client",
        remedy=(
            "Write the client's endpoint without a dot at the end of the host; nginx's $host drops "
            "it: proxy_set_header Host $http_host;"
        ),
        propose=_dot,
        rare=10,
    ),
    Hypothesis(
        id="host-bucket",
        title="A proxy turned bucket.host/key into host/bucket/key, or the other way round",
        party="proxy",
        remedy=(
            "Let the proxy pass Host and path on unchanged, or set the client to path-style "
            "addressing (s3={'addressing_style': 'path'})."
        ),
        propose=_bucket,
        rare=8,
    ),
)
