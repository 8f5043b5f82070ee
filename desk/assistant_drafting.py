"""Carries requests about a draft out: by the rules, or by a language model where one is set.

Nothing is kept here, and nothing sent: what comes back is what the assistant proposes or says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, Literal, Protocol, cast, runtime_checkable

from core.database import Database
from desk.assistant_turns import Reply
from desk.permissions import Actor
from desk.usable_macros import MacroLine, UsableMacros
from graph import assistant as rules
from graph.chat_requests import Request, RequestKind, number_in, topic_of
from graph.draft import keep_writers
from graph.extractive import ExtractiveDrafter
from graph.finding import find
from graph.judging import judge_draft
from graph.ports import Deps
from graph.reasons import ReasonMap, RequiredField
from graph.state import RunState
from graph.values import CheckReport, Conversation, Draft, Sentence
from kb.content import Passage
from kb.library import Library
from retrieval.ports import Embedder, Hit

Tell = Callable[[str], None]
_PASSAGES_FOR_A_TOPIC: Final = 12
_PASSAGES_FOR_A_SOURCE: Final = 40
_MACROS_BY_NAME: Final = 50
_REWRITES: Final[frozenset[RequestKind]] = frozenset(
    {"shorten", "detail", "warm", "formal", "sorry", "language", "reword", "remove"}
)
_TOPICLESS: Final = "incomplete: more detail"
_NO_DRAFT: Final = (
    "No draft waits on this contact, so there is nothing to change. I can look things up: ask me "
    "what a policy says."
)


@runtime_checkable
class Reviser(Protocol):
    """Rewrites drafts with a language model; ``graph.model_draft.ModelDrafter`` is the one."""

    @property
    def name(self) -> str:
        """``model:<name>``."""
        ...

    def revise(
        self,
        conversation: Conversation,
        question: str,
        draft: Draft,
        request: str,
        passages: Sequence[Passage],
        on_text: Tell | None = None,
    ) -> tuple[Draft | None, str]:
        """Return the rewritten draft, or None and what was wrong."""
        ...


@dataclass(frozen=True)
class Asked:
    """What one request works on."""

    request: Request
    conversation: Conversation
    question: str
    draft: Draft
    first: Draft
    missing: list[str]
    owner: str | None
    reason: str | None


class Drafting:
    """Carries requests out.

    Args:
        database: The records.
        library: The help center.
        deps: What a run gets; called when first needed.
        embedder: Compares texts by meaning.
        reasons: The contact reason map.

    Attributes:
        macros: Those that may be used now.
    """

    def __init__(
        self,
        database: Database,
        library: Library,
        deps: Callable[[], Deps],
        embedder: Embedder,
        reasons: ReasonMap,
    ) -> None:
        self._database = database
        self._library = library
        self._load_deps = deps
        self._embedder = embedder
        self._reasons = reasons
        self.macros = UsableMacros(database, library, embedder)

    @property
    def _deps(self) -> Deps:
        return self._load_deps()

    @cached_property
    def _extractive(self) -> ExtractiveDrafter:
        return ExtractiveDrafter(self._embedder, self._library)

    def carry_out(self, on: Asked, on_text: Tell | None) -> Reply:
        """Do what was asked, by the model where one is set and the request is one for it."""
        kind = on.request.kind
        if kind == "lookup":
            return self._look_up(on.request.text, on.conversation, on_text)
        model = self._deps.drafter
        if kind in _REWRITES and isinstance(model, Reviser):
            return self._rewritten(on, model, on_text)
        if why := rules.needs_model(kind):
            return Reply(why)
        return self._by_rules(on)

    def without_draft(
        self, request: Request, conversation: Conversation, on_text: Tell | None
    ) -> Reply:
        """Answer what can be answered where no draft waits."""
        if request.kind == "lookup":
            return self._look_up(request.text, conversation, on_text)
        return Reply(_NO_DRAFT)

    def edited(self, on: Asked, text: str, actor: Actor) -> Reply:
        """Propose a text that a person wrote, each sentence tied to what supports it."""
        cited = [c["passage_id"] for c in rules.numbered(on.draft)]
        found = self._library.passages(cited)
        found |= {hit.passage.id: hit.passage for hit in self._deps.search.search(text, 10)}
        in_force = set(
            self._library.versions_in_force([one.article_id for one in found.values()]).values()
        )
        current = [one for one in found.values() if one.version_id in in_force]
        kind: Literal["answer", "clarify"] = (
            "clarify" if on.draft["kind"] == "clarify" else "answer"
        )
        written = self._deps.citer.cite(text, current, f"person:{actor.id}", kind)
        kept = keep_writers(written, on.draft)
        return Reply("Each sentence was tied to its source and checked.", kept, "proposed")

    def macro(self, on: Asked, macro: MacroLine | None) -> Reply:
        """Propose the draft with a macro at its end; None for the one that the words name."""
        if macro is None:
            known = self.macros.nearest(on.request.text, _MACROS_BY_NAME)
            names = [f"{one.title}. {one.text[:200]}" for one in known]
            at = rules.nearest_name(on.request.text, names, self._embedder)
            if at is None:
                return Reply("No macro in force fits those words. Choose one from the list.")
            macro = known[at]
        version = self._library.versions_in_force([macro.id]).get(macro.id, "")
        passages = self._library.passages_of_version(version)
        sentences, left_out = rules.macro_sentences(passages, on.conversation)
        if not sentences:
            return Reply(
                f"“{macro.title}” cannot be filled in for this customer: a detail it needs is "
                "not known."
            )
        said = f"Inserted “{macro.title}”."
        if left_out:
            said += f" {left_out} of its sentences need a detail that is not known."
        return proposing(rules.with_sentences(on.draft, sentences, on.conversation, said))

    def judged(
        self,
        draft: Draft | None,
        request: Request,
        conversation: Conversation,
        state: RunState | None,
    ) -> CheckReport | None:
        """Return what the check holds against a draft; None where there is none."""
        if draft is None:
            return None
        question = request.text
        if state is not None and request.kind != "lookup":
            question = state["classification"]["question"]
        return judge_draft(draft, question, self._deps)[0]

    def _by_rules(self, on: Asked) -> Reply:
        draft, words = on.draft, on.request.text
        match on.request.kind:
            case "shorten" if draft["sentences"]:
                most = number_in(words)
                return proposing(
                    rules.shorten(draft, on.question, self._embedder, self._bonds(on), most)
                )
            case "remove" if draft["sentences"]:
                return self._remove(on)
            case "detail":
                return self._detail(on)
            case "ask":
                return self._ask_for_named(on)
            case "macro":
                return self.macro(on, None)
            case "warm" | "formal" | "sorry" if draft["sentences"]:
                return proposing(rules.toned(draft, on.request.kind, on.conversation))
            case "source":
                return self._from_source(on)
            case "restart":
                return self._from_the_start(on)
            case "shorten" | "remove" | "warm" | "formal" | "sorry":
                return Reply("The draft holds no sentence yet: there is nothing to change.")
            case _:
                return Reply(rules.WHAT_I_CAN)

    def _from_the_start(self, on: Asked) -> Reply:
        """Go back to the first draft, or write it anew where its sources are in force no more."""
        cited = {c["version_id"]: c["article_id"] for c in rules.numbered(on.first)}
        in_force = self._library.versions_in_force(list(cited.values()))
        if all(in_force.get(article) == version for version, article in cited.items()):
            said = "Back to the draft as the desk first wrote it."
            return proposing(rules.Revised(on.first, said, changed=on.first != on.draft))
        hits = find(self._deps.search, on.question, self._deps.passages_per_draft)
        written = self._deps.drafter.draft(on.conversation, on.question, hits)
        if not written["sentences"]:
            return Reply(f"The first draft's sources changed. {written['note']}")
        said = "Drafted anew: the sources of the first draft changed since."
        return proposing(rules.Revised(written, said, changed=written != on.draft))

    def _rewritten(self, on: Asked, model: Reviser, on_text: Tell | None) -> Reply:
        """Have the model rewrite the draft; where it cannot, do what needs no model."""
        base = on.draft
        kind = on.request.kind
        if kind in ("warm", "formal", "sorry"):
            base = rules.toned(base, kind, on.conversation).draft
        if kind == "language":  # ours are English
            base = {**base, "opening": "", "closing": ""}
        passages = self._passages_for(on)
        written, problem = model.revise(
            on.conversation, on.question, base, on.request.text, passages, on_text
        )
        if written is not None:
            said = "Rewritten by the language model and checked against the sources."
            if kind == "language":
                said += " Greeting and closing were left out: add yours."
            return Reply(said, written, "proposed")
        failed = f"The language model {problem}."
        if why := rules.needs_model(kind):
            return Reply(f"{failed} The draft is unchanged. {why.partition('. Set ')[0]}.")
        reply = self._by_rules(on)
        return replace(reply, said=f"{failed} Done without it. {reply.said}")

    def _passages_for(self, on: Asked) -> list[Passage]:
        """Return what a rewritten draft may rest on: what it cites, and what a wish is about."""
        cited = [c["passage_id"] for c in rules.numbered(on.draft)]
        found = list(self._library.passages(cited).values())
        if on.request.kind == "detail" or not found:
            topic = topic_of(on.request.text) or on.question
            known = {passage.id for passage in found}
            hits = self._deps.search.search(topic, self._deps.passages_per_draft)
            found += [hit.passage for hit in hits if hit.passage.id not in known]
        return found

    def _bonds(self, on: Asked) -> list[frozenset[int]]:
        versions = dict.fromkeys(c["version_id"] for c in rules.numbered(on.draft))
        editions = {one: self._library.passages_of_version(one) for one in versions}
        return rules.bonds(on.draft, editions, on.conversation["customer"])

    def _remove(self, on: Asked) -> Reply:
        if (edge := rules.named_edge(on.request.text)) is not None:
            return proposing(rules.without_edge(on.draft, edge))
        at = rules.named_sentence(on.draft, on.request.text, self._embedder)
        if at is None:
            return Reply("I cannot tell which sentence you mean: give its number, or what it says.")
        return proposing(rules.without(on.draft, at, self._bonds(on)))

    def _detail(self, on: Asked) -> Reply:
        topic = topic_of(on.request.text)
        if not topic:
            hits = find(self._deps.search, on.question, self._deps.passages_per_draft)
            longer = self._extractive.draft(on.conversation, on.question, hits, _TOPICLESS)
            return proposing(rules.with_sentences(on.draft, longer["sentences"], on.conversation))
        sentences = self._about(topic, on.conversation)
        if not sentences:
            return Reply(f"No source in force says anything about “{topic}”. Nothing was added.")
        return proposing(rules.with_sentences(on.draft, sentences, on.conversation))

    def _about(self, topic: str, conversation: Conversation) -> list[Sentence]:
        hits = self._deps.search.search(topic, _PASSAGES_FOR_A_TOPIC)
        versions = dict.fromkeys(hit.passage.version_id for hit in hits)
        neighbours = {one: self._library.passages_of_version(one) for one in versions}
        return rules.about(topic, hits, neighbours, conversation, self._embedder)

    def _ask_for_named(self, on: Asked) -> Reply:
        known = self._fields_for(on)
        at = rules.nearest_name(
            on.request.text, [f"{one.name}. {one.ask}" for one in known], self._embedder
        )
        if at is not None:
            asks = [known[at].ask]
        elif on.missing and not topic_of(on.request.text):
            asks = [one.ask for one in self._reasons.required_fields(on.missing, on.owner)]
        else:
            return Reply(
                "Your reason map has no question for that. Write the sentence yourself with Edit, "
                "or have it added to reasons.yaml."
            )
        return proposing(rules.asking(on.draft, asks, on.conversation))

    def _fields_for(self, on: Asked) -> list[RequiredField]:
        """Return what may be asked for: what the contact's reason requires, then what others do."""
        own = self._reasons.get(on.reason)
        found = {one.ask: one for one in (own.required if own else ())}
        for reason in self._reasons:
            for one in reason.required:
                found.setdefault(one.ask, one)
        return list(found.values())

    def _from_source(self, on: Asked) -> Reply:
        hits = self._deps.search.search(on.question, _PASSAGES_FOR_A_SOURCE)
        article = rules.named_source(on.request.text, on.draft, hits, self._embedder)
        if article is None:
            return Reply("I cannot tell which source you mean: give its number or its title.")
        own = rules.of_article(article, hits) or self._hits_of(article)
        written = self._extractive.draft(on.conversation, on.question, own)
        title = own[0].passage.title if own else "That source"
        if not written["sentences"]:
            return Reply(f"“{title}” does not answer the question by itself. Nothing was changed.")
        edges = {"opening": on.draft["opening"], "closing": on.draft["closing"]}
        if on.draft["sentences"]:
            written = cast(Draft, {**written, **edges})
        changed = written["sentences"] != on.draft["sentences"]
        said = f"Answers from “{title}” alone." if changed else f"It rests on “{title}” already."
        return proposing(rules.Revised(written, said, changed))

    def _hits_of(self, article_id: str) -> list[Hit]:
        version = self._library.versions_in_force([article_id]).get(article_id, "")
        passages = self._library.passages_of_version(version)[:_PASSAGES_FOR_A_SOURCE]
        return [Hit(rank, 0.0, one, 0.0, 0.0) for rank, one in enumerate(passages, start=1)]

    def _look_up(self, question: str, conversation: Conversation, on_text: Tell | None) -> Reply:
        """Answer the agent from the sources in force; nothing of it enters the draft by itself."""
        hits = self._deps.search.search(question, self._deps.passages_per_draft)
        alone = _as_question(conversation, question)
        written = self._deps.drafter.draft(alone, question, hits, "", on_text)
        if written["sentences"]:
            answer: Draft = {**written, "opening": "", "closing": ""}
            return Reply(written["note"], answer, "answer")
        if not hits:
            return Reply("No source in force says anything about that.")
        found = rules.as_found(hits)
        return Reply("No source in force answers that. This comes nearest:", found, "answer")


def proposing(revised: rules.Revised) -> Reply:
    """Return a rule's outcome as a reply: a proposal where it changed something."""
    if not revised.changed:
        return Reply(revised.said)
    return Reply(revised.said, revised.draft, "proposed")


def _as_question(conversation: Conversation, question: str) -> Conversation:
    """Return a contact with nothing in it but an agent's question."""
    asked = conversation["turns"][-1:] or []
    turns = [{**turn, "speaker": "customer", "text": question} for turn in asked]
    customer = {**conversation["customer"], "name": ""}
    return cast(
        Conversation,
        {**conversation, "channel": "chat", "subject": "", "customer": customer, "turns": turns},
    )
