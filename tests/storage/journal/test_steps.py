"""The steps of a purchase as changes of the tables: which item it is, and where the money goes."""

import random
import sqlite3
from functools import partial

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from venice_async.storage.journal import schema, steps
from venice_async.storage.journal.records import KeptFile, dump_error, dump_files
from venice_async.storage.journal.schema import State
from venice_async.types.request import ImageRequest, Inpaint

from .by_hand import fox, foxes

ERROR = dump_error(schema.StorageError("no"))
FILES = dump_files([KeptFile("a.webp", "00", 1)])


@pytest.fixture
def connection():
    made = tables()
    yield made
    made.close()


def tables():
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript(schema._TABLES)
    return connection


def run_of(connection, run, requests, *, keep=True):
    """What the journal knows of each request of a run's input."""
    return [
        steps.enter(run, place, request, connection, keep_duplicates=keep)
        for place, request in enumerate(requests)
    ]


def money(connection, item):
    return connection.execute("SELECT reserved, spent FROM items WHERE id = ?", (item,)).fetchone()


def state(connection, item):
    return State(connection.execute("SELECT state FROM items WHERE id = ?", (item,)).fetchone()[0])


# Identity


def test_a_request_is_the_same_item_in_every_run(connection):
    """However its place changes; new ones are taken up beside it."""
    requests = foxes(6)
    first = {entry.item for entry in run_of(connection, 1, requests)}
    shuffled = [*requests, ImageRequest("new", model="m")]
    random.Random(7).shuffle(shuffled)
    for run in (2, 3):
        entries = run_of(connection, run, shuffled)
        known = [
            entry.item for entry, request in zip(entries, shuffled, strict=True) if request.prompt != "new"
        ]
        assert set(known) == first
        assert [entry.place for entry in entries] == list(range(7))
    assert len({entry.item for entry in entries}) == 7


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(st.integers(0, 3), max_size=8), max_size=4))
def test_equal_requests_are_counted_by_their_occurrence(inputs):
    """The nth time that an input holds a request is the same item in each run."""
    connection = tables()
    items = {}
    try:
        for run, seeds in enumerate(inputs, 1):
            counts = {}
            for place, seed in enumerate(seeds):
                entry = steps.enter(
                    run, place, attrs.evolve(fox, seed=seed), connection, keep_duplicates=True
                )
                occurrence = counts[seed] = counts.get(seed, -1) + 1
                assert items.setdefault((seed, occurrence), entry.item) == entry.item
                assert entry.place == place
            assert connection.execute("SELECT count(*) FROM items").fetchone() == (len(items),)
            asked = connection.execute(
                "SELECT place FROM items WHERE run = ? ORDER BY place", (run,)
            ).fetchall()
            assert asked == [(place,) for place in range(len(seeds))]
    finally:
        connection.close()


def test_how_the_answer_travels_makes_no_other_item(connection):
    one, other = run_of(connection, 1, [fox]), run_of(connection, 2, [attrs.evolve(fox, return_binary=True)])
    assert one[0].item == other[0].item


def test_equal_pictures_are_stored_once(connection):
    inpaint = Inpaint(strength=5, source_image_base64="QUJD")
    run_of(connection, 1, [attrs.evolve(request, inpaint=inpaint) for request in foxes(4)])
    assert connection.execute("SELECT count(*) FROM pictures").fetchone() == (1,)


def test_what_the_input_repeats_is_left_out_where_asked_for(connection):
    first, *others = run_of(connection, 1, [fox] * 3, keep=False)
    assert first.state == State.PENDING
    assert [entry.state for entry in others] == [State.DUPLICATE] * 2
    again = run_of(connection, 2, [fox] * 3, keep=False)
    assert [entry.item for entry in again] == [first.item, *(entry.item for entry in others)]
    assert [entry.state for entry in run_of(connection, 3, [fox] * 3)] == [State.PENDING] * 3


@pytest.mark.parametrize(
    ("reached", "left_out"),
    [(State.PENDING, True), (State.FAILED, True), (State.BILLED, False), (State.UNCONFIRMED, False)],
    ids=lambda value: getattr(value, "name", value),
)
def test_a_repetition_that_cost_something_stays_what_it_is(connection, reached, left_out):
    """One that is not there and was not paid for is left out, and is bought again where that is asked for."""
    _, second = run_of(connection, 1, [fox] * 2)
    if reached != State.PENDING:
        steps.intend(second.item, 7, 5, connection, lost=False)
        steps.end(1, second.item, reached, ERROR, connection, lost=reached != State.FAILED)
    _, entry = run_of(connection, 2, [fox] * 2, keep=False)
    assert entry.state == (State.DUPLICATE if left_out else reached)
    assert (entry.error is None) is left_out
    assert run_of(connection, 3, [fox] * 2)[1].state == (State.PENDING if left_out else reached)


def test_what_is_there_is_there_for_a_repetition_too(connection):
    _, second = run_of(connection, 1, [fox] * 2)
    steps.intend(second.item, 7, 5, connection, lost=False)
    steps.receive(1, second.item, b"{}", FILES, connection)
    steps.mark_done([(FILES, second.item)], connection)
    _, entry = run_of(connection, 2, [fox] * 2, keep=False)
    assert (entry.state, entry.files) == (State.DONE, (KeptFile("a.webp", "00", 1),))


# Again


def test_failed_items_are_found_again_each_of_them_once(connection):
    """In the order of their numbers, with the request as it was, also where one fails once more."""
    requests = [
        attrs.evolve(request, inpaint=Inpaint(strength=1, source_image_base64="QQ==")) for request in foxes(6)
    ]
    entries = run_of(connection, 1, requests)
    for entry in entries[::2]:
        steps.end(1, entry.item, State.FAILED, ERROR, connection, lost=False)
    steps.end(1, entries[1].item, State.BILLED, ERROR, connection, lost=True)
    steps.enter_invalid(1, 6, ERROR, connection)
    after, found = 0, []
    while (pair := steps.enter_again(2, after, [State.FAILED], connection)) is not None:
        entry, request = pair
        after = entry.item
        found.append((entry.item, request))
        steps.end(2, entry.item, State.FAILED, ERROR, connection, lost=False)
    assert found == [(entry.item, request) for entry, request in zip(entries, requests, strict=True)][::2]
    assert steps.enter_again(2, 0, [State.BILLED], connection)[0].item == entries[1].item
    runs = connection.execute("SELECT run FROM items WHERE state = ?", (State.FAILED,)).fetchall()
    assert sorted(runs) == [(1,), (2,), (2,), (2,)]


# Money

MOVES = ("intend", "lost intend", "receive", "fail", "bill", "unconfirm", "withdraw", "give up")


def test_a_purchases_money_is_reserved_and_then_spent(connection):
    (entry,) = run_of(connection, 1, [fox])
    assert steps.intend(entry.item, 7, 5, connection, lost=False) == 1
    assert money(connection, entry.item) == (5, 0)
    steps.receive(1, entry.item, b"{}", FILES, connection)
    assert (money(connection, entry.item), state(connection, entry.item)) == ((0, 5), State.RECEIVED)
    steps.mark_done([(FILES, entry.item)], connection)
    assert (money(connection, entry.item), state(connection, entry.item)) == ((0, 5), State.DONE)


@settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["intend", "lost intend", "receive", "fail", "bill", "unconfirm", "withdraw", "give up"]
            ),
            st.integers(0, 100),
        ),
        max_size=12,
    )
)
def test_every_step_moves_the_money_once(moves):
    """What is in flight is reserved; it is spent if it was billed or may have been, and free otherwise."""
    connection = tables()
    try:
        (entry,) = run_of(connection, 1, [fox])
        item, reserved, spent = entry.item, 0, 0
        ended = partial(steps.end, 1, item)
        for move, cost in moves:
            match move:
                case "intend" | "lost intend":
                    lost = move == "lost intend"
                    steps.intend(item, 7, cost, connection, lost=lost)
                    reserved, spent = cost, spent + reserved * lost
                    assert state(connection, item) == State.SENT
                    assert money(connection, item) == (reserved, spent)
                    continue
                case "receive":
                    steps.receive(1, item, b"{}", FILES, connection)
                    spent += reserved
                case "fail":
                    ended(State.FAILED, ERROR, connection, lost=False)
                case "bill":
                    ended(State.BILLED, ERROR, connection, lost=True)
                    spent += reserved
                case "unconfirm":
                    ended(State.UNCONFIRMED, ERROR, connection, lost=True)
                    spent += reserved
                case "withdraw":
                    steps.withdraw(item, State.PENDING, connection, lost=False)
                case "give up":
                    steps.withdraw(item, State.PENDING, connection, lost=True)
                    spent += reserved
            reserved = 0
            assert money(connection, item) == (reserved, spent)
    finally:
        connection.close()


# Seeds


def test_a_seed_that_was_drawn_stays(connection):
    """Also where the attempt failed, or was withdrawn."""
    open_fox = attrs.evolve(fox, seed=None)
    for run, ending in enumerate(("fail", "withdraw", "unconfirm"), 1):
        (entry,) = run_of(connection, run, [open_fox])
        assert entry.seed == (None if run == 1 else 4711)
        steps.intend(entry.item, 4711, 5, connection, lost=False)
        match ending:
            case "fail":
                steps.end(run, entry.item, State.FAILED, ERROR, connection, lost=False)
            case "unconfirm":
                steps.end(run, entry.item, State.UNCONFIRMED, ERROR, connection, lost=True)
            case _:
                steps.withdraw(entry.item, State.FAILED, connection, lost=False)
    (entry,) = run_of(connection, 9, [open_fox])
    assert (entry.seed, entry.attempts, entry.state) == (4711, 3, State.UNCONFIRMED)


def test_an_item_that_is_withdrawn_keeps_what_an_earlier_run_has_said_of_it(connection):
    (entry,) = run_of(connection, 1, [fox])
    steps.intend(entry.item, 7, 5, connection, lost=False)
    steps.end(1, entry.item, State.UNCONFIRMED, ERROR, connection, lost=True)
    (entry,) = run_of(connection, 2, [fox])
    steps.intend(entry.item, 7, 5, connection, lost=False)
    steps.withdraw(entry.item, entry.state, connection, lost=False)
    (again,) = run_of(connection, 3, [fox])
    assert (again.state, again.error) == (State.UNCONFIRMED, ERROR)
    assert money(connection, entry.item) == (0, 5)


def test_an_item_that_came_in_the_end_has_no_error_any_more(connection):
    (entry,) = run_of(connection, 1, [fox])
    steps.intend(entry.item, 7, 5, connection, lost=False)
    steps.end(1, entry.item, State.FAILED, ERROR, connection, lost=False)
    steps.intend(entry.item, 7, 5, connection, lost=False)
    steps.receive(2, entry.item, b"{}", FILES, connection)
    assert run_of(connection, 3, [fox])[0].error is None


def test_a_run_has_a_beginning_and_an_end(connection):
    connection.execute("INSERT INTO runs (began_at) VALUES (1.0)")
    steps.end_run(1, ERROR, connection)
    (ended, stopped) = connection.execute("SELECT ended_at, stopped FROM runs").fetchone()
    assert ended > 1.0
    assert stopped == ERROR
