"""One article: its text as a reader sees it, its versions, and what differs between two of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import streamlit as st

from desk.article_history import Amendment, Difference, Edition, PassageDifference
from desk.bootstrap import Desk
from desk.permissions import Actor
from desk.views import ArticleLine
from kb.content import Passage
from ui.components.evidence import old_beside_new
from ui.components.labels import chip, exactly, plainly, relative, warning_chip, when
from ui.components.notice import empty
from ui.components.radius import radius_shown
from ui.components.shelf import fact_line
from ui.components.text import NOTHING, Markup, say, show, tag, words

PAGE: Final = 100
_VERSION: Final = "article.version"
_BESIDE: Final = "article.beside"


def open_version(article_id: str, version_id: str | None) -> None:
    """Have this version open the next time the article is shown; the newest for None."""
    if version_id:
        st.session_state[f"{_VERSION}.{article_id}"] = version_id
    else:
        st.session_state.pop(f"{_VERSION}.{article_id}", None)
    st.session_state.pop(f"{_BESIDE}.{article_id}", None)


def article_shown(desk: Desk, actor: Actor, line: ArticleLine, now: datetime) -> str | None:
    """Show one article; return the id of the version that is open."""
    editions = desk.history.editions(actor, line.id, limit=PAGE)
    show(_heading(line, now))
    if not editions:
        empty("No version was read yet", "Sync the help center to bring it in.")
        return None
    with st.container(horizontal=True, vertical_alignment="bottom", key="article-versions"):
        chosen = _choice(line.id, editions)
        other = _beside(line.id, editions, chosen)
    if other is not None:
        with st.spinner("Comparing the two versions …"):
            found = desk.history.between(actor, chosen.id, other.id)
        difference_shown(found, now)
        return chosen.id
    left, right = st.columns([6, 5], gap="large")
    with left:
        show(_standing(chosen, now), article_text(desk.library.passages_of_version(chosen.id)))
    with right:
        basis = desk.radius.of_article(line.id)
        radius_shown(desk, actor, f"article.{line.id}", basis, now, narrow=True)
        show(_history(editions, chosen, now))
        show(_amendments(desk.history.amendments(actor, line.id), now))
    return chosen.id


def _heading(line: ArticleLine, now: datetime) -> Markup:
    standing = chip("In force") if line.in_force_since else warning_chip("Not in force")
    reviewed = (
        chip(f"Reviewed {relative(line.last_reviewed, now)}", exactly(line.last_reviewed))
        if line.last_reviewed
        else chip("Never reviewed")
    )
    return tag(
        "div",
        "pd-article-head",
        tag("h3", "pd-subject", words(line.title)),
        tag(
            "div",
            "pd-badges",
            standing,
            chip(line.owner or "Nobody owns it"),
            reviewed,
            *(warning_chip(plainly(flag)) for flag in line.flags),
        ),
        tag("div", "pd-faint pd-line", words(line.id)),
    )


def _choice(article_id: str, editions: Sequence[Edition]) -> Edition:
    by_id = {edition.id: edition for edition in editions}
    key = f"{_VERSION}.{article_id}"
    if st.session_state.get(key) not in by_id:
        st.session_state[key] = next((one.id for one in editions if one.in_force), editions[0].id)
    chosen = st.selectbox(
        "Version", list(by_id), key=key, format_func=lambda one: _named(by_id[one]), width=320
    )
    return by_id[chosen]


def _beside(article_id: str, editions: Sequence[Edition], chosen: Edition) -> Edition | None:
    others = {edition.id: edition for edition in editions if edition.id != chosen.id}
    key = f"{_BESIDE}.{article_id}"
    if st.session_state.get(key) not in others:
        st.session_state.pop(key, None)
    other = st.selectbox(
        "Beside",
        list(others),
        index=None,
        key=key,
        format_func=lambda one: _named(others[one]),
        placeholder="Another version, to compare" if others else "There is no other version",
        disabled=not others,
        width=320,
    )
    return others[other] if other else None


def _named(edition: Edition) -> str:
    standing = ", in force" if edition.in_force else ""
    return f"Version {edition.number}, from {edition.effective_from.day} {edition.effective_from:%b %Y}{standing}"


def _standing(edition: Edition, now: datetime) -> Markup:
    ends = (
        (words(" until "), when(edition.effective_to, now)) if edition.effective_to else (NOTHING,)
    )
    return tag(
        "div",
        "pd-faint pd-line",
        words("Holds from "),
        when(edition.effective_from, now),
        *ends,
        words(" · first read "),
        when(edition.synced_at, now),
    )


def article_text(passages: Sequence[Passage]) -> Markup:
    """Return the text of a version as a reader sees it, without its markup."""
    body: list[Markup] = []
    before: tuple[str, ...] = ()
    for passage in passages:
        if passage.heading_path != before:
            new = [one for one in passage.heading_path if one not in before]
            body += [tag("h4", "", words(heading)) for heading in new if heading != passage.title]
            before = passage.heading_path
        body.append(tag("p", "", words(passage.plain)))
    if not body:
        body = [tag("p", "pd-faint", words("This version says nothing."))]
    return tag("div", "pd-body pd-reading", *body)


def difference_shown(found: Difference, now: datetime) -> None:
    """Show what differs between two versions: the facts, then passage by passage."""
    told = [one for one in found.passages if one.tells_otherwise]
    reworded = [one for one in found.passages if not one.tells_otherwise]
    show(
        tag(
            "div",
            "pd-line",
            words(f"Version {found.old.number}, from "),
            when(found.old.effective_from, now),
            words(f", beside version {found.new.number}, from "),
            when(found.new.effective_from, now),
        )
    )
    if not found.passages:
        empty("They say the same", "No passage differs between these two versions.")
        return
    changed = [(one.heading, fact["old"], fact["new"]) for one in told for fact in one.facts]
    facts = [fact_line("", place, old, new) for place, old, new in dict.fromkeys(changed)]
    if facts:
        show(tag("h4", "pd-section", words("Changed facts")), tag("div", "pd-facts", *facts))
    elif not told:
        say("No fact changed: these passages only read differently.", "pd-faint")
    for one in told:
        show(_pair(one, found))
    if reworded:
        count = len(reworded)
        with st.expander(
            f"{count} passage{'s' if count != 1 else ''} only reworded",
            expanded=not told,
            key="article.reworded",
        ):
            for one in reworded:
                show(_pair(one, found))


def _pair(one: PassageDifference, found: Difference) -> Markup:
    titles = (f"Version {found.old.number}", f"Version {found.new.number}")
    return tag(
        "div",
        "pd-difference",
        tag("h4", "pd-section", words(one.heading or "At the top")),
        tag("div", "pd-pair", *old_beside_new(one.old, one.new, titles)),
    )


def _history(editions: Sequence[Edition], chosen: Edition, now: datetime) -> Markup:
    return tag(
        "div",
        "",
        tag("h4", "pd-section", words("Versions")),
        tag("ol", "pd-history", *(_edition(one, chosen, now) for one in editions)),
    )


def _edition(edition: Edition, chosen: Edition, now: datetime) -> Markup:
    count = edition.told_otherwise
    what = (
        f"{count} passage{'s' if count != 1 else ''} told otherwise"
        if count
        else "Reworded only"
        if edition.number > 1
        else "First version"
    )
    css = "pd-edition pd-edition-open" if edition.id == chosen.id else "pd-edition"
    return tag(
        "li",
        css,
        tag("strong", "", words(f"Version {edition.number}")),
        when(edition.effective_from, now),
        tag("span", "pd-faint", words(what)),
        chip("In force") if edition.in_force else NOTHING,
    )


def _amendments(amendments: Sequence[Amendment], now: datetime) -> Markup:
    if not amendments:
        return NOTHING
    lines = [
        tag(
            "li",
            "pd-edition",
            tag("span", "", words(_amended(one))),
            when(one.at, now),
        )
        for one in amendments
    ]
    return tag(
        "div",
        "",
        tag("h4", "pd-section", words("Changed beside its text")),
        tag("ol", "pd-history", *lines),
    )


def _said(value: str | None) -> str:
    if not value:
        return "nothing"
    try:
        return f"{datetime.fromisoformat(value):%d %b %Y}"
    except ValueError:
        return value


def _amended(one: Amendment) -> str:
    was, now = _said(one.old), _said(one.new)
    return f"{plainly(one.field)}: {was} → {now}"
