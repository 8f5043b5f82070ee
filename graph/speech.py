"""Speech as somebody would have written it: hesitations left out, questions told from the story. Pure.

A transcript has few signs or none. What a customer wants is asked in a part of what they say, and
whoever looks for sentences finds one long one. Here the words stay the customer's; fillers, repeated
words and broken starts go, and a sentence ends where a question begins and where it is over. Questions
are known by their grammar (a question word, or a verb before its subject), not by their subject.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from core.vocabulary import Channel


def _set_of(words: str) -> frozenset[str]:
    return frozenset(words.split())


_FILLERS: Final = _set_of("um umm uh uhh uhm er err erm hmm hm mm mmm ah eh")
_FILLER_PHRASES: Final = (("you", "know"), ("i", "mean"))
_NO_FILLER_AFTER: Final = _set_of("do did dont if would as should let what how")
_NO_FILLER_BEFORE: Final = _set_of("what how where when why who which if that the")
_EDITING: Final = _set_of("no wait sorry well actually rather or i mean")
_LONGEST_REPEAT: Final = 8  # words
_LONGEST_EDITING: Final = 3  # words between what was broken off and what takes its place
_NUMBERS: Final = _set_of(
    "oh nought zero one two three four five six seven eight nine ten double triple hundred thousand"
)

_DIGITS: Final = _set_of(
    "oh nought zero one two three four five six seven eight nine double triple dash dot hyphen"
)
_LEAST_SPELLED: Final = 3  # signs in a row

_WH: Final = _set_of("how what when where why which who whose whats hows wheres whens whos")
_ASK_FOR: Final = _set_of("what which whose how")
_PREPOSITIONS: Final = _set_of("on in at by for from to with of under until since through")
_LONGEST_ASKED_FOR: Final = 3  # words: "which kind of"
_AUX: Final = _set_of(
    "do does did can could will would should shall may might must is are was were am has have dont"
    " doesnt didnt cant couldnt wont wouldnt shouldnt isnt arent wasnt hasnt havent"
)
_TO_BE: Final = _set_of(
    "is are was were am isnt arent wasnt has have hasnt havent must might shall"
)
_SUBJECTS: Final = _set_of("i you we they it he she there that this these those")
_DETERMINED: Final = _set_of(
    "my your our the a an any anyone anybody somebody someone anything everything all his her their"
)
_DEGREES: Final = _set_of(
    "long much many often soon far big large old late early quickly quick fast high low close small"
    " wide deep heavy strong likely secure safe"
)
_BREAKS: Final = _set_of(
    "and or but so also then plus okay ok yes yeah no hi hello hey well now please anyway basically is"
    " know ask asking wondering wonder wondered me sure out idea understand see check question thing"
    " again because like just though right first second"
)
_ASKED_BEFORE: Final = _set_of(
    "know ask asking wondering wonder wondered me sure out idea understand see check question is say"
    " explain tell remember clear about"
)
_LEADING: Final = _set_of(
    "can could would will do did you i we id tell me please know let ask just like to explain say"
    " help with maybe happen perhaps check see look find out if was were wondering want wanted is it"
    " possible"
)
_LEADING_UP: Final = _LEADING | _set_of(
    "and so but or my our question dont not sure need needed basically yeah really wanna understand"
    " remember clear idea no have wonder asking the other thing also well now then okay about"
)
_OPENING: Final = _set_of(
    "yeah yes yep hi hello hey hiya okay ok right so well oh and but now anyway basically listen look"
)
_REASONS: Final = _set_of("because cause cos")
_LEAST_WITHOUT_REASON: Final = 7  # words of a question that means the same without its reason
_ENDS: Final = _set_of("thanks thank sorry anyway bye cheers ta")
_JOINS: Final = _set_of("and but so or")
_TELLS: Final = _set_of("i im ive id ill my he she his her they theyre we were weve its theres")
_SAYS_NOTHING: Final = _OPENING | _ENDS | _TELLS
_CONDITIONS: Final = _set_of("if when once after before unless whenever while until")
_LONGEST_CONDITION: Final = 15  # words
_LEAST_ASKED: Final = 3  # words of a question before it can be over
_LEAST_TOLD: Final = 10  # words of a story before a new sentence of it begins

_TAG: Final = re.compile(
    r"(?:is|are|was|does|do|did|can|will|has|have)(?:nt)? (?:it|that|they|you|he|she|there|i|we)"
)
_OF_THE_CALL: Final = re.compile(
    r"(?:and |so |but |oh )*(?:(?:can|could|do) you hear me|are you (?:still )?there|is any(?:one|body) there"
    r"|am i (?:through|speaking|talking|on)\b|is (?:this|that) (?:the right|a good|a bad|support|customer)"
    r"|how are you|how(?:s| is) it going|do you (?:need|want) my (?:name|number|account|address|email)"
    r"|(?:have|do) you (?:got|have) (?:a|my) (?:pen|minute|moment|second|name|details)"
    r"|(?:can|could) you help(?: me)?(?: out)?(?: with (?:this|that|something))?$"
    r"|(?:is|was) that (?:ok|okay|all ?right|right|clear|fine)$|(?:does|did) that make sense)"
)
_LEAST_AFTER_CALL: Final = 4  # words after "can you hear me" that say something else
_RUN_ON: Final = (
    20  # words without a sign that ends a sentence, from which on writing is like speech
)
_SIGN: Final = re.compile(r"[.?!…;:\n]")
_LONGEST_TEXT: Final = 20_000  # characters


@dataclass(frozen=True, slots=True)
class _Word:
    """A word as it was said, as it is compared, and whether there was a pause before it."""

    said: str
    plain: str
    pause: bool


def is_speech(text: str, channel: Channel) -> bool:
    """Whether ``text`` was said, or was written as people speak: at length without a sign."""
    return channel == "voice" or (len(text.split()) >= _RUN_ON and not _SIGN.search(text.strip()))


def as_written(text: str, channel: Channel) -> str:
    """Return ``text`` as :func:`written_out` where it is speech; else as it is."""
    return written_out(text) if is_speech(text, channel) else text


@lru_cache(maxsize=256)
def written_out(text: str) -> str:
    """Return what was said as it would be written; words stay, in their order.

    Questions end with ``?``, other sentences with ``.``; what only concerns the call itself ("Can you
    hear me?") is left out. A text without a word comes back as it is.
    """
    words = _without_breaks(_without_spelling(_words_of(text[:_LONGEST_TEXT])))
    sentences = [_sentence(words[start:end], asks) for start, end, asks in _sentences(words)]
    told = [one for one in sentences if one] or [word.said for word in words]
    return " ".join(told) or text


def _words_of(text: str) -> list[_Word]:
    """Return the words without fillers."""
    tokens = text.split()
    plain = [re.sub(r"[^\w$%]", "", token.casefold()) for token in tokens]
    words: list[_Word] = []
    pause, at = True, 0
    while at < len(tokens):
        here, following = plain[at], plain[at + 1] if at + 1 < len(tokens) else ""
        step = 0
        if not here or here in _FILLERS:
            step = 1
        elif (here, following) in _FILLER_PHRASES:
            before = plain[at - 1] if at else ""
            after = plain[at + 2] if at + 2 < len(tokens) else ""
            step = 2 if before not in _NO_FILLER_AFTER and after not in _NO_FILLER_BEFORE else 0
        if step:
            last = tokens[at + step - 1]
            if words and last[-1] in ".?!":
                words[-1] = _Word(words[-1].said.rstrip(",") + last[-1], words[-1].plain, False)
            pause, at = True, at + step
            continue
        words.append(_Word(tokens[at], here, pause))
        pause = tokens[at][-1] in ",;:-–—…"
        at += 1
    return words


def _without_spelling(words: Sequence[_Word]) -> list[_Word]:
    """Return ``words`` without numbers and names that are read out sign by sign."""
    kept: list[_Word] = []
    at = 0
    while at < len(words):
        end = at
        while end < len(words) and (
            _is_sign(words[end].plain) or (end > at and _is_letter(words[end].plain))
        ):
            end += 1
        while end > at and not _is_sign(words[end - 1].plain):
            end -= 1
        if sum(_is_sign(word.plain) for word in words[at:end]) < _LEAST_SPELLED:
            kept += words[at : end + 1]
            at = end + 1
            continue
        if kept and words[end - 1].said[-1] in ".?!":
            last = kept[-1]
            kept[-1] = _Word(
                last.said.rstrip(",") + words[end - 1].said[-1], last.plain, last.pause
            )
        if end < len(words):
            kept.append(_Word(words[end].said, words[end].plain, True))
        at = end + 1
    return kept


def _is_sign(word: str) -> bool:
    return word in _DIGITS or word.isdecimal() or (_is_letter(word) and word not in "ai")


def _is_letter(word: str) -> bool:
    return len(word) == 1 and word.isalpha()


def _without_breaks(words: Sequence[_Word]) -> list[_Word]:
    """Return ``words`` without what is said twice in a row, and without what was broken off."""
    kept: list[_Word] = []
    for word in words:
        kept.append(word)
        while broken := _broken_off(kept):
            start, end = broken
            pause = kept[start].pause
            kept[start:end] = []
            kept[start] = _Word(kept[start].said, kept[start].plain, pause)
    return kept


def _broken_off(words: Sequence[_Word]) -> tuple[int, int] | None:
    """Return where words stand that the last ones of ``words`` say again; None where there are none."""
    for size in range(1, _LONGEST_REPEAT + 1):
        again = [word.plain for word in words[-size:]]
        if len(words) < 2 * size:
            return None
        for between in range(_LONGEST_EDITING + 1):
            start = len(words) - 2 * size - between
            if start < 0:
                break
            edited = words[start + size : start + size + between]
            if [word.plain for word in words[start : start + size]] != again:
                continue
            if any(word.said[-1] in ".?!" for word in words[start : len(words) - size]):
                continue
            if again[0] in _NUMBERS or any(part.isdigit() for part in again):
                continue
            if all(word.plain in _EDITING for word in edited) and not (between and size == 1):
                return start, start + size + between
    return None


def _sentences(words: Sequence[_Word]) -> list[tuple[int, int, bool]]:
    """Return start, end and whether it asks of each sentence."""
    found: list[tuple[int, int, bool]] = []
    start, asks, inverted = 0, False, False

    def close(end: int, next_: int) -> None:
        nonlocal start
        if end > start:
            found.append((start, end, asks))
        start = next_

    for at, word in enumerate(words):
        if at > start or not asks:
            begins, with_verb = _begins(words, at, start if asks else None, inverted)
            if begins:
                if not (asks and _only_leads(words[start:at])):
                    begin = _question_word_before(words, start, at)
                    begin = begin if asks else _condition_before(words, start, begin)
                    close(_lead_before(words, start, begin), begin)
                    asks = True
                inverted = with_verb
            elif asks and at - start >= _LEAST_ASKED and _is_over(words, start, at):
                close(at, at)
                asks = False
            elif not asks and at - start >= _LEAST_TOLD and _goes_on(words, at):
                close(at, at)
        if asks and not inverted:
            inverted = word.plain in _AUX
        if word.said[-1] in ".?!":
            asks = asks or word.said[-1] == "?"
            close(at + 1, at + 1)
            asks = False
    close(len(words), len(words))
    return found


def _begins(
    words: Sequence[_Word], at: int, open_from: int | None, inverted: bool
) -> tuple[bool, bool]:
    """Return whether a question begins at ``at``, and whether its verb has been said with that.

    Args:
        words: All words.
        at: Position of the first word of the question.
        open_from: Where the question begins that is being asked; None for none.
        inverted: Whether the verb of that has been said.
    """
    word = words[at].plain
    before = words[at - 1].plain if at else ""
    one = words[at + 1].plain if at + 1 < len(words) else ""
    two = words[at + 2].plain if at + 2 < len(words) else ""
    apart = at == 0 or words[at].pause or before in _BREAKS
    if open_from is not None and not apart:
        at_once = at - open_from >= _LEAST_ASKED and word in _WH and _inverts(word, one, two)
        return inverted and at_once, True
    if open_from is not None and not inverted and before not in _JOINS:
        return False, False
    if word in _WH:
        if (
            before in _JOINS
            and open_from is None
            and one in _TELLS
            and not _is_asked_before(words, at - 1)
        ):
            return False, False
        if one in _AUX:
            direct = word in ("how", "what", "why") or two in _SUBJECTS | _DETERMINED
            return direct and (apart or word not in ("who", "which", "whose")), True
        if word == "how" and (one in _DEGREES or one in ("about", "come", "to")):
            return True, False
        if one in ("to", "if", "about") and word in ("what", "where", "when", "which"):
            return apart, False
        if word in ("whats", "hows", "wheres", "whens", "whos"):
            return True, True
        if _is_asked_before(words, at):
            return True, False
        inversion = any(
            words[next_].plain in _AUX and words[next_ + 1].plain in _SUBJECTS | _DETERMINED
            for next_ in range(at + 1, min(at + 4, len(words) - 1))
        )
        return apart and word in ("what", "which") and (inversion or at == 0), False
    # "were" is how a transcript writes "we're".
    if word in _AUX - {"were"} and one and all(said.plain in _OPENING for said in words[:at]):
        return True, True
    if word in _AUX and one in _SUBJECTS | _DETERMINED:
        if before in _WH:
            return False, False
        if apart:
            return True, True
        plainly = word not in _TO_BE and one in _SUBJECTS
        alone = before not in _SUBJECTS | _DETERMINED | _WH | _set_of("to as than all nor what")
        return plainly and alone and two != "", True
    if word in ("if", "whether") and before not in ("is", "out") and _is_asked_before(words, at):
        return True, True
    return False, False


def _inverts(word: str, one: str, two: str) -> bool:
    """Whether a question word and the two after it can only be a question: "how long does"."""
    degree = word == "how" and one in _DEGREES and two in _AUX
    return degree or (one in _AUX and two in _SUBJECTS | _DETERMINED)


def _is_asked_before(words: Sequence[_Word], at: int) -> bool:
    """Whether what stands before ``at`` leads up to a question: "tell me", "i wonder"."""
    before = words[at - 1].plain if at else ""
    if before == "me":
        return at > 1 and words[at - 2].plain in ("tell", "show", "remind", "ask")
    return before in _ASKED_BEFORE


def _only_leads(words: Sequence[_Word]) -> bool:
    """Whether nothing has been asked yet: "could you tell me"."""
    return all(word.plain in _LEADING for word in words)


def _lead_before(words: Sequence[_Word], start: int, at: int) -> int:
    """Return where what only leads up to the question at ``at`` begins: "so i wanted to know"."""
    first = at
    if at > start and _is_asked_before(words, at):
        while first > start and words[first - 1].plain in _LEADING_UP:
            first -= 1
    while first > start and words[first - 1].plain in _JOINS:
        first -= 1
    return first


def _question_word_before(words: Sequence[_Word], start: int, at: int) -> int:
    """Return where the question whose verb stands at ``at`` begins: "which form do I …"."""
    first = at
    if words[at].plain in _AUX:
        places = range(max(start, at - _LONGEST_ASKED_FOR), at)
        first = next((place for place in places if words[place].plain in _ASK_FOR), at)
    asked_by_word = words[first].plain in _WH and first > start
    return first - 1 if asked_by_word and words[first - 1].plain in _PREPOSITIONS else first


def _condition_before(words: Sequence[_Word], start: int, at: int) -> int:
    """Return where the question at ``at`` begins, with the condition that stands before it."""
    first = max(start, at - _LONGEST_CONDITION)
    for place in range(at - 2, first - 1, -1):
        if words[place].plain in _CONDITIONS and (
            place == start or words[place].pause or words[place - 1].plain in _BREAKS
        ):
            return place
    return at


def _is_over(words: Sequence[_Word], start: int, at: int) -> bool:
    """Whether what is said from ``at`` on goes on with something else than the question."""
    word = words[at].plain
    one = words[at + 1].plain if at + 1 < len(words) else ""
    if word in _REASONS:
        return at - start >= _LEAST_WITHOUT_REASON
    return word in _ENDS or (word in _JOINS and one in _TELLS)


def _goes_on(words: Sequence[_Word], at: int) -> bool:
    word = words[at].plain
    one = words[at + 1].plain if at + 1 < len(words) else ""
    return word in _JOINS and one in _TELLS


def _sentence(words: Sequence[_Word], asks: bool) -> str:
    plain = " ".join(word.plain for word in words)
    if asks and (of_the_call := _OF_THE_CALL.match(plain)):
        words, asks = words[len(of_the_call[0].split()) :], False
        if len(words) < _LEAST_AFTER_CALL:
            return ""
    elif asks and _TAG.fullmatch(plain):
        return ""
    while words and words[-1].plain in _JOINS:
        words = words[:-1]
    if not asks and all(word.plain in _SAYS_NOTHING for word in words):
        return ""
    while len(words) > 1 and words[0].plain in _OPENING:
        words = words[1:]
    if not words:
        return ""
    return " ".join(word.said for word in words).rstrip(" ,;:-–—….?!") + ("?" if asks else ".")
