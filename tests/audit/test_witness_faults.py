"""A folder that fails or hangs keeps no leaf from its place, and loses nothing of what was kept."""

import threading

import pytest

from flagservice.audit.sequence import SignedHead
from tests.audit.steps import Audited, Kept
from tests.audit.test_grown import cut
from tests.patience import enough
from tests.world import World


class Faulty(Kept):
    """A folder that fails at what it is asked."""

    failing: str = ""
    failed: int = 0

    def read(self) -> SignedHead | None:
        self._may("read")
        return super().read()

    def write(self, head: SignedHead, *, instead_of: SignedHead | None) -> None:
        self._may("write")
        super().write(head, instead_of=instead_of)

    def set_aside(self, note: str) -> None:
        self._may("set_aside")
        super().set_aside(note)

    def _may(self, what: str) -> None:
        if self.failing == what or (self.failing == f"first {what}" and not self.failed):
            self.failed += 1
            raise PermissionError(what)


@pytest.mark.parametrize("failing", ["read", "first read", "write", "set_aside"])
def test_where_the_folder_fails_leaves_have_their_place_and_what_was_kept_stays(
    any_world: World, failing: str
) -> None:
    audited = Audited(any_world)
    audited.outside = outside = Faulty()
    audited.sequenced(3)
    audited.sequenced(2)
    kept = outside.written[-1]
    audited.tampers(cut)
    outside.failing = failing
    for _ in range(2):
        audited.happens()
        outside.failed = 0
        with pytest.raises(PermissionError):
            audited.sequencer().sequence()
    outside.failing = ""
    assert outside.read() == kept
    assert audited.findings() == []
    audited.sequenced(1)
    assert outside.aside == [kept.note]


def test_while_the_folder_hangs_others_do_their_work(any_world: World) -> None:
    audited = Audited(any_world)
    audited.sequenced(1)

    class Hanging(Kept):
        def read(self) -> SignedHead | None:
            other = threading.Thread(target=audited.happens, daemon=True)
            other.start()
            other.join(timeout=enough())
            assert not other.is_alive()
            return super().read()

        def write(self, head: SignedHead, *, instead_of: SignedHead | None) -> None:
            self.read()
            super().write(head, instead_of=instead_of)

    audited.outside = Hanging()
    assert audited.sequencer().sequence() == 1
