"""Keys that are made to leave the folder, or to break the server, from a client of our own."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest

from tests.servers.wire import exchange
from tests.uploads.raw import ask
from tests.uploads.raw import signed
from tests.uploads.running import BUCKET
from tests.uploads.running import Served

CANARY = b"nobody may read this"
#: Files of a bucket are named by nothing that a client says.
OURS = re.compile(r"objects/[0-9a-f]{64}|uploads/[0-9a-f]{32}/[0-9]{1,5}")

UPWARDS = [
    *("../" * depth + "secret" for depth in range(1, 6)),
    *("%2e%2e/" * depth + "secret" for depth in range(1, 4)),
    *("..%2F" * depth + "secret" for depth in range(1, 4)),
    *("%2E%2E%2F" * depth + "secret" for depth in range(1, 4)),
    *("%252e%252e%252f" * depth + "secret" for depth in range(1, 4)),
    *("..%5C" * depth + "secret" for depth in range(1, 4)),
    *("a/../../secret", "./../secret", ".%2e/secret", "objects/../../secret", "....//secret"),
    *("..;/secret", "..%ef%bc%8fsecret"),
]
INSIDE = ["objects", "incoming", "uploads", "incoming/x", "uploads/x/0", "objects/x", ".", ".."]
ABSOLUTE = ["%2Fsecret", "//secret", "/etc/hostile", "%2Fetc%2Fhostile", "C:%5Chostile"]
ODD = [
    *("a", "a/", "a/b", "a//b", "A", "a/b/c", "/", "//", "%20", "%2520", "%25", "-rf", "~", "*"),
    *("%0A", "%09", "%E2%80%AE", "e%CC%81", "%C3%A9", "%F0%9F%92%A9", "CON", "nul.txt", ".hidden"),
    *("%3Cscript%3E%26%5D%5D%3E", "%22", "x" * 300, "%C3%A9" * 512, "x" * 1024),
]
#: What is not a key here: no text, no XML, too long.
REFUSED = {
    "..%00/secret": 400,
    "../secret%00": 400,
    "%c0%ae%c0%ae/secret": 400,
    "..%c0%afsecret": 400,
    "%u002e%u002e/secret": 400,
    "%00": 400,
    "a%00b": 400,
    "%0D%0A": 400,
    "%01": 400,
    "%1b%5b": 400,
    "%EF%BF%BE": 400,
    "%ff": 400,
    "%ED%A0%80": 400,
    "x" * 1025: 400,
    "%C3%A9" * 513: 400,
}


@pytest.fixture
def guarded(plain: Served) -> Served:
    """A server with a secret beside its bucket, which is all that is outside."""
    for folder in (plain.folder, plain.folder / "data"):
        (folder / "secret").write_bytes(CANARY)
    return plain


def outside(server: Served) -> dict[str, bytes]:
    """Return the files that are no business of the bucket's, but for the server's own."""
    return {
        str(path): path.read_bytes()
        for path in server.folder.rglob("*")
        if path.is_file()
        and server.bucket not in path.parents
        and path.name not in ("notes", "log", "authority.pem", "server.pem")
        and not path.name.startswith("wgunicorn")
        and ".gunicorn" not in path.parts
    }


def check_nothing_is_outside(server: Served, before: dict[str, bytes]) -> None:
    """Fail unless the bucket has kept to its own files."""
    assert outside(server) == before
    files = [path for path in server.bucket.rglob("*") if path.is_file()]
    names = {str(path.relative_to(server.bucket)) for path in files}
    assert {name for name in names if not OURS.fullmatch(name)} == set()
    for path in ("/etc/hostile", "/secret", "/hostile"):
        assert not Path(path).exists()


def keys(server: Served) -> list[str]:
    """Return the keys of the bucket."""
    answer = ask(server, "GET", f"/{BUCKET}?encoding-type=url")
    root = ElementTree.fromstring(answer.body)
    return [unquote(found.text or "") for found in root.iterfind("{*}Contents/{*}Key")]


@pytest.mark.parametrize("as_spelt", [False, True], ids=["as S3 signs", "as spelt"])
def test_hostile_keys_stay_in_the_folder(guarded: Served, as_spelt: bool) -> None:
    """Whatever the key, nothing outside is read, written or deleted, and nothing is a 5xx."""
    before = outside(guarded)
    assert len(before) == 2
    for key in (*UPWARDS, *INSIDE, *ABSOLUTE, *ODD, *REFUSED):
        statuses = set()
        for method, body in (("GET", b""), ("PUT", b"hostile"), ("GET", b""), ("DELETE", b"")):
            sending = signed(guarded, method, f"/{BUCKET}/{key}", body, as_spelt=as_spelt)
            answer = exchange(guarded.port, sending)
            assert CANARY not in answer.body, (method, key)
            statuses.add(answer.status)
            check_nothing_is_outside(guarded, before)
        assert statuses <= {200, 204, 400, 403, 404}, (key, statuses)


@pytest.mark.parametrize("table", [UPWARDS, INSIDE, ABSOLUTE, ODD], ids=["up", "in", "abs", "odd"])
def test_hostile_keys_are_just_keys(guarded: Served, table: list[str]) -> None:
    """A key of dots, slashes and worse is stored, listed, read and deleted as it is."""
    for key in table:
        assert ask(guarded, "PUT", f"/{BUCKET}/{key}", unquote(key).encode()).status == 200
    texts = {unquote(key) for key in table}
    assert texts <= set(keys(guarded))
    for key in table:
        assert ask(guarded, "GET", f"/{BUCKET}/{key}").body == unquote(key).encode()
    for key in table:
        assert ask(guarded, "DELETE", f"/{BUCKET}/{key}").status == 204
    assert not texts & set(keys(guarded))


@pytest.mark.parametrize("key", REFUSED, ids=lambda key: key[:12])
def test_keys_that_are_none_are_refused(plain: Served, key: str) -> None:
    """What is no text, what XML cannot carry and what is too long is no key."""
    for method in ("PUT", "GET", "DELETE"):
        assert ask(plain, method, f"/{BUCKET}/{key}").status == REFUSED[key]


@pytest.mark.parametrize("bucket", ["", ".", "%2E%2E", "another", "%2F", "BUCKET", "%2Fbucket"])
def test_other_buckets_are_not_there(guarded: Served, bucket: str) -> None:
    """There is the one bucket, by its name and by no other."""
    before, there = outside(guarded), keys(guarded)
    for method in ("PUT", "GET", "DELETE"):
        for key in ("x", "bucket/x", "secret"):
            answer = ask(guarded, method, f"/{bucket}/{key}", b"hostile")
            assert answer.status == 404, (method, key)
            assert CANARY not in answer.body
    check_nothing_is_outside(guarded, before)
    assert keys(guarded) == there


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("uploadId=..&partNumber=1", 404),
        ("uploadId=&partNumber=1", 404),
        ("uploadId=..%2Fobjects&partNumber=1", 404),
        ("uploadId=%2Fetc&partNumber=1", 404),
        ("uploadId={id}%2F.&partNumber=1", 404),
        ("uploadId={id}%2F..%2F{id}&partNumber=1", 404),
        ("uploadId=" + "0" * 32 + "&partNumber=1", 404),
        ("uploadId={id}&partNumber=0", 400),
        ("uploadId={id}&partNumber=10001", 400),
        ("uploadId={id}&partNumber=-1", 400),
        ("uploadId={id}&partNumber=..%2F1", 400),
        ("uploadId={id}&partNumber=%D9%A1", 400),
        ("uploadId={id}&partNumber=", 400),
        ("uploadId={id}", 400),
        ("uploadId={id}&partNumber=10000", 200),
    ],
)
def test_hostile_uploads_stay_in_the_folder(guarded: Served, query: str, status: int) -> None:
    """Ids of uploads and numbers of parts are what the bucket gave and counts, and nothing else."""
    before = outside(guarded)
    begun = ask(guarded, "POST", f"/{BUCKET}/upload?uploads=")
    upload_id = re.search(rb"<UploadId>(\w+)<", begun.body)
    assert upload_id is not None
    query = query.replace("{id}", upload_id[1].decode())
    assert ask(guarded, "PUT", f"/{BUCKET}/upload?{query}", b"part").status == status
    check_nothing_is_outside(guarded, before)
    target = f"/{BUCKET}/upload?uploadId={upload_id[1].decode()}"
    assert ask(guarded, "DELETE", target.replace("/upload?", "/another?")).status == 404
    assert ask(guarded, "DELETE", target).status == 204
    assert ask(guarded, "DELETE", target).status == 404
