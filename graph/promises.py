"""What a draft must not do whatever its source says, and what needs no source: plain word lists.

A courtesy is recognised by a closed vocabulary: a sentence with one word outside it is a claim and
needs a source. Forbidden phrases are patterns with the id of the trigger they fire.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from core.vocabulary import ForbiddenTrigger
from kb.facts import extract_facts
from kb.sentences import split_sentences


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Left out on purpose: "can", "have", "take", "it", "back" and their like state terms as well
# ("we can take it back in a day"). They count only within a phrase of ``_PHRASES``.
_COURTESY_WORDS: Final = _words(
    "hi hello hey dear greetings good morning afternoon evening there team all everyone sir "
    "madam ms mr mrs mx thanks thank you your so very much many again for contacting reaching out "
    "writing in touch us me message email question questions note patience "
    "understanding time asking letting know feedback interest report inquiry enquiry request "
    "i we our my am is are be was were this that the a an to of and or on at about from if "
    "has had any other further more else anything something need help hope helps answers "
    "answered clarifies clear please let just reply feel free happy glad pleased here sorry "
    "apologies apologize apologise sincerely regret hear trouble inconvenience delay wait waiting "
    "confusion caused frustration experience experienced kind best warm regards wishes cheers "
    "yours truly faithfully care great nice lovely wonderful rest ahead welcome "
    "may did assist assistance support customer service desk center "
    "as soon best's ll m re ve s d would like love always appreciate appreciated appreciating "
    "contact reach write asked really long understand how what i'm we're we'll i'll you're that's here's look looked into found below "
    "following information details answer hopefully useful concern concerns raising bringing "
    "attention moment taken taking see says say tell by still"
)
_PHRASES: Final = re.compile(
    r"\bthank(?:s|\s+you)\s+(?:a\s+(?:lot|bunch|million)|ever\s+so\s+much|kindly|in\s+advance)\b|"
    r"\bfor\s+(?:(?:bearing|being|staying)\s+with\s+us|choosing\s+us|"
    r"your\s+(?:loyalty|trust|cooperation|kind\s+words|(?:quick|prompt)\s+(?:reply|response)))\b|"
    r"\bsorry\s+(?:to\s+keep|to\s+have\s+kept|for\s+keeping)\s+you\s+(?=waiting\b)|"
    r"\btake\s+(?:good\s+)?care\b|\bgood\s+day\b|\b(?:take|taking|took)\s+(?:the|your|a)\s+(?:time|moment)\b|"
    r"\bhave\s+(?:a|an)\s+(?:(?:very|really)\s+)?(?:great|nice|good|lovely|wonderful|pleasant|excellent|fantastic)\s+"
    r"(?:rest\s+of\s+(?:your|the)\s+)?(?:day|week|weekend|morning|afternoon|evening|time|one)\b|"
    r"\brest\s+of\s+(?:your|the)\s+(?:day|week)\b|"
    r"\b(?:do|did)(?:\s+not|n['’]t)\s+hesitate\b|\b(?:not|never)\s+hesitate\b|"
    r"\b(?:get(?:ting)?|be|keep)\s+in\s+touch\b(?:\s+with\s+(?:us|me)\b)?|\bin\s+touch\s+with\s+(?:us|me)\b|"
    r"\b(?:get(?:ting)?|come|coming|reply|replying|writ(?:e|ing)|report(?:ing)?|hear(?:ing)?)\s+back(?:\s+(?:to|from)\s+"
    r"(?:us|me|you))?\b|\bas\s+soon\s+as\s+(?:we|i|you)\s+can\b|\bcomes?\s+up\b|\bfeel\s+free\s+to\s+do\s+so\b|"
    r"\b(?:anything|something|what|how|where)\s+(?:(?:else|more|further)\s+)?(?:that\s+)?(?:(?:we|i)\s+(?:can|could|may)|"
    r"(?:can|could|may)\s+(?:we|i))\s+(?:do|help|assist|be\s+of\s+(?:help|assistance|service))\b(?:\s+(?:for\s+)?you\b)?"
    r"(?:\s+with\b)?|"
    r"\b(?:help|assist|assistance|support)(?:\s+you)?\s+with\s+(?=(?:any|this|that|your|something|further|more)\b|anything\b)|"
    r"\bhelp\s+with\s*$|"
    r"\bif\s+you\s+(?:may\s+|still\s+)?have\s+(?=(?:(?:any|an|a|more|other|further|another|some)\s+)*(?:other\s+|more\s+|"
    r"further\s+)*(?:questions?|concerns?|trouble|feedback|inquiry|enquiry|request)\b)|"
    r"\bfor\s+having\s+(?:waited|asked)\b|\bhave\s+(?:been\s+waiting|caused|experienced|had\s+to\s+wait)\b|"
    r"\bto\s+have\s+(?:you|had)\b(?:\s+with\s+us\b)?|\b(?:we|i)\s+have\s+(?=(?:looked|found|answered)\b)|"
    r"\bwith\s+(?=(?:kind|best|warm)\s+(?:regards|wishes)\b)|"
    r"\b(?:appreciate|hear|about)\s+it\b|\b(?:hope|if|glad|happy)\s+it\s+(?=(?:helps|answers|clarifies|is\s+clear)\b)|"
    r"\bif\s+you\s+(?:can|could)\s+(?:please\s+)?(?=(?:let\s+(?:us|me)\s+know|reply|tell\s+(?:us|me))\b)|"
    r"\bif\s+(?:this|that|it)\s+(?:(?:is|was|did|has|does)\s+not|(?:isn|wasn|didn|hasn|doesn)['’]t)\s+(?:help(?:ed)?|clear|"
    r"answer(?:ed)?\b|what\s+you\s+(?:need(?:ed)?|asked|meant))|"
    r"\b(?:sorry|regret)\s+(?:that\s+)?(?:we|i)\s+(?:can|could)(?:\s*not|n['’]t)\s+(?:help|assist)\b",
    re.I,
)
_COURTESY_HEAD: Final = re.compile(
    r"^\W*(?:hi|hello|hey|dear|greetings|good\s+(?:morning|afternoon|evening|day)|thanks?\b|many\s+thanks|"
    r"(?:i|we)(?:['’]m|['’]re|\s+am|\s+are)?\s+(?:\w+\s+)?(?:hope|sorry|apologi[sz]e|appreciate|regret|understand|"
    r"glad|happy|pleased|here)|sorry|(?:my|our|please\s+accept\s+(?:my|our))\s+(?:\w+\s+)?apolog|apologies|"
    r"(?:with\s+)?(?:kind|best|warm)?(?:est)?\s*(?:regards|wishes)|sincerely|cheers|yours|take\s+care|have\s+a|"
    r"how\s+(?:can|may|could)\s+(?:i|we)\s+(?:help|assist)|"
    r"(?:please\s+)?(?:let\s+(?:us|me)|feel\s+free|do\s+not\s+hesitate|don['’]t\s+hesitate|just\s+reply|reply)|"
    r"if\s+(?:you|there|this|anything|that)|is\s+there|(?:you['’]re|you\s+are)\s+welcome|(?:hope|glad|happy)\b|"
    r"here(?:['’]s|\s+is|\s+are)\s+(?:what|the\s+(?:answer|information|details))|"
    r"(?:your\s+|the\s+)?(?:customer\s+)?(?:support|service|help)\s*(?:team|desk|center)?\W*$|please\s+(?:see|find|reply|let))",
    re.I,
)
_FORMULA: Final = re.compile(
    r"^\W*(?:"
    r"(?:(?:i|we)\s+)?hope\s+(?:you(?:['’]re|\s+are)\s+(?:doing\s+)?well|(?:this|my\s+\w+)\s+finds\s+you\s+well)|"
    r"(?:it\s+is\s+|it['’]s\s+|this\s+is\s+)?(?:very\s+)?much\s+appreciated|"
    r"(?:that\s+is\s+|that['’]s\s+)?(?:a\s+)?(?:very\s+)?(?:good|great)\s+question|"
    r"(?:i|we)\s+(?:(?:completely|fully|totally|really)\s+)?understand\s+(?:your\s+frustration|how\s+frustrating\s+"
    r"(?:this|that)\s+(?:is|must\s+be))|(?:i|we)\s+(?:really\s+)?value\s+your\s+feedback|"
    r"please\s+excuse\s+the\s+(?:delay|wait|inconvenience|confusion)|"
    r"(?:talk|speak|see\s+you|talk\s+to\s+you)\s+soon|all\s+the\s+best|warmly|stay\s+safe|"
    r"(?:enjoy|(?:i\s+|we\s+)?wish(?:ing)?\s+you)\s+(?:your|the|a)\s+(?:(?:rest\s+of\s+(?:your|the)|very|great|nice|good|"
    r"lovely|wonderful|pleasant)\s+){0,3}(?:day|week|weekend|morning|afternoon|evening)"
    r")\W*$",
    re.I,
)
"""Whole sentences that state nothing, made of words that state terms elsewhere."""
_GREETING_NAME: Final = re.compile(
    r"^\W*(?i:hi|hello|hey|dear|good\s+(?:morning|afternoon|evening|day))(?:\s+there)?,?"
    r"((?:\s+[A-Z][\w'’.-]{0,24}){1,3})(?=\s*[,!.:–—-]|\s*$)",
)
_SIGNED: Final = re.compile(
    r"^\W*(?:(?:[Kk]ind|[Bb]est|[Ww]arm)?(?:est)?\s*(?:[Rr]egards|[Ww]ishes)|[Ss]incerely|[Cc]heers|"
    r"[Tt]hanks|[Tt]hank\s+you|[Yy]ours\s+\w+)\s*[,!.\n]\s*((?:(?:[Tt]he\s+)?[A-Z][\w'’.-]{0,24}\s*){1,5}(?:team)?)\W*$"
)
_SIGNATURE: Final = re.compile(
    r"^\W*(?:[Tt]he|[Yy]our)\s+(?:[A-Z][\w'’.-]{0,24}\s+){0,3}[Tt]eam\W*$"
)
_WORD: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_NOT_COURTESY: Final = re.compile(r"\d|[$€£%@/<>\[\]{}`]|\bfree\b(?!\s+to)", re.I)
_LONGEST_COURTESY = 240


def is_courtesy(text: str) -> bool:
    """Say whether ``text`` is a greeting, thanks, apology for a wait or sign-off, and nothing else.

    Fails closed: one figure, link or word outside the vocabulary makes it a claim.
    """
    stripped = text.strip()
    if not stripped:
        return True
    if len(stripped) > _LONGEST_COURTESY or _NOT_COURTESY.search(stripped):
        return False
    if _FORMULA.match(stripped):
        return True
    if _SIGNATURE.match(stripped):
        return _is_name(stripped)
    for pattern in (_GREETING_NAME, _SIGNED):
        found = pattern.match(stripped)
        if found:
            if not _is_name(found.group(1)):
                return False
            stripped = stripped[: found.start(1)] + stripped[found.end(1) :]
            if not _WORD.search(stripped):
                return True
            break
    if not _COURTESY_HEAD.match(stripped):
        return False
    stripped = _PHRASES.sub(" ", stripped)
    return all(
        word.lower().replace("’", "'") in _COURTESY_WORDS
        or word.lower().replace("’", "'").split("'")[0] in _COURTESY_WORDS
        for word in _WORD.findall(stripped)
    )


_SIGN_OFF: Final = re.compile(
    r"^\W*(?:(?:with\s+)?(?:many|kind|best|warm)?(?:est)?\s*(?:regards|wishes|thanks)|sincerely|cheers|thank\s+you|"
    r"yours\s+\w+|take\s+care)\W*$",
    re.I,
)
_NAME_LINE: Final = re.compile(
    r"^\W*(?:[A-Z][\w'’.-]{0,24}\s*){1,3}(?:,\s*[A-Z]\w+(?:\s[A-Z]?\w+){0,2})?\W*$"
)


def uncourteous(text: str) -> list[str]:
    """Return the pieces of an opening or closing that are more than a courtesy.

    A name on a line of its own is one only below a sign-off.
    """
    found: list[str] = []
    signed = 0
    for line in text.split("\n"):
        if not line.strip():
            continue
        if signed and _NAME_LINE.match(line) and _is_name(line):
            signed -= 1
            continue
        signed = 3 if _SIGN_OFF.match(line) else 0
        found += [
            line[start:end]
            for start, end in split_sentences(line)
            if not is_courtesy(line[start:end])
        ]
    return found


# Titles, "von", a role behind a comma and "The Acme Support Team" fit in as many words.
_LONGEST_NAME = 6
_TEAM: Final = re.compile(
    r"\b(?:team|support|service|services|desk|care|department|office|center|centre|manager|agent|"
    r"assistant|specialist|advis[eo]r|lead|coordinator|representative)\W*$",
    re.I,
)
_CLAIM_IN_NAME: Final = re.compile(
    r"\b(?:no|not|never|free|always|all|every|any\w+|yes|guarante\w+|cancell?ed|closed|deleted|approv\w+|"
    r"accepted|paid|granted|allowed|waived|refunded|returned|issued|sent|confirmed|shipped|included|extended|"
    r"resolved|credited|delivered|exchanged|replaced|returnable|refundable|today|tomorrow|tonight|soon|now|"
    r"immediately|forever|unlimited|instant\w*|you|yours?|we|our|us|it|is|are|was|were|will|can|may|get|"
    r"has|have|been|coming|pending|nothing|everything)\b|\d",
    re.I,
)
_THING_IN_NAME: Final = re.compile(
    r"\b(?:refunds?|credits?|returns?|exchanges?|replacements?|vouchers?|discounts?|payments?|money|cash|"
    r"delivery|deliveries|shipping|shipment|orders?|parcels?|items?|goods|accounts?|subscriptions?|plans?|"
    r"fees?|charges?|prices|sales?|days|weeks?|months?|warranty|compensation)\b",
    re.I,
)
# An "-ed" of two syllables or more is a participle, but for these.
_PARTICIPLE: Final = re.compile(
    r"\b(?!(?:alfred|wilfred|winifred|manfred|siegfried|mildred|ahmed|mohamm?ed|muhamm?ed|hamed|hammed|"
    r"khaled|waleed|rasheed|saeed|majeed|hameed|sayed|syed)\b)\w{4,}ed\b",
    re.I,
)


def _is_name(text: str) -> bool:
    """Say whether capitalised words may name who is greeted or who signs: they state nothing."""
    words = re.sub(r"^\W*(?:[Tt]he|[Yy]our)\s+", "", text)
    if len(words.split()) > _LONGEST_NAME or _CLAIM_IN_NAME.search(words):
        return False
    if _PARTICIPLE.search(words):
        return False
    return bool(_TEAM.search(words)) or (
        len(words.partition(",")[0].split()) <= 3 and not _THING_IN_NAME.search(words)
    )


_REQUEST: Final = re.compile(
    r"^\W*(?:please|could|can|would|may|might|shall|should|what|which|when|where|who|how|do|did|does|is|are|have|has|"
    r"so\s+that|to\s+help|before\s+we|in\s+order|thanks?|which)\b",
    re.I,
)
_GIVING: Final = re.compile(
    r"^\W*please[\s,]+(?:(?:also|kindly|just|first|then|either|could\s+you|can\s+you)\s+)*(?:(?:re)?send|(?:tell|give)\s+(?:us|me)|"
    r"provide|reply|respond|answer|confirm|share|attach|let\s+(?:us|me)\s+know|check|include|specify|describe|"
    r"state|write|upload|forward|enter|add|name|list|explain|indicate|clarify|mention|quote|choose|select|pick|"
    r"fill|complete|verify)\b",
    re.I,
)
# What follows "tell us when" or "let us know whether" is asked, not said.
_ASKED: Final = re.compile(
    r"\b(?:tell|know|say|ask|sure|confirm|check|see|describe|explain|specify|clear|about|of|on|and|or)"
    r"(?:\s+(?:us|me))?(?:\s+(?:also|please|exactly|for\s+us|or))?,?\s+"
    r"(?:if|whether|what|which|when|where|how|who|why)\b(?!\s+(?:we|i)\b)[^,;:.?!–—]*",
    re.I,
)
_TELLS: Final = re.compile(
    r"\b(?:(?:please|also|do|to)\s+note|note\s+that|take\s+note|be\s+aware|aware\s+that|be\s+(?:re)?assured|"
    r"rest\s+(?:easy|assured)|be\s+(?:advised|informed|reminded)|remember\s+that|(?:please|do)\s+remember|"
    r"(?:keep|bear)\s+in\s+mind|(?:please|also)\s+know|know\s+that|did\s+you\s+know|"
    r"have\s+you\s+(?:heard|seen|noticed|read)|(?:tell|remind|inform|assure)\s+you|let\s+you\s+know|"
    r"(?:we|i)\s+(?:say|add|promise|point\s+out)|guess\s+what|(?:could|can)\s+you\s+(?:imagine|believe)|"
    r"give\s+(?:us|me)\s+(?:a|some|one|until)\s+(?:day|time|week|moment|minute|hour)s?|"
    r"we\s+(?:have\s+)?(?:approved|granted|waived|promised|agreed|accepted|refunded)|"
    r"which\s+we\s+(?:are\s+)?(?:send|ship|pay|transfer|refund)(?:ing)?|no\s+longer\s+(?:owe|need|apply|applies)|"
    r"owe\s+nothing)\b|,\s+which\s+(?:will|can|may|no\s+longer|does|costs?|takes?|is\s+(?:now|always))\b",
    re.I,
)
_CLAUSE: Final = (
    r"(?:[,;:–—(]\s*|\s-\s+|\b(?:and|but|so|then|because|as|since|while|given)\s+|"
    r"\b(?:sure|say|think|glad|agree|great|good|news|fact|so)\s+that\s+|"
    r"\b(?:know|see|confirm|aware|reali[sz]e)\s+)(?:(?:that|then)\s+)?"
)
_TO_YOU: Final = re.compile(
    r"\byou(?:['’]ll|\s+(?:will|may|shall|qualify|deserve|are\s+(?:entitled|eligible|due|owed|covered|allowed)|"
    r"(?:do\s+not|don['’]t|won['’]t|need\s+not)\s+(?:need|have)?))\b|"
    rf"(?:^\W*(?:when|if|once|as)\s+|{_CLAUSE})you\s+(?:can|could|get|receive|must|need\s+not)\b",
    re.I,
)
_FOR_YOU: Final = re.compile(
    rf"{_CLAUSE}(?:we|i)(?:['’]ll|\s+(?:can|could|will|shall|always|gladly|happily|also|then|do))*\s+(?:refund|pay|"
    r"replace|credit|return|waive|cover|give|offer|accept|take|compensate|reimburse|exchange|deliver|extend|"
    r"cancel|upgrade|send\s+you\s+(?:a\s+)?(?:free|new|replacement|another|your))\b",
    re.I,
)
_TO_HELP: Final = re.compile(
    r"\b(?:so\s+(?:that\s+)?|before\s+)(?:we|i)\s+(?:can|could|may|will|['’]ll)?\s*(?:help|check|look|find|see|trace|locate|"
    r"identify|investigate|verify|confirm|process|sort|answer|reach|call|contact|send|get\s+back|assist|"
    r"understand|open|forward|pass|cancel|change|update|replace|exchange|remove|close|continue|proceed)\b"
    r"[^,;:.?!–—]*",
    re.I,
)
_FINE_IF: Final = re.compile(
    r"\b(?:fine|ok(?:ay)?|all\s?right|acceptable|good|great|nice|enough|help|happy|glad|suit\w*|work|satisf\w+|"
    r"pleased)(?:\s+(?:for|with)\s+you)?,?\s+(?:if|that|when|because|since|as)\s+"
    r"(?!(?:we|i|someone|our\s+\w+)\s+(?:ask|call|contact|email|write|look|check|share|forward|get\s+back|"
    r"pass|open|reply)\b)",
    re.I,
)
_VERB: Final = (
    r"(?:is|are|will|can|cannot|may|must|shall|do|does|has|have|won['’]t|go|goes|takes?|costs?|arrives?|apply|"
    r"applies|ships?|expires?|lasts?|ends?|includes?|comes?|remains?|(?:was|were)\s+(?:waived|approved|granted|refunded|"
    r"credited|accepted|upgraded|extended|cancell?ed))"
)
_OTHER_CLAIM: Final = re.compile(
    rf"{_CLAUSE}(?!(?:you|it|this|that|these|which|what|who|when|where|how|why|whether|if|please|could|"
    r"can|would|will|do|does|did|is|are|was|were|have|has|may|might|should|also|or|any|there|and|but|so|then|"
    r"(?:the|a|an|your)\s+(?:\w+\s+)?(?:number|address|name|account|e-?mail|item|product|parcel|package|order|"
    r"device|box|code|date|message|error|photo|picture|screen|label|model|one|charge|payment|invoice|amount|"
    rf"card|serial|problem))\b)(?:[\w'’-]+\s+){{1,5}}?{_VERB}\b",
    re.I,
)
_OUTCOME: Final = re.compile(
    r"\b(?:refund|money|credit|replacement|reimbursement|compensation|discount|voucher)s?\s+(?:\w+\s+)?"
    r"(?:is|are|will|has\s+been|have\s+been|arrives?|comes?|goes|takes?)\b",
    re.I,
)
_LAVISH: Final = re.compile(
    r"\b(?:full\s+refund|money\s+back|at\s+any\s+time|unlimited|guarante\w+)\b|(?<!you\s)\bfree\b(?!\s+to)",
    re.I,
)
_WISH: Final = re.compile(
    r"\b(?:like|want|prefer|asking|ask|looking|expect\w*|mean|request\w*|rather|choose)\b", re.I
)
# A figure that names a thing of the customer's is no term.
_OWN_FIGURE: Final = re.compile(
    r"\b(?:order|orders|number|numbers|no\.?|model|ref\w*|case|invoice|ticket|parcel|account|item|booking|contract|"
    r"step|version|windows|ios|android|page|line|ending(?:\s+in)?)\s*#?\s*[\w-]{0,20}\d[\w-]{0,20}"
    r"(?:(?:\s*,|\s+or|\s+and)+\s*#?[\w-]{0,20}\d[\w-]{0,20})*|#\d[\w-]{0,20}|\b[A-Z]{1,6}-?\d[\w-]{0,20}|"
    r"\b(?:last|first)\s+\w+\s+(?:digits|characters|letters|numbers)\b|"
    r"\b(?:\d{1,2}|one|two|three|four)\s+(?:photos?|pictures?|images?|sentences?|words?)\b"
)
_ABOUT_THEIRS: Final = re.compile(
    r"^\W*(?:(?:did|have|has|had|was|were)\s+(?:you|it|the|your|this|any)|"
    r"is\s+it\s+(?:more|less|longer|over|under)|is\s+(?:this|that|it)\s+(?:about|the)|what\s+happened)\b",
    re.I,
)


def is_request(text: str) -> bool:
    """Say whether ``text`` only asks the customer for something (for clarifying drafts).

    A question, or "please" with a verb of giving. What it says besides (terms, figures, what will
    become of the customer) makes it a claim.
    """
    stripped = text.strip()
    asks = stripped.endswith("?")
    if not (
        len(stripped) <= 400
        and (_REQUEST.match(stripped) if asks else _GIVING.match(stripped))
        and not re.search(r"[$€£%]|https?:|www\.", stripped)
    ):
        return False
    wishes = asks and _WISH.search(stripped)
    if _TELLS.search(stripped) or _FINE_IF.search(stripped):
        return False
    if _LAVISH.search(stripped) and not wishes:
        return False
    if not (asks and _ABOUT_THEIRS.match(stripped)) and _states_a_figure(stripped):
        return False
    rest = _TO_HELP.sub(" ", _ASKED.sub(" ", stripped))
    return not any(pattern.search(rest) for pattern in (_TO_YOU, _FOR_YOU, _OTHER_CLAIM, _OUTCOME))


def is_instruction(text: str) -> bool:
    """Say whether ``text`` only bids the customer do something, politely."""
    stripped = text.strip()
    return bool(
        len(stripped) <= 400
        and re.match(r"\W*please\b", stripped, re.I)
        and not re.search(r"[$€£%]|https?:|www\.", stripped)
        and not _TELLS.search(stripped)
        and not _TO_YOU.search(stripped)
    )


def _states_a_figure(text: str) -> bool:
    rest = _OWN_FIGURE.sub(" ", text)
    return bool(re.search(r"\d", rest)) or any(
        fact.kind in {"duration", "amount", "percentage"} and not fact.vague
        for fact in extract_facts(rest)
    )


_I_OR_WE = r"\b(?:i|we)"
_DONE = rf"{_I_OR_WE}(?:['’]ve|\s+have)?\s+(?:now\s+|already\s+|just\s+|gone\s+ahead\s+and\s+|successfully\s+)*"
_WILL = rf"{_I_OR_WE}(?:['’]ll|\s+(?:will|shall|(?:am|are)\s+going\s+to|can))\s+(?:now\s+|also\s+|immediately\s+|gladly\s+|happily\s+|certainly\s+)*"
_ACCOUNT = r"(?:your|the|this|that)\s+(?:\w+\s+){0,3}?(?:account|accounts|profile|workspace|subscription|data|files|project|projects|organi[sz]ation|license|membership|records?)"
_IRREVERSIBLE = r"(?:delet|eras|clos|terminat|cancel|deactivat|remov|wip|purg|destroy|disabl|suspend|transferr?|merg|reset)"

FORBIDDEN_PATTERNS: Final[tuple[tuple[ForbiddenTrigger, str], ...]] = (
    ("unsupported_promise", r"\b(?:guarantee[sd]?|guaranteeing)\b"),
    ("unsupported_promise", rf"{_I_OR_WE}(?:['’]d|['’]ll|\s+(?:can|will|do|hereby|would\s+like\s+to))?\s+(?:promise|assure|pledge|swear|vow|commit\s+to|vouch)\b"),
    ("unsupported_promise", r"\b(?:you\s+have\s+(?:my|our)\s+word|rest\s+assured|without\s+(?:a\s+|any\s+)?doubt|no\s+matter\s+what|100\s?%\s+(?:sure|certain|guaranteed)|mark\s+my\s+words|i\s+give\s+you\s+my\s+word)\b"),
    ("unsupported_promise", r"\b(?:will|shall|['’]ll|you|going\s+to)\s+(?:definitely|certainly|surely|absolutely|undoubtedly|never\s+ever)\b|\bdefinitely\s+(?:will|get|receive|be)\b|\bfor\s+(?:sure|certain)\b"),
    ("unsupported_promise", rf"{_DONE}(?:refunded|credited|reimbursed|compensated|issued|processed|approved|waived|upgraded|extended|applied|sent|arranged|reinstated|scheduled|escalated)\b"),
    ("unsupported_promise", rf"{_WILL}(?:personally\s+)?(?:refund|credit|reimburse|compensate|waive|make\s+(?:it|this|things)\s+(?:right|up)|cover\s+the|pay\s+(?:you|for)|send\s+you\s+a\s+(?:free|new|replacement))\b"),
    ("unsupported_promise", r"\byour\s+(?:refund|credit|money|replacement|reimbursement|compensation)\s+(?:has\s+been|was|is\s+(?:being|on\s+(?:its|the)\s+way)|will\s+(?:arrive|be\s+(?:issued|sent|there|in\s+your)))\b"),
    ("unsupported_promise", r"\b(?:this|it|that)\s+(?:will|won['’]t|will\s+not|shall)\s+never\s+(?:happen|occur)\b|\b(?:will\s+not|won['’]t|never)\s+happen\s+again\b"),
    ("final_policy_exception", r"\b(?:mak(?:e|ing)|made|grant(?:ed|ing)?|approv(?:e|ed|ing)|allow(?:ed|ing)?|authori[sz](?:e|ed|ing)|giv(?:e|en|ing)|offer(?:ed|ing)?)\s+(?:you\s+)?(?:an?|this|one|your|the)\s+(?:\w+[\s-]+){0,4}?exceptions?\b"),
    ("final_policy_exception", r"\b(?:as|by\s+way\s+of|consider\s+(?:it|this))\s+an?\s+(?:\w+[\s-]+){0,3}?exception\b|\bexception\s+(?:just\s+)?(?:for\s+you|in\s+your\s+case|this\s+(?:one\s+)?time)\b"),
    ("final_policy_exception", r"\b(?:despite|regardless\s+of|outside(?:\s+of)?|against|contrary\s+to|ignoring|overriding|overrid(?:e|den))\s+(?:of\s+)?(?:our|the|this|company|normal|usual|standard)\s+(?:\w+\s+){0,3}?(?:policy|policies|rules?|terms|limits?)\b"),
    ("final_policy_exception", r"\beven\s+though\s+(?:our|the)\s+(?:\w+\s+){0,2}?(?:policy|policies|rules?|terms|deadline|window|period)\b"),
    ("final_policy_exception", r"\b(?:bend|bending|break|breaking|waiv(?:e|ed|ing)|overlook(?:ed|ing)?|set(?:ting)?\s+aside)\s+(?:the|our|this|that|your|all)\s+(?:\w+\s+){0,3}?(?:rules?|polic(?:y|ies)|fees?|terms|requirements?|charges?|deadline|penalty)\b"),
    ("final_policy_exception", r"\b(?:this|our|my|the)\s+decision\s+is\s+final\b|\b(?:this|that)\s+(?:is|was)\s+(?:our|my|the)\s+final\s+(?:decision|answer|word)\b|\bjust\s+this\s+once\b|\bone[\s-]time\s+(?:courtesy|exception|goodwill)\b"),
    ("irreversible_account_change", rf"{_DONE}(?:permanently\s+|irrevocably\s+|fully\s+|completely\s+)*{_IRREVERSIBLE}(?:e?d|led|ped)\s+(?:\w+\s+){{0,2}}?{_ACCOUNT}"),
    ("irreversible_account_change", rf"{_WILL}(?:permanently\s+|irrevocably\s+|fully\s+|completely\s+|go\s+ahead\s+and\s+)*{_IRREVERSIBLE}(?:e|l)?\s+(?:\w+\s+){{0,2}}?{_ACCOUNT}"),
    ("irreversible_account_change", rf"\b{_ACCOUNT}\s+(?:has|have)\s+(?:now\s+|already\s+|just\s+)?been\s+(?:permanently\s+|irrevocably\s+|fully\s+|successfully\s+)*{_IRREVERSIBLE}(?:e?d|led|ped)\b"),
    ("irreversible_account_change", rf"{_DONE}(?:chang|updat|reset|replac)(?:ed|e)?\s+(?:the|your)\s+(?:\w+\s+){{0,2}}?(?:email|e-mail|password|owner|ownership|phone|bank|two-factor|2fa|login)\b"),
    ("irreversible_account_change", rf"{_DONE}transferred\s+(?:the\s+)?ownership\b|\bthis\s+(?:action\s+)?(?:cannot|can['’]t|can\s+not)\s+be\s+(?:undone|reversed)\b"),
    ("emotional_response", r"\b(?:calm\s+down|how\s+dare\s+you|shame\s+on\s+you|your\s+own\s+(?:fault|mistake|stupidity)|it['’]?s\s+(?:all\s+)?your\s+fault|stop\s+(?:complaining|whining|shouting|yelling|bothering)|you\s+should\s+have\s+(?:known|read|thought)|as\s+(?:i|we)(?:['’]ve|\s+have)?\s+(?:already\s+)?(?:told|explained\s+to)\s+you|get\s+over\s+it|grow\s+up|deal\s+with\s+it|not\s+(?:my|our)\s+(?:problem|fault))\b"),
    ("emotional_response", r"\b(?:you(?:['’]re|\s+are)\s+(?:being\s+)?(?:so\s+|very\s+|just\s+|clearly\s+)*(?:rude|ridiculous|unreasonable|wrong|lying|stupid|an?\s+(?:idiot|liar)|overreacting|aggressive|dramatic|impossible|ungrateful))\b"),
    ("emotional_response", rf"{_I_OR_WE}(?:['’]m|['’]re|\s+am|\s+are|\s+feel)\s+(?:so\s+|very\s+|really\s+|absolutely\s+|extremely\s+|deeply\s+|truly\s+|utterly\s+)*(?:furious|angry|outraged|disgusted|heartbroken|devastated|ashamed|mortified|horrified|appalled|offended|insulted|sick\s+of|tired\s+of|fed\s+up|disappointed\s+in\s+you|annoyed)\b"),
    ("emotional_response", r"\b(?:idiot|stupid|moron|pathetic|disgusting|ridiculous|outrageous|nonsense|bullshit|damn|hell\s+no|what\s+the\s+hell|ludicrous)\b|!{3,}|\bi\s+(?:hate|love)\s+(?:you|this)\b"),
)  # fmt: skip


@lru_cache(maxsize=1)
def _compiled() -> tuple[tuple[str, re.Pattern[str], str], ...]:
    return tuple(
        (trigger, re.compile(pattern, re.I), "graph.promises")
        for trigger, pattern in FORBIDDEN_PATTERNS
    )


@dataclass(frozen=True, slots=True)
class ForbiddenWords:
    """Words of a draft that fire a forbidden trigger."""

    trigger: str
    words: str
    start: int
    end: int
    by: str


def forbidden_words(
    text: str, extra: Sequence[tuple[str, re.Pattern[str]]] = ()
) -> list[ForbiddenWords]:
    """Return the forbidden words of ``text``, at most one firing a trigger and stretch.

    Args:
        text: A sentence of a draft.
        extra: A workspace's own ``(trigger id, pattern)``.
    """
    found: list[ForbiddenWords] = []
    for trigger, pattern, by in [*_compiled(), *((t, p, "tiers.yaml") for t, p in extra)]:
        for match in pattern.finditer(text):
            if not match.group().strip():
                continue
            overlaps = any(
                f.trigger == trigger and f.start < match.end() and match.start() < f.end
                for f in found
            )
            if not overlaps:
                found.append(ForbiddenWords(trigger, match.group(), match.start(), match.end(), by))
    return sorted(found, key=lambda f: f.start)
