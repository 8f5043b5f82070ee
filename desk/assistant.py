"""The assistant that an agent talks to about a contact.

It proposes drafts and answers questions; it never sends. A proposal becomes the draft that waits
only by :meth:`desk.reviews.Reviews.revise`, and leaves only by a decision on that review, so that
evidence, recheck and audit are those of every other draft.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Final, Literal, Protocol, cast, runtime_checkable

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import Clock
from core.database import Database
from core.errors import BadInput, Conflict, NotFound
from core.identifiers import new_id
from desk.audit import DESK, write_audit
from desk.contacts import get_contact
from desk.models import ChatTurn, Contact, Review
from desk.permissions import Actor, require
from desk.reviews import DecisionOutcome, Reviews
from graph import assistant as rules
from graph.chat_requests import (
    LONGEST_REQUEST,
    Request,
    RequestKind,
    RequestReader,
    number_in,
    topic_of,
)
from graph.draft import draft_digest
from graph.extractive import ExtractiveDrafter
from graph.judging import judge_draft
from graph.meaning import ExampleVectors
from graph.ports import Deps
from graph.reasons import ReasonMap, RequiredField
from graph.state import RunState
from graph.values import CheckReport, Conversation, Draft, Sentence
from kb.content import Passage
from kb.library import Library
from kb.models import Article
from retrieval.ports import Embedder, Hit

TurnStatus = Literal["said", "answer", "proposed", "used", "discarded"]
Tell = Callable[[str], None]
HISTORY: Final = 40
LONGEST_EDIT: Final = 20_000
_PASSAGES_FOR_A_TOPIC: Final = 12
_PASSAGES_FOR_A_SOURCE: Final = 40
_MACROS_AT_MOST: Final = 200
_REWRITES: Final[frozenset[RequestKind]] = frozenset(
    {"shorten", "detail", "warm", "formal", "sorry", "language", "reword", "remove"}
)
_TOPICLESS: Final = "incomplete: more detail"
_NO_DRAFT: Final = (
    "No draft waits on this contact, so there is nothing to change. I can look things up: ask me "
    "what a policy says."
)


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing that was said about a contact.

    Attributes:
        by: Id of the person; None for the assistant.
        draft: The proposed draft, or the answer to the agent; None where it is only said.
        report: What the check holds against it.
        status: ``said``, ``answer``, ``proposed``, ``used`` or ``discarded``.
    """

    id: str
    by: str | None
    kind: RequestKind
    text: str
    draft: Draft | None
    report: CheckReport | None
    status: TurnStatus
    review_id: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class MacroLine:
    """A macro that may be used now. ``text`` is what it says, as it is stored."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class FieldLine:
    """Something the reason map requires of a contact, and whether it is there."""

    id: str
    name: str
    ask: str
    found: bool


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
class _Asked:
    """What one request works on."""

    request: Request
    conversation: Conversation
    question: str
    draft: Draft
    first: Draft
    missing: list[str]
    owner: str | None
    reason: str | None


@dataclass(frozen=True)
class _Reply:
    said: str
    draft: Draft | None = None
    status: TurnStatus = "said"


class Assistant:
    """Answers what agents ask about a contact and its draft.

    Args:
        deps: What a run gets; called when first needed.
        embedder: Compares texts by meaning.
        reasons: The contact reason map.
        cache: Keeps what was learned from the examples between processes.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        reviews: Reviews,
        library: Library,
        deps: Callable[[], Deps],
        embedder: Embedder,
        reasons: ReasonMap,
        cache: Path | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._reviews = reviews
        self._library = library
        self._load_deps = deps
        self._embedder = embedder
        self._reasons = reasons
        self._cache = cache

    @property
    def _deps(self) -> Deps:
        return self._load_deps()

    @cached_property
    def _reader(self) -> RequestReader:
        return RequestReader(ExampleVectors(self._embedder, self._cache))

    @cached_property
    def _extractive(self) -> ExtractiveDrafter:
        return ExtractiveDrafter(self._embedder, self._library)

    # Reading

    def history(self, actor: Actor, contact_id: str, limit: int = HISTORY) -> list[Turn]:
        """Return what was said about a contact, the oldest of the last ``limit`` turns first."""
        require(actor, "read_reviews")
        query = (
            select(ChatTurn)
            .where(ChatTurn.contact_id == contact_id)
            .order_by(ChatTurn.id.desc())
            .limit(limit)
        )
        with self._database.read() as session:
            return [_turn(row) for row in reversed(session.scalars(query).all())]

    def proposal(self, actor: Actor, contact_id: str) -> Turn | None:
        """Return the proposal that is open: the last one on the review that waits; None if none."""
        require(actor, "read_reviews")
        with self._database.read() as session:
            review = _waiting(session, contact_id)
            row = _proposed(session, contact_id, review.id) if review else None
            return _turn(row) if row else None

    def macros(self, actor: Actor, contact_id: str, limit: int = 8) -> list[MacroLine]:
        """Return the macros that may be used now, those nearest to the question first.

        What is archived, gone, not in force or not borne out by the articles is not among them.
        """
        require(actor, "work_contacts")
        with self._database.read() as session:
            contact = get_contact(session, contact_id)
            said = [m.text for m in contact.messages if m.speaker == "customer"][-1:]
            asked = f"{contact.subject} {' '.join(said)}"[:LONGEST_REQUEST]
        known = self._known_macros()
        if not known:
            return []
        vectors = self._embedder.embed([asked, *(f"{m.title}. {m.text[:400]}" for m in known)])
        near = vectors[1:] @ vectors[0]
        order = sorted(range(len(known)), key=lambda at: (-float(near[at]), known[at].id))
        return [known[at] for at in order[:limit]]

    def _known_macros(self) -> list[MacroLine]:
        query = (
            select(Article.id, Article.title)
            .where(
                Article.kind == "macro",
                Article.archived.is_(False),
                Article.gone_at.is_(None),
                Article.withheld.is_(None),
            )
            .order_by(Article.id)
            .limit(_MACROS_AT_MOST)
        )
        with self._database.read() as session:
            titles = dict(session.execute(query).tuples().all())
        in_force = self._library.versions_in_force(list(titles))
        return [
            MacroLine(article, title, "\n\n".join(passage.plain for passage in passages))
            for article, title in titles.items()
            if article in in_force
            and (passages := self._library.passages_of_version(in_force[article]))
        ]

    def fields(self, actor: Actor, contact_id: str) -> list[FieldLine]:
        """Return what the contact's reason requires, and what of it is there."""
        require(actor, "read_reviews")
        conversation = self._deps.conversations.load(contact_id)
        with self._database.read() as session:
            reason = self._reasons.get(get_contact(session, contact_id).reason)
        if reason is None:
            return []
        said = [turn["text"] for turn in conversation["turns"] if turn["speaker"] == "customer"]
        known = conversation["customer"]["fields"]
        return [
            FieldLine(one.id, one.name, one.ask, one.found(said, known)) for one in reason.required
        ]

    # Talking

    def kind_of(self, text: str) -> RequestKind:
        """Return what a text asks for, without doing it."""
        return self._reader.read(text).kind

    def ask(self, actor: Actor, contact_id: str, text: str, on_text: Tell | None = None) -> Turn:
        """Answer what an agent typed; return the assistant's turn. Both are kept.

        Args:
            actor: Who asks.
            contact_id: The contact.
            text: What they typed.
            on_text: Called with pieces of the draft or answer as they come.

        Raises:
            NotFound: There is no such contact.
            BadInput: Nothing was typed, or too much.
        """
        require(actor, "work_contacts")
        said = _typed(text)
        request = self._reader.read(said)
        return self._answered(actor, contact_id, request, on_text)

    def insert_macro(self, actor: Actor, contact_id: str, macro_id: str) -> Turn:
        """Propose the draft with a macro's sentences at its end.

        Raises:
            BadInput: It may not be used now.
        """
        require(actor, "work_contacts")
        macro = next((one for one in self._known_macros() if one.id == macro_id), None)
        if macro is None:
            raise BadInput("This macro may not be used now: it was changed, archived or withheld.")
        request = Request("macro", f"Insert the macro “{macro.title}”", 1.0)
        return self._answered(actor, contact_id, request, None, lambda on: self._macro(on, macro))

    def ask_for(self, actor: Actor, contact_id: str, field_id: str) -> Turn:
        """Propose the draft with the reason map's question for a missing field at its end.

        Raises:
            BadInput: The contact's reason does not require it.
        """
        require(actor, "work_contacts")
        wanted = next((f for f in self.fields(actor, contact_id) if f.id == field_id), None)
        if wanted is None:
            raise BadInput("The contact's reason does not require that.")
        request = Request("ask", f"Ask for: {wanted.name}", 1.0)
        asks = [wanted.ask]
        return self._answered(
            actor,
            contact_id,
            request,
            None,
            lambda on: _proposing(rules.asking(on.draft, asks, on.conversation)),
        )

    def use(self, actor: Actor, contact_id: str, turn_id: str) -> Turn:
        """Propose the draft with what an answer said at its end.

        Raises:
            NotFound: There is no such answer.
        """
        require(actor, "work_contacts")
        with self._database.read() as session:
            answer = _turn(_row(session, contact_id, turn_id))
        if answer.status not in ("answer", "used") or answer.draft is None:
            raise NotFound("That is no answer that a draft could use.")
        sentences = answer.draft["sentences"]
        request = Request("detail", "Use it in the draft", 1.0)
        turn = self._answered(
            actor,
            contact_id,
            request,
            None,
            lambda on: _proposing(rules.with_sentences(on.draft, sentences, on.conversation)),
        )
        self._mark(actor, contact_id, turn_id, "used")
        return turn

    def edit(self, actor: Actor, contact_id: str, text: str) -> Turn:
        """Propose a draft that a person wrote, each sentence tied to what supports it.

        Raises:
            BadInput: Nothing was written, or too much.
        """
        require(actor, "work_contacts")
        if not text.strip():
            raise BadInput("text: write what the customer is to read.")
        if len(text) > LONGEST_EDIT:
            raise BadInput(f"text: an answer has at most {LONGEST_EDIT:,} characters.")
        request = Request("reword", "Edited by hand", 1.0)
        return self._answered(
            actor, contact_id, request, None, lambda on: self._edited(on, text, actor)
        )

    def discard(self, actor: Actor, contact_id: str, turn_id: str) -> None:
        """Take a proposal back; the one before it, or the draft that waits, stands again."""
        require(actor, "work_contacts")
        self._mark(actor, contact_id, turn_id, "discarded")

    def put_forward(self, actor: Actor, contact_id: str, turn_id: str) -> DecisionOutcome:
        """Put a proposal in the place of the draft that waits; a reviewer then decides on it.

        Raises:
            NotFound: There is no such proposal.
            Conflict: The draft that it was made from waits no more, or somebody holds it.
        """
        require(actor, "work_contacts")
        turn = self._proposal_of(contact_id, turn_id)
        outcome = self._reviews.revise(actor, cast(str, turn.review_id), cast(Draft, turn.draft))
        self._mark(actor, contact_id, turn_id, "used")
        return outcome

    def approve(self, actor: Actor, contact_id: str, turn_id: str) -> DecisionOutcome:
        """Decide the review with a proposal: the edit of a reviewer who may decide it.

        Raises:
            NotFound: There is no such proposal.
            NotAllowed: The person's role does not admit it; :meth:`put_forward` may.
            Conflict: The draft that it was made from waits no more, or somebody holds it.
        """
        require(actor, "decide_own")
        turn = self._proposal_of(contact_id, turn_id)
        reply = {"kind": "edit", "draft": turn.draft}
        outcome = self._reviews.decide(actor, cast(str, turn.review_id), reply)
        self._mark(actor, contact_id, turn_id, "used")
        return outcome

    # What is done

    def _answered(
        self,
        actor: Actor,
        contact_id: str,
        request: Request,
        on_text: Tell | None,
        do: Callable[[_Asked], _Reply] | None = None,
    ) -> Turn:
        with self._database.read() as session:
            get_contact(session, contact_id)
            review = _waiting(session, contact_id)
            review_id = review.id if review else None
            row = _proposed(session, contact_id, review.id) if review else None
            state = cast(RunState, review.state) if review else None
            working = cast("Draft | None", row.draft) if row else None
            first = _first_draft(session, review) if review else None
        conversation = self._deps.conversations.load(contact_id)
        told: list[str] = []

        def tell(piece: str) -> None:
            told.append(piece)
            if on_text:
                on_text(piece)

        if state is None or first is None:
            reply = self._without_draft(request, conversation, tell)
        else:
            asked = _Asked(
                request,
                conversation,
                state["classification"]["question"],
                working or state["draft"],
                first,
                state["triage"]["missing"],
                state["triage"]["owner"],
                state["classification"]["reason"],
            )
            reply = do(asked) if do else self._do(asked, tell)
        if on_text and reply.draft and not told:  # what is written without a model comes at once
            for sentence in reply.draft["sentences"]:
                on_text(f"{sentence['text']} ")
        report = self._judged(reply.draft, request, conversation, state)
        return self._keep(actor, contact_id, review_id, request, reply, report)

    def _without_draft(
        self, request: Request, conversation: Conversation, on_text: Tell | None
    ) -> _Reply:
        if request.kind == "lookup":
            return self._look_up(request.text, conversation, on_text)
        return _Reply(_NO_DRAFT)

    def _do(self, on: _Asked, on_text: Tell | None) -> _Reply:
        kind = on.request.kind
        if kind == "lookup":
            return self._look_up(on.request.text, on.conversation, on_text)
        model = self._deps.drafter
        if kind in _REWRITES and isinstance(model, Reviser):
            return self._rewritten(on, model, on_text)
        if why := rules.needs_model(kind):
            return _Reply(why)
        return self._by_rules(on)

    def _by_rules(self, on: _Asked) -> _Reply:
        draft, words = on.draft, on.request.text
        match on.request.kind:
            case "shorten" if draft["sentences"]:
                most = number_in(words)
                return _proposing(
                    rules.shorten(draft, on.question, self._embedder, self._bonds(on), most)
                )
            case "remove" if draft["sentences"]:
                return self._remove(on)
            case "detail":
                return self._detail(on)
            case "ask":
                return self._ask_for_named(on)
            case "macro":
                return self._macro(on, None)
            case "warm" | "formal" | "sorry" if draft["sentences"]:
                return _proposing(rules.toned(draft, on.request.kind, on.conversation))
            case "source":
                return self._from_source(on)
            case "restart":
                return self._from_the_start(on)
            case "shorten" | "remove" | "warm" | "formal" | "sorry":
                return _Reply("The draft holds no sentence yet: there is nothing to change.")
            case _:
                return _Reply(rules.WHAT_I_CAN)

    def _from_the_start(self, on: _Asked) -> _Reply:
        """Go back to the first draft, or write it anew where its sources are in force no more."""
        cited = {c["version_id"]: c["article_id"] for c in rules.numbered(on.first)}
        in_force = self._library.versions_in_force(list(cited.values()))
        if all(in_force.get(article) == version for version, article in cited.items()):
            said = "Back to the draft as the desk first wrote it."
            return _proposing(rules.Revised(on.first, said, changed=on.first != on.draft))
        hits = self._deps.search.search(on.question, self._deps.passages_per_draft)
        written = self._deps.drafter.draft(on.conversation, on.question, hits)
        if not written["sentences"]:
            return _Reply(f"The first draft's sources changed. {written['note']}")
        said = "Drafted anew: the sources of the first draft changed since."
        return _proposing(rules.Revised(written, said, changed=written != on.draft))

    def _rewritten(self, on: _Asked, model: Reviser, on_text: Tell | None) -> _Reply:
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
            return _Reply(said, written, "proposed")
        failed = f"The language model {problem}."
        if why := rules.needs_model(kind):
            return _Reply(f"{failed} The draft is unchanged. {why.partition('. Set ')[0]}.")
        reply = self._by_rules(on)
        return replace(reply, said=f"{failed} Done without it. {reply.said}")

    def _passages_for(self, on: _Asked) -> list[Passage]:
        """Return what a rewritten draft may rest on: what it cites, and what a wish is about."""
        cited = [c["passage_id"] for c in rules.numbered(on.draft)]
        found = list(self._library.passages(cited).values())
        if on.request.kind == "detail" or not found:
            topic = topic_of(on.request.text) or on.question
            known = {passage.id for passage in found}
            hits = self._deps.search.search(topic, self._deps.passages_per_draft)
            found += [hit.passage for hit in hits if hit.passage.id not in known]
        return found

    def _edited(self, on: _Asked, text: str, actor: Actor) -> _Reply:
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
        return _Reply("Each sentence was tied to its source and checked.", written, "proposed")

    def _bonds(self, on: _Asked) -> list[frozenset[int]]:
        versions = dict.fromkeys(c["version_id"] for c in rules.numbered(on.draft))
        editions = {one: self._library.passages_of_version(one) for one in versions}
        return rules.bonds(on.draft, editions, on.conversation["customer"])

    def _remove(self, on: _Asked) -> _Reply:
        if (edge := rules.named_edge(on.request.text)) is not None:
            return _proposing(rules.without_edge(on.draft, edge))
        at = rules.named_sentence(on.draft, on.request.text, self._embedder)
        if at is None:
            return _Reply(
                "I cannot tell which sentence you mean: give its number, or what it says."
            )
        return _proposing(rules.without(on.draft, at, self._bonds(on)))

    def _detail(self, on: _Asked) -> _Reply:
        topic = topic_of(on.request.text)
        if not topic:
            hits = self._deps.search.search(on.question, self._deps.passages_per_draft)
            longer = self._extractive.draft(on.conversation, on.question, hits, _TOPICLESS)
            return _proposing(rules.with_sentences(on.draft, longer["sentences"], on.conversation))
        sentences = self._about(topic, on.conversation)
        if not sentences:
            return _Reply(f"No source in force says anything about “{topic}”. Nothing was added.")
        return _proposing(rules.with_sentences(on.draft, sentences, on.conversation))

    def _about(self, topic: str, conversation: Conversation) -> list[Sentence]:
        hits = self._deps.search.search(topic, _PASSAGES_FOR_A_TOPIC)
        versions = dict.fromkeys(hit.passage.version_id for hit in hits)
        neighbours = {one: self._library.passages_of_version(one) for one in versions}
        return rules.about(topic, hits, neighbours, conversation, self._embedder)

    def _ask_for_named(self, on: _Asked) -> _Reply:
        known = self._fields_for(on)
        at = rules.nearest_name(
            on.request.text, [f"{one.name}. {one.ask}" for one in known], self._embedder
        )
        if at is not None:
            asks = [known[at].ask]
        elif on.missing and not topic_of(on.request.text):
            asks = [one.ask for one in self._reasons.required_fields(on.missing, on.owner)]
        else:
            return _Reply(
                "Your reason map has no question for that. Write the sentence yourself with Edit, "
                "or have it added to reasons.yaml."
            )
        return _proposing(rules.asking(on.draft, asks, on.conversation))

    def _fields_for(self, on: _Asked) -> list[RequiredField]:
        """Return what may be asked for: what the contact's reason requires, then what others do."""
        own = self._reasons.get(on.reason)
        found = {one.ask: one for one in (own.required if own else ())}
        for reason in self._reasons:
            for one in reason.required:
                found.setdefault(one.ask, one)
        return list(found.values())

    def _macro(self, on: _Asked, macro: MacroLine | None) -> _Reply:
        if macro is None:
            known = self._known_macros()
            names = [f"{one.title}. {one.text[:200]}" for one in known]
            at = rules.nearest_name(on.request.text, names, self._embedder)
            if at is None:
                return _Reply("No macro in force fits those words. Choose one from the list.")
            macro = known[at]
        version = self._library.versions_in_force([macro.id]).get(macro.id, "")
        passages = self._library.passages_of_version(version)
        sentences, left_out = rules.macro_sentences(passages, on.conversation)
        if not sentences:
            return _Reply(
                f"“{macro.title}” cannot be filled in for this customer: a detail it needs is "
                "not known."
            )
        said = f"Inserted “{macro.title}”."
        if left_out:
            said += f" {left_out} of its sentences need a detail that is not known."
        return _proposing(rules.with_sentences(on.draft, sentences, on.conversation, said))

    def _from_source(self, on: _Asked) -> _Reply:
        hits = self._deps.search.search(on.question, _PASSAGES_FOR_A_SOURCE)
        article = rules.named_source(on.request.text, on.draft, hits, self._embedder)
        if article is None:
            return _Reply("I cannot tell which source you mean: give its number or its title.")
        own = rules.of_article(article, hits) or self._hits_of(article)
        written = self._extractive.draft(on.conversation, on.question, own)
        title = own[0].passage.title if own else "That source"
        if not written["sentences"]:
            return _Reply(f"“{title}” does not answer the question by itself. Nothing was changed.")
        edges = {"opening": on.draft["opening"], "closing": on.draft["closing"]}
        if on.draft["sentences"]:
            written = cast(Draft, {**written, **edges})
        changed = written["sentences"] != on.draft["sentences"]
        said = f"Answers from “{title}” alone." if changed else f"It rests on “{title}” already."
        return _proposing(rules.Revised(written, said, changed))

    def _hits_of(self, article_id: str) -> list[Hit]:
        version = self._library.versions_in_force([article_id]).get(article_id, "")
        passages = self._library.passages_of_version(version)[:_PASSAGES_FOR_A_SOURCE]
        return [Hit(rank, 0.0, one, 0.0, 0.0) for rank, one in enumerate(passages, start=1)]

    def _look_up(self, question: str, conversation: Conversation, on_text: Tell | None) -> _Reply:
        """Answer the agent from the sources in force; nothing of it enters the draft by itself."""
        hits = self._deps.search.search(question, self._deps.passages_per_draft)
        alone = _as_question(conversation, question)
        written = self._deps.drafter.draft(alone, question, hits, "", on_text)
        if written["sentences"]:
            answer: Draft = {**written, "opening": "", "closing": ""}
            return _Reply(written["note"], answer, "answer")
        if not hits:
            return _Reply("No source in force says anything about that.")
        nearest = rules.nearest(hits)
        return _Reply("No source in force answers that. This comes nearest:", nearest, "answer")

    # Keeping

    def _judged(
        self,
        draft: Draft | None,
        request: Request,
        conversation: Conversation,
        state: RunState | None,
    ) -> CheckReport | None:
        if draft is None:
            return None
        question = request.text
        if state is not None and request.kind != "lookup":
            question = state["classification"]["question"]
        return judge_draft(draft, question, self._deps)[0]

    def _keep(
        self,
        actor: Actor,
        contact_id: str,
        review_id: str | None,
        request: Request,
        reply: _Reply,
        report: CheckReport | None,
    ) -> Turn:
        now = self._clock.now()
        told = ChatTurn(
            id=new_id("say"),
            contact_id=contact_id,
            review_id=review_id,
            by=actor.id,
            kind=request.kind,
            text=request.text,
            status="said",
            at=now,
        )
        # Ids of one millisecond do not sort by themselves.
        answer_id = new_id("say")
        while answer_id[:-_RANDOM_DIGITS] <= told.id[:-_RANDOM_DIGITS]:
            answer_id = new_id("say")
        answer = ChatTurn(
            id=answer_id,
            contact_id=contact_id,
            review_id=review_id,
            by=DESK,
            kind=request.kind,
            text=reply.said,
            draft=cast("dict[str, object] | None", reply.draft),
            report=cast("dict[str, object] | None", report),
            status=reply.status,
            at=now,
        )
        with self._database.write() as session:
            session.add_all([told, answer])
            write_audit(
                session,
                now,
                actor.id,
                f"assistant.{'asked' if reply.status != 'proposed' else 'proposed'}",
                contact_id=contact_id,
                review_id=review_id,
                data=_for_audit(request, reply, report),
            )
            session.flush()
            return _turn(answer)

    def _mark(self, actor: Actor, contact_id: str, turn_id: str, status: TurnStatus) -> None:
        now = self._clock.now()
        with self._database.write() as session:
            row = _row(session, contact_id, turn_id)
            if row.status == status:
                return
            row.status = status
            write_audit(
                session,
                now,
                actor.id,
                f"assistant.{status}",
                contact_id=contact_id,
                review_id=row.review_id,
                data={"turn": turn_id},
            )

    def _proposal_of(self, contact_id: str, turn_id: str) -> Turn:
        with self._database.read() as session:
            turn = _turn(_row(session, contact_id, turn_id))
            review = _waiting(session, contact_id)
        if turn.draft is None or turn.review_id is None or turn.status not in ("proposed", "used"):
            raise NotFound("That is no proposed draft.")
        if turn.status == "used":
            raise Conflict("This proposal was used already: look at the draft that waits now.")
        if review is None or review.id != turn.review_id:
            raise Conflict(
                "The draft that this proposal was made from waits no more: look at what waits now."
            )
        return turn


_RANDOM_DIGITS: Final = 10  # of an id, after the digits that tell its millisecond


def _proposing(revised: rules.Revised) -> _Reply:
    if not revised.changed:
        return _Reply(revised.said)
    return _Reply(revised.said, revised.draft, "proposed")


def _as_question(conversation: Conversation, question: str) -> Conversation:
    """Return a contact with nothing in it but an agent's question."""
    asked = conversation["turns"][-1:] or []
    turns = [{**turn, "speaker": "customer", "text": question} for turn in asked]
    customer = {**conversation["customer"], "name": ""}
    return cast(
        Conversation,
        {**conversation, "channel": "chat", "subject": "", "customer": customer, "turns": turns},
    )


def _typed(text: str) -> str:
    said = " ".join(text.split())
    if not said:
        raise BadInput("text: say what you want, such as “shorter”, or ask what a policy says.")
    if len(said) > LONGEST_REQUEST:
        raise BadInput(
            f"text: {len(said):,} characters are too many; the assistant reads {LONGEST_REQUEST:,}."
        )
    try:
        said.encode("utf-8")
    except UnicodeEncodeError:
        raise BadInput("text: holds half a character (a lone surrogate).") from None
    return said


def _waiting(session: Session, contact_id: str) -> Review | None:
    return session.scalar(
        select(Review)
        .join(Contact, Contact.id == Review.contact_id)
        .where(
            Review.contact_id == contact_id,
            Review.status == "pending",
            Contact.status == "in_review",
        )
        .order_by(Review.id.desc())
        .limit(1)
    )


def _first_draft(session: Session, review: Review) -> Draft:
    """Return the draft that the desk wrote first in this run."""
    state = session.scalar(
        select(Review.state).where(Review.thread == review.thread).order_by(Review.id).limit(1)
    )
    return cast(Draft, (state or review.state)["draft"])


def _proposed(session: Session, contact_id: str, review_id: str) -> ChatTurn | None:
    return session.scalar(
        select(ChatTurn)
        .where(
            ChatTurn.contact_id == contact_id,
            ChatTurn.review_id == review_id,
            ChatTurn.status == "proposed",
        )
        .order_by(ChatTurn.id.desc())
        .limit(1)
    )


def _row(session: Session, contact_id: str, turn_id: str) -> ChatTurn:
    row = session.get(ChatTurn, turn_id)
    if row is None or row.contact_id != contact_id:
        raise NotFound(f"Nothing of the id {turn_id!r} was said about this contact.")
    return row


def _turn(row: ChatTurn) -> Turn:
    return Turn(
        id=row.id,
        by=None if row.by == DESK else row.by,
        kind=cast(RequestKind, row.kind),
        text=row.text,
        draft=cast("Draft | None", row.draft),
        report=cast("CheckReport | None", row.report),
        status=cast(TurnStatus, row.status),
        review_id=row.review_id,
        at=row.at,
    )


def _for_audit(request: Request, reply: _Reply, report: CheckReport | None) -> Mapping[str, object]:
    """Return what the trail keeps: never what was typed, always what came of it."""
    kept: dict[str, object] = {"request": request.kind, "status": reply.status}
    if reply.draft is not None:
        kept |= {"draft_digest": draft_digest(reply.draft), "drafter": reply.draft["drafter"]}
    if report is not None:
        kept["findings"] = len(report["findings"])
    return kept
