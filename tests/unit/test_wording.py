"""How texts are likened by the way they are put."""

import numpy as np
import pytest

from graph.wording import Wording, add_likeness

TEXTS = ["Smoke comes out of the plug!", "is it open  on sunday", "the PLUG smells burnt", "a a b"]
OTHERS = ["smoke from the plug", "zzz", "", "is it open on sundays? it is"]


@pytest.mark.parametrize("words", [True, False])
def test_it_likens_as_scikit_learn_does(words):
    from sklearn.feature_extraction.text import TfidfVectorizer

    readers = [TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)]
    if words:
        readers.append(
            TfidfVectorizer(token_pattern=r"\b\w+\b", ngram_range=(1, 2), sublinear_tf=True)
        )
    likeness = [
        (each.transform(OTHERS) @ known.T).toarray()
        for each in readers
        for known in [each.fit_transform(TEXTS)]
    ]
    ours = Wording(TEXTS, words=words)
    found = (ours.read(OTHERS) @ ours.examples.T).toarray()
    np.testing.assert_allclose(found, np.mean(likeness, axis=0), atol=1e-6)


def test_each_example_is_wholly_like_itself():
    likeness = np.zeros((len(TEXTS), len(TEXTS)), np.float32)
    add_likeness(likeness, Wording(TEXTS, words=True).examples, 0.5)
    np.testing.assert_allclose(np.diag(likeness), 0.5, atol=1e-6)


def test_words_never_met_leave_no_trace_in_what_is_read_later():
    wording = Wording(TEXTS, words=True)
    before = wording.read(TEXTS).toarray()
    wording.read(["quite unheard of words", "umbrella"])
    np.testing.assert_array_equal(wording.read(TEXTS).toarray(), before)
