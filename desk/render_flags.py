"""How the command line shows source flags to people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from desk.terminal import terminal


def flags_table(found: Mapping[str, Any]) -> None:
    """Print flags, and the lines that stand for many of them."""
    console = terminal()
    if not found["flags"] and not found["folded"]:
        console.print("No flag: every source is owned, reviewed and in force.")
        return
    table = Table("flag", "what", "owner", "rests on it")
    table.add_column("id", no_wrap=True)
    for line in found["flags"]:
        table.add_row(
            line["kind"].replace("_", " "),
            Text(line["title"]),
            Text(line["owner"] or "-"),
            str(line["uses"] or ""),
            line["id"],
        )
    if found["flags"]:
        console.print(table)
    for line in found["folded"]:
        console.print(Text(f"{line['sentence']} See them with --kind {line['kind']}."))


def flag_report(found: Mapping[str, Any]) -> None:
    """Print one flag with its evidence and what may be done with it."""
    console, line = terminal(), found["line"]
    console.print(Text(f"{line['kind'].replace('_', ' ')}: {line['title']}", style="bold"))
    if line["article_id"]:
        console.print(Text(f"{line['article_id']}, owner: {line['owner'] or 'nobody'}"))
    if found["file"]:
        console.print(Text(f"Its text is here: {found['file']}"))
    if line["uses"]:
        console.print(f"Contacts with an answer or a draft that rests on it: {line['uses']}.")
    for said in evidence_lines(found["evidence"]):
        console.print(Text(f"  {said}"))
    if found["ended"]:
        console.print(Text(found["ended"], style="green"))
    for choice in found["choices"]:
        needs = "".join(f" --{name} …" for name in choice["needs"])
        console.print(Text(f"  --action {choice['action']}{needs}: {choice['explains']}"))


def evidence_lines(evidence: Mapping[str, Any]) -> list[str]:
    """Return the evidence of a flag, of any kind, as plain lines."""
    said: list[str] = []
    for change in evidence.get("passages", []):
        said.append(f"was: {change['old']['text']}")
        said.append(f"now: {change['new']['text'] if change['new'] else '(gone)'}")
    for side in ("first", "second"):
        if place := evidence.get(side):
            said.append(f"{place['title']} v{place['version']}: {place['text']}")
    for fact in evidence.get("facts", []):
        said.append(f"{fact['kind']}: {fact['old'] or '(nothing)'} / {fact['new'] or '(nothing)'}")
    for sentence in evidence.get("sentences", []):
        said.append(f"drafted: {sentence['before']}")
        said.append(f"sent:    {sentence['after'] or '(struck out)'}")
    for question in evidence.get("questions", []):
        said.append(f"{question['at'][:10]} {question['contact']}: {question['text']}")
    said += [f"{name}: {evidence[name]}" for name in ("why", "withheld") if evidence.get(name)]
    return said
