"""An answer that is no success becomes the right error, whatever its body holds."""

import json
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from venice_async.errors import (
    AuthenticationError,
    BadRequestError,
    NotFoundError,
    PayloadTooLargeError,
    PaymentRequiredError,
    PermissionDeniedError,
    RateLimitError,
    RedirectError,
    ServerError,
    StatusError,
    UnprocessableEntityError,
    UnsupportedMediaTypeError,
)
from venice_async.wire.secret import Secret
from venice_async.wire.status import error_from

CLASSES = {
    301: RedirectError,
    308: RedirectError,
    400: BadRequestError,
    401: AuthenticationError,
    402: PaymentRequiredError,
    403: PermissionDeniedError,
    404: NotFoundError,
    405: StatusError,
    413: PayloadTooLargeError,
    415: UnsupportedMediaTypeError,
    418: StatusError,
    422: UnprocessableEntityError,
    429: RateLimitError,
    500: ServerError,
    502: ServerError,
    503: ServerError,
    504: ServerError,
    520: ServerError,
    599: ServerError,
}


def error(body: object, status: int = 400, **headers: str) -> StatusError:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return error_from(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


@pytest.mark.parametrize(("status", "cls"), CLASSES.items())
def test_each_status_has_its_class(status, cls):
    found = error({"error": "no"}, status)
    assert type(found) is cls
    assert found.status == status
    assert str(found) == f"{status}: no"


def test_an_error_carries_what_support_and_programs_need():
    body = {"error": "Specified model not found", "code": "MODEL_NOT_FOUND", "recommended_model": "flux"}
    found = error(body, 404, cf_ray="8f1-FRA", retry_after="2")
    assert str(found) == "404 MODEL_NOT_FOUND: Specified model not found (request id 8f1-FRA)"
    assert (found.code, found.request_id, found.retry_after) == ("MODEL_NOT_FOUND", "8f1-FRA", 2.0)
    assert found.body == body
    assert found.details == {}


def test_a_retry_after_date_counts_from_the_answers_date():
    headers = {"retry_after": "Sun, 06 Nov 1994 08:50:07 GMT", "date": "Sun, 06 Nov 1994 08:49:37 GMT"}
    assert error({"error": "slow down"}, 429, **headers).retry_after == 30.0


def test_the_details_of_a_400_are_flattened_to_dotted_names():
    found = error(
        {
            "error": "Invalid request parameters",
            "details": {
                "_errors": ["Unrecognized key(s) in object: 'foo'"],
                "steps": {"_errors": ["Number must be less than or equal to 50", "No"]},
                "inpaint": {"_errors": [], "mask": {"image_prompt": {"_errors": ["Required"]}}},
                "style_references": {"1": {"strength": {"_errors": ["Too large"]}}},
            },
            "issues": [],
        }
    )
    assert found.details == {
        "": ("Unrecognized key(s) in object: 'foo'",),
        "steps": ("Number must be less than or equal to 50", "No"),
        "inpaint.mask.image_prompt": ("Required",),
        "style_references.1.strength": ("Too large",),
    }
    assert "request: Unrecognized key(s)" in str(found)
    assert "steps: Number must be less than or equal to 50, No; " in str(found)


@pytest.mark.parametrize(
    "details",
    [
        None,
        [],
        " ",
        5,
        [5, {"path": ["a"]}],
        {"_errors": "no"},
        {"_errors": [5, None]},
        {"a": 1},
        {"a": {"_errors": {}}},
    ],
)
def test_details_of_another_shape_are_passed_over(details):
    found = error({"error": "Invalid", "details": details})
    assert found.details == {}
    assert str(found) == "400: Invalid"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": "Invalid", "details": "steps is too large"}, {"": ("steps is too large",)}),
        ({"error": "Invalid", "details": ["one", "two"]}, {"": ("one", "two")}),
        (
            {"error": "Invalid", "issues": [{"message": "too large", "path": ["style_references", 1]}]},
            {"style_references.1": ("too large",)},
        ),
        ({"errors": [{"message": "No"}, "Never"]}, {"": ("No", "Never")}),
        ({"details": {"steps": {"_errors": ["No"]}}, "issues": ["again"]}, {"steps": ("No",)}),
    ],
    ids=["a text", "a list", "issues alone", "errors alone", "a tree beside issues"],
)
def test_no_reason_is_swallowed_whatever_its_shape(body, said):
    found = error(body)
    assert found.details == said
    assert all(text in str(found) for texts in said.values() for text in texts)
    assert "gave no reason" not in str(found)


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ({"error": None, "message": "too wide"}, "400: too wide"),
        ({"error": " ", "message": "too wide"}, "400: too wide"),
        ({"error": {"message": ""}, "message": "too wide"}, "400: too wide"),
        ({"error": ["too wide", "too high"]}, '400: {"error":["too wide","too high"]}'),
        ({"errors": {"width": "too wide"}}, '400: {"errors":{"width":"too wide"}}'),
        ({"details": {"width": ["too wide"]}}, '400: {"details":{"width":["too wide"]}}'),
        ({"detail": "too wide", "code": "BAD"}, '400 BAD: {"detail":"too wide","code":"BAD"}'),
    ],
)
def test_a_reason_in_a_shape_that_nobody_knows_is_shown_as_it_came(body, shown):
    assert str(error(json.dumps(body, separators=(",", ":")).encode())) == shown


def test_a_key_is_hidden_in_what_is_shown_as_it_came():
    body = b'{"detail":"no such key: sec\\u0072et-key-of-mine"}'
    found = error_from(401, {}, body, Secret("secret-key-of-mine"))
    assert "mine" not in str(found)
    assert "no such key" in str(found)


def test_details_nested_without_end_are_read_to_a_bounded_depth():
    details: dict = {"_errors": ["deep"]}
    for _ in range(200):
        details = {"a": details}
    assert error({"error": "Invalid", "details": details}).details == {}


def test_openais_shape_is_understood():
    found = error(
        {"error": {"message": "No such key", "type": "auth", "code": "BAD_KEY", "param": None}}, 401
    )
    assert str(found) == "401 BAD_KEY: No such key"


def test_a_message_of_its_own_is_understood():
    assert str(error({"message": "no such prompt"}, 400)) == "400: no such prompt"


def test_a_code_beside_the_error_comes_first():
    found = error({"error": {"message": "no", "code": "INNER"}, "code": "OUTER"})
    assert found.code == "OUTER"


@pytest.mark.parametrize("code", [5, None, ["X"], {}])
def test_a_code_that_is_no_string_is_none(code):
    assert error({"error": "no", "code": code}).code is None


@pytest.mark.parametrize(
    ("page", "message"),
    [
        (b"<html><head><title>502 Bad Gateway</title></head><body>...</body></html>", "502 Bad Gateway"),
        (b"<HTML><H1 class='x'>\n Origin &amp; proxy\n  timed out </H1></HTML>", "Origin & proxy timed out"),
        (b"upstream connect error", "upstream connect error"),
        (b"line one\n\n   line two", "line one line two"),
    ],
)
def test_a_proxys_page_gives_one_line(page, message):
    found = error(page, 502)
    assert str(found) == f"502: {message}"
    assert (found.body, found.code) == (None, None)


@pytest.mark.parametrize("body", [b"", b"  \n", b'{"success":false}', b'{"error":null}', b'{"error":{}}'])
def test_a_body_without_a_reason_says_so(body):
    assert str(error(body, 500)) == "500: the server gave no reason"


@pytest.mark.parametrize("body", [b"[]", b"[1,2]", b'"no"', b"5", b"null"])
def test_json_that_is_no_object_is_no_body_but_may_be_the_message(body):
    found = error(body, 500)
    assert found.body is None
    assert str(found) == f"500: {body.decode()}"


@pytest.mark.parametrize(
    "body",
    [
        b"x" * 1_000_000,
        json.dumps({"error": "x" * 1_000_000}).encode(),
        b"<title>" + b"x" * 1_000_000 + b"</title>",
        json.dumps({"error": "no", "details": {f"f{i}": {"_errors": ["bad"]} for i in range(5000)}}).encode(),
        b"[" * 100_000,
        b"\xff" * 100_000,
    ],
    ids=["text", "json", "html", "details", "brackets", "no-utf8"],
)
def test_a_huge_body_gives_a_short_message(body):
    assert len(str(error(body, 500))) < 600


@pytest.mark.timeout(10)
@pytest.mark.parametrize("tag", [b"<h1>", b"<h1"])
def test_a_page_of_tags_that_never_close_is_read_in_linear_time(tag):
    """256 KB take milliseconds; in quadratic time they would take minutes."""
    assert len(str(error(tag * (256 * 1024 // len(tag)), 502))) < 600


@settings(deadline=None, max_examples=300)
@given(
    status=st.one_of(st.sampled_from(sorted(CLASSES)), st.integers(300, 999)),
    body=st.one_of(
        st.binary(max_size=200),
        st.text('<>/h1title {}[]":,errocdmsagn_', max_size=60).map(str.encode),
        st.recursive(
            st.one_of(st.none(), st.booleans(), st.integers(), st.text()),
            lambda inner: st.one_of(
                st.lists(inner, max_size=3),
                st.dictionaries(
                    st.sampled_from(["error", "message", "code", "details", "_errors", "steps"]),
                    inner,
                    max_size=4,
                ),
            ),
            max_leaves=12,
        ).map(lambda value: json.dumps(value).encode()),
    ),
    headers=st.dictionaries(st.sampled_from(["retry-after", "date", "cf-ray"]), st.text(max_size=20)),
)
def test_any_status_and_body_give_an_error_of_one_line_that_can_be_pickled(status, body, headers):
    found = error_from(status, headers, body)
    assert found.status == status
    assert len(found.args[0].splitlines()) == 1
    assert len(found.args[0]) <= 500
    copied = pickle.loads(pickle.dumps(found))
    assert (str(copied), vars(copied)) == (str(found), vars(found))


@pytest.mark.parametrize("status", [404, 405, 410])
@pytest.mark.parametrize("body", [b"", b"<html><title>nginx</title>", b'{"detail": "Not Found"}', b"[]"])
def test_what_another_server_says_of_a_path_is_told_as_not_the_api(status, body):
    found = error_from(status, {}, body)
    assert found.reason == "not_the_api"
    assert str(found).endswith("this is not the API: check base_url")


@pytest.mark.parametrize("status", [401, 403, 406])
def test_a_page_of_a_firewall_is_told_with_its_ray_id(status):
    headers = {"cf-ray": "8f1-FRA"}
    found = error_from(status, headers, b"<html><title>Attention Required! | Cloudflare</title>")
    assert found.reason == "firewall"
    assert str(found) == f"{status}: Attention Required! | Cloudflare (request id 8f1-FRA)"
