"""Many traces, long ones, with many requests after each round: `make twin`, `TRACES=n SEED=n`."""

import os
import sys
import tempfile
import time
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.twin.outside.comparing import Tally
from tests.twin.traffic import Round, rounds
from tests.twin.twins import Leak, Twins
from tests.twin.worlds import three_worlds

ROUNDS, MOST = 8, 160


def main() -> int:
    """Answers 1 if anything differed; its trace is printed, as short as it could be made."""
    started, played = time.monotonic(), [Tally()]
    traces, chosen = int(os.environ.get("TRACES", "40")), int(os.environ.get("SEED", "1"))

    def done(verdict: str) -> str:
        tally = played[0]
        return (
            f"traces {tally.traces}, steps {tally.steps}, requests compared {tally.requests}, "
            f"SQL statements compared {tally.statements}, {verdict} "
            f"(seed {chosen}, {time.monotonic() - started:.0f} s)"
        )

    with tempfile.TemporaryDirectory(prefix="flagservice-twins-") as name:

        @seed(chosen)
        @settings(
            max_examples=traces,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
            print_blob=False,
        )
        @given(rounds(ROUNDS))
        def play(trace: list[Round]) -> None:
            with three_worlds(Path(name)) as worlds:
                tally = Twins(worlds, most=MOST).plays(trace, sweeping=int(len(trace) == ROUNDS))
            played[0] += tally
            sys.stderr.write(f"\r{played[0].traces} of {traces} traces")

        try:
            play()
        except Leak as leak:
            sys.stdout.write(f"\n{leak}\n{done('and an outsider can tell two worlds apart')}\n")
            return 1
    sys.stdout.write(f"\n{done(f'differing bytes {played[0].differing}')}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
