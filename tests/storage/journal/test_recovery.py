"""What a run that did not end has left, and what the next one makes of it."""

import asyncio
import hashlib
import os

import attrs
import pytest

from venice_async.errors import JournalError, OutputExistsError, StorageError, UnconfirmedError
from venice_async.storage import published
from venice_async.storage.journal import JournalReader, State, audit, load_error
from venice_async.storage.journal.recovery import file_digest

from .by_hand import JOB, PRICE, begun, buy, die, fox, intend, names, opened, rows, whole_answer, write_parts

pair = attrs.evolve(fox, variants=2)


def run(body, *arguments):
    return asyncio.run(body(*arguments))


async def sent(journal, request=fox, *, place=0):
    """An item that is in flight."""
    entry = await journal.enter(place, request, keep_duplicates=True)
    await intend(journal, entry.item, seed=request.seed)
    return entry.item


async def cut_off(journal, item, files, *, named=0):
    """Record an answer, and die when so many of its files have got their names."""

    def put_some(_, received):
        for file in received[0][:named]:
            journal._published.publish(file.path, file.name)
        raise StorageError("dead")

    journal._put_in_place = put_some
    with pytest.raises(StorageError, match="dead"):
        await journal.keep(item, whole_answer(), lambda: files)
    await die(journal)


async def again(directory):
    """Begin another run and end it; the state, the spending, and the names of the one item."""
    async with opened(directory):
        pass
    ((state, reserved, spent),) = rows(directory, "state, reserved, spent")
    assert reserved == 0
    assert list((directory / ".venice" / "parts").iterdir()) == []
    return State(state), spent, names(directory)


def intact(directory):
    return sorted((finding.path, finding.verdict) for finding in audit(directory))


def contents(directory):
    return {name: (directory / name).read_bytes() for name in names(directory)}


# What was recorded


@pytest.mark.parametrize("named", [0, 1, 2])
def test_recorded_images_get_their_names(tmp_path, named):
    """Whether the end came before, between or after the renaming."""

    async def body():
        journal = await begun(tmp_path)
        item = await sent(journal, pair)
        await cut_off(journal, item, write_parts(journal, item, 1, b"one", b"two"), named=named)
        assert await again(tmp_path) == (State.DONE, PRICE, ["1-0.webp", "1-1.webp"])
        assert contents(tmp_path) == {"1-0.webp": b"one", "1-1.webp": b"two"}
        assert intact(tmp_path) == [("1-0.webp", "intact"), ("1-1.webp", "intact")]

    run(body)


def test_an_image_that_has_two_names_keeps_one(tmp_path):
    """A rename is a second name and the end of the first; the end came between the two."""

    async def body():
        journal = await begun(tmp_path)
        item = await sent(journal)
        files = write_parts(journal, item, 1, b"one")
        os.link(files[0].path, tmp_path / "1.webp")
        await cut_off(journal, item, files)
        assert await again(tmp_path) == (State.DONE, PRICE, ["1.webp"])

    run(body)


@pytest.mark.parametrize("named", [0, 1])
@pytest.mark.parametrize(
    "foreign", [b"one", b"mine", b"a longer one of mine"], ids=["shorter", "as-long", "longer"]
)
def test_a_name_that_is_taken_is_never_overwritten(tmp_path, foreign, named):
    """Whether before the end or after it, and whatever the other file holds."""

    async def body():
        journal = await begun(tmp_path)
        item = await sent(journal)
        files = write_parts(journal, item, 1, b"four"[: len(b"mine")])
        (tmp_path / "1.webp").write_bytes(foreign)
        await cut_off(journal, item, files, named=named)
        assert await again(tmp_path) == (State.DONE, PRICE, ["1-2.webp", "1.webp"])
        assert contents(tmp_path) == {"1.webp": foreign, "1-2.webp": b"four"}
        assert intact(tmp_path) == [("1-2.webp", "intact"), ("1.webp", "foreign")]

    run(body)


def test_a_recorded_image_that_somebody_took_away_is_not_bought_again(tmp_path):
    """It is done, and an audit misses it."""

    async def body():
        journal = await begun(tmp_path)
        item = await sent(journal)
        files = write_parts(journal, item, 1, b"one")
        await cut_off(journal, item, files)
        os.unlink(files[0].path)  # noqa: PTH108
        assert await again(tmp_path) == (State.DONE, PRICE, [])
        assert intact(tmp_path) == [("1.webp", "missing")]

    run(body)


def test_a_mark_that_was_not_recorded_is_made_up_for(tmp_path):
    """Images that have their names, of which the journal does not know it yet."""

    async def body():
        journal = await begun(tmp_path)
        await buy(journal, 0, fox, b"one")
        assert rows(tmp_path, "state") == [(State.RECEIVED,)]
        await die(journal)
        assert await again(tmp_path) == (State.DONE, PRICE, ["1.webp"])

    run(body)


# What was not


@pytest.mark.parametrize("suffix", [".webp", ".png", ".jpg"])
def test_whole_images_are_taken_over_without_their_record(tmp_path, suffix):
    """Under the names that they were to have, as files of an answer of which nothing else is known."""

    async def body():
        journal = await begun(tmp_path, {**JOB, "name": "{index}_{seed}_{prompt}"})
        item = await sent(journal, attrs.evolve(pair, seed=11), place=3)
        write_parts(journal, item, 1, b"one", b"two", suffix=suffix)
        await die(journal)
        async with opened(tmp_path, {**JOB, "name": "{index}_{seed}_{prompt}"}) as journal:
            entry = await journal.enter(0, attrs.evolve(pair, seed=11), keep_duplicates=True)
        assert (entry.state, entry.seed, entry.attempts) == (State.DONE, 11, 1)
        expected = [f"3_11_a-red-fox-{image}{suffix}" for image in (0, 1)]
        assert [file.name for file in entry.files] == names(tmp_path) == expected
        assert [file.sha256 for file in entry.files] == [
            hashlib.sha256(content).hexdigest() for content in (b"one", b"two")
        ]
        assert rows(tmp_path, "reserved, spent, error") == [(0, PRICE, None)]

    run(body)


def test_a_taken_over_image_of_an_open_seed_has_the_one_that_was_drawn(tmp_path):
    async def body():
        journal = await begun(tmp_path, {**JOB, "name": "{seed}"})
        entry = await journal.enter(0, attrs.evolve(fox, seed=None), keep_duplicates=True)
        await intend(journal, entry.item, seed=4711)
        write_parts(journal, entry.item, 1, b"one")
        await die(journal)
        async with opened(tmp_path, {**JOB, "name": "{seed}"}):
            pass
        assert names(tmp_path) == ["4711.webp"]

    run(body)


@pytest.mark.parametrize("parts", [[], ["1-1-0.part"], ["1-1-0.part", "1-1-1.part"], ["1-1-0"]], ids=str)
def test_what_was_sent_without_a_whole_image_is_unconfirmed(tmp_path, parts):
    """It counts as spent, and half an image is deleted."""

    async def body():
        journal = await begun(tmp_path)
        await sent(journal)
        for name in parts:
            (journal.parts / name).write_bytes(b"hal")
        await die(journal)
        assert await again(tmp_path) == (State.UNCONFIRMED, PRICE, [])
        ((told,),) = rows(tmp_path, "error")
        assert isinstance(load_error(told), UnconfirmedError)

    run(body)


def test_whole_images_of_half_an_answer_are_kept_apart(tmp_path):
    """They were most likely paid for; the purchase is unconfirmed all the same."""

    async def body():
        journal = await begun(tmp_path)
        item = await sent(journal, pair)
        write_parts(journal, item, 1, b"one")
        (journal.parts / "1-1-1.part").write_bytes(b"tw")
        await die(journal)
        assert await again(tmp_path) == (State.UNCONFIRMED, PRICE, [".venice/rejected/1-1-0.webp"])

    run(body)


def test_one_image_of_an_answer_that_is_whole_speaks_for_the_others(tmp_path):
    """They get their extensions one after the other, once all of them are whole and on the disk."""
    webp = b"RIFF\x04\x00\x00\x00WEBP"

    async def body():
        journal = await begun(tmp_path)
        item = await sent(journal, pair)
        write_parts(journal, item, 1, webp)
        (journal.parts / "1-1-1.part").write_bytes(webp)
        await die(journal)
        assert await again(tmp_path) == (State.DONE, PRICE, ["0-0.webp", "0-1.webp"])

    run(body)


def test_whole_images_of_an_earlier_attempt_are_not_the_last_ones(tmp_path):
    async def body():
        journal = await begun(tmp_path)
        item = await sent(journal)
        await intend(journal, item, lost=True)
        write_parts(journal, item, 1, b"one")
        await die(journal)
        assert await again(tmp_path) == (State.UNCONFIRMED, 2 * PRICE, [".venice/rejected/1-1-0.webp"])

    run(body)


@pytest.mark.parametrize(
    ("ending", "state", "spent"),
    [
        ("nothing", State.PENDING, 0),
        ("fail", State.FAILED, 0),
        ("bill", State.BILLED, PRICE),
        ("unconfirm", State.UNCONFIRMED, PRICE),
        ("withdraw", State.PENDING, 0),
    ],
)
def test_what_had_come_to_an_end_stays_as_it_is(tmp_path, ending, state, spent):
    async def body():
        journal = await begun(tmp_path)
        error = UnconfirmedError("lost")
        if ending == "nothing":
            await journal.enter(0, fox, keep_duplicates=True)
        else:
            item = await sent(journal)
        match ending:
            case "fail" | "bill":
                await journal.fail(item, error, billed=ending == "bill")
            case "unconfirm":
                await journal.unconfirm(item, error)
            case "withdraw":
                await journal.withdraw(item, State.PENDING, lost=False)
        await die(journal)
        assert await again(tmp_path) == (state, spent, [])

    run(body)


def test_an_image_whose_answer_could_not_be_recorded_is_taken_over(tmp_path):
    """The run that met this has said so, and ended in peace."""

    async def body():
        async with opened(tmp_path) as journal:
            item = await sent(journal)
            write_parts(journal, item, 1, b"one")
            await journal.fail(item, StorageError("disk full"), billed=True, adoptable=True)
        assert JournalReader(tmp_path).status().in_flight == 1
        assert await again(tmp_path) == (State.DONE, PRICE, ["0.webp"])
        assert rows(tmp_path, "error") == [(None,)]

    run(body)


# Parts of nobody


@pytest.mark.parametrize("name", ["99-1-0.webp", "1-7-0.png", "2-1-0.part"])
def test_parts_that_the_journal_does_not_know_tell_of_lost_records(tmp_path, name):
    """It is not gone on with before somebody has looked; nothing is moved, the message says what to do."""

    async def body():
        async with opened(tmp_path) as journal:
            await buy(journal, 0, fox, b"one")
            (journal.parts / name).write_bytes(b"x")
        for _ in range(2):
            with pytest.raises(
                JournalError, match=rf"does not know of 1 images \({name}.* move these images out"
            ):
                await begun(tmp_path)
        assert names(tmp_path) == [f".venice/parts/{name}", "1.webp"]
        (journal.parts / name).unlink()
        assert await again(tmp_path) == (State.DONE, PRICE, ["1.webp"])

    run(body)


def test_parts_that_belong_to_no_purchase_are_kept_or_deleted(tmp_path):
    """A whole image is kept with the rejected ones, under a number of its own; anything else goes."""

    async def body():
        async with opened(tmp_path) as journal:
            await buy(journal, 0, fox, b"one")
            (journal.directory / ".venice" / "rejected").mkdir()
            (journal.directory / ".venice" / "rejected" / "1-1-1.webp").write_bytes(b"older")
            for name in (
                "1-1-1.webp",
                "1-1-0.webp",
                "x-1-0.webp",
                "1-0.webp",
                "1-1-0.gif",
                "x.part",
            ):
                (journal.parts / name).write_bytes(name.encode())
        assert await again(tmp_path) == (
            State.DONE,
            PRICE,
            [
                *(f".venice/rejected/{name}" for name in ("1-1-0.webp", "1-1-1-2.webp", "1-1-1.webp")),
                "1.webp",
            ],
        )
        assert (tmp_path / ".venice" / "rejected" / "1-1-1.webp").read_bytes() == b"older"
        assert (tmp_path / ".venice" / "rejected" / "1-1-1-2.webp").read_bytes() == b"1-1-1.webp"

    run(body)


# An end within the beginning


@pytest.mark.parametrize("survived", [0, 1, 2, 3])
@pytest.mark.parametrize("recorded", [False, True], ids=["taken-over", "recorded"])
def test_an_end_while_things_are_brought_to_an_end_loses_nothing(tmp_path, monkeypatch, recorded, survived):
    """However many of the images had their names by then."""

    async def body():
        journal = await begun(tmp_path)
        for seed in range(3):
            item = await sent(journal, attrs.evolve(fox, seed=seed), place=seed)
            files = write_parts(journal, item, 1, b"picture %d" % seed)
            if recorded:
                journal._put_in_place = lambda *_: ()
                await journal.keep(item, whole_answer(), lambda files=files: files)
        await die(journal)
        real, moved = published.move_without_overwriting, 0

        def move(source, goal):
            nonlocal moved
            if moved == survived:
                raise OSError(28, "No space left on device")
            moved += 1
            real(source, goal)

        with monkeypatch.context() as patched:
            patched.setattr(published, "move_without_overwriting", move)
            if survived < 3:
                with pytest.raises(StorageError):
                    await begun(tmp_path)
        async with opened(tmp_path):
            pass
        expected = [f"{seed + recorded}.webp" for seed in range(3)]
        assert contents(tmp_path) == {name: b"picture %d" % seed for seed, name in enumerate(expected)}
        assert rows(tmp_path, "state, spent") == [(State.DONE, PRICE)] * 3
        assert intact(tmp_path) == [(name, "intact") for name in expected]

    run(body)


def test_names_are_on_the_disk_before_they_are_recorded(tmp_path, monkeypatch):
    """Also those that a crash had kept from being given: counted by the folders that are synced."""
    synced = []
    from venice_async.storage.journal import journal as module
    from venice_async.storage.journal import recovery

    for place in (module, recovery):
        monkeypatch.setattr(place, "sync_directory", lambda path: synced.append(path.name))

    async def body():
        journal = await begun(tmp_path / "out", durability="power")
        item = await sent(journal)
        await cut_off(journal, item, write_parts(journal, item, 1, b"one"))
        synced.clear()
        async with opened(tmp_path / "out", durability="power"):
            assert synced == ["parts", "out", ".venice", "out"]
        journal = await begun(tmp_path / "out")
        await die(journal)
        assert synced == ["parts", "out", ".venice", "out"]

    run(body)


def test_a_folder_of_parts_that_could_not_be_synced_is_synced_with_the_next_commit(tmp_path, monkeypatch):
    """No record says that images are on the disk before they are."""
    from venice_async.storage.journal import journal as module

    calls = []

    def sync(path):
        calls.append(path.name)
        if calls == ["parts"]:
            raise OSError(5, "Input/output error", str(path))

    monkeypatch.setattr(module, "sync_directory", sync)

    async def body():
        async with opened(tmp_path / "out", durability="power") as journal:
            item = await sent(journal)
            files = write_parts(journal, item, 1, b"one")
            calls.clear()
            with pytest.raises(StorageError):
                await journal.keep(item, whole_answer(), lambda: files)
            await journal.fail(item, StorageError("no"), billed=True, adoptable=True)
            assert calls == ["parts", "parts"]

    run(body)


# A journal that is gone


@pytest.mark.parametrize("trace", ["rejected/x.webp", "parts/1-1-0.webp", "journal.sqlite3-wal"])
def test_a_journal_that_is_gone_is_missed(tmp_path, trace):
    """Where something tells that there was one, nothing is begun anew."""
    path = tmp_path / ".venice" / trace
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x")

    async def body():
        with pytest.raises(JournalError, match="The journal is missing"):
            await begun(tmp_path)
        assert path.exists()

    run(body)


def test_images_without_a_journal_are_not_added_to(tmp_path):
    async def body():
        async with opened(tmp_path) as journal:
            await buy(journal, 0, fox, b"one")
        (tmp_path / ".venice" / "journal.sqlite3").unlink()
        with pytest.raises(OutputExistsError):
            await begun(tmp_path)

    run(body)


def test_a_digest_is_that_of_the_whole_file(tmp_path):
    content = os.urandom(3 * 1024 * 1024 + 17)
    (tmp_path / "x").write_bytes(content)
    assert file_digest(tmp_path / "x") == hashlib.sha256(content).hexdigest()
