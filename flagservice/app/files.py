"""Small files that others read meanwhile: whole or not at all, on disk, readable by us alone."""

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from flagservice.domain.errors import Fault, Invalid


@contextlib.contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Nobody else is within, in any process, on any machine that shares this file's folder."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def put(path: Path, content: bytes) -> None:
    """In place of what was there; whoever puts it last wins."""
    _written(path.parent, content).replace(path)
    _sync(path.parent)


def put_new(path: Path, content: bytes) -> None:
    """The same if nothing is there; whoever comes second changes nothing."""
    if path.exists():
        return
    fresh = _written(path.parent, content)
    try:
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(fresh)
    finally:
        fresh.unlink()
    _sync(path.parent)


def read_bytes(path: Path) -> bytes:
    """Returns what a file holds that an operator named; raises Invalid."""
    try:
        return path.read_bytes()
    except OSError:
        raise Invalid(Fault(path.name, "is a file that can be read")) from None


def read_text(path: Path) -> str:
    """Returns the text of a file that an operator named; raises Invalid."""
    try:
        return read_bytes(path).decode()
    except UnicodeDecodeError:
        raise Invalid(Fault(path.name, "is text in UTF-8")) from None


def _written(folder: Path, content: bytes) -> Path:
    """A new file with a name of its own: two who write at once do not write into each other's."""
    handle, name = tempfile.mkstemp(dir=folder, prefix="new-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:  # the disk is full: what is left of it may hold keys
        Path(name).unlink()
        raise
    return Path(name)


def _sync(folder: Path) -> None:
    """A name is on disk once its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
