"""Two hundred strings that mean harm, and a desk whose every text is one of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import cycle
from pathlib import Path
from typing import Any, Final

from core.identifiers import new_id
from core.settings import Settings
from desk.bootstrap import Desk, open_desk
from desk.models import AuditEvent, Contact, Delivery, Handoff, Message, Review
from desk.permissions import Actor
from desk.sample import ensure_people
from graph.draft import cite_whole, draft_text
from graph.evidence import evidence_of
from graph.values import Draft
from kb.content import Passage
from tests.factories import draft_from, passage, triage

HOST: Final = "evil.invalid"
MARK: Final = "pwned"
"""What a script that runs leaves on the window."""
CONTACTS: Final = 8
LONG: Final = 100_000
CONTRADICTING: Final = range(0, 60, 12)
_RUN: Final = f"window.{MARK}=1"
_URL: Final = f"http://{HOST}/"
_STRINGS: Final = (
    f"![x]({_URL}a.png)",
    f'![x]({_URL}b.png "title")',
    f"![x](<{_URL}c.png>)",
    f"[![x]({_URL}d.png)]({_URL}d)",
    f"![x][ref]\n\n[ref]: {_URL}e.png",
    f"![ref]\n\n[ref]: <{_URL}f.png> 'title'",
    f":red[![x]({_URL}g.png)] :material/home: :smile:",
    f"<{_URL}h>",
    f"{_URL}i.png www.{HOST}/i",
    f"<mailto:a@{HOST}> [x](mailto:a@{HOST})",
    f"[x](javascript:{_RUN})",
    f"<javascript:{_RUN}>",
    f"[x](data:text/html,<script>{_RUN}</script>)",
    f"[x](vbscript:{_RUN}) [y](JaVaScRiPt&colon;{_RUN})",
    f"<img src={_URL}j.png>",
    f"<img src=x onerror={_RUN}>",
    f"<IMG SRCSET='{_URL}k.png 2x'>",
    f"<picture><source srcset={_URL}l.png><img></picture>",
    f"<script src={_URL}m.js></script>",
    f"<script>{_RUN}</script>",
    f"<ScRiPt/x>{_RUN}</sCrIpT>",
    f"<svg onload={_RUN}>",
    f"<svg><image href={_URL}n.png></svg>",
    f"<svg><use href='{_URL}o.svg#a'/></svg>",
    f"<svg><script>{_RUN}</script></svg>",
    f"<svg><style>@import url({_URL}p.css);</style></svg>",
    f"<svg><animate onbegin={_RUN} attributeName=x dur=1s></svg>",
    f"<iframe src={_URL}q></iframe>",
    f'<iframe srcdoc="<script>parent.{MARK}=1</script>"></iframe>',
    f"<object data={_URL}r></object><embed src={_URL}s>",
    f"<link rel=stylesheet href={_URL}t.css><link rel=prefetch href={_URL}t>",
    f"<style>*{{background:url({_URL}u.png)}} @font-face{{src:url({_URL}u)}}</style>",
    f'<div style="background:url({_URL}v.png);position:fixed;inset:0">',
    f"<video poster={_URL}w.png src={_URL}w.mp4 autoplay></video>",
    f"<audio src={_URL}x.mp3 autoplay></audio>",
    f"<body background={_URL}y.png onload={_RUN}>",
    f"<input type=image src={_URL}z.png autofocus onfocus={_RUN}>",
    f"<form action={_URL}aa><button autofocus>go</button></form>",
    f"<meta http-equiv=refresh content='0;url={_URL}ab'><base href={_URL}>",
    f"<math href=javascript:{_RUN}>x</math>",
    f"<details open ontoggle={_RUN}><summary>x</summary></details>",
    f"<marquee onstart={_RUN}>x</marquee>",
    f"\"'><img src={_URL}ac.png>",
    f"</div></div></p></mark><img src={_URL}ad.png>",
    f"<!--><img src={_URL}ae.png>--><![CDATA[<img src={_URL}af.png>]]>",
    f"&lt;img src={_URL}ag.png&gt; &#60;script&#62;{_RUN}&#60;/script&#62;",
    f"<textarea></textarea><title></title><noscript><img src={_URL}ah.png></noscript>",
    f"<template><img src={_URL}ai.png></template><xmp><img src={_URL}aj.png></xmp>",
    f"<a href=javascript:{_RUN} autofocus onfocus={_RUN} tabindex=1>x</a>",
    f"<x contenteditable autofocus onfocus={_RUN}>",
    f"$\\href{{{_URL}ak}}{{x}}$ $$\\includegraphics{{{_URL}al.png}}$$",
    "# heading\n\n> quote\n\n| a | b |\n|---|---|\n| c | d |\n\n```html\n<b>\n```",
    "{{7*7}} ${7*7} <%= 7*7 %> %s %(x)s {0.__class__}",
    "\u202eesrever\u202c \u2066isolate\u2069 \u200f\u200e\u061c",
    "Z" + "\u0300\u0315\u0334\u0489\u036f\u0488" * 60 + "algo",
    "W" * LONG,
    "a\u0301" * (LONG // 2),
    "w " * (LONG // 2),
    "\t\n" * 400 + "end",
    "\u0000\u0007\u001b[31m\u007f\u0085 control",
    "مرحبا بالعالم שלום עולם " * 30,
    "👩‍👩‍👧‍👦🏳️‍🌈" * 200,
    "\u200b\u200c\u200d\ufeff" * 200 + "unseen",
    "'; DROP TABLE contact; -- \\\" %00 ../../etc/passwd",
    f"@import '{_URL}am.css'; url({_URL}an.png); expression({_RUN})",
    f"https:{HOST}/ao //{HOST}/ap \\\\{HOST}\\aq",
)
_WRAPS: Final = ("{}", "Hello,\n\n{}\n\nBye", "- item\n- {}")


def hostile_strings() -> list[str]:
    """Return the two hundred strings."""
    wrapped = [wrap.replace("{}", text) for wrap in _WRAPS for text in _STRINGS]
    more = [f"**{text}**" for text in _STRINGS[:2]]
    return [*wrapped, *more]


def hostile_workspace(folder: Path) -> None:
    """Make a workspace with an article for every string, its title, heading and owner included."""
    articles = folder / "articles"
    articles.mkdir(parents=True)
    (articles / "refunds.md").write_text(
        "---\ntitle: Refunds\n---\n## How long a refund takes\n\nA refund takes 5 business days.\n"
    )
    for number, text in enumerate(hostile_strings()):
        line = " ".join(text.replace("\x00", "").split())[:300]
        quoted = line.replace("\\", "").replace('"', "'")
        quoted = "".join(char for char in quoted if char.isprintable())
        body = text.replace("\x00", "")
        states = f"A refund takes {number} business days." if number in CONTRADICTING else ""
        (articles / f"hostile-{number:03}.md").write_text(
            f'---\ntitle: "{quoted}"\nowner: "{quoted[:100]}"\n---\n## {line[:100]}\n\n{body}\n\n'
            f"{states} {line}\n",
            encoding="utf-8",
        )
    (folder / "reasons.yaml").write_text(
        "version: 1\nreasons:\n  - id: refund_question\n    name: Refund question\n"
        "    owner: Billing\n    examples:\n      - How long does a refund take?\n"
    )


def hostile_home(home: Path, workspace: Path) -> None:
    """Set a desk up in which names, messages, drafts, findings, flags and letters are hostile."""
    hostile_workspace(workspace)
    home.mkdir()
    desk = open_desk(Settings(home=home, workspace=workspace, _env_file=None), inline=True)
    try:
        ensure_people(desk)
        desk.sync()
        texts = cycle(hostile_strings())
        for name in [next(texts)[:200] for _ in range(4)]:
            desk.people.add(None, name, f"{new_id('x')}@example.com", "agent")
        per_contact = len(hostile_strings()) // CONTACTS
        for number in range(CONTACTS):
            mine = [next(texts) for _ in range(per_contact)]
            _fill_contact(desk, number, mine, desk.people.all()[0])
    finally:
        desk.close()


def _fill_contact(desk: Desk, number: int, texts: list[str], person: Actor) -> None:
    now, some = desk.clock.now() - timedelta(minutes=number), cycle(texts)
    status = ("in_review", "escalated", "answered")[number % 3 if number > 4 else 0]
    contact = Contact(
        id=new_id("con"),
        channel="email",
        subject=next(some)[:500],
        customer_name=next(some)[:200],
        customer_email=next(some)[:300],
        customer_fields={next(some)[:60]: next(some)[:300]},
        status=status,
        tier="escalate_first" if status == "escalated" else "review_required",
        risk=1,
        reason=None,
        triggers=[_firing(next(some))],
        failure=next(some)[:300],
        due_at=now,
        created_at=now,
        updated_at=now,
    )
    contact.messages = [
        Message(id=new_id("msg"), ordinal=place, speaker="customer", text=text or ".", at=now)
        for place, text in enumerate(texts)
    ]
    cited = [
        passage(
            next(some),
            id=f"ver_{number}#{place}",
            title=next(some)[:200],
            heading_path=(next(some)[:200],),
        )
        for place in range(6)
    ]
    draft = draft_from(*cited, opening=next(some), closing=next(some), note=next(some))
    review = _review(contact, draft, cited, some, "decided" if status == "answered" else "pending")
    with desk.database.write() as session:
        session.add(contact)
        session.flush()
        if status != "escalated":
            session.add(review)
            session.flush()
        if status == "escalated":
            session.add(_handoff(contact, cited, some))
        if status == "answered":
            review.decided_by, review.decided_at = person.id, now
            session.add(_delivery(contact, review, draft, person, some))
        session.add(
            AuditEvent(
                at=now, actor=next(some)[:60], event="review.edit", data={"words": next(some)}
            )
        )


def _firing(text: str) -> dict[str, Any]:
    return {"id": text[:80], "tier": "review_required", "evidence": text, "by": text[:200]}


def _review(
    contact: Contact, draft: Draft, cited: list[Passage], some: Iterator[str], status: str
) -> Review:
    findings = [
        {
            "sentence": place,
            "rule": "differs",
            "message": next(some),
            "words": next(some),
            "source_words": next(some),
            "passage_id": one.id,
        }
        for place, one in enumerate(cited[:3])
    ]
    return Review(
        id=new_id("rev"),
        contact_id=contact.id,
        thread=f"{contact.id}:1",
        interrupt_id=new_id("int"),
        kind="answer",
        status=status,
        tier="review_required",
        risk=1,
        reason=None,
        state={
            "draft": draft,
            "check": {"passed": False, "findings": findings, "triggers": []},
            "evidence": evidence_of(draft, "msg_1"),
            "triage": triage(missing=[next(some)[:40]]),
            "classification": {
                "reason": None,
                "confidence": 0.5,
                "alternatives": [],
                "sentiment": 0.0,
                "language": "en",
                "question": next(some),
            },
            "changes": [
                {"what": "source", "sentence": next(some), "old": next(some), "new": next(some)}
            ],
        },
        allowed=["approve", "edit", "reject", "escalate"],
        findings=len(findings),
        opened_at=contact.created_at,
        due_at=contact.created_at,
        decision={"kind": "edit", "text": next(some), "comment": next(some)}
        if status == "decided"
        else None,
    )


def _handoff(contact: Contact, cited: list[Passage], some: Iterator[str]) -> Handoff:
    return Handoff(
        id=new_id("han"),
        key=contact.id,
        contact_id=contact.id,
        team=next(some)[:100],
        opened_at=contact.created_at,
        brief={
            "question": next(some),
            "intent": next(some),
            "tier": "escalate_first",
            "triggers": [_firing(next(some))],
            "sources": [cite_whole(one) for one in cited],
            "missing": [next(some)[:100]],
            "sentiment": -0.8,
            "previous_answers": [{"text": next(some), "at": "2026-05-04T12:00:00+00:00"}],
            "next_step": next(some),
            "instruction": next(some),
            "comment": next(some),
        },
    )


def _delivery(
    contact: Contact, review: Review, draft: Draft, person: Actor, some: Iterator[str]
) -> Delivery:
    return Delivery(
        id=new_id("del"),
        key=new_id("dec"),
        contact_id=contact.id,
        review_id=review.id,
        status="failed",
        subject=next(some)[:500],
        recipient=next(some)[:300],
        text=draft_text(draft) + next(some),
        draft=dict(draft),
        approved_by=person.id,
        created_at=contact.created_at,
        due_at=contact.created_at,
        location=next(some)[:300],
    )
