"""Names of objects in a frame other than the target: the published question and its answers (paper Sec. 3.2, G.1)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

import numpy as np

from models.segmenting.qwen import QwenVL
from utils.tokens import reserved_tokens

MAX_NAMES = 5
NAME_KEYS = ("name", "object", "label")
# Section G.1, word for word. What it prints in bold stands between asterisks, as in Markdown. Its italics, curly
# quotation marks and the long dash in "2-3" are typesetting; here they are plain characters.
QUESTION = """You are an advanced general visual analysis system capable of precise object detection and reasoning.

User Query Target: "{target_object}"

Task: Analyze the image and detect distinct objects, strictly **EXCLUDING** the target object mentioned above. \
Return a JSON list sorted by the specific logic below.

Object Granularity (Whole Entities):
- **Strictly Whole Objects:** Identify complete entities (e.g., "person", "cat") rather than parts (e.g., do NOT \
output "hand", "wheel").
- **Interactive Context:** If a person or animal is interacting with the target, identify the **subject** (e.g., \
"musician"), not the body part.

Quantity Constraint (Strict):
- **Range:** Output between **2 to 5** objects total.
- **Adaptability:** If the scene is simple, list 2-3 items. If complex, list up to 5.

Sorting Logic (Strict Priority Order):
1. **Potential Sound Sources:** Humans, animals, vehicles, electronics, or instruments.
2. **Interaction & Contextual Relevance:** Objects physically/functionally related to the "{target_object}" (e.g., \
leashes, roads).
3. **Visual Salience:** Other visually prominent objects.

Differentiation Requirements:
Use descriptors (color, location) to distinguish similar objects (e.g., "white van in distance").

Output Format:
Return **ONLY** a raw JSON list of strings. Do not use Markdown formatting."""


@dataclass(frozen=True)
class NamerReply:
    """The model's answer and the names in it. If `text` could not be read, `parsed` is False and `names` empty."""

    names: list[str]
    text: str
    parsed: bool


class Namer:
    """Asks a Qwen2.5-VL model for up to five objects that are not the target."""

    def __init__(self, qwen: QwenVL):
        self.qwen = qwen

    def __call__(self, image: np.ndarray, target_object: str) -> NamerReply:
        """RGB uint8 (H, W, 3) and the target's name -> names in the order of the paper's sorting logic."""
        text = self.qwen(image, QUESTION.format(target_object=target_object))
        names = parse_names(text, target_object)
        return NamerReply(names or [], text, names is not None)


def parse_names(text: str, target_object: str) -> list[str] | None:
    """The names in a reply: its first JSON list of names, also in a code block or between other words.

    Returns None when there is no such list, or when it is incomplete. An item is a text, or an object with the key
    name, object or label. Left out are empty names, names with a reserved token, the target, and repeated names; letter
    case, punctuation and a leading article make no difference. At most five names are kept.
    """
    found = _first_list_of_names(text)
    if found is None:
        return None
    distinct: dict[str, str] = {}
    for name in found:
        distinct.setdefault(_plain(name), name)
    unwanted = ("", _plain(target_object))
    return [n for key, n in distinct.items() if key not in unwanted and not reserved_tokens(n)][:MAX_NAMES]


def _first_list_of_names(text: str) -> list[str] | None:
    end = 0
    while (start := text.find("[", end)) >= 0:
        try:
            items, end = json.JSONDecoder().raw_decode(text, start)
        except (ValueError, RecursionError):
            end, inner = text.find("]", start) + 1, text.find("[", start + 1)
            if not end or 0 <= inner < end:  # the list is cut off, or it is broken and holds another list
                return None
            continue
        names = [_name_of(item) for item in items]
        if None not in names:
            return names
    return None


def _name_of(item: object) -> str | None:
    if isinstance(item, dict):
        item = next((item[key] for key in NAME_KEYS if key in item), None)
    return " ".join(item.split()) if isinstance(item, str) else None


def _plain(name: str) -> str:
    """ "The hair-dryer" -> "hair dryer"."""
    words = re.sub(r"[\W_]+", " ", name.casefold()).strip()
    return re.sub(r"^(a|an|the) (?=.)", "", words)
