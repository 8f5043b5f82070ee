from __future__ import annotations

from desk.bootstrap import Desk


def test_small_products_start_no_threads(desk: Desk) -> None:
    from threadpoolctl import threadpool_info, threadpool_limits  # type: ignore[import-untyped]

    threadpool_limits(2, "blas")
    assert desk.deps.passages_per_draft > 0
    (numpy,) = (pool for pool in threadpool_info() if "numpy" in pool["filepath"])
    assert numpy["num_threads"] == 1
