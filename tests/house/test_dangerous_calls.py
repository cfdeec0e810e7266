"""What no line of the service does: each is a door that a later change could leave open.

The kit's programs for suppliers start programs and speak HTTP; they hold nobody's data.
"""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.house import source
from tests.house.source import Module

INTERPRETERS = r"eval|exec|compile|__import__|(.*\.)?(import_module|run_path|run_module)"
PROGRAMS = r"os\.(system|popen|exec\w*|spawn\w*|posix_spawn\w*)|subprocess\.\w+|pty\.\w+"
OURSELVES = {"app/commands/kit.py": "os.execv"}
"""The kit's programs begin as processes of their own: each is Python, and no shell reads it.
"""
READERS = (
    "pickle",
    "marshal",
    "shelve",
    "dill",
    "yaml",
    "xml",
    "lxml",
    "defusedxml",
    "html.parser",
)
TEMPLATES = ("jinja2", "mako", "string.Template", "fastapi.templating", "starlette.templating")
MAIL = ("smtplib", "imaplib", "ldap3", "ldap", "pymemcache", "telnetlib", "ftplib")
FILES_SERVED = ("StaticFiles", "FileResponse", "HTMLResponse", "RedirectResponse", "WebSocket")
CIPHERS = {
    "cryptography.exceptions",
    "cryptography.hazmat.primitives.ciphers.aead",
    "cryptography.hazmat.primitives.asymmetric.ed25519",
    "cryptography.hazmat.primitives.serialization",
}
"""AES-GCM and Ed25519: no mode of a block cipher, and no padding, is named anywhere."""
HASHES = r"(hashlib\.)?(?!sha256)(md5|sha\w*|blake\w*|new)|hashlib\.(?!sha256)\w+"
CHANCE = r"random\.(?!SystemRandom)\w+|uuid\.uuid1|(.*\.)?getrandbits"
SPEAKERS = ("httpx", "requests", "urllib.request", "http.client", "socket", "aiohttp", "websockets")
SQL_IN_PIECES = {"store/database.py": "the names in it stand beside it, in the same function"}


def service() -> tuple[Module, ...]:
    return tuple(module for module in source.package() if module.floor != "kit")


def called(pattern: str, modules: tuple[Module, ...]) -> set[tuple[str, str]]:
    """File and name of every call of this name."""
    return {
        (module.name, name)
        for module in modules
        for name, _ in module.calls()
        if re.fullmatch(pattern, name)
    }


def named(pattern: str, modules: tuple[Module, ...]) -> set[tuple[str, str]]:
    """File and name of everything of this name, called or handed on."""
    return {
        (module.name, name)
        for module in modules
        for name, _ in module.names()
        if re.fullmatch(pattern, name)
    }


def imported(modules: tuple[Module, ...]) -> Iterator[tuple[str, str]]:
    """File and full name of everything that is imported."""
    for module in modules:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Import):
                yield from ((module.name, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield module.name, node.module
                yield from ((module.name, f"{node.module}.{alias.name}") for alias in node.names)


def importers(names: tuple[str, ...], modules: tuple[Module, ...]) -> set[str]:
    return {
        file
        for file, name in imported(modules)
        if any(name == one or name.startswith(f"{one}.") for one in names)
    }


def in_pieces(module: Module) -> Iterator[str]:
    """Statements for a database, and formats, that are put together from parts."""
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func).rpartition(".")[2]
        first = node.args[0] if node.args else None
        if name in ("text", "literal_column", "exec_driver_sql", "executescript"):
            whole = isinstance(first, ast.Constant)
        elif name in ("execute", "executemany", "format", "format_map"):
            made = (
                node.func.value
                if isinstance(node.func, ast.Attribute) and name.startswith("format")
                else first
            )
            whole = not isinstance(made, ast.JoinedStr | ast.BinOp) and (
                not name.startswith("format") or isinstance(made, ast.Constant)
            )
        else:
            continue
        if first is not None and not whole:
            yield f"{name} in line {node.lineno}"


def test_nothing_that_was_sent_is_run_as_a_program() -> None:
    assert called(INTERPRETERS, source.package()) == set()


def test_no_program_is_started_but_our_own() -> None:
    assert called(PROGRAMS, service()) == set(OURSELVES.items())


def test_no_reader_is_there_that_makes_objects_or_follows_entities() -> None:
    assert importers(READERS, source.package()) == set()


def test_no_template_no_mail_and_no_directory_is_spoken() -> None:
    assert importers((*TEMPLATES, *MAIL), source.package()) == set()


def test_no_file_no_page_no_socket_and_no_redirect_is_served() -> None:
    served = {(m.name, name) for m in service() for name, _ in m.names() if name in FILES_SERVED}
    assert served == set()


def test_statements_for_a_database_are_never_put_together_from_text() -> None:
    found = {module.name: list(in_pieces(module)) for module in service()}
    assert {name for name, lines in found.items() if lines} == set(SQL_IN_PIECES)
    assert len(found["store/database.py"]) == 2


def test_one_cipher_and_one_signature_of_ours_are_named() -> None:
    used = {name for _, name in imported(service()) if name.startswith("cryptography")}
    strange = [
        name
        for name in used
        if not any(f"{name}.".startswith(f"{one}.") or one.startswith(name) for one in CIPHERS)
    ]
    assert strange == []
    assert importers(("Crypto", "nacl", "M2Crypto", "OpenSSL"), service()) == set()


def test_one_hash_is_used() -> None:
    assert called(HASHES, source.package()) == set()
    assert importers(("hashlib", "hmac"), service()) != set()


def test_chance_is_the_operating_systems() -> None:
    assert named(CHANCE, service()) == set()
    assert [name for _, name in imported(service()) if re.fullmatch(CHANCE, name)] == []


def test_only_a_push_begins_a_connection() -> None:
    assert importers(SPEAKERS, service()) == {"delivery/push/fhir_rest.py"}


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (INTERPRETERS, "eval(said)"),
        (INTERPRETERS, "importlib.import_module(said)"),
        (PROGRAMS, "os.system(said)"),
        (PROGRAMS, "subprocess.run(said, shell=True)"),
        (HASHES, "hashlib.md5(said)"),
        (HASHES, "hashlib.sha1(said)"),
        (HASHES, "hashlib.new(said)"),
        (HASHES, "sha1(said)"),
        (CHANCE, "random.random()"),
        (CHANCE, "random.choice(said)"),
    ],
)
def test_a_dangerous_call_would_be_found(pattern: str, text: str) -> None:
    assert named(pattern, (Module("api/new.py", text),)) != set()
    assert called(pattern, (Module("api/new.py", text),)) != set()


@pytest.mark.parametrize(
    "text",
    [
        'session.execute(text(f"SELECT {said}"))',
        'session.execute("SELECT " + said)',
        'connection.exec_driver_sql("SELECT %s" % said)',
        "literal_column(said)",
        "said.format(other)",
    ],
)
def test_a_statement_in_pieces_would_be_found(text: str) -> None:
    assert list(in_pieces(Module("api/new.py", text))) != []


def test_an_import_would_be_found_in_any_of_its_forms() -> None:
    for text in ("import xml.etree", "from xml import sax", "from xml.dom.minidom import parse"):
        assert importers(READERS, (Module("api/new.py", text),)) == {"api/new.py"}
