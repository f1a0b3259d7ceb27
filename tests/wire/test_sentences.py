"""What the API's sentences mean where a status and a code do not say it."""

import json

import pytest

from venice_async.wire.status import error_from

PAGE = b"<!DOCTYPE html><html><head><title>Attention Required! | Cloudflare</title></head></html>"


def reason(status, body):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return error_from(status, {}, raw).reason


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (429, {"error": "Rate limit exceeded"}, "rate_limit"),
        (429, {"error": "Slow down", "code": "RATE_LIMIT_EXCEEDED"}, "rate_limit"),
        (429, {"error": "The model is currently overloaded. Please try again later."}, "overloaded"),
        (429, {"error": "Try later", "code": "MODEL_OVERLOADED"}, "overloaded"),
        (
            429,
            {
                "error": "Too many failed attempts (> 50) resulting in a non-success status code. Please wait"
                " 30 seconds and try again.",
                "code": "RATE_LIMIT_EXCEEDED",
            },
            "error_budget",
        ),
        (429, {"error": "What is this"}, None),
        (401, {"error": "This model is only available to Pro users"}, "pro_only"),
        (401, {"error": "No", "code": "PRO_ONLY_MODEL"}, "pro_only"),
        (401, {"error": "Authentication failed", "code": "AUTHENTICATION_FAILED"}, None),
        (403, {"error": "This model is not available in your region"}, "region"),
        (403, {"error": "The privacy setting of this key does not allow this model"}, "privacy"),
        (403, {"error": "API access disabled"}, "api_disabled"),
        (403, {"error": "Unauthorized access"}, None),
        (404, {"error": "flux-dev has been deprecated. Please use flux-2-pro instead."}, "deprecated"),
        (404, {"error": "Specified model not found"}, None),
        (403, PAGE, "firewall"),
        (403, b"error code: 1020", "firewall"),
        (401, PAGE, "firewall"),
        (401, b"Unauthorized", None),
        (401, b"", None),
        (406, PAGE, "firewall"),
        (404, b"404 page not found", "not_the_api"),
        (405, b"", "not_the_api"),
        (410, PAGE, "not_the_api"),
        (410, {"error": "This end point was retired"}, None),
        (502, PAGE, None),
    ],
)
def test_a_sentence_a_code_or_a_form_tells_errors_of_one_status_apart(status, body, expected):
    assert reason(status, body) == expected


@pytest.mark.parametrize(
    ("message", "headers", "replacement"),
    [
        ("flux-dev has been deprecated. Please use flux-2-pro instead.", {}, "flux-2-pro"),
        ("flux.1-dev has been deprecated. Please use `wai-Illustrious`.", {}, "wai-Illustrious"),
        ("Gone", {"x-venice-deprecated-replacement": "qwen-image"}, "qwen-image"),
        ("Specified model not found", {}, None),
    ],
)
def test_a_404_carries_the_model_that_takes_the_place_of_a_retired_one(message, headers, replacement):
    found = error_from(404, headers, json.dumps({"error": message}).encode())
    assert found.replacement == replacement
