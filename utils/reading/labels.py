"""Mask types and actions in words. Works on clean text (see `cleaning`)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from utils.reading.negation import (
    SUPPOSITION,
    is_denied,
    is_doubtful,
    is_unsettled,
    said_labels,
    sentence_span,
)
from utils.reading.sayings import DEGREE, NAMED_TYPE, SPOKEN_ACTIONS, WORDED_TYPES
from utils.reading.words import (
    ACTION_LEADS,
    ACTIONS,
    AFTER_REVISION,
    ANY_ACTION,
    ANY_TYPE,
    BAND_ACTION,
    CLAUSE,
    OTHER_ACTIONS,
    OTHER_TYPES,
    TYPE_LEADS,
    TYPES,
)

PREFIX = re.compile(r"^\s*(?:final\s|my\s)?(?:answer|audit|result|verdict|output|evaluation)s?\s?[:=]")
LABEL = re.compile(rf"{ANY_TYPE}|{ANY_ACTION}")
NUMBER_IN_BRACKETS = re.compile(r"\([^()a-z]*(?:iou)?[^()a-z]*\d[^()a-z]*\)")
LINK = re.compile(r"^(?:(?:so|hence|thus|therefore|and|then|i\.e\.|probably|possibly|likely|maybe|an?):?\s){1,3}")
CELL = re.compile(r"[,;|→]|\s/\s|\.\s|\s[\u2013\u2014-]\s|[-=]>")
AFTER_COLON = re.compile(rf":\s*(?:{ANY_TYPE}|{ANY_ACTION})[.!]?\s*$")
IN_BRACKETS = re.compile(r"\((?!or\b)[^()]*\)")
AND = re.compile(r"\band\b")
LETTER = re.compile(r"[^\W\d_]")
SENTENCE = re.compile(r"\n|(?<=[.!?;])\s")
NEARLY = re.compile(r"\b(?:almost|nearly|near)[\s-](?:an?\s)?$")
OTHER_OBJECT = re.compile(
    r"\bnot\sthe\s(?:target|correct|right|intended|referred|described)\b|\b(?:wrong|instead|unrelated|other\sthan)\b"
    r"|\bdifferent\s(?:object|person|instrument|animal)"
)
HEADING = re.compile(rf"(?:^|\n)[\s\u2022-]*(?:(?:small|medium|large)\s)?({ANY_TYPE})\s?:\s")
REVISION = re.compile(r"\b(?:minor|major)[\s_-]revisions?\b")
NOT_ENOUGH = re.compile(r"\s(?:\w+\s){0,2}?(?:not|insufficient|unnecessary)\b")
SOFTENED = re.compile(r"\b(?:but|except|however|although|though|apart)\b")


def type_in_clause(clause: str) -> str | None:
    """The one mask type that a clause names and does not deny; None for several."""
    return _only(_labels(clause, TYPES) or _in_other_words(clause, TYPES, OTHER_TYPES))


def action_in_clause(clause: str) -> str | None:
    """The one action that a clause names and does not deny; None for several."""
    clause = AFTER_REVISION.sub("", clause)
    return _only(_labels(clause, ACTIONS) or _in_other_words(clause, ACTIONS, OTHER_ACTIONS))


def type_in_phrase(text: str) -> str | None:
    """What follows "its mask type belongs to", "mask type:", "category is"; the last one counts."""
    return _led(text, TYPE_LEADS, type_in_clause)


def action_in_phrase(text: str) -> str | None:
    """What follows "the recommended action is", "action:", "I recommend to"; the last one counts.

    The action behind a range of IoUs may be a quoted rule. It counts where no other is said and all of them agree.
    """
    text = AFTER_REVISION.sub("", text)
    said = _led(text, ACTION_LEADS, action_in_clause)
    if said:
        return said
    quoted = [action_in_clause(CLAUSE.match(text, lead.end())[0]) for lead in BAND_ACTION.finditer(text)]
    return _only(dict.fromkeys(action for action in quoted if action))


def type_in_prose(text: str) -> str | None:
    """The one type that the prose describes in the prompt's words or names as what the mask is."""
    patterns = {
        label: f"{worded}|{NAMED_TYPE.format(degree=DEGREE, word=TYPES[label])}"
        for label, worded in WORDED_TYPES.items()
    }
    headings = [said_labels(found[1], TYPES)[0] for found in HEADING.finditer(text)]
    return _only(_spoken(text, patterns)) or _only(_alone(text, TYPES)) or _only(dict.fromkeys(headings))


def action_in_prose(text: str) -> str | None:
    """The one action that the prose asks for."""
    text = AFTER_REVISION.sub("", text)
    return _only(_spoken(text, SPOKEN_ACTIONS)) or _only(_alone(text, ACTIONS)) or _only(_revisions(text))


def _only(labels: Iterable[str]) -> str | None:
    labels = list(labels)
    return labels[0] if len(labels) == 1 else None


def _labels(clause: str, words: dict[str, str]) -> list[str]:
    """Labels before those in brackets: "cutout (partly eroded)"."""
    return said_labels(IN_BRACKETS.sub("", clause), words) or said_labels(clause, words)


def _in_other_words(clause: str, words: dict[str, str], other_words: dict[str, str]) -> list[str]:
    """Labels in other words, in a clause that has none of the words themselves ("not perfect, has holes" has one)."""
    has_label = any(re.search(word, clause) for word in words.values())
    return [] if has_label else said_labels(clause, other_words)


def _led(text: str, leads: tuple[re.Pattern, ...], read) -> str | None:
    for pattern in leads:
        said = []
        for lead in pattern.finditer(text):
            clause = CLAUSE.match(text, lead.end())
            if not is_doubtful(text[slice(*sentence_span(text, lead.start(), clause.end()))], lead[0]):
                said.append(None if is_denied(lead[0]) else read(clause[0]))
        known = [label for label in said if label]
        if known:
            return known[-1]
    return None


def _spoken(text: str, patterns: dict[str, str]) -> list[str]:
    """Labels whose pattern occurs, is not denied and, if it praises the mask, is not taken back."""
    said = []
    for label, pattern in patterns.items():
        for found in re.finditer(pattern, text):
            begin, end = sentence_span(text, found.start(), found.end())
            before, after, sentence = text[begin : found.start()], text[found.end() : end], text[begin:end]
            taken_back = label == "perfect" and (
                SOFTENED.search(after) or NEARLY.search(before) or OTHER_OBJECT.search(sentence)
            )
            if not (is_denied(before) or taken_back or is_unsettled(sentence, text[begin : found.end()])):
                said.append(label)
                break
    return said


def _revisions(text: str) -> list[str]:
    """The revisions that are named anywhere, but for sentences that name another action or leave it open."""
    said = []
    for found in REVISION.finditer(text):
        begin, end = sentence_span(text, found.start(), found.end())
        sentence = text[begin:end]
        if not (is_unsettled(sentence, text[begin : found.start()]) or NOT_ENOUGH.match(text, found.end())):
            actions = said_labels(sentence, ACTIONS)
            said += actions if len(actions) == 1 else []
    return list(dict.fromkeys(said))


def is_record(line: str) -> bool:
    """Whether a line has labels, and nothing else than labels, numbers and signs."""
    return bool(LABEL.search(line)) and not LETTER.search(LABEL.sub("", line))


def _alone(text: str, words: dict[str, str]) -> list[str]:
    """Labels in sentences of nothing but labels, numbers and signs ("0.45 merge reject"), or between two commas."""
    said = []
    for line in SENTENCE.split(text):
        if line.rstrip().endswith("?") or len(said_labels(line, words)) != 1 or SUPPOSITION.search(line):
            continue
        line = NUMBER_IN_BRACKETS.sub(" ", PREFIX.sub("", line))
        cells = [LINK.sub("", cell.strip(" .-()[]{}:")) for cell in CELL.split(line)]
        said += [label for cell in cells for label, word in words.items() if re.fullmatch(word, cell)]
        ending = AFTER_COLON.search(line)
        records = [part for part in (line, *cells) if is_record(AND.sub(" ", part))]
        if records or ending:
            said += said_labels(records[0] if records else ending[0], words)
    return list(dict.fromkeys(said))
