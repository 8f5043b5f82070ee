"""Which judge of changes the suite asks: the shipped one, or one fitted without the help center.

The shipped judge was trained on edits of public help centers. On the edits it was trained on its
figures would flatter it: there ``--folds corpus`` fits a judge for each help center on the labelled
edits of all the others, threshold and word counts too. On a team's own history the shipped one is
asked, as in the product.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from core.errors import BadInput
from evals.stale_cases import Case, Data
from kb.changes import ChangeJudge
from kb.markup import mask_templates, plain_text

Folds = Literal["none", "corpus"]
JudgeOf = Callable[[str], ChangeJudge | None]
"""Corpus → the judge that may be asked about it; None for the product's own."""


def plain_passage(markdown: str) -> str:
    """Return a passage of the data as the product stores it: plain text, without templates."""
    return plain_text(mask_templates(markdown))


def judges(data: Data, folds: Folds, words: Path | None = None) -> tuple[ChangeJudge, JudgeOf, str]:
    """Return the shipped judge, the judge of each corpus, and words for which one is asked.

    Args:
        data: The edits; with folds, their labels fit the judges.
        folds: ``corpus`` fits a judge for each help center without its edits.
        words: Folder with unlabelled edits, from which words are counted; default the data's own.

    Raises:
        BadInput: Folds are wanted of data without labels, or of too few help centers.
    """
    shipped = ChangeJudge()
    if folds == "none":
        return shipped, lambda corpus: None, "the shipped one"
    from kb.train_changes import Row, judges_by_center

    learned = [case for case in data.cases if case.id in data.labels]
    corpora = sorted({case.corpus for case in learned})
    if len(corpora) < 3:  # one is left out, and the threshold is chosen on folds of the others
        raise BadInput(
            "--folds corpus: needs labelled edits of at least three help centers (field corpus)."
        )
    rows = [
        Row(
            id=case.id,
            corpus=_center(case),
            old=plain_passage(case.old_passage),
            new=plain_passage(case.new_passage),
            changed=data.labels[case.id].changed,
            kind=data.labels[case.id].kind,
        )
        for case in learned
    ]
    by_center = judges_by_center(rows, _words(data, words))
    fitted = {case.corpus: by_center[_center(case)] for case in learned}
    told = f"fitted anew without each of the {len(by_center)} help centers (folds by corpus)"
    return shipped, fitted.get, told


def _center(case: Case) -> str:
    """Return what stands before the number of an id: the name of the file of unlabelled edits."""
    return case.id.rpartition("-")[0] or case.corpus


def _words(data: Data, folder: Path | None) -> dict[str, tuple[int, Counter[str]]]:
    from kb.edits import word_keys
    from kb.train_changes import count_words

    if folder is not None:
        return count_words(folder)
    counts: dict[str, tuple[int, Counter[str]]] = {}
    for case in data.cases:
        passages, found = counts.get(_center(case), (0, Counter[str]()))
        found.update(word_keys(plain_passage(case.new_passage)))
        counts[_center(case)] = (passages + 1, found)
    return counts
