"""What words mean to a comparison: stems, equivalents, opposites, negations, function words.

Small tables of everyday English, kept as data. A missing entry costs a needless question to a
reviewer, a wrong one can hide a difference: when in doubt a pair is left out.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words that carry no claim of their own. Pronouns are here: a reply says "we" for the company.
FUNCTION_WORDS: Final = _words(
    "a an the this that these those such there here it its itself he she him her his hers they them "
    "their theirs we us our ours i me my mine you your yours yourself yourselves themselves ourselves "
    "one's who whom whose which what where when how why and or but so then thus hence therefore also "
    "too as of to in on at by for from with into onto about through via upon per within during "
    "be is are was were been being am 's do does did done doing have has had having if whether while "
    "because since though although please just simply s re ve ll d m t get gets got getting "
    "already yet own very really quite indeed well ok okay etc e.g i.e e g yes "
    "out up off down over again back further once than like both either each other "
    "however moreover additionally furthermore otherwise meanwhile accordingly "
    "hi hello sorry thanks thank way thing things whenever wherever whatever "
    "go goes going able plus first any anymore llc inc ltd"
)
# Words a reply puts around what a source says.
META_WORDS: Final = _words(
    "according article articles page pages help center centre documentation docs doc guide section "
    "note noted see say says said state states stated mention mentions mentioned describe describes "
    "described explain explains explained know read summary short answer details detail information "
    "info following follows below above listed list refer check find found policy policies terms "
    "question questions case cases kindly sure happy glad good great quick simply namely means mean "
    "currently basically generally fully directly easily actually specifically automatically simply"
)
NEGATIONS: Final = _words(
    "not never no none nothing nobody nowhere neither nor cannot n't without hardly nobody's non"
)
# The same in other languages, without those that are common words of English or come in pairs.
NEGATIONS_ABROAD: Final = _words(
    "nicht nie niemals kein keine keinen keinem keiner keines nichts niemand ohne pas jamais aucun "
    "aucune sans nunca jamás nada nadie ningún ninguna não nenhum nenhuma sem niet geen nooit zonder"
)
# Words that widen or narrow a claim.
LIMITERS: Final = {
    "only": "only", "solely": "only", "exclusively": "only", "unless": "unless",
    "except": "except", "excepting": "except", "excluding": "except", "exclude": "except",
    "until": "until", "till": "until", "before": "before", "prior": "before", "after": "after",
    "instead": "instead", "still": "still",
}  # fmt: skip
# Words that say under which condition, in which of several cases, or how surely something holds.
CONDITIONS: Final = _words(
    "if when whenever once unless except until till while where wherever only provided providing "
    "assuming depending otherwise but however although though whereas"
)
HEDGES: Final = _words(
    "voluntarily certain some most many few several usually generally typically normally mostly often "
    "sometimes rarely occasionally currently possibly probably likely eligible applicable selected "
    "particular specific truly reasonably necessarily always every all each any both either other "
    "limited individual similar related approximately about around roughly almost nearly partly"
)
# Small words that no sentence may gain or lose without saying something else.
TURNING_WORDS: Final = CONDITIONS | _words(
    "because since from or out off down over up back again further each both either other any first "
    "than plus about already yet per"
)
# Adverbs that a sentence may leave out and claim no more than before.
IDLE_ADVERBS: Final = _words(
    "also simply just easily quickly directly automatically actually basically specifically kindly "
    "even please namely very really quite"
)
MODALS: Final = {
    "can": "can", "may": "can", "could": "can", "might": "can",
    "must": "must", "required": "must", "mandatory": "must", "needed": "must", "obliged": "must", "obligated": "must", "require": "must", "requires": "must",
    "should": "should", "ought": "should", "recommended": "should", "recommend": "should",
    "optional": "optional", "optionally": "optional",
    "will": "will", "shall": "will", "would": "will",
}  # fmt: skip

_IRREGULAR: Final = {
    "paid": "pay", "sent": "send", "bought": "buy", "kept": "keep", "made": "make", "gave": "give",
    "given": "give", "took": "take", "taken": "take", "wrote": "write", "written": "write",
    "chose": "choose", "chosen": "choose", "lost": "lose", "held": "hold", "sold": "sell",
    "told": "tell", "found": "find", "built": "build", "ran": "run", "running": "run",
    "used": "use", "using": "use", "uses": "use", "usage": "use", "left": "leave", "met": "meet",
    "went": "go", "gone": "go", "seen": "see", "saw": "see", "known": "know", "began": "begin",
    "begun": "begin", "spent": "spend", "brought": "bring", "thought": "think", "felt": "feel",
    "people": "person", "children": "child", "dying": "die", "tied": "tie", "data": "data",
    "canceled": "cancel", "cancellation": "cancel", "cancellations": "cancel",
    "retention": "retain", "deletion": "delet", "payment": "pay", "payments": "pay",
    "e-mail": "email", "e-mails": "email", "emails": "email", "emailing": "email",
    "emailed": "email", "colour": "color", "colours": "color", "licence": "licens",
    "centre": "center", "organisation": "organization", "cheque": "check", "signup": "sign",
    "sign-up": "sign", "login": "log", "logon": "log", "fewer": "less", "per": "per",
    "best": "good", "better": "good", "lengthy": "long", "newly": "new",
}  # fmt: skip
_SUFFIXES: Final = (
    "izations", "ization", "isation", "ations", "ation", "ions", "ion", "ments", "ment", "ings",
    "ing", "edly", "ied", "ies", "ed", "ers", "er", "ally", "ly", "es", "s",
)  # fmt: skip


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """Return the stem under which forms of one word meet: ``Cancelled``, ``cancels`` → ``cancel``."""
    lowered = word.lower().replace("’", "'")
    if lowered.endswith("'s"):
        lowered = lowered[:-2]
    lowered = lowered.strip("'")
    if lowered in _IRREGULAR:
        return _IRREGULAR[lowered]
    base = lowered
    for suffix in _SUFFIXES:
        if base.endswith(suffix) and len(base) - len(suffix) >= 3:
            if suffix == "s" and base.endswith(("ss", "us", "is")):
                break
            if suffix == "es" and not base.endswith(("ses", "xes", "zes", "ches", "shes")):
                continue
            base = base[: -len(suffix)] + ("y" if suffix in {"ies", "ied"} else "")
            break
    if len(base) > 4 and base[-1] == base[-2] and base[-1] not in "se":
        base = base[:-1]
    if len(base) > 3 and base.endswith(("e", "y", "i")):
        base = base[:-1]
    return base


_GROUPS: Final = (
    "buy purchase", "ask request", "contact reach", "begin start commence", "end finish",
    "remove delete erase", "keep retain", "show display", "fix resolve repair",
    "get receive obtain", "give provide offer grant specify", "choose select pick", "send submit",
    "customer client", "allow permit let", "modify change", "sign log register",
    "immediately instantly", "website site", "approximately around roughly", "error mistake",
    "tell inform notify", "verify confirm", "company organization business",
    "happen occur", "issue problem trouble", "refuse reject decline", "ensure assure",
    "additional extra", "whole entire", "maximum most", "minimum least",
    "big large", "fast quick", "phone telephone", "annual yearly", "monthly month",
    "weekly week", "daily day", "hourly hour", "hold store", "attempt try", "reply respond answer",
    "create make", "assign allocate", "temporarily briefly", "permanently forever",
    "last final", "correct right", "wrong incorrect", "view look", "turn switch",
    "charge bill", "price cost", "replenish renew", "several multiple", "stay remain rest remainder", "number amount quantity", "many numerous",
    "impossible unfeasible", "disclose reveal", "share disclose", "post publish",
)  # fmt: skip


def _group_map() -> dict[str, str]:
    table: dict[str, str] = {}
    for group in _GROUPS:
        members = [stem(word) for word in group.split()]
        head = next((table[member] for member in members if member in table), members[0])
        table.update(dict.fromkeys(members, head))
    return table


_EQUIVALENT: Final = _group_map()


def meaning(word: str) -> str:
    """Return the key under which a word and its everyday equivalents meet (``buy`` = ``purchase``)."""
    key = stem(word)
    return _EQUIVALENT.get(key, key)


_OPPOSITES: Final = (
    ("free", "pay"), ("free", "charge"), ("include", "exclude"), ("enable", "disable"),
    ("allow", "forbid"), ("allow", "prohibit"), ("allow", "ban"), ("allow", "block"),
    ("allow", "deny"), ("allow", "prevent"), ("forbidden", "allowed"), ("accept", "refuse"),
    ("accept", "deny"), ("approve", "deny"), ("approve", "refuse"), ("increase", "decrease"),
    ("raise", "lower"), ("open", "close"), ("public", "private"), ("internal", "external"),
    ("first", "last"), ("maximum", "minimum"), ("start", "end"), ("start", "stop"),
    ("add", "remove"), ("manual", "automatic"), ("manually", "automatically"),
    ("monthly", "annual"), ("weekly", "monthly"), ("daily", "weekly"), ("daily", "monthly"),
    ("daily", "annual"), ("weekly", "annual"), ("online", "offline"), ("keep", "delete"),
    ("optional", "mandatory"), ("temporary", "permanent"), ("temporarily", "permanently"),
    ("early", "late"), ("earlier", "later"), ("upgrade", "downgrade"), ("above", "below"),
    ("inside", "outside"), ("same", "different"), ("old", "new"), ("more", "less"),
    ("higher", "lower"), ("high", "low"), ("always", "sometimes"), ("always", "rarely"),
    ("partial", "full"), ("before", "after"), ("success", "failure"), ("succeed", "fail"),
    ("success", "fail"), ("own", "rent"), ("safe", "unsafe"), ("buy", "sell"), ("push", "pull"),
    ("personal", "business"), ("personal", "commercial"), ("immediate", "delay"),
    ("immediately", "later"), ("long", "short"), ("valid", "expired"), ("active", "expired"),
    ("available", "discontinued"), ("encrypt", "plain"), ("upload", "download"),
    ("hide", "show"), ("lock", "unlock"), ("connect", "disconnect"), ("install", "uninstall"),
    ("subscribe", "unsubscribe"), ("visible", "hidden"), ("shared", "dedicated"),
    ("legacy", "new"), ("current", "former"), ("current", "previous"), ("next", "previous"),
    ("hard", "easy"), ("slow", "fast"), ("transactional", "marketing"),
    ("success", "error"), ("incoming", "outgoing"), ("import", "export"), ("start", "finish"),
)  # fmt: skip
_NEGATIVE_PREFIX: Final = re.compile(r"^(?:un|in|im|il|ir|dis|non-?|de|mis)(?=[a-z]{4})")


def _opposite_map() -> dict[str, frozenset[str]]:
    table: dict[str, set[str]] = {}
    for left, right in _OPPOSITES:
        a, b = meaning(left), meaning(right)
        if a != b:
            table.setdefault(a, set()).add(b)
            table.setdefault(b, set()).add(a)
    return {key: frozenset(value) for key, value in table.items()}


_OPPOSITE: Final = _opposite_map()


def opposite(left: str, right: str) -> bool:
    """Say whether two words are opposites: ``free``/``paid``, ``available``/``unavailable``."""
    a, b = meaning(left), meaning(right)
    if b in _OPPOSITE.get(a, ()):
        return True
    for one, other in ((left.lower(), right.lower()), (right.lower(), left.lower())):
        bare = _NEGATIVE_PREFIX.sub("", one)
        if bare != one and stem(bare) == stem(other):
            return True
    return False


NUMBER_WORDS: Final = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14,
    "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20,
    "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
SCALES: Final = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            "january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul",
            "august aug", "september sep sept", "october oct", "november nov", "december dec",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
WEEKDAYS: Final = {
    name: number
    for number, names in enumerate(
        (
            "monday mondays mon", "tuesday tuesdays tue tues", "wednesday wednesdays wed",
            "thursday thursdays thu thur thurs", "friday fridays fri", "saturday saturdays sat",
            "sunday sundays sun",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
