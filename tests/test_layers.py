"""A module imports only from rooms below its own: nothing that walks down turns back."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import venice_async

PACKAGE = "venice_async"
ROOT = Path(venice_async.__file__).parent

ROOMS = [  # from the ground up; the last is the package's own face
    {"errors", "_version"},
    {"types"},
    {"wire"},
    {"policy"},
    {"sweep"},
    {"storage"},
    {"stores"},
    {"telemetry"},
    {"transport"},
    {"pool"},
    {"session"},
    {"report"},
    {"gather"},
    {"dask"},
    {"pytest_plugin"},
    {"cli", "__main__"},
    {"__init__"},
]
LEVELS = {name: level for level, names in enumerate(ROOMS) for name in names}
KNOW_THE_SANDBOX = {"cli", "pytest_plugin", "__main__"}
KNOW_AIOHTTP = {"transport"}
PURE = {"errors", "types", "wire", "policy"}
IMPURE = {
    "aiohttp",
    "anyio",
    "asyncio",
    "concurrent",
    "logging",
    "os",
    "pathlib",
    "random",
    "secrets",
    "socket",
    "sqlite3",
    "subprocess",
    "threading",
    "time",
    "uuid",
}


def is_type_checking(test: ast.expr) -> bool:
    match test:
        case ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"):
            return True
    return False


def imports_of(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom | ast.Call]:
    """Every import at any depth, but those for type checkers; calls of `import_module` included."""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.Import() | ast.ImportFrom():
                yield child
            case ast.If(test=test) if is_type_checking(test):
                for other in child.orelse:
                    yield from imports_of(ast.Module([other], []))
            case _:
                if isinstance(child, ast.Call):
                    match child.func:
                        case (
                            ast.Name(id="import_module" | "__import__") | ast.Attribute(attr="import_module")
                        ):
                            yield child
                yield from imports_of(child)


def targets(node: ast.Import | ast.ImportFrom | ast.Call, package: str, modules: set[str]) -> Iterator[str]:
    """The dotted names of the modules that an import brings in; `package` is what its dots start from."""
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=name, names=names, level=level):
            parts = package.split(".")
            base = parts[: len(parts) - level + 1] if level else []
            origin = ".".join([*base, *([name] if name else [])])
            for alias in names:
                inner = f"{origin}.{alias.name}"
                yield inner if inner in modules else origin
        case ast.Call(args=[ast.Constant(value=str(name)), *_]) if not name.startswith("."):
            yield name
        case _:
            yield "a module that is named at run time"


def room_of(name: str) -> str:
    """The room of a module of the package: the folder or file right below the package."""
    return name.split(".")[1] if "." in name else "__init__"


def refusals(name: str, source: str, modules: set[str], *, is_package: bool = False) -> list[str]:
    """What is wrong with the imports of one module."""
    room = room_of(name)
    if room not in LEVELS and room != "sandbox":
        return [f"{name}: the room {room} is not in the list"]
    package = name if is_package else name.rpartition(".")[0]
    return [
        f"{name}:{node.lineno}: {reason}"
        for node in imports_of(ast.parse(source))
        for target in targets(node, package, modules)
        if (reason := refusal(room, target))
    ]


def refusal(room: str, target: str) -> str | None:
    """Why a module in this room may not import the target, or None if it may."""
    top = target.partition(".")[0]
    if top == PACKAGE:
        return refusal_inside(room, room_of(target))
    if target.endswith("at run time"):
        return f"imports {target}"
    if room in PURE and top in IMPURE:
        return f"{room} is pure and imports {target}"
    if top == "aiohttp" and room not in KNOW_AIOHTTP | {"sandbox"}:
        return f"{room} imports aiohttp"
    return None


def refusal_inside(room: str, goal: str) -> str | None:
    if goal == room:
        return None
    if room == "sandbox":
        return f"the sandbox imports {goal} of the client"
    if goal == "sandbox":
        return None if room in KNOW_THE_SANDBOX else f"{room} imports the sandbox"
    if goal not in LEVELS:
        return f"{goal} is not in the list of rooms"
    return f"{room} imports {goal} above it" if LEVELS[goal] > LEVELS[room] else None


def modules_of(root: Path) -> dict[str, Path]:
    found = {}
    for path in sorted(root.rglob("*.py")):
        parts = [PACKAGE, *path.relative_to(root).with_suffix("").parts]
        if len(parts) > 2 and parts[-1] == "__init__":
            parts.pop()
        found[PACKAGE if parts == [PACKAGE, "__init__"] else ".".join(parts)] = path
    return found


MODULES = modules_of(ROOT)


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_only_from_rooms_below_its_own(name):
    path = MODULES[name]
    source = path.read_text(encoding="utf-8")
    assert refusals(name, source, set(MODULES), is_package=path.name == "__init__.py") == []


def test_every_kind_of_module_is_read():
    assert {PACKAGE, "venice_async.errors", "venice_async.wire", "venice_async.wire.decode"} <= MODULES.keys()
    assert {room_of(name) for name in MODULES} > PURE | {"sandbox", "transport", "session"}
    inside = [
        target
        for name, path in MODULES.items()
        for node in imports_of(ast.parse(path.read_text(encoding="utf-8")))
        for target in targets(
            node, name if path.name == "__init__.py" else name.rpartition(".")[0], set(MODULES)
        )
        if target.startswith(PACKAGE)
    ]
    assert len(inside) > 50
    assert set(inside) <= MODULES.keys()


KNOWN_NAMES = """
    errors types types.request wire wire.decode policy policy.retry sweep storage storage.files pool transport
    session session.session gather cli cli.app __main__ sandbox sandbox.server
"""
KNOWN = {PACKAGE, *(f"{PACKAGE}.{name}" for name in KNOWN_NAMES.split())}


@pytest.mark.parametrize(
    ("name", "source", "reason"),
    [
        ("errors", "from .types import request", "errors imports types above it"),
        ("types.request", "from venice_async.wire.decode import JsonDecoder", "types imports wire above it"),
        ("types.request", "import venice_async.pool", "types imports pool above it"),
        ("types.request", "import venice_async.pool as p", "types imports pool above it"),
        ("types.request", "from venice_async import pool", "types imports pool above it"),
        ("types.request", "from .. import pool", "types imports pool above it"),
        ("types.request", "from ..pool import Pool", "types imports pool above it"),
        ("types.request", "from .. import ImageRequest", "types imports __init__ above it"),
        ("gather", "from venice_async import ImageRequest", "gather imports __init__ above it"),
        ("gather", "from . import VeniceSession", "gather imports __init__ above it"),
        ("wire.decode", "from venice_async.policy.retry import confirm", "wire imports policy above it"),
        ("storage.files", "from venice_async.session import Sink", "storage imports session above it"),
        (
            "session.session",
            "def f():\n    from venice_async.gather import g",
            "session imports gather above it",
        ),
        (
            "pool",
            "class A:\n    async def f(self):\n        import venice_async.cli.app",
            "pool imports cli above it",
        ),
        (
            "pool",
            "try:\n    from .session import x\nexcept ImportError: pass",
            "pool imports session above it",
        ),
        (
            "pool",
            "if TYPE_CHECKING:\n    pass\nelse:\n    from .session import x",
            "pool imports session above it",
        ),
        ("pool", "if DEBUG:\n    from .session import x", "pool imports session above it"),
        ("pool", "importlib.import_module('venice_async.session')", "pool imports session above it"),
        (
            "pool",
            "importlib.import_module('.session', 'venice_async')",
            "imports a module that is named at run time",
        ),
        ("pool", "import_module(name)", "imports a module that is named at run time"),
        ("pool", "from .telepathy import x", "telepathy is not in the list of rooms"),
        ("telepathy", "", "the room telepathy is not in the list"),
        ("gather", "from .sandbox import Sandbox", "gather imports the sandbox"),
        ("__init__", "from .sandbox import Sandbox", "__init__ imports the sandbox"),
        ("sandbox.server", "from venice_async.errors import Fault", "sandbox imports errors of the client"),
        ("sandbox.server", "from ..types.limits import Range", "sandbox imports types of the client"),
        ("sandbox.server", "from venice_async import ImageRequest", "sandbox imports __init__ of the client"),
        ("pool", "import aiohttp", "pool imports aiohttp"),
        ("session.session", "from aiohttp.client import ClientSession", "session imports aiohttp"),
        ("cli.app", "def f():\n    import aiohttp.web", "cli imports aiohttp"),
        *(
            (
                f"{room}.x" if room != "errors" else room,
                f"import {module}",
                f"{room} is pure and imports {module}",
            )
            for room in sorted(PURE)
            for module in sorted(IMPURE)
        ),
        (
            "wire.decode",
            "from concurrent.futures import Future",
            "wire is pure and imports concurrent.futures",
        ),
        ("policy.retry", "def f():\n    from time import monotonic", "policy is pure and imports time"),
        ("types.request", "from os.path import join", "types is pure and imports os.path"),
    ],
)
def test_the_checker_refuses(name, source, reason):
    full = PACKAGE if name == "__init__" else f"{PACKAGE}.{name}"
    (found,) = refusals(full, source, KNOWN | {full}, is_package=name == "__init__")
    assert found.startswith(full)
    assert reason in found


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("pool", "import asyncio, time, os"),
        ("pool", "from .policy.retry import confirm\nfrom .errors import Fault\nfrom . import errors"),
        (
            "wire.decode",
            "from venice_async.types.request import ImageRequest\nfrom .headers import request_id",
        ),
        ("wire.decode", "import re, orjson, email.utils, urllib.parse, timeit, osutils"),
        ("types.request", "if TYPE_CHECKING:\n    from pathlib import Path\n    from ..pool import Pool"),
        ("types.request", "if typing.TYPE_CHECKING:\n    import asyncio"),
        ("transport", "import aiohttp\nfrom aiohttp import web"),
        (
            "sandbox.server",
            "import aiohttp, time\nfrom .state import State\nfrom venice_async.sandbox import x",
        ),
        ("cli.app", "def f():\n    from venice_async.sandbox import Sandbox"),
        ("__main__", "from .cli import run\nfrom venice_async.sandbox import Sandbox"),
        ("__init__", "from .gather import gather_generate\nfrom .errors import Fault"),
        ("pool", "text = 'import venice_async.cli'  # from .cli import run"),
    ],
)
def test_the_checker_admits(name, source):
    full = PACKAGE if name == "__init__" else f"{PACKAGE}.{name}"
    assert refusals(full, source, KNOWN | {full}, is_package=name == "__init__") == []


def test_the_checker_reads_a_folders_own_imports_from_the_folder():
    assert refusals("venice_async.session", "from .session import x", KNOWN, is_package=True) == []
    assert refusals("venice_async.wire", "from ..pool import Pool", KNOWN, is_package=True) != []


def test_the_checker_tells_the_line():
    source = "import re\n\n\ndef f():\n    import aiohttp\n"
    assert refusals("venice_async.pool", source, KNOWN) == ["venice_async.pool:5: pool imports aiohttp"]
