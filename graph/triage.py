"""Decides tier, triggers, missing fields and route of a contact, before anything is drafted."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from core.vocabulary import Tier, most_severe
from graph import brief as briefs
from graph.customer_text import (
    Said,
    customer_turns,
    own_words,
    plain,
    sentence_spans,
    units,
    with_signature,
)
from graph.meaning import ExampleRules, ExampleVectors, Floats, Shipped
from graph.reasons import ReasonMap
from graph.tiers import FieldValue, Rule, TierRules
from graph.values import Brief, Classification, Conversation, Draft, Triage, TriggerFiring, Turn
from graph.verdicts import said_by_contact
from retrieval.ports import Embedder, Hit, Vectors

Route = Literal["handoff", "clarify", "retrieve"]

_THANKED = re.compile(
    r"\b(?:thank(?:s| you)|thx|cheers|ta|perfect|brilliant|wonderful|lovely|great|awesome|fab)\b",
    re.IGNORECASE,
)
_SOLVED = re.compile(
    r"\b(?:(?:that|it|this)(?:'s|’s|s| has| is)?(?: all)? (?:worked|did it|did the trick|fixed|helped"
    r"|sorted|solved|resolved)|(?:all|now) (?:good|sorted|set|fine|settled|solved)|works? now"
    r"|working now|(?:is|has been) (?:sorted|settled|solved|resolved|fixed)|no longer an issue"
    r"|problem solved)\b",
    re.IGNORECASE,
)
_ARRIVED = re.compile(
    r"\b(?:(?:has|have) arrived|(?:arrived|came) (?:today|this morning|safely))\b", re.IGNORECASE
)
_WISHED = re.compile(
    r"\b(?:until|till|once|if|when|whether|want|demand|expect|insist|hop(?:e|ing)|must|should|needs?"
    r"|make sure|ensure|get|was told|you sa(?:y|id))\b",
    re.IGNORECASE,
)
_NOT_SETTLED = re.compile(
    r"\b(?:but|still|however|again|not|nothing|no thanks|never|except|yet|unless|although|though"
    r"|useless|unacceptable|otherwise|in advance|thank you for (?:your )?(?:reply|message|email)"
    r"|thanks for (?:your |the )?(?:reply|message|email|getting back))\b|n['’]t\b",
    re.IGNORECASE,
)
_NO_ANSWER = re.compile(
    r"^\W*(?:hi|hello|hey|good (?:morning|afternoon|evening)|welcome|i can help|i'd be happy"
    r"|happy to help|of course|sure|certainly|let me|(?:one|just a) moment|please hold (?:on|the line)"
    r"|i(?:'m| am) (?:the|your|a) (?:virtual|digital)|thanks for|thank you for|i see\b|i understand"
    r"|(?:(?:i|we)(?:'m|’m|'re|’re| am| are) )?(?:so |very |really |truly )?sorry (?:to|for|about)\b"
    r"|(?:i|we) (?:need|will need|(?:'|’)ll need) (?:your|the|a few|some|to know)\b"
    r"|(?:please|kindly) (?:tell|send|give|provide|share|confirm|let)\b)",
    re.IGNORECASE,
)
_MORE_HELP = re.compile(
    r"\b(?:(?:any|some)thing (?:else|more)|what else|help you (?:with|further)|(?:did|does|has|have)"
    r" (?:that|this|it|you)|(?:is|are) (?:that|this|it|everything|things|you) (?:now )?(?:ok|okay|all"
    r" right|alright|clear|fine|sorted|working))\b",
    re.IGNORECASE,
)
_LEAST_ANSWER = 3  # words of a sentence that tells something
_BARE = 10  # words beside thanks that still say no more than thanks
_REPLY_MARKS = re.compile(r"\A(?:\s{0,3}(?:re|fwd?|aw|wg|sv|tr|rv)\s?:)+", re.IGNORECASE)
_LONGEST_SUBJECT = 1_000  # characters
_LEAST_SUBJECT = 3  # words of a subject that means something by itself
_SAME_ISSUE = 0.6  # cosine from which two messages of one customer say the same

# Shares of a rule's threshold. They were chosen together with it.
_UNSURE = 0.84  # from here on an escalation is possible beside a review that fires
_CONTESTED = 1.4  # up to here an escalation gives way to a likelier review
_SECOND = 1.3  # from here on a further escalation is one beside a likelier one
_CONTRADICTED = 0.4  # below it the meaning is so far off that alarming words are taken as harmless

# Where nothing fires: how far a contact says anything that should, and this much of the share of its
# likeliest escalation. Chosen by what it cost on contacts that were left out of what is learned.
_SILENT_DOUBT = 1.05
_SHARE_COUNTS = 0.5

_LONG = 70  # words from which on a contact is read in stretches as well as as a whole
_STRETCH = 45  # words


@dataclass(frozen=True)
class _Scene:
    """Which turns of a conversation are judged, and how.

    ``open_from`` is the position from which on nothing is settled yet, ``unsolved_from`` the one from
    which on nothing is said to be solved; ``answered`` holds the positions of customer turns that
    come after an answer of the assistant to an earlier one. ``subject`` is what the customer wrote
    above it all.
    """

    turns: list[tuple[int, Turn]]
    open_from: int
    unsolved_from: int
    answered: frozenset[int]
    subject: str = ""

    @cached_property
    def open(self) -> str:
        """What the customer says of what is not settled."""
        return self._said_from(self.open_from)

    @cached_property
    def unsolved(self) -> str:
        """What the customer says of what they do not say is solved."""
        return self._said_from(self.unsolved_from)

    def _said_from(self, position: int) -> str:
        said = (plain(turn["text"]) for index, turn in self.turns if index >= position)
        return " ".join(text for text in said if text)

    def counts_from(self, rule: Rule) -> int:
        """The position from which on what is said counts for ``rule``."""
        if rule.settles == "when_solved":
            return self.unsolved_from
        return self.open_from if rule.settles else 0

    def subject_for(self, rule: Rule) -> str:
        """The subject, where it counts for ``rule`` and is not settled; else ""."""
        first = self.turns[0][0] if self.turns else 0
        counts = rule.tier == "escalate_first" and rule.said == "anywhere"
        return self.subject if counts and self.counts_from(rule) <= first else ""

    @cached_property
    def everything(self) -> str:
        """What the customer says, settled or not."""
        return " ".join(text for _, turn in self.turns if (text := plain(turn["text"])))

    @cached_property
    def after_answers(self) -> str:
        """What the customer says of what is not settled after an answer of the assistant."""
        said = (
            plain(turn["text"])
            for index, turn in self.turns
            if index >= self.open_from and index in self.answered
        )
        return " ".join(text for text in said if text)

    def judged_by(self, rule: Rule) -> str:
        """The text that ``rule`` is about; "" when there is none."""
        if rule.said == "after_answer":
            return self.after_answers
        if rule.settles == "when_solved":
            return self.unsolved
        return self.open if rule.settles else self.everything

    def parts(self) -> list[Said]:
        """The stretches that are judged on their own."""
        said = (one for index, turn in self.turns for one in units(turn, index))
        return [one for one in said if plain(one.text)]

    def answered_turns(self) -> list[Said]:
        """Whole turns, where one of them follows an answer."""
        return [
            Said(turn["id"], index, 0, len(turn["text"]), text)
            for index, turn in self.turns
            if self.answered and (text := plain(turn["text"]))
        ]


def settled_before(conversation: Conversation, *, by_thanks: bool = True) -> int:
    """Return the position of the last customer turn that takes a matter as settled, else 0.

    What the customer said before it counts no more; it needs an answer in between.

    Args:
        conversation: The contact.
        by_thanks: Whether thanks are enough, or a parcel that came; else the customer must say
            that the matter is solved.
    """
    settled = 0
    replied = asked_back = False
    for index, turn in enumerate(conversation["turns"]):
        text = own_words(turn["text"])
        if turn["speaker"] != "customer":
            replied = replied or answers_something(text)
            asked_back = asks_back(text)
        elif replied and (
            _says_solved(text, _SOLVED)
            or (by_thanks and _says_solved(text, _ARRIVED))
            or (by_thanks and not asked_back and _only_thanks(text))
        ):
            settled = index
    return settled


def _says_solved(text: str, how: re.Pattern[str]) -> bool:
    sentences = [text[start:end] for start, end in sentence_spans(text)]
    for at, one in enumerate(sentences):
        hit = how.search(one)
        if hit is None or _WISHED.search(one[: hit.start()]):
            continue
        if not one.endswith("?") and not _NOT_SETTLED.search(" ".join(sentences[at : at + 2])):
            return True
    return False


def _only_thanks(text: str) -> bool:
    """Whether a message thanks and adds no more than a few words: no number, name or question."""
    rest, thanks = _THANKED.subn(" ", text)
    if not thanks or _NOT_SETTLED.search(text):
        return False
    tells = any(sign.isdecimal() or sign in "@?" for sign in rest)
    return not tells and len(rest.split()) <= _BARE


def asks_back(text: str) -> bool:
    """Whether a message ends by asking for something, other than whether more help is wanted."""
    spans = sentence_spans(text)
    last = text[slice(*spans[-1])] if spans else ""
    return (last.endswith("?") or bool(_NO_ANSWER.match(last))) and not _MORE_HELP.search(last)


def answers_something(text: str) -> bool:
    """Whether a reply says something beyond greeting, stalling, regretting and asking back."""
    sentences = [text[start:end] for start, end in sentence_spans(text)]
    return any(
        not one.endswith("?") and not _NO_ANSWER.match(one) and len(one.split()) >= _LEAST_ANSWER
        for one in sentences
    )


def after_answer(conversation: Conversation) -> frozenset[int]:
    """Return positions of customer turns after the assistant answered an earlier one."""
    asked = answered = False
    found = set()
    for index, turn in enumerate(conversation["turns"]):
        if turn["speaker"] == "customer":
            if answered:
                found.add(index)
            asked = True
        elif turn["speaker"] == "assistant" and asked and answers_something(turn["text"]):
            answered = True
    return frozenset(found)


def _scene(conversation: Conversation) -> _Scene:
    return _Scene(
        customer_turns(conversation),
        settled_before(conversation),
        settled_before(conversation, by_thanks=False),
        after_answer(conversation),
        " ".join(_REPLY_MARKS.sub("", conversation["subject"][:_LONGEST_SUBJECT]).split()),
    )


def fields_of(
    conversation: Conversation, classification: Classification, reasons: ReasonMap
) -> dict[str, FieldValue]:
    """Return the fields that rules may compare, by path."""
    customer = conversation["customer"]
    reason = reasons.get(classification["reason"])
    return {
        "channel": conversation["channel"],
        "customer.status": customer["status"],
        "customer.sla_due_in_minutes": customer["sla_due_in_minutes"],
        "classification.confidence": classification["confidence"],
        "classification.sentiment": classification["sentiment"],
        "classification.language": classification["language"],
        "classification.reason": classification["reason"],
        "reason.owner": reason.owner if reason else None,
        "reason.tier": reason.tier if reason else None,
        **{f"customer.fields.{key}": value for key, value in customer["fields"].items()},
    }


def route_for(tier: Tier, missing: Sequence[str]) -> Route:
    """Return where a contact goes: to a person, back to the customer, or to the sources."""
    if tier in ("escalate_first", "forbidden"):
        return "handoff"
    return "clarify" if missing else "retrieve"


def by_fields(rule: Rule, fields: dict[str, FieldValue]) -> TriggerFiring | None:
    """Return the firing of a rule's field conditions; one that cannot be compared fires."""
    for condition in rule.conditions:
        try:
            if not condition.holds(fields):
                continue
            evidence = f"{condition.path}={_shown(fields.get(condition.path))}"
        except (ValueError, TypeError):
            evidence = f"could not be evaluated: {condition.text}"
        return {"id": rule.id, "tier": rule.tier, "evidence": evidence, "by": rule.name("fields")}
    return None


def _held(tier: Tier) -> bool:
    return tier in ("escalate_first", "forbidden")


def _shown(value: FieldValue) -> str:
    return "none" if value is None else str(value)


def _applies(rule: Rule, index: int, scene: _Scene) -> bool:
    if index < scene.counts_from(rule):
        return False
    return rule.said == "anywhere" or index in scene.answered


def _firing(rule: Rule, part: str, said: Said) -> TriggerFiring:
    return {
        "id": rule.id,
        "tier": rule.tier,
        "evidence": said.text,
        "by": rule.name(part),
        "turn": said.turn,
        "start": said.start,
        "end": said.end,
    }


def by_words(rule: Rule, scene: _Scene) -> TriggerFiring | None:
    """Return the firing of a rule's phrases and patterns, at their last occurrence.

    What thanks cannot settle is looked for in signatures too: not every cry below "Regards" is known
    for what it is.
    """
    words_of = own_words if rule.settles is True else with_signature
    for index, turn in reversed(scene.turns):
        if not _applies(rule, index, scene):
            continue
        for start, end in rule.word_hits(words_of(turn["text"])):
            said = Said(turn["id"], index, start, end, turn["text"][start:end])
            return _firing(rule, "words", said)
    subject = scene.subject_for(rule)
    for start, end in rule.word_hits(subject) if subject else ():
        return _firing_of_subject(rule, "words", subject[start:end])
    return None


def _firing_of_subject(rule: Rule, part: str, words: str) -> TriggerFiring:
    return {"id": rule.id, "tier": rule.tier, "evidence": words, "by": rule.name(part)}


@dataclass(frozen=True, slots=True)
class Meant:
    """What the meaning of a contact says of one rule.

    Attributes:
        probability: How sure it is that the rule fires, 0..1.
        example: Index of the rule's example nearest to it.
        subject: The subject, where that says it rather than a message; else "".
    """

    probability: float
    example: int = 0
    subject: str = ""


def stretches_of(text: str) -> list[str]:
    """Return what is judged of a contact: the whole, and of a long one also a few sentences each.

    In a long letter one sentence hardly moves the meaning of the whole.
    """
    if len(text.split()) <= _LONG:
        return [text]
    found = [text]
    stretch: list[str] = []
    for start, end in sentence_spans(text):
        words = text[start:end].split()
        if stretch and len(stretch) + len(words) > _STRETCH:
            found.append(" ".join(stretch))
            stretch = []
        stretch += words
        while len(stretch) > _STRETCH:  # speech knows no full stop
            found.append(" ".join(stretch[:_STRETCH]))
            stretch = stretch[_STRETCH:]
    return [*found, " ".join(stretch)] if stretch else found


def _meant(row: _Row | None, column: int, subject: str = "") -> Meant:
    if row is None:
        return Meant(0.0)
    return Meant(float(row.probability[column]), int(row.nearest[column]), subject)


def _likeliest(rows: Sequence[_Row]) -> _Row:
    """Return per rule the row that is surest of it."""
    if len(rows) == 1:
        return rows[0]
    probability = np.stack([row.probability for row in rows])
    best = probability.argmax(axis=0)
    rules = np.arange(probability.shape[1])
    return _Row(
        probability[best, rules],
        np.stack([row.nearest for row in rows])[best, rules],
        max(row.loud for row in rows),
    )


def overruled(rule: Rule, meant: Meant | None) -> bool:
    """Whether the meaning contradicts a rule's words: "scam" in the name of a board game.

    What no thanks can settle no look-alike can excuse.
    """
    if meant is None or not rule.settles:
        return False
    return meant.probability < _CONTRADICTED * rule.sure_enough


def contested(
    rules: Sequence[Rule], meant: Mapping[str, Meant], named: Collection[str]
) -> frozenset[str]:
    """Return the escalations that are barely sure enough while a review is likelier and named.

    An angry "I want a refund" is near to a disputed one. A person looks at it either way: such an
    escalation leaves a doubt behind, and the review fires.

    Args:
        named: Ids of the rules whose words are said.
    """
    likeliest = max(
        (
            meant[rule.id].probability
            for rule in rules
            if rule.tier == "review_required"
            and rule.id in named
            and rule.id in meant
            and meant[rule.id].probability >= rule.sure_enough
        ),
        default=0.0,
    )
    return frozenset(
        rule.id
        for rule in rules
        if rule.tier == "escalate_first"
        and rule.settles
        and rule.id in meant
        and meant[rule.id].probability < min(likeliest, _CONTESTED * rule.sure_enough)
    )


def second_thoughts(rules: Sequence[Rule], meant: Mapping[str, Meant]) -> frozenset[str]:
    """Return the escalations that are likely only because a likelier one sounds much the same.

    A loan in one's name is fraud, and near to a taken-over account. The contact escalates either
    way; naming both would send it to two teams.
    """
    sure = {
        rule.id: meant[rule.id].probability / rule.sure_enough
        for rule in rules
        if rule.tier == "escalate_first" and rule.id in meant
    }
    first = max(sure, key=lambda one: sure[one], default=None)
    return frozenset(one for one in sure if one != first and sure[one] < _SECOND)


def gives_way(
    rules: Sequence[Rule], meant: Mapping[str, Meant], named: Collection[str]
) -> frozenset[str]:
    """Return the escalations that do not fire by meaning, beside a review or a likelier one.

    What gives way to a review is no likelier one for others to give way to: one of them stays.
    """
    gone = contested(rules, meant, named)
    return gone | second_thoughts([rule for rule in rules if rule.id not in gone], meant)


def by_meaning(rule: Rule, meant: Meant | None) -> bool:
    """Whether the rule's examples are sure enough that it fires."""
    return meant is not None and meant.probability >= rule.sure_enough


def in_doubt(
    rules: Sequence[Rule], meant: Mapping[str, Meant], loud: float, *, fires: bool
) -> Rule | None:
    """Return the rule that a contact is in doubt of, though it does not escalate; None for none.

    Args:
        rules: All that have examples.
        meant: What the meaning says of each.
        loud: How far the contact says anything that fires a rule.
        fires: Whether something of what it says fires.
    """
    shares = [
        (meant[rule.id].probability / rule.sure_enough, rule.tier == "escalate_first", rule)
        for rule in rules
        if rule.id in meant
    ]
    severe = [(share, rule) for share, is_severe, rule in shares if is_severe]
    share, rule = max(severe, key=lambda one: one[0], default=(0.0, None))
    if fires:
        return rule if share >= _UNSURE else None
    if _SHARE_COUNTS * share + loud < _SILENT_DOUBT:
        return None
    if share > 0:
        return rule
    return max(shares, key=lambda one: one[0])[2] if shares else None


@dataclass(frozen=True, slots=True)
class _Row:
    """What the examples say of one text; the arrays are of shape ``(rules,)``."""

    probability: Floats
    nearest: npt.NDArray[np.int64]
    loud: float


@dataclass(frozen=True, slots=True)
class _Read:
    """What reading a contact gave.

    Attributes:
        meant: Per rule its meaning.
        fired: Firings that need no weighing.
        loud: How far it says anything that fires a rule.
    """

    meant: Mapping[str, Meant]
    fired: Mapping[str, TriggerFiring]
    loud: float = 0.0


def _with_doubt(firings: list[TriggerFiring], doubt: TriggerFiring) -> list[TriggerFiring]:
    """Add a doubt; it replaces a milder low confidence."""
    return [*(one for one in firings if one["id"] != doubt["id"]), doubt]


def everyday_examples(reasons: ReasonMap) -> list[str]:
    """Return what this team hears every day: examples of reasons that need no escalation.

    They keep "can I return it?" from sounding like a disputed refund. They quieten only rules that
    escalate: a reason's own tier sees to it that what needs a review is reviewed.
    """
    return [
        text for reason in reasons if reason.tier != "escalate_first" for text in reason.examples
    ]


class TriageService:
    """Applies tier rules and reason map to contacts; implements ``graph.ports.TriageRules``.

    Args:
        rules: The tier rules of the workspace.
        reasons: Its contact reason map; may be empty.
        embedder: Turns texts into unit vectors.
        cache: Folder that keeps the examples' vectors between processes.
        shipped: What of them comes with the product.
    """

    def __init__(
        self,
        rules: TierRules,
        reasons: ReasonMap,
        embedder: Embedder,
        *,
        cache: Path | None = None,
        shipped: Shipped | None = None,
    ) -> None:
        self._rules = rules
        self._reasons = reasons
        self._embedder = embedder
        self._meant = tuple(rule for rule in rules.rules if rule.examples)
        self._low_confidence = rules.get("low_confidence")
        # What a team wrote an instruction for jumps every queue: it never gives way.
        self._may_give_way = tuple(
            rule for rule in self._meant if rule.id not in rules.instructions
        )
        self._vectors_of = ExampleVectors(embedder, cache, in_depth=True, shipped=shipped)
        self._examples = ExampleRules(
            [rule.examples for rule in self._meant],
            [rule.harmless for rule in self._meant],
            rules.ordinary,
            [rule.tier for rule in self._meant],
            self._vectors_of,
            {"escalate_first": everyday_examples(reasons)},
            among_others=True,
        )

    @property
    def examples(self) -> ExampleRules:
        """What judges by meaning."""
        return self._examples

    def triage(self, conversation: Conversation, classification: Classification) -> Triage:
        """Return tier, triggers, missing fields, route and owner.

        A rule that cannot be evaluated fires and says so in its evidence.
        """
        return self.triage_all([conversation], [classification])[0]

    def triage_all(
        self, conversations: Sequence[Conversation], classifications: Sequence[Classification]
    ) -> list[Triage]:
        """As :meth:`triage` for many contacts; embeds them together, which is faster."""
        scenes = [_scene(one) for one in conversations]
        try:
            read = self._read(scenes)
        # Whatever the model's runtime raises, the contacts must reach a person; no interrupt()
        # can be inside.
        except Exception as error:
            read = [_Read({}, self._unevaluated(type(error).__name__)) for _ in scenes]
        return [
            self._decide(*each)
            for each in zip(conversations, classifications, scenes, read, strict=True)
        ]

    def chances(self, conversations: Sequence[Conversation]) -> list[dict[str, float]]:
        """Return per contact how sure its meaning makes each rule that has examples, 0..1.

        What words and fields say is not in it. The desk decides by :meth:`triage_all`; this is for
        who measures it: whether a chance means what it says cannot be read off what fired.
        """
        return [
            {trigger: meant.probability for trigger, meant in read.meant.items()}
            for read in self._read([_scene(one) for one in conversations])
        ]

    def _decide(
        self,
        conversation: Conversation,
        classification: Classification,
        scene: _Scene,
        read: _Read,
    ) -> Triage:
        fields = fields_of(conversation, classification, self._reasons)
        words = {
            rule.id: firing
            for rule in self._rules.rules
            if not overruled(rule, read.meant.get(rule.id))
            and (firing := by_words(rule, scene)) is not None
        }
        giving_way = gives_way(self._may_give_way, read.meant, words)
        firings: list[TriggerFiring] = []
        for rule in self._rules.rules:
            found = (
                words.get(rule.id)
                or (None if rule.id in giving_way else self._by_meaning(rule, scene, read))
                or read.fired.get(rule.id)
                or by_fields(rule, fields)
            )
            if found is not None:
                firings.append(found)
        if (doubt := self._doubt(scene, read, firings)) is not None:
            firings = _with_doubt(firings, doubt)
        reason = self._reasons.get(classification["reason"])
        if reason is not None and reason.tier != "allowed":
            firings.append(
                {
                    "id": f"reason:{reason.id}",
                    "tier": reason.tier,
                    "evidence": f"classification.reason={reason.id}",
                    "by": f"reasons.yaml:{reason.id}/tier",
                }
            )
        tier = most_severe([firing["tier"] for firing in firings])
        missing = self._reasons.missing(
            classification["reason"],
            [plain(turn["text"]) for _, turn in scene.turns],
            conversation["customer"]["fields"],
        )
        return {
            "tier": tier,
            "triggers": firings,
            "missing": missing,
            "route": route_for(tier, missing),
            "owner": reason.owner if reason else None,
        }

    def _by_meaning(self, rule: Rule, scene: _Scene, read: _Read) -> TriggerFiring | None:
        meant = read.meant.get(rule.id)
        if meant is None or not by_meaning(rule, meant):
            return None
        part = f"examples[{meant.example}]"
        if meant.subject:
            return _firing_of_subject(rule, part, meant.subject)
        said = self._telling(scene, rule)
        return _firing(rule, part, said) if said else None

    def _doubt(
        self, scene: _Scene, read: _Read, firings: Sequence[TriggerFiring]
    ) -> TriggerFiring | None:
        """Return a firing of ``low_confidence`` that names the rule in doubt and its words."""
        if self._low_confidence is None or any(_held(one["tier"]) for one in firings):
            return None
        fires = bool(said_by_contact(firings)["triggers"])
        rule = in_doubt(self._meant, read.meant, read.loud, fires=fires)
        if rule is None:
            return None
        if subject := read.meant[rule.id].subject:
            firing = _firing_of_subject(self._low_confidence, "", subject)
            return {**firing, "by": rule.name("unsure")}
        said = self._telling(scene, rule)
        if said is None:
            return None
        return {**_firing(self._low_confidence, "", said), "by": rule.name("unsure")}

    def _telling(self, scene: _Scene, rule: Rule) -> Said | None:
        """Return the part of a contact that sounds most like ``rule``; None where it has none."""
        parts = [one for one in scene.parts() if _applies(rule, one.index, scene)]
        if len(parts) < 2:
            return parts[0] if parts else None
        said = self._examples.by_wording([plain(one.text) for one in parts])
        return parts[int(said[:, self._meant.index(rule)].argmax())]

    def brief(
        self,
        conversation: Conversation,
        classification: Classification,
        triage: Triage,
        hits: Sequence[Hit],
    ) -> Brief:
        """Return the handoff brief."""
        return briefs.brief(
            conversation,
            classification,
            triage,
            hits,
            self._reasons,
            self._rules.instructions,
            {rule.id: rule.description for rule in self._rules.rules},
        )

    def clarifying_draft(self, conversation: Conversation, triage: Triage) -> Draft:
        """Return a draft that asks for every missing field, in the words of the reason map."""
        fields = self._reasons.required_fields(triage["missing"], triage["owner"])
        return briefs.clarifying_draft(conversation, [field.ask for field in fields])

    def _read(self, scenes: Sequence[_Scene]) -> list[_Read]:
        """Return what the meaning of each contact says."""
        stretches = {
            text: stretches_of(text)
            for scene in scenes
            for text in (scene.open, scene.unsolved, scene.everything, scene.after_answers)
            if text
        }
        stretches |= {
            scene.subject: [scene.subject]
            for scene in scenes
            if len(scene.subject.split()) >= _LEAST_SUBJECT
        }
        known = self._judged(chain.from_iterable(stretches.values()))
        rows = {text: _likeliest([known[one] for one in all_]) for text, all_ in stretches.items()}
        turns = [scene.answered_turns() for scene in scenes]
        vectors = self._vectors(one.text for one in chain.from_iterable(turns))
        return [
            _Read(
                self._meanings(scene, rows),
                self._repeats(whole_turns, vectors, scene),
                rows[scene.open].loud if scene.open in rows else 0.0,
            )
            for scene, whole_turns in zip(scenes, turns, strict=True)
        ]

    def _meanings(self, scene: _Scene, rows: Mapping[str, _Row]) -> dict[str, Meant]:
        found: dict[str, Meant] = {}
        for column, rule in enumerate(self._meant):
            row = rows.get(scene.judged_by(rule))
            meant = _meant(row, column)
            subject = scene.subject_for(rule)
            if meant.probability < rule.sure_enough and subject in rows:
                above = _meant(rows[subject], column, subject)
                meant = max(meant, above, key=lambda one: one.probability)
            found[rule.id] = meant
        return found

    def _judged(self, texts: Iterable[str]) -> dict[str, _Row]:
        wanted = list(dict.fromkeys(texts))
        if not wanted:
            return {}
        judged = self._examples.judge(wanted, self._vectors_of.embed(wanted))
        rows = zip(judged.probability, judged.nearest, judged.loud.tolist(), strict=True)
        return {text: _Row(*row) for text, row in zip(wanted, rows, strict=True)}

    def _vectors(self, texts: Iterable[str]) -> dict[str, Vectors]:
        wanted = list(dict.fromkeys(texts))
        return dict(zip(wanted, self._embedder.embed(wanted), strict=True)) if wanted else {}

    def _repeats(
        self, turns: Sequence[Said], vectors: Mapping[str, Vectors], scene: _Scene
    ) -> dict[str, TriggerFiring]:
        if not turns:
            return {}
        rows = np.stack([vectors[one.text] for one in turns])
        found = {
            rule.id: _repeated(rule, turns, rows, scene)
            for rule in self._rules.rules
            if rule.said == "after_answer"
        }
        return {trigger: firing for trigger, firing in found.items() if firing is not None}

    def _unevaluated(self, why: str) -> dict[str, TriggerFiring]:
        return {
            rule.id: {
                "id": rule.id,
                "tier": rule.tier,
                "evidence": f"could not be evaluated: the embedding model failed ({why})",
                "by": rule.name("examples"),
            }
            for rule in self._meant
        }


def _repeated(
    rule: Rule, whole: Sequence[Said], vectors: Vectors, scene: _Scene
) -> TriggerFiring | None:
    """Return a firing when a message after an answer says what an earlier one said."""
    cosines = vectors @ vectors.T
    for at, one in enumerate(whole):
        if at == 0 or not _applies(rule, one.index, scene):
            continue
        if float(np.max(cosines[at, :at])) >= _SAME_ISSUE:
            return _firing(rule, "same_issue", one)
    return None
