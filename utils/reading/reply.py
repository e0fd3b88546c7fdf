"""A whole reply -> the audit in it, and at which level each field was read."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from operator import eq

from utils.audit import Audit, parse_audit
from utils.reading.cleaning import audit_blocks, begun_block, clean, is_template, without_blocks
from utils.reading.corrections import parts, without_replaced
from utils.reading.ious import VALUE, iou_in_phrase, iou_in_prose, iou_in_tag, to_iou
from utils.reading.labels import (
    action_in_clause,
    action_in_phrase,
    action_in_prose,
    is_record,
    type_in_clause,
    type_in_phrase,
    type_in_prose,
)
from utils.reading.tags import is_alias, tag_value, without_tags

STRICT, LENIENT = "strict", "lenient"
READERS = (STRICT, LENIENT)
LEVELS = ("tag", "alias", "phrase", "prose")
FIELDS = ("iou", "mask_type", "action")
IN_TAG: dict[str, Callable] = {"iou": iou_in_tag, "mask_type": type_in_clause, "action": action_in_clause}
IN_PHRASE: dict[str, Callable] = {"iou": iou_in_phrase, "mask_type": type_in_phrase, "action": action_in_phrase}
IN_PROSE: dict[str, Callable] = {"iou": iou_in_prose, "mask_type": type_in_prose, "action": action_in_prose}
CUT_WORD = re.compile(r"[\w.,]+$")


@dataclass(frozen=True)
class Reading:
    """The audit of a reply, and the level of LEVELS at which each field was read; None for a field that is not said."""

    audit: Audit
    levels: dict[str, str | None]

    def up_to(self, level: str) -> Audit:
        """The audit without the fields that were read at a later level than this one."""
        known = LEVELS[: LEVELS.index(level) + 1]
        return Audit(**{name: getattr(self.audit, name) if self.levels[name] in known else None for name in FIELDS})


def read_reply(text: str | None, reader: str = LENIENT) -> Reading:
    """`strict`: the released parser, which knows tags only. `lenient`: all four levels.

    The last whole <audit> that says anything counts. Text before it is thinking; behind it, only tags are read. Without
    one, an <audit> that was cut off is read, or else the whole reply. Raises ValueError for another reader.
    """
    if reader == STRICT:
        audit = parse_audit(text)
        return Reading(audit, {name: None if getattr(audit, name) is None else "tag" for name in FIELDS})
    if reader != LENIENT:
        raise ValueError(f"reader: expected {' or '.join(READERS)}, got {reader!r}")
    return _reading(_lenient_fields(clean(text or "")))


def read_audit(text: str | None, reader: str) -> Audit:
    """The audit of `read_reply`; fast for the strict reader."""
    return parse_audit(text) if reader == STRICT else read_reply(text, reader).audit


Said = dict[str, tuple[str, object]]  # field -> (level, value), for the fields that are said


def _lenient_fields(text: str) -> Said:
    blocks = audit_blocks(text)
    for inside, after in blocks:
        said = _fields(inside)
        if said:
            return _tagged(after) | said
    answers = [after for inside, after in blocks if not is_template(inside)]
    if answers:
        return _fields(answers[0])
    text = without_blocks(text)
    begun = begun_block(text)
    return _fields(text) if begun is None else _fields(begun, cut_off=True)


def _fields(text: str, cut_off: bool = False) -> Said:
    """What is said last counts, where the reply corrects itself."""
    said: Said = {}
    *earlier, last = parts(without_replaced(text))
    for part in earlier:
        said |= _fields_of_part(part)
    return said | _fields_of_part(last, cut_off)


def _fields_of_part(text: str, cut_off: bool = False) -> Said:
    said = _tagged(text, cut_off)
    plain = without_tags(CUT_WORD.sub("", text) if cut_off else text).strip()
    for level, readers in (("phrase", IN_PHRASE), ("prose", IN_PROSE)):
        for name in FIELDS:
            value = None if name in said else readers[name](plain)
            if value is not None:
                said[name] = (level, value)
    if "iou" not in said and {"mask_type", "action"} & set(said):
        value = _lone_iou(plain)
        said |= {} if value is None else {"iou": ("prose", value)}
    return said


def _tagged(text: str, cut_off: bool = False) -> Said:
    said: Said = {}
    for name in FIELDS:
        for level, is_name in (("tag", partial(eq, name)), ("alias", partial(is_alias, of=name))):
            value = tag_value(text, is_name, IN_TAG[name], cut_off)
            if value is not None:
                said.setdefault(name, (level, value))
    return said


def _lone_iou(text: str) -> float | None:
    """A number that is all that stands in a line or between two commas, as in "0.45, merge, reject"; or that stands
    with labels alone: "0.45 merge reject".
    """
    cells = [cell.strip(" -()[]{}:") for cell in re.split(r"(?<!e\.g)(?<!i\.e)[,.]\s|\s/\s|[;|\n→]", text)]
    numbers = [cell.rstrip(".") for cell in cells if re.fullmatch(VALUE, cell.rstrip("."))]
    if not numbers:
        numbers = [found[0] for line in text.split("\n") if is_record(line) for found in re.finditer(VALUE, line)]
    return to_iou(numbers[0]) if len(set(numbers)) == 1 else None


def _reading(said: Said) -> Reading:
    values = {name: said[name][1] if name in said else None for name in FIELDS}
    return Reading(Audit(**values), {name: said[name][0] if name in said else None for name in FIELDS})
