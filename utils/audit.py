"""The Audit of a mask (type, IoU, action), written as an answer's text and parsed from it.

Tags, actions and the paper's answer wording live only here, mask types in `mask_types`; prompts, files and scores are
left to others.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache, lru_cache

from utils.mask_types import named_mask_type

ACTIONS = ("accept", "major revision", "minor revision", "reject")


@dataclass(frozen=True, slots=True)
class Audit:
    """One judgement of one mask; a field is None when the text did not give it. `iou` lies in [0, 1]."""

    mask_type: str | None
    iou: float | None
    action: str | None


@dataclass(frozen=True, slots=True)
class NamedObjects:
    """What an answer calls the object that is meant, and the wrong object of a merge or full_neg mask."""

    target: str | None = None
    negative: str | None = None


# Paper, Section G.3: the answer's words, by mask type and recommended action.
_FINDINGS = {
    ("perfect", "accept"): (
        "The given mask achieves high fidelity and near-perfect delineation of the {target}. The segmentation boundary"
        " is highly accurate and requires no further modification."
    ),
    ("full_neg", "reject"): (
        "The given mask represents a zero overlap error, having erroneously segmented a completely different object,"
        " the {negative}, instead of the {target}."
    ),
    ("cutout", "minor revision"): (
        "The given mask correctly delineates the {target} but suffers from a false negative error with minor internal"
        " defects, resulting in partial loss of foreground connectivity."
    ),
    ("cutout", "major revision"): (
        "The given mask delineates the {target} but suffers from severe internal false negative errors, resulting in a"
        " significant loss of foreground pixels and a low coverage area."
    ),
    ("dilate", "minor revision"): (
        "The given mask correctly delineates the {target} but suffers from a false positive error due to slight"
        " boundary expansion, incorrectly including minor background pixels."
    ),
    ("dilate", "major revision"): (
        "The given mask delineates the {target} but suffers from severe boundary expansion, resulting in a substantial"
        " false positive error by covering a large area of the background."
    ),
    ("erode", "minor revision"): (
        "The given mask correctly delineates the {target} but suffers from a false negative error due to slight"
        " boundary shrinkage, causing minor loss of edge detail."
    ),
    ("erode", "major revision"): (
        "The given mask delineates the {target} but suffers from severe boundary shrinkage, leading to a significant"
        " false negative error and a highly inaccurate final shape."
    ),
    ("merge", "minor revision"): (
        "The given mask correctly delineates the {target} but contains partial errors by including a portion of the"
        " {negative}."
    ),
    ("merge", "major revision"): (
        "The given mask correctly captures the {target} but also erroneously merges a significant portion of the"
        " {negative}."
    ),
    ("merge", "reject"): (
        "The given mask is highly erroneous, segmenting the {target} but merging an excessively large, non-target"
        " {negative}, resulting in a quite low IoU."
    ),
}
# "the recommend action" is the paper's own wording: the model is trained on it, so it stays.
_VERDICT = (
    " The IoU with GT is <iou> {iou:.4f} </iou>, its mask type belongs to <mask_type> {mask_type} </mask_type>,"
    " and the recommend action is <action> {action} </action>"
)


def render_audit(audit: Audit, target_object: str, negative_object: str | None = None) -> str:
    """The paper's answer text (Section G.3), e.g. `<audit> The given mask ... </action> </audit>`.

    `negative_object` names the wrong object of a merge or full_neg mask.
    Raises ValueError for a type/action pair without a template (null has none), a missing negative object,
    or an IoU that is not in [0, 1].
    """
    pair = (audit.mask_type, audit.action)
    if pair not in _FINDINGS:
        known = ", ".join(f"{mask_type}/{action}" for mask_type, action in _FINDINGS)
        raise ValueError(f"no answer template for {audit.mask_type!r} with {audit.action!r}; expected one of {known}")
    if audit.iou is None or not 0.0 <= audit.iou <= 1.0:
        raise ValueError(f"answer text of a {audit.mask_type} mask needs an IoU in [0, 1], got {audit.iou!r}")
    finding = _FINDINGS[pair]
    if "{negative}" in finding and not negative_object:
        raise ValueError(f"answer text of a {audit.mask_type} mask needs the negative object, got {negative_object!r}")
    said = finding.format(target=target_object, negative=negative_object)
    verdict = _VERDICT.format(iou=audit.iou, mask_type=audit.mask_type, action=audit.action.title())
    return f"<audit> {said}{verdict} </audit>"


def all_wordings(target_object: str, negative_object: str) -> list[str]:
    """One answer for each pair of type and action, with these object names and an IoU of 0.5."""
    return [
        render_audit(Audit(mask_type, 0.5, action), target_object, negative_object) for mask_type, action in _FINDINGS
    ]


def with_tenths(answer: str) -> list[str]:
    """An answer up to its IoU, with each of 0.0, 0.1, ... 1.0 in that IoU's place; nothing if it has none."""
    head, tag, _ = answer.partition("<iou>")
    return [f"{head}{tag} {tenths / 10:.1f}" for tenths in range(11)] if tag else []


def answer_forms() -> dict[tuple[str, str], list[str]]:
    """(mask type, action) -> the fixed words of its answer, from the start to the IoU; object names stand between them.

    E.g. ["<audit> The given mask correctly delineates the", " but suffers ... connectivity. The IoU with GT is <iou>"].
    """
    head = _VERDICT.partition("<iou>")[0] + "<iou>"
    return {
        pair: [part.rstrip() for part in re.split(r"\{target\}|\{negative\}", f"<audit> {finding}{head}")]
        for pair, finding in _FINDINGS.items()
    }


def parse_objects(text: str | None) -> NamedObjects:
    """The objects that an answer names, whichever template it has; None for each that it does not name.

    The other way round of `render_audit`. An answer that is not worded as in the paper names none.
    """
    for pair in _FINDINGS:
        if found := _finding_pattern(pair).search(text or ""):
            return NamedObjects(**{name: " ".join(said.split()) for name, said in found.groupdict().items()})
    return NamedObjects()


def parse_negative_object(text: str | None, mask_type: str, action: str) -> str | None:
    """The wrong object that an answer of this type and action names; None if it names none or is worded otherwise."""
    pair = (mask_type, action)
    found = _finding_pattern(pair).search(text or "") if pair in _FINDINGS else None
    return found and found.groupdict().get("negative")


@cache
def _finding_pattern(pair: tuple[str, str]) -> re.Pattern:
    """A template up to the IoU. A name may hold anything, a full stop too: the template's end is what follows it."""
    words = re.escape(_FINDINGS[pair]).replace(r"\{target\}", "(?P<target>.+?)")
    words = words.replace(r"\{negative\}", "(?P<negative>.+?)").replace(r"\ ", r"\s+")
    return re.compile(rf"{words}(?=\s*(?:The\s+IoU\s+with|</audit>|\Z))", re.DOTALL)


def parse_audit(text: str | None) -> Audit:
    """The Audit in generated text; a field that is absent or unreadable is None. Any tag order, any letter case.

    The first <action> and the first <mask_type> count. IoU: numbers that are not finite are skipped. The first finite
    one counts if it is in [0, 1]; otherwise the last of those after it that is. Labels are normalised, not checked.
    """
    if found := _PLAIN_ANSWER.fullmatch(text or ""):
        iou, mask_type, action = found.groups()
        return Audit(normalize_mask_type(mask_type), _pick_iou([iou]), normalize_action(action))
    return Audit(
        mask_type=normalize_mask_type(_first_tag(text, "mask_type")),
        iou=_pick_iou(_all_tags(text, "iou")),
        action=normalize_action(_first_tag(text, "action")),
    )


@lru_cache(1024)
def normalize_action(text: str | None) -> str | None:
    """A spelling -> the action it contains, e.g. "Accept." -> "accept"; anything else stripped and lower-cased.

    Containment is the published rule, with its side effects: "unacceptable" is an "accept".
    """
    if text is None:
        return None
    text = text.strip().lower()
    rules = (("accept", "accept"), ("major", "major revision"), ("minor", "minor revision"), ("reject", "reject"))
    return next((action for part, action in rules if part in text), text)


@lru_cache(1024)
def normalize_mask_type(text: str | None) -> str | None:
    """A spelling in generated text -> the mask type it contains; anything else stripped and lower-cased.

    The scorer's rule, with its side effects: "imperfect" is "perfect", and "cutoff" stays a word that is no class.
    """
    if text is None:
        return None
    text = text.strip().lower()
    if "perfect" in text:
        return "perfect"
    if "cutoff" in text:
        return "cutoff"
    return named_mask_type(text) or text


@lru_cache(1024)
def canonical_mask_type(text: str | None) -> str | None:
    """A spelling in annotation files or on the command line -> mask type; anything else stripped and lower-cased.

    The loader's rule. It differs from the scorer's in "gt" (perfect here) and "cutoff" (cutout here).
    """
    if text is None:
        return None
    text = text.strip().lower()
    if text in ("gt", "gt_mask", "perfect"):
        return "perfect"
    return named_mask_type(text) or text


_TAGS = {tag: re.compile(rf"<{tag}>(.*?)</{tag}>", re.IGNORECASE | re.DOTALL) for tag in ("iou", "mask_type", "action")}


# Most answers: each of the three tags once, in the paper's order. Read at one go, they take half the time.
_NO_TAG = r"[^<]*(?:</?(?:s|audit)>[^<]*)*"
_PLAIN_ANSWER = re.compile(
    _NO_TAG + "".join(rf"<{tag}>([^<]*)</{tag}>{_NO_TAG}" for tag in ("iou", "mask_type", "action"))
)


def _all_tags(text: str | None, tag: str) -> list[str]:
    return _TAGS[tag].findall(text or "")


def _first_tag(text: str | None, tag: str) -> str | None:
    found = _TAGS[tag].search(text or "")
    return found and found[1]


def _pick_iou(blocks: list[str]) -> float | None:
    if len(blocks) == 1:
        value = _to_float(blocks[0])
        return value if value is not None and 0.0 <= value <= 1.0 else None
    values = [value for value in map(_to_float, blocks) if value is not None and math.isfinite(value)]
    legal = [value for value in values if 0.0 <= value <= 1.0]
    if not legal:
        return None
    return legal[0] if legal[0] == values[0] else legal[-1]


def _to_float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
