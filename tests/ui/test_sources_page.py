"""The content owner's page beyond its flags: what comes due, what had no source, versions, radius."""

from __future__ import annotations

import pytest

from desk.bootstrap import Desk
from desk.flags import SourceFlags
from desk.permissions import Actor
from tests.factories import ADMIN
from tests.integration.conftest import open_contact, pending_review
from tests.ui.conftest import OpenPage, seen
from tests.ui.test_pages import HOSTILE

REFUNDS = "help-center/refunds.md"


def rewrite(desk: Desk, name: str, old: str, new: str) -> None:
    path = desk.settings.workspace_folder / "articles" / name
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    desk.sync()


def show(page: object, name: str) -> None:
    page.pills(key="sources.shown").set_value(name).run()  # type: ignore[attr-defined]


def test_the_page_opens_with_what_was_ranked_before(
    open_page: OpenPage, owner: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def swept(_flags: SourceFlags) -> None:
        raise AssertionError("A visit ranks what stands.")

    monkeypatch.setattr(SourceFlags, "sweep", swept)
    page = open_page("sources", owner)
    assert list(page.dataframe[0].value["Kind"]) == ["Unowned"]
    show(page, "No source")
    assert "No question without a source" in seen(page)


def test_an_article_is_found_opened_and_read(open_page: OpenPage, owner: Actor) -> None:
    page = open_page("sources", owner)
    show(page, "Articles")
    page.text_input(key="articles.words").input("refu").run()
    assert list(page.dataframe[0].value["Title"]) == ["Refunds"]
    page.text_input(key="articles.words").input("nothing like it").run()
    assert "No such article" in seen(page)
    page.text_input(key="articles.words").input("").run()
    page.toggle(key="articles.flagged").set_value(True).run()
    assert list(page.dataframe[0].value["Title"]) == ["Shipping"]


def test_a_link_opens_an_article_at_a_version(
    open_page: OpenPage, desk: Desk, owner: Actor
) -> None:
    rewrite(desk, "refunds.md", "5 business days", "8 business days")
    newest, first = desk.history.editions(owner, REFUNDS)
    page = open_page("sources", owner)
    page.query_params["article"] = REFUNDS
    page.query_params["version"] = first.id
    page.run()
    assert "A refund takes 5 business days" in seen(page)
    page.selectbox(key=f"article.beside.{REFUNDS}").select(newest.id).run()
    shown = seen(page)
    assert "Changed facts" in shown
    assert '<mark class="pd-differs">5</mark>' in shown
    assert '<span class="pd-is">8 business days</span>' in shown
    assert page.query_params["version"] == first.id


def test_two_versions_that_only_read_differently_say_so(
    open_page: OpenPage, desk: Desk, owner: Actor
) -> None:
    rewrite(desk, "refunds.md", "A refund takes 5", "Refunds take 5")
    first = desk.history.editions(owner, REFUNDS)[-1]
    page = open_page("sources", owner)
    page.query_params["article"] = REFUNDS
    page.run()
    page.selectbox(key=f"article.beside.{REFUNDS}").select(first.id).run()
    assert "No fact changed" in seen(page)


def test_a_link_opens_a_flag_also_when_it_ended(
    open_page: OpenPage, desk: Desk, owner: Actor
) -> None:
    (flag,) = desk.flags.page(owner, kind="unowned")
    desk.flags.resolve(owner, flag.id, "dismiss", reason="It goes.")
    page = open_page("sources", owner)
    page.query_params["flag"] = flag.id
    page.run()
    assert "Priya dismissed it" in seen(page)
    page.query_params["flag"] = "flg_none"
    page.run()
    assert "There is no such flag" in seen(page)
    page.button(key="flags.all").click().run()
    assert "Nothing to look at" in seen(page)


def test_what_rests_on_a_flag_is_listed_and_leads_to_its_review(
    open_page: OpenPage, desk: Desk, owner: Actor, supervisor: Actor
) -> None:
    contact_id = open_contact(
        desk, supervisor, "How long does a refund take?", customer_name="Ada", subject="Money"
    )
    review_id = pending_review(desk, supervisor, contact_id)
    rewrite(desk, "refunds.md", "owner: Priya\n", "")
    page = open_page("sources", supervisor)
    (flag,) = [f for f in desk.flags.page(ADMIN, kind="unowned") if f.article_id == REFUNDS]
    page.query_params["flag"] = flag.id
    page.run()
    assert "1 contact waits with a draft" in seen(page)
    (table,) = [one.value for one in page.dataframe if "Stands" in one.value]
    assert table.iloc[0]["Customer"] == "Ada"
    page.session_state[f"radius.table.flag.{flag.id}"] = {"selection": {"rows": [0]}}
    page.run()
    assert "5 business days" in seen(page)
    page.button(key="radius.review").click().run()
    assert page.query_params["review"] == review_id


def test_what_nobody_was_told_says_so(open_page: OpenPage, owner: Actor) -> None:
    assert "Nobody was told this yet" in seen(open_page("sources", owner))


def test_the_calendar_opens_what_comes_due(open_page: OpenPage, desk: Desk, owner: Actor) -> None:
    page = open_page("sources", owner)
    show(page, "Comes due")
    assert "Nothing comes due" in seen(page)
    rewrite(desk, "refunds.md", "owner: Priya", "owner: Priya\nreview_every_days: 20")
    page.run()
    assert list(page.dataframe[0].value["Article"]) == ["Refunds"]
    page.session_state["due.table"] = {"selection": {"rows": [0]}}
    page.run()
    assert page.query_params["article"] == REFUNDS
    assert "A refund takes 5 business days" in seen(page)


def test_questions_without_a_source_lead_to_their_flag(
    open_page: OpenPage, desk: Desk, owner: Actor, agent: Actor
) -> None:
    open_contact(desk, agent, "Do you sell warranty extensions for telescopes?")
    desk.flags.sweep()
    page = open_page("sources", owner)
    show(page, "No source")
    shown = seen(page)
    assert "1 of 1 contacts of the last 12 weeks had no source." in shown
    assert "Do you sell warranty extensions for telescopes?" in shown
    page.button(key="gaps.flag").click().run()
    (flag,) = desk.flags.page(owner, kind="missing")
    assert page.query_params["flag"] == flag.id
    assert "1 contact rest" in seen(page) or "No source" in seen(page)


def test_a_sync_reports_the_facts_and_can_be_closed(
    open_page: OpenPage, desk: Desk, owner: Actor
) -> None:
    path = desk.settings.workspace_folder / "articles" / "shipping.md"
    path.write_text(path.read_text().replace("$4.50", "$6.10"))
    page = open_page("sources", owner)
    page.button(key="sources.sync").click().run()
    assert '<span class="pd-was">$4.50</span>' in seen(page)
    page.button(key="sources.synced.close").click().run()
    assert "Synced:" not in seen(page)


@pytest.mark.parametrize("view", ["Comes due", "No source", "What changed", "Articles"])
def test_every_view_is_open_to_who_only_reads(open_page: OpenPage, agent: Actor, view: str) -> None:
    page = open_page("sources", agent)
    show(page, view)
    assert seen(page)


EVIL = "&lt;img src=x onerror=alert(1)&gt; &#91;evil](javascript:alert(1)) `<script>x</script>`"


def test_hostile_articles_and_questions_stay_words(
    open_page: OpenPage, desk: Desk, owner: Actor, agent: Actor
) -> None:
    rewrite(desk, "shipping.md", "What shipping costs", f"What it costs {EVIL}")
    rewrite(desk, "shipping.md", "$4.50", f"$6.10 {EVIL}")
    open_contact(desk, agent, f"Do you sell telescopes? {HOSTILE}")
    desk.flags.sweep()
    article = "help-center/shipping.md"
    first = desk.history.editions(owner, article)[1]
    page = open_page("sources", owner)
    page.query_params["article"] = article
    page.run()
    page.selectbox(key=f"article.beside.{article}").select(first.id).run()
    shown = seen(page)
    for view in ("What changed", "No source", "To look at"):
        show(page, view)
        shown += seen(page)
    assert "&lt;img src=x" in shown
    for sign in ("<img", "<script", "href=", "\u202e"):
        assert sign not in shown
    labels = [one.label for kind in ("button", "pills", "toggle") for one in getattr(page, kind)]
    assert not [label for label in labels if "evil" in label]


def test_an_owner_sees_what_becomes_of_the_drafts(
    open_page: OpenPage, desk: Desk, owner: Actor, supervisor: Actor
) -> None:
    text = "A refund takes 14 business days to reach your card."
    path = desk.settings.workspace_folder / "articles" / "billing.md"
    path.write_text(f"---\ntitle: Billing\nowner: Tomas\n---\n## How long it takes\n\n{text}\n")
    desk.sync()
    contact_id = open_contact(
        desk, supervisor, "How long does a refund take?", customer_name="Ada Quill"
    )
    before = pending_review(desk, supervisor, contact_id)
    (flag,) = desk.flags.page(owner, kind="conflict")
    page = open_page("sources", owner)
    page.query_params["flag"] = flag.id
    page.run()
    page.button(key="flags.do.archive").click().run()
    page.radio(key=f"flags.article.{flag.id}").set_value(REFUNDS)
    page.button(key="flags.send.archive").click().run()
    desk.jobs.run_all()  # type: ignore[union-attr]
    page.run()
    shown = seen(page)
    assert pending_review(desk, supervisor, contact_id) != before
    assert "Ada Quill" in shown
    assert "Written anew" in shown
    assert "The draft before" in shown
    page.button(key="flags.aftermath.close").click().run()
    assert "The draft before" not in seen(page)
