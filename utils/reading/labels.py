"""Mask types and actions in words. Works on clean text (see `cleaning`)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from utils.reading.negation import is_denied, is_doubtful, said_labels, sentence_span

TYPES = {
    "perfect": r"(?<![a-z])(?<!near[\s-])(?<!nearly[\s-])(?<!almost[\s-])perfect(?![a-z])",
    "cutout": r"(?<![a-z])cut[\s_-]?outs?(?![a-z])",
    "dilate": r"(?<![a-z])dilat(?:e|ed|es|ion|ing)(?![a-z])",
    "erode": r"(?<![a-z])ero(?:de|ded|des|ding|sion)(?![a-z])",
    "merge": r"(?<![a-z])merg(?:e|ed|es|ing)(?![a-z])",
    "full_neg": r"(?<![a-z])full[\s_-]*neg(?:ative)?s?(?![a-z])",
}
ACTIONS = {
    "accept": r"(?<![a-z])accept(?:ed|ing|ance|s)?(?![a-z])",
    "minor revision": r"(?<![a-z])minor(?:[\s_-]*revisions?)?(?![a-z])",
    "major revision": r"(?<![a-z])major(?:[\s_-]*revisions?)?(?![a-z])",
    "reject": r"(?<![a-z])reject(?:ed|ing|ion|s)?(?![a-z])",
}
ANY_TYPE, ANY_ACTION = (f"(?:{'|'.join(words.values())})" for words in (TYPES, ACTIONS))
# "accept with minor revisions" recommends the revision
AFTER_REVISION = re.compile(
    r"accept(?:ed|ance)?\s(?:it\s)?(?:with|after|subject to|pending|following)\s(?:a\s)?(?=minor|major)"
)
CLAUSE = re.compile(
    r"(?:(?![.,;:!?\n|}](?:\s|$)|[,;\n|}]|\b(?:because|since|as|with|which|where|due|for|when|that|given)\b"
    rf"|\band\s(?!{ANY_TYPE}|{ANY_ACTION})|\bbut\s(?!(?:rather\s)?(?:to\s|an?\s)*(?:{ANY_TYPE}|{ANY_ACTION}))).){{0,200}}"
)
LINKS = (
    r"(?:\s|[:=|>()\[\]{}→-]|(?:belongs?|falls?|corresponds?|to|is|was|be|of|the|category|class|label|type|under|into|as"
    r"|classified|categori[sz]ed|described|labell?ed|identified|a|an|best|most|likely|probably|clearly|therefore|thus"
    r"|here|would|should|will|must|seems|appears|taken|required|for|this|mask|it|and|value|name|recommended|final|i"
    r"|suggest|recommend|take|that)(?![a-z_])){0,60}"
)
TYPE_LEADS = (  # stronger ones first
    re.compile(rf"\bmask[\s_-]*type\b{LINKS}"),
    re.compile(rf"\b(?:type|category|class|classification|label)\b{LINKS}"),
)
ACTION_LEADS = (
    re.compile(rf"\b(?:recommend|suggest|propos)\w*[\s_-]action\b{LINKS}"),
    re.compile(rf"(?<!band, )(?<!band )\baction\b{LINKS}"),
    re.compile(
        rf"\b(?:recommendation|decision|verdict)\b{LINKS}|\b(?:i|we)(?:\swould)?\s(?:recommend|suggest)\b{LINKS}"
    ),
)
BAND_ACTION = re.compile(rf"band,?\saction\b{LINKS}")
VERB = "(?:match|cover|align|segment|delineate|capture|overlap|fit|outline)(?:e?s|ed)?"
OBJECT = r"(?:target|object|ground|gt|correct|referred|described)"
WORDED_TYPES = {  # the prompt's own definitions
    "perfect": rf"\bperfectly\s{VERB}\b|\bperfect\smatch\b|\bmatch(?:es)?\s[^.,;]{{0,60}}?\bperfectly\b",
    "cutout": rf"\bcovers\sthe\s(?:correct\s)?(?:{OBJECT}\s)*but\shas\smissing\sregions",
    "dilate": rf"\bcovers\sthe\s(?:correct\s)?(?:{OBJECT}\s)*but\shas\souter\sregions",
    "erode": rf"\bcovers\sthe\s(?:correct\s)?(?:{OBJECT}\s)*but\shas\sshrunk\sregions",
    "merge": r"\bmerges\sin\b",
    "full_neg": (
        r"\b(?:do(?:es)?|did)\snot\s(?:include|contain|cover)\sany\s(?:pixels?|parts?)\sof\sthe\b"
        r"|\b(?:includes|contains|covers)\s(?:no|zero|none of the)\spixels?\s(?:of|from)\sthe\b"
        rf"|\b(?:no|zero)\soverlap\s(?:at all\s)?with\sthe\s{OBJECT}"
    ),
}
DEGREE = (
    r"(?:a|an|the|slightly|heavily|severely|clearly|obviously|overly|somewhat|simply|best|described|as|case|of|to|be)\s"
)
PASSIVE = r"\b(?:should|must|can|may|could|to|shall)\sbe"
NAMED_TYPE = (
    r"(?:\bmask\s(?:is|was|looks|appears|seems)\s(?:{degree})*|\b(?:this|it)\s(?:is|was|looks like)\s(?:{degree})*"
    r"|\b(?:classif|categor|label)\w*\s(?:it\s|this\s|the\smask\s)?(?:as|under)\s(?:{degree})*"
    r"|\bcase\sof\s(?:{degree})*){word}|{word}\s(?:mask|type|case)\b"
)
SPOKEN_ACTIONS = {
    "accept": rf"{PASSIVE}\saccepted\b|\bi\s(?:would\s|will\s)?accept\s(?:this|the|it)\b"
    r"|\b(?:mask|it)\sis\saccepted\b",
    "reject": rf"{PASSIVE}\srejected\b|\bi\s(?:would\s|will\s)?reject\s(?:this|the|it)\b"
    r"|\b(?:mask|it)\sis\srejected\b",
} | {
    f"{size} revision": rf"\b(?:requires?|needs?|warrants?|calls\sfor|deserves|merits|suggests?|recommends?)\s"
    rf"(?:an?\s|some\s)?{size}\srevisions?\b|\b{size}\srevisions?\s(?:is|are)\s(?:needed|required|recommended|necessary|warranted)\b"
    for size in ("minor", "major")
}
NEARLY = re.compile(r"\b(?:almost|nearly|near)[\s-](?:an?\s)?$")
SOFTENED = re.compile(r"\b(?:but|except|however|although|though|apart)\b")


def type_in_clause(clause: str) -> str | None:
    """The one mask type that a clause names and does not deny; None for several."""
    return _only(said_labels(clause, TYPES))


def action_in_clause(clause: str) -> str | None:
    """The one action that a clause names and does not deny; None for several."""
    return _only(said_labels(AFTER_REVISION.sub("", clause), ACTIONS))


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
    return _only(_spoken(text, patterns)) or _only(_alone(text, TYPES))


def action_in_prose(text: str) -> str | None:
    """The one action that the prose asks for."""
    return _only(_spoken(text, SPOKEN_ACTIONS)) or _only(_alone(text, ACTIONS))


def _only(labels: Iterable[str]) -> str | None:
    labels = list(labels)
    return labels[0] if len(labels) == 1 else None


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
            taken_back = label == "perfect" and (SOFTENED.search(after) or NEARLY.search(before))
            if not (is_denied(before) or taken_back or is_doubtful(sentence, sentence) or " if " in sentence):
                said.append(label)
                break
    return said


def _alone(text: str, words: dict[str, str]) -> list[str]:
    """Labels that are all that stands in a line or between two commas: "0.45, merge, reject"."""
    cells = [cell.strip(" .-()[]{}:") for cell in re.split(r"[,;|\n]|\.\s", text)]
    return list(dict.fromkeys(label for cell in cells for label, word in words.items() if re.fullmatch(word, cell)))
