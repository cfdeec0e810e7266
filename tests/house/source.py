"""Reads the house's own source for the tests of its rules: modules, functions, calls, files."""

import ast
import fnmatch
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

HOME = Path(__file__).parents[2]
PURE = ("domain", "policy", "fhir")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Defined:
    """A class or function, the class that it is in, and whether it can be met from outside."""

    name: str
    node: Function | ast.ClassDef
    owner: ast.ClassDef | None
    public: bool


@dataclass(frozen=True)
class Module:
    """One Python file; `name` is its path below the package or below the tests."""

    name: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def floor(self) -> str:
        return self.name.partition("/")[0].removesuffix(".py")

    def defined(self) -> Iterator[Defined]:
        """Every class and function of the file, also those inside others."""
        yield from _defined(self.tree, "", owner=None, public=True)

    def functions(self) -> Iterator[Defined]:
        return (one for one in self.defined() if isinstance(one.node, Function))

    def calls(self) -> Iterator[tuple[str, int]]:
        """What is called, as it is written, and on which line."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                yield ast.unparse(node.func), node.lineno

    def names(self) -> Iterator[tuple[str, int]]:
        """Every name and attribute path that the code mentions, as it is written."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Name | ast.Attribute):
                yield ast.unparse(node), node.lineno
            elif isinstance(node, ast.alias):
                yield node.name, node.lineno

    def prose(self) -> Iterator[str]:
        """Comments, and every piece of text that is more than one word."""
        for token in tokenize.generate_tokens(io.StringIO(self.text).readline):
            if token.type == tokenize.COMMENT:
                yield token.string
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
                yield node.value


def _defined(
    node: ast.AST, path: str, *, owner: ast.ClassDef | None, public: bool
) -> Iterator[Defined]:
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, Function | ast.ClassDef):
            yield from _defined(child, path, owner=owner, public=public)
            continue
        open_ = public and (not child.name.startswith("_") or child.name.endswith("__"))
        yield Defined(f"{path}{child.name}", child, owner, open_)
        is_class = isinstance(child, ast.ClassDef)
        yield from _defined(
            child,
            f"{path}{child.name}.",
            owner=child if isinstance(child, ast.ClassDef) else None,
            public=open_ and is_class,
        )


@lru_cache
def package() -> tuple[Module, ...]:
    """The package; what a migration tool writes is its own style."""
    return tuple(one for one in _modules("flagservice") if "migrations/versions" not in one.name)


@lru_cache
def suite() -> tuple[Module, ...]:
    """The tests."""
    return tuple(_modules("tests"))


def _modules(folder: str) -> Iterator[Module]:
    for path in sorted((HOME / folder).rglob("*.py")):
        name = path.relative_to(HOME / folder).as_posix()
        yield Module(name, path.read_text(encoding="utf-8"))


@lru_cache
def repository() -> dict[str, str]:
    """Every text file that a clone has, by its path: what .gitignore names is left out."""
    ignored = [line.strip("/") for line in (HOME / ".gitignore").read_text().split()]
    return {
        path.relative_to(HOME).as_posix(): path.read_text(encoding="utf-8")
        for path in _files(HOME, (*ignored, ".git"))
    }


def _files(folder: Path, ignored: tuple[str, ...]) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if any(fnmatch.fnmatch(path.name, one) for one in ignored):
            continue
        if path.is_dir():
            yield from _files(path, ignored)
        else:
            yield path


def top_level() -> set[str]:
    """The names that stand at the top of a clone."""
    return {name.partition("/")[0] for name in repository()}
