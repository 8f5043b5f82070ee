"""The brief that a person gets who carries an escalated contact on."""

from __future__ import annotations

from graph.values import Brief, Citation, TriggerFiring
from ui.components.evidence import source_line
from ui.components.impression import impression_line
from ui.components.labels import plainly, tier_badge, trigger_name
from ui.components.text import NOTHING, Markup, join, show, tag, words


def instruction(text: str) -> None:
    """Show the workspace's own words for a crisis or a danger, before everything else."""
    if text:
        show(
            tag(
                "div",
                "pd-notice pd-urgent",
                tag("strong", "", words("Do this first")),
                tag("div", "pd-words", words(text)),
            )
        )


def handoff_brief(brief: Brief) -> None:
    """Show the brief on one screen."""
    instruction(brief["instruction"])
    show(
        tag(
            "div",
            "pd-brief",
            _part("Next step", words(brief["next_step"])),
            _part("Why it was escalated by hand", words(brief.get("comment", ""))),
            _part("The question", words(brief["question"])),
            _part("About", words(brief["intent"]), impression_line(brief)),
            _part("Still missing", words(", ".join(plainly(name) for name in brief["missing"]))),
            _part("Tier", tier_badge(brief["tier"]), words(f" {_fired(brief['triggers'])}")),
            _part("Answered before", *(_said(a["text"]) for a in brief["previous_answers"])),
            _part("Sources consulted", _sources(brief["sources"])),
        )
    )


def _part(title: str, *inside: Markup) -> Markup:
    if not "".join(inside).strip():
        return NOTHING
    return tag("div", "pd-part", tag("h4", "", words(title)), tag("div", "", *inside))


def _fired(triggers: list[TriggerFiring]) -> str:
    return ", ".join(dict.fromkeys(trigger_name(trigger["id"]) for trigger in triggers))


def _said(text: str) -> Markup:
    return tag("div", "pd-words pd-quoted", words(text))


def _sources(sources: list[Citation]) -> Markup:
    lines = dict.fromkeys(source_line(citation) for citation in sources)
    return (
        tag("ul", "pd-plain", join(tag("li", "", words(line)) for line in lines))
        if lines
        else NOTHING
    )
