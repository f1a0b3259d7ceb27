"""The exception tree: what is what, and that it survives the way to another process."""

import copy
import errno
import pickle

import pytest

from venice_async import errors
from venice_async.errors import (
    BatchError,
    BudgetExceededError,
    ConfigurationError,
    ConnectError,
    ConnectTimeoutError,
    ContentBlockedError,
    DecodeError,
    DirectoryLockedError,
    Fault,
    JobChangedError,
    JournalError,
    LeaseLostError,
    LongWaitError,
    MissingExtraError,
    OutputExistsError,
    PoolFullError,
    RequestTimeoutError,
    SessionStateError,
    ShardError,
    StatusError,
    StorageError,
    StoreError,
    TooManyFailuresError,
    TransportError,
    UnconfirmedError,
    UnconfirmedTimeoutError,
    ValidationError,
    VeniceError,
)
from venice_async.types.response import Moderation

PARENTS = {
    ConfigurationError: ValueError,
    MissingExtraError: ImportError,
    ValidationError: ValueError,
    SessionStateError: RuntimeError,
    ConnectError: ConnectionError,
    RequestTimeoutError: TimeoutError,
    UnconfirmedTimeoutError: TimeoutError,
    StorageError: OSError,
    OutputExistsError: FileExistsError,
    BatchError: ExceptionGroup,
}
STATUS_CLASSES = [
    cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, StatusError)
]


def status_error(cls: type[StatusError]) -> StatusError:
    return cls(
        "Invalid request",
        status=400,
        code="INVALID_REQUEST",
        reason="deprecated",
        request_id="8f1-FRA",
        details={"inpaint.strength": ("Required", "No")},
        retry_after=2.5,
        body={"error": "Invalid request", "details": {"a": [1]}},
    )


EXAMPLES: list[VeniceError] = [
    VeniceError("plain"),
    ConfigurationError("a setting is missing"),
    MissingExtraError("pip install venice-async[cli]"),
    SessionStateError("closed"),
    ValidationError([Fault("steps", 50, "0 < x < 50", "hint"), Fault("extra", {"a": [1]}, "JSON")]),
    TransportError("no answer"),
    ConnectError("refused"),
    RequestTimeoutError("too late"),
    ConnectError("broke", connected=True),
    ConnectTimeoutError("no connection in 10 s"),
    PoolFullError("16 calls wait already", wait=12.5),
    UnconfirmedError("lost", status=504, request_id="8f1-FRA"),
    UnconfirmedTimeoutError("nothing came for 60 s"),
    ContentBlockedError("blocked", moderation=Moderation(is_content_violation=True), request_id="8f1-FRA"),
    *map(status_error, STATUS_CLASSES),
    DecodeError("invalid base64", offset=17),
    DecodeError("a page of HTML", billed=False),
    BudgetExceededError("the next request costs $0.01"),
    JobChangedError("out holds another job"),
    DirectoryLockedError(errno.EAGAIN, "Another job is at work here", "/out"),
    JournalError(errno.EIO, "The journal is damaged", "/out/.venice/journal.sqlite3"),
    StorageError(errno.ENOSPC, "No space left on device", "/out/a.png"),
    StorageError("no number"),
    OutputExistsError(errno.EEXIST, "taken", "/out/a.png"),
    StoreError("locked"),
    LeaseLostError("another worker has taken over shard 3"),
    ShardError("shard 3 was not carried out"),
    TooManyFailuresError("6 of 40"),
    LongWaitError("the rate limit of a model", until=1e9),
    BatchError("two failed", [ConnectError("refused"), status_error(StatusError)]),
]
COPIES = [
    pytest.param(copy.copy, id="copy"),
    pytest.param(copy.deepcopy, id="deepcopy"),
    *(
        pytest.param(
            lambda error, protocol=protocol: pickle.loads(pickle.dumps(error, protocol)),
            id=f"pickle{protocol}",
        )
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)
    ),
]


def seen(error: BaseException) -> dict:
    """All that can be seen of an error from outside."""
    found = {name: getattr(error, name, None) for name in ("errno", "strerror", "filename", "message")}
    state = {name: value for name, value in vars(error).items() if not isinstance(value, BaseException)}
    members = [seen(inner) for inner in error.exceptions] if isinstance(error, BaseExceptionGroup) else []
    return {"type": type(error), "str": str(error), "repr": repr(error), **found, **state, "members": members}


def exported() -> set[type]:
    return {found for name in errors.__all__ if isinstance(found := getattr(errors, name), type)}


def test_every_class_of_the_tree_has_an_example_here():
    assert {type(error) for error in EXAMPLES} | {Fault} == exported()


@pytest.mark.parametrize("copied", COPIES)
@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_every_error_survives_copy_and_pickle_with_all_it_carries(error, copied):
    made = copy.deepcopy(error)
    made.add_note("while drawing number 7")
    other = copied(made)
    assert other is not made
    assert seen(other) == seen(made)
    assert other.__notes__ == ["while drawing number 7"]


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_a_copy_of_a_copy_is_no_different(error):
    once = pickle.loads(pickle.dumps(error))
    assert seen(pickle.loads(pickle.dumps(copy.copy(once)))) == seen(error)


@pytest.mark.parametrize(("cls", "parent"), PARENTS.items())
def test_an_error_is_also_what_python_calls_it(cls, parent):
    assert issubclass(cls, parent)
    assert issubclass(cls, VeniceError)


def test_everything_the_module_raises_is_a_venice_error():
    assert all(isinstance(error, VeniceError) for error in EXAMPLES)


def test_the_tree_is_drawn_as_it_is():
    drawn, path = {}, []
    for line in errors.__doc__.splitlines():
        name = line.split()[0] if line.strip() else ""
        if isinstance(cls := getattr(errors, name, None), type):
            depth = (len(line) - len(line.lstrip())) // 2
            path[depth - 2 :] = [cls]
            drawn[cls] = path[-2] if len(path) > 1 else None
    assert drawn.keys() == exported() - {Fault}
    for cls, parent in drawn.items():
        assert parent is None or parent in cls.__bases__


@pytest.mark.parametrize(
    "error",
    [ConnectError("x"), RequestTimeoutError("x"), UnconfirmedError("x")],
    ids=lambda e: type(e).__name__,
)
def test_only_the_transports_errors_are_transport_errors(error):
    assert isinstance(error, TransportError)
    assert isinstance(error, OSError) != isinstance(error, UnconfirmedError)


def test_a_status_error_shows_its_status_code_and_request_id():
    assert str(status_error(StatusError)) == "400 INVALID_REQUEST: Invalid request (request id 8f1-FRA)"
    assert str(StatusError("no", status=418)) == "418: no"


def test_a_status_error_keeps_its_own_details():
    details = {"steps": ("Required",)}
    error = StatusError("no", status=400, details=details)
    details.clear()
    assert error.details == {"steps": ("Required",)}


def test_a_decode_error_says_where():
    assert str(DecodeError("invalid base64", offset=0)) == "invalid base64 (at byte 0 of the answer)"
    assert str(DecodeError("no 'images'")) == "no 'images'"
    assert DecodeError("x").offset is None


def test_a_storage_error_says_which_file_and_what_the_operating_system_said():
    error = StorageError(errno.ENOSPC, "No space left on device", "/out/a.png")
    assert str(error) == "/out/a.png: No space left on device"
    assert (error.errno, error.filename) == (errno.ENOSPC, "/out/a.png")
    assert str(StorageError("the thread is gone")) == "the thread is gone"


def test_a_validation_error_lists_its_faults():
    one, two = Fault("steps", 50, "0 < x < 50", "use fewer"), Fault("seed", "7", "an integer")
    assert str(ValidationError([one])) == "steps = 50: expected 0 < x < 50 (use fewer)"
    assert str(ValidationError([one, two])) == f"2 faults:\n  {one}\n  {two}"
    assert ValidationError(iter([one, two])).faults == (one, two)


def test_a_fault_compares_its_value_by_what_it_shows():
    nan = float("nan")
    assert Fault("cfg_scale", nan, "x") == Fault("cfg_scale", nan, "x")
    assert Fault("seed", True, "x") != Fault("seed", 1, "x")
    assert hash(Fault("extra", {"a": []}, "x")) == hash(Fault("extra", {"a": []}, "x"))


def batch(number: int) -> BatchError:
    kinds = [ConnectError, DecodeError]
    return BatchError("many failed", [kinds[index % 2](str(index)) for index in range(number)])


@pytest.mark.parametrize(("number", "carried"), [(1, 1), (99, 99), (100, 100), (101, 100), (250, 100)])
def test_a_batch_error_carries_the_first_hundred_and_the_count(number, carried):
    error = batch(number)
    assert [str(inner) for inner in error.exceptions] == [str(index) for index in range(carried)]
    assert error.count == number
    assert str(carried) in str(error)


def test_what_a_batch_error_does_not_carry_does_not_travel_with_it():
    error = BatchError("many failed", [ConnectError("x" * 1000) for _ in range(1000)])
    assert len(pickle.dumps(error)) < 2 * len(pickle.dumps(batch(100))) + 100 * 1000


@pytest.mark.parametrize("copied", COPIES)
def test_a_copied_batch_error_keeps_its_count_and_its_hundred(copied):
    other = copied(batch(250))
    assert (type(other), other.count, len(other.exceptions)) == (BatchError, 250, 100)


def test_the_count_may_be_more_than_what_was_collected():
    assert BatchError("m", [ConnectError("x")], 7).count == 7


def test_the_count_may_be_given_by_name():
    assert BatchError("m", [ConnectError("x")], count=7).count == 7


def test_splitting_a_batch_error_gives_batch_errors():
    error = batch(10)
    matched, rest = error.split(ConnectError)
    for part, kind in (
        (matched, ConnectError),
        (rest, DecodeError),
        (error.subgroup(ConnectError), ConnectError),
    ):
        assert type(part) is BatchError
        assert part.message == "many failed"
        assert part.count == len(part.exceptions) == 5
        assert all(type(inner) is kind for inner in part.exceptions)


def test_except_star_takes_a_batch_error_apart():
    caught = []
    try:
        try:
            raise batch(4)
        except* ConnectError as group:
            caught.append(group)
    except BatchError as rest:
        caught.append(rest)
    assert [(type(group), len(group.exceptions)) for group in caught] == [(BatchError, 2), (BatchError, 2)]


def test_a_batch_error_is_caught_as_a_venice_error():
    with pytest.raises(VeniceError, match="many failed"):
        raise batch(2)
