"""What an edit looks like in numbers: what the small model of ``kb.change_model`` weighs. Pure."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kb.edits import PRONOUNS, VERB_LIKE, Edit, Hunk, Reading, Token, fills_hole, is_heading
from kb.facts import VALUE_KINDS, Fact
from kb.words import CONDITIONS, HEDGES, MODALS, meaning, opposite, stem


def _list(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_POINTERS: Final = frozenset(
    stem(word)
    for word in _set(
        "see refer visit read more information info details learn below above following here page section "
        "documentation docs post guide thread check link article example"
    )
)
_TIME_WORDS: Final = _set(
    "now currently already yet soon still anymore longer today recently upcoming previously formerly until since ago "
    "later temporarily permanently immediately first early late"
)
_OWNERS: Final = _set("our your their its his her my whose this that these those one such same")
_FUTURE: Final = frozenset({"will", "shall", "soon", "going", "'ll"})
_PAST: Final = frozenset({"was", "were", "had", "did", "been", "has", "have"})
_TENSES: Final = (("future", _FUTURE), ("past", _PAST))
_JUNCTIONS: Final = frozenset({"and", "or", "either", "both"})
_PREPOSITIONS: Final = _set("up out off down over in on to from with by for")
_LIMITING: Final = CONDITIONS | {"before", "after", "without"}
_SMALL_WORDS: Final = (
    ("conditions", _LIMITING),
    ("hedges", HEDGES),
    ("times", _TIME_WORDS),
    ("junctions", _JUNCTIONS),
    ("prepositions", _PREPOSITIONS),
)
_GENERIC: Final = frozenset(
    stem(word)
    for word in _set(
        "account service services product products company site website user users customer customers people "
        "person team thing things part way time feature information content data option system"
    )
)


@dataclass(frozen=True, slots=True)
class WordStats:
    """How many texts of how many help centers use a word; what many use names nothing special.

    Attributes:
        common: Stem → share of help-center passages that use it, averaged over help centers, in
            log10 units above 1 in 10,000, 0..4; a missing word counts as 0.
    """

    common: Mapping[str, float]

    def rarity(self, token: Token) -> float:
        """Return how telling a token is, 0 (everywhere) .. 1 (nowhere)."""
        if token.kind != "word":
            return 1.0
        return 1.0 - min(1.0, self.common.get(token.key, 0.0) / 4.0)


_VALUES: Final = ("duration", "amount", "percentage", "date", "time", "number")
_MODAL_CLASSES: Final = ("can", "must", "should", "will", "optional")


def features(edit: Edit, stats: WordStats) -> dict[str, float]:
    """Return what an edit looks like in numbers; every name is always there.

    Args:
        edit: The aligned texts.
        stats: How common words are.
    """
    old, new = edit.old, edit.new
    f: dict[str, float] = dict.fromkeys(FEATURE_NAMES, 0.0)
    old_words = max(1, len(old.tokens))
    new_words = max(1, len(new.tokens))
    old_words_held, new_words_held = _held(old), _held(new)
    f["words"] = math.log1p(old_words)
    f["grew"] = math.log(new_words / old_words)
    f["hunks"] = math.log1p(len(edit.hunks))
    f["inflected"] = math.log1p(edit.inflected)
    changed = False
    for hunk in edit.hunks:
        gone = [t for t in hunk.gone if not t.function]
        came = [t for t in hunk.came if not t.function]
        for note, count in hunk.notes.items():
            f[f"note_{note}"] += count
        hole = fills_hole(hunk, edit)
        heading = is_heading(hunk, edit)
        if heading:
            f["heading"] = 1.0
            continue
        if hole:
            f["hole"] += 1.0
            continue
        if not gone and not came:
            f["idle_hunks"] += 1.0 if (hunk.gone or hunk.came) else 0.0
        else:
            changed = True
            f["single"] += 1.0 if len(gone) + len(came) == 1 else 0.0
            pointing = sum(t.key in _POINTERS for t in (*gone, *came))
            if pointing >= 2 and not any(t.kind in VALUE_KINDS for t in (*gone, *came)):
                f["pointing"] += len(gone) + len(came)
        _tokens("gone", hunk.gone, new_words_held, stats, f)
        _tokens("came", hunk.came, old_words_held, stats, f)
        _shape(hunk, gone, came, old, new, f)
        _modality(hunk, f)
    for name in _MODAL_CLASSES:
        f["modal_swap"] += abs(f[f"gone_{name}"] - f[f"came_{name}"])
    f["nothing"] = 0.0 if changed else 1.0
    _facts(old.facts, new.facts, f)
    total = f["gone_content"] + f["came_content"]
    f["share"] = total / (old_words + new_words)
    f["both_sides"] = min(f["gone_content"], f["came_content"])
    f["fresh"] = f["gone_fresh"] + f["came_fresh"]
    f["fresh_rarity"] = f["gone_fresh_rarity"] + f["came_fresh_rarity"]
    f["fresh_share"] = f["fresh"] / total if total else 0.0
    f["redundant"] = total - f["fresh"]
    for name in _LOGGED:
        f[name] = math.log1p(f[name])
    return f


def _held(reading: Reading) -> set[str]:
    """Return keys and meanings of the words of a text."""
    return {token.key for token in reading.tokens} | {
        f"={meaning(token.low)}" for token in reading.tokens if token.kind == "word"
    }


def _tokens(
    side: str, tokens: Sequence[Token], held: set[str], stats: WordStats, f: dict[str, float]
) -> None:
    """Add what went or came: how much, how telling, and whether the other text holds it anyway."""
    content = [token for token in tokens if not token.function]
    f[f"{side}_function"] += len(tokens) - len(content)
    for token in content:
        rarity = stats.rarity(token)
        f[f"{side}_content"] += 1.0
        f[f"{side}_rarity"] += rarity
        fresh = token.key not in held and (
            token.kind != "word" or f"={meaning(token.low)}" not in held
        )
        if fresh:
            f[f"{side}_fresh"] += 1.0
            f[f"{side}_fresh_rarity"] += rarity
            f["fresh_max"] = max(f["fresh_max"], rarity)
        if token.kind in VALUE_KINDS:
            f["values"] += 1.0
            f[f"{side}_values"] += fresh
        elif token.kind != "word":
            f["ids"] += 1.0
        elif token.name:
            f[f"{side}_names"] += 1.0
            f["names_fresh"] += fresh
        elif token.key in _GENERIC:
            f["generic"] += 1.0
        f["pointers"] += token.key in _POINTERS
    for token in tokens:
        f["negations"] += token.denies
        if token.low in MODALS:
            f["modals"] += 1.0
            f[f"{side}_{MODALS[token.low]}"] = 1.0
        f[f"{side}_pronouns"] += token.low in PRONOUNS
        for name, words in _SMALL_WORDS:
            f[name] += token.low in words


def _shape(
    hunk: Hunk,
    gone: list[Token],
    came: list[Token],
    old: Reading,
    new: Reading,
    f: dict[str, float],
) -> None:
    """Add how the hunk stands in its sentence: a sentence of its own, an item of a list, a word."""
    if gone and came:
        f["swaps"] += 1.0
        if len(gone) == len(came) == 1:
            f["word_swaps"] += 1.0
            f["name_swap"] += 1.0 if gone[0].name and came[0].name else 0.0
        f["opposites"] += sum(
            opposite(a.low, b.low) for a in gone[:8] for b in came[:8] if a.kind == b.kind == "word"
        )
        if any(t.name or t.kind != "word" for t in gone) or any(
            t.name or t.kind != "word" for t in came
        ):
            f["name_swaps"] += 1.0
        f["swap_size"] = max(f["swap_size"], min(len(gone), len(came)))
        return
    if not gone and not came:
        return
    tokens, reading, span = (gone, old, hunk.old) if gone else (came, new, hunk.new)
    # A pronoun for a noun says the same.
    other = hunk.came if gone else hunk.gone
    stand_ins = [t for t in other if t.low in PRONOUNS]
    owners = all(t.low in _OWNERS for t in stand_ins)
    if (
        stand_ins
        and all(t.low in PRONOUNS or t.function for t in other)
        and (not owners or all(t.name for t in tokens))
    ):
        f["pronominal"] += 1.0
        if len(tokens) <= 3:
            f["pronominal_short"] += 1.0
        return
    side = "gone" if gone else "came"
    run = reading.tokens[span[0] : span[1]]
    if not run:
        return
    before = reading.text[: run[0].start].rstrip()
    after = reading.text[run[-1].end :].lstrip(" \"'*_`")
    inner = reading.text[run[0].start : run[-1].end + 2]
    starts = not before or before[-1] in ".!?:|\"'" or before.endswith("- ")
    ends = not after or after[0] in ".!?|" or bool(re.search(r"[.!?]\s?$", inner))
    verbs = any(t.low in VERB_LIKE or t.low in MODALS for t in run)
    if (starts and ends) or len(tokens) >= 8:
        f[f"{side}_sentence"] += 1.0
        f["sentence_words"] = max(f["sentence_words"], len(tokens))
        if any(t.key in _POINTERS for t in tokens) and not any(
            t.kind in VALUE_KINDS for t in tokens
        ):
            f["pointer_sentence"] += 1.0
    elif before[-1:] == "(" or after[:1] == ")":
        f["parenthesis"] += 1.0
    elif (
        before[-1:] == ","
        or after[:1] == ","
        or any(t.low in {"and", "or"} for t in (run[0], run[-1]))
    ):
        f["item"] += 1.0
    elif len(tokens) == 1:
        f["modifier"] += 1.0
        f["modifier_name"] += 1.0 if tokens[0].name else 0.0
        f["modifier_rarity"] = max(f["modifier_rarity"], 1.0)
    else:
        f["phrase"] += 1.0
    if verbs:
        f["clause"] += 1.0


def _modality(hunk: Hunk, f: dict[str, float]) -> None:
    """Add what the hunk does to how surely, how freely and when something holds."""
    tenses = [
        {name for name, words in _TENSES if any(t.low in words for t in tokens)}
        for tokens in (hunk.gone, hunk.came)
    ]
    f["tense"] += 1.0 if tenses[0] != tenses[1] else 0.0
    gone = {MODALS[t.low] for t in hunk.gone if t.low in MODALS}
    came = {MODALS[t.low] for t in hunk.came if t.low in MODALS}
    if gone != came:
        f["modal_shift"] += 1.0 if (gone ^ came) - {"will"} else 0.0
        if not any(not t.function and t.low not in MODALS for t in (*hunk.gone, *hunk.came)):
            f["modal_alone"] += 1.0 if (gone ^ came) - {"will"} else 0.0
    for one, other in ((hunk.gone, hunk.came), (hunk.came, hunk.gone)):
        ahead = any(t.low in _FUTURE for t in one)
        if ahead and any(t.low in _PAST or t.low in {"now", "already"} for t in other):
            f["come_true"] += 1.0
    if gone and came and gone != came:
        f["modal_for_modal"] += 1.0
    # A name gives way to "our product", "it", "your account", or the other way round.
    for one, other in ((hunk.gone, hunk.came), (hunk.came, hunk.gone)):
        named = [t for t in one if not t.function]
        plain = [t for t in other if not t.function]
        if named and all(t.name for t in named) and other and all(t.key in _GENERIC for t in plain):
            f["name_for_generic"] += 1.0


def _facts(old: Sequence[Fact], new: Sequence[Fact], f: dict[str, float]) -> None:
    """Add which facts of each sort one text has and the other has not."""
    for kind in (
        "permission",
        "negation",
        "name",
        "label",
        "code",
        "email",
        "url",
        "phone",
        *_VALUES,
    ):
        before = Counter(
            fact.value.casefold() for fact in old if fact.kind == kind and not fact.vague
        )
        after = Counter(
            fact.value.casefold() for fact in new if fact.kind == kind and not fact.vague
        )
        lost, won = sum((before - after).values()), sum((after - before).values())
        group = "channel" if kind in {"email", "url", "phone"} else kind
        f[f"fact_{group}"] += float(lost + won)
        if kind in _VALUES:
            f["fact_value"] += float(lost + won)
            f["fact_value_swap"] += float(min(lost, won))
        if kind in {"name", "permission", "negation"}:
            f[f"fact_{kind}_swap"] += float(min(lost, won))


_LOGGED: Final = (
    "gone_content", "came_content", "gone_rarity", "came_rarity", "gone_fresh", "came_fresh",
    "gone_fresh_rarity", "came_fresh_rarity", "fresh", "fresh_rarity", "redundant", "gone_function",
    "came_function", "swap_size", "sentence_words", "both_sides", "fact_name", "fact_code",
    "gone_names", "came_names", "names_fresh", "generic", "ids", "prepositions", "pointing", "note_moved",
)  # fmt: skip
FEATURE_NAMES: Final = _list(
    "words grew hunks inflected idle_hunks nothing share both_sides fresh fresh_rarity fresh_share fresh_max "
    "redundant heading hole note_order note_form note_spelling note_join note_moved note_double "
    "gone_function came_function gone_content came_content gone_rarity came_rarity gone_fresh came_fresh "
    "gone_fresh_rarity came_fresh_rarity single pointing values gone_values came_values ids gone_names came_names names_fresh "
    "generic pointers negations conditions hedges times modals gone_can gone_must gone_should gone_will "
    "gone_optional came_can came_must came_should came_will came_optional modal_swap gone_pronouns came_pronouns "
    "junctions prepositions tense swaps word_swaps name_swap name_swaps opposites swap_size pronominal "
    "pronominal_short gone_sentence came_sentence sentence_words pointer_sentence parenthesis item modifier "
    "modifier_name modifier_rarity phrase clause fact_permission fact_negation fact_name fact_label fact_code "
    "fact_channel fact_duration fact_amount fact_percentage fact_date fact_time fact_number fact_value "
    "fact_value_swap modal_shift modal_alone come_true modal_for_modal name_for_generic fact_name_swap fact_permission_swap fact_negation_swap"
)
