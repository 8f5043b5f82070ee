"""The assistant that an agent talks to about a contact.

It proposes drafts and answers questions; it never sends. A proposal becomes the draft that waits
only by :meth:`desk.reviews.Reviews.revise`, and leaves only by a decision on that review, so that
evidence, recheck and audit are those of every other draft.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, cast

from core.clock import Clock
from core.database import Database
from core.errors import BadInput, NotFound
from desk.assistant_drafting import Asked, Drafting, Tell, proposing
from desk.assistant_turns import Reply, Turn, Turns, first_draft, proposed, waiting
from desk.contacts import get_contact
from desk.permissions import Actor, require
from desk.reviews import DecisionOutcome, Reviews
from desk.usable_macros import MacroLine
from graph import assistant as rules
from graph.chat_requests import (
    LONGEST_REQUEST,
    Request,
    RequestKind,
    RequestReader,
)
from graph.meaning import ExampleVectors
from graph.ports import Deps
from graph.reasons import ReasonMap
from graph.state import RunState
from graph.values import Draft
from kb.library import Library
from retrieval.ports import Embedder

HISTORY: Final = 40
LONGEST_EDIT: Final = 20_000


@dataclass(frozen=True, slots=True)
class FieldLine:
    """Something the reason map requires of a contact, and whether it is there."""

    id: str
    name: str
    ask: str
    found: bool


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
        self._reviews = reviews
        self._load_deps = deps
        self._embedder = embedder
        self._reasons = reasons
        self._cache = cache
        self._turns = Turns(database, clock)
        self._drafting = Drafting(database, library, deps, embedder, reasons)

    @property
    def _deps(self) -> Deps:
        return self._load_deps()

    @cached_property
    def _reader(self) -> RequestReader:
        return RequestReader(ExampleVectors(self._embedder, self._cache))

    # Reading

    def history(self, actor: Actor, contact_id: str, limit: int = HISTORY) -> list[Turn]:
        """Return what was said about a contact, the oldest of the last ``limit`` turns first."""
        require(actor, "read_reviews")
        return self._turns.of_contact(contact_id, limit)

    def proposal(self, actor: Actor, contact_id: str) -> Turn | None:
        """Return the proposal that is open: the last one on the review that waits; None if none."""
        require(actor, "read_reviews")
        return self._turns.proposal(contact_id)

    def macros(self, actor: Actor, contact_id: str, limit: int = 8) -> list[MacroLine]:
        """Return the macros that may be used now, those nearest to the question first.

        What is archived, gone, not in force or not borne out by the articles is not among them.
        """
        require(actor, "work_contacts")
        with self._database.read() as session:
            contact = get_contact(session, contact_id)
            said = [m.text for m in contact.messages if m.speaker == "customer"][-1:]
            asked = f"{contact.subject} {' '.join(said)}"[:LONGEST_REQUEST]
        return self._drafting.macros.nearest(asked, limit)

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
        macro = next((one for one in self._drafting.macros.all() if one.id == macro_id), None)
        if macro is None:
            raise BadInput("This macro may not be used now: it was changed, archived or withheld.")
        request = Request("macro", f"Insert the macro “{macro.title}”", 1.0)
        return self._answered(
            actor, contact_id, request, None, lambda on: self._drafting.macro(on, macro)
        )

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
            lambda on: proposing(rules.asking(on.draft, asks, on.conversation)),
        )

    def use(self, actor: Actor, contact_id: str, turn_id: str) -> Turn:
        """Propose the draft with what an answer said at its end.

        Raises:
            NotFound: There is no such answer.
        """
        require(actor, "work_contacts")
        answer = self._turns.get(contact_id, turn_id)
        if answer.status not in ("answer", "used") or answer.draft is None:
            raise NotFound("That is no answer that a draft could use.")
        sentences = answer.draft["sentences"]
        request = Request("detail", "Use it in the draft", 1.0)
        turn = self._answered(
            actor,
            contact_id,
            request,
            None,
            lambda on: proposing(rules.with_sentences(on.draft, sentences, on.conversation)),
        )
        self._turns.mark(actor, contact_id, turn_id, "used")
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
            actor, contact_id, request, None, lambda on: self._drafting.edited(on, text, actor)
        )

    def discard(self, actor: Actor, contact_id: str, turn_id: str) -> None:
        """Take a proposal back; the one before it, or the draft that waits, stands again."""
        require(actor, "work_contacts")
        self._turns.mark(actor, contact_id, turn_id, "discarded")

    def put_forward(self, actor: Actor, contact_id: str, turn_id: str) -> DecisionOutcome:
        """Put a proposal in the place of the draft that waits; a reviewer then decides on it.

        Raises:
            NotFound: There is no such proposal.
            Conflict: The draft that it was made from waits no more, or somebody holds it.
        """
        require(actor, "work_contacts")
        turn = self._turns.open_proposal(contact_id, turn_id)
        outcome = self._reviews.revise(actor, cast(str, turn.review_id), cast(Draft, turn.draft))
        self._turns.mark(actor, contact_id, turn_id, "used")
        return outcome

    def approve(self, actor: Actor, contact_id: str, turn_id: str) -> DecisionOutcome:
        """Decide the review with a proposal: the edit of a reviewer who may decide it.

        Raises:
            NotFound: There is no such proposal.
            NotAllowed: The person's role does not admit it; :meth:`put_forward` may.
            Conflict: The draft that it was made from waits no more, or somebody holds it.
        """
        require(actor, "decide_own")
        turn = self._turns.open_proposal(contact_id, turn_id)
        reply = {"kind": "edit", "draft": turn.draft}
        outcome = self._reviews.decide(actor, cast(str, turn.review_id), reply)
        self._turns.mark(actor, contact_id, turn_id, "used")
        return outcome

    def _answered(
        self,
        actor: Actor,
        contact_id: str,
        request: Request,
        on_text: Tell | None,
        do: Callable[[Asked], Reply] | None = None,
    ) -> Turn:
        with self._database.read() as session:
            get_contact(session, contact_id)
            review = waiting(session, contact_id)
            review_id = review.id if review else None
            row = proposed(session, contact_id, review.id) if review else None
            state = cast(RunState, review.state) if review else None
            working = cast("Draft | None", row.draft) if row else None
            first = first_draft(session, review) if review else None
        conversation = self._deps.conversations.load(contact_id)
        told: list[str] = []

        def tell(piece: str) -> None:
            told.append(piece)
            if on_text:
                on_text(piece)

        if state is None or first is None:
            reply = self._drafting.without_draft(request, conversation, tell)
        else:
            asked = Asked(
                request,
                conversation,
                state["classification"]["question"],
                working or state["draft"],
                first,
                state["triage"]["missing"],
                state["triage"]["owner"],
                state["classification"]["reason"],
            )
            reply = do(asked) if do else self._drafting.carry_out(asked, tell)
        if on_text and reply.draft and not told:  # what is written without a model comes at once
            for sentence in reply.draft["sentences"]:
                on_text(f"{sentence['text']} ")
        report = self._drafting.judged(reply.draft, request, conversation, state)
        return self._turns.keep(actor, contact_id, review_id, request, reply, report)


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
