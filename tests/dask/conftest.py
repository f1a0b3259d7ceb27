"""Workers for many tests, and what starting processes leaves open for as long as this one lives."""

from multiprocessing import resource_tracker

import pytest

from .cluster import standing


@pytest.fixture(scope="session", autouse=True)
def _tracker():
    """The tracker of shared resources, which the first process to be started starts."""
    resource_tracker.ensure_running()


@pytest.fixture(scope="session")
def workers():
    """The address of a cluster that no test harms."""
    with standing() as address:
        yield address
