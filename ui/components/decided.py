"""What was decided: the newest first, each with what became of the draft."""

from __future__ import annotations

from desk.bootstrap import Desk
from desk.permissions import Actor
from desk.queues import ContactQueues
from ui.components.notice import empty
from ui.components.pager import page_buttons, read_page
from ui.components.review_detail import decided_review
from ui.components.review_table import PAGE, decided_table


def decided(desk: Desk, actor: Actor) -> None:
    """Show the decided reviews, and the one that is open."""
    reviews, more = read_page(
        "decided",
        None,
        PAGE,
        lambda limit, last: desk.reviews.decided(
            actor, limit=limit, before=last.id if last else None
        ),
    )
    if not reviews:
        empty("Nothing was decided yet", "What you decide stands here with what became of it.")
        return
    names = ContactQueues(desk.database).names()
    chosen = decided_table(reviews, names, desk.clock.now())
    page_buttons("decided", reviews, more)
    view = desk.reviews.get(actor, chosen.id)
    decided_review(desk, actor, view, names.get(chosen.decided_by or "", "the desk"))
