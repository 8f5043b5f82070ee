"""The sample workspace is what a newcomer sees first: it must be whole, and its troubles real."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any, get_args

import frontmatter
import pytest
import yaml

from core.vocabulary import REJECT_REASONS, Autonomy, Channel, Speaker, Tier
from graph.reasons import ReasonMap
from kb.changes import ChangeJudge
from kb.passages import cut

SAMPLE = Path(__file__).resolve().parents[2] / "kb" / "sample"
BEFORE = SAMPLE / "demo" / "before" / "articles"
REWORDED = "orders/shipping-times-and-costs.md"
CHANGED = "returns/return-policy.md"
OVERDUE = {
    "account/two-step-sign-in.md",
    "billing/sales-tax.md",
    "privacy/law-enforcement-requests.md",
    "tracker/firmware-updates.md",
}
_LINK = re.compile(r"\]\(([^)]+)\)|href=\"([^\"]+)\"")
_NUMBER = re.compile(r"\$?\d+(?:\.\d+)?%?")


def posts(folder: Path) -> dict[str, Any]:
    """Return path relative to ``folder`` → article, Markdown and HTML."""
    return {
        path.relative_to(folder).as_posix(): frontmatter.load(str(path))
        for path in sorted(folder.rglob("*"))
        if path.suffix in (".md", ".html")
    }


@cache
def articles() -> dict[str, Any]:
    return posts(SAMPLE / "articles")


@cache
def contacts() -> list[dict[str, Any]]:
    lines = (SAMPLE / "demo" / "contacts.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@cache
def people() -> dict[str, dict[str, str]]:
    text = (SAMPLE / "demo" / "people.yaml").read_text(encoding="utf-8")
    return {person["id"]: person for person in yaml.safe_load(text)["people"]}


@cache
def settings() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((SAMPLE / "sample.yaml").read_text(encoding="utf-8"))
    return loaded


def today() -> date:
    day: date = settings()["reference_date"]
    return day


def moment(text: str) -> datetime:
    assert text.endswith("Z"), text
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def contact_of(name: str) -> dict[str, Any]:
    return next(one for one in contacts() if one["customer"]["name"] == name)


def broken_links() -> list[tuple[str, str]]:
    paths = set(articles())
    broken = []
    for path, post in articles().items():
        for groups in _LINK.findall(post.content):
            target = groups[0] or groups[1]
            parts: list[str] = []
            for part in (PurePosixPath(path).parent / target).parts:
                parts = parts[:-1] if part == ".." else [*parts, part]
            if "/".join(parts) not in paths:
                broken.append((path, target))
    return broken


# the parts


def test_the_help_center_is_large_enough_to_search_in():
    assert len(articles()) >= 44
    assert 2 <= sum(path.endswith(".html") for path in articles()) <= 3
    assert len({path.split("/")[0] for path in articles()}) >= 6


@pytest.mark.parametrize("path", sorted(articles()))
def test_article_is_complete(path: str):
    post = articles()[path]
    words = len(re.sub(r"<[^>]+>", " ", post.content).split())
    assert 80 <= words <= 500
    assert post["title"]
    assert isinstance(post["effective_from"], date)
    assert isinstance(post["last_reviewed"], date)
    assert post["effective_from"] <= today()
    assert post["last_reviewed"] <= today()
    assert post["review_every_days"] > 0
    assert post["url"] == f"https://help.larkbell.example/{path.rsplit('.', 1)[0]}"


@pytest.mark.parametrize("path", sorted(articles()))
def test_article_holds_no_date_that_would_grow_stale(path: str):
    assert not re.search(r"\b20(2[3-9]|[3-9]\d)\b", articles()[path].content)


def test_owners_are_content_owners_of_the_team():
    owners = {person["name"] for person in people().values() if person["role"] == "content_owner"}
    assert {post["owner"] for post in articles().values() if "owner" in post} == owners


def test_every_role_has_its_people():
    assert Counter(person["role"] for person in people().values()) == {
        "agent": 2,
        "supervisor": 2,
        "content_owner": 2,
        "admin": 1,
    }
    assert all(person["email"].endswith("@larkbell.example") for person in people().values())


def test_the_source_points_to_the_articles():
    loaded = yaml.safe_load((SAMPLE / "sources.yaml").read_text(encoding="utf-8"))
    (source,) = loaded["sources"]
    assert source["name"] == "help-center"
    assert (SAMPLE / source["path"]).is_dir()


def test_reasons_name_articles_and_macros_that_exist():
    reasons = ReasonMap.load(SAMPLE / "reasons.yaml")
    macros = {path.stem for path in (SAMPLE / "macros").glob("*.md")}
    in_use = {path for path, post in articles().items() if not post.get("archived")}
    assert len(reasons) == 16
    for reason in reasons:
        assert reason.owner, reason.id
        assert reason.tier in get_args(Tier)
        assert reason.autonomy in get_args(Autonomy)
        assert reason.policy is not None
        source, _, path = reason.policy.partition("/")
        assert (source, path in in_use) == ("help-center", True), reason.policy
        assert reason.macro is None or reason.macro in macros, reason.macro
        assert 12 <= len(reason.examples) <= 20, reason.id
        assert all(field.ask.endswith((".", "?")) for field in reason.required)


def test_no_example_stands_under_two_reasons():
    reasons = ReasonMap.load(SAMPLE / "reasons.yaml")
    examples = [example.casefold() for reason in reasons for example in reason.examples]
    assert [one for one, count in Counter(examples).items() if count > 1] == []


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("order_status", "Where is LB-204518?"),
        ("order_status", "status of order 204771"),
        ("order_status", "my order number: lb 204771"),
        ("warranty_claim", "the back says lk1-7f3k2q"),
    ],
)
def test_a_customer_who_names_the_number_is_not_asked_again(reason: str, message: str):
    assert ReasonMap.load(SAMPLE / "reasons.yaml").missing(reason, [message], {}) == []


def test_a_customer_who_names_no_number_is_asked():
    reasons = ReasonMap.load(SAMPLE / "reasons.yaml")
    assert reasons.missing("order_status", ["call me at 555 010 2045 please"], {}) == [
        "order_number"
    ]


def test_macros_answer_a_reason_and_have_an_owner():
    reasons = ReasonMap.load(SAMPLE / "reasons.yaml")
    macros = posts(SAMPLE / "macros")
    owners = {person["name"] for person in people().values() if person["role"] == "content_owner"}
    assert len(macros) >= 10
    for path, macro in macros.items():
        reason = reasons.get(macro["reason"])
        assert reason is not None, path
        assert reason.macro == path.removesuffix(".md")
        assert macro["title"]
        assert macro["owner"] in owners
        assert "{{customer_name}}" in macro.content


def test_macros_state_only_numbers_of_their_articles():
    everything = " ".join(
        articles()[path].content for path in articles() if not articles()[path].get("archived")
    )
    known = set(_NUMBER.findall(everything))
    stale = {
        path
        for path, macro in posts(SAMPLE / "macros").items()
        if not set(_NUMBER.findall(macro.content)) <= known
    }
    assert stale <= {"return-window.md"}


# the contacts


def test_contacts_come_over_all_channels_in_three_weeks():
    channels = Counter(one["channel"] for one in contacts())
    assert len(contacts()) >= 60
    assert set(channels) == set(get_args(Channel))
    assert channels["email"] >= 28
    assert channels["chat"] >= 18
    assert channels["voice"] >= 10
    firsts = [moment(one["messages"][0]["at"]).date() for one in contacts()]
    assert firsts == sorted(firsts)
    assert firsts[0] >= today() - timedelta(days=21)
    assert firsts[-1] < today()


@pytest.mark.parametrize("contact", contacts(), ids=lambda one: one["id"])
def test_contact_is_well_formed_and_in_order(contact: dict[str, Any]):
    assert set(contact) == {
        "id",
        "channel",
        "subject",
        "customer",
        "sla_minutes",
        "messages",
        "replay",
    }
    customer = contact["customer"]
    assert set(customer) == {"id", "name", "email", "status", "fields"}
    assert re.search(r"@([\w-]+\.)?example\.(org|com|net)$", customer["email"])
    assert customer["status"] in ("standard", "vip")
    assert contact["sla_minutes"] > 0
    assert contact["messages"][0]["role"] == "customer"
    for message in contact["messages"]:
        assert message["role"] in get_args(Speaker)
        assert message["text"].strip()
    times = [moment(one["at"]) for one in (*contact["messages"], *contact["replay"])]
    assert times == sorted(times)
    assert times[-1].date() < today()


@pytest.mark.parametrize("contact", contacts(), ids=lambda one: one["id"])
def test_replay_is_what_the_person_may_do(contact: dict[str, Any]):
    for step in contact["replay"]:
        kind = step["do"]
        if kind == "message":
            assert "by" not in step
            assert step["text"].strip()
            continue
        role = people()[step["by"]]["role"]
        assert role == "supervisor" or (role == "agent" and kind == "escalate")
        assert kind in ("approve", "edit", "reject", "escalate")
        if kind == "edit":
            assert step["text"].strip()
        if kind == "reject":
            assert step["reason"] in REJECT_REASONS
            assert step["comment"]
        if kind == "escalate":
            assert step["tier"] in ("escalate_first", "review_required")
            assert step["comment"]


def test_ids_are_unique():
    assert len({one["id"] for one in contacts()}) == len(contacts())
    assert len({one["customer"]["id"] for one in contacts()}) == len(contacts())


def test_contacts_went_every_way_a_contact_can_go():
    ways = Counter("+".join(step["do"] for step in one["replay"]) for one in contacts())
    rejected = sum(n for way, n in ways.items() if way.startswith("reject+"))
    reopened = sum(n for way, n in ways.items() if "message" in way)
    assert ways["approve"] >= 22
    assert ways["edit"] >= 6
    assert ways["escalate"] >= 7
    assert ways[""] >= 14
    assert rejected >= 5
    assert reopened >= 4


def test_voice_contacts_read_like_transcripts():
    for one in contacts():
        if one["channel"] == "voice":
            text = one["messages"][0]["text"]
            assert text == text.lower()
            assert not re.search(r"[.,;!?]", text)


def test_corrected_answers_use_the_words_of_articles_in_force():
    markup = re.compile(r"<[^>]+>|[*`]")
    known = {
        path: set(re.findall(r"[a-z0-9$%]+", markup.sub(" ", post.content).lower()))
        for path, post in articles().items()
        if not post.get("archived") and path != "returns/one-year-guarantee.md"
    }
    for one in contacts():
        for step in one["replay"]:
            if step["do"] == "edit":
                words = set(re.findall(r"[a-z0-9$%]+", step["text"].lower()))
                best = max(len(words & article) / len(words) for article in known.values())
                assert best > 0.9, (one["id"], best)


# the planted troubles, as TROUBLE.md lists them


def test_exactly_the_listed_articles_are_overdue():
    due = {
        path
        for path, post in articles().items()
        if post["last_reviewed"] + timedelta(days=post["review_every_days"]) < today()
    }
    assert due == OVERDUE
    for path in due:
        post = articles()[path]
        assert (today() - post["last_reviewed"]).days - post["review_every_days"] > 60


def test_two_articles_disagree_how_long_a_plan_can_be_paused():
    said = {
        path: re.findall(r"pause a plan for up to (\d+) months", post.content)
        for path, post in articles().items()
    }
    assert {path: found for path, found in said.items() if found} == {
        "plans/pause-your-plan.md": ["3"],
        "billing/charges-while-paused.md": ["6"],
    }


def test_last_weeks_change_changed_facts_and_the_rewording_did_not():
    old, new = posts(BEFORE), articles()
    assert set(old) == {CHANGED, REWORDED}
    for path, post in old.items():
        assert new[path]["effective_from"] == today() - timedelta(days=6)
        assert post["effective_from"] < new[path]["effective_from"]
        assert post.content != new[path].content
    assert "within 60 days of delivery" in old[CHANGED].content
    assert "within 30 days of delivery" in new[CHANGED].content
    assert "within 5 business days" in old[CHANGED].content
    assert "within 10 business days" in new[CHANGED].content
    numbers = [sorted(_NUMBER.findall(side[REWORDED].content)) for side in (old, new)]
    assert numbers[0] == numbers[1]


@pytest.mark.parametrize(("path", "changed"), [(CHANGED, True), (REWORDED, False)])
def test_the_judge_of_changes_tells_the_change_from_the_rewording(path: str, changed: bool):
    before, after = (
        [piece.plain for piece in cut(posts(folder)[path].content)]
        for folder in (BEFORE, SAMPLE / "articles")
    )
    pairs = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    found = ChangeJudge().judge_many(pairs)
    assert len(pairs) >= 4
    assert any(one.stops for one in found) is changed


@pytest.mark.parametrize(
    "name", ["Abigail Stern", "Devon Price", "Corinne Ashby", "Ray Tolliver", "Ellen McBride"]
)
def test_answers_that_rest_on_the_old_text_still_wait(name: str):
    contact = contact_of(name)
    assert contact["replay"] == []
    written = moment(contact["messages"][-1]["at"]).date()
    assert written < articles()[CHANGED]["effective_from"]
    asked = " ".join(message["text"] for message in contact["messages"])
    assert re.search(r"return|refund|shipping", asked, re.IGNORECASE)


def test_no_approved_answer_waits_across_the_change():
    change = articles()[CHANGED]["effective_from"]
    for one in contacts():
        if one["replay"] and moment(one["messages"][0]["at"]).date() < change:
            assert moment(one["replay"][-1]["at"]).date() < change, one["id"]


def test_one_macro_still_promises_the_old_policy():
    macro = posts(SAMPLE / "macros")["return-window.md"].content
    assert "within 60 days" in macro
    assert "within 5 business days" in macro


def test_exactly_one_article_has_no_owner():
    assert [path for path, post in articles().items() if "owner" not in post] == [
        "support/accessibility.md"
    ]


def test_every_link_leads_somewhere_but_one():
    assert broken_links() == [("tracker/location-accuracy.md", "gps-drift.md")]


def test_one_article_is_archived_one_superseded_and_one_runs_out():
    archived = [path for path, post in articles().items() if post.get("archived")]
    superseded = [post["supersedes"] for post in articles().values() if "supersedes" in post]
    ends = {
        path: post["effective_to"] for path, post in articles().items() if "effective_to" in post
    }
    assert archived == ["returns/holiday-returns.md"]
    assert superseded == ["returns/one-year-guarantee.md"]
    assert superseded[0] in articles()
    assert list(ends) == ["plans/trade-in-offer.md"]
    assert 0 < (ends["plans/trade-in-offer.md"] - today()).days < 21


def test_nobody_answers_the_questions_about_watches_and_horses():
    everything = " ".join(post.content.lower() for post in articles().values())
    assert not re.search(
        r"\b(smart)?watch(es)?\b|\bwear os\b|\bhorses?\b|\bpon(y|ies)\b", everything
    )
    for name, word in (
        ("Greg Hollis", "watch"),
        ("Elijah Stone", "watch"),
        ("Delphine Carver", "horse"),
    ):
        assert word in contact_of(name)["messages"][0]["text"].lower()


def test_some_contacts_lack_the_order_number_they_need():
    reasons = ReasonMap.load(SAMPLE / "reasons.yaml")
    for name, reason in (
        ("Ruben Ortega", "order_status"),
        ("Alicia Romero", "change_or_cancel_order"),
        ("Bernice Hodge", "order_status"),
    ):
        contact = contact_of(name)
        texts = [message["text"] for message in contact["messages"]]
        assert reasons.missing(reason, texts, contact["customer"]["fields"]) == ["order_number"]


def test_every_listed_trouble_names_files_that_exist():
    text = (SAMPLE / "TROUBLE.md").read_text(encoding="utf-8")
    named = re.findall(r"`([a-z-]+/[\w.-]+\.(?:md|html))`", text)
    assert set(named) >= OVERDUE
    for path in named:
        assert path in articles() or (SAMPLE / path).exists(), path
