"""How an answer is taken in: the loop's other tasks have their turn, and only the server's silence counts."""

import asyncio

import aiohttp
import pytest

from venice_async.transport.exchange import Silence, Turns


class SteppedLoop(asyncio.SelectorEventLoop):
    """A loop whose clock is moved by hand: by work, and to the next timer where there is none."""

    def __init__(self):
        super().__init__()
        self.now = 1000.0

    def time(self):
        return self.now

    def work(self, seconds):
        self.now += seconds


def on_a_stepped_loop(main):
    with asyncio.Runner(loop_factory=SteppedLoop) as runner:
        loop = runner.get_loop()
        return runner.run(main(loop))


async def take(turns, answer):
    if not turns.are_free():
        await turns.wait(answer)


@pytest.mark.parametrize("answers", [1, 8, 64])
@pytest.mark.parametrize("piece", [0.0005, 0.001, 0.010])
def test_no_iteration_of_the_loop_takes_in_more_than_a_few_milliseconds(answers, piece):
    """However many answers have pieces ready: 2 ms and a piece, and the two pieces of those that waited."""

    async def main(loop):
        turns, longest, ended = Turns(), 0.0, False

        async def other():
            nonlocal longest
            while not ended:
                before = loop.now
                await asyncio.sleep(0)
                longest = max(longest, loop.now - before)

        async def answer():
            number = turns.begin()
            for _ in range(20):
                await take(turns, number)
                loop.work(piece)

        watching = asyncio.create_task(other())
        async with asyncio.TaskGroup() as group:
            for _ in range(answers):
                group.create_task(answer())
        ended = True
        await watching
        return longest

    assert on_a_stepped_loop(main) <= 0.002 + 3 * piece + 1e-9


def test_the_answer_that_began_first_is_whole_first():
    """However many are ready at once, none waits for one that began later, and so none for ever."""
    answers = 10

    async def main(loop):
        turns, ended, begun = Turns(), [], []

        async def answer(pieces):
            number = turns.begin()
            begun.append(number)
            for _ in range(pieces):
                await take(turns, number)
                loop.work(0.001)
            ended.append(number)

        async with asyncio.TaskGroup() as group:
            for _ in range(answers):
                group.create_task(answer(30))
            await asyncio.sleep(0)
            group.create_task(answer(1))
        return begun, ended

    begun, ended = on_a_stepped_loop(main)
    assert begun == list(range(answers + 1))
    assert ended[: answers - 2] == begun[: answers - 2], "two have their turn in an iteration of the loop"


def test_an_answer_that_is_alone_never_waits():
    """As long as it leaves the loop in between by itself, as one does that waits for its socket."""

    async def main(loop):
        turns = Turns()
        for _ in range(100):
            loop.work(0.1)
            assert turns.are_free()
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    on_a_stepped_loop(main)


class Content:
    """Stands for aiohttp's stream: keeps what it was broken with."""

    error = None

    def set_exception(self, error):
        self.error = error


def passed(loop, silence, seconds):
    """Let time pass, and the timer go off if it is due."""
    loop.now += seconds
    if silence._timer.when() <= loop.now:
        silence._look()


def test_a_servers_silence_breaks_an_answer_off():
    """It is counted from when the reader began to wait."""

    async def main(loop):
        content = Content()
        silence = Silence(content, 60)
        passed(loop, silence, 59)
        silence.since = loop.now
        passed(loop, silence, 59)
        assert content.error is None
        passed(loop, silence, 1)
        assert isinstance(content.error, aiohttp.SocketTimeoutError)
        silence.end()

    on_a_stepped_loop(main)


def test_the_readers_own_silence_breaks_nothing_off():
    """Nor does a server that says something from time to time."""

    async def main(loop):
        content = Content()
        silence = Silence(content, 60)
        for _ in range(10):
            passed(loop, silence, 100)
        for _ in range(10):
            silence.since = loop.now
            passed(loop, silence, 59)
        silence.since = None
        passed(loop, silence, 100)
        assert content.error is None
        silence.end()

    on_a_stepped_loop(main)


def test_without_a_limit_silence_lasts_forever():
    async def main(_):
        silence = Silence(Content(), None)
        assert silence._timer is None
        silence.end()

    on_a_stepped_loop(main)
