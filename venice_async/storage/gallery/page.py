"""`index.html` in a job's directory: everything there is to look at, in one static page.

1. The page asks for nothing outside its directory, and for nothing by script: its data is a script that it
   loads, so that it opens from a disk as it does from a server.
2. All that a job brings is data. It is never put into the page as text that a browser would read as HTML.
3. What belongs to the page is under `.venice/gallery/`, where neither a dataset's reader nor `verify` looks.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import attrs
import orjson
from attrs import frozen

from venice_async.errors import MissingExtraError
from venice_async.storage.files import storage_errors
from venice_async.storage.journal import PRIVATE, RecordedImage
from venice_async.storage.shards import JobReader, images_there, open_job
from venice_async.types.request import NEVER_SENT, ImageRequest

from .figures import read_figures
from .plots import histogram, over_time

__all__ = ["PAGE", "PageReport", "check_page", "write_page"]

PAGE = "index.html"
_FOLDER = f"{PRIVATE}/gallery"
_PACKAGE = "venice_async.storage.gallery"
_ASSETS = ("page.css", "page.js")
_PICTURES = {"inpaint", "style_references", "extra"}
_FIELDS = [field.name for field in attrs.fields(ImageRequest) if field.name not in NEVER_SENT | _PICTURES]


@frozen
class PageReport:
    """What a page shows.

    Attributes:
        path: The page.
        images: Images on it.
        thumbnails: Of these, those that were made now.
        broken: Images that cannot be shown.
    """

    path: Path
    images: int
    thumbnails: int
    broken: int


def check_page() -> None:
    """Raise if what makes the page is not installed.

    Raises:
        MissingExtraError: Pillow or Jinja2 is missing.
    """
    if not (find_spec("PIL") and find_spec("jinja2")):
        text = 'the page needs Pillow and Jinja2: pip install "venice-async[pictures]"'
        raise MissingExtraError(text)


@storage_errors()
def write_page(directory: Path) -> PageReport:
    """Make the page of a job's directory, or bring it up to date; blocks.

    Raises:
        MissingExtraError: Pillow or Jinja2 is not installed.
        StorageError: The journal cannot be read, or the disk refused.
    """
    check_page()
    from .thumbnails import make_thumbnails  # noqa: PLC0415 - needs Pillow

    reader = open_job(directory)
    folder = directory / _FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    files = ((image.file.sha256, directory / image.file.name) for image in images_there(reader))
    made, broken = make_thumbnails(folder / "thumbnails", files)
    count = _write_data(folder / "data.js", reader, broken)
    assets = importlib.resources.files(_PACKAGE) / "assets"
    for name in _ASSETS:
        _replace(folder / name, (assets / name).read_bytes())
    _replace(directory / PAGE, _rendered(directory, reader))
    return PageReport(directory / PAGE, count, made, len(broken))


def _write_data(goal: Path, reader: JobReader, broken: set[str]) -> int:
    """Write what the page's script works on, an image a line; how many there are."""
    new = goal.with_name(f".{goal.name}.part")
    count = 0
    with new.open("wb") as file:
        told = {"fields": _FIELDS, "folder": f"{_FOLDER}/thumbnails"}
        file.write(b"window.venice = " + _script(told) + b";\nwindow.venice.images = [\n")
        for image in images_there(reader):
            file.write(_script(_shown(image, broken=image.file.sha256 in broken)) + b",\n")
            count += 1
        file.write(b"];\n")
    new.replace(goal)
    return count


def _shown(image: RecordedImage, *, broken: bool) -> dict[str, Any]:
    """An image as the script has it; what is not known is left out."""
    request, answer = image.request, image.answer
    moderation = attrs.asdict(answer.moderation)
    asked = {name: value for name in _FIELDS if (value := getattr(request, name)) is not None}
    if image.seed is None:
        asked.pop("seed", None)
    told: dict[str, Any] = {
        "file": image.file.name,
        "sha256": image.file.sha256,
        "size": image.file.size,
        "index": image.index,
        "image": image.image,
        "request": asked,
        "answer_seed": None if image.seed == request.seed else request.seed,
        "more": sorted(name for name in _PICTURES if getattr(request, name)),
        "metadata": dict(request.metadata),
        "flags": [name for name, value in moderation.items() if value],
        "id": answer.request_id,
        "timing": None if answer.timing is None else attrs.asdict(answer.timing),
        "broken": True if broken else None,
    }
    return {name: value for name, value in told.items() if value or value == 0}


def _script(value: Any) -> bytes:
    """JSON that is safe in a script, wherever that stands."""
    text = orjson.dumps(value, default=_plain)
    return (
        text.replace(b"<", b"\\u003c")
        .replace(b"\xe2\x80\xa8", b"\\u2028")
        .replace(b"\xe2\x80\xa9", b"\\u2029")
    )


def _plain(value: Any) -> Any:
    try:
        return dict(value)
    except (TypeError, ValueError):
        return str(value)


def _rendered(directory: Path, reader: JobReader) -> bytes:
    import jinja2  # noqa: PLC0415 - an extra

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(_PACKAGE, "assets"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    times = list(_times(reader))
    page = environment.get_template("page.html.j2").render(
        title=directory.resolve().name,
        folder=_FOLDER,
        status=reader.status(),
        figures=read_figures(reader),
        latency=histogram([ended - sent for sent, ended in times], "s"),
        progress=over_time([ended for _, ended in times], "s"),
    )
    return page.encode(errors="replace")


def _times(reader: JobReader) -> Iterator[tuple[float, float]]:
    """When each answer was asked for, and when it had come."""
    for image in reader.images():
        if image.image == 0 and image.sent_at is not None and image.ended_at is not None:
            yield image.sent_at, max(image.sent_at, image.ended_at)


def _replace(goal: Path, data: bytes) -> None:
    new = goal.with_name(f".{goal.name}.part")
    try:
        new.write_bytes(data)
        new.replace(goal)
    finally:
        new.unlink(missing_ok=True)
