"""The calls that wait, and whose turn is next."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from venice_async.pool.lines import Lines, Waiting


class Line:
    """Lines with a counter for arrivals; to be used in a running loop."""

    def __init__(self):
        self.lines = Lines()
        self.arrivals = 0

    def join(self, priority=0, *, model="m", again=False, refusable=True):
        self.arrivals += 1
        call = Waiting(
            model, priority=priority, again=again, arrival=self.arrivals, deadline=None, refusable=refusable
        )
        self.lines.join(call)
        return call

    def go(self, *models):
        call = self.lines.next(self.lines.first(model) for model in models or ("m",))
        self.lines.go(call)
        call.turn.set_result(None)
        return call


def inside(test):
    """Run the test in an event loop, which futures need."""

    async def whole(*args, **kwargs):
        test(*args, **kwargs)

    def wrapped():
        asyncio.run(whole())

    wrapped.__doc__, wrapped.__name__ = test.__doc__, test.__name__
    return wrapped


@inside
def test_the_larger_priority_goes_first_and_of_one_priority_retries_and_then_who_came_first():
    line = Line()
    calls = [line.join(0), line.join(5), line.join(0, again=True), line.join(5), line.join(-3)]
    assert [line.go() for _ in calls] == [calls[place] for place in (1, 3, 2, 0, 4)]
    assert (line.lines.number, line.lines.models) == (0, [])


@inside
def test_who_has_waited_longest_is_overtaken_seven_times_in_a_row_and_no_more():
    line = Line()
    oldest, second = line.join(-10), line.join(-10)
    order = []
    for _ in range(40):
        line.join(10)
        order.append(line.go())
    assert order.index(oldest) == 7
    assert order.index(second) == 15
    assert all(call.priority == 10 for call in order if call not in (oldest, second))


@inside
def test_a_turn_of_the_oldest_begins_the_count_anew():
    line = Line()
    bulk = [line.join(-10) for _ in range(20)]
    order = []
    for _ in range(4):
        line.join(10)
        order += [line.go(), line.go()]  # one that overtakes, and the oldest
    assert [call.priority for call in order] == [10, -10] * 4
    assert order[1::2] == bulk[:4]


@inside
def test_retries_overtake_new_calls_no_longer_than_others():
    line = Line()
    oldest = line.join()
    order = []
    for _ in range(9):
        line.join(again=True)
        order.append(line.go())
    assert order.index(oldest) == 7


@inside
def test_only_the_models_that_are_named_have_a_turn():
    line = Line()
    first, other = line.join(model="a"), line.join(9, model="b")
    assert line.go("a") is first
    assert line.lines.models == ["b"]
    assert line.go("a", "b") is other if "a" in line.lines else line.go("b") is other


@inside
def test_who_has_given_up_is_passed_over_and_counts_until_it_has_left():
    line = Line()
    gone, here = line.join(5), line.join()
    gone.turn.cancel()
    assert line.go() is here
    assert line.lines.number == 1
    assert "m" not in line.lines
    line.lines.leave(gone)
    assert (line.lines.number, list(line.lines)) == (0, [])


@inside
def test_a_call_that_waits_again_keeps_its_place():
    import attrs

    line = Line()
    first, second = line.join(), line.join()
    assert line.go() is first
    again = attrs.evolve(first)
    line.lines.join(again)
    assert [line.go(), line.go()] == [again, second]


@inside
def test_those_with_the_same_or_a_larger_priority_are_ahead():
    line = Line()
    calls = [line.join(priority) for priority in (0, 5, 0, -5, 5)]
    line.join(9, model="other")
    assert [line.lines.ahead(call) for call in calls] == [4, 2, 4, 5, 2]
    line.go()
    assert line.lines.ahead(calls[0]) == 3


@inside
def test_refusable_calls_are_counted_apart():
    line = Line()
    line.join()
    line.join(refusable=False)
    assert (line.lines.number, line.lines.refusable) == (2, 1)
    line.go()
    line.go()
    assert (line.lines.number, line.lines.refusable) == (0, 0)


@inside
def test_a_line_does_not_grow_with_those_who_have_given_up():
    line = Line()
    line.join()
    for _ in range(10_000):
        call = line.join()
        call.turn.cancel()
        line.lines.leave(call)
    held = line.lines._lines["m"]
    assert len(held.by_age) < 100
    assert len(held.by_rank[1]) < 100


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.tuples(st.integers(-3, 3), st.booleans(), st.sampled_from("ab")), max_size=60), st.randoms()
)
def test_nobody_waits_for_good_and_everybody_goes_once(arrivals, chance):
    """However calls come, go and give up, each turn goes to a call that waits, and the lines end empty."""

    async def whole():
        line, waiting, overtaken = Line(), [], {}
        for priority, again, model in arrivals:
            waiting.append(line.join(priority, again=again, model=model))
            if chance.random() < 0.2:
                call = waiting.pop(chance.randrange(len(waiting)))
                call.turn.cancel()
                line.lines.leave(call)
            if waiting and chance.random() < 0.5:
                call = line.go(*line.lines.models)
                oldest = min(waiting, key=lambda one: one.arrival)
                overtaken[oldest] = overtaken.get(oldest, 0) + (call is not oldest)
                waiting.remove(call)
        assert sorted(call.arrival for call in line.lines) == sorted(call.arrival for call in waiting)
        while waiting:
            waiting.remove(line.go(*line.lines.models))
        assert (line.lines.number, line.lines.models) == (0, [])
        assert max(overtaken.values(), default=0) <= 7

    asyncio.run(whole())
