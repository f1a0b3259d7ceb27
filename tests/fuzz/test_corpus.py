"""Every file of the corpus keeps the promises: whole, byte by byte, cut at every place, and cut short."""

import pytest

from tests.fuzz.__main__ import CORPUS
from tests.fuzz.targets import TARGETS

FILES = [path for name in TARGETS for path in sorted((CORPUS / name).iterdir())]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_an_input_keeps_the_promises(path):
    target, data = TARGETS[path.parent.name], path.read_bytes()
    target(data)
    for place in range(1, len(data)):
        target(data, (place,))
        target(data[:place], ())
