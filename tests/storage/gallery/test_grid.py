"""Which parameters vary, and images as rows and columns of two of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venice_async.errors import ConfigurationError
from venice_async.storage.gallery.grid import axes_of, grid_of


def sweep(**axes):
    images = [{}]
    for name, values in axes.items():
        images = [{**image, name: value} for image in images for value in values]
    return images


def test_only_what_varies_is_an_axis_numbers_by_size_and_words_as_they_come():
    images = sweep(prompt=["b", "a"], seed=[10, 9, 100], model=["m"])
    assert axes_of(images) == {"prompt": ("b", "a"), "seed": ("9", "10", "100")}


def test_what_some_images_lack_is_a_value_of_its_own():
    assert axes_of([{"steps": 5}, {}]) == {"steps": ("", "5")}


def test_prompt_and_seed_are_rows_and_columns():
    grid = grid_of(sweep(seed=[1, 2], prompt=["a", "b", "c"]))
    assert (grid.rows, grid.columns) == ("prompt", "seed")
    assert (grid.row_labels, grid.column_labels) == (("a", "b", "c"), ("1", "2"))
    assert grid.cells[0, 1] == (3,)


def test_without_prompts_two_others_are():
    grid = grid_of(sweep(cfg_scale=[4.0, 7.5], steps=[5, 10, 20], seed=[3]))
    assert {grid.rows, grid.columns} == {"cfg_scale", "steps"}
    assert len(grid.cells) == 6


def test_several_images_share_a_cell_where_more_than_two_parameters_vary():
    grid = grid_of(sweep(prompt=["a", "b"], seed=[1, 2], steps=[5, 10]))
    assert grid.cells[0, 0] == (0, 1)


def test_a_grid_that_would_be_mostly_empty_is_lines():
    images = [{"prompt": f"fox {n}", "seed": n} for n in range(20)]
    grid = grid_of(images)
    assert (grid.rows, grid.columns) == (None, None)
    assert sorted(place for places in grid.cells.values() for place in places) == list(range(20))


def test_what_is_asked_for_is_done():
    grid = grid_of(sweep(prompt=["a", "b"], seed=[1, 2]), rows="seed", columns="prompt")
    assert (grid.row_labels, grid.column_labels) == (("1", "2"), ("a", "b"))
    with pytest.raises(
        ConfigurationError, match="'steps' does not vary among the images; of these do: prompt"
    ):
        grid_of(sweep(prompt=["a", "b"]), rows="steps")


@given(
    st.lists(
        st.fixed_dictionaries({"a": st.integers(0, 3)}, optional={"b": st.text(max_size=2)}), max_size=30
    )
)
def test_every_image_is_in_exactly_one_cell_within_the_grid(images):
    grid = grid_of(images)
    assert sorted(place for places in grid.cells.values() for place in places) == list(range(len(images)))
    for row, column in grid.cells:
        assert 0 <= row < len(grid.row_labels)
        assert 0 <= column < len(grid.column_labels)
