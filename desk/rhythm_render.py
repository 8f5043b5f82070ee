"""The week's reports as Markdown and as HTML that a mail program shows.

Whatever customers, articles or models wrote is untrusted: in Markdown every character that could
mean something is escaped, in HTML everything is (Jinja2 with autoescape). A page has one column, its
styles inline, no script, and asks nobody for anything.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Final

from desk.addresses import Linked, address_of
from desk.daily import DailyLine, DailySection, Section, Theme, Today
from desk.rhythm import DayItem, DayReport
from desk.rhythm_rules import Figure, count
from desk.tasks import TaskLine

if TYPE_CHECKING:
    from jinja2 import Template

SECTION_TITLES: Final[Mapping[Section, str]] = {
    "high_risk": "High risk",
    "ageing": "Ageing, unresolved",
    "missing_context": "Missing context",
    "low_confidence": "Low confidence",
}
SECTION_NOTES: Final[Mapping[Section, str]] = {
    "high_risk": "A person must take these first; none of them is answered by the desk.",
    "ageing": "Less grave, and open for longer than the workspace allows; the oldest first.",
    "missing_context": "A required detail is missing: ask, or fill it in.",
    "low_confidence": "The desk was not sure what they are about.",
}
_MEANS: Final = re.compile(r"([\\`*_{}\[\]<>|#~&$])")
_AT_THE_START: Final = re.compile(r"^(\d*)([-+=:.)])")
_ADDRESS: Final = re.compile(r"(?<=\w)(:)(?=//)|(?<=www)(\.)", re.IGNORECASE)
_KEPT_MARKS: Final = 2


@dataclass(frozen=True, slots=True)
class Line:
    """One thing of a list: what it is, and what more there is to say.

    ``link`` is where it is opened, "" for nowhere.
    """

    text: str
    note: str = ""
    done: bool | None = None
    link: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a report."""

    heading: str
    sentences: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """A report, whatever it is written as."""

    title: str
    subtitle: str
    parts: tuple[Part, ...]


def day_document(report: DayReport, base: str = "") -> Document:
    """Return the report of a day.

    Args:
        report: What the day tells.
        base: Address of the UI, for links; "" for ids instead.
    """
    week = f"{report.week:%d %b %Y}"
    span = f"{report.since:%d %b} to {report.until:%d %b %Y, %H:%M %Z}"
    done, total = report.last_week
    parts = [
        Part("What it tells", report.told),
        Part("Figures", (f"Of the seven days {span}.",), report.figures),
        Part(
            f"To work through: {report.done} of {len(report.items)} done",
            (
                *(() if report.items else ("Nothing is left to look at.",)),
                *((f"The week before {done} of {total} were done.",) if total else ()),
                *(
                    (f"{report.unlisted} more, less urgent, are not listed.",)
                    if report.unlisted
                    else ()
                ),
            ),
            lines=tuple(_item(one, base) for one in report.items),
        ),
    ]
    title = f"{report.day.capitalize()}: {report.title}"
    return Document(title, f"{report.purpose} Week from Monday {week}.", tuple(parts))


def _item(item: DayItem, base: str) -> Line:
    what, its_id = _place(item)
    link = address_of(base, what, its_id)
    note = _joined(item.note, item.cause if item.done_at else "", "" if link else its_id)
    return Line(item.title, note, item.done_at is not None, link)


def _place(item: DayItem) -> tuple[Linked, str]:
    known: tuple[tuple[Linked, str | None], ...] = (
        ("review", item.review_id),
        ("contact", item.contact_id),
        ("flag", item.flag_id),
        ("article", item.article_id),
    )
    return next(((what, one) for what, one in known if one), ("reason", item.subject_id))


def _joined(*parts: str) -> str:
    return "; ".join(filter(None, parts))


def today_document(today: Today, names: Mapping[str, str], base: str = "") -> Document:
    """Return the daily queue.

    Args:
        today: What it holds.
        names: Contact reason → its name.
        base: Address of the UI, for links; "" for ids instead.
    """
    parts = [_section(one, today.at, names, base) for one in today.sections]
    if today.overdue:
        heading = f"Overdue tasks ({today.overdue_count})"
        parts.append(Part(heading, lines=tuple(_task(one, base) for one in today.overdue)))
    parts.append(
        Part(
            "Repeated failures of the last two weeks",
            () if today.themes else ("Nothing failed twice in the same way.",),
            lines=tuple(_theme(one, names) for one in today.themes),
        )
    )
    return Document("Daily queue", f"{today.at:%A, %d %b %Y, %H:%M %Z}.", tuple(parts))


def both(today: Document, day: Document) -> Document:
    """Return the daily queue with the day's report after it, as one."""
    return Document(
        f"{day.title}, and the daily queue",
        today.subtitle,
        (
            *today.parts,
            Part(day.title, (day.subtitle,)),
            *day.parts,
        ),
    )


def _section(section: DailySection, at: datetime, names: Mapping[str, str], base: str) -> Part:
    more = section.count - section.above - len(section.lines)
    said = [SECTION_NOTES[section.id]] if section.count else ["None."]
    if section.above:
        said.append(f"{section.above} of {section.count} stand above already.")
    if more > 0:
        said.append(f"{more} more are not shown.")
    return Part(
        f"{SECTION_TITLES[section.id]} ({section.count})",
        tuple(said),
        lines=tuple(_contact(one, at, names, base) for one in section.lines),
    )


def _contact(line: DailyLine, at: datetime, names: Mapping[str, str], base: str) -> Line:
    text = " · ".join(part for part in (line.customer, line.subject) if part)
    reason = names.get(line.reason or "", line.reason or "no known reason")
    link = address_of(base, "contact", line.contact_id)
    note = _joined(
        reason,
        line.status.replace("_", " "),
        f"since {line.created_at.astimezone(at.tzinfo):%d %b}",
        "" if line.assigned else "nobody has it",
        "" if link else line.contact_id,
    )
    return Line(text or "No subject", note, link=link)


def _task(task: TaskLine, base: str) -> Line:
    link = address_of(base, "task", task.id)
    note = _joined(
        task.owner.replace("_", " "), f"due {task.due_on:%d %b}", "" if link else task.id
    )
    return Line(task.title, note, link=link)


def _theme(theme: Theme, names: Mapping[str, str]) -> Line:
    text, note = theme_words(theme, names)
    said = " / ".join(f"“{one.text}”" for one in theme.examples[:_KEPT_MARKS])
    return Line(text, f"{note} {said}")


def theme_words(theme: Theme, names: Mapping[str, str]) -> tuple[str, str]:
    """Return a theme's name, and in one sentence what became of its contacts."""
    about = names.get(theme.reason or "", theme.reason or "no known reason")
    name = ", ".join(theme.words).capitalize() or f"{about}: nothing in common but the reason"
    how = ", ".join(f"{number} {what}" for what, number in theme.what.items())
    of = f" of {theme.of} about {about}" if theme.reason else ""
    return name, f"{count(theme.count, 'contact')}{of}: {how}."


def as_markdown(document: Document) -> str:
    """Return a report as Markdown; nothing that somebody wrote becomes markup, link or image."""
    out = [f"# {escaped(document.title)}", "", escaped(document.subtitle), ""]
    for part in document.parts:
        out += [f"## {escaped(part.heading)}", ""]
        for sentence in part.sentences:
            out += [escaped(sentence), ""]
        if part.figures:
            out += ["| | now | the week before |", "| --- | --- | --- |"]
            for figure in part.figures:
                cells = (figure.name, figure.value, figure.before)
                out.append(f"| {' | '.join(map(escaped, cells))} |")
            out.append("")
        for line in part.lines:
            box = "" if line.done is None else "[x] " if line.done else "[ ] "
            note = f" — {escaped(line.note)}" if line.note else ""
            text = escaped(line.text)
            out.append(f"- {box}{f'[{text}](<{line.link}>)' if line.link else text}{note}")
        if part.lines:
            out.append("")
    return "\n".join(out)


def escaped(text: str) -> str:
    """Return untrusted text in one line that Markdown shows as it is, without links in it."""
    line = " ".join(visible(text).split())
    line = _MEANS.sub(r"\\\1", line)
    line = _AT_THE_START.sub(r"\1\\\2", line)
    return _ADDRESS.sub(lambda hit: f"\\{hit[0]}", line)


def visible(text: str) -> str:
    """Return ``text`` without control characters and changes of the writing's direction."""
    return "".join(
        one for one in text if one.isspace() or unicodedata.category(one) not in ("Cc", "Cf", "Cs")
    )


def as_html(document: Document) -> str:
    """Return a report as a page for a mail program."""
    return _template().render(document=document, visible=visible)


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    made = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return made.from_string(_PAGE)


_INK = "#1c1f24"
_FAINT = "#5a6270"
_RULE = "#d8dbe0"
_LINK = "#1d4ed8"
_PAGE: Final = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{{{ visible(document.title) }}}}</title>
</head>
<body style="margin:0; padding:24px 12px; background:#f3f4f6;">
<div style="max-width:640px; margin:0 auto; padding:24px; background:#ffffff; color:{_INK};
 font:15px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif; overflow-wrap:anywhere;">
<h1 style="font-size:22px; line-height:1.25; margin:0 0 4px;">{{{{ visible(document.title) }}}}</h1>
<p style="margin:0 0 20px; color:{_FAINT};">{{{{ visible(document.subtitle) }}}}</p>
{{% for part in document.parts %}}
<h2 style="font-size:16px; line-height:1.3; margin:24px 0 8px; padding-top:16px;
 border-top:1px solid {_RULE};">{{{{ visible(part.heading) }}}}</h2>
{{% for sentence in part.sentences %}}
<p style="margin:0 0 8px;">{{{{ visible(sentence) }}}}</p>
{{% endfor %}}
{{% if part.figures %}}
<table role="presentation" style="border-collapse:collapse; width:100%; margin:8px 0;">
{{% for figure in part.figures %}}
<tr>
<td style="padding:4px 8px 4px 0; color:{_FAINT};">{{{{ visible(figure.name) }}}}</td>
<td style="padding:4px 8px; font-weight:600;">{{{{ visible(figure.value) }}}}</td>
<td style="padding:4px 0; color:{_FAINT};">{{{{ visible(figure.before) }}}}</td>
</tr>
{{% endfor %}}
</table>
{{% endif %}}
{{% for line in part.lines %}}
<div style="margin:0 0 10px;">
<div>{{% if line.done is not none %}}{{{{ '☑' if line.done else '☐' }}}} {{% endif %}}{{% if line.link %}}<a href="{{{{ line.link }}}}" style="color:{_LINK};">{{{{ visible(line.text) }}}}</a>{{% else %}}{{{{ visible(line.text) }}}}{{% endif %}}</div>
{{% if line.note %}}<div style="color:{_FAINT}; font-size:13px;">{{{{ visible(line.note) }}}}</div>{{% endif %}}
</div>
{{% endfor %}}
{{% endfor %}}
</div>
</body>
</html>
"""
