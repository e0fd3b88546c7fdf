"""Replies that refuse to audit in plain words: "I'm sorry, but I can't help with that"."""

from __future__ import annotations

import re

from utils.reading.reply import read_reply

MOST_CHARACTERS = 2000  # a longer text is no plain refusal
UNABLE = (
    r"(?:can\s?not|can[\u2019']t|could\s?n[o\u2019']t|(?:am|['\u2019]m)\s(?:not\sable|unable)\sto|won[\u2019']t|will\snot"
    r"|do\snot|don[\u2019']t)"
)
DOING = (
    r"(?:help|assist|comply|provide|view|see|watch|hear|listen|access|process|analy[sz]e|evaluate|assess|audit|judge"
    r"|determine|perform|fulfil|fulfill|complete|do|answer|have|identify|engage|continue|support|interpret|examine)"
)
REFUSAL = re.compile(
    rf"\b(?:i|we)(?:\s|(?='))?{UNABLE}\s(?:\w+\s){{0,3}}?{DOING}\b"
    r"|\bas an? (?:ai|artificial intelligence|language model|text-based)\b"
    r"|\bi(?:'|\u2019| a)m (?:sorry|afraid)\b|^\W*(?:sorry|i apologi[sz]e|unfortunately)\b"
    rf"|\bunable\sto\s(?:\w+\s){{0,2}}?{DOING}\b"
    r"|\b(?:no|without (?:an?|the|any)) (?:mask|image|picture|video|audio|frame)s? (?:was|were|is|are|ha(?:s|ve) been)"
    r" (?:provided|attached|uploaded|included|given|visible)\b"
    r"|\bplease (?:provide|upload|attach|share)\b",
    re.IGNORECASE,
)


def is_refusal(text: str) -> bool:
    """Whether a reply refuses, and says no IoU, type or action at all."""
    if len(text) > MOST_CHARACTERS or not REFUSAL.search(text):
        return False
    audit = read_reply(text).audit
    return audit.iou is None and audit.mask_type is None and audit.action is None
