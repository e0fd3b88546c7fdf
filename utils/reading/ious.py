"""IoUs in words. Works on clean text (see `cleaning`)."""

from __future__ import annotations

import re
from decimal import Decimal

from utils.reading.negation import is_doubtful, is_open, sentence_span

DIGITS = r"(?:\d+(?:[.,]\d+)?|[.,]\d+)(?:e-\d{1,3})?(?!\d|[.,]\d|[a-hj-z])"
PERCENT = r"(?:\s?(?:%|percent\b|per cent\b|prozent\b|pct\b))"
AMOUNT = rf"{DIGITS}(?:(?:\s?/\s?|\sout\sof\s)(?:[1-9]\d*|1[.,]0+)(?!\d|[.,]\d))?{PERCENT}?"
VALUE = rf"(?<![a-z0-9_.,@-]){AMOUNT}"
BAND = " band "  # stands for a range of numbers, which is no value
RANGES = (
    re.compile(rf"{VALUE}\s*(?:<=?|≤)\s*(?:the\s)?iou\s*(?:<=?|≤)\s*{VALUE}"),
    re.compile(rf"[\[(]\s*{VALUE}\s*[,;]\s*{VALUE}\s*[\])]"),
    re.compile(rf"\b(?:between|from|entre|zwischen)\s+{VALUE}\s*(?:and|to|y|et|und|bis)\s*{VALUE}"),
    re.compile(rf"{VALUE}\s*(?:to|or|-|\u2010|\u2011|\u2013|\u2014|~|bis)\s*{AMOUNT}"),
)
CJK = "\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af"  # kana, Chinese characters, hangul
IOU = rf"(?:\bm?iou\b|\bm?iou(?=[{CJK}])|(?<=[{CJK}])iou|\bintersection[\s-]over[\s-]union\b|交并比|交並比)"
HEDGES = (
    "approximately approx. approx about around roughly circa ca. ca nearly almost close near estimated likely probably "
    "possibly perhaps maybe just only exactly precisely a an at say some etwa rund aproximadamente environ"
    " specifically circa cirka cerca effectively essentially practically virtually basically clearly simply literally"
    " somewhere closer nearer ungefähr presque"
    " quase quasi примерно приблизительно около ongeveer około yaklaşık"
)
FILLERS = HEDGES + (
    " with to of for against compared versus vs the its gt ground truth ground-truth groundtruth reference target"
    " object mask candidate score value metric estimate estimation predicted computed calculated measured expected is"
    " was are be as equals equal would will should could may might must seems appears drops falls stands comes out thus"
    " therefore hence also here final overall respect very quite relatively extremely rather i it this high low"
    " moderate poor good decent excellent perfect can lies lie amounts reaches reached reach sits remains"
    " es ist est beträgt é è de da di von zu mit con avec iou"
    " com la le el il lo o với là vérité terrain référence verdad terreno liegt bei zur dem der gegenüber"
    " с равен равна равно هي هو مع के साथ"
    " составляет относительно wynosi z ligger på är er je sa se is met op van"
)
CJK_FILLERS = "(?:大约|大概|约为|约|为|是|等于|与|和|真值|的|值|は|が|約|およそ|는|은|가|이|약)"
# A comma may stand between IoU and number only before a hedge or a word that belongs to it: "low, about 0.3".
COMMA_WORDS = [re.escape(word) for word in [*HEDGES.split(), "which", "is", "i"] if word not in ("a", "an")]
COMMA = rf",(?=\s(?:{'|'.join(COMMA_WORDS)})\b)"
# "in [0.85, 0.90), about 0.87"
IN_BAND = rf"(?:(?:in|within)\s(?:the\s)?)?band(?:\s(?:range|interval))?\s?(?:{COMMA}|[(:\u2013-])"
DENIED = rf"not\s{VALUE}[,;]?\s(?:but(?:\srather)?|rather|it\sis|it's)"  # "not 1 but 0.85"
AREA = r"\bin\sthe\s(?:neighbou?rhood|vicinity|region|area|ballpark|order)\sof\b"
ASIDE = r"\([^()\d\n]{0,60}\)|,?\sin\smy\s(?:estimation|opinion|view|judge?ment),?"
PAIR = (  # what is compared: "between the mask and the ground truth", "(mask, GT)"
    r"between(?:\s(?:the|and|gt|ground|truth|ground-truth|this|given|candidate|predicted|masks?|target|object|reference|it))+"
    r"|\(\s?(?:mask|m|pred|prediction|p|gt|g|ground truth)\s?,\s?(?:gt|g|ground truth|mask|m|pred|prediction|p)\s?\)"
)
FILLER = re.compile(
    rf"(?:{PAIR}|{AREA}|{ASIDE}|w/|\bdrop(?=\sto\b)|\s|[-=~]>|d'(?=environ)|\+(?=[\d.,])|[:=≈~≃≅∼|()\[\]{{}}→\u2013\u2014-]|{COMMA}|{IN_BAND}|{DENIED}|{CJK_FILLERS}"
    rf"|(?:{'|'.join(sorted(map(re.escape, set(FILLERS.split())), key=len, reverse=True))})(?![a-z0-9])){{0,40}}"
)
WORDS = {"zero": 0.0, "one": 1.0}
READ = re.compile(rf"(?P<number>{VALUE})|(?P<word>zero|one)\b")
AFTER_WHOLE_NUMBER = re.compile(
    r"[^\S\n]*(?:$|\n|[^\sa-z]|(?:iou|and|or|which|so|since|because|as|with|for|meaning|indicating|but|its|the|therefore|thus"
    r"|due"
    r"|in|it|this|that|y|et|und|e)\b)"
)
BOUND_AFTER = re.compile(
    r"\s?\+(?!/)|\s?/\s?\d"
    r"|\s(?:at (?:best|most|least|worst|maximum|minimum)|(?:or|and) (?:lower|less|higher|more|below|above"
    r"|under|over|greater|smaller)|max(?:imum)?|min(?:imum)?)\b"
)
FRACTION = re.compile(r"([\d.,]+)(?:\s?/\s?|\sout\sof\s)(\d+)")
# "the exact IoU is hard to tell, but I would estimate it at 0.85"
ESTIMATED = re.compile(rf"{IOU}|\b(?:estimate|guess|put|place|assess|judge)\s(?:it|this)\s(?:to\sbe|at|as)\b")
LOOK_BACK = 200
LIMIT = re.compile(r"\b(?:max(?:imum|imal)?|min(?:imum|imal)?|possible|required|desired|necessary)\s$")  # "maximum IoU"
EQUATION = re.compile(  # "IoU = 8/10 = 0.8"
    rf"({IOU})\s*=\s*[^=≈≃~\n;,]*/[^=≈≃~\n;,]*?(?:[=≈≃~]|\bapprox)\s*(?={VALUE})"
)
TWO_IN_A_TAG = re.compile(rf"(?<=<iou>)\s*{VALUE}\s*(?:[,;]|/(?=\s*0?[.,]))\s*{VALUE}\s*(?=<)")
BEFORE_IOU = re.compile(rf"({VALUE})\s?(?:{IOU})")


def without_ranges(text: str) -> str:
    """Ranges such as [0.85, 0.90), "0.4 to 0.5", "0.4 or 0.6" become BAND, and so do two numbers in a tag."""
    for pattern in (*RANGES, TWO_IN_A_TAG):
        text = pattern.sub(BAND, text)
    return re.sub(" +(?=[ ,])", "", text)


def to_iou(text: str) -> float | None:
    """A VALUE -> a number in [0, 1], or None if it lies outside: "0,85", "85 %", "85/100", "17/20" -> 0.85."""
    digits = re.match(r"[\d.,]+(?:e-\d+)?", text)[0].replace(",", ".")
    value = Decimal(digits)
    if re.search(PERCENT, text):
        value /= 100
    fraction = FRACTION.match(text)
    if fraction:
        whole = Decimal(fraction[2])
        if 0 < value < 1 < whole:  # "0.5/3"
            return None
        value /= whole
    return float(value) if 0 <= value <= 1 else None


def iou_in_tag(content: str) -> float | None:
    """The one IoU of a tag's content; hedges such as "about" may stand around it."""
    found = list(re.finditer(VALUE, content))
    if BAND.strip() in content or len(found) > 1:
        return None
    if not found:
        return WORDS.get(content.strip(" ."))
    before, after = content[: found[0].start()], content[found[0].end() :]
    rest = FILLER.sub("", before) + re.sub(rf"{IOU}|[\s.,;)\]}}]", "", after)
    return to_iou(found[0][0]) if not rest.strip() else None


def iou_in_phrase(text: str) -> float | None:
    """The IoU that follows the word IoU. The last one counts, first of all those "with GT"."""
    text = EQUATION.sub(r"\1 = ", text)
    found: dict[bool, float] = {}
    for lead in ESTIMATED.finditer(text):
        before = text[max(lead.start() - LOOK_BACK, 0) : lead.start()]
        if LIMIT.search(before) or not re.search(IOU, before + lead[0]):
            continue
        gap = FILLER.match(text, lead.end())
        said = READ.match(text, gap.end())
        value = said and _stated(text, lead.start(), said)
        if value is not None:
            found[bool(re.search(r"\bgt\b|ground", gap[0]))] = value
    return found.get(True, found.get(False))


def iou_in_prose(text: str) -> float | None:
    """The last IoU that stands before the word, as in "an 85% IoU"."""
    values = [to_iou(found[1]) for found in BEFORE_IOU.finditer(text) if not _is_bound(text[: found.start()])]
    return next((value for value in reversed(values) if value is not None), None)


def _stated(text: str, start: int, said: re.Match) -> float | None:
    """The value, unless it is asked for, only possible, or the beginning of something else ("1 region")."""
    begin, end = sentence_span(text, start, said.end())
    if is_doubtful(text[begin:end], text[start : said.start()]) or is_open(text[begin:end], text[begin:start]):
        return None
    is_share = re.search(PERCENT, said[0]) and text.startswith(" of ", said.end())  # "20% of the legs"
    if is_share or BOUND_AFTER.match(text, said.end()):
        return None
    is_whole_number = said["word"] or said[0] in ("0", "1") or FRACTION.match(said[0])
    if is_whole_number and not AFTER_WHOLE_NUMBER.match(text, said.end()):
        return None
    return WORDS[said["word"]] if said["word"] else to_iou(said["number"])


def _is_bound(before: str) -> bool:
    return bool(re.search(r"(?:below|under|above|over|than|least|most|not|[<>≤≥])\s*(?:an?\s|the\s)?$", before))
