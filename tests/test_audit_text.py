"""An Audit's text, both ways: the paper's wording, the golden parse table, and the round trip."""

import json
from pathlib import Path

import pytest

from utils.audit import (
    ACTIONS,
    Audit,
    NamedObjects,
    canonical_mask_type,
    normalize_action,
    normalize_mask_type,
    parse_audit,
    parse_objects,
    render_audit,
)
from utils.mask_types import MASK_TYPES

GOLDEN = Path(__file__).parent / "golden" / "07_metrics"
PARSE_TABLE = json.loads((GOLDEN / "parse_table.json").read_text())
NORMALISE_TABLE = json.loads((GOLDEN / "normalise_table.json").read_text())
WRITABLE = [
    ("perfect", "accept"),
    ("full_neg", "reject"),
    *[(name, f"{grade} revision") for name in ("cutout", "dilate", "erode", "merge") for grade in ("minor", "major")],
    ("merge", "reject"),
]


@pytest.mark.parametrize("entry", PARSE_TABLE, ids=lambda entry: repr(entry["text"]))
def test_parse_matches_the_golden_table(entry):
    assert parse_audit(entry["text"]) == Audit(entry["mask_type"], entry["iou"], entry["action"])


@pytest.mark.parametrize("normalize", [normalize_action, normalize_mask_type])
def test_normalisers_match_the_golden_table(normalize):
    table = NORMALISE_TABLE[normalize.__name__]
    assert len(table) > 5
    assert [normalize(text) for text, _ in table] == [expected for _, expected in table]


@pytest.mark.parametrize("mask_type, action", WRITABLE)
def test_rendered_text_parses_back(mask_type, action):
    text = render_audit(Audit(mask_type, 0.123449, action), "old {guitar}", "red piano")
    assert parse_audit(text) == Audit(mask_type, 0.1234, action)
    assert text.startswith("<audit> The given mask ") and text.endswith(" </action> </audit>")
    assert "old {guitar}" in text
    assert ("red piano" in text) == (mask_type in ("merge", "full_neg"))


@pytest.mark.parametrize("iou", [" 0.5 ", "nan", "1.5", "x", ""])
@pytest.mark.parametrize("label", ["Perfect", " cut off ", ""])
def test_plain_answers_are_read_as_all_others(iou, label):
    text = (
        f"<s><audit> a <iou>{iou}</iou>, <mask_type>{label}</mask_type>\n<action> Major {label} </action></audit></s>"
    )
    assert parse_audit(text) == parse_audit(text + "<b>") == parse_audit(text.replace("iou>", "IoU>"))


def test_wording_is_the_papers():
    assert render_audit(Audit("merge", 0.2911, "reject"), "guitar", "piano") == (
        "<audit> The given mask is highly erroneous, segmenting the guitar but merging an excessively large, "
        "non-target piano, resulting in a quite low IoU. The IoU with GT is <iou> 0.2911 </iou>, its mask type "
        "belongs to <mask_type> merge </mask_type>, and the recommend action is <action> Reject </action> </audit>"
    )
    assert render_audit(Audit("perfect", 1, "accept"), "cello") == (
        "<audit> The given mask achieves high fidelity and near-perfect delineation of the cello. The segmentation "
        "boundary is highly accurate and requires no further modification. The IoU with GT is <iou> 1.0000 </iou>, its "
        "mask type belongs to <mask_type> perfect </mask_type>, and the recommend action is <action> Accept </action> "
        "</audit>"
    )


NAMES = [("guitar", "piano"), ("old {guitar}", "red bus, old"), ("Mr. Fox", "no. 7 drum."), ("the", "but suffers")]


@pytest.mark.parametrize("mask_type, action", WRITABLE)
@pytest.mark.parametrize("target, negative", NAMES)
def test_the_objects_of_every_template_come_back(mask_type, action, target, negative):
    text = render_audit(Audit(mask_type, 0.5, action), target, negative)
    named = NamedObjects(target, negative if mask_type in ("merge", "full_neg") else None)
    assert parse_objects(text) == named
    said = f"<s> <audit> {text.removeprefix('<audit>').replace(' ', '  ')}\n</s>"  # as tokenizers write it
    assert parse_objects(said) == named
    assert parse_objects(text.partition(" The IoU")[0]) == named


@pytest.mark.parametrize("text", [None, "", "no audit", "<audit> The given mask delineates the dog", "the {target}."])
def test_no_objects_in_other_texts(text):
    assert parse_objects(text) == NamedObjects()


def test_impossible_pairs_are_refused():
    impossible = [(name, action) for name in MASK_TYPES for action in ACTIONS if (name, action) not in WRITABLE]
    assert len(WRITABLE) == 11 and len(impossible) == 28 - 11
    for mask_type, action in impossible:
        with pytest.raises(ValueError, match="no answer template"):
            render_audit(Audit(mask_type, 0.5, action), "dog", "cat")


@pytest.mark.parametrize("iou", [None, -0.01, 1.01, float("nan")])
def test_iou_outside_its_range_is_refused(iou):
    with pytest.raises(ValueError, match="IoU in"):
        render_audit(Audit("cutout", iou, "minor revision"), "dog")


@pytest.mark.parametrize("mask_type, action", [("full_neg", "reject"), ("merge", "minor revision")])
def test_negative_object_is_needed(mask_type, action):
    with pytest.raises(ValueError, match="negative object"):
        render_audit(Audit(mask_type, 0.5, action), "dog")


def test_loader_and_scorer_spell_types_differently():
    spellings = ["gt", "gt_mask", "Cutoff", "part_neg_erode", "empty", "full", None]
    loader = ["perfect", "perfect", "cutout", "erode", "null", "full_neg", None]
    assert [canonical_mask_type(spelling) for spelling in spellings] == loader
    assert [normalize_mask_type(spelling) for spelling in spellings] == ["gt", "gt_mask", "cutoff", *loader[3:]]
