"""Headers as values: optional, and never a reason to lose an image."""

import math
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from venice_async.types.response import Answer, Deprecation, Moderation, RateLimitSnapshot
from venice_async.wire.headers import answer_fields, request_id, retry_after

DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
DATE_SECONDS = 784111777.0
FLAGS = {
    "x-venice-is-blurred": "is_blurred",
    "x-venice-is-content-violation": "is_content_violation",
    "x-venice-is-adult-model-content-violation": "is_adult_model_content_violation",
    "x-venice-contains-minor": "contains_minor",
}
NAMES = [
    *FLAGS,
    "x-ratelimit-limit-requests",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-reset-requests",
    "x-ratelimit-type",
    "x-venice-balance-usd",
    "x-venice-balance-diem",
    "x-venice-enhanced-prompt",
    "x-venice-model-id",
    "x-venice-version",
    "x-venice-deprecated",
    "x-venice-deprecated-replacement",
    "x-venice-model-deprecation-warning",
    "x-venice-model-deprecation-date",
    "retry-after",
    "date",
    "cf-ray",
]


def answer(**headers: str) -> Answer:
    return Answer(**answer_fields({name.replace("_", "-"): value for name, value in headers.items()}))


def test_an_answer_without_headers_says_nothing():
    assert answer() == Answer()


def test_every_header_becomes_its_field():
    assert answer(
        x_venice_is_blurred="true",
        x_venice_is_content_violation="false",
        x_ratelimit_limit_requests="20",
        x_ratelimit_remaining_requests="19",
        x_ratelimit_reset_requests="784111800",
        x_ratelimit_type="api_key",
        retry_after="30",
        date=DATE,
        cf_ray="8f1-FRA",
        x_venice_model_id="flux",
        x_venice_version="2026.1",
        x_venice_balance_usd="12.50",
        x_venice_balance_diem="0",
        x_venice_enhanced_prompt="a%20red%20fox%2C%20%F0%9F%A6%8A",
        x_venice_deprecated="true",
        x_venice_deprecated_replacement="flux-2",
        x_venice_model_deprecation_warning="goes away",
        x_venice_model_deprecation_date="2026-09-01",
    ) == Answer(
        moderation=Moderation(is_blurred=True, is_content_violation=False),
        rate_limit=RateLimitSnapshot(
            limit=20,
            remaining=19,
            reset_at=784111800.0,
            scope="api_key",
            retry_after=30.0,
            server_time=DATE_SECONDS,
        ),
        request_id="8f1-FRA",
        model="flux",
        version="2026.1",
        balance_usd=12.5,
        balance_diem=0.0,
        enhanced_prompt="a red fox, \N{FOX FACE}",
        deprecation=Deprecation(
            deprecated="true",
            replacement="flux-2",
            model_warning="goes away",
            model_date="2026-09-01",
        ),
    )


@pytest.mark.parametrize(("header", "field"), FLAGS.items())
@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("true", True),
        ("false", False),
        (" True ", True),
        ("FALSE", False),
        ("1", None),
        ("", None),
        ("yes", None),
    ],
)
def test_a_flag_is_true_false_or_not_known(header, field, value, found):
    assert getattr(answer_fields({header: value})["moderation"], field) is found


@pytest.mark.parametrize("value", ["1790000000.25", "1790000000250", " 1790000000250 ", "1.79000000025e12"])
def test_a_reset_is_unix_seconds_whether_told_in_seconds_or_milliseconds(value):
    found = answer(x_ratelimit_reset_requests=value, x_ratelimit_resets=value).rate_limit
    assert found.reset_at == found.error_budget_resets_at == 1790000000.25


def test_the_headers_of_the_error_budget_are_told_from_those_of_the_rate_limit():
    found = answer(
        x_ratelimit_remaining="47", x_ratelimit_resets="1790000030000", x_ratelimit_remaining_requests="3"
    ).rate_limit
    assert found == RateLimitSnapshot(
        remaining=3, error_budget_remaining=47, error_budget_resets_at=1790000030.0
    )


@pytest.mark.parametrize(
    "value", ["", "soon", "nan", "inf", "-inf", "1e400", "0x10", "-1", "1,5", "19 requests"]
)
def test_a_garbled_count_counts_as_absent(value):
    found = answer(
        x_ratelimit_limit_requests=value,
        x_ratelimit_remaining_requests=value,
        x_ratelimit_reset_requests=value,
        x_ratelimit_remaining=value,
        x_ratelimit_resets=value,
        retry_after=value,
    )
    assert found.rate_limit == RateLimitSnapshot()


@pytest.mark.parametrize(("value", "found"), [("0", 0), ("20", 20), ("20.0", 20), (" 7 ", 7)])
def test_a_count_is_a_whole_number(value, found):
    limit = answer(x_ratelimit_limit_requests=value).rate_limit.limit
    assert (limit, type(limit)) == (found, int)


@pytest.mark.parametrize(
    ("value", "found"),
    [("-0.25", -0.25), ("12.5", 12.5), ("nan", None), ("inf", None), ("$5", None), ("", None)],
)
def test_a_balance_may_be_below_zero_and_garbage_is_none(value, found):
    made = answer(x_venice_balance_usd=value, x_venice_balance_diem=value)
    assert (made.balance_usd, made.balance_diem) == (found, found)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "2.5"}, 2.5),
        ({"retry-after": "120", "date": DATE}, 120.0),
        ({"retry-after": "Sun, 06 Nov 1994 08:50:07 GMT", "date": DATE}, 30.0),
        ({"retry-after": "Sun, 06 Nov 1994 09:50:07 +0100", "date": DATE}, 30.0),
        ({"retry-after": "Sun, 06 Nov 1994 08:49:00 GMT", "date": DATE}, 0.0),
        ({"retry-after": "Sun, 06 Nov 1994 08:50:07 GMT"}, None),
        ({"retry-after": "Sun, 06 Nov 1994 08:50:07 GMT", "date": "now"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon", "date": DATE}, None),
    ],
)
def test_the_wait_is_in_seconds_or_counts_from_the_answers_own_date(headers, seconds):
    assert retry_after(headers) == seconds


@pytest.mark.parametrize("value", ["", "yesterday", "06 Nov", "Sun, 99 Nov 1994 08:49:37 GMT", "1994-11-06"])
def test_a_garbled_date_counts_as_absent(value):
    assert answer(date=value).rate_limit.server_time is None


@pytest.mark.parametrize("zone", ["GMT", "+0000", "-0000", "UTC", ""])
def test_a_date_is_the_servers_whatever_the_machines_time_zone_is(zone, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        found = answer(date=f"Sun, 06 Nov 1994 08:49:37 {zone}".strip()).rate_limit.server_time
    finally:
        monkeypatch.undo()
        time.tzset()
    assert found in ({None, DATE_SECONDS} if zone == "" else {DATE_SECONDS})


def test_the_request_id_is_the_cf_ray():
    assert request_id({"cf-ray": "8f1-FRA"}) == "8f1-FRA"
    assert request_id({}) is None


@pytest.mark.parametrize("value", ["%", "%zz", "100%", "%ff%fe", "a+b", ""])
def test_an_enhanced_prompt_that_is_badly_encoded_is_still_text(value):
    assert isinstance(answer(x_venice_enhanced_prompt=value).enhanced_prompt, str)


date_like = st.lists(
    st.sampled_from(
        [
            "Sun,",
            "06",
            "Nov",
            "1994",
            "08:49:37",
            "GMT",
            "+9999",
            "-0000",
            "0",
            "99999",
            ":",
            "24:60:61",
            "0000",
            "é",
        ]
    ),
    max_size=7,
).map(" ".join)
header_texts = st.one_of(
    st.text(max_size=30), st.text("0123456789+-.:eE_ ,GMT", max_size=25), date_like, st.floats().map(str)
)


@settings(deadline=None, max_examples=500)
@given(st.dictionaries(st.sampled_from(NAMES), header_texts))
@example({"date": " "})
@example({"date": "Sun, 06 Nov 0000 08:49:37 GMT"})
@example({"retry-after": "Fri, 31 Dec 9999 23:59:59 -2359", "date": "Mon, 01 Jan 0001 00:00:00 +2359"})
@example({"x-ratelimit-limit-requests": "9" * 5000})
@example({"retry-after": "1" * 400})
def test_no_header_text_ever_raises(headers):
    made = Answer(**answer_fields(headers))
    hash(made)
    seconds = made.rate_limit.retry_after
    assert seconds is None or (seconds >= 0 and math.isfinite(seconds))
    for number in (made.rate_limit.reset_at, made.rate_limit.server_time, made.balance_usd):
        assert number is None or math.isfinite(number)
