"""How questions fare that are spoken instead of written: ``python -m bench.spoken DATA [--home DIR]``.

DATA is ``../shared/data/policy-changes``. Each question is dressed as what somebody says on the
phone, in several ways that know nothing of the product, and carried to a draft: in the help center
that answers it, where the draft should cite the passage that does, and in another one, where the desk
should say that it has no source. The same questions as they were written stand in the first row.

``call`` is held out: it was written before anything was changed and nobody has read what it gets
wrong. A question is dressed by a generator seeded with its own words, so every run asks the same.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from bench._measure import one_thread_for_products
from bench.retrieval import help_center, is_hit
from core.clock import SystemClock
from graph.classify import question_of
from graph.extractive import ExtractiveDrafter
from graph.finding import find
from graph.values import Conversation, Draft, one_message
from kb.content import Passage
from kb.library import Library
from retrieval.embeddings import load_embedder
from retrieval.ports import Hit
from retrieval.remembering import RememberingEmbedder
from retrieval.search import SearchService
from retrieval.vector_index import ExactIndex

HELD_OUT: Final = "call"
PASSAGES: Final = 8

Turns = list[tuple[str, str]]  # speaker and words

_FILLERS: Final = ("um", "uh", "er", "like", "you know", "well", "sort of", "um")
_GREETINGS: Final = (
    "hi", "hello", "yeah hi", "good morning", "hi there", "oh hello", "yes hello", "hey um",
)  # fmt: skip
_STORIES: Final = (
    "ive been with you for about three years now",
    "im not very good with these things",
    "my husband set all of this up and he is away this week",
    "i had a look on the website but i couldnt really find it",
    "i was talking to a friend of mine about it on sunday",
    "im in the car so sorry if the line is bad",
    "somebody told me something but i didnt write it down",
    "i got a message about this the other day",
    "its been a bit of a week to be honest",
    "i did try to call yesterday but i was on hold for ages",
    "we are a small office just the four of us",
)  # fmt: skip
_CHATTER: Final = (
    "can you hear me okay",
    "am i through to the right department",
    "how are you today",
    "is this a good time",
    "do you need my name first",
)  # fmt: skip
_LEADS: Final = (
    "so i wanted to ask", "so my question is", "i just wanted to know", "so basically",
    "and what i need to know is", "so yeah", "anyway", "i was just wondering",
)  # fmt: skip
_TAILS: Final = (
    "thanks", "thank you so much", "thats all really", "thanks bye", "if you could let me know",
    "sorry for going on", "that would be great",
)  # fmt: skip
_NAMES: Final = ("margaret oconnell", "dave pruitt", "ines okafor", "tom barlow", "priscilla shaw")
_STREETS: Final = ("twelve mill lane", "four hundred and six elm street", "flat nine harbour court")
_DIGITS: Final = ("oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_INDIRECT: Final = (
    (r"^how (do|can|should|could|would) (i|we) ", "how to "),
    (r"^(can|could|may|should) (i|we) ", r"if \2 \1 "),
    (r"^(can|could|do|will|would) you ", r"if you \1 "),
    (r"^(do|will|would) (i|we) ", r"if \2 \1 "),
    (r"^what happens ", "what happens "),
)  # fmt: skip


def bare(text: str) -> str:
    """Return ``text`` as a transcript has it: small letters, no signs but within figures."""
    text = re.sub(r"['’]", "", text.casefold())
    return " ".join(re.sub(r"(?<!\d)[.,:/-]|[.,:/-](?!\d)|[^\w\s.,:/$%-]", " ", text).split())


def _hesitating(words: str, dice: random.Random, often: float = 0.16) -> str:
    said: list[str] = []
    for word in words.split():
        chance = dice.random()
        if said and chance < often / 2:
            said.append(dice.choice(_FILLERS))
        elif chance < often:
            said.append(word)
        said.append(word)
    return " ".join(said)


def _digits(dice: random.Random, count: int) -> str:
    return " ".join(dice.choice(_DIGITS) for _ in range(count))


def _plain(question: str, other: str, dice: random.Random) -> Turns:
    return [("customer", question)]


def _bare(question: str, other: str, dice: random.Random) -> Turns:
    return [("customer", bare(question))]


def _hesitant(question: str, other: str, dice: random.Random) -> Turns:
    words = bare(question)
    start = " ".join(words.split()[: dice.randint(1, 3)])
    return [("customer", f"{dice.choice(_GREETINGS)} um {start} {_hesitating(words, dice)}")]


def _story(question: str, other: str, dice: random.Random) -> Turns:
    stories = " and ".join(dice.sample(_STORIES, 2))
    said = f"{stories} {dice.choice(_LEADS)} {bare(question)}"
    parts = [dice.choice(_GREETINGS), _hesitating(said, dice, 0.1), dice.choice(_TAILS)]
    if dice.random() < 0.4:
        parts.insert(1, dice.choice(_CHATTER))
    return [("customer", " ".join(parts))]


def _read_out(question: str, other: str, dice: random.Random) -> Turns:
    name = dice.choice(_NAMES)
    spelled = " ".join(name.rpartition(" ")[2])
    said = (
        f"{dice.choice(_GREETINGS)} my name is {name} thats {spelled} and my number is"
        f" {_digits(dice, 8)} im at {dice.choice(_STREETS)} {dice.choice(_LEADS)}"
        f" {bare(question)} {dice.choice(_TAILS)}"
    )
    return [("customer", _hesitating(said, dice, 0.06))]


def _two_wishes(question: str, other: str, dice: random.Random) -> Turns:
    first, second = dice.sample([bare(question), bare(other)], 2)
    joined = dice.choice(("and also", "and then", "oh and", "and the other thing is"))
    said = f"{dice.choice(_GREETINGS)} {dice.choice(_LEADS)} {first} {joined} {second}"
    return [("customer", _hesitating(said, dice, 0.08))]


def _indirect(question: str, other: str, dice: random.Random) -> Turns:
    words = bare(question)
    for pattern, told in _INDIRECT:
        turned, times = re.subn(pattern, told, words)
        if times:
            lead = dice.choice(("i dont know", "i cant work out", "id like to know", "im not sure"))
            words = f"{lead} {turned}"
            break
    else:
        words = f"could you tell me {words}"
    said = f"{dice.choice(_STORIES)} and {words} {dice.choice(_TAILS)}"
    return [("customer", f"{dice.choice(_GREETINGS)} {_hesitating(said, dice, 0.1)}")]


def _call(question: str, other: str, dice: random.Random) -> Turns:
    opening = dice.choice(
        (
            "Hello? Oh good, a person. Um, right, so,",
            "Yes, hi, it's me again, I rang on Tuesday,",
            "Morning. I hope you can help, it's, it's a bit of an odd one,",
            "Hiya, is that support? Great. Right,",
        )
    )
    words = question.split()
    cut = dice.randint(1, max(1, len(words) // 2))
    broken = f"{' '.join(words[:cut])}, no wait, sorry, let me, {' '.join(words[:cut])}"
    broken = f"{broken}, uh, {' '.join(words[cut:]).rstrip('?.!')}"
    end = dice.choice(
        (
            ", because, you know, I'd rather ask before I do something silly.",
            "? I mean I could be wrong.",
            ", is what I'm asking. My sister thinks I already know that.",
            ". I've got a pen here. Go ahead.",
        )
    )
    asked = dice.choice(
        (
            "Sure. Could I have your account number, please?",
            "Of course. May I take your name first?",
        )
    )
    answer = f"Yeah, it's, um, {_digits(dice, 3)}, no, {_digits(dice, 6)}."
    return [
        ("customer", f"{opening} {dice.choice(_STORIES)}, {broken}{end}"),
        ("agent", asked),
        ("customer", answer),
    ]


DRESSINGS: Final[Mapping[str, Callable[[str, str, random.Random], Turns]]] = {
    "written": _plain,
    "bare": _bare,
    "hesitant": _hesitant,
    "story": _story,
    "read_out": _read_out,
    "two_wishes": _two_wishes,
    "indirect": _indirect,
    HELD_OUT: _call,
}
"""How a question is said: of the question, another one of the same help center, and dice."""


def dressed(question: str, other: str, how: str) -> Conversation:
    """Return the contact in which ``question`` is said; the same words give the same contact."""
    turns = DRESSINGS[how](question, other, random.Random(f"{how} {question}"))
    contact = one_message(question)
    first = contact["turns"][0]
    said = [
        {**first, "id": f"{first['id']}-{at}", "speaker": speaker, "text": text}
        for at, (speaker, text) in enumerate(turns)
    ]
    channel = "email" if how == "written" else "voice"
    return {**contact, "channel": channel, "turns": said}  # type: ignore[typeddict-item]


class HelpCenter:
    """One company's articles, and the way from a contact to a draft over them."""

    def __init__(self, library: Library, service: SearchService, reader: RememberingEmbedder):
        self._service = service
        self._drafter = ExtractiveDrafter(reader, library)
        service.refresh()

    def answer(self, contact: Conversation) -> tuple[list[Hit], Draft]:
        """Return what is found for ``contact`` and what is drafted of it."""
        question = question_of(contact)
        hits = find(self._service, question, PASSAGES)
        return hits, self._drafter.draft(contact, question, hits)


@contextmanager
def help_centers(
    rows: Iterable[Mapping[str, Any]], data: Path, home: Path
) -> Iterator[dict[str, HelpCenter]]:
    """Sync the articles that answer ``rows`` as one help center a corpus."""
    articles: dict[str, set[Path]] = {}
    for row in rows:
        articles.setdefault(row["corpus"], set()).add(data / row["new_article"])
    embedder = load_embedder()
    with ExitStack() as stack:
        found: dict[str, HelpCenter] = {}
        for corpus, paths in sorted(articles.items()):
            folder = home / re.sub(r"\W+", "-", corpus)
            folder.mkdir(parents=True, exist_ok=True)
            database, library = stack.enter_context(help_center(sorted(paths), folder))
            reader = RememberingEmbedder(embedder)
            service = SearchService(
                database,
                library,
                embedder,
                ExactIndex(embedder.dimensions),
                SystemClock(),
                reader=reader,
            )
            found[corpus] = HelpCenter(library, service, reader)
        yield found


def _right(passage: Passage, wanted: Mapping[str, Any]) -> bool:
    return is_hit(passage, wanted["new_passage"])


def measure(
    rows: Sequence[Mapping[str, Any]], centers: Mapping[str, HelpCenter], how: str
) -> Counter[str]:
    """Ask every question said in one way at home and elsewhere; return what came of it."""
    count: Counter[str] = Counter()
    corpora = sorted(centers)
    for at, row in enumerate(rows):
        own = [one["question"] for one in rows if one["corpus"] == row["corpus"]]
        other = own[(own.index(row["question"]) + len(own) // 2) % len(own)]
        contact = dressed(row["question"], other, how)
        hits, draft = centers[row["corpus"]].answer(contact)
        right = {hit.passage.id for hit in hits if _right(hit.passage, row)}
        cited = {c["passage_id"] for s in draft["sentences"] for c in s["citations"]}
        count["questions"] += 1
        count["found"] += bool(right)
        count["drafted"] += draft["kind"] == "answer"
        count["right"] += bool(right & cited)
        others = [corpus for corpus in corpora if corpus != row["corpus"]]
        _, draft = centers[others[at % len(others)]].answer(contact)
        count["abstained elsewhere"] += draft["kind"] == "abstain"
    return count


def figures_of(count: Mapping[str, int]) -> dict[str, float]:
    """Return shares of the questions; of ``right of drafts`` of the drafts."""
    asked = max(1, count["questions"])
    found = {name: count[name] / asked for name in ("found", "drafted", "right")}
    return {
        **found,
        "right of drafts": count["right"] / max(1, count["drafted"]),
        "abstained elsewhere": count["abstained elsewhere"] / asked,
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Print one line for each way to say a question."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("data", type=Path, help="folder with pairs.jsonl and articles")
    parser.add_argument("--home", type=Path, help="keep databases and embeddings here")
    parser.add_argument("--how", choices=DRESSINGS, action="append", help="only these ways")
    parser.add_argument("--every", type=int, default=1, help="only each so many-th question")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    one_thread_for_products()
    lines = (options.data / "pairs.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines if line]
    with tempfile.TemporaryDirectory() as temporary:
        home = options.home or Path(temporary)
        with help_centers(rows, options.data, home) as centers:
            some = rows[:: options.every]
            found = {
                how: figures_of(measure(some, centers, how)) for how in options.how or DRESSINGS
            }
    if options.json:
        print(json.dumps(found, indent=1))
        return 0
    names = list(next(iter(found.values())))
    print(f"{len(some)} questions".ljust(16) + "".join(name.rjust(21) for name in names))
    for how, figures in found.items():
        print(how.ljust(16) + "".join(f"{figures[name]:21.3f}" for name in names))
    return 0


if __name__ == "__main__":
    sys.exit(main())
