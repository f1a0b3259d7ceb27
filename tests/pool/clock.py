"""An event loop on a clock that is moved by hand."""

import asyncio
import selectors


class Clock(selectors.DefaultSelector):
    """Sleeps by moving the time on."""

    def __init__(self):
        super().__init__()
        self.now = 1000.0

    def select(self, timeout=None):
        found = super().select(0)
        assert found or timeout is not None, "everybody waits, and nobody for a time"
        if not found and timeout:
            self.now += timeout
        return found


class SimulatedLoop(asyncio.SelectorEventLoop):
    """An event loop in which hours pass in a moment."""

    def __init__(self):
        self.clock = Clock()
        super().__init__(self.clock)

    def time(self):
        return self.clock.now


def simulated(main):
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        return runner.run(main)
