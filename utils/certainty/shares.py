"""Probabilities of the tokens of an answer -> how they were shared among the answers that it could have been.

An answer is worded by one of eleven forms (paper, Section G.3), which part at certain words: after "The given mask",
"achieves" leads to perfect and "represents" to full_neg. At each such word, and where the tags of type and action are
filled, the model gives a probability to every way that it could have gone on. A form that was left early is not read
to its end: its probability is divided evenly among all forms that begin like it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from utils.audit import ACTIONS, answer_forms
from utils.mask_types import PAPER_TYPES

FORMS = tuple(answer_forms())  # (mask type, action) of each form
DIGITS = "0123456789"
MOST_DIGITS = 5  # "0.8641": one before the point and four after it
_ANY = "object"  # stands before words that follow an object's name

Step = tuple[int, np.ndarray]  # a token of the answer, and the probabilities of the watched tokens in its place
Parts = list[list[int]]  # token ids of fixed words; free words stand between two parts


@dataclass(frozen=True)
class Shares:
    """What the probabilities of one answer's tokens say. What a list lacks to a sum of 1 fell on no form or label.

    forms: of the forms in FORMS (11). form: the number of the one that was written; None if the answer is worded in
    another way or was cut off early. types, actions: of PAPER_TYPES (6) and ACTIONS (4) where the tags are filled,
    given the sentence before them. digits: for each digit of the IoU, given those before it, of 0 to 9; empty if the
    answer has no IoU in digits, as with Regress ST. written: the digits that were written, e.g. "08641".
    """

    forms: list[float]
    form: int | None
    types: list[float]
    actions: list[float]
    digits: list[list[float]]
    written: str

    def as_record(self) -> dict:
        """For a JSON file, with four digits."""
        return {name: _rounded(value) for name, value in asdict(self).items()}

    @classmethod
    def from_record(cls, record: dict) -> Shares:
        """The reverse of `as_record`. Raises ValueError for a record that has other fields or numbers."""
        lengths = {"forms": len(FORMS), "types": len(PAPER_TYPES), "actions": len(ACTIONS)}
        written, digits = record.get("written"), record.get("digits")
        right = all(_are_chances(record.get(name), length) for name, length in lengths.items())
        right = right and record.get("form") in (None, *range(len(FORMS)))
        right = right and isinstance(written, str) and set(written) <= set(DIGITS) and isinstance(digits, list)
        if not right or len(digits) != len(written) or not all(_are_chances(row, len(DIGITS)) for row in digits):
            raise ValueError(f"shares: expected the probabilities of an answer's tokens, got {str(record)[:80]}")
        return cls(**{name: record[name] for name in (*lengths, "form", "digits", "written")})


class AnswerForms:
    """The forms of answers as token ids of one tokenizer. `encode`: text -> ids; `decode`: ids -> text."""

    def __init__(self, encode: Callable[[str], list[int]], decode: Callable[[list[int]], str]):
        self.encode, self.decode = encode, decode
        self.forms = [self._parts(parts) for parts in answer_forms().values()]
        self.types = [[self._after_tag("mask_type", name)] for name in PAPER_TYPES]
        self.actions = [[self._after_tag("action", name.title())] for name in ACTIONS]
        self.tags = {tag: self._tag(tag) for tag in ("iou", "mask_type", "action")}
        self.digits = {token: digit for digit in DIGITS for token in self._digit_tokens(digit)}
        known = [token for parts in (*self.forms, *self.types, *self.actions) for ids in parts for token in ids]
        self.watched = sorted({*known, *self.digits})
        self.column = {token: i for i, token in enumerate(self.watched)}

    def read(self, ids: Sequence[int], probabilities: np.ndarray) -> Shares:
        """Shares of an answer of n tokens; `probabilities` (n, len(watched)) are those of `watched` in their places."""
        steps = list(zip(ids, probabilities, strict=True))
        forms, form = self._follow(self.forms, steps)
        types, _ = self._follow(self.types, self._behind("mask_type", steps))
        actions, _ = self._follow(self.actions, self._behind("action", steps))
        written, digits = self._read_iou(self._behind("iou", steps))
        return Shares(forms, form, types, actions, digits, written)

    def _parts(self, texts: list[str]) -> Parts:
        first, *others = texts
        skipped = len(self.encode(_ANY))
        return [self.encode(first), *(self.encode(_ANY + text)[skipped:] for text in others)]

    def _tag(self, tag: str) -> int:
        return self.encode(f"<{tag}>")[-1]

    def _after_tag(self, tag: str, text: str) -> list[int]:
        ids = self.encode(f"<{tag}> {text}")
        return ids[ids.index(self._tag(tag)) + 1 :]

    def _digit_tokens(self, digit: str) -> set[int]:
        ids = self._after_tag("iou", f"{digit}.{digit}{digit}")
        return {token for token in ids if self.decode([token]).strip() == digit}

    def _behind(self, tag: str, steps: list[Step]) -> list[Step]:
        """The steps after the first such tag; none if it was not written."""
        places = [i for i, (token, _) in enumerate(steps) if token == self.tags[tag]]
        return steps[places[0] + 1 :] if places else []

    def _follow(self, sequences: list[Parts], steps: list[Step]) -> tuple[list[float], int | None]:
        """The probability of each sequence, as far as the steps show it, and which one was written, if one was."""
        if not steps:
            return [0.0] * len(sequences), None
        shares = np.zeros(len(sequences))
        alive = {number: _Reading(parts) for number, parts in enumerate(sequences)}
        mass = 1.0
        for token, row in steps:
            if len(alive) < 2:
                break  # it is decided
            following = Counter(reading.next_token() for reading in alive.values())
            if token not in following and all(reading.may_wait() for reading in alive.values()):
                continue  # a word of an object's name
            chances = self._chances(row, following, token)
            for number, reading in list(alive.items()):
                expected = reading.next_token()
                if expected == token:
                    reading.advance()
                else:
                    shares[number] += mass * chances[expected] / following[expected]
                    del alive[number]
            mass *= chances.get(token, 0.0)
        for number in alive:
            shares[number] += mass / len(alive)  # the answer ended before it was decided
        return shares.tolist(), next(iter(alive)) if len(alive) == 1 else None

    def _chances(self, row: np.ndarray, following: Collection[int | None], token: int) -> dict[int | None, float]:
        """The probability of each token that may follow; a sequence that ends here (None) gets what is left."""
        if set(following) == {token}:
            return {token: 1.0}  # nothing is decided here
        chances = {token: float(row[self.column[token]]) for token in following if token is not None}
        return chances | ({None: max(0.0, 1.0 - sum(chances.values()))} if None in following else {})

    def _read_iou(self, steps: list[Step]) -> tuple[str, list[list[float]]]:
        written, digits = "", []
        for token, row in steps:
            if token in self.digits and len(written) < MOST_DIGITS:
                written += self.digits[token]
                digits.append(self._digit_chances(row))
            elif self.decode([token]).strip() not in ("", ".") or len(written) == MOST_DIGITS:
                break
        return written, digits

    def _digit_chances(self, row: np.ndarray) -> list[float]:
        chances = np.zeros(len(DIGITS))
        for token, digit in self.digits.items():
            chances[int(digit)] += row[self.column[token]]
        return chances.tolist()


class _Reading:
    """How far a sequence has been read."""

    def __init__(self, parts: Parts):
        self.parts = [part for part in parts if part]
        self.part = self.offset = 0

    def next_token(self) -> int | None:
        """None at the end."""
        return self.parts[self.part][self.offset] if self.part < len(self.parts) else None

    def may_wait(self) -> bool:
        """Whether free words stand here."""
        return self.part > 0 and self.offset == 0

    def advance(self) -> None:
        self.offset += 1
        if self.offset == len(self.parts[self.part]):
            self.part, self.offset = self.part + 1, 0


def _are_chances(values: object, length: int) -> bool:
    return (
        isinstance(values, list)
        and len(values) == length
        and all(isinstance(one, (int, float)) and 0 <= one <= 1.001 for one in values)
    )


def _rounded(value):
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    return round(value, 4) if isinstance(value, float) else value
