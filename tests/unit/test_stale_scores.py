import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.errors import BadInput
from evals.files import write_rows
from evals.gate import Gate, failures, read_gate
from evals.report import Report, as_markdown
from evals.report_html import as_html
from evals.runs import Run, reopened, write_run
from evals.scores import Figure, auroc, risk_coverage, share, wilson
from evals.stale import report_of
from evals.stale_baselines import text_differs, token_rule
from evals.stale_cases import Case, Data, Label, read_data
from evals.stale_probes import is_stale
from evals.stale_scores import (
    old_values_of,
    rests_on,
    score,
    states,
)
from evals.stale_verdicts import Verdict, read_verdicts
from evals.stale_world import article_path, of_passages, with_articles

CASE = Case(
    id="a-1",
    corpus="a/help",
    article="refunds.md",
    title="Refunds",
    section="How long",
    date="2026-01-01",
    old_passage="A refund takes **5 days** to reach you.",
    new_passage="A refund takes **9 days** to reach you.",
    question="How long does a refund take?",
    old_answer="5 days",
    new_answer="9 days",
)


def verdict(
    name: str, flagged: bool, score: float = 0.5, probe: str = "diff", draft: str | None = None
) -> Verdict:
    cited = None if draft is None else (CASE.new_passage,)
    return Verdict(name, probe, flagged, score, "why", 0.1, draft, cited)


def figures_of(
    labels: dict[str, Label], verdicts: list[Verdict], case: Case = CASE
) -> dict[str, Figure]:
    cases = [replace(case, id=name) for name in labels]
    return score(cases, labels, verdicts).figures


CHANGED, SAME = Label(True, "duration"), Label(False, "reword")


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(0, 0, 0.0, 1.0), (10, 10, 0.7225, 1.0), (0, 10, 0.0, 0.2775), (81, 263, 0.2553, 0.3662)],
)
def test_wilson_intervals_are_those_of_the_textbook(hits: int, n: int, low: float, high: float):
    assert list(wilson(hits, n)) == pytest.approx([low, high], abs=1e-4)


def test_a_detector_is_scored_on_what_it_found_and_what_it_disturbed():
    labels = {"a": CHANGED, "b": CHANGED, "c": SAME, "d": SAME, "e": SAME}
    given = [
        verdict("a", True, 0.9),
        verdict("b", False, 0.3),
        verdict("c", True, 0.6),
        verdict("d", False, 0.1),
        verdict("e", False, 0.3),
    ]
    figures = figures_of(labels, given)
    assert figures["diff.recall"] == share(1, 2)
    assert figures["diff.false_alarms"] == share(1, 3)
    assert figures["diff.precision"] == share(1, 2)
    assert figures["diff.f1"].value == 0.5
    assert figures["diff.auroc"].value == pytest.approx((3 + 1.5) / 6)
    assert figures["diff.recall.duration"] == share(1, 2)


def test_an_area_needs_both_kinds():
    assert auroc([(0.4, True), (0.2, True)]) is None
    assert auroc([(0.4, True), (0.4, False)]) == 0.5


def test_the_curve_counts_what_passes_unseen_at_each_score():
    points = risk_coverage([(0.1, False), (0.2, True), (0.2, False), (0.9, True)])
    assert [(p.coverage, p.risk) for p in points] == [
        (0.25, 0.0),
        (0.75, pytest.approx(1 / 3)),
        (1.0, 0.5),
    ]


def test_an_old_draft_of_kind_added_does_not_count_for_recall():
    labels = {"a": CHANGED, "b": Label(True, "added"), "c": SAME}
    given = [verdict(name, name == "a", probe="draft_old") for name in labels]
    figures = figures_of(labels, given)
    assert figures["draft_old.recall"] == share(1, 1)
    assert figures["draft_old.recall.added"] == share(0, 1)


def test_every_stopped_right_answer_is_a_false_alarm_whatever_the_kind():
    labels = {"a": CHANGED, "b": SAME}
    figures = figures_of(labels, [verdict(name, True, probe="draft_new") for name in labels])
    assert figures["draft_new.false_alarms"] == share(2, 2)


def test_an_edit_without_a_label_is_not_scored():
    scores = score(
        [CASE, replace(CASE, id="b")], {"b": CHANGED}, [verdict("a-1", False), verdict("b", True)]
    )
    assert scores.figures["diff.recall"] == share(1, 1)
    assert scores.misses == []


@pytest.mark.parametrize(
    ("draft", "says"),
    [
        ("Refunds take five days.", True),
        ("Refunds take 9 days.", False),
        ("Within 5 days you hear from us, and in 9 days it is there.", True),
        ("Soon.", False),
    ],
)
def test_a_draft_that_states_an_old_value_is_found_in_any_spelling(draft: str, says: bool):
    assert (states(draft, old_values_of(CASE)) is not None) is says


def test_a_value_that_the_newer_passage_still_holds_is_not_old():
    still = replace(CASE, new_passage="Refunds take 9 days, exchanges 5 days.")
    assert old_values_of(still) == []


def test_asking_is_scored_on_values_and_on_the_passage_it_rests_on():
    figures = figures_of(
        {"a": CHANGED, "b": CHANGED},
        [
            verdict("a", True, probe="ask", draft="It takes 5 days."),
            verdict("b", False, probe="ask", draft="It takes 9 days."),
        ],
    )
    assert figures["ask.old_value.duration"] == share(1, 2)
    assert figures["ask.new_value"] == share(1, 2)
    assert figures["ask.rests_on_new"] == share(2, 2)
    assert figures["ask.stale"] == share(1, 2)


def test_an_old_value_is_unnoticed_only_where_nothing_is_held_against_the_draft():
    told = verdict("a", True, probe="ask", draft="It takes 5 days.")
    silent = replace(told, id="b", findings=())
    shown = replace(told, findings=("“Refunds” says “9 days” where this source says “5 days”.",))
    labels = {"a": CHANGED, "b": CHANGED}
    assert figures_of(labels, [shown, silent])["ask.old_value_unnoticed"] == share(1, 2)
    assert figures_of(labels, [shown, silent])["ask.old_value"] == share(2, 2)
    assert "ask.old_value_unnoticed" not in figures_of(labels, [told, silent])


def test_resting_on_a_passage_means_its_words_not_its_markup():
    assert rests_on("A refund takes **5 days**.", ["A refund takes 5 days."])
    assert rests_on("- One long sentence here. Another one.", ["One long sentence here."])
    assert not rests_on("A refund takes 5 days.", ["A refund takes 9 days.", ""])


def test_the_baselines_flag_what_they_are_named_for():
    reworded = replace(CASE, new_passage="A refund needs 5 days to reach you.")
    assert text_differs(reworded).flagged
    assert not token_rule(reworded).flagged
    assert token_rule(CASE).flagged
    assert not text_differs(
        replace(CASE, new_passage="A refund takes 5 days to reach you.")
    ).flagged


# Labels stay out of what probes see


def test_a_case_has_no_room_for_a_label():
    assert {field.name for field in fields(Case)}.isdisjoint({"changed", "kind", "edit", "fact"})


def test_the_same_cases_are_read_with_and_without_labels(tmp_path: Path):
    row = {
        "id": "a-1",
        "old_passage": "5 days",
        "new_passage": "9 days",
        "changed": True,
        "kind": "duration",
        "edit": "wording",
    }
    bare = {key: value for key, value in row.items() if key not in ("changed", "kind", "edit")}
    (tmp_path / "with.jsonl").write_text(json.dumps(row))
    (tmp_path / "without.jsonl").write_text(json.dumps(bare))
    labelled, plain = (
        read_data([tmp_path / "with.jsonl"]),
        read_data([tmp_path / "without.jsonl"]),
    )
    assert labelled.cases == plain.cases
    assert labelled.labels == {"a-1": CHANGED}
    assert plain.labels == {}


# Bad input


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "pairs.jsonl:2: not valid JSON"),
        ('{"id": "b"}', "pairs.jsonl:2: old_passage"),
        ('{"id": "b", "old_passage": 3, "new_passage": "x"}', "pairs.jsonl:2: old_passage"),
        ('{"id": "b", "old_passage": " ", "new_passage": ""}', "both passages are empty"),
        ('{"id": "a", "old_passage": "x", "new_passage": "y"}', "ids must be unique"),
        (
            '{"id": "b", "old_passage": "x", "new_passage": "y", "changed": "yes"}',
            "pairs.jsonl:2: changed",
        ),
        (
            '{"id": "b", "old_passage": "x", "new_passage": "y", "old_article": "a.md"}',
            "new_article: name both",
        ),
        (
            '{"id": "b", "old_passage": "x", "new_passage": "y", "old_article": "a.md",'
            ' "new_article": "a.md"}',
            "old_article: there is no file",
        ),
        (
            '{"id": "b", "old_passage": "x", "new_passage": "y", "old_article": "../a",'
            ' "new_article": "/etc/passwd"}',
            "must be a path below",
        ),
        ("[1]", "pairs.jsonl:2: "),
        (r'{"id": "b", "old_passage": "\ud800", "new_passage": "y"}', "old_passage: holds half"),
    ],
)
def test_a_line_that_is_no_edit_is_named(tmp_path: Path, line: str, said: str):
    file = tmp_path / "pairs.jsonl"
    file.write_text('{"id": "a", "old_passage": "x", "new_passage": "y"}\n' + line)
    with pytest.raises(BadInput) as refusal:
        read_data([file])
    assert said in refusal.value.message


def test_missing_and_empty_files_are_named(tmp_path: Path):
    with pytest.raises(BadInput, match="there is no such file"):
        read_data([tmp_path / "none.jsonl"])
    (tmp_path / "pairs.jsonl").write_text("\n\n")
    with pytest.raises(BadInput, match="holds no edit"):
        read_data([tmp_path])


def test_a_limit_spreads_over_the_file(tmp_path: Path):
    lines = [json.dumps({"id": str(n), "old_passage": "x", "new_passage": "y"}) for n in range(10)]
    (tmp_path / "pairs.jsonl").write_text("\n".join(lines))
    assert [case.id for case in read_data([tmp_path], limit=3).cases] == ["0", "3", "6"]


# Help centers


def test_a_second_edit_of_an_article_waits_for_the_next_round(tmp_path: Path):
    files = []
    for name in "abc":
        file = tmp_path / f"{name}.md"
        file.write_text(f"# {name}")
        files.append(file)
    first = replace(CASE, id="1", date="2026-01-01", old_article=files[0], new_article=files[1])
    same = replace(first, id="2")
    later = replace(first, id="3", date="2026-02-01", old_article=files[1], new_article=files[2])
    (center,) = with_articles([later, first, same])
    rounds = [[case.id for edit in edits for case in edit.cases] for edits in center.rounds]
    assert rounds == [["1", "2"], ["3"]]


REFUNDS = (
    "We refund what you paid to the card you paid with. Has that card expired, write to us first.\n"
)
REWRITTEN = (
    f"{REFUNDS}\nGift cards are not refunded, and a voucher is sent again by post instead.\n"
)
OTHER = "A parcel leaves the house on the day you order, if you order before noon on a workday.\n"


def moving(
    tmp_path: Path, path: str, *, text: str = REFUNDS, day: str = "2026-02-01", title: str = "Fees"
) -> list[str]:
    """Replay an edit of docs/a.md and one of ``path`` with ``text``; return where they lie."""
    files = []
    for number, words in enumerate((REFUNDS, REFUNDS, text, f"{text} 9 days")):
        file = tmp_path / f"{number}.md"
        file.write_text(words)
        files.append(file)
    first = replace(
        CASE, id="1", article="docs/a.md", title="Refunds", date="2026-01-01",
        old_article=files[0], new_article=files[1],
    )  # fmt: skip
    later = replace(
        first, id="2", article=path, title=title, date=day,
        old_article=files[2], new_article=files[3],
    )  # fmt: skip
    (center,) = with_articles([first, later])
    return [edit.path for edits in center.rounds for edit in edits]


@pytest.mark.parametrize(
    ("path", "text", "title"),
    [
        ("en/docs/b.md", REFUNDS, "Fees"),
        ("en/docs/b.md", REWRITTEN, "refunds"),
        ("docs/a/index.md", REWRITTEN, "Fees"),
    ],
)
def test_an_article_that_moved_does_not_leave_its_last_text_in_force(
    tmp_path: Path, path: str, text: str, title: str
):
    assert moving(tmp_path, path, text=text, title=title) == ["docs/a.md", "docs/a.md"]


@pytest.mark.parametrize(
    ("text", "title", "day"),
    [
        (REFUNDS, "Refunds", "2026-01-01"),
        (REWRITTEN, "Fees", "2026-02-01"),
        (OTHER, "Refunds", "2026-02-01"),
        (OTHER, "", "2026-02-01"),
    ],
)
def test_an_article_that_stood_beside_it_or_says_else_is_another_one(
    tmp_path: Path, text: str, title: str, day: str
):
    found = moving(tmp_path, "en/docs/b.md", text=text, title=title, day=day)
    assert found == ["docs/a.md", "en/docs/b.md"]


def test_an_article_moves_to_one_place_only(tmp_path: Path):
    names = ("first", "near", "same")
    texts = (REFUNDS, REWRITTEN, REFUNDS)
    cases = []
    for number, (name, text) in enumerate(zip(names, texts, strict=True)):
        file = tmp_path / f"{name}.md"
        file.write_text(text)
        cases.append(
            replace(
                CASE,
                id=name,
                article=f"{name}.md",
                date=f"2026-0{min(number, 1) + 1}-01",
                old_article=file,
                new_article=file,
            )
        )
    (center,) = with_articles(cases)
    paths = [edit.path for edits in center.rounds for edit in edits]
    assert sorted(paths) == ["first.md", "first.md", "near.md"]


def test_an_edit_without_articles_becomes_one(tmp_path: Path):
    (center,) = of_passages([replace(CASE, section="## How long")])
    ((edit,),) = center.rounds
    assert edit.old == "# Refunds\n\n## How long\n\nA refund takes 5 days to reach you.\n"


def test_a_heading_joined_to_its_passage_does_not_swallow_it():
    joined = replace(CASE, old_passage="## How long 5 days.", new_passage="## How long 9 days.")
    (center,) = of_passages([joined])
    ((edit,),) = center.rounds
    assert edit.old == "# Refunds\n\n## How long\n\nHow long 5 days.\n"


@pytest.mark.parametrize(
    ("name", "suffix", "path"),
    [
        ("docs/a.md", ".md", "docs/a.md"),
        ("../../.hidden/a b.html", ".html", "hidden/a-b.html"),
        ("page", ".exe", "page.md"),
        ("/", ".md", "article.md"),
    ],
)
def test_an_article_lies_where_a_sync_reads_it(name: str, suffix: str, path: str):
    assert article_path(name, suffix) == path


# Gates


FIGURES = {"diff.recall": share(9, 10), "diff.auroc": Figure(0.95, 20)}


def gate(**bounds: Any) -> Gate:
    return Gate.model_validate({"suite": "stale", "figures": bounds})


def test_a_gate_that_holds_says_nothing():
    bounds = {"diff.recall": {"minimum": 0.9}, "diff.auroc": {"maximum": 0.95}}
    assert failures(gate(**bounds), FIGURES) == []


def test_a_gate_that_fails_says_what_was_measured_and_what_was_asked():
    (said,) = failures(gate(**{"diff.recall": {"minimum": 0.97}}), FIGURES)
    assert said == "diff.recall is 0.900 (9 of 10); the gate asks for at least 0.97."
    (said,) = failures(gate(**{"diff.auroc": {"maximum": 0.9}}), FIGURES)
    assert said == "diff.auroc is 0.950; the gate allows at most 0.9."


def test_what_was_not_measured_fails_unless_it_is_optional():
    (said,) = failures(gate(**{"ask.old_value": {"maximum": 0}}), FIGURES)
    assert "could not be measured" in said
    assert failures(gate(**{"ask.old_value": {"maximum": 0, "optional": True}}), FIGURES) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("suite: triage\nfigures: {diff.recall: {minimum: 1}}", "is for 'triage'"),
        ("suite: stale\nfigures:\n  diff.recall: {}", "gate.yaml:3"),
        ("suite: stale\nfigures:\n  diff.recall: {min: 1}", "gate.yaml:3"),
        ("suite: stale\nfigures: {}", "gate.yaml:2"),
    ],
)
def test_a_file_that_is_no_gate_is_named_with_its_line(tmp_path: Path, text: str, said: str):
    file = tmp_path / "gate.yaml"
    file.write_text(text)
    with pytest.raises(BadInput) as refusal:
        read_gate(file, "stale")
    assert said in refusal.value.message


def test_the_gates_that_ship_are_gates():
    folder = Path(__file__).resolve().parents[2] / "evals" / "gates"
    found = sorted(folder.glob("*.yaml"))
    assert found
    for file in found:
        suite = yaml.safe_load(file.read_text())["suite"]
        assert read_gate(file, suite).figures


def test_a_gate_asks_for_a_verdict_on_every_edit_that_its_probe_is_asked_about():
    asked = replace(CASE, id="b", new_article=Path("new.md"), old_article=Path("old.md"))
    data = Data((replace(CASE, id="a"), asked), {"a": CHANGED, "b": CHANGED})
    bounds = gate(**{"diff.recall": {"minimum": 0.9}, "ask.drafted": {"minimum": 0.9}})
    on_all = [verdict("a", True), verdict("b", True), verdict("b", False, probe="ask", draft="9")]
    assert report_of(Run(on_all, {}), data, gate=bounds).gate_failures == []
    (said,) = report_of(Run(on_all[1:], {}), data, gate=bounds).gate_failures or [""]
    assert said.startswith("1 of 2 labelled edits has no verdict of diff")


# Reports and runs


HOSTILE = (
    "<script>alert(1)</script> ``` | [x](javascript:alert(1)) ![i](https://evil.example/i.png)"
)


def report(baseline: Path | None = None, flagged: bool = False) -> Report:
    case = replace(
        CASE, id="<b>id</b>", old_passage=HOSTILE, new_passage=HOSTILE + "!", question=HOSTILE
    )
    data = Data((case,), {case.id: Label(True, "<i>kind</i>")})
    found = [replace(verdict(case.id, flagged), why=HOSTILE)]
    return report_of(Run(found, {"data": HOSTILE}), data, baseline=baseline)


def test_nothing_from_outside_becomes_markup_on_the_page():
    page = as_html(report())
    assert "alert(1)" in page
    for markup in ("<script", "<b>id", "<i>kind", "<img", "<a "):
        assert markup not in page


def test_nothing_from_outside_leaves_its_code_span_in_markdown():
    text = as_markdown(report())
    from markdown_it import MarkdownIt

    kinds = {
        child.type
        for token in MarkdownIt("commonmark").parse(text)
        for child in token.children or ()
    }
    assert "code_inline" in kinds
    assert not kinds & {"link_open", "image", "html_inline"}


def test_a_page_shows_the_miss_with_both_passages():
    page = as_html(report())
    assert "missed a change" in page
    assert page.count("&lt;script&gt;alert(1)") >= 2


def test_a_run_can_be_opened_and_scored_again(tmp_path: Path):
    write_run(tmp_path / "run", report())
    assert {file.name for file in (tmp_path / "run").iterdir()} == {
        "verdicts.jsonl",
        "run.json",
        "report.md",
        "report.html",
    }
    again = reopened(tmp_path / "run", read_verdicts)
    assert again.verdicts == list(report().verdicts)
    assert again.about["data"] == HOSTILE


def test_a_comparison_tells_what_got_better(tmp_path: Path):
    write_run(tmp_path / "before", report())
    compared = report(tmp_path / "before", flagged=True).comparison
    assert compared is not None
    (flip,) = compared.flips
    assert (flip.was, flip.now, flip.better) == ("passed", "flagged", True)
    assert compared.now["diff.recall"].value == 1.0
    assert compared.figures["diff.recall"].value == 0.0


def test_verdicts_come_back_as_they_were_written(tmp_path: Path):
    given = [verdict("a", True, 0.25), verdict("a", False, 0.0, "ask", "Hello,\n\n5 days")]
    write_rows(tmp_path / "deep" / "out.jsonl", [one.as_json() for one in given])
    assert read_verdicts(tmp_path / "deep" / "out.jsonl") == given
    lines = (tmp_path / "deep" / "out.jsonl").read_text().splitlines()
    keys = [list(json.loads(line)) for line in lines]
    assert keys == [
        ["id", "probe", "flagged", "score", "why", "seconds"],
        ["id", "probe", "flagged", "score", "why", "seconds", "draft", "cited"],
    ]


def test_a_broken_verdict_file_is_named_with_its_line(tmp_path: Path):
    file = tmp_path / "verdicts.jsonl"
    file.write_text('{"id": "a", "probe": "diff", "flagged": true, "score": 0.5}\n{"id": "b"}\n')
    with pytest.raises(BadInput, match=r"verdicts.jsonl:2: probe"):
        read_verdicts(file)


# What makes a draft stale


def article(tmp_path: Path, text: str) -> Case:
    file = tmp_path / "new.md"
    file.write_text(text)
    return replace(CASE, old_article=file, new_article=file)


def test_a_draft_that_rests_on_the_older_passage_is_stale(tmp_path: Path):
    case = article(tmp_path, "# Refunds\n\nA refund takes **9 days** to reach you.\n")
    assert is_stale(case, "It takes 5 days.", ["A refund takes 5 days to reach you."])[0]
    assert is_stale(case, "It takes a while.", ["A refund takes 5 days to reach you."])[0]
    assert not is_stale(case, "It takes 9 days.", ["A refund takes 9 days to reach you."])[0]


def test_a_passage_that_only_moved_is_not_stale(tmp_path: Path):
    moved = (
        "# Refunds\n\nIt takes **9 days**.\n\n## Cards\n\nA refund takes **5 days** to reach you.\n"
    )
    case = article(tmp_path, moved)
    assert not is_stale(case, "It takes 5 days.", ["A refund takes **5 days** to reach you."])[0]
    assert is_stale(case, "It takes 5 days.", ["It takes **9 days**."])[0]
