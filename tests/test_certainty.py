"""How sure an auditor is, read from the probabilities of the tokens that it wrote."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from utils.audit import Audit, render_audit
from utils.certainty.belief import IOU_RANGES, Scaling, belief_of
from utils.certainty.calibration import calibration_error, fit_scaling, reliability
from utils.certainty.risk import accept_threshold, risk_coverage, share_of_errors
from utils.certainty.shares import FORMS, AnswerForms, Shares

WORDS: dict[str, int] = {}  # the tokenizer of these tests: a token for each word, tag, digit and mark


def encode(text: str) -> list[int]:
    pieces = re.findall(r"</?\w+>|\d|[.,]|[\w-]+", text)
    return [WORDS.setdefault(piece, len(WORDS)) for piece in pieces]


def decode(ids: list[int]) -> str:
    words = list(WORDS)
    return " ".join(words[token] for token in ids)


@pytest.fixture(scope="module")
def forms() -> AnswerForms:
    return AnswerForms(encode, decode)


def written(forms: AnswerForms, audit: Audit, changes: dict[int, dict[str, float]] | None = None):
    """An answer's tokens, each with probability 1 but where `changes` say otherwise: place -> word -> probability."""
    ids = encode(render_audit(audit, "red cross", "blue arrow"))
    chances = np.zeros((len(ids), len(forms.watched)))
    for place, token in enumerate(ids):
        if token in forms.column:
            chances[place, forms.column[token]] = 1.0
        for word, chance in (changes or {}).get(place, {}).items():
            chances[place, forms.column[WORDS[word]]] = chance
    return ids, chances


@pytest.mark.parametrize("number", range(len(FORMS)))
def test_a_sure_answer_is_one_form(forms, number):
    mask_type, action = FORMS[number]
    shares = forms.read(*written(forms, Audit(mask_type, 0.8641, action)))
    assert shares.forms == pytest.approx(np.eye(len(FORMS))[number])
    assert shares.written == "08641"
    belief = belief_of(shares)
    assert belief.types[mask_type] == pytest.approx(1.0) and belief.actions[action] == pytest.approx(1.0)
    assert belief.iou == pytest.approx(0.8645) and belief.interval == pytest.approx((0.864, 0.865))
    assert belief.entropy == pytest.approx(0.0, abs=1e-9)


def test_a_doubt_at_the_first_word_is_shared_among_the_forms_that_begin_alike(forms):
    changes = {4: {"correctly": 0.5, "represents": 0.2, "delineates": 0.24, "achieves": 0.0, "is": 0.01}}
    shares = forms.read(*written(forms, Audit("erode", 0.87, "minor revision"), changes))
    found = dict(zip(FORMS, shares.forms, strict=True))
    assert found[("full_neg", "reject")] == pytest.approx(0.2)
    assert found[("cutout", "major revision")] == pytest.approx(0.08)  # one of three that begin with "delineates"
    assert found[("erode", "minor revision")] == pytest.approx(0.5)
    belief = belief_of(shares)
    assert belief.types["erode"] == pytest.approx(0.74) and belief.no_type == pytest.approx(0.05)
    assert belief.actions["reject"] == pytest.approx(0.21)
    others = 0.2 * 0.0005 + 0.24 * 0.775 + 0.01 * 0.375  # full_neg, three major revisions, a merge that is rejected
    assert belief.iou == pytest.approx((0.5 * 0.8705 + others) / 0.95, abs=1e-3)


def test_two_doubts_one_after_the_other_multiply(forms):
    ids = encode("<audit> The given mask correctly delineates the red cross")
    but = len(ids) + 1  # the word after "but"
    changes = {4: {"correctly": 0.5, "achieves": 0.5}, but: {"suffers": 0.6, "contains": 0.4}}
    shares = forms.read(*written(forms, Audit("cutout", 0.87, "minor revision"), changes))
    found = dict(zip(FORMS, shares.forms, strict=True))
    assert found[("merge", "minor revision")] == pytest.approx(0.5 * 0.4)
    assert found[("cutout", "minor revision")] == pytest.approx(0.5 * 0.6)


def test_tags_that_contradict_the_sentence_count(forms):
    audit = Audit("perfect", 1.0, "accept")
    text = render_audit(audit, "red cross")
    place = len(encode(text[: text.index("<mask_type>")] + "<mask_type>"))
    belief = belief_of(forms.read(*written(forms, audit, {place: {"perfect": 0.7, "merge": 0.3}})))
    assert belief.types["perfect"] == pytest.approx(0.7) and belief.types["merge"] == pytest.approx(0.3)


def test_digits_that_were_not_written_widen_the_iou(forms):
    audit = Audit("merge", 0.35, "reject")
    text = render_audit(audit, "red cross", "blue arrow")
    tenth = len(encode(text[: text.index("<iou>")] + "<iou> 0."))
    shares = forms.read(*written(forms, audit, {tenth: {"3": 0.5, "6": 0.5}}))
    belief = belief_of(shares)
    assert belief.iou == pytest.approx(0.5 * 0.3505 + 0.5 * 0.65, abs=1e-3)
    assert belief.interval[0] == pytest.approx(0.35, abs=0.01) and belief.interval[1] > 0.68
    assert belief.probability_below(0.5) == pytest.approx(0.5)


def test_an_answer_in_other_words_counts_by_its_tags(forms):
    ids = encode("<audit> The object is a piano <iou> 0.2500 </iou> <mask_type> merge </mask_type>")
    chances = np.zeros((len(ids), len(forms.watched)))
    for place, token in enumerate(ids):
        if token in forms.column:
            chances[place, forms.column[token]] = 1.0
    chances[2, forms.column[WORDS["given"]]] = 0.11
    shares = forms.read(ids, chances)
    assert shares.form is None and sum(shares.forms) == pytest.approx(0.11)
    belief = belief_of(shares)
    assert belief.types["merge"] == pytest.approx(0.89 + 0.03) and belief.no_action == pytest.approx(0.89)
    assert belief.iou == pytest.approx(
        0.89 * 0.2505 + 0.11 * np.mean([np.mean(span) for span in IOU_RANGES.values()]), abs=2e-3
    )


def test_shares_are_read_back_and_checked(forms):
    shares = forms.read(*written(forms, Audit("merge", 0.35, "reject")))
    assert Shares.from_record(json.loads(json.dumps(shares.as_record()))) == shares
    for change in ({"forms": [1.0]}, {"form": 11}, {"types": None}, {"written": "12a"}, {"digits": [[2.0] * 10]}):
        with pytest.raises(ValueError, match="expected the probabilities"):
            Shares.from_record(shares.as_record() | change)


def test_an_answer_without_tags_says_nothing(forms):
    ids = encode("I do not know this mask")
    belief = belief_of(forms.read(ids, np.zeros((len(ids), len(forms.watched)))))
    assert belief.iou is None and belief.as_record()["interval"] is None


def make_shares(sure: float, number: int) -> Shares:
    rest = (1 - sure) / (len(FORMS) - 1)
    spread = [sure if n == number else rest for n in range(len(FORMS))]
    eye = np.eye(10)
    digits = [eye[0].tolist(), eye[8].tolist(), eye[6].tolist(), eye[4].tolist(), eye[1].tolist()]
    return Shares(spread, number, np.eye(6)[0].tolist(), np.eye(4)[0].tolist(), digits, "08641")


def test_an_auditor_that_is_too_sure_is_cooled_down():
    rng = np.random.default_rng(0)
    said = rng.integers(len(FORMS), size=400)
    true = np.where(rng.random(400) < 0.7, said, rng.integers(len(FORMS), size=400))
    shares = [make_shares(0.99, number) for number in said]
    scaling = fit_scaling(shares, [FORMS[number] for number in true], [0.864] * 400)
    assert scaling.forms > 1.5
    sure = np.array([belief_of(one, scaling).certainty for one in shares])
    before = calibration_error(reliability(np.full(400, 0.99), said == true))
    assert abs(np.median(sure) - (said == true).mean()) < 0.2 and before > 0.2
    assert belief_of(shares[0], Scaling()).certainty > belief_of(shares[0], scaling).certainty


def test_few_audits_are_refused():
    with pytest.raises(ValueError, match="at least 50 audits"):
        fit_scaling([make_shares(0.9, 0)], [FORMS[0]], [1.0])


def test_calibration_error_by_hand():
    rows = reliability(np.array([0.95, 0.95, 0.55, 0.55]), np.array([True, True, True, False]))
    assert [row["count"] for row in rows] == [2, 2]
    assert calibration_error(rows) == pytest.approx(0.5 * 0.05 + 0.5 * 0.05)


def test_the_threshold_keeps_its_promise_on_new_videos():
    """Averaged over many draws of calibration videos, the share of accepted and wrong masks is within the risk."""
    rng = np.random.default_rng(0)
    risks = []
    for _ in range(200):
        videos = np.repeat(np.arange(80), 6)
        truth = np.clip(rng.normal(np.repeat(rng.normal(0.7, 0.15, 80), 6), 0.1), 0, 1)
        expected = np.clip(truth + rng.normal(0, 0.15, len(truth)), 0, 1)
        known = videos < 40
        found = accept_threshold(expected[known], truth[known] < 0.7, videos[known], 0.1)
        assert found.measured <= 0.1 and found.videos == 40
        accepted = expected[~known] >= found.iou
        risks.append((accepted & (truth[~known] < 0.7)).mean())
    assert np.mean(risks) <= 0.1


def test_no_threshold_keeps_a_promise_that_is_too_great():
    assert accept_threshold([0.9, 0.8], [True, True], ["a", "b"], 0.2).iou == float("inf")
    with pytest.raises(ValueError, match="between 0 and 1"):
        accept_threshold([0.9], [True], ["a"], 1.5)


def test_looking_at_the_least_certain_first():
    looked, left, area = risk_coverage([0.9, 0.1, 0.8], [1.0, 0.0, 0.5])
    assert left == pytest.approx([0.5, 1 / 6, 0.0, 0.0]) and looked[1] == pytest.approx(1 / 3)
    assert area < risk_coverage([0.1, 0.9, 0.2], [1.0, 0.0, 0.5])[2]
    assert share_of_errors([5, 4, 3, 2, 1], [True, False, True, False, False]) == 0.5
    assert share_of_errors([1, 2], [False, False]) is None
