from __future__ import annotations

from desk.bootstrap import Desk


def test_small_products_start_no_threads(desk: Desk) -> None:
    from threadpoolctl import threadpool_info, threadpool_limits  # type: ignore[import-untyped]

    threadpool_limits(2, "blas")
    assert desk.deps.passages_per_draft > 0
    (numpy,) = (pool for pool in threadpool_info() if "numpy" in pool["filepath"])
    assert numpy["num_threads"] == 1


def test_a_sync_tells_of_each_thing_that_takes_time(desk: Desk) -> None:
    article = desk.settings.workspace_folder / "articles" / "refunds.md"
    article.write_text(article.read_text().replace("5 business days", "12 business days"))
    seen: list[tuple[str, int, int]] = []
    desk.sync(on_progress=lambda *step: seen.append(step))
    begun = list(dict.fromkeys(what for what, _, _ in seen))
    assert begun == [
        "help-center",
        "passages",
        "macros against articles",
        "what owners must look at",
    ]
    last = {what: (done, total) for what, done, total in seen}
    assert all(done == total for done, total in last.values())
    assert ("passages", 0, last["passages"][1]) in seen
