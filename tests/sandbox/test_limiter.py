"""The limiter, by values and a clock that is moved by hand; and what a client sees of it."""

from __future__ import annotations

import math
import time
from itertools import accumulate

import pytest
from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from venice_async.sandbox import Sandbox
from venice_async.sandbox.limiter import ALGORITHMS, Unlimited, make_limiter

# Times are whole numbers of steps that floats add up without rounding, so that a model can be exact.
STEP = 1 / 64


@frozen
class Case:
    """The numbers of a limiter, and when requests come."""

    limit: int
    window: float
    burst: int
    times: list[float]

    def limiter(self, algorithm):
        return make_limiter(algorithm, self.limit, self.window, self.burst if algorithm == "gcra" else None)


@st.composite
def cases(draw):
    """Requests that come closely, twice as many as are let in, and now and then after a longer pause."""
    limit, interval = draw(st.integers(1, 6)), draw(st.integers(1, 64))
    gaps = draw(st.lists(st.integers(0, interval), min_size=20, max_size=30))
    gaps[10] = draw(st.integers(0, 3 * limit)) * interval
    times = [step * STEP for step in accumulate(gaps, initial=draw(st.integers(0, 2**30)))]
    return Case(limit, limit * interval * STEP, draw(st.integers(1, limit)), times)


@settings(max_examples=60, deadline=None)
@given(cases())
def test_fixed_window_against_a_count_by_window(case):
    """A window opens with the first request that comes after the last one, and lets its number in."""
    limiter, opened, used = case.limiter("fixed"), -math.inf, 0
    for now in case.times:
        if now >= opened + case.window:
            opened, used = now, 0
        verdict = limiter.take("m", now)
        assert verdict.allowed == (used < case.limit)
        used += verdict.allowed
        assert (verdict.remaining, verdict.reset_at) == (case.limit - used, opened + case.window)


@settings(max_examples=60, deadline=None)
@given(cases())
def test_sliding_log_against_a_count_of_the_past(case):
    """A request is let in if fewer than the limit were in the window that ends with it."""
    limiter, let_in = case.limiter("sliding-log"), []
    for now in case.times:
        verdict = limiter.take("m", now)
        counted = [then for then in let_in if then > now - case.window]
        assert verdict.allowed == (len(counted) < case.limit)
        let_in += [now] * verdict.allowed
        counted += [now] * verdict.allowed
        assert verdict.remaining == case.limit - len(counted)
        assert verdict.reset_at == counted[0] + case.window
    for begin in let_in:
        assert sum(begin <= then < begin + case.window for then in let_in) <= case.limit


@settings(max_examples=60, deadline=None)
@given(cases())
def test_sliding_counter_against_its_formula(case):
    """The last window's count fades as this one's grows; windows follow each other from the first request."""
    limiter, first, let_in = case.limiter("sliding-counter"), case.times[0], []
    for now in case.times:
        verdict = limiter.take("m", now)
        index, passed = divmod(now - first, case.window)
        windows = [(then - first) // case.window for then in let_in]
        weighted = windows.count(index - 1) * (1 - passed / case.window) + windows.count(index)
        if abs(weighted + 1 - case.limit) > 1e-9:
            assert verdict.allowed == (weighted + 1 <= case.limit)
        weighted += verdict.allowed
        let_in += [now] * verdict.allowed
        assert case.limit - weighted - 1 - 1e-9 < verdict.remaining <= case.limit - weighted + 1e-9
        assert verdict.reset_at == first + (index + 1) * case.window


@settings(max_examples=60, deadline=None)
@given(cases())
def test_gcra_against_its_bound(case):
    """A request is let in unless some stretch that ends with it had more than a burst and one an interval."""
    limiter, interval, let_in = case.limiter("gcra"), case.window / case.limit, []
    for now in case.times:
        verdict = limiter.take("m", now)
        assert verdict.allowed == all(
            len(let_in) - index + 1 <= case.burst + (now - then) / interval
            for index, then in enumerate(let_in)
        )
        let_in += [now] * verdict.allowed
        due = max(then + (len(let_in) - index) * interval for index, then in enumerate(let_in))
        assert verdict.reset_at == max(due, now)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@settings(max_examples=40, deadline=None)
@given(case=cases(), shift=st.floats(0, 1))
def test_figures_are_honest(algorithm, case, shift):
    """What remains is let in at once and no more; who waits until the time told is let in, nobody before."""
    limiter = case.limiter(algorithm)
    for now in case.times[:-1]:
        limiter.take("m", now + shift)
    now = case.times[-1] + shift
    told = limiter.peek("m", now)
    for left in reversed(range(told.remaining)):
        verdict = limiter.take("m", now)
        assert (verdict.allowed, verdict.remaining) == (True, left)
        assert (verdict.retry_at <= now) == (left > 0)
    refused = limiter.take("m", now)
    assert (refused.allowed, refused.remaining, refused.limit) == (False, 0, case.limit)
    assert not limiter.peek("m", math.nextafter(refused.retry_at, now)).allowed
    assert limiter.take("m", refused.retry_at).allowed


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@settings(max_examples=40, deadline=None)
@given(case=cases())
def test_looking_counts_nothing(algorithm, case):
    """However often one looks, what is let in stays the same."""
    watched, unwatched = case.limiter(algorithm), case.limiter(algorithm)
    for now in case.times:
        looks = {watched.peek("m", now) for _ in range(3)}
        assert len(looks) == 1
        taken = watched.take("m", now)
        assert looks.pop().allowed == taken.allowed
        assert taken == unwatched.take("m", now)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@settings(max_examples=40, deadline=None)
@given(case=cases(), sizes=st.lists(st.integers(1, 4), min_size=31, max_size=31))
def test_several_images_are_let_in_together_or_not_at_all(algorithm, case, sizes):
    """A request for some takes as many as that many requests for one would, or nothing."""
    together, apart = case.limiter(algorithm), case.limiter(algorithm)
    for now, images in zip(case.times, sizes, strict=False):
        room = apart.peek("m", now).remaining
        verdict = together.take("m", now, images)
        assert verdict.allowed == (images <= room)
        for _ in range(images if verdict.allowed else 0):
            assert apart.take("m", now).allowed
        told = apart.peek("m", now)
        room = told.remaining
        assert (verdict.remaining, verdict.reset_at) == (room, told.reset_at)
    refused = together.take("m", case.times[-1], room + 1)
    assert not refused.allowed
    if math.isfinite(refused.retry_at):
        assert not together.peek("m", math.nextafter(refused.retry_at, -math.inf), room + 1).allowed
        assert together.peek("m", refused.retry_at, room + 1).allowed


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_more_than_a_bucket_ever_holds_is_never_let_in(algorithm):
    """There is no time to wait for, and the bucket is left as it was."""
    limiter = make_limiter(algorithm, 3, 60.0, 2 if algorithm == "gcra" else None)
    verdict = limiter.take("m", 0.0, 4)
    assert (verdict.allowed, verdict.retry_at) == (False, math.inf)
    assert limiter.take("m", 0.0).allowed


@pytest.mark.parametrize(
    ("algorithm", "reset", "before", "after"),
    [
        ("fixed", 60.0, 1, 4),
        ("sliding-log", 60.0, 1, 3),
        ("sliding-counter", 60.0, 1, 1),
        ("gcra", 45.0, 2, 3),
    ],
)
def test_what_there_is_at_the_reset(algorithm, reset, before, after):
    """The whole window, all but what came later, all but what has not faded yet, or the whole burst."""
    limiter = make_limiter(algorithm, 4, 60.0, 3 if algorithm == "gcra" else None)
    for now in (0.0, 0.0, 15.0):
        told = limiter.take("m", now).reset_at
    assert told == reset
    assert limiter.peek("m", reset - 0.001).remaining == before
    assert limiter.peek("m", reset).remaining == after


def test_a_full_counter_has_no_room_at_its_reset():
    """The next window begins with the whole weight of the last one; the time to wait is told all the same."""
    limiter = make_limiter("sliding-counter", 5, 60.0)
    verdicts = [limiter.take("m", 0.0) for _ in range(5)]
    assert (verdicts[-1].reset_at, verdicts[-1].retry_at) == (60.0, pytest.approx(72.0))
    assert not limiter.take("m", 60.0).allowed


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_bucket_has_a_limit_of_its_own(algorithm):
    """What one used up is there for another."""
    limiter = make_limiter(algorithm, 1, 60.0)
    assert limiter.take("a", 0.0).allowed
    assert limiter.take("b", 30.0).retry_at == (150.0 if algorithm == "sliding-counter" else 90.0)
    assert not limiter.take("a", 30.0).allowed


@pytest.mark.parametrize(("rpm", "burst"), [(1, 1), (2, 2), (5, 2), (20, 5), (60, 15)])
def test_usual_burst(rpm, burst):
    """Unless it is said, a quarter of the limit may come at once, and two where that is less."""
    limiter = make_limiter("gcra", rpm, 60.0)
    assert limiter.peek("m", 0.0).remaining == burst


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_no_limit_never_refuses(algorithm):
    """Without a limit the figures are generous and stay as they are."""
    limiter = make_limiter(algorithm, None, 60.0)
    verdicts = {limiter.take("m", 5.0) for _ in range(1000)}
    assert verdicts == {limiter.peek("m", 5.0)}
    verdict = verdicts.pop()
    assert verdict.allowed
    assert not verdict.enforced
    assert verdict.remaining >= 100_000
    assert isinstance(limiter, Unlimited)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("sliding", 5, 60.0), "there is 'fixed', 'sliding-log', 'sliding-counter', 'gcra'"),
        (("sliding", None, 60.0), "there is 'fixed', 'sliding-log', 'sliding-counter', 'gcra'"),
        (("fixed", 0, 60.0), "rpm=0"),
        (("fixed", True, 60.0), "rpm=True"),
        (("fixed", 1.5, 60.0), "rpm=1.5"),
        (("fixed", 5, 0), "window=0"),
        (("fixed", 5, float("nan")), "window=nan"),
        (("fixed", 5, float("inf")), "window=inf"),
        (("fixed", 5, 60.0, 2), "burst=2: algorithm='fixed' has none, only 'gcra' has"),
        (("gcra", 5, 60.0, 0), "burst=0: a whole number from 1 to rpm=5"),
        (("gcra", 5, 60.0, 6), "burst=6: a whole number from 1 to rpm=5"),
        (("gcra", 5, 60.0, True), "burst=True"),
        (("gcra", None, 60.0, 0), "burst=0: a whole number from 1 is"),
    ],
)
def test_bad_arguments_are_named(arguments, said):
    """A limiter that cannot be made says which argument is wrong, and what would be right."""
    with pytest.raises(ValueError, match=said):
        make_limiter(*arguments)


HOUR = 3600


@pytest.mark.parametrize(
    ("algorithm", "remaining", "reset", "retry"),
    [
        ("fixed", ["2", "1", "0", "0"], HOUR, HOUR),
        ("sliding-log", ["2", "1", "0", "0"], HOUR, HOUR),
        ("sliding-counter", ["2", "1", "0", "0"], HOUR, 4 * HOUR // 3),
        ("gcra", ["2", "1", "0", "0"], HOUR, HOUR // 3),
    ],
)
@pytest.mark.parametrize("profile", ["today", "2025"])
def test_headers_and_refusal(call, small, profile, algorithm, remaining, reset, retry):
    """Each algorithm tells its figures with every answer; in 2025 a refusal says how long to wait as well."""
    burst = 3 if algorithm == "gcra" else None
    options = {"rpm": 3, "window": HOUR, "algorithm": algorithm, "burst": burst, "profile": profile}
    with Sandbox(**options, latency=0) as sandbox:
        began = time.time()
        replies = [call(sandbox, small) for _ in range(4)]
        took = time.time() - began
        other = call(sandbox, {**small, "model": "chroma"})
        other_key = call(sandbox, small, key="another")
    headers = [reply.headers for reply in replies]
    assert [reply.status for reply in (*replies, other, other_key)] == [200, 200, 200, 429, 200, 200]
    assert {one["x-ratelimit-limit-requests"] for one in headers} == {"3"}
    assert {one["x-ratelimit-type"] for one in headers} == {"api_key"}
    assert [one["x-ratelimit-remaining-requests"] for one in headers] == remaining
    unit = 1000 if profile == "today" else 1
    told = int(headers[3]["x-ratelimit-reset-requests"]) / unit
    assert began + reset - 1 <= told <= began + reset + took + 1
    assert not [one for one in headers[:3] if "retry-after" in one]
    if profile == "today":
        assert replies[3].json == {"error": "Rate limit exceeded"}
        assert "retry-after" not in headers[3]
    else:
        assert replies[3].json["code"] == "RATE_LIMIT_EXCEEDED"
        assert replies[3].json["error"].startswith("Rate limit exceeded")
        assert retry - took - 1 <= int(headers[3]["retry-after"]) <= retry


@pytest.mark.parametrize("options", [{"rpm": 1, "window": 0.7}, {"rpd": 1, "day": 0.7}], ids=str)
def test_who_waits_until_the_reset_is_let_in(call, small, options):
    """A window shorter than a minute is told to the millisecond, and rounded up: nobody comes early."""
    with Sandbox(**options, latency=0, images=b"RIFF") as sandbox:
        for _ in range(4):
            reply = call(sandbox, small)
            while reply.status == 200:  # a slow machine needs several windows for two requests in one
                reply = call(sandbox, small)
            reset = int(reply.headers["x-ratelimit-reset-requests"]) / 1000
            assert reset - time.time() <= 0.701
            time.sleep(max(0, reset - time.time()))
            assert call(sandbox, small).status == 200


@pytest.mark.parametrize("path", ["/image/generate", "/images/generations"])
def test_a_refusal_in_either_shape_takes_nothing(call, small, path):
    """And the answer after the refusal is told of the same reset."""
    body = small if path == "/image/generate" else {"prompt": "a fox", "model": "fluently-xl"}
    with Sandbox(rpm=1, window=HOUR, latency=0, images=b"RIFF") as sandbox:
        replies = [call(sandbox, body, path=path) for _ in range(3)]
    assert [reply.status for reply in replies] == [200, 429, 429]
    assert len({reply.headers["x-ratelimit-reset-requests"] for reply in replies}) == 1


def test_each_variant_is_an_image_of_the_limit(call, small):
    """All of a request are let in, or none, and what is refused leaves room for smaller ones."""
    with Sandbox(rpm=7, window=HOUR, latency=0, images=b"RIFF") as sandbox:
        replies = [call(sandbox, {**small, "variants": count}) for count in (4, 4, 3, 1)]
        never = call(sandbox, {**small, "model": "chroma", "variants": 4})
    assert [reply.status for reply in (*replies, never)] == [200, 429, 200, 429, 200]
    remaining = [reply.headers["x-ratelimit-remaining-requests"] for reply in replies]
    assert remaining == ["3", "3", "0", "0"]
    assert sandbox.account.billed_images == 11


def test_the_days_limit_is_a_second_one_with_its_own_reset(call, small):
    """It counts images of each model, and tells its own figures when it refuses; the minute is left alone."""
    with Sandbox(rpm=600, rpd=3, day=HOUR, latency=0, images=b"RIFF") as sandbox:
        before = time.time()
        replies = [call(sandbox, {**small, "variants": count}) for count in (2, 2, 1, 1)]
        other = call(sandbox, {**small, "model": "chroma"})
        after = time.time()
    assert [reply.status for reply in (*replies, other)] == [200, 429, 200, 429, 200]
    told = [
        (one["x-ratelimit-limit-requests"], one["x-ratelimit-remaining-requests"])
        for one in (reply.headers for reply in replies)
    ]
    assert told == [("600", "598"), ("3", "1"), ("600", "597"), ("3", "0")]
    reset = int(replies[3].headers["x-ratelimit-reset-requests"])
    assert (before + HOUR) * 1000 <= reset <= (after + HOUR) * 1000 + 1


def test_a_limit_of_the_user_is_one_for_all_models(call, small):
    """It says so in the header; another key is another user."""
    with Sandbox(rpm=1, window=HOUR, limit_scope="user", latency=0) as sandbox:
        first, second = (call(sandbox, {**small, "model": model}) for model in ("fluently-xl", "chroma"))
        other = call(sandbox, small, key="another")
    assert [reply.status for reply in (first, second, other)] == [200, 429, 200]
    assert {reply.headers["x-ratelimit-type"] for reply in (first, second)} == {"user"}


def test_a_refused_request_is_told_how_its_models_limit_stands(call, small):
    """It takes nothing of the limit, and does not make it look unused."""
    with Sandbox(rpm=5, latency=0) as sandbox:
        call(sandbox, {**small, "model": "chroma"})
        refused = call(sandbox, {**small, "model": "chroma", "prompt": "x" * 1501})
        again = call(sandbox, {**small, "model": "chroma"})
    assert [reply.headers["x-ratelimit-remaining-requests"] for reply in (refused, again)] == ["4", "3"]
    assert refused.status == 400
