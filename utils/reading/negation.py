"""Words that are denied ("not perfect"), or that are said of something that is not the case. Works on clean text."""

from __future__ import annotations

import re
from collections.abc import Mapping

DENIAL = re.compile(
    r"(?:\b(?:not|no|non|never|neither|nor|without|rather than|instead of|far from|less than|more than|hardly"
    r"|fails? to|unable to|nicht|keine?|не|anything but|falls? short of|lacks?|avoid|ruled? out|excludes?)\b)[\s-]*"
    r"(?:(?:a|an|the|any|quite|really|fully|entirely|completely|be|been|considered|classified|call(?:ed)?|as|exactly|even|is"
    r"|to|in|it|this|mask|need|needed|require|required|recommend|recommended|belong|belongs|of|type|case|further|truly"
    r"|absolutely|simply|merely|reason|for|being|that|necessarily|do|does|can|you|i|we|means|look|looks|seem|appear|like|good|bad|poor"
    r"|severe|enough)[\s-]+)*$"
)
ALTERNATIVE = re.compile(r"\s*(?:,\s*)?(?:or|nor)\s+(?:a\s+|an\s+|to\s+)?")
END = re.compile(r"[.!?;\n](?=\s|$)|\n")
CONDITION = re.compile(r"(?<=[\w,]\s)after\b|\b(?:if|once|unless|were|had|provided|typically|usually|normally)\b")
# "unclear whether this is a merge", "to reach an IoU of 0.9": what follows is open, up to a "but"
OPEN = re.compile(
    r"(?:\b(?:whether|(?:unclear|uncertain|unsure|not sure|hard to (?:say|tell)|not know|can not tell)\sif)\b"
    r"|^\s*(?:in order\s)?to\s(?:reach|achieve|get|obtain|attain)\b)(?:(?!\bbut\b).)*$"
)
SUPPOSITION = re.compile(r"\bif\b(?!\si\b)")  # but not "if I had to choose"
# What would be true of any perfect mask says nothing of this one.
OF_ANY_MASK = re.compile(
    r"\b(?:a|an|any|the)\s(?:perfect|ideal|flawless)\s(?:\w+\s){0,2}?(?:would|has|have|needs?|requires?|must|should)\b"
    r"|\b(?:for|than|to|from)\s(?:a|an|any)\s(?:perfect|ideal|flawless)\s(?:mask|match|segmentation)\b"
)
CONTRAST = re.compile(r"(?:.*\b(?:but|however|yet|here|this one|this mask)\b)?", re.DOTALL)
LOOK_AROUND = 300
ONLY_POSSIBLE = re.compile(r"\b(?:would|could|will|might|may|should)\b")


def said_labels(clause: str, words: Mapping[str, str]) -> list[str]:
    """The labels whose words (label -> pattern) stand in the clause and are not denied, in order, each once."""
    mentions = sorted(
        (found.start(), found.end(), label) for label, word in words.items() for found in re.finditer(word, clause)
    )
    said, denied, end = [], False, 0
    for start, stop, label in mentions:
        inherits = denied and ALTERNATIVE.fullmatch(clause[end:start])
        denied = bool(inherits) or is_denied(clause[max(start - LOOK_AROUND, 0) : start])
        end = stop
        if not denied:
            said.append(label)
    return list(dict.fromkeys(said))


def is_denied(before: str) -> bool:
    """Whether the words before something deny it."""
    return bool(DENIAL.search(before))


def is_open(sentence: str, before: str) -> bool:
    """Whether something is said of any mask, or is left open by the words before it."""
    clause = sentence[CONTRAST.match(before).end() :]
    return bool(OPEN.search(before) or OF_ANY_MASK.search(clause))


def is_unsettled(sentence: str, until: str) -> bool:
    """Whether a sentence asks, leaves open or supposes what it says. `until`: its words up to what is said."""
    return is_open(sentence, until) or is_doubtful(sentence, sentence) or bool(SUPPOSITION.search(sentence))


def sentence_span(text: str, start: int, stop: int) -> tuple[int, int]:
    """Where the sentence that holds text[start:stop] begins and ends; looks LOOK_AROUND characters far."""
    first, last = max(start - LOOK_AROUND, 0), min(stop + LOOK_AROUND, len(text))
    begin = max((found.end() for found in END.finditer(text, first, start)), default=first)
    end = END.search(text, stop, last)
    return begin, end.end() if end else last


def is_doubtful(sentence: str, between: str) -> bool:
    """A question, or what would be the case under a condition. `between`: the words from subject to value."""
    is_question = sentence.rstrip().endswith("?")
    return is_question or bool(CONDITION.search(sentence) and ONLY_POSSIBLE.search(between))
