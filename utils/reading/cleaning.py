"""From a raw reply to plain lower-case text, and the part of it that is the audit."""

from __future__ import annotations

import html
import re
import unicodedata

from utils.reading.ious import without_ranges

SIGNS = {0x2019: "'", 0x2044: "/", 0x2010: "-", 0x2011: "-"}
INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")
LATEX = re.compile(r"\\+(?:text\w*|boxed|mathrm|mathbf)\s*\{([^{}]*)\}")
SPECIAL_TOKEN = re.compile(r"<\|[^|<>]*\|>|</?s>|<(?:eos|bos|end_of_turn)>", re.IGNORECASE)
FINAL_CHANNEL = re.compile(r"<\|channel\|>final<\|message\|>", re.IGNORECASE)
UNICODE_ESCAPE = re.compile(r"\\+u([0-9a-fA-F]{4})")
QUOTATION = re.compile(r"^> ", re.MULTILINE)
NO_SPACE = re.compile(r"(?<=[a-z)])\.(?=[A-Z])")  # "Merge.The recommended action"
ROLE = re.compile(r"^\s*(?:assistant|model|ai|bot)\s?:")
STRUCK = re.compile(r"~~[^~\n]*~~")
THRESHOLD = re.compile(r"(?<=iou)\s?@\s?[\d.]*\d")  # "IoU@0.5"
DOTS = re.compile(r"\.{4,}")  # "IoU ..... 0.85"
FRACTION = re.compile(r"\\+[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}")
PERCENT_FIRST = re.compile(r"(?<![\d%])%\s?(\d+(?:[.,]\d+)?)(?![\d%])")  # Turkish "%85"
FOREIGN_POINT = re.compile("(?<=\\d)[\u00b7\u2219\u2022\u066b](?=\\d)")
FOREIGN_COMMA = re.compile("(?<=\\d)\u060c(?=\\d)")
FOREIGN_DIGIT = re.compile(r"(?![0-9])\d")
SPACED_POINT = re.compile(r"(?<![\d.,])([01])\s?\.\s(?=\d{2,4}\b)")  # "0 . 85", "0. 85"
IOU_HEAD = re.compile(r"(?:\w+ )?iou(?: \w+){0,2}")
IOU_KEY = re.compile(r"(?<=[a-z])_(?=m?iou(?:_|\b))|(?<=iou)_(?=[a-z])|(?<=with)_(?=gt\b|ground)|(?<=ground)_(?=truth)")
STYLE_TAG = re.compile(r"</?(?:b|strong|em|i|u|code|span|br|p|div|li|ul)(?:\s[^<>]*)?/?>")
LITERAL_BREAK = re.compile(r"\\+[nrt]")
MARKUP = re.compile("[*`\"$#\\\\\u201c\u201d\u201e\u00ab\u00bb]|__|(?<![a-z])'|'(?![a-z])")
UNDERSCORES = re.compile(r"(?<![a-z0-9])_([a-z0-9 .,%_-]*?)_(?![a-z0-9])")
THINKING = r"[\w:]*(?:think|thinking|thought|thoughts)"
CLOSED_THOUGHT = re.compile(rf"<({THINKING})\s*>(?:(?!<\1\s*>).)*?</\s*\1\s*>", re.DOTALL)
OPEN_THOUGHT = re.compile(rf"<{THINKING}\s*>")
END_OF_THOUGHT = re.compile(rf"</\s*{THINKING}\s*>")
# Other names of thinking. Inside of an audit such a part is its reasoning.
REFLECTION = r"(?:\w+_)?(?:analysis|reasoning|reflection|reflections|scratchpad|monologue|deliberation|rationale|cot)"
CLOSED_REFLECTION = re.compile(rf"<({REFLECTION})\s*>(?:(?!<\1\s*>).)*?</\s*\1\s*>", re.DOTALL)
OPEN_REFLECTION = re.compile(rf"<{REFLECTION}\s*>.*", re.DOTALL)
# Marks of thinking in other forms -> tags.
MARKS_OF_THOUGHT = (
    (re.compile(r"\[(/?)(think|thinking|thought)\]", re.IGNORECASE), r"<\1think>"),
    (re.compile("\u25c1(/?)think\u25b7", re.IGNORECASE), r"<\1think>"),
    (re.compile(r"<\|(?:begin_of_thought|start_thinking|start_of_thought|think)\|>", re.IGNORECASE), "<think>"),
    (re.compile(r"<\|(?:end_of_thought|end_thinking|/think)\|>", re.IGNORECASE), "</think>"),
    (re.compile(r"<\|channel\|?>\s*(?:thought|analysis)(?:\s*<\|message\|>)?", re.IGNORECASE), "<think>"),
    (re.compile(r"<channel\|>", re.IGNORECASE), "</think>"),
)
# The last opening before a closing tag counts: "one <audit> block" may be said before it.
BLOCK = re.compile(r"<audit>((?:(?!<audit>).)*?)</audit>", re.DOTALL)
MENTION = re.compile(r"<audit>(?=\s(?:block|tag)s?\b)")
TEMPLATE = re.compile(r"\bmasktype\b|\breasoning on mask quality\b")
SIZE_OF_MERGE = r"(?:small|medium|large) merge:\s*iou in band,?\s*action:\s*(?:\w+ revision|reject)\.?"
# The prompt's definitions. A reply that has two of them repeats the prompt; one alone may be its answer.
DEFINITIONS = (
    re.compile(r"perfect:\s*the mask perfectly matches[^.]*\.(?:\s*iou\s*=\s*1(?:\.0)?,?\s*action:\s*accept\.?)?"),
    re.compile(
        r"cutout\s*/\s*dilate\s*/\s*erode:\s*the mask covers[^.]*\."
        r"(?:\s*iou in band,?\s*action:\s*(?:minor|major)(?: revision)?\.?){0,2}"
    ),
    re.compile(
        r"merge:\s*the mask includes the correct object[^.]*\."
        rf"(?:\s*[-\u2022]?\s*{SIZE_OF_MERGE}){{0,3}}|[-\u2022]?\s*{SIZE_OF_MERGE}"
    ),
    re.compile(r"full_neg:\s*the mask does not include[^.]*\.(?:\s*iou\s*=\s*0(?:\.0)?\.?,?\s*action:\s*reject\.?)?"),
)


def clean(reply: str) -> str:
    """Lower case, without markup, escapes, thinking text and a repeated prompt; ranges of numbers are " band "."""
    text = FINAL_CHANNEL.split(html.unescape(reply.replace("\r\n", "\n")))[-1]
    for mark, tag in MARKS_OF_THOUGHT:
        text = mark.sub(tag, text)
    text = INVISIBLE.sub("", unicodedata.normalize("NFKC", UNICODE_ESCAPE.sub(_character, text))).translate(SIGNS)
    text = QUOTATION.sub("", NO_SPACE.sub(". ", text)).lower()
    text = STYLE_TAG.sub(" ", ROLE.sub("", SPECIAL_TOKEN.sub(" ", LATEX.sub(r"\1", FRACTION.sub(r"\1/\2", text)))))
    text = DOTS.sub(": ", text)
    text = THRESHOLD.sub("", IOU_KEY.sub(" ", IOU_KEY.sub(" ", with_plain_numbers(STRUCK.sub(" ", text)))))
    text = text.replace("cannot", "can not").replace("can't", "can not").replace("n't", " not")
    text = MARKUP.sub("", LITERAL_BREAK.sub("\n", text))
    text = _without_thoughts(UNDERSCORES.sub(r"\1", text))
    text = tables_as_lines(text)
    return _without_echo(without_ranges(MENTION.sub("audit", re.sub(r"[ \t\u00a0]+", " ", text))))


def _character(escape: re.Match) -> str:
    return chr(int(escape[1], 16))


def with_plain_numbers(text: str) -> str:
    """Digits and decimal points of other scripts as ours; "0 . 85" as "0.85", "%85" as "85%"."""
    text = FOREIGN_DIGIT.sub(lambda found: str(unicodedata.decimal(found[0])), text)
    text = FOREIGN_COMMA.sub(",", FOREIGN_POINT.sub(".", text))
    return PERCENT_FIRST.sub(r"\1%", SPACED_POINT.sub(r"\1.", text))


def tables_as_lines(text: str) -> str:
    """A row below a head with a cell "iou", of Markdown or CSV, becomes lines such as "iou: 0.85"."""
    lines, heads, has_rows = [], None, False
    for line in text.split("\n"):
        cells = _cells(line)
        if heads and cells and all(re.fullmatch(r":?-+:?", cell) for cell in cells):
            continue
        if heads and len(cells) == len(heads) and ("|" in line or re.search(r"\d", line)):
            if not has_rows:
                lines.pop()  # the head itself
            lines += [f"{head}: {cell}" for head, cell in zip(heads, cells, strict=True)]
            has_rows = True
            continue
        is_head = len(cells) > 1 and not re.search(r"\d", line) and any(IOU_HEAD.fullmatch(cell) for cell in cells)
        heads, has_rows = cells if is_head else None, False
        lines.append(line)
    return "\n".join(lines)


def _cells(line: str) -> list[str]:
    line = line.strip()
    sign = "|" if "|" in line else next((one for one in "\t;," if one in line), None)
    if sign is None or re.search(r"\d", line) and sign == "," and re.search(r"\d,\d", line):
        return []
    return [cell.strip() for cell in line.strip("|").split(sign)]


def _without_thoughts(text: str) -> str:
    """Only what follows the thinking. Thoughts that were cut off, or that nothing follows, leave the whole audits in
    them.
    """
    answer = END_OF_THOUGHT.split(CLOSED_THOUGHT.sub(" ", text))[-1]
    opened = OPEN_THOUGHT.search(answer)
    if opened:
        answer = answer[: opened.start()] + _whole_audits(answer[opened.end() :])
    answer = _without_reflections(answer)
    return answer if answer.strip() else _whole_audits(text)


def _whole_audits(text: str) -> str:
    return " ".join(found[0] for found in BLOCK.finditer(text))


def _without_reflections(text: str) -> str:
    """Outside of whole audits."""
    parts, end = [], 0
    for found in BLOCK.finditer(text):
        parts += [CLOSED_REFLECTION.sub(" ", text[end : found.start()]), found[0]]
        end = found.end()
    return "".join([*parts, OPEN_REFLECTION.sub(" ", CLOSED_REFLECTION.sub(" ", text[end:]))])


def _without_echo(text: str) -> str:
    if sum(bool(definition.search(text)) for definition in DEFINITIONS) < 2:
        return text
    for definition in DEFINITIONS:
        text = definition.sub(" ", text)
    return text


def audit_blocks(text: str) -> list[tuple[str, str]]:
    """The whole <audit> blocks of a clean text, from the last one: (inside, what follows it)."""
    return [(found[1], text[found.end() :]) for found in reversed(list(BLOCK.finditer(text)))]


def is_template(inside: str) -> bool:
    """Whether a block without any value is the form of the prompt, not an answer."""
    return bool(TEMPLATE.search(inside)) or not re.search("[a-z]", inside)


def without_blocks(text: str) -> str:
    """A clean text without its whole blocks."""
    return BLOCK.sub(" ", text)


def begun_block(text: str) -> str | None:
    """What follows the last <audit> if it was never closed: a reply that was cut off."""
    before, tag, rest = text.rpartition("<audit>")
    return rest if tag and "</audit>" not in rest else None
