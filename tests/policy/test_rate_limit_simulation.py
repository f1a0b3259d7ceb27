"""A whole client against whole servers, on a hand-moved clock: is the limit used up, and never exceeded?

Utilisation is the requests that the server admitted, over what the limit admits in as long a time
(seconds times limit over window). It counts from the first second, learning included, unless a test
says otherwise. Latencies are 4 to 20 s, a request is under way for 0.03 to 0.4 s each way, the
clocks are up to an hour apart, and resets are told in whole seconds (up or down) or exactly.
"""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from venice_async.policy.rate_limit import Permits, RateLimit
from venice_async.types.catalogue import KeyRateLimits
from venice_async.types.response import RateLimitSnapshot

from .simulation import FixedWindow, Gcra, Run, SlidingLog, WeightedCounter, utilisation

EXACT = {
    "a calendar's windows": lambda limit, window, rng: FixedWindow(limit, window, rng.uniform(0, window)),
    "windows that open with a request": lambda limit, window, rng: FixedWindow(limit, window),
    "a sliding log that tells its oldest": lambda limit, window, rng: SlidingLog(limit, window),
    "a sliding log that tells its newest": lambda limit, window, rng: SlidingLog(limit, window, "newest"),
    "GCRA": lambda limit, window, rng: Gcra(limit, window, rng.randint(2, limit)),
    "GCRA with a burst of 2": lambda limit, window, rng: Gcra(limit, window, 2),
}
WEIGHTED = {
    "whole": lambda limit, window, rng: WeightedCounter(limit, window, rng.uniform(0, window), whole=True),
    "in part": lambda limit, window, rng: WeightedCounter(limit, window, rng.uniform(0, window), whole=False),
}
MINUTE = (0.03, 0.4)
SHORT = (0.03, 0.15)


def play(make, limit, window, seed, *, known=False, windows=25, begin=0.0, jitter=MINUTE, **options):
    """One run with everything else drawn from the seed; ends `windows` windows after `begin`."""
    rng = random.Random(seed)
    run = Run(
        make(limit, window, rng),
        rng,
        concurrency=options.pop("concurrency", 2 * int(limit * 20 / window + 1)),
        offset=1.7e9 + rng.uniform(-3600, 3600),
        rounding=rng.choice(["up", "down", "not"]),
        key_limits=KeyRateLimits(models={"m": {"RPM": float(limit)}}) if known else None,
        jitter=jitter,
        **options,
    )
    return run.run(begin + windows * window)


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("limit", [20, 60])
@pytest.mark.parametrize("name", EXACT)
def test_the_limit_of_a_minute_is_used_to_97_percent_and_never_exceeded(name, limit, long):
    for seed in range(200 if long else 4):
        run = play(EXACT[name], limit, 60.0, seed)
        assert not run.refusals, seed
        assert utilisation(run, 0, run.now) >= 0.97, seed


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("limit", [20, 60])
@pytest.mark.parametrize("name", EXACT)
def test_a_limit_known_before_the_first_answer_starts_with_half_of_it(name, limit, long):
    """GCRA: where the burst holds half the limit and two more; what it refuses below is tested apart."""
    make = EXACT[name]
    if name.startswith("GCRA"):

        def make(limit, window, rng):
            return Gcra(limit, window, rng.randint(limit // 2 + 2, limit))

    for seed in range(200 if long else 4):
        run = play(make, limit, 60.0, seed, known=True, concurrency=4 * limit)
        assert not run.refusals, seed
        assert utilisation(run, 0, run.now) >= 0.97, seed
        assert sum(at == 0 for at in run.sends) == min(limit // 2, 20)


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("limit", [20, 60])
def test_a_small_burst_refuses_no_more_than_the_half_that_was_sent_at_once(limit, long):
    for seed in range(200 if long else 5):
        run = play(EXACT["GCRA with a burst of 2"], limit, 60.0, seed, known=True)
        assert len(run.refusals) <= limit // 2
        assert all(at < 1 for at in run.refusals)
        assert utilisation(run, 0, run.now) >= 0.96, seed


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("limit", [20, 60])
@pytest.mark.parametrize("name", WEIGHTED)
def test_a_weighted_counter_is_used_to_85_percent_with_one_refusal_in_a_hundred(name, limit, known, long):
    """Over an hour: what it refuses at first, and teaches by that, weighs less the longer a run is."""
    runs = [
        play(WEIGHTED[name], limit, 60.0, seed, known=known, windows=60) for seed in range(200 if long else 3)
    ]
    assert min(utilisation(run, 0, run.now) for run in runs) >= 0.85
    assert sum(len(run.refusals) for run in runs) <= 0.01 * sum(len(run.sends) for run in runs)


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("name", [name for name in EXACT if not name.startswith("GCRA")])
def test_a_window_of_six_seconds_is_learned_and_used(name, known, long):
    """Counts after two minutes; requests are under way for 0.03 to 0.15 s: the margin is of 0.15 s."""
    for seed in range(100 if long else 4):
        run = play(EXACT[name], 5, 6.0, seed, known=known, windows=100, begin=120.0, jitter=SHORT)
        assert not run.refusals, seed
        assert utilisation(run, 120, run.now) >= 0.97, seed


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_a_refilling_bucket_is_never_taken_for_a_short_window(long):
    for seed in range(100 if long else 10):
        run = play(EXACT["GCRA"], 5, 6.0, seed, windows=50, jitter=SHORT)
        assert not run.refusals, seed


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", ["a calendar's windows", "a sliding log that tells its oldest"])
def test_a_limit_that_drops_is_obeyed_within_a_window(name, long):
    for seed in range(200 if long else 5):
        rng = random.Random(seed)
        server = EXACT[name](60, 60.0, rng)
        run = Run(server, rng, offset=1.7e9 + rng.uniform(-3600, 3600))
        drops_at = rng.uniform(290, 350)
        run.at(drops_at, lambda server=server: setattr(server, "limit", 20))
        run.run(drops_at + 25 * 60)
        assert all(drops_at <= at <= drops_at + 60 for at in run.refusals), seed
        assert sum(at > drops_at + 60 for at in run.arrivals) >= 0.97 * 24 * 20, seed


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_forty_prompts_at_five_in_six_seconds_are_not_refused_once(seed, known):
    """The limit dictates eight windows, 48 s; one more, 54 s, is what learning the window may cost."""
    rng = random.Random(seed)
    server = FixedWindow(5, 6.0)
    run = Run(
        server,
        rng,
        concurrency=10,
        latency=(0.03, 0.05),
        jitter=(0.001, 0.01),
        offset=1.7e9 + rng.random(),
        key_limits=KeyRateLimits(models={"m": {"RPM": 5.0}}) if known else None,
        prompts=40,
    )
    run.run(120)
    assert (len(run.arrivals), run.refusals) == (40, [])
    assert run.answers[-1] < 54


@pytest.mark.parametrize("rounding", ["not", "up", "down"])
@pytest.mark.parametrize("name", [name for name in EXACT if not name.startswith("GCRA")])
@pytest.mark.parametrize("seed", range(3))
def test_a_refusal_is_waited_for_until_its_own_reset_though_the_window_is_not_known(name, seed, rounding):
    """The settings say 20 a minute, the answers 5 in 6 s, and others have used up the first window.

    Half of 20 is sent and refused at once, nothing else. Forty prompts are eight windows; with the others'
    and one for learning how long a window is, that makes ten; whole seconds cost two more.
    """
    rng = random.Random(seed)
    run = Run(
        EXACT[name](5, 6.0, rng),
        rng,
        concurrency=10,
        latency=(0.03, 0.05),
        jitter=(0.001, 0.01),
        offset=1.7e9 + rng.random(),
        rounding=rounding,
        key_limits=KeyRateLimits(models={"m": {"RPM": 20.0}}),
        prompts=40,
    )
    run.server.take(run.offset, 5)
    run.run(120)
    assert (len(run.arrivals), len(run.refusals)) == (40, 10)
    assert run.answers[-1] < 60 + (2 if rounding != "not" else 0)


@settings(deadline=None, max_examples=30)
@given(
    limit=st.integers(2, 120),
    name=st.sampled_from([name for name in EXACT if not name.startswith("GCRA")]),
    latency=st.tuples(st.floats(0.05, 20), st.floats(0, 10)),
    concurrency=st.integers(1, 60),
    seed=st.integers(0, 2**32),
)
def test_no_limit_latency_or_concurrency_leads_to_a_refusal(limit, name, latency, concurrency, seed):
    low, more = latency
    run = play(EXACT[name], limit, 60.0, seed, windows=6, concurrency=concurrency, latency=(low, low + more))
    assert not run.refusals


@pytest.mark.parametrize("seed", range(3))
def test_a_bound_of_ones_own_is_kept_where_the_server_allows_more(seed):
    run = play(EXACT["a calendar's windows"], 60, 60.0, seed, rate_limit=RateLimit.per_minute(20))
    assert not run.refusals
    for begin in run.sends:
        assert sum(begin <= at < begin + 60 for at in run.sends) <= 20
    assert len(run.arrivals) >= 0.97 * 25 * 20


GARBAGE = st.one_of(
    st.none(), st.sampled_from([0.0, 1e-9, -1.0, 1e12, 1.7e12, 1e18, 1e300]), st.floats(0, 1e13)
)


@settings(deadline=None, max_examples=200)
@given(
    answers=st.lists(
        st.tuples(
            st.one_of(st.none(), st.integers(0, 10**9)),
            st.one_of(st.none(), st.integers(0, 10**9)),
            GARBAGE,
            GARBAGE,
            st.sampled_from([None, "user", "api_key", "x"]),
            st.booleans(),
            st.floats(0, 100),
        ),
        max_size=30,
    )
)
def test_no_header_makes_a_wait_that_spins_or_outlasts_the_window(answers):
    permits, now = Permits(), 1000.0
    for limit, remaining, reset_at, server_time, scope, refused, later in answers:
        asked = 0
        while seconds := permits.wait("m", now):
            asked += 1
            assert 1e-6 < seconds <= permits.bucket("m").window <= 3600
            assert asked < 200
            now += seconds
        permit = permits.sent("m", now)
        now += later
        snapshot = RateLimitSnapshot(
            limit=limit, remaining=remaining, reset_at=reset_at, server_time=server_time, scope=scope
        )
        if refused:
            permits.refused(permit, None, snapshot, now)
        else:
            permits.answered(permit, snapshot, now)
