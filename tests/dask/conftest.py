"""What starting processes leaves open for as long as this one lives."""

from multiprocessing import resource_tracker

import pytest


@pytest.fixture(scope="session", autouse=True)
def _tracker():
    """The tracker of shared resources, which the first process to be started starts."""
    resource_tracker.ensure_running()
