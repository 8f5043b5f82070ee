"""What a short answer says once it is read with its question. Pure, no model.

"Up to 60 days", "No, only with your consent" and "Not stated" mean nothing by themselves. Here an
answer is taken apart: whether it agrees or denies, what it says besides, and whether it says that
the source is silent. A question that can be answered by yes or no is turned into the two
statements it chooses between.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

SHORT: Final = 24
"""Words; a longer reply says by itself what it is about."""

Stance = Literal[-1, 0, 1]

_YES: Final = re.compile(
    r"\W*(?:yes|yeah|yep|correct|right|true|sure|absolutely|certainly|definitely|of\s+course)\b"
    r"[\s,.;:!–—-]*",
    re.I,
)
_NO: Final = re.compile(r"\W*(?:no|nope|false|never)\b(?=\W*$|\s*[,.;:!–—-])[\s,.;:!–—-]*", re.I)
_NOT_SO: Final = re.compile(
    r"\W*not\s+(?:yet|necessarily|really|always|definitely|currently|exactly|now|any\s?more|knowingly|"
    r"automatically|for|at\s+the\s+moment)\b",
    re.I,
)
_SILENT: Final = re.compile(
    r"\b(?:not|no|none|nothing|never|only)\b[^.;,]{0,50}?\b(?:stated|mentioned|addressed|specified|"
    r"given|described|documented|covered|discussed|listed|named|said)\b|"
    r"\b(?:(?:does|do|did)(?:\s+not|n['’]t)|cannot|can(?:\s+not|['’]t))\s+(?:say|state|mention|specify|"
    r"cover|address|describe|list|tell)\b|\bno\s+(?:such|time\s*frame)\b|\bis\s+gone\b|"
    r"\bno\b[^.;,]{0,40}\b(?:promised|offered|any\s?more|any\s+longer)\b",
    re.I,
)
_PART: Final = re.compile(r"[^;]+")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_AUXILIARIES: Final = _words(
    "am is are was were do does did can could may might must should will would shall has have had"
)
_PRONOUNS: Final = _words("i you we they it he she there this that these those")
_PREDICATE: Final = re.compile(
    r"(?:still|ever|always|actually|really|also|only|already|usually|safe|available|allowed|required|"
    r"possible|enough|fine|ok|okay|valid|free|a|an|in|on|to|have|get|need|work|count|expire|come|"
    r"matter|apply|\w{2,}ed)$",
    re.I,
)
_CONDITION: Final = re.compile(
    r"(?:if|when|after|before|once|as|since|with|i['’]m|we['’]re|from)\b[^,]*,\s*", re.I
)
_OTHER_SIDE: Final = {
    "i": "you", "me": "you", "my": "your", "mine": "yours", "we": "you", "our": "your",
    "us": "you", "you": "we", "your": "our", "yours": "ours", "am": "are",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer taken apart.

    Attributes:
        text: The words as they stand.
        stance: 1 where it says yes, -1 where it says no, 0 where it does neither.
        said: What it says besides yes or no, without the parts that tell of silence; may be empty.
        silent: Whether some part says that the source does not say.
    """

    text: str
    stance: Stance
    said: str
    silent: bool

    @property
    def only_silent(self) -> bool:
        """Whether it says nothing but that the source does not say."""
        return self.silent and not self.said


def read_answer(text: str) -> Answer:
    """Take an answer apart."""
    stance, rest = _stance(text)
    parts = [part.strip() for part in _PART.findall(rest)]
    told = [part for part in parts if part and not _SILENT.search(part)]
    silent = any(_SILENT.search(part) for part in parts)
    if silent and stance and told:
        # "No such rule is stated; only uploads are encrypted": the silence was the denial.
        return Answer(text, stance, "; ".join(told), silent)
    return Answer(text, 0 if silent and not told else stance, "; ".join(told), silent)


def is_short_answer(text: str) -> bool:
    """Say whether ``text`` is so short that it means little without its question."""
    return 0 < len(re.findall(r"\w+", text)) <= SHORT


def _stance(text: str) -> tuple[Stance, str]:
    yes = _YES.match(text)
    if yes:
        return 1, text[yes.end() :].strip()
    no = _NO.match(text)
    if no:
        return -1, text[no.end() :].strip()
    return (-1 if _NOT_SO.match(text) else 0), text.strip()


def alternatives(question: str) -> tuple[str, str] | None:
    """Return what yes and what no to ``question`` would state, from the desk's side.

    None when it cannot be answered by yes or no.
    ``Can I get a refund?`` → ``you can get a refund.``, ``you can not get a refund.``
    """
    asked = question.strip().rstrip("?").strip()
    last = re.split(r"(?<=[.!?])\s+", asked)[-1]
    before = asked[: len(asked) - len(last)]
    condition = _CONDITION.match(last)
    if condition:
        before += condition.group()
        last = last[condition.end() :]
    words = last.split()
    if len(words) < 2 or words[0].lower() not in _AUXILIARIES:
        return None
    auxiliary, rest = words[0].lower(), words[1:]
    length = 1 if rest[0].lower() in _PRONOUNS else _subject_length(rest)
    subject = _other_side(" ".join(rest[:length]))
    predicate = _other_side(" ".join(rest[length:]))
    shown = "are" if auxiliary == "am" else auxiliary
    plain = "" if auxiliary in {"do", "does", "did"} else f"{shown} "
    lead = _other_side(before)
    return f"{lead}{subject} {plain}{predicate}.", f"{lead}{subject} {shown} not {predicate}."


def _subject_length(words: list[str]) -> int:
    """Return how many of the words after the auxiliary name what the question is about."""
    for count in range(1, len(words)):
        if _PREDICATE.match(words[count]):
            return count
    return max(1, len(words) - 1)


def _other_side(text: str) -> str:
    return re.sub(
        r"[A-Za-z]+", lambda match: _OTHER_SIDE.get(match.group().lower(), match.group()), text
    )
