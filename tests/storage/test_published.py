"""Names in a directory: never overwritten, and whole even on another file system."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from venice_async.storage.published import Published


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_taken_name_gets_the_next_number(tmp_path):
    """Whoever took it: this run, an earlier one, a directory or a link to nowhere."""
    (tmp_path / "a.png").mkdir()
    (tmp_path / "a-3.png").symlink_to("nowhere")
    published = Published(tmp_path)
    found = []
    for _ in range(3):
        part = tmp_path / "x.part"
        part.write_bytes(b"x")
        found.append(published.publish(str(part), "a.png"))
    assert found == ["a-2.png", "a-4.png", "a-5.png"]


def test_folders_of_a_name_are_made(tmp_path):
    """Once they are needed, and only then."""
    published = Published(tmp_path)
    for _ in range(2):
        part = tmp_path / "x.part"
        part.write_bytes(b"x")
        published.publish(str(part), "deep/er/a.png")
    assert names(tmp_path) == ["deep/er/a-2.png", "deep/er/a.png"]


def test_many_equal_names_are_given_out_in_linear_time(tmp_path, monkeypatch):
    """The numbers go on where they stopped: the thousandth of a name does not try a thousand."""
    tries = 0
    real = os.link

    def link(*arguments, **options):
        nonlocal tries
        tries += 1
        return real(*arguments, **options)

    monkeypatch.setattr(os, "link", link)
    published = Published(tmp_path)
    for _ in range(300):
        part = tmp_path / "x.part"
        part.write_bytes(b"x")
        published.publish(str(part), "a.png")
    assert tries <= 310


def test_a_disk_without_hard_links_overwrites_nothing_either(tmp_path, monkeypatch):
    """Such as FAT: the name is claimed first, then the file moves onto it."""

    def refuse(*_, **__):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "a.png").write_bytes(b"mine")
    part = tmp_path / "x.part"
    part.write_bytes(b"new")
    assert Published(tmp_path).publish(str(part), "a.png") == "a-2.png"
    assert (tmp_path / "a.png").read_bytes() == b"mine"
    assert (tmp_path / "a-2.png").read_bytes() == b"new"
    assert not part.exists()


def test_a_folder_on_another_file_system_gets_its_images_too(tmp_path, monkeypatch):
    """A link below the directory may lead anywhere: the image is copied, and nothing is overwritten."""
    real = os.link

    def no_bridge(source, goal):
        if Path(source).parent != Path(goal).parent:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), source)
        real(source, goal)

    monkeypatch.setattr(os, "link", no_bridge)
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "a.png").write_bytes(b"other")

    published = Published(tmp_path)
    temporary = tmp_path / ".x.part"
    temporary.write_bytes(b"image")
    assert published.publish(str(temporary), "far/a.png") == "far/a-2.png"
    assert (tmp_path / "far" / "a-2.png").read_bytes() == b"image"
    assert names(tmp_path) == ["far/a-2.png", "far/a.png"]
