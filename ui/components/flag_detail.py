"""One source flag: its evidence, what rests on it, and the actions that end it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import streamlit as st

from desk.bootstrap import Desk
from desk.flag_rules import FlagAction
from desk.flags import FlagChoice, FlagDetail, FlagLine
from desk.permissions import Actor
from desk.radius import basis_of
from desk.views import Shelf
from ui.components.aftermath import Followed, follow, keep_following
from ui.components.evidence import differing, old_beside_new
from ui.components.flag_list import KIND_NAMES, choose_flag, neighbour_buttons
from ui.components.gaps import gap_questions
from ui.components.labels import chip, namer, warning_chip, when
from ui.components.links import go_to_article
from ui.components.notice import keep
from ui.components.once import ask, carry_out, told
from ui.components.radius import radius_shown
from ui.components.text import (
    NOTHING,
    Markup,
    Span,
    find_span,
    label_text,
    marked,
    readable_text,
    say,
    show,
    tag,
    words,
)

_OPEN: Final = "flags.open"
_ASKED: Final = "flags.asked"
_ENDED: Final = "flags.ended"
_ICONS: Final[dict[FlagAction, str]] = {
    "verify": ":material/verified:",
    "edit": ":material/edit_document:",
    "supersede": ":material/swap_horiz:",
    "archive": ":material/archive:",
    "assign": ":material/person_add:",
    "dismiss": ":material/visibility_off:",
    "reopen": ":material/undo:",
}
_KEYS: Final[dict[FlagAction, str]] = {
    "verify": "V",
    "edit": "E",
    "supersede": "P",
    "archive": "A",
    "assign": "G",
    "dismiss": "D",
    "reopen": "U",
}
_LABELS: Final = {
    "reason": "Why? The next owner reads it.",
    "owner": "Who answers for it?",
    "by": "Which article takes its place?",
    "article": "Which of the two?",
}
_ONE_SIDE: Final[frozenset[FlagAction]] = frozenset({"archive", "supersede"})
_DONE: Final[dict[FlagAction, str]] = {
    "verify": "Verified. The flag is ended.",
    "edit": "The source was read again; the flag is ended.",
    "supersede": "Replaced. Nothing new will rest on it.",
    "archive": "Archived. Nothing new will rest on it.",
    "assign": "Assigned.",
    "dismiss": "Dismissed. This finding will not be shown again.",
    "reopen": "Reopened.",
}
_MOVES_NOTHING: Final[frozenset[FlagAction]] = frozenset({"assign", "dismiss"})
_MOST_SHOWN: Final = 6


def flag_shown(
    desk: Desk,
    actor: Actor,
    detail: FlagDetail,
    now: datetime,
    among: Sequence[FlagLine] = (),
) -> None:
    """Show one flag, what rests on it, and what the person may do with it.

    Args:
        desk: The desk.
        actor: Who looks.
        detail: The flag.
        now: The moment.
        among: The flags between which it stands.
    """
    line = detail.line
    uses = f"{line.uses} contacts rest on it" if line.uses != 1 else "1 contact rests on it"
    with st.container(horizontal=True, vertical_alignment="center", key="flag-head"):
        show(tag("h3", "pd-subject", words(line.title)))
        if among:
            neighbour_buttons(among)
    show(
        tag(
            "div",
            "pd-badges",
            warning_chip(KIND_NAMES[line.kind]),
            chip(uses) if line.uses else chip("Nothing rests on it yet"),
            chip(line.owner or "Nobody owns it"),
            tag("span", "pd-faint", words("Since "), when(line.opened_at, now)),
        ),
    )
    if detail.ended:
        say(detail.ended, "pd-faint")
    _actions(desk, detail)
    for part in _EVIDENCE.get(line.kind, _nothing_more)(detail.evidence):
        show(part)
    _articles(desk, detail)
    if line.kind == "missing" and "questions" in detail.evidence:
        gap_questions(actor, desk.coverage.asked(actor, line.id), now)
    if line.article_id:
        radius_shown(desk, actor, f"flag.{line.id}", basis_of(detail), now)
    if detail.file:
        show(
            tag(
                "div",
                "pd-command",
                tag("span", "pd-faint", words("Its text is here:")),
                tag("span", "pd-code", words(detail.file)),
            )
        )


def carry_out_flag_action(desk: Desk, actor: Actor) -> None:
    """Do what was just asked for; keep a notice of what became of it."""

    def resolved(asked: tuple[str, FlagAction, int, dict[str, str]]) -> list[Followed]:
        flag_id, action, version, given = asked
        followed = follow(desk, actor, desk.flags.get(actor, flag_id))
        desk.flags.resolve(actor, flag_id, action, version=version, **given)
        return followed

    done = carry_out(_ASKED, lambda _asked: "One moment …", resolved)
    if done is None:
        return
    flag_id, action, _version, _given = done.what
    if done.refused:
        keep("That was not done", "refused", done.refused.message)  # its form stays open
    else:
        st.session_state[_OPEN] = None
        st.session_state[_ENDED] = None if action == "reopen" else flag_id
        rested = [] if action in _MOVES_NOTHING else done.came or []
        keep_following(rested, desk.clock.now())
        if action == "reopen":
            choose_flag(flag_id)
        keep(_DONE[action])
    told(_ASKED)


def undo_shown(desk: Desk, actor: Actor) -> None:
    """Offer to take the last action back, where that can be done."""
    flag_id = st.session_state.get(_ENDED)
    if not flag_id:
        return
    detail = desk.flags.get(actor, flag_id)
    if any(choice.action == "reopen" for choice in detail.choices):
        st.button(
            "Take it back",
            key="flags.undo",
            icon=_ICONS["reopen"],
            shortcut=_KEYS["reopen"],
            type="tertiary",
            on_click=_ask,
            args=(flag_id, "reopen", detail.line.version, ()),
        )


def _actions(desk: Desk, detail: FlagDetail) -> None:
    if not detail.choices:
        return
    opened = st.session_state.get(_OPEN)
    is_open = any(opened == (detail.line.id, choice.action) for choice in detail.choices)
    with st.container(key="flag-bar", horizontal=True):
        for place, choice in enumerate(detail.choices):
            st.button(
                choice.label,
                key=f"flags.do.{choice.action}",
                icon=_ICONS[choice.action],
                help=choice.explains,
                # Keys do nothing while a form is open: they would act on what is being written.
                shortcut=None if is_open else _KEYS[choice.action],
                type="primary" if place == 0 else "secondary",
                on_click=_press,
                args=(detail, choice),
            )
        if is_open:
            st.button("Close", key="flags.close", shortcut="Esc", type="tertiary", on_click=_close)
    for choice in detail.choices:
        if opened == (detail.line.id, choice.action):
            _form(desk, detail, choice)


def _close() -> None:
    st.session_state[_OPEN] = None


def _articles(desk: Desk, detail: FlagDetail) -> None:
    """Show the way to the articles that the flag is about."""
    line = detail.line
    known = [one for one in (line.article_id, line.other_article_id) if one]
    titles = Shelf(desk.database, desk.library).titles_of(known)
    with st.container(horizontal=True, key="flag-articles"):
        for place, article_id in enumerate(known):
            if st.button(
                f"Open “{label_text(titles.get(article_id, article_id))}”",
                key=f"flags.article.{place}",
                icon=":material/article:",
                shortcut=None if place or st.session_state.get(_OPEN) else "O",
                type="tertiary",
            ):
                go_to_article(article_id)


def _needs(detail: FlagDetail, choice: FlagChoice) -> tuple[str, ...]:
    """Return what must be said first; of two sides, which one is meant."""
    if choice.action in _ONE_SIDE and "second" in detail.evidence:
        return ("article", *choice.needs)
    return choice.needs


def _press(detail: FlagDetail, choice: FlagChoice) -> None:
    if not _needs(detail, choice):
        _ask(detail.line.id, choice.action, detail.line.version, ())
        return
    wanted = (detail.line.id, choice.action)
    st.session_state[_OPEN] = None if st.session_state.get(_OPEN) == wanted else wanted


def _form(desk: Desk, detail: FlagDetail, choice: FlagChoice) -> None:
    line = detail.line
    with st.form(f"flags.form.{choice.action}.{line.id}"):
        say(choice.explains, "pd-faint")
        for name in _needs(detail, choice):
            key = _field(line.id, name)
            if name == "article":
                sides = [detail.evidence["first"], detail.evidence["second"]]
                titles = {side["article_id"]: readable_text(side["title"]) for side in sides}
                st.radio(
                    _LABELS[name], list(titles), index=None, format_func=namer(titles), key=key
                )
            elif name == "by":
                titles = Shelf(desk.database, desk.library).titles()
                others = list(titles)
                suggested = line.other_article_id
                st.selectbox(
                    _LABELS[name],
                    others,
                    index=others.index(suggested) if suggested in others else None,
                    format_func=namer(
                        {one: f"{readable_text(titles[one])} ({one})" for one in others}
                    ),
                    key=key,
                )
            else:
                st.text_input(_LABELS[name], key=key)
        st.form_submit_button(
            choice.label,
            key=f"flags.send.{choice.action}",
            type="primary",
            on_click=_ask,
            args=(line.id, choice.action, line.version, _needs(detail, choice)),
        )


def _ask(flag_id: str, action: FlagAction, version: int, needs: Sequence[str]) -> None:
    given = {name: st.session_state.get(_field(flag_id, name)) or "" for name in needs}
    ask(_ASKED, (flag_id, action, version, given))


def _field(flag_id: str, name: str) -> str:
    return f"flags.{name}.{flag_id}"


# Evidence, by kind

Evidence = Mapping[str, Any]


def _nothing_more(_evidence: Evidence) -> list[Markup]:
    return []


def _changed(evidence: Evidence) -> list[Markup]:
    return [
        tag(
            "div",
            "pd-pair",
            *old_beside_new(
                change["old"]["text"], change["new"]["text"] if change.get("new") else ""
            ),
        )
        for change in evidence.get("passages", [])[:_MOST_SHOWN]
    ]


def _conflict(evidence: Evidence) -> list[Markup]:
    if "first" not in evidence:
        return _withheld(evidence)
    pairs = [evidence, *evidence.get("more", [])][:_MOST_SHOWN]
    return [
        tag(
            "div",
            "pd-pair",
            _side(pair["first"], pair["facts"], "old"),
            _side(pair["second"], pair["facts"], "new"),
        )
        for pair in pairs
    ]


def _side(place: Mapping[str, Any], facts: Sequence[Mapping[str, Any]], side: str) -> Markup:
    spans = [span for fact in facts for span in find_span(place["text"], fact[side], "differs")]
    return tag(
        "div",
        "pd-passage",
        tag("div", "pd-source", words(_place_line(place))),
        tag("div", "pd-words", marked(place["text"], spans)),
    )


def _place_line(place: Mapping[str, Any]) -> str:
    parts = dict.fromkeys(part for part in (place["title"], place.get("heading", "")) if part)
    return f"{' › '.join(parts)} · version {place['version']}"


def _withheld(evidence: Evidence) -> list[Markup]:
    why = evidence.get("withheld")
    return [tag("div", "pd-finding", words(why))] if why else []


def _rewritten(evidence: Evidence) -> list[Markup]:
    drafts, rewritten = evidence.get("drafts", 0), evidence.get("rewritten", 0)
    counted = f"Rewritten in {rewritten} of {drafts} drafts that used it."
    place = evidence.get("place")
    return [
        tag("p", "pd-faint", words(counted)),
        _side(place, [], "old") if place else NOTHING,
        *(_rewrite(one) for one in evidence.get("sentences", [])[:_MOST_SHOWN]),
    ]


def _rewrite(sentence: Mapping[str, Any]) -> Markup:
    before, after = sentence["before"], sentence["after"]
    old, new = differing(before, after)
    return tag(
        "div",
        "pd-pair",
        _said("Drafted", before, old),
        _said("Sent", after, new) if after else _said("Sent", "Struck out", []),
    )


def _said(title: str, text: str, spans: Sequence[Span]) -> Markup:
    return tag(
        "div",
        "pd-passage",
        tag("div", "pd-source", words(title)),
        tag("div", "pd-words", marked(text, spans)),
    )


def _broken(evidence: Evidence) -> list[Markup]:
    place = evidence.get("place")
    found = [{"old": evidence.get("words", "")}]
    return [
        tag(
            "div",
            "pd-command",
            tag("span", "pd-code", words(evidence.get("target", ""))),
            tag("span", "pd-faint", words(evidence.get("why", ""))),
        ),
        _side(place, found, "old") if place else NOTHING,
    ]


def _missing(evidence: Evidence) -> list[Markup]:
    return [] if evidence.get("questions") else _withheld(evidence)


def _overdue(evidence: Evidence) -> list[Markup]:
    every = evidence.get("review_every_days")
    return (
        [tag("p", "pd-faint", words(f"It is to be reviewed every {every} days."))] if every else []
    )


def _superseded(evidence: Evidence) -> list[Markup]:
    return [
        tag("p", "pd-faint", words(f"“{evidence.get('by_title', '')}” says that it replaces it."))
    ]


_EVIDENCE: Final[dict[str, Callable[[Evidence], list[Markup]]]] = {
    "changed": _changed,
    "conflict": _conflict,
    "often_rewritten": _rewritten,
    "broken_link": _broken,
    "missing": _missing,
    "overdue": _overdue,
    "superseded": _superseded,
}
