"""Writes small files that others read meanwhile: whole or not at all, on disk, for us alone."""

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from flagservice.domain.errors import Fault, Invalid


@contextlib.contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Keeps out every other process, on any machine that shares this file's folder."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def put(path: Path, content: bytes) -> None:
    """Puts a file in place of what was there; the last one stays."""
    _written(path.parent, content).replace(path)
    _sync(path.parent)


def put_new(path: Path, content: bytes) -> None:
    """Puts a file only where none is; the first one stays."""
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
    """Returns the content of an operator's file; raises Invalid."""
    try:
        return path.read_bytes()
    except OSError:
        raise Invalid(Fault(path.name, "is a file that can be read")) from None


def read_text(path: Path) -> str:
    """Returns the text of an operator's file; raises Invalid."""
    try:
        return read_bytes(path).decode()
    except UnicodeDecodeError:
        raise Invalid(Fault(path.name, "is text in UTF-8")) from None


def _written(folder: Path, content: bytes) -> Path:
    """Returns a new file with a name of its own, so that two writers never share one."""
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
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
