"""A journal that an earlier version has written still opens, resumes and exports."""

import asyncio
import sqlite3
from collections import Counter
from contextlib import closing

import pytest

from venice_async import VeniceSession, gather_generate
from venice_async.gather import plan_generate
from venice_async.sandbox import Sandbox
from venice_async.storage.dataset import export_dataset
from venice_async.storage.journal import JournalReader, State, audit
from venice_async.storage.journal.records import dump_request, load_request
from venice_async.storage.journal.schema import connect_to_read, connect_to_write
from venice_async.types.response import Moderation
from venice_async.wire.codec import encode_request, fingerprint

from .former import JOB, NEWER, PICTURE, PROMPTS, leave_behind


@pytest.fixture
def directory(tmp_path):
    leave_behind(tmp_path / "out")
    return tmp_path / "out"


def test_its_status_is_read_as_it_was_left(directory):
    status = JournalReader(directory).status()
    assert (status.done, status.failed, status.billed, status.unconfirmed) == (2, 1, 1, 1)
    assert status.images == 4
    assert status.runs == 2
    assert status.spent_usd == pytest.approx(0.08)
    assert Counter(finding.verdict for finding in audit(directory)) == {"intact": 4}


def test_the_same_call_resumes_it_and_buys_only_what_was_not_bought(directory):
    async def main(sandbox):
        async with VeniceSession("key", base_url=sandbox.url, rate_limit=None) as venice:
            plan = await plan_generate(venice, PROMPTS, into=directory, **JOB)
            return plan, await gather_generate(venice, PROMPTS, into=directory, **JOB)

    with Sandbox(images=PICTURE, rpm=None, profile="2025") as sandbox:
        plan, report = asyncio.run(main(sandbox))
        bought = Counter(record.body["prompt"] for record in sandbox.requests if record.billed)
    assert (plan.new, plan.held, plan.skipped) == (2, 2, 3)
    assert bought == {"failed": 1, "pending": 1}
    assert (report.generated, report.skipped, report.failed, report.unconfirmed) == (2, 3, 1, 1)
    assert report.stopped is None


def version(directory):
    with closing(sqlite3.connect(JournalReader(directory).path)) as connection:
        return connection.execute("PRAGMA user_version").fetchone()[0]


def test_reading_it_changes_nothing_and_writing_brings_it_up_to_date(directory):
    before = JournalReader(directory).path.read_bytes()
    assert len([*JournalReader(directory).images()]) == 4
    assert JournalReader(directory).count(State.DONE, State.BLOCKED) == 2
    assert (JournalReader(directory).path.read_bytes(), version(directory)) == (before, 1)
    for _ in range(2):
        with closing(connect_to_write(JournalReader(directory).path)) as connection:
            assert connection.execute("SELECT count(redoes), count(redone) FROM items").fetchone() == (0, 0)
        assert version(directory) == 2
    assert JournalReader(directory).status().done == 2


def test_what_an_answer_lacks_there_is_none(directory):
    """Neither a moderation without a header that came later nor a timing without a part costs the image."""
    with closing(sqlite3.connect(JournalReader(directory).path)) as connection, connection:
        connection.execute(
            "UPDATE items SET answer = ? WHERE state = 3",
            (b'{"timing":{"total":1},"moderation":{"is_blurred":true,"is_new":1},"novel":2}',),
        )
    for image in JournalReader(directory).images():
        assert (image.answer.timing, image.answer.moderation) == (None, Moderation(is_blurred=True))


def test_it_is_exported_without_being_resumed(directory, tmp_path):
    found = export_dataset(directory, tmp_path / "parquet", "parquet")
    assert (found.images, len(found.left_out)) == (4, 0)


def test_a_field_that_became_known_and_does_not_fit_goes_back_to_extra(directory):
    with closing(connect_to_read(JournalReader(directory).path)) as connection:
        (body,) = connection.execute(
            "SELECT request FROM items WHERE CAST(request AS TEXT) ->> '$.prompt' = 'newer'"
        ).fetchone()
    request = load_request(body, None)
    assert request.extra == NEWER
    assert (request.prompt, request.variants, request.seed) == ("newer", 2, 3)


@pytest.mark.parametrize("pictures", [None, b'{"style_references":[{"image":"aGVsbG8="}]}'])
def test_what_does_not_fit_is_sent_and_told_apart_as_it_was_recorded(pictures):
    body = b'{"prompt":"a fox","model":"m","safe_mode":"often","steps":[1],"novel":1}'
    request = load_request(body, pictures)
    assert request.extra == {"safe_mode": "often", "steps": [1], "novel": 1}
    assert b'"safe_mode":"often"' in encode_request(request)
    again = load_request(*dump_request(request))
    assert again == request
    assert fingerprint(again) == fingerprint(request)
