"""Says what kind of contact it is and how much it presses, by its words; English only.

Both are for the eyes of the people at the desk. Who must see a contact first is decided by the
tiers, not here.
"""

from __future__ import annotations

import re

from graph.values import Intent, Urgency

_FLAGS = re.IGNORECASE | re.VERBOSE
_GRIEVANCE = re.compile(
    r"""\b(?:complain(?:t|ts|ing|ed)?|unacceptable|disgrace(?:ful)?|ridiculous|appalling|outrageous|shocking
    |dreadful|awful|terrible|horrible|useless|pathetic|rip[- ]?off|fed\ up|sick\ of|disappoint(?:ed|ing)
    |(?:not|un)\ ?(?:satisfied|happy|impressed)|dissatisfied|worst|disgusted|furious|i['’]?m\ (?:so\ |very\ |really\ )?angry|a\ joke
    |waste\ of\ (?:time|money)|let(?:ting)?\ (?:me|us)\ down|how\ dare|never\ again)\b""",
    _FLAGS,
)
_NO_GRIEVANCE = re.compile(
    r"""\b(?:(?:not|no|isn['’]?t|without)\ (?:an?\ |any\ )?(?:complain\w*|moan)
    |complaints?\ (?:form|procedure|policy|process|template|department|team)
    |not\ a\ (?:joke|rip[- ]?off))\b""",
    _FLAGS,
)
_TROUBLE = re.compile(
    r"""\b(?:(?:is|are|was|do|does|did|has|have|had|wo|would|ca|could)n['’]?t|(?:do|does|did|is|are|was|has|have|had|will|can|could)\ (?:still\ )?not
    |cannot|cant|unable\ to|keeps?\ (?:\w+ing|on|saying)|still\ (?:no|not|pending|waiting|have(?:n['’]?t)|has(?:n['’]?t)|missing)
    |not\ (?:working|arrived|received|showing|recogni[sz]ed?|allowed|accepted|able|there|here|mine|right|correct|updated|loading)
    |never\ (?:arrived|came|received|got|made|ordered|heard)|stopped\ working|broke(?:n)?|crash(?:es|ed)?|fail(?:s|ed|ing|ure)?|error
    |wrong(?:ly)?|incorrect|missing|lost|stolen|hacked|scammed|damaged|cracked|defective|faulty|leak(?:s|ing)?|declin(?:e|ed|ing)
    |reject(?:ed)?|denied|blocked|frozen|freez(?:es|e)|stuck|disappeared|vanished|(?:is|are|all)\ gone|locked\ out|twice|double[- ]charged
    |overcharged|charged\ (?:me|extra|a\ fee|two)|(?:was|got|been)\ (?:billed|charged)|fiddly|problem|issue|trouble|(?:is|are|went|gone)\ dead|too\ (?:small|big|late|slow)|took\ (?:\w+\ )?(?:a\ )?fee)\b""",
    _FLAGS,
)
# A negation in a question is how politeness sounds, and "what if" is no trouble yet.
_NO_TROUBLE = re.compile(
    r"""\b(?:(?:ca|could|wo|would|is|are|do|does|did)n['’]?t\ (?:you|we|it\ be|there)\b
    |(?:what|how)\b[^.?!\n]{0,20}\ (?:if|when)\b[^.?!\n]{0,400}|(?:in\ case|before)\ (?:i|we|it)\b|don['’]?t\ (?:need|want|like|mind|worry|know\ (?:if|how|what|where|which|when|whether))
    |do(?:es)?\ not\ (?:need|want)|no\ (?:problem|issue|trouble)|haven['’]?t\ (?:bought|ordered|decided)|nothing\ (?:bought|booked)|if\ (?:i|my|the|it)\b)""",
    _FLAGS,
)
_TO_KNOW = (
    r"(?:tell|explain|say|confirm|let\ me\ know|advise|help\ me\ understand|clarify|point|know)"
)
_DO_IT = re.compile(
    rf"""(?:\b(?:can|could|would|will)\ (?:you|u|ya|someone|somebody|one\ of|a\ human)\b(?!\ (?:please\ )?{_TO_KNOW}\b)
    |\b(?:please|pls|plz|kindly)\ (?!{_TO_KNOW}\b)[a-z]+
    |\bi(?:['’]?d|\ would)?\ (?:really\ )?(?:need|want|like|love|wish)\ (?:you\ |it\ |the\ |my\ |a\ |an\ |to\ (?!know|understand|ask|find|see|learn|check|hear)\w+)
    |\b(?:i|we)\ (?:\w+\ )?request\b|\b(?:human|person|agent|representative|advisor)\ (?:please|pls|now)
    |^\W*(?:please\ |pls\ |ok\ |hi\ |hello\ |so\ )*(?:cancel|close|delete|erase|remove|change|update|move|send|refund|return|stop|add|switch|transfer|block|freeze|order|book|give|put|ring|call|reset|activate|apply|raise|fix|issue|resend)\b(?!\ (?:is|was|are)\b))""",
    _FLAGS,
)
_ASKS = re.compile(
    r"""\?|(?:^|[.!,;\n]\s{0,3})(?:(?:hi|hiya|hello|hey|and|but|so|ok|also|good\ \w{1,20})[\s,]{1,3}){0,4}(?:what|whats|which|who|whose|when|where|wheres|why|how|is|are|do|does|did|can
    |could|may|will|would|should|any(?:one|body)?)\b|\b(?:i\ )?(?:wonder|want\ to\ know|like\ to\ know|need\ to\ know|curious|tell\ me|explain|difference\ between|let\ me\ know)""",
    _FLAGS,
)
_THANKS = re.compile(
    r"\b(?:thank(?:s|\ ?you)?|thx|cheers|ta|appreciate[sd]?|brilliant|perfect|pass that on|you saved)\b",
    re.IGNORECASE,
)
_UNHURRIED = re.compile(
    r"""\b(?:(?:no|not\ (?:in\ )?an?y?)\ (?:great\ )?(?:rush|hurry)|(?:not|isn['’]?t|nothing|hardly)\ (?:very\ |that\ |at\ all\ |so\ )?urgent
    |when(?:ever)?\ (?:you|u|someone)\ (?:get|have|find)\ (?:a\ |the\ )?(?:chance|time|moment|minute)
    |(?:just|only|merely)\ (?:curious|wondering|asking)|out\ of\ (?:interest|curiosity)|take\ your\ time|can\ wait|no\ big\ deal|nothing\ (?:booked|bought)|no\ drama)\b""",
    _FLAGS,
)
_CLOCK = r"(?:noon|midday|midnight|\d{1,2}(?::\d\d|\ ?[ap]\.?m\b)|the\ end\ of\ (?:the\ |to)?day|eod|cob)"
_SOON = r"(?:today|tonight|tomorrow|now|this\ (?:morning|afternoon|evening))"
_PRESSING = re.compile(
    rf"""\b(?:urgent(?:ly)?|asap|a\.s\.a\.p|as\ soon\ as\ (?:possible|you\ can)|immediate(?:ly)?|straight\ ?away|right\ away
    |at\ once|emergency|without\ delay|time[- ]sensitive|desperate(?:ly)?|running\ out\ of\ time
    |right\ now|i['’]?m\ (?:stuck|stranded)|stranded
    |(?:by|until|before)\ (?:{_CLOCK}|{_SOON})
    |within\ (?:the\ next|an|one|\d+)\ (?:hour|minute)s?|in\ (?:an|one|the\ next)\ (?:hour|few\ hours)
    |(?:need|needed|must|have\ to|has\ to|got\ to|closes?|expires?|due|deadline)\b[^.?!\n]{{0,40}}\b{_SOON}
    |(?:flight|train|wedding|funeral|exam|surgery|closing|interview)\ (?:is\ |leaves\ )?(?:today|tonight|tomorrow|in\ \d+\ hours?)
    |(?:fly|flying|leav(?:e|ing)|travel(?:l?ing)?|board(?:ing)?)\ (?:out\ )?(?:today|tonight|tomorrow|in\ \d+\ hours?))\b""",
    _FLAGS,
)
_OFFERED = re.compile(
    r"""\b(?:urgent|emergency|immediate|express)\ (?:delivery|transfers?|shipping|contacts?|fund|exit|services?|kit|support\ plan)
    |(?:do|does|are|is|can)\ (?:you|it|i|we)\b[^.?!\n]{0,30}\b(?:deliver|open|arrive|close|ship|board|check)\b[^.?!\n]{0,30}\b(?:before|until|by)\b""",
    _FLAGS,
)
_SHOUTED = re.compile(r"\b[A-Z]{4,}\b|!{2,}")
_RUN = re.compile(r"(\s)\s+|([^\w\s])\2{3,}")
_MOST_READ = 20_000  # characters; whoever writes more has said by then what it is about


def _readable(text: str) -> str:
    """Return the beginning of ``text``, runs of blanks and of one sign folded.

    Quotes are cut into blanks, so that even an ordinary mail has long runs of them.
    """
    return _RUN.sub(_folded, text[: 10 * _MOST_READ])[:_MOST_READ]


def _folded(run: re.Match[str]) -> str:
    if run[2]:
        return run[2] * 3
    return "\n" if "\n" in run[0] else " "


def intent_of(text: str) -> Intent:
    """Return what the writer of ``text`` is after.

    Args:
        text: The customer's own words.

    Returns:
        ``complaint``: finds fault with the company, not only with what happened; ``problem``: something does not work or went wrong; ``request``: somebody is to do something;
        ``question``: wants to know; ``thanks``: no more than that; ``other``: none of it.
    """
    text = _readable(text)
    if _GRIEVANCE.search(_NO_GRIEVANCE.sub(" ", text)):
        return "complaint"
    if _TROUBLE.search(_NO_TROUBLE.sub(" ", text)):
        return "problem"
    if _DO_IT.search(text):
        return "request"
    if _ASKS.search(text):
        return "question"
    return "thanks" if _THANKS.search(text) else "other"


def urgency_of(text: str, intent: Intent = "other") -> Urgency:
    """Return how much ``text`` presses: what it says of time, or how loud its trouble is."""
    text = _readable(text)
    if _UNHURRIED.search(text):
        return "low"
    if _PRESSING.search(_OFFERED.sub(" ", text)):
        return "high"
    loud = intent in ("problem", "complaint") and len(_SHOUTED.findall(text)) >= 2
    return "high" if loud else "normal"
