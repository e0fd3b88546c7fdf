"""Words that are denied ("not perfect"), or that are said of something that is not the case. Works on clean text."""

from __future__ import annotations

import re
from collections.abc import Mapping

DENIAL = re.compile(
    r"(?:\b(?:not|no|non|never|neither|nor|without|rather than|instead of|far from|less than|hardly|fails? to|unable to"
    r"|anything but|avoid|ruled? out|excludes?)\b)[\s-]*"
    r"(?:(?:a|an|the|any|quite|really|fully|entirely|completely|be|been|considered|classified|called|as|exactly|even|is"
    r"|to|in|it|this|mask|need|needed|require|required|recommend|recommended|belong|belongs|of|type|case|further|truly"
    r"|absolutely|simply|merely|being|that|necessarily|do|does|can|you|i|we)[\s-]+)*$"
)
ALTERNATIVE = re.compile(r"\s*(?:,\s*)?(?:or|nor)\s+(?:a\s+|an\s+|to\s+)?")
END = re.compile(r"[.!?;\n](?=\s|$)|\n")
CONDITION = re.compile(r"\b(?:if|once|after|unless|were|had|provided|typically|usually|normally)\b")
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
        denied = bool(inherits) or is_denied(clause[:start])
        end = stop
        if not denied:
            said.append(label)
    return list(dict.fromkeys(said))


def is_denied(before: str) -> bool:
    """Whether the words before something deny it."""
    return bool(DENIAL.search(before))


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
