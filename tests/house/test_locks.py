"""Holds the two locks to what an install without resolving needs: all of it, pinned and hashed.

`requirements.lock` is what running needs, `requirements-dev.lock` all of that and what developing
needs. `pip install --no-deps` takes them as they are, so whatever a locked package asks for has to
be there, extras included, on every Python and platform that the project names.
"""

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution

import pytest
from packaging.markers import Environment, Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house import source

LOCKS = ("requirements.lock", "requirements-dev.lock")
PLACES = [
    Environment(
        python_version=version,
        python_full_version=f"{version}.{patch}",
        implementation_name="cpython",
        implementation_version=f"{version}.{patch}",
        platform_python_implementation="CPython",
        platform_machine=machine,
        platform_release="",
        platform_system=system,
        platform_version="",
        os_name="posix",
        sys_platform=platform,
    )
    for version, patch in (("3.11", 2), ("3.12", 3), ("3.13", 0))
    for system, platform, machine in (("Linux", "linux", "x86_64"), ("Darwin", "darwin", "arm64"))
]


def lines_of(lock: str) -> list[str]:
    """Each pinned package in one line, with its hashes; comments are gone."""
    text = re.sub(r"^\s*#.*\n", "", source.repository()[lock], flags=re.MULTILINE)
    return [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def pins_of(lock: str) -> list[Requirement]:
    return [Requirement(line.partition("--hash")[0].strip()) for line in lines_of(lock)]


def applies(marker: Marker | None, place: Environment, extra: str = "") -> bool:
    return marker is None or marker.evaluate({**place, "extra": extra})


def here(pins: list[Requirement], place: Environment) -> dict[str, Requirement]:
    """What is installed at one place, by name."""
    return {canonicalize_name(pin.name): pin for pin in pins if applies(pin.marker, place)}


def asked(project: str) -> list[Requirement]:
    """What pyproject.toml asks for in the part of that name."""
    read = tomllib.loads(source.repository()["pyproject.toml"])
    running = [Requirement(one) for one in read["project"]["dependencies"]]
    developing = [Requirement(one) for one in read["dependency-groups"]["dev"]]
    return running if project == "running" else running + developing


def unmet(wanted: list[Requirement], pins: list[Requirement], place: Environment) -> Iterator[str]:
    """Follows every requirement from those that the project names to the end."""
    installed, seen = here(pins, place), set[tuple[str, str]]()
    queue = [(one, "pyproject.toml") for one in wanted if applies(one.marker, place)]
    while queue:
        need, by = queue.pop()
        name = canonicalize_name(need.name)
        pin = installed.get(name)
        if pin is None or not need.specifier.contains(version_of(pin), prereleases=True):
            yield f"{by} asks for {need}: {'not locked' if pin is None else f'locked is {pin}'}"
            continue
        for extra in ("", *need.extras):
            if (name, extra) not in seen:
                seen.add((name, extra))
                queue += [
                    (one, name) for one in requirements_of(pin) if applies(one.marker, place, extra)
                ]


def version_of(pin: Requirement) -> str:
    return next(iter(pin.specifier)).version


def requirements_of(pin: Requirement) -> list[Requirement]:
    """What the installed package of this very version says of itself."""
    found = distribution(pin.name)
    assert found.version == version_of(pin), f"{pin} is locked, and {found.version} is installed"
    return [Requirement(one) for one in found.requires or ()]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_is_a_pinned_package_with_its_hashes(lock: str) -> None:
    pinned = r"[a-z0-9][a-z0-9._-]*(\[[a-z0-9,_-]+\])?==[0-9][^\s;]*( *;[^#]*?)?"
    hashes = r"(\s+--hash=sha256:[0-9a-f]{64})+\s*"
    assert [one for one in lines_of(lock) if not re.fullmatch(pinned + hashes, one)] == []
    assert "://" not in source.repository()[lock]


@pytest.mark.parametrize(("lock", "project"), [*zip(LOCKS, ("running", "all"), strict=True)])
@pytest.mark.parametrize(
    "place", PLACES, ids=lambda place: f"{place['python_version']}-{place['sys_platform']}"
)
def test_the_lock_meets_every_requirement_of_every_package(
    lock: str, project: str, place: Environment
) -> None:
    assert list(unmet(asked(project), pins_of(lock), place)) == []


def test_a_package_that_is_missing_or_of_another_version_would_be_found() -> None:
    pins, place = pins_of("requirements-dev.lock"), PLACES[0]
    short = [pin for pin in pins if pin.name != "coverage"]
    other = [*short, Requirement("coverage==1.0")]
    assert any("coverage" in one for one in unmet(asked("all"), short, place))
    assert any("locked is coverage==1.0" in one for one in unmet(asked("all"), other, place))


def test_what_only_an_extra_asks_for_would_be_missed() -> None:
    pins = [pin for pin in pins_of("requirements.lock") if pin.name != "psycopg-pool"]
    missing = list(unmet(asked("running"), pins, PLACES[0]))
    assert [one for one in missing if "psycopg-pool" in one]


def test_what_develops_is_what_runs_and_more() -> None:
    running, developing = ({str(pin) for pin in pins_of(lock)} for lock in LOCKS)
    assert running - developing == set()
    assert developing - running


@pytest.mark.parametrize("place", PLACES, ids=lambda place: str(place["python_version"]))
def test_what_is_locked_only_elsewhere_can_still_be_looked_at(place: Environment) -> None:
    """What another Python alone installs is not here to be asked what it needs."""
    absent = [
        name for name in here(pins_of("requirements-dev.lock"), place) if not is_installed(name)
    ]
    assert absent == []


def is_installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


def test_an_install_resolves_nothing() -> None:
    makefile = source.repository()["Makefile"]
    installs = re.findall(r".*pip install.*", makefile)
    assert installs
    assert all("--no-deps" in one and "--require-hashes" in one for one in installs)
    assert makefile.count("pip check") == len(LOCKS)
