"""Mask types and actions in words. Works on clean text (see `cleaning`)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from utils.reading.negation import is_denied, is_doubtful, is_open, said_labels, sentence_span

TYPES = {
    "perfect": r"(?<![a-z])(?<!near[\s-])(?<!nearly[\s-])(?<!almost[\s-])perfect(?![a-z])",
    "cutout": r"(?<![a-z])cut[\s_-]?outs?(?![a-z])",
    "dilate": r"(?<![a-z])dilat(?:e|ed|es|ion|ing)(?![a-z])",
    "erode": r"(?<![a-z])ero(?:de|ded|des|ding|sion)(?![a-z])",
    "merge": r"(?<![a-z])merg(?:e|ed|es|ing)(?![a-z])",
    "full_neg": r"(?<![a-z])full[\s_\u2013-]*neg(?:ative)?s?(?![a-z])",
}
ACTIONS = {
    "accept": r"(?<![a-z])accept(?:ed|ing|ance|s)?(?![a-z])",
    "minor revision": r"(?<![a-z])minor(?:[\s_-]*revisions?)?(?![a-z])",
    "major revision": r"(?<![a-z])major(?:[\s_-]*revisions?)?(?![a-z])",
    "reject": r"(?<![a-z])reject(?:ed|ing|ion|s)?(?![a-z])",
}
ANY_TYPE, ANY_ACTION = (f"(?:{'|'.join(words.values())})" for words in (TYPES, ACTIONS))
# "accept with minor revisions" recommends the revision
# and so does "a revision before it can be accepted".
AFTER_REVISION = re.compile(
    r"accept(?:ed|ance)?\s(?:it\s)?(?:with|after|subject to|pending|following)\s(?:a\s)?(?=minor|major)"
    r"|\bbefore\s(?:\w+\s){0,4}(?:be(?:ing)?\s)?accept(?:ed|ing|ance)"
)
RATHER = (
    r",\s(?:(?:but|rather|instead|and|or|partly|partially)\s)?(?:rather\s|instead\s)?(?:to\s|it\sis\s|an?\s)*"
    rf"(?:{ANY_TYPE}|{ANY_ACTION})"
)
CLAUSE = re.compile(
    rf"(?:(?:(?={RATHER}),|(?![.,;:!?\n|}}](?:\s|$)|[,;\n|}}]"
    r"|\b(?:because|since|as|with|which|where|due|for|when|that|given)\b"
    rf"|\band\s(?!{ANY_TYPE}|{ANY_ACTION})|\bbut\s(?!(?:rather\s)?(?:to\s|an?\s)*(?:{ANY_TYPE}|{ANY_ACTION}))).)){{0,200}}"
)
LINKS = (
    r"(?:\s|[:=|>()\[\]{}→-]|(?:belongs?|falls?|corresponds?|to|is|was|be|of|the|category|class|label|type|under|into|as"
    r"|classified|categori[sz]ed|described|labell?ed|identified|a|an|best|most|likely|probably|clearly|therefore|thus"
    r"|here|would|should|will|must|seems|appears|taken|required|for|this|mask|it|and|value|name|recommended|final|i"
    r"|suggest|recommend|take|that|ist|est|es|su|sua|è|é|de|die|der|das|la|el|o|recomendada|recomendado|consigliata"
    r"|raccomandata|suggerita|sugerida|recommandée|empfohlene)(?![a-z_])"
    r"|为|是|属于|屬於|は|、|は、|은|는|이|가|的|です){0,60}"
)
FOREIGN_TYPE = (
    r"\b(?:typ|masken?[\s-]?typ|tipo\sd[ei](?:\sla)?\sm[aá]s[ck](?:ara|hera)|type\sde\smasque|тип\sмаски)\b"
    r"|(?:掩码|掩膜|遮罩|マスクの?)?(?:类型|類型|種類|タイプ)|(?:마스크\s?)?(?:유형|타입)"
)
FOREIGN_ACTION = r"\b(?:aktion|acción|ação|azione|действие)\b|操作|动作|動作|アクション|조치"
TYPE_LEADS = (  # stronger ones first
    re.compile(rf"(?:\bmask[\s_-]*type\b|{FOREIGN_TYPE}){LINKS}"),
    re.compile(rf"\b(?:type|category|class|classification|label)\b{LINKS}"),
    re.compile(rf"(?:^|[{{,;\n(|])\s*mask\s?[:=]{LINKS}"),
)
ACTION_LEADS = (
    re.compile(rf"\b(?:recommend|suggest|propos)\w*[\s_-]action\b{LINKS}"),
    re.compile(rf"(?:(?<!band, )(?<!band )\b(?:recommended)?action\b|{FOREIGN_ACTION}){LINKS}"),
    re.compile(
        rf"\b(?:recommendation|decision|verdict)\b{LINKS}|\b(?:i|we)(?:\swould)?\s(?:recommend|suggest)\b{LINKS}"
        rf"|\b(?:recommend(?:ed)?|status|outcome|conclusion)\s?[:=]{LINKS}"
    ),
)
BAND_ACTION = re.compile(rf"band,?\saction\b{LINKS}")
VERB = "(?:match|cover|align|segment|delineate|capture|overlap|fit|outline)(?:e?s|ed)?"
OBJECT = r"(?:target|object|ground|gt|correct|referred|described)"
TARGET = r"(?!\s(?:background|surround|other|unrelated|wrong|neighbo|adjacent))"
WORDED_TYPES = {  # the prompt's own definitions
    "perfect": rf"\bperfectly\s{VERB}\b|\bperfect\smatch\b|\bmatch(?:es)?\s[^.,;]{{0,60}}?\bperfectly\b",
    "cutout": rf"\bcovers\sthe\s(?:correct\s)?(?:{OBJECT}\s)*but\shas\smissing\sregions",
    "dilate": rf"\bcovers\sthe\s(?:correct\s)?(?:{OBJECT}\s)*but\shas\souter\sregions",
    "erode": rf"\bcovers\sthe\s(?:correct\s)?(?:{OBJECT}\s)*but\shas\sshrunk\sregions",
    "merge": r"\bmerges\sin\b|\bmask\s(?:\w+\s){0,2}?merges\b",
    "full_neg": (
        rf"\b(?:do(?:es)?|did)\snot\s(?:include|contain|cover)\sany\s(?:pixels?|parts?)\sof\sthe\b{TARGET}"
        rf"|\b(?:includes|contains|covers)\s(?:no|zero|none of the)\spixels?\s(?:of|from)\sthe\b{TARGET}"
        rf"|\b(?:includes|contains|covers)\snone\sof\sthe\s(?:{OBJECT}\s?)+(?:'s)?\s?pixels?\b"
        rf"|\b(?:no|zero)\soverlap\s(?:at all\s)?(?:with|between\sthe\smask\sand)\sthe\s{OBJECT}"
        rf"|\b(?:do(?:es)?|did)\snot\soverlap\s(?:at all\s)?(?:with\s)?the\s{OBJECT}"
        rf"|\b(?:completely|entirely|totally)\smiss(?:es|ed)\sthe\s{OBJECT}"
    ),
}
DEGREE = (
    r"(?:a|an|the|slightly|heavily|severely|clearly|obviously|overly|somewhat|simply|best|described|as|case|of|to|be)\s"
)
PASSIVE = r"\b(?:should|must|can|may|could|to|shall)\sbe"
NAMED_TYPE = (
    r"(?:\bmask\s(?:is|was|looks|appears|seems|has\sbeen|got)\s(?:{degree})*"
    r"|\b(?:this(?:\sone)?|it)(?:'s|\sis|\swas|\slooks like)\s(?:{degree})*"
    r"|\b(?:classif|categor|label)\w*\s(?:it\s|(?:this|the)\s(?:mask\s)?)?(?:as|under)\s(?:{degree})*"
    r"|\b(?:mask|this|it)\s(?:falls|belongs|corresponds)\s(?:under|to|into|in|with)\s(?:{degree})*"
    r"|\b(?:case|definition)\sof\s(?:{degree})*){word}|{word}\s(?:mask|type|case|category|class)\b"
)
SPOKEN_ACTIONS = {
    "accept": rf"{PASSIVE}\saccepted\b|\b(?:i|we)(?:'d)?\s(?:would\s|will\s)?accept\s(?:this|the|it)\b"
    r"|\b(?:mask|it)\sis\saccepted\b|\bacceptance\sis\s(?:recommended|advised|suggested|appropriate)\b",
    "reject": rf"{PASSIVE}\srejected\b|\b(?:i|we|you)(?:'d)?\s(?:would\s|will\s|should\s|must\s)?"
    r"reject\s(?:this|the|it)\b"
    r"|\b(?:mask|it)\sis\srejected\b|\brejection\sis\s(?:recommended|advised|suggested|appropriate)\b",
} | {
    f"{size} revision": rf"\b(?:requires?|needs?|warrants?|calls\sfor|deserves|merits|suggests?|recommends?)\s"
    rf"(?:an?\s|some\s)?{size}\srevisions?\b"
    rf"|\b{size}\srevisions?\s(?:is|are)\s(?:needed|required|recommended|necessary|warranted)\b"
    for size in ("minor", "major")
}
PREFIX = re.compile(r"^\s*(?:final\s|my\s)?(?:answer|audit|result|verdict|output|evaluation)s?\s?[:=]")
LABEL = re.compile(rf"{ANY_TYPE}|{ANY_ACTION}")
NUMBER_IN_BRACKETS = re.compile(r"\([^()a-z]*(?:iou)?[^()a-z]*\d[^()a-z]*\)")
LINK = re.compile(r"^(?:so|hence|thus|therefore|and|then|i\.e\.)\s")
CELL = re.compile(r"[,;|→]|\.\s|\s[\u2013\u2014-]\s|[-=]>")
AFTER_COLON = re.compile(rf":\s*(?:{ANY_TYPE}|{ANY_ACTION})[.!]?\s*$")
LETTER = re.compile(r"[^\W\d_]")
SENTENCE = re.compile(r"\n|(?<=[.!?;])\s")
NEARLY = re.compile(r"\b(?:almost|nearly|near)[\s-](?:an?\s)?$")
OTHER_OBJECT = re.compile(
    r"\bnot\sthe\s(?:target|correct|right|intended|referred|described)\b|\b(?:wrong|instead|unrelated|other\sthan)\b"
    r"|\bdifferent\s(?:object|person|instrument|animal)"
)
HEADING = re.compile(rf"(?:^|\n)[\s\u2022-]*(?:(?:small|medium|large)\s)?({ANY_TYPE})\s?:\s")
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
    headings = [said_labels(found[1], TYPES)[0] for found in HEADING.finditer(text)]
    return _only(_spoken(text, patterns)) or _only(_alone(text, TYPES)) or _only(dict.fromkeys(headings))


def action_in_prose(text: str) -> str | None:
    """The one action that the prose asks for."""
    text = AFTER_REVISION.sub("", text)
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
            taken_back = label == "perfect" and (
                SOFTENED.search(after) or NEARLY.search(before) or OTHER_OBJECT.search(sentence)
            )
            open_or_asked = is_open(sentence, before) or is_doubtful(sentence, sentence) or " if " in sentence
            if not (is_denied(before) or taken_back or open_or_asked):
                said.append(label)
                break
    return said


def is_record(line: str) -> bool:
    """Whether a line has labels, and nothing else than labels, numbers and signs."""
    return bool(LABEL.search(line)) and not LETTER.search(LABEL.sub("", line))


def _alone(text: str, words: dict[str, str]) -> list[str]:
    """Labels in sentences of nothing but labels, numbers and signs ("0.45 merge reject"), or between two commas."""
    said = []
    for line in SENTENCE.split(text):
        if len(dict.fromkeys(said_labels(line, words))) != 1:
            continue
        line = NUMBER_IN_BRACKETS.sub(" ", PREFIX.sub("", line))
        cells = [LINK.sub("", cell.strip(" .-()[]{}:")) for cell in CELL.split(line)]
        said += [label for cell in cells for label, word in words.items() if re.fullmatch(word, cell)]
        ending = AFTER_COLON.search(line)
        if is_record(line) or ending:
            said += said_labels(line if is_record(line) else ending[0], words)
    return list(dict.fromkeys(said))
