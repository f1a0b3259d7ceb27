"""What each field of a request does to the picture."""

from __future__ import annotations

import base64
import io

import pytest
from PIL import Image, ImageChops, ImageFilter, ImageStat

from venice_async.sandbox.catalogue import STYLES
from venice_async.sandbox.paint import paint

BODY = {"model": "fluently-xl", "prompt": "a fox in a field at noon", "seed": 7, "width": 192, "height": 192}


def picture(**fields):
    """The picture of a request, without loss."""
    with Image.open(io.BytesIO(paint({**BODY, "format": "png", **fields}))) as image:
        return image.convert("RGB")


def apart(one, other):
    """How far two pictures are apart: the mean difference of their pixels, 0 to 255."""
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3


def mean(image):
    return ImageStat.Stat(image).mean


def saturation(image):
    return ImageStat.Stat(image.convert("HSV")).mean[1]


def detail(image):
    return ImageStat.Stat(image.convert("L").filter(ImageFilter.FIND_EDGES)).mean[0]


def encoded(image, image_format="PNG"):
    data = io.BytesIO()
    image.save(data, image_format)
    return base64.b64encode(data.getvalue()).decode()


# The prompt


@pytest.mark.parametrize("subject", ["house", "car", "flower", "balloon"])
def test_colours_of_the_prompt_are_seen(subject):
    """What is called red is redder than what is called blue."""

    def redness(colour):
        means = [
            mean(picture(prompt=f"a {colour} {subject} in a field at noon", seed=seed)) for seed in range(4)
        ]
        return sum(red - blue for red, _, blue in means)

    assert redness("red") > redness("blue") + 20


def test_times_of_the_day_are_seen():
    """Night is darker than dusk, and dusk than noon."""
    night, dusk, noon = (
        sum(mean(picture(prompt=f"a lighthouse {time}"))) for time in ("at night", "at dusk", "at noon")
    )
    assert night + 60 < dusk < noon - 60


@pytest.mark.parametrize("weather", ["snow", "rain", "fog", "autumn"])
def test_weather_is_seen(weather):
    """It changes the same scene."""
    assert apart(picture(), picture(prompt=f"{BODY['prompt']}, {weather}")) > 4


def test_subjects_are_seen():
    """Each of some subjects in the same place is another picture."""
    pictures = [
        picture(prompt=f"a {subject} in a field at noon") for subject in ("fox", "castle", "horse", "tree")
    ]
    for index, one in enumerate(pictures):
        assert all(apart(one, other) > 4 for other in pictures[index + 1 :])


def test_the_prompt_itself_is_written_at_the_lower_edge():
    """Two prompts with the same scene differ there, and hardly anywhere else."""
    one, other = picture(prompt="a fox at noon, field"), picture(prompt="a fox at noon, field!!!!!!!!")
    edge = (0, 176, 192, 192)
    assert apart(one.crop(edge), other.crop(edge)) > 0


@pytest.mark.parametrize("prompt", ["\U0001f98a", "лиса", "\0\n\t", "x" * 1500, "?", "\u202e evil"])
def test_any_prompt_has_a_picture(prompt):
    """Whatever its characters."""
    assert detail(picture(prompt=prompt)) > 1


# The other fields


def test_the_negative_prompt_takes_away_what_it_names():
    """A subject, and the clouds of the sky; a word that is nowhere changes nothing."""
    assert apart(picture(), picture(negative_prompt="fox")) > 4
    sky = {"prompt": "sky at noon"}
    assert apart(picture(**sky), picture(**sky, negative_prompt="clouds, birds")) > 0.5
    assert apart(picture(), picture(negative_prompt="zeppelins")) == 0


@pytest.mark.parametrize("preset", STYLES)
def test_every_style_preset_is_seen(preset):
    """And is the same the next time."""
    styled = picture(style_preset=preset)
    assert apart(picture(), styled) > 2
    assert apart(styled, picture(style_preset=preset)) == 0


def test_no_two_style_presets_look_the_same():
    """All of them apart."""
    assert len({picture(style_preset=preset).tobytes() for preset in STYLES}) == len(STYLES)


def test_style_presets_do_what_they_are_called():
    """Monochrome has no colour, line art is mostly white, pixels are coarse."""
    assert saturation(picture(style_preset="Monochrome").crop((0, 0, 150, 150))) < 25 < saturation(picture())
    assert min(mean(picture(style_preset="Line Art"))) > 190
    assert len(picture(style_preset="Pixel Art").getcolors(1 << 20)) < len(picture().getcolors(1 << 20)) / 4


def test_each_model_has_a_hand_of_its_own():
    """The same prompt and seed are another picture."""
    models = ("fluently-xl", "chroma", "qwen-image", "venice-sd35")
    assert len({picture(model=model).tobytes() for model in models}) == len(models)


def test_few_steps_leave_a_picture_coarse():
    """And many sharpen it."""
    few, usual, many = (detail(picture(steps=steps, hide_watermark=True)) for steps in (3, 25, 49))
    assert few < 0.8 * usual
    assert usual < many


def test_a_high_cfg_scale_makes_colours_stronger():
    """And a low one paler."""
    low, usual, high = (saturation(picture(cfg_scale=scale)) for scale in (1, 7.5, 18))
    assert low < usual < high


def test_lora_strength_grows_with_its_number():
    """None is no treatment."""
    plain = picture()
    weak, strong = (apart(plain, picture(lora_strength=strength)) for strength in (20, 90))
    assert 0 < weak < strong
    assert apart(plain, picture(lora_strength=0)) == 0


def test_safe_mode_blurs_what_is_adult_and_nothing_else():
    """It is on unless it is switched off."""
    adult = {"prompt": "a nude fox in a field at noon", "hide_watermark": True}
    sky = (0, 0, 192, 150)
    clear = detail(picture(**adult, safe_mode=False).crop(sky))
    assert detail(picture(**adult).crop(sky)) < clear / 2
    assert apart(picture(**adult), picture(**adult, safe_mode=True)) == 0
    assert apart(picture(), picture(safe_mode=True)) == 0
    assert apart(picture(), picture(safe_mode=False)) == 0


def test_the_headers_tell_of_a_blurred_picture(sandbox, call, small):
    """And only of one that is blurred."""
    adult = {**small, "prompt": "a nude"}
    blurred, clear = call(sandbox, adult), call(sandbox, {**adult, "safe_mode": False})
    assert blurred.headers["x-venice-is-blurred"] == "true"
    assert clear.headers["x-venice-is-blurred"] == "false"
    assert call(sandbox, small).headers["x-venice-is-blurred"] == "false"


def test_hide_watermark_takes_the_mark_away():
    """It is in the upper right corner, and nowhere else."""
    marked, plain = picture(), picture(hide_watermark=True)
    assert apart(marked, plain) > 0
    for image in (marked, plain):
        image.paste((0, 0, 0), (150, 0, 192, 40))
    assert apart(marked, plain) == 0


@pytest.mark.parametrize("image_format", ["png", "webp", "jpeg"])
def test_exif_metadata_is_embedded_if_asked_for(image_format):
    """Prompt, model and seed, in every format."""
    found = []
    for wanted in (True, False):
        data = paint({**BODY, "format": image_format, "embed_exif_metadata": wanted, "prompt": "a föx"})
        with Image.open(io.BytesIO(data)) as image:
            found.append(image.getexif())
    with_it, without = found
    assert with_it[0x010E] == "a f\\xf6x"
    assert b"model=fluently-xl, seed=7" in bytes(with_it.get_ifd(0x8769)[0x9286])
    assert not without


@pytest.mark.parametrize(
    "fields",
    [
        {"return_binary": True},
        {"enable_web_search": True},
        {"disable_prompt_optimization_thinking": True},
        {"inpaint": None},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_what_has_nothing_to_do_with_the_picture_changes_nothing(fields):
    """Delivery, search and thinking."""
    assert apart(picture(), picture(**fields)) == 0


def test_enhance_prompt_lets_a_picture_glow():
    """It is brighter."""
    assert sum(mean(picture(enhance_prompt=True))) > sum(mean(picture())) + 5


def test_quality_decides_how_much_is_kept():
    """More bytes for more quality."""
    sizes = [len(paint({**BODY, "quality": quality})) for quality in ("low", "medium", "high")]
    assert sizes == sorted(set(sizes))


# Inpainting and references


MASK = {"image_prompt": "a rabbit", "object_target": "face", "inferred_object": "spectacles"}


def inpainted(source, strength, **more):
    return picture(inpaint={"strength": strength, "source_image_base64": source, **more})


def test_inpainting_changes_its_region_and_nothing_else():
    """By its strength: nothing at 0, more the more; the size is the source's."""
    source = Image.effect_mandelbrot((160, 120), (-2, -1.5, 1, 1.5), 60).convert("RGB")
    text = encoded(source)
    assert apart(source, inpainted(text, 0, mask=MASK)) == 0
    half, whole = inpainted(text, 50, mask=MASK), inpainted(text, 100, mask=MASK)
    assert half.size == whole.size == source.size
    assert 0 < apart(source, half) < apart(source, whole)
    region = ImageChops.difference(source, whole).convert("L").getbbox()
    assert region is not None
    assert region != (0, 0, 160, 120)
    for corner in ((0, 0), (159, 0), (0, 119), (159, 119)):
        assert whole.getpixel(corner) == source.getpixel(corner)


def test_inpainting_without_a_mask_changes_the_whole():
    """Blended by its strength."""
    source = Image.new("RGB", (160, 120), (10, 200, 30))
    assert inpainted(encoded(source), 100).getpixel((0, 0)) != (10, 200, 30)
    assert apart(source, inpainted(encoded(source), 0)) == 0


@pytest.mark.parametrize("head", ["", "data:image/png;base64,"])
def test_a_source_may_be_a_data_uri(head):
    """As the API takes both."""
    source = Image.new("RGB", (64, 48), (10, 200, 30))
    assert inpainted(head + encoded(source), 100).size == (64, 48)


@pytest.mark.parametrize("source", ["...", "", "AAAA", "data:,", "ü"])
def test_a_source_that_is_no_picture_is_left_out(source):
    """The reference page's own example has one."""
    assert apart(picture(), inpainted(source, 50, mask=MASK)) == 0


def test_style_references_tint_the_picture():
    """Towards their colour, by their strength; one that lies elsewhere is not fetched, and tints too."""
    green = encoded(Image.new("RGB", (8, 8), (20, 200, 40)))
    plain = mean(picture())
    weak, strong = (
        mean(picture(style_references=[{"image": green, "strength": strength}])) for strength in (0.2, 1)
    )
    assert plain[1] - plain[0] < weak[1] - weak[0] < strong[1] - strong[0]
    usual = picture(style_references=[{"image": green}])
    assert apart(usual, picture(style_references=[{"image": green, "strength": 0.5}])) == 0
    assert apart(picture(), picture(style_references=[{"image": "https://example.com/a.png"}])) > 1
