"""The files of a directory, held against what its journal says of them."""

import asyncio

import attrs
import pytest

from venice_async.errors import JournalError
from venice_async.storage.journal import Finding, audit

from .by_hand import buy, fox, opened


@pytest.fixture
def bought(tmp_path):
    """A directory with four images, the second and third of one purchase."""

    async def body():
        async with opened(tmp_path) as journal:
            await buy(journal, 0, fox, b"first")
            await buy(journal, 1, attrs.evolve(fox, seed=8), b"second", b"third")
            await buy(journal, 2, attrs.evolve(fox, seed=9), b"fourth")

    asyncio.run(body())
    return tmp_path


def found(directory):
    return {finding.path: finding.verdict for finding in audit(directory)}


INTACT = dict.fromkeys(("1.webp", "2-0.webp", "2-1.webp", "3.webp"), "intact")


def test_what_was_bought_is_intact(bought):
    assert found(bought) == INTACT


def test_a_file_that_is_gone_is_missing(bought):
    """Also where a folder has taken its name."""
    (bought / "1.webp").unlink()
    (bought / "2-1.webp").unlink()
    (bought / "2-1.webp").mkdir()
    assert found(bought) == {**INTACT, "1.webp": "missing", "2-1.webp": "missing"}


@pytest.mark.parametrize("content", [b"fIrst", b"firs", b"first and more", b""])
def test_a_file_of_another_content_is_altered(bought, content):
    """As long as it was, shorter, longer or empty."""
    (bought / "1.webp").write_bytes(content)
    assert found(bought) == {**INTACT, "1.webp": "altered"}


def test_an_image_that_the_journal_does_not_know_is_foreign(bought):
    """In whatever folder, but not in a hidden one; other files are nobody's business."""
    for name in ("mine.png", "deep/er/mine.JPG", ".hidden/mine.png", ".mine.png", "notes.txt", "a.part"):
        (bought / name).parent.mkdir(parents=True, exist_ok=True)
        (bought / name).write_bytes(b"mine")
    (bought / "a.part").unlink()
    assert found(bought) == {**INTACT, "deep/er/mine.JPG": "foreign", "mine.png": "foreign"}


def test_an_audit_changes_nothing_and_can_be_left(bought):
    def everything():
        files = (path for path in bought.rglob("*") if path.is_file())
        # What SQLite puts beside a journal that is read stays until the next one writes.
        return {path: path.stat().st_mtime_ns for path in files if "sqlite3-" not in path.name}

    before = everything()
    findings = audit(bought)
    assert next(findings) == Finding("1.webp", "intact")
    findings.close()
    assert found(bought) == INTACT
    assert everything() == before


def test_a_directory_without_a_journal_cannot_be_audited(tmp_path):
    with pytest.raises(JournalError):
        found(tmp_path)
