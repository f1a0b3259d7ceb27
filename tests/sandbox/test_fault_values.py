"""Faults as values: what can be said, what contradicts itself, and how it is written."""

from __future__ import annotations

import pytest

from venice_async.sandbox import Fault, FromNow, Sandbox
from venice_async.sandbox.fault import Script

PRO_ONLY = "This model is only available to Pro users"
OVERLOADED = "The model is currently overloaded. Please try again later."


@pytest.mark.parametrize(
    ("text", "fault", "times"),
    [
        ("503", Fault(503), 1),
        ("503*3", Fault(status=503), 3),
        (" 429*2 ", Fault(429), 2),
        ("reset", Fault(reset="before"), 1),
        ("reset:body", Fault(reset="body"), 1),
        ("reset:headers*2", Fault(reset="headers"), 2),
        ("delay:2.5", Fault(delay=2.5), 1),
        ("drip:1000*4", Fault(drip=1000), 4),
        ("html", Fault(502, html=True), 1),
        ("html:503", Fault(503, html=True), 1),
        ("truncated", Fault(truncated=True), 1),
        ("chunked", Fault(chunked=True), 1),
        ("damage", Fault(damage="base64"), 1),
        ("damage:magic", Fault(damage="magic"), 1),
        ("drop:timing", Fault(drop="timing"), 1),
        ("drop:id,timing*9", Fault(drop=("id", "timing")), 9),
        ("type:text/html; charset=utf-8*2", Fault(content_type="text/html; charset=utf-8"), 2),
        ("encoding:gzip", Fault(content_encoding="gzip"), 1),
        ("503:MODEL_OFFLINE*3", Fault(503, code="MODEL_OFFLINE"), 3),
        ("billed:504*2", Fault(504, billed=True), 2),
        ("billed:html", Fault(502, html=True, billed=True), 1),
        ("billed:500:UNKNOWN_ERROR", Fault(500, code="UNKNOWN_ERROR", billed=True), 1),
        ("unbilled:reset", Fault(reset="before", billed=False), 1),
        ("unbilled:delay:0.5", Fault(delay=0.5, billed=False), 1),
        ("blocked*2", Fault(blocked=True), 2),
        ("billed:blocked", Fault(blocked=True, billed=True), 1),
        ("login", Fault(200, html=True), 1),
        ("firewall:406", Fault(406, html=True), 1),
        ("damage:avif", Fault(damage="avif"), 1),
        ("damage:url", Fault(damage="url"), 1),
        ("error:x", Fault(200, body=b'{"error":"x"}'), 1),
        ("pro-only*3", Fault(401, message=PRO_ONLY, code="PRO_ONLY_MODEL"), 3),
        ("overloaded:2*9", Fault(429, message=OVERLOADED, code="", headers={"Retry-After": "2"}), 9),
        (
            "ratelimit:6",
            Fault(
                429,
                message="Rate limit exceeded",
                code="",
                headers={
                    "x-ratelimit-remaining-requests": "0",
                    "x-ratelimit-reset-requests": FromNow(6),
                },
            ),
            1,
        ),
    ],
)
def test_parse(text, fault, times):
    """A short text says which fault, and how often."""
    assert Fault.parse(text) == (fault, times)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "*",
            "503*",
            "503*0",
            "503*-1",
            "503*x",
            "99",
            "600",
            "nonsense",
            "reset:after",
            "delay",
            "delay:soon",
        ),
        *(
            "delay:-1",
            "delay:nan",
            "drip",
            "drip:0",
            "drop",
            "damage:all",
            "truncated:yes",
            "503:1",
            "html:abc",
            "5 0",
            "202:OK",
            "503:offline",
            "type",
            "encoding",
            "billed",
            "billed:nonsense",
            "unbilled:delay",
            "blocked:yes",
            "pro-only:fluently-xl",
            "ratelimit:soon",
            "firewall:abc",
            "-only",
        ),
    ],
)
def test_parse_refuses(text):
    """What is written otherwise is refused with examples of how to write it."""
    with pytest.raises(ValueError, match=r"no fault: .*written as 503, 503\*3, reset:body"):
        Fault.parse(text)


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"status": 199},
        {"status": 600},
        {"status": True},
        {"status": "503"},
        {"delay": -1},
        {"delay": float("inf")},
        {"delay": "1"},
        {"drip": 0},
        {"reset": "later"},
        {"damage": "all"},
        {"body": "text"},
        {"headers": {"x": "a\r\nb"}},
        {"headers": {"x": 1}},
        {"content_type": "a\nb"},
        {"reset": "body", "truncated": True},
        {"reset": "before", "status": 503},
        {"reset": "headers", "drip": 10},
        {"reset": "before", "headers": {"x": "y"}},
        {"status": 503, "damage": "magic"},
        {"html": True, "drop": "id"},
        {"body": b"xx", "damage": "empty"},
        {"html": True, "body": b"xx"},
        {"code": "X"},
        {"status": 200, "message": "x"},
        {"status": 503, "html": True, "code": "X"},
        {"truncated": True, "body": b"x"},
        {"damage": "empty", "drop": "images"},
        {"headers": {"x": FromNow}},
        {"blocked": True, "html": True},
        {"blocked": True, "status": 503},
        {"blocked": True, "damage": "magic"},
    ],
)
def test_contradictions_are_refused(arguments):
    """A fault that cannot be, or that says nothing, cannot be made."""
    with pytest.raises(ValueError, match=r"Fault\("):
        Fault(**arguments)


@pytest.mark.parametrize(
    ("fault", "billed"),
    [
        (Fault(503), False),
        (Fault(400, delay=1), False),
        (Fault(502, html=True), False),
        (Fault(504, billed=True), True),
        (Fault(reset="before"), True),
        (Fault(reset="before", billed=False), False),
        (Fault(truncated=True), True),
        (Fault(damage="base64"), True),
        (Fault(delay=1), True),
        (Fault(202), True),
        (Fault(html=True), False),
        (Fault(200, html=True, billed=True), True),
        (Fault(blocked=True), False),
        (Fault(damage="avif"), True),
    ],
)
def test_billed_by_default(fault, billed):
    """An error, a page and a blocked picture come before the money is taken, all else after it."""
    assert fault.billed is billed


@pytest.mark.parametrize(
    ("fault", "shown"),
    [
        (Fault(503), "Fault(status=503)"),
        (Fault(503, billed=True, delay=2), "Fault(status=503, delay=2, billed=True)"),
        (Fault(headers={"x": None}), "Fault(headers={'x': None})"),
        (Fault(body=bytes(5000)), "Fault(body=<5000 bytes>)"),
        (Fault(drop="id"), "Fault(drop=('id',))"),
        (Fault(html=True), "Fault(html=True)"),
        (Fault(blocked=True, billed=True), "Fault(blocked=True, billed=True)"),
    ],
)
def test_repr_says_what_is_not_usual(fault, shown):
    """The repr shows what was said, and no long body."""
    assert repr(fault) == shown


def test_a_time_from_now_is_rounded_up():
    """In milliseconds, or in the unit that is said; it cannot be nothing of a number."""
    assert [FromNow(6).at(1.0004), FromNow(6, per_second=1).at(1.0004), FromNow(-1).at(1)] == [
        "7001",
        "8",
        "0",
    ]
    for arguments in ((float("nan"),), ("6",), (6, 0), (6, 0.5)):
        with pytest.raises(ValueError, match="is needed"):
            FromNow(*arguments)


def test_faults_are_values():
    """Faults are compared by what they say, can be hashed, and do not change."""
    assert Fault(503, headers={"a": "b"}) == Fault(503, headers={"a": "b"})
    assert len({Fault(503), Fault(503), Fault(500)}) == 2
    with pytest.raises(AttributeError):
        Fault(503).status = 500


def test_script_keeps_its_order():
    """Faults come in the order in which they were written down, each as often as was said."""
    script = Script()
    script.add(Fault(500), times=2)
    script.add(Fault(502))
    script.add(Fault(503), times=None)
    script.add(Fault(504))
    assert [script.take({}).status for _ in range(6)] == [500, 500, 502, 503, 503, 503]


def test_script_passes_over_what_it_does_not_concern():
    """A fault waits for a request that its predicate accepts and whose answer can have it."""
    script = Script()
    script.add(Fault(500), when=lambda body: body["seed"] == 7)
    script.add(Fault(damage="base64"))
    script.add(Fault(damage="magic"))
    assert script.take({"seed": 1, "return_binary": True}).damage == "magic"
    assert script.take({"seed": 1, "return_binary": True}) is None
    assert script.take({"seed": 7}).status == 500
    assert script.take({"seed": 7}).damage == "base64"
    assert script.take({"seed": 7}) is None


def test_script_refuses_what_it_cannot_do():
    """What is no fault or no number of times is refused."""
    sandbox = Sandbox()
    with pytest.raises(TypeError, match="a Fault is needed"):
        sandbox.script("503")
    for times in (0, -1, True, 1.5):
        with pytest.raises(ValueError, match="times="):
            sandbox.script(Fault(503), times=times)
