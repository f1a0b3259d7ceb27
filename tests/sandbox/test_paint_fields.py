"""What each field of a request does to the picture, or that it does nothing."""

from __future__ import annotations

import base64
import io
import json

import pytest
from PIL import Image, ImageChops, ImageDraw

from venice_async.sandbox import Sandbox
from venice_async.sandbox.catalogue import MODELS, STYLES
from venice_async.sandbox.paint import is_adult, is_blurred, paint
from venice_async.sandbox.schemas import IMAGE_2025, IMAGE_TODAY

MASK = {"image_prompt": "a green bird", "object_target": "the face", "inferred_object": "a bird"}

# Where the effect of each field of a request is tested.
TESTED = {
    "model": "test_each_model_has_a_hand_of_its_own",
    "prompt": "test_paint.py",
    "negative_prompt": "test_a_negative_prompt_takes_things_out",
    "style_preset": "test_each_style_is_visible_and_another",
    "height": "test_pictures.py",
    "width": "test_pictures.py",
    "steps": "test_few_steps_are_rough",
    "cfg_scale": "test_guidance_adds_colour_and_contrast",
    "seed": "test_paint.py",
    "lora_strength": "test_a_lora_changes_more_the_stronger_it_is",
    "safe_mode": "test_safe_mode_blurs_what_is_adult",
    "return_binary": "test_what_changes_no_pixel",
    "hide_watermark": "test_the_watermark_can_be_hidden",
    "inpaint": "test_inpainting_keeps_to_its_region",
    "format": "test_what_changes_no_pixel",
    "variants": "test_what_changes_no_pixel",
    "aspect_ratio": "test_pictures.py",
    "resolution": "test_pictures.py",
    "quality": "test_quality",
    "embed_exif_metadata": "test_exif",
    "enable_web_search": "test_what_changes_no_pixel",
    "enhance_prompt": "test_an_enhanced_prompt_glows",
    "disable_prompt_optimization_thinking": "test_what_changes_no_pixel",
    "style_references": "test_a_style_reference_tints",
    "transparent_background": "test_a_transparent_background_leaves_what_stands_in_the_picture",
    "anon_user_id": "test_what_changes_no_pixel",
}


def test_every_field_has_a_test():
    """No field that the server takes is left out here."""
    assert {*IMAGE_TODAY.body.fields, *IMAGE_2025.body.fields} == set(TESTED)
    for name in TESTED.values():
        assert name in globals() or name.startswith("test_p")


@pytest.mark.parametrize(
    "fields",
    [
        {"enable_web_search": True},
        {"disable_prompt_optimization_thinking": True},
        {"anon_user_id": "someone"},
        {"return_binary": True},
        {"variants": 3},
        {"hide_watermark": False},
        {"lora_strength": 0},
        {"safe_mode": False},
        {"quality": "medium"},
        {"inpaint": None},
        {"style_references": []},
    ],
)
def test_what_changes_no_pixel(pictures, fields):
    """What is about delivery or thinking, and what says what is so anyway, leaves every pixel as it is."""
    assert pictures.difference(pictures.paint(), pictures.paint(**fields)) == 0


def test_each_model_has_a_hand_of_its_own(pictures):
    """Two models make clearly different pictures of one prompt and seed, each always the same."""
    painted = [pictures.paint(model=model) for model in MODELS]
    for index, one in enumerate(painted):
        assert all(pictures.difference(one, other) > 5 for other in painted[:index])
    assert pictures.difference(painted[0], pictures.paint(model=next(iter(MODELS)))) == 0


def test_each_style_is_visible_and_another(pictures):
    """Every preset changes the picture clearly, and no two presets in the same way."""
    plain = pictures.paint(prompt="a red fox in a forest")
    styled = [pictures.paint(prompt="a red fox in a forest", style_preset=style) for style in STYLES]
    for style, image in zip(STYLES, styled, strict=True):
        assert pictures.difference(plain, image) > 3, style
    assert len({image.tobytes() for image in styled}) == len(STYLES)


def test_styles_look_like_their_names(pictures):
    """Monochrome is grey, line art mostly white, a comic sharp, watercolour pale, neon colourful."""
    fields = {"prompt": "a red fox in a forest at noon", "width": 200, "height": 200}
    plain = pictures.paint(**fields)
    grey, noir, line, comic, wash, neon, pixel, minimal = (
        pictures.paint(**fields, style_preset=style)
        for style in (
            *("Monochrome", "Film Noir", "Line Art", "Comic Book"),
            *("Watercolor", "Neon Punk", "Pixel Art", "Minimalist"),
        )
    )
    assert pictures.saturation(grey) < 12
    assert pictures.contrast(noir) > pictures.contrast(grey)
    assert pictures.brightness(line) > 190
    assert pictures.sharpness(comic) > 1.2 * pictures.sharpness(plain)
    assert pictures.brightness(wash) > pictures.brightness(plain)
    assert pictures.saturation(neon) > 1.3 * pictures.saturation(plain)
    assert (
        len(pixel.crop((40, 60, 160, 150)).getcolors(20_000))
        < len(plain.crop((40, 60, 160, 150)).getcolors(20_000)) / 2
    )
    assert pictures.sharpness(minimal) < pictures.sharpness(plain)


def test_few_steps_are_rough(pictures):
    """The fewer the steps, the further from the finished picture."""
    finished = pictures.paint(steps=50)
    distances = [pictures.difference(finished, pictures.paint(steps=steps)) for steps in (1, 5, 10, 20, 50)]
    assert distances == sorted(distances, reverse=True)
    assert distances[0] > 30
    assert distances[-1] == 0


def test_a_quick_model_needs_few_steps(pictures):
    """A model whose own default is few steps is as good as finished with them."""
    rough = {
        model: pictures.difference(
            pictures.paint(model=model, steps=8), pictures.paint(model=model, steps=50)
        )
        for model in ("z-image-turbo", "fluently-xl")
    }
    assert rough["z-image-turbo"] < 4 < rough["fluently-xl"]


def test_guidance_adds_colour_and_contrast(pictures):
    """A higher guidance scale gives more saturation and contrast, and more of the prompt's own colour."""
    low, usual, high = (pictures.paint(prompt="a blue fox at noon", cfg_scale=scale) for scale in (1, 7, 15))
    assert pictures.saturation(low) < pictures.saturation(usual) < pictures.saturation(high)
    assert pictures.contrast(low) < pictures.contrast(usual) < pictures.contrast(high)
    middle = [pictures.mean(image.crop((40, 50, 88, 110))) for image in (low, high)]
    assert middle[1][2] - middle[1][0] > middle[0][2] - middle[0][0]


def test_a_lora_changes_more_the_stronger_it_is(pictures):
    """The overlaid style is stronger with every step of its strength, and nothing at 0."""
    plain = pictures.paint()
    distances = [pictures.difference(plain, pictures.paint(lora_strength=part)) for part in (0, 20, 60, 100)]
    assert distances == sorted(distances)
    assert distances[0] == 0
    assert distances[1] > 1
    assert distances[3] > 10


@pytest.mark.parametrize(
    ("prompt", "negative"),
    [
        ("a red fox in a field at noon", "fox"),
        ("mountains at noon", "clouds, sun"),
        ("a forest at noon", "trees"),
        ("hills in the rain", "Rain"),
        ("a field in the snow", "snow"),
        ("people and a house", "people"),
        ("a cat in a forest", "cats"),
        ("a city at night", "buildings"),
        ("a city at night", "stars, moon"),
        ("flowers in a field at noon", "flowers"),
    ],
)
def test_a_negative_prompt_takes_things_out(pictures, prompt, negative):
    """What is named there is missing: the picture differs far more than by any negative prompt at all."""
    plain = pictures.paint(prompt=prompt)
    without = pictures.paint(prompt=prompt, negative_prompt=negative)
    nothing_known = pictures.paint(prompt=prompt, negative_prompt="vwxyz")
    changed = (
        ImageChops.difference(nothing_known, without).convert("L").point(lambda value: 255 * (value > 24))
    )
    assert changed.histogram()[255] > 20
    assert 0 < pictures.difference(plain, nothing_known) < 8


def test_an_empty_negative_prompt_changes_nothing(pictures):
    """A negative prompt without words is none."""
    assert pictures.difference(pictures.paint(), pictures.paint(negative_prompt=" ")) == 0


def test_the_watermark_can_be_hidden(pictures):
    """The mark is in the lower right corner; hiding it changes nothing else."""
    marked, bare = (pictures.paint(width=256, height=256, hide_watermark=hidden) for hidden in (False, True))
    assert min(ImageChops.difference(marked, bare).getbbox()[:2]) > 230
    tiny = [pictures.paint(width=32, height=32, hide_watermark=hidden) for hidden in (False, True)]
    assert pictures.difference(*tiny) == 0


@pytest.mark.parametrize(
    ("prompt", "adult"),
    [
        ("a nude on a sofa", True),
        ("Erotic, NSFW", True),
        ("a naked mole rat", True),
        ("a fox", False),
        ("nudel", False),
    ],
)
def test_what_is_adult(prompt, adult):
    """Whole words decide, and safe mode is on unless it is switched off."""
    assert is_adult(prompt) is adult
    assert is_blurred({"prompt": prompt}) is adult
    assert is_blurred({"prompt": prompt, "safe_mode": True}) is adult
    assert is_blurred({"prompt": prompt, "safe_mode": False}) is False


def test_safe_mode_blurs_what_is_adult(pictures):
    """With safe mode, or nothing said, an adult picture has lost its edges."""
    fields = {"prompt": "an explicit photo of a house", "hide_watermark": True}
    sharp = pictures.paint(**fields, safe_mode=False).crop((0, 0, 128, 100))
    for blurred in (pictures.paint(**fields), pictures.paint(**fields, safe_mode=True)):
        assert pictures.sharpness(blurred.crop((0, 0, 128, 100))) < 0.35 * pictures.sharpness(sharp)


@pytest.mark.parametrize(
    ("path", "fields", "blurred", "adult"),
    [
        ("/image/generate", {"prompt": "a nude"}, "true", "true"),
        ("/image/generate", {"prompt": "a nude", "safe_mode": False}, "false", "true"),
        ("/image/generate", {"prompt": "a fox", "safe_mode": True}, "false", "false"),
        ("/images/generations", {"prompt": "a nude", "size": "256x256"}, "true", "true"),
        (
            "/images/generations",
            {"prompt": "a nude", "size": "256x256", "moderation": "auto"},
            "true",
            "true",
        ),
        (
            "/images/generations",
            {"prompt": "a nude", "size": "256x256", "moderation": "low"},
            "false",
            "true",
        ),
        ("/images/generations", {"prompt": "a fox", "size": "256x256"}, "false", "false"),
    ],
)
def test_the_headers_tell_what_was_blurred(call, small, path, fields, blurred, adult):
    """The moderation headers say what is so of the picture that comes with them."""
    body = {**small, **fields} if path == "/image/generate" else fields
    with Sandbox(latency=0, rpm=None) as sandbox:
        reply = call(sandbox, body, path=path)
    assert reply.status == 200
    assert reply.headers["x-venice-is-blurred"] == blurred
    assert reply.headers["x-venice-is-adult-model-content-violation"] == adult
    assert reply.headers["x-venice-is-content-violation"] == "false"
    assert reply.headers["x-venice-contains-minor"] == "false"


def source_picture():
    """Something with hard edges that no painter would paint."""
    image = Image.new("RGB", (90, 60), (12, 200, 90))
    ImageDraw.Draw(image).rectangle((20, 10, 60, 40), fill=(250, 20, 200))
    return image


@pytest.mark.parametrize("uri", [False, True])
def test_inpainting_keeps_to_its_region(pictures, uri):
    """A part of the source is painted over, the more the stronger; no pixel outside of it changes."""
    source = source_picture()
    text = ("data:image/png;base64," if uri else "") + pictures.encoded(source)
    results = [
        pictures.paint(inpaint={"strength": strength, "source_image_base64": text, "mask": MASK})
        for strength in (0, 10, 50, 100)
    ]
    assert {image.size for image in results} == {source.size}
    distances = [pictures.difference(source, image) for image in results]
    assert distances[0] == 0
    assert distances == sorted(distances)
    assert distances[1] < distances[3] / 2
    left, top, right, bottom = ImageChops.difference(source, results[3]).getbbox()
    assert (right - left) * (bottom - top) < 0.5 * 90 * 60
    region = Image.new("1", (right - left, bottom - top))
    ImageDraw.Draw(region).ellipse((-1, -1, right - left, bottom - top), fill=1)
    for image in results:
        outside = ImageChops.difference(source, image)
        outside.paste((0, 0, 0), (left, top), region)
        assert outside.getbbox() is None


def test_inpainting_looks_for_its_region_by_the_words(pictures):
    """Another target is another region."""
    inpaint = {"strength": 100, "source_image_base64": pictures.encoded(source_picture())}
    regions = {
        ImageChops.difference(
            source_picture(), pictures.paint(inpaint={**inpaint, "mask": {**MASK, "object_target": target}})
        ).getbbox()
        for target in ("the face", "the hat", "a shoe")
    }
    assert len(regions) == 3


def test_inpainting_without_a_mask_blends_the_whole(pictures):
    """Without a mask every part gives way, by the strength."""
    source = source_picture()
    results = [
        pictures.paint(
            inpaint={"strength": strength, "source_image_base64": pictures.encoded(source, "JPEG")}
        )
        for strength in (0, 30, 100)
    ]
    distances = [pictures.difference(results[0], image) for image in results]
    assert distances[0] == 0
    assert distances[0] < distances[1] < distances[2] / 2
    assert all(
        pictures.difference(results[2].crop(box), results[0].crop(box)) > 5
        for box in ((0, 0, 9, 9), (80, 50, 90, 60))
    )


@pytest.mark.parametrize(
    "text", ["...", "", "QUJD", "data:image/png;base64,QUJD", "data:", "\u00e9", "iVBORw0KGgo="]
)
def test_a_source_that_is_no_picture_counts_as_none(pictures, text):
    """What cannot be read as a picture, as in the reference page's own example, is left aside."""
    inpaint = {"strength": 50, "source_image_base64": text, "mask": MASK}
    assert pictures.difference(pictures.paint(), pictures.paint(inpaint=inpaint)) == 0


def test_a_source_that_breaks_off_counts_as_none(pictures):
    """A picture that is cut short is no picture."""
    noisy = pictures.paint(width=200, height=200)
    for image_format in ("PNG", "JPEG", "WEBP", "GIF"):
        data = base64.b64decode(pictures.encoded(noisy, image_format))
        cut = base64.b64encode(data[: len(data) // 2]).decode()
        assert pictures.paint(inpaint={"strength": 50, "source_image_base64": cut}).size == (128, 128)


def test_an_adult_inpainting_is_blurred_whole(pictures):
    """Safe mode comes after everything else."""
    inpaint = {"strength": 0, "source_image_base64": pictures.encoded(source_picture())}
    image = pictures.paint(prompt="a nude", inpaint=inpaint)
    assert pictures.sharpness(image) < 0.5 * pictures.sharpness(source_picture())


def test_a_style_reference_tints(pictures):
    """The picture's colours come nearer to the reference's, the more the stronger it is; half by default."""
    reference = pictures.encoded(Image.new("RGB", (20, 20), (20, 230, 60)))

    def green(**strength):
        red, value, blue = pictures.mean(pictures.paint(style_references=[{"image": reference, **strength}]))
        return value - (red + blue) / 2

    red, value, blue = pictures.mean(pictures.paint())
    plain = value - (red + blue) / 2
    assert plain + 5 < green(strength=0.2) < green(strength=0.5) < green(strength=1)
    assert green() == green(strength=0.5)


def test_a_url_as_style_reference_is_not_fetched(pictures):
    """Of a URL only the text counts: each tints in a way of its own."""
    first, again, second = (
        pictures.paint(style_references=[{"image": f"https://nowhere.invalid/{name}.png", "strength": 1}])
        for name in ("a", "a", "b")
    )
    assert pictures.difference(first, again) == 0
    assert pictures.difference(first, second) > 5
    assert pictures.difference(first, pictures.paint()) > 5


@pytest.mark.parametrize("image_format", ["webp", "png", "jpeg"])
def test_exif(pictures, image_format):
    """On request the file says how it was made, else nothing; the pixels are the same."""
    body = {
        **pictures.body,
        "format": image_format,
        "prompt": "a caf\u00e9 \u6d77",
        "steps": 9,
        "cfg_scale": 4.5,
    }
    with Image.open(io.BytesIO(paint(body))) as plain:
        assert not plain.getexif()
    with Image.open(io.BytesIO(paint({**body, "embed_exif_metadata": True}))) as image:
        exif = image.getexif()
        assert exif[0x010E] == "a caf? ?"
        comment = exif.get_ifd(0x8769)[0x9286]
        told = json.loads(comment.removeprefix(b"ASCII\0\0\0"))
        assert told == {
            "model": "fluently-xl",
            "prompt": "a caf\u00e9 \u6d77",
            "seed": 7,
            "steps": 9,
            "cfg_scale": 4.5,
            "variant": 0,
        }
        with Image.open(io.BytesIO(paint(body))) as plain:
            assert pictures.difference(plain.convert("RGB"), image.convert("RGB")) == 0


@pytest.mark.parametrize("image_format", ["webp", "png"])
def test_a_transparent_background_leaves_what_stands_in_the_picture(pictures, image_format):
    """Around the subject there is nothing; in the middle of it the picture is as it would be."""
    body = {**pictures.body, "hide_watermark": True, "format": image_format, "transparent_background": True}
    with Image.open(io.BytesIO(paint(body))) as image:
        alpha = image.getchannel("A")
        assert alpha.getextrema() == (0, 255)
        assert alpha.getpixel((2, 2)) == 0
        assert 0.1 < sum(alpha.histogram()[128:]) / (128 * 128) < 0.6
    with Image.open(io.BytesIO(paint({**body, "format": "jpeg"}))) as image:
        assert image.mode == "RGB"


def test_quality(pictures):
    """A higher quality takes more bytes, and keeps more detail in a great picture."""
    for image_format in ("webp", "jpeg"):
        sizes = [
            len(paint({**pictures.body, "format": image_format, "quality": word}))
            for word in ("low", "medium", "high")
        ]
        assert sizes == sorted(sizes)
        assert len(set(sizes)) == 3
    low, high = (
        pictures.paint(prompt="a city at night", width=1024, height=256, quality=word)
        for word in ("low", "high")
    )
    assert pictures.sharpness(low) < pictures.sharpness(high)


def test_an_enhanced_prompt_glows(pictures):
    """Who asks for a better prompt gets more light in the picture."""
    plain, better = (pictures.paint(prompt="the sea at noon", enhance_prompt=wish) for wish in (False, True))
    assert pictures.brightness(better) > pictures.brightness(plain) + 5
