"""What surrounds each row: waits that a test can sit out, and a search of all that is written for the key."""

from __future__ import annotations

import logging

import pytest

from .row import KEY, check, mentions_key


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    """An overload and a lock-out are over soon."""
    monkeypatch.setattr("venice_async.policy.rate_limit._BACK_OFF", 0.01)
    monkeypatch.setattr("venice_async.policy.guard.WINDOW", 0.2)


@pytest.fixture
def carry_out(tmp_path, raw_server, caplog, capfd):
    """Carry a row out; the key is in nothing that is logged, with every logger at DEBUG, or printed."""
    caplog.set_level(logging.DEBUG)

    def carry(row):
        check(row, tmp_path / "out", raw_server)
        assert KEY not in caplog.text
        assert not any(mentions_key(record, set()) for record in caplog.records)
        assert not any(KEY in text for text in capfd.readouterr())

    return carry
