"""What every vector index keeps: Chroma on disk or in a server, and exact search in memory."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from core.errors import BadInput, IndexUnavailable
from core.identifiers import new_id
from retrieval.chroma_server import ChromaAddress, ChromaServerIndex, chroma_address
from retrieval.ports import VectorIndex, Vectors
from retrieval.vector_index import ChromaIndex, ExactIndex
from tests.chroma_server import ChromaServer
from tests.ports import free_port

DIMENSIONS = 16


def unit_rows(count: int, seed: int = 0) -> Vectors:
    rows = np.random.default_rng(seed).normal(size=(count, DIMENSIONS))
    unit: Vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


@pytest.fixture(params=["exact", "chroma", "server"])
def index(request: pytest.FixtureRequest, tmp_path) -> Iterator[VectorIndex]:
    if request.param == "exact":
        yield ExactIndex(DIMENSIONS)
        return
    chroma: ChromaIndex | ChromaServerIndex
    if request.param == "server":
        server: ChromaServer = request.getfixturevalue("chroma_server")
        chroma = ChromaServerIndex(server.address, new_id("test"))
    else:
        chroma = ChromaIndex(tmp_path / "chroma")
    yield chroma
    chroma.close()


def test_an_empty_index_finds_nothing(index: VectorIndex) -> None:
    assert index.ids() == set()
    assert index.nearest(unit_rows(1)[0], 5) == []


def test_finds_the_nearest_first_with_their_cosines(index: VectorIndex) -> None:
    rows = unit_rows(300)
    names = [f"p{number}" for number in range(300)]
    index.add(names, rows)
    query = unit_rows(1, seed=1)[0]
    found = index.nearest(query, 10)
    cosines = rows @ query
    best = np.argsort(-cosines)[:10]
    assert [name for name, _ in found] == [names[row] for row in best]
    np.testing.assert_allclose([cosine for _, cosine in found], cosines[best], atol=1e-5)


def test_never_gives_more_than_it_holds(index: VectorIndex) -> None:
    index.add(["a", "b"], unit_rows(2))
    assert {name for name, _ in index.nearest(unit_rows(1)[0], 50)} == {"a", "b"}
    assert index.nearest(unit_rows(1)[0], 0) == []


def test_adding_again_replaces(index: VectorIndex) -> None:
    old, new = unit_rows(2)
    index.add(["a", "b"], np.stack([old, old]))
    index.add(["a"], new[None])
    assert index.ids() == {"a", "b"}
    name, cosine = index.nearest(new, 1)[0]
    assert name == "a"
    assert cosine == pytest.approx(1, abs=1e-5)


def test_removed_vectors_are_not_found(index: VectorIndex) -> None:
    index.add(["a", "b"], unit_rows(2))
    index.remove(["a", "never there"])
    index.remove([])
    assert index.ids() == {"b"}
    assert [name for name, _ in index.nearest(unit_rows(1)[0], 5)] == ["b"]


def test_adding_nothing_changes_nothing(index: VectorIndex) -> None:
    index.add([], np.empty((0, DIMENSIONS), np.float32))
    assert index.ids() == set()


def test_a_cleared_index_takes_vectors_again(index: VectorIndex) -> None:
    index.add(["a"], unit_rows(1))
    index.clear()
    assert index.ids() == set()
    index.add(["b"], unit_rows(1))
    assert index.ids() == {"b"}


def test_takes_more_than_one_batch(index: VectorIndex) -> None:
    names = [f"p{number}" for number in range(6_000)]
    index.add(names, unit_rows(6_000))
    assert index.ids() == set(names)
    index.remove(names[:5_500])
    assert index.ids() == set(names[5_500:])


@pytest.mark.parametrize(
    ("ids", "rows"),
    [(["a"], unit_rows(2)), (["a", "a"], unit_rows(2)), (["a"], unit_rows(1)[0])],
)
def test_refuses_ids_that_do_not_fit_their_vectors(
    index: VectorIndex, ids: list[str], rows: Vectors
) -> None:
    with pytest.raises(BadInput):
        index.add(ids, rows)
    assert index.ids() == set()


def test_refuses_vectors_of_another_length(index: VectorIndex) -> None:
    index.add(["a"], unit_rows(1))
    with pytest.raises((BadInput, IndexUnavailable)):
        index.add(["b"], np.ones((1, DIMENSIONS + 1), np.float32))


def test_searching_while_another_thread_writes(index: VectorIndex) -> None:
    rows = unit_rows(200)
    index.add([f"keep{number}" for number in range(100)], rows[:100])
    failures: list[BaseException] = []

    def attempt(work: Callable[[int], object]) -> Callable[[], None]:
        def run() -> None:
            try:
                for turn in range(20):
                    work(turn)
            except BaseException as error:
                failures.append(error)

        return run

    def write(turn: int) -> None:
        index.add([f"new{turn}"], rows[100 + turn][None])
        index.remove([f"new{turn - 1}"])

    def read(turn: int) -> None:
        assert index.nearest(rows[turn], 1)[0][0] == f"keep{turn}"

    threads = [threading.Thread(target=attempt(work)) for work in (write, read, read)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_chroma_keeps_its_vectors_for_the_next_process(tmp_path) -> None:
    first = ChromaIndex(tmp_path / "chroma")
    first.add(["a", "b"], unit_rows(2))
    first.close()
    second = ChromaIndex(tmp_path / "chroma")
    assert second.ids() == {"a", "b"}
    assert second.nearest(unit_rows(2)[1], 1)[0][0] == "b"
    second.close()


@pytest.mark.parametrize("damage", ["file instead of folder", "garbage database"])
def test_a_damaged_chroma_folder_says_so_and_can_be_cleared(tmp_path, damage: str) -> None:
    folder = tmp_path / "chroma"
    if damage == "file instead of folder":
        folder.write_text("not a folder")
    else:
        folder.mkdir()
        (folder / "chroma.sqlite3").write_bytes(b"garbage" * 1000)
    index = ChromaIndex(folder)
    with pytest.raises(IndexUnavailable):
        index.ids()
    index.clear()
    index.add(["a"], unit_rows(1))
    assert index.ids() == {"a"}
    index.close()


def test_what_somebody_removed_from_the_server_can_be_filled_again(
    chroma_server: ChromaServer,
) -> None:
    name = new_id("test")
    mine, other = (ChromaServerIndex(chroma_server.address, name) for _ in range(2))
    mine.add(["a"], unit_rows(1))
    other.clear()
    with pytest.raises(IndexUnavailable):
        mine.ids()
    mine.clear()
    mine.add(["b"], unit_rows(1))
    assert mine.ids() == {"b"}
    mine.close()
    other.close()


def test_a_server_that_is_away_is_said_to_be(tmp_path) -> None:
    index = ChromaServerIndex(chroma_address(f"http://127.0.0.1:{free_port()}"), "passages")
    for ask in (index.ids, index.clear):
        with pytest.raises(IndexUnavailable, match=r"at http://127\.0\.0\.1:"):
            ask()


def test_a_server_that_says_nothing_is_not_waited_for_long() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = ChromaAddress("127.0.0.1", silent.getsockname()[1], tls=False)
        with pytest.raises(IndexUnavailable):
            ChromaServerIndex(address, "passages", seconds=0.1).ids()
