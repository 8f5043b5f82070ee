"""The workspace's files with what is wrong in each, the settings in force, who may do what."""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.vocabulary import ROLES
from desk.bootstrap import Desk
from desk.permissions import Actor
from desk.workspace_check import FileProblem, Origin, RuleFile
from ui.components.labels import ROLE_NAMES, chip, plainly, warning_chip
from ui.components.notice import notice
from ui.components.text import NOTHING, Markup, readable_text, say, show, tag, words

_THOROUGHLY: Final = "settings.thoroughly"
_ORIGINS: Final[dict[Origin, str]] = {
    "environment": "Environment",
    ".env": ".env file",
    "command": "Start command",
    "default": "Default",
}
_ROW: Final = 33
_MOST_SHOWN: Final = 40


def files_view(desk: Desk, actor: Actor) -> None:
    """Show the files of the workspace, as they are on disk now."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Check again",
            key="settings.again",
            icon=":material/refresh:",
            shortcut="G",
            on_click=_look,
            args=(False,),
        )
        st.button(
            "Compare the examples too",
            key="settings.thorough",
            icon=":material/compare_arrows:",
            shortcut="M",
            help="Finds contact reasons that are easily mixed up; takes some seconds.",
            on_click=_look,
            args=(True,),
        )
    with st.spinner("Reading the workspace …"):
        files = desk.workspace_check.files(
            actor, thoroughly=bool(st.session_state.get(_THOROUGHLY))
        )
    if not any(file.problems for file in files):
        notice("Nothing is wrong with these files", "good")
    say(
        "They are the team's own and are changed in an editor. A changed file counts from the next "
        "start of the desk on, sources from the next sync.",
        "pd-faint",
    )
    for file in files:
        _file(file)


def _look(thoroughly: bool) -> None:
    st.session_state[_THOROUGHLY] = thoroughly


def _file(file: RuleFile) -> None:
    warnings = len(file.problems) - file.errors
    shown = file.problems[:_MOST_SHOWN]
    show(
        tag(
            "div",
            "pd-file",
            tag("h3", "pd-subject", words(file.name)),
            tag(
                "div",
                "pd-badges",
                chip("There") if file.there else chip("Absent"),
                warning_chip(_count(file.errors, "error")) if file.errors else NOTHING,
                chip(_count(warnings, "warning")) if warnings else NOTHING,
                tag("span", "pd-faint", words(file.holds)),
            ),
            tag("div", "pd-faint pd-line", words(file.path)),
            *(_problem(problem) for problem in shown),
        )
    )
    if len(file.problems) > len(shown):
        say(f"And {len(file.problems) - len(shown)} more.", "pd-faint")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number != 1 else ''}"


def _problem(problem: FileProblem) -> Markup:
    remark = problem.remark
    level = warning_chip("Error") if remark.level == "error" else chip("Warning")
    about = tag("span", "pd-faint", words(remark.reason)) if remark.reason else NOTHING
    lines = [
        tag(
            "div",
            "pd-file-line pd-file-line-wrong" if line.number == remark.line else "pd-file-line",
            tag("span", "pd-number", words(line.number)),
            tag("span", "", words(line.text)),
        )
        for line in problem.around
    ]
    return tag(
        "div",
        "pd-problem",
        tag(
            "div",
            "pd-problem-head",
            level,
            tag("span", "pd-faint", words(f"Line {remark.line}")),
            about,
            tag("span", "", words(remark.message)),
        ),
        tag("div", "pd-lines", *lines) if lines else NOTHING,
    )


def settings_view(desk: Desk, actor: Actor) -> None:
    """Show the settings in force, and where each comes from."""
    found = desk.workspace_check.settings(actor)
    st.dataframe(
        [
            {
                "Setting": one.variable,
                "Value": readable_text(one.value) or "None",
                "Comes from": _ORIGINS[one.origin],
                "Default": readable_text(one.default) or "None",
                "Means": one.description,
            }
            for one in found
        ],
        key="settings.table",
        hide_index=True,
        height=_ROW * (len(found) + 1) + 4,
        row_height=_ROW,
        alt="Settings in force",
    )
    say(
        "They are set by environment variables or a .env file where the desk is started, and read "
        "once, at its start. Passwords and keys are not shown.",
        "pd-faint",
    )


def permissions_view(desk: Desk, actor: Actor) -> None:
    """Show who may do what."""
    found = desk.workspace_check.permissions(actor)
    st.dataframe(
        [
            {
                "What": one.meaning,
                **{
                    ROLE_NAMES.get(role, plainly(role)): "Yes" if role in one.roles else ""
                    for role in ROLES
                },
            }
            for one in found
        ],
        key="settings.permissions",
        hide_index=True,
        height=_ROW * (len(found) + 1) + 4,
        row_height=_ROW,
        alt="Who may do what",
    )
    say("Roles are given on the People page.", "pd-faint")
