"""What a body of 1 GiB takes of a gunicorn worker's memory, and of the disk.

Each upload has a fresh server. Its worker first serves a small upload; then the peak of its
resident set is reset, and compared after the big one. The temporary file has no name: it is seen
among the worker's open files. Linux alone tells these things.
"""

from __future__ import annotations

import os
import socket
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.results import Row
from benchmarks.results import Scale
from benchmarks.results import Section
from benchmarks.results import Target
from benchmarks.servers import HOST
from benchmarks.servers import Server
from benchmarks.servers import gunicorn
from benchmarks.uploads import HASHED
from benchmarks.uploads import SIGNED
from benchmarks.uploads import UNSIGNED_TRAILER
from benchmarks.uploads import Upload
from benchmarks.uploads import content
from benchmarks.uploads import in_binary_units
from benchmarks.uploads import signed
from benchmarks.uploads import wire

MIB = 1024 * 1024
SMALL_CHUNK = 64 * 1024
WARM_UP = Upload(form=HASHED, size=MIB // 2, chunk=MIB // 2)
#: MiB by which the worker may grow, buffered and as a stream.
TARGETS = {False: Target(limit=48), True: Target(limit=32)}
#: Where a file would be in memory itself.
NO_DISKS = ("tmpfs", "ramfs", "devtmpfs")


@dataclass(slots=True)
class Peak:
    """The most bytes that the worker's nameless files had at once."""

    temporary: int = 0


def run(scale: Scale) -> Section:
    """Measure each upload, buffered and as a stream."""
    if not sys.platform.startswith("linux"):
        row = Row(name="memory", note="SKIPPED: there is no /proc here")
        return Section(name="memory", title="Memory of a worker", rows=(row,))
    size = scale.of(1024 * MIB, 8 * MIB)
    folder, kind = temporary_folder()
    rows = [
        row
        for stream in (False, True)
        for upload in uploads(size)
        for row in _rows(upload, stream=stream, folder=folder)
    ]
    real = "a real disk" if kind not in NO_DISKS else "MEMORY, not a disk: the figures are too high"
    return Section(
        name="memory",
        title=f"Memory of a gunicorn worker, while {in_binary_units(size)} are uploaded",
        rows=tuple(rows),
        notes=(f"The temporary files were on {kind}, {real}.",),
    )


def uploads(size: int) -> tuple[Upload, ...]:
    """Return the uploads of *size* bytes."""
    return (
        Upload(form=SIGNED, size=size, chunk=size),
        Upload(form=SIGNED, size=size, chunk=SMALL_CHUNK),
        Upload(form=UNSIGNED_TRAILER, size=size, chunk=size),
        Upload(form=UNSIGNED_TRAILER, size=size, chunk=SMALL_CHUNK),
        Upload(form=HASHED, size=size, chunk=size),
    )


def temporary_folder() -> tuple[str, str]:
    """Return a folder for temporary files, on a disk if there is one, and its file system."""
    candidates = (tempfile.gettempdir(), "/var/tmp", os.getcwd())  # noqa: S108 (looked for, not used)
    kinds = {folder: file_system(folder) for folder in candidates if os.access(folder, os.W_OK)}
    for folder, kind in kinds.items():
        if kind not in NO_DISKS:
            return folder, kind
    return next(iter(kinds.items()))


def file_system(folder: str) -> str:
    """Return the kind of the file system that holds *folder*, as the table of mounts tells."""
    real = os.path.realpath(folder) + "/"
    found = ("", "unknown")
    for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
        _, mount, kind, *_ = line.split(" ")
        inside = real.startswith(mount.rstrip("/") + "/")
        # What was mounted last over a folder is what one sees there.
        if inside and len(mount) >= len(found[0]):
            found = (mount, kind)
    return found[1]


def _rows(upload: Upload, *, stream: bool, folder: str) -> Iterator[Row]:
    name = f"{'stream' if stream else 'buffered'}: {upload}"
    served = f"benchmarks.upload_server:application(stream={stream})"
    with gunicorn(served, environment={"TMPDIR": folder}) as server:
        send(WARM_UP, server)
        worker = server.worker
        before = _reset_peak(worker)
        with _watched(worker) as peak:
            seconds = send(upload, server)
        growth = _status(worker, "VmHWM") - before
    note = f"{peak.temporary / MIB:.1f} MiB of temporary files; {seconds:.1f} s"
    yield Row.of(name, [growth / MIB], "MiB", target=TARGETS[stream], note=note)


def send(upload: Upload, server: Server) -> float:
    """Send *upload*, see that the application has read all of it, and return the seconds."""
    made = signed(upload, host=f"{HOST}:{server.port}", path="/object")
    checksum = 0
    for piece in content(0, upload.size):
        checksum = zlib.crc32(piece, checksum)
    lines = [f"{name}: {value}" for name, value in made.headers.items()]
    head = "\r\n".join(["PUT /object HTTP/1.1", *lines, "Connection: close", "", ""])
    start = time.perf_counter()
    with socket.create_connection((HOST, server.port), timeout=300) as connection:
        connection.sendall(head.encode())
        for piece in wire(made):
            connection.sendall(piece)
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    seconds = time.perf_counter() - start
    status, body = answer.split(b"\r\n")[0], answer.split(b"\r\n\r\n")[-1]
    expected = b"%d %08x" % (upload.size, checksum)
    assert (status, body) == (b"HTTP/1.1 200 OK", expected), answer[:1000]
    return seconds


def _reset_peak(pid: int) -> int:
    """Forget the peak of the resident set of *pid*, and return its bytes now."""
    Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")
    return _status(pid, "VmRSS")


def _status(pid: int, name: str) -> int:
    """Return a size of *pid* in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return int(value.split()[0]) * 1024
    raise ValueError(f"/proc tells no {name}")


@contextmanager
def _watched(pid: int) -> Iterator[Peak]:
    """Note the size of the temporary files of *pid* while the block runs, every 10 ms."""
    peak = Peak()
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.01):
            peak.temporary = max(peak.temporary, _temporary_bytes(pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        ended.set()
        watcher.join()


def _temporary_bytes(pid: int) -> int:
    total = 0
    for link in Path(f"/proc/{pid}/fd").iterdir():
        # It may have been closed just now.
        with suppress(OSError):
            if os.readlink(link).endswith(" (deleted)"):
                total += link.stat().st_size
    return total
