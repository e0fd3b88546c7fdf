"""From a raw reply to plain lower-case text, and the part of it that is the audit."""

from __future__ import annotations

import html
import re
import unicodedata

from utils.reading.ious import without_ranges

INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")
LATEX = re.compile(r"\\+(?:text\w*|boxed|mathrm|mathbf)\s*\{([^{}]*)\}")
SPECIAL_TOKEN = re.compile(r"<\|[^|<>]*\|>|</?s>|<(?:eos|bos|end_of_turn)>", re.IGNORECASE)
FINAL_CHANNEL = re.compile(r"<\|channel\|>final<\|message\|>")
STYLE_TAG = re.compile(r"</?(?:b|strong|em|i|u|code|span|br|p|div|li|ul)(?:\s[^<>]*)?/?>")
LITERAL_BREAK = re.compile(r"\\+[nrt]")
MARKUP = re.compile("[*`\"$#\\\\\u201c\u201d\u201e\u00ab\u00bb]|__|(?<![a-z])'|'(?![a-z])")
UNDERSCORES = re.compile(r"(?<![a-z0-9])_([a-z0-9 ._-]*?)_(?![a-z0-9])")
CLOSED_THOUGHT = re.compile(r"<([\w:]*(?:think|thinking|thought|thoughts|analysis))>(?:(?!<\1>).)*?</\1>", re.DOTALL)
OPEN_THOUGHT = re.compile(r"<[\w:]*(?:think|thinking|thought|thoughts|analysis)>")
END_OF_THOUGHT = re.compile(r"</[\w:]*(?:think|thinking|thought|thoughts|analysis)>")
# The last opening before a closing tag counts: "one <audit> block" may be said before it.
BLOCK = re.compile(r"<audit>((?:(?!<audit>).)*?)</audit>", re.DOTALL)
MENTION = re.compile(r"<audit>(?=\s(?:block|tag)s?\b)")
TEMPLATE = re.compile(r"\bmasktype\b|\breasoning on mask quality\b")
# The prompt's definitions. A reply that has two of them repeats the prompt; one alone may be its answer.
DEFINITIONS = (
    re.compile(r"perfect:\s*the mask perfectly matches[^.]*\.(?:\s*iou\s*=\s*1(?:\.0)?,?\s*action:\s*accept\.?)?"),
    re.compile(
        r"cutout\s*/\s*dilate\s*/\s*erode:\s*the mask covers[^.]*\."
        r"(?:\s*iou in band,?\s*action:\s*(?:minor|major) revision\.?){0,2}"
    ),
    re.compile(
        r"merge:\s*the mask includes the correct object[^.]*\."
        r"(?:\s*[-\u2022]?\s*(?:small|medium|large) merge:\s*iou in band,?\s*action:\s*(?:\w+ revision|reject)\.?){0,3}"
    ),
    re.compile(r"full_neg:\s*the mask does not include[^.]*\.(?:\s*iou\s*=\s*0(?:\.0)?\.?,?\s*action:\s*reject\.?)?"),
)


def clean(reply: str) -> str:
    """Lower case, without markup, escapes, thinking text and a repeated prompt; ranges of numbers are " band "."""
    text = FINAL_CHANNEL.split(html.unescape(reply))[-1]
    text = INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).replace("\u2019", "'").lower()
    text = STYLE_TAG.sub(" ", SPECIAL_TOKEN.sub(" ", LATEX.sub(r"\1", text)))
    text = text.replace("cannot", "can not").replace("can't", "can not").replace("n't", " not")
    text = MARKUP.sub("", LITERAL_BREAK.sub("\n", text))
    text = _without_thoughts(UNDERSCORES.sub(r"\1", text))
    return _without_echo(without_ranges(MENTION.sub("audit", re.sub(r"[ \t\u00a0]+", " ", text))))


def _without_thoughts(text: str) -> str:
    """Only what follows the thinking; thoughts that were cut off leave nothing, unless they hold a whole audit."""
    text = END_OF_THOUGHT.split(CLOSED_THOUGHT.sub(" ", text))[-1]
    opened = OPEN_THOUGHT.search(text)
    if not opened:
        return text
    blocks = [found[0] for found in BLOCK.finditer(text, opened.end())]
    return text[: opened.start()] + " ".join(blocks)


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
