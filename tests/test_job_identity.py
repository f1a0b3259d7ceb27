"""What makes a job the one it is stays the same from one version of the library to the next."""

import attrs
import pytest

from venice_async import ImageRequest, Inpaint, StyleReference, sweep
from venice_async.gather.job import describe_job
from venice_async.storage.names import NameTemplate
from venice_async.types.request import InpaintMask

INPAINT = Inpaint(strength=50, source_image_base64="aGVsbG8=")
REFERENCES = [
    StyleReference(image="https://example.com/a.png"),
    StyleReference(image="aGVsbG8=", strength=0.5),
]
REQUEST = ImageRequest("a fox", model="m", inpaint=INPAINT, style_references=REFERENCES)


def described(what, fields=None):
    return describe_job(what, None, fields or {}, template=NameTemplate("x"), duplicates="keep")


@pytest.mark.parametrize(
    ("what", "fields", "expected"),
    [
        (
            ["a fox"],
            {"model": "m", "inpaint": INPAINT, "style_references": REFERENCES},
            {
                "inpaint": '{"strength":50,"source_image_base64":"aGVsbG8=","mask":null}',
                "style_references": '{"image":"https://example.com/a.png","strength":null},'
                ' {"image":"aGVsbG8=","strength":0.5}',
            },
        ),
        (
            REQUEST,
            None,
            {
                "prompt": "a fox",
                "inpaint": '{"strength":50,"source_image_base64":"aGVsbG8="}',
                "style_references": '{"image":"https://example.com/a.png"},'
                ' {"image":"aGVsbG8=","strength":0.5}',
            },
        ),
        (
            sweep(REQUEST, inpaint=[INPAINT], style_references=[REFERENCES[:1]]),
            None,
            {
                "inpaint": '{"strength":50,"source_image_base64":"aGVsbG8=","mask":null}',
                "style_references": '{"image":"https://example.com/a.png","strength":null}',
            },
        ),
    ],
    ids=["fields of bare prompts", "a request", "the axes of a sweep"],
)
def test_pictures_that_are_sent_along_are_told_as_the_first_version_told_them(what, fields, expected):
    assert described(what, fields) == {"model": "m", **expected, "name": "x", "duplicates": "keep"}


def test_a_field_that_is_new_and_not_set_changes_no_job():
    weight = {"weight": attrs.field(default=None)}
    newer = attrs.make_class("Newer", weight, bases=(Inpaint,), frozen=True, kw_only=True)
    fields = {"model": "m"}
    before = described(["a fox"], {**fields, "inpaint": INPAINT})
    same = newer(strength=50, source_image_base64="aGVsbG8=")
    other = newer(strength=50, source_image_base64="aGVsbG8=", weight=1)
    assert described(["a fox"], {**fields, "inpaint": same}) == before
    assert described(["a fox"], {**fields, "inpaint": other}) != before


def test_a_mask_tells_one_job_from_another():
    mask = InpaintMask(image_prompt="a", object_target="b", inferred_object="c")
    masked = attrs.evolve(INPAINT, mask=mask)
    assert '"mask":{"image_prompt":"a"' in described(["a fox"], {"model": "m", "inpaint": masked})["inpaint"]
