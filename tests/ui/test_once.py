"""What was pressed is done once and told once, whatever is pressed while the desk is at it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from core.errors import Refused
from ui.components import once
from ui.components.once import ask, carry_out, finished_first, told


class Screen:
    """A session as Streamlit keeps one, without a browser."""

    def __init__(self) -> None:
        self.session_state: dict[str, object] = {}

    @contextlib.contextmanager
    def spinner(self, _text: str) -> Iterator[None]:
        yield


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    shown = Screen()
    monkeypatch.setattr(once, "st", shown)
    return shown


def test_a_page_that_is_stopped_after_the_work_leaves_its_end_to_the_next_one() -> None:
    def page() -> None:
        import streamlit as st

        from ui.components.once import ask, carry_out, told

        done = st.session_state.setdefault("done", [])
        if st.button("Approve"):
            ask("decide", "rev_1")
        came = carry_out("decide", str, lambda what: done.append(what) or "sent")
        if came and len(done) == 1 and not st.session_state.get("stopped"):
            st.session_state["stopped"] = True
            st.rerun()
        if came:
            st.write(f"told {came.came}")
            told("decide")

    app = AppTest.from_function(page).run()
    app.button[0].click().run()
    assert app.session_state["done"] == ["rev_1"]
    assert [line.value for line in app.markdown] == ["told sent"]


def test_a_second_click_while_the_desk_is_at_it_waits_for_the_first(screen: Screen) -> None:
    begun, go_on = threading.Event(), threading.Event()
    done: list[str] = []

    def work(what: str) -> str:
        begun.set()
        go_on.wait(60)
        done.append(what)
        return f"{what} is sent"

    ask("decide", "rev_1")
    first = threading.Thread(target=carry_out, args=("decide", str, work))
    first.start()
    assert begun.wait(60)
    ask("decide", "rev_1")  # the second click, and the page that it draws
    threading.Timer(0.05, go_on.set).start()
    came = carry_out("decide", str, work)
    first.join()
    assert came is not None
    assert came.came == "rev_1 is sent"
    assert done == ["rev_1"]


def test_a_click_that_comes_late_asks_for_nothing_and_another_one_does(screen: Screen) -> None:
    done: list[str] = []
    for what in ("rev_1", "rev_1", "rev_2"):
        ask("decide", what)
        carry_out("decide", str, done.append)
        told("decide")
    assert done == ["rev_1", "rev_2"]


def test_what_was_refused_may_be_asked_again_at_once(screen: Screen) -> None:
    tries: list[str] = []

    def work(what: str) -> None:
        tries.append(what)
        raise Refused("A comment is needed.")

    for _ in range(2):
        ask("decide", "rev_1")
        came = carry_out("decide", str, work)
        assert came is not None
        assert came.refused is not None
        told("decide")
    assert tries == ["rev_1", "rev_1"]


def test_a_sync_is_not_cut_short_by_a_press() -> None:
    class Stop(BaseException):
        pass

    def shows_progress() -> None:
        raise Stop

    read: list[int] = []

    def sync() -> None:
        with finished_first() as tell:
            for article in range(3):
                tell(shows_progress)
                read.append(article)

    with pytest.raises(Stop):
        sync()
    assert read == [0, 1, 2]
