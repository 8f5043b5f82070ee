"""How the command line shows what a sync changed: old words beside new, and what rests on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

MOST_SHOWN: Final = 40
_CONTEXT_WORDS: Final = 4
_MOST_WORDS: Final = 24


def changes_report(console: Console, report: Mapping[str, Any]) -> None:
    """Print which facts changed and what rests on them; nothing where no passage changed."""
    for line in _counts(report):
        console.print(line)
    facts = report.get("facts", [])
    if facts:
        console.print(_table(facts[:MOST_SHOWN]))
    if (more := report.get("facts_count", 0) - min(len(facts), MOST_SHOWN)) > 0:
        console.print(f"… and {more} more: `proofdesk sync --json` lists them.")
    if resting := resting_line(report.get("impact", {})):
        console.print(Text(resting, style="yellow"))


def resting_line(impact: Mapping[str, Any]) -> str:
    """Return in one sentence what rests on what changed; empty when nothing does."""
    parts = [
        _count(impact.get("reviews_count", 0), "waiting draft"),
        _count(impact.get("scheduled_count", 0), "answer about to leave", "answers about to leave"),
        _count(impact.get("answers_count", 0), "answer already sent", "answers already sent"),
    ]
    said = [part for part in parts if part]
    if not said:
        return ""
    return f"Resting on what changed: {', '.join(said)}."


def was_and_now(fact: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return old and new words of one changed passage: of each fact, or else where they part.

    Args:
        fact: An entry of ``SyncReport.facts``.
    """
    pairs = [(one["old"], one["new"]) for one in fact["facts"]]
    pairs = pairs or [_where_they_part(fact["old"], fact["new"])]
    return list(dict.fromkeys(pairs))


def _counts(report: Mapping[str, Any]) -> Iterator[str]:
    changed, reworded = report.get("facts_count", 0), report.get("reworded", 0)
    if changed:
        articles = len({fact["article_id"] for fact in report["facts"]})
        passages = _count(changed, "passage tells", "passages tell")
        yield f"{passages} a reader something else, in {_count(articles, 'article')}:"
    if reworded:
        yield f"{_count(reworded, 'passage')} only reworded."


def _table(facts: list[Mapping[str, Any]]) -> Table:
    table = Table("article", "was", "now")
    for column in table.columns:
        column.overflow = "fold"
    for fact in facts:
        place = " › ".join(part for part in (fact["title"], fact["heading"]) if part)
        for old, new in was_and_now(fact):
            gone, came = _side(old, "not said before", "red"), _side(new, "no longer said", "green")
            table.add_row(Text(place), gone, came)
            place = ""
    return table


def _side(words: str, instead: str, style: str) -> Text:
    return Text(words, style=style) if words else Text(instead, style="dim")


def _where_they_part(old: str, new: str) -> tuple[str, str]:
    """Return the words that differ, with a few of those around them."""
    a, b = old.split(), new.split()
    if not a or not b:
        return _clipped(a, 0, len(a)), _clipped(b, 0, len(b))
    steps = SequenceMatcher(None, a, b, autojunk=False).get_opcodes()
    parting = [step for step in steps if step[0] != "equal"]
    if not parting:
        return old, new
    first, last = parting[0], parting[-1]
    return _clipped(a, first[1], last[2]), _clipped(b, first[3], last[4])


def _clipped(words: list[str], start: int, end: int) -> str:
    start, end = max(0, start - _CONTEXT_WORDS), min(len(words), end + _CONTEXT_WORDS)
    shown = words[start : min(end, start + _MOST_WORDS)]
    before = "… " if start else ""
    after = " …" if start + len(shown) < len(words) else ""
    return f"{before}{' '.join(shown)}{after}" if shown else ""


def _count(number: int, one: str, many: str = "") -> str:
    if not number:
        return ""
    return f"{number} {one if number == 1 else many or one + 's'}"
