"""A journal against a model in memory: wherever a run ends, no purchase is lost or made up.

1. A crash may come between any two steps: the connection and the lock are gone, and nothing is tidied up.
2. Every image has a content of its own, so that a lost or doubled one is seen.
"""

import asyncio
import tempfile
from collections import Counter
from pathlib import Path

import attrs
import pytest
from attrs import define, field
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from venice_async import Failed, Generated, Skipped, Unconfirmed
from venice_async.errors import DecodeError, ServerError, StorageError, UnconfirmedError, ValidationError
from venice_async.errors import Fault as FieldFault
from venice_async.storage.journal import JournalReader, State, audit
from venice_async.wire.codec import fingerprint

from .by_hand import begun, die, fox, intend, names, rows, whole_answer, write_parts

REQUESTS = [
    fox,
    attrs.evolve(fox, seed=8, variants=2),
    attrs.evolve(fox, seed=None, prompt="an open seed"),
    attrs.evolve(fox, seed=9, variants=3),
]
PRINTS = {fingerprint(request): number for number, request in enumerate(REQUESTS)}
DRAWN = 4711
THERE = {State.RECEIVED, State.DONE}


@define
class Item:
    """What the model knows of one item."""

    number: int
    occurrence: int
    id: int = 0
    run: int = 0
    place: int = 0
    state: State = State.PENDING
    before: State = State.PENDING
    attempts: int = 0
    reserved: int = 0
    spent: int = 0
    bought_in: int = 0
    ended_in: int = 0
    noted: bool = False
    whole: list[bytes] = field(factory=list)
    contents: list[bytes] = field(factory=list)
    planned: list[str] = field(factory=list)  # the names that its images are to get

    @property
    def images(self):
        return REQUESTS[self.number].variants or 1


def unsent(item):
    """Within one run an item comes to one end."""
    return item.state not in {*THERE, State.SENT} and item.ended_in != item.run


def sent(item):
    return item.state == State.SENT


def growing(item):
    return item.state == State.SENT and not item.whole


def incomplete(item):
    return item.state == State.SENT and len(item.whole) < item.images


def complete(item):
    return item.state == State.SENT and len(item.whole) == item.images


def where(condition):
    """Only while this run has an item that meets a condition."""
    return precondition(lambda self: self.journal is not None and self.fitting(condition))


class Machine(RuleBasedStateMachine):
    """Drives a journal and the model."""

    @initialize()
    def start(self):
        self.folder = tempfile.TemporaryDirectory()
        self.directory = Path(self.folder.name) / "out"
        self.runner = asyncio.Runner()
        self.journal = None
        self.items = {}
        self.foreign, self.rejected, self.invalid = {}, [], []
        self.run_number, self.input, self.taken, self.count = 0, [], 0, 0
        self.seen = Counter()
        self.nobodys = 0

    def teardown(self):
        if self.journal is not None:
            self.run(self.journal.close())
        self.runner.close()
        self.folder.cleanup()

    def run(self, work):
        return self.runner.run(work)

    def content(self, what):
        self.count += 1
        return f"{what} {self.count}".encode()

    def fitting(self, condition):
        return [item for item in self.items.values() if item.run == self.run_number and condition(item)]

    def pick(self, data, condition):
        """One of the items of this run that meet a condition."""
        return data.draw(st.sampled_from(self.fitting(condition)))

    # Runs

    @precondition(lambda self: self.journal is None)
    @rule(
        numbers=st.lists(st.integers(0, len(REQUESTS) - 1), min_size=2, max_size=7),
        at_once=st.integers(1, 7),
    )
    def begin(self, numbers, at_once):
        """The same input in another order, with more of it, with less, with repetitions."""
        for item in self.items.values():
            if item.state == State.SENT:
                item.spent, item.reserved = item.spent + item.reserved, 0
                if len(item.whole) == item.images:
                    item.state, item.contents = State.DONE, item.whole
                else:
                    item.state = State.UNCONFIRMED
                    self.rejected += item.whole
            elif item.state == State.RECEIVED:
                item.state = State.DONE
            item.whole, item.noted = [], False
        self.invalid = []
        self.journal = self.run(begun(self.directory))
        self.run_number += 1
        self.input, self.taken, self.seen = numbers, 0, Counter()
        assert self.journal._run == self.run_number
        self.agrees_in_all()
        self.take(at_once)

    @where(lambda item: item.attempts)
    @rule()
    def close(self):
        self.run(self.journal.close())
        self.journal = None
        for item in self.items.values():
            item.state = State.DONE if item.state == State.RECEIVED else item.state

    @where(lambda item: item.attempts)
    @rule()
    def crash(self):
        self.run(die(self.journal))
        self.journal = None

    @where(incomplete)
    @rule(data=st.data())
    def crash_while_an_answer_is_kept(self, data):
        """It is recorded, and some of its images have got their names."""
        item = self.pick(data, incomplete)
        named = data.draw(st.integers(0, item.images))
        self.become_whole(item, item.images)
        journal = self.journal

        def put_some(_, received):
            for file in received[0][:named]:
                journal._published.publish(file.path, file.name)
            raise StorageError("dead")

        journal._put_in_place = put_some
        with pytest.raises(StorageError, match="dead"):
            self.keep(item)
        self.run(die(self.journal))
        self.journal = None

    # Items

    @precondition(lambda self: self.journal is not None and self.taken < len(self.input))
    @rule(at_once=st.integers(1, 7))
    def enter(self, at_once):
        """Several at once share a commit."""
        self.take(at_once)

    def take(self, at_once):
        asked = []
        for number in self.input[self.taken : self.taken + at_once]:
            key = number, self.seen[number]
            self.seen[number] += 1
            item = self.items.setdefault(key, Item(*key))
            item.run, item.place, item.before = self.run_number, self.taken, item.state
            self.taken += 1
            asked.append(item)

        async def all_of_them():
            return await asyncio.gather(
                *(
                    self.journal.enter(item.place, REQUESTS[item.number], keep_duplicates=True)
                    for item in asked
                )
            )

        for item, entry in zip(asked, self.run(all_of_them()), strict=True):
            item.id = item.id or entry.item
            assert (entry.item, entry.place, entry.state) == (item.id, item.place, item.state)
            assert entry.attempts == item.attempts
            if REQUESTS[item.number].seed is None:
                assert entry.seed == (DRAWN if item.attempts else None)
            if item.state in THERE:
                paths = [self.directory / file.name for file in entry.files]
                assert [path.read_bytes() for path in paths] == item.contents
            if item.state in {State.UNCONFIRMED, State.BILLED}:
                assert entry.error is not None

    @precondition(lambda self: self.journal is not None and not self.invalid)
    @rule()
    def enter_invalid(self):
        error = ValidationError([FieldFault("steps", 99, "0 < x < 50")])
        self.run(self.journal.enter_invalid(1000 + len(self.invalid), error))
        self.invalid.append(1000 + len(self.invalid))

    @where(unsent)
    @rule(at_once=st.integers(1, 4), cost=st.integers(1, 50))
    def intend(self, at_once, cost):
        """Whatever is not there may be sent, again as well."""
        for item in self.fitting(unsent)[:at_once]:
            item.before, item.state = item.state, State.SENT
            item.attempts, item.reserved, item.noted = item.attempts + 1, cost, False
            seed = REQUESTS[item.number].seed or DRAWN
            self.run(intend(self.journal, item.id, seed=seed, cost=cost))

    @where(growing)
    @rule(data=st.data(), cost=st.integers(1, 50), lost=st.booleans())
    def intend_again(self, data, cost, lost):
        """A retry within the run; what the attempt before has left is deleted by its sink."""
        item = self.pick(data, growing)
        self.discard(item)
        item.spent += item.reserved * lost
        item.attempts, item.reserved = item.attempts + 1, cost
        seed = REQUESTS[item.number].seed or DRAWN
        self.run(intend(self.journal, item.id, seed=seed, cost=cost, lost=lost))

    @where(growing)
    @rule(data=st.data())
    def write_half_a_part(self, data):
        item = self.pick(data, growing)
        (self.journal.parts / f"{item.id}-{item.attempts}-0.part").write_bytes(self.content("half"))

    @where(incomplete)
    @rule(data=st.data())
    def write_whole_parts(self, data):
        """Of all the images of an answer, or of the first of them."""
        item = self.pick(data, incomplete)
        self.become_whole(item, data.draw(st.integers(len(item.whole) + 1, item.images)))

    def become_whole(self, item, images):
        item.whole += [self.content("picture") for _ in range(images - len(item.whole))]
        self.files(item)

    def files(self, item):
        return write_parts(self.journal, item.id, item.attempts, *item.whole)

    def keep(self, item):
        files = self.files(item)
        item.state, item.contents, item.whole = State.RECEIVED, item.whole, []
        item.spent, item.reserved, item.bought_in = item.spent + item.reserved, 0, self.run_number
        item.noted, item.planned = False, [file.name for file in files]
        return self.run(self.journal.keep(item.id, whole_answer(), lambda: files))

    @where(sent)
    @rule(data=st.data())
    def answer(self, data):
        item = self.pick(data, sent)
        self.become_whole(item, item.images)
        paths = self.keep(item)
        assert [path.read_bytes() for path in paths] == item.contents

    def discard(self, item):
        for path in self.journal.parts.glob(f"{item.id}-{item.attempts}-*"):
            path.unlink()

    @where(growing)
    @rule(
        data=st.data(),
        how=st.sampled_from(["failed", "billed", "unconfirmed", "withdrawn", "withdrawn, lost"]),
    )
    def end(self, data, how):
        item = self.pick(data, growing)
        self.discard(item)
        lost = how in {"billed", "unconfirmed", "withdrawn, lost"}
        item.spent, item.reserved = item.spent + item.reserved * lost, 0
        item.ended_in = item.ended_in if how.startswith("withdrawn") else self.run_number
        match how:
            case "failed":
                item.state = State.FAILED
                self.run(self.journal.fail(item.id, ServerError("no", status=500), billed=False))
            case "billed":
                item.state = State.BILLED
                self.run(self.journal.fail(item.id, DecodeError("broken"), billed=True))
            case "unconfirmed":
                item.state = State.UNCONFIRMED
                self.run(self.journal.unconfirm(item.id, UnconfirmedError("lost")))
            case _:
                item.state = item.before
                self.run(self.journal.withdraw(item.id, item.before, lost=lost))

    @where(complete)
    @rule(data=st.data())
    def note_that_an_answer_could_not_be_recorded(self, data):
        item = self.pick(data, complete)
        item.noted = True
        error = StorageError("disk full")
        self.run(self.journal.fail(item.id, error, billed=True, adoptable=True))

    @precondition(lambda self: len(self.foreign) < 3 and self.has_images())
    @rule(name=st.integers(0, 6))
    def put_a_foreign_file(self, name):
        """Under a name that an image may be about to get."""
        path = self.directory / f"{name}.webp"
        if not path.exists():
            self.foreign[path.name] = self.content("foreign")
            path.write_bytes(self.foreign[path.name])

    @precondition(lambda self: self.journal is not None and self.nobodys < 2 and self.over())
    @rule(data=st.data())
    def put_a_part_of_nobody(self, data):
        """One that an attempt has left behind of which the journal knows how it ended."""
        item = data.draw(st.sampled_from(self.over()))
        self.nobodys += 1
        self.rejected.append(self.content("nobody's"))
        (self.journal.parts / f"{item.id}-1-{90 + self.count}.webp").write_bytes(self.rejected[-1])

    def has_images(self):
        """Without any, foreign ones would tell that the journal has lost its records."""
        return any(item.state in THERE for item in self.items.values())

    def over(self):
        """The items that were sent, and are not in flight."""
        there = {State.SENT, State.RECEIVED}
        return [item for item in self.items.values() if item.attempts and item.state not in there]

    # What has to agree

    @invariant()
    def agrees(self):
        """At any moment, for somebody who only reads."""
        if self.run_number:
            self.figures_agree(JournalReader(self.directory).status())
        if self.run_number and (self.journal is None or self.taken == len(self.input)):
            self.outcomes_agree()

    def figures_agree(self, status):
        states = Counter(item.state for item in self.items.values())
        done = [item for item in self.items.values() if item.state in THERE]
        assert (status.runs, status.items) == (self.run_number, len(self.items) + len(self.invalid))
        assert (status.done, status.images) == (len(done), sum(len(item.contents) for item in done))
        assert status.bytes == sum(len(content) for item in done for content in item.contents)
        assert status.failed == states[State.FAILED] + len(self.invalid)
        assert (status.billed, status.unconfirmed) == (states[State.BILLED], states[State.UNCONFIRMED])
        assert (status.in_flight, status.pending) == (states[State.SENT], states[State.PENDING])
        assert status.spent_usd == sum(item.spent + item.reserved for item in self.items.values()) / 1e6
        noted = sum(item.noted for item in self.items.values())
        ended = states[State.FAILED] + states[State.BILLED] + states[State.UNCONFIRMED]
        assert sum(group.count for group in status.failures) == ended + noted + len(self.invalid)

    def outcomes_agree(self):
        async def read():
            return [outcome async for outcome in JournalReader(self.directory).outcomes(self.run_number)]

        found = {outcome.index: outcome for outcome in self.run(read())}
        asked = {item.place: item for item in self.items.values() if item.run == self.run_number}
        told = {place: item for place, item in asked.items() if item.state != State.PENDING}
        assert list(found) == [*sorted(told), *self.invalid]
        for place, item in told.items():
            outcome = found[place]
            seed = REQUESTS[item.number].seed or DRAWN
            assert outcome.request == attrs.evolve(REQUESTS[item.number], seed=seed)
            match item.state:
                case State.RECEIVED if not all((self.directory / name).exists() for name in item.planned):
                    assert isinstance(outcome, Failed)
                    assert outcome.billed
                case State.RECEIVED | State.DONE:
                    bought_now = item.bought_in == self.run_number
                    assert isinstance(outcome, Generated if bought_now else Skipped)
                    assert len(outcome.paths) == item.images
                case State.SENT if item.noted:
                    assert isinstance(outcome, Failed)
                    assert outcome.billed
                case State.SENT | State.UNCONFIRMED:
                    assert isinstance(outcome, Unconfirmed)
                case _:
                    assert isinstance(outcome, Failed)
                    assert outcome.billed is (item.state == State.BILLED)

    def agrees_in_all(self):
        """After a run has begun: the rows, the files, the money and an audit."""
        found = {
            (PRINTS[identity], occurrence): values
            for identity, occurrence, *values in rows(
                self.directory, "fingerprint, occurrence, state, attempts, reserved, spent"
            )
        }
        assert found == {key: [item.state, item.attempts, 0, item.spent] for key, item in self.items.items()}
        contents = Counter((self.directory / name).read_bytes() for name in names(self.directory))
        bought = [content for item in self.items.values() for content in item.contents]
        assert contents == Counter([*bought, *self.foreign.values(), *self.rejected])
        assert list(self.journal.parts.iterdir()) == []
        verdicts = Counter(finding.verdict for finding in audit(self.directory))
        assert verdicts == Counter(intact=len(bought), foreign=len(self.foreign))
        for name, content in self.foreign.items():
            assert (self.directory / name).read_bytes() == content


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_no_purchase_is_lost_or_made_up_whatever_happens(long):
    chosen = settings(
        deadline=None,
        max_examples=2000 if long else 25,
        stateful_step_count=60 if long else 30,
        suppress_health_check=list(HealthCheck),
        phases=[phase for phase in Phase if long or phase is not Phase.shrink],
    )
    run_state_machine_as_test(Machine, settings=chosen)
