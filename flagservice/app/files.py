"""Small files that others read meanwhile: whole or not at all, on disk, readable by us alone."""

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


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
