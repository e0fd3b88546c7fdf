"""COCO files brought into the layout of Ref-AVSBench."""

import json
import unicodedata

import numpy as np
import pytest

from dataset.construction.source import RefAVSBench
from scripts.benchmark.import_masks import main
from tests.import_material import HEIGHT, WIDTH, mask_file, picture, run_lengths, square
from utils.run_length import encode_rle


@pytest.fixture
def coco(tmp_path) -> dict:
    """Two pictures: a dog with two expressions and two cats; a traffic light drawn as a polygon, and a crowd."""
    picture(tmp_path / "images" / "a.jpg")
    picture(tmp_path / "images" / "sub" / "null_b.png")
    polygon = [[10, 5, 20, 5, 20, 15, 10, 15]]
    crowd = {"size": [HEIGHT, WIDTH], "counts": run_lengths(square(2, 2))}
    annotations = [
        {"image_id": 1, "category_id": 3, "segmentation": encode_rle(square(1, 1)), "expression": "the loud  dog"},
        {"image_id": 1, "category_id": 3, "segmentation": encode_rle(square(1, 1)), "sent": ["the one that barks"]},
        {"image_id": 1, "category_id": 4, "segmentation": encode_rle(square(20, 20))},
        {"image_id": 1, "category_id": 4, "segmentation": encode_rle(square(20, 40)), "caption": "the right cat"},
        {"image_id": 2, "category_id": 10, "segmentation": polygon, "iscrowd": 0},
        {"image_id": 2, "category_id": 3, "segmentation": crowd, "iscrowd": 1},
        {"image_id": 2, "category_id": 3, "segmentation": []},
        {"image_id": 2, "category_id": 3, "segmentation": encode_rle(square(0, 0, side=0))},
    ]
    return {
        "images": [
            {"id": 1, "file_name": "a.jpg", "height": HEIGHT, "width": WIDTH},
            {"id": 2, "file_name": "sub/null_b.png"},
            {"id": 3, "file_name": "never-annotated.jpg"},
        ],
        "annotations": [annotation | {"id": i} for i, annotation in enumerate(annotations)],
        "categories": [{"id": 3, "name": "dog"}, {"id": 4, "name": "cat"}, {"id": 10, "name": "traffic light"}],
    }


def import_coco(tmp_path, content, *flags: str) -> int:
    path = tmp_path / "instances.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    target = tmp_path / "out"
    return main(["--coco", str(path), "--images", str(tmp_path / "images"), "--output", str(target), *flags])


def test_coco(tmp_path, coco):
    assert import_coco(tmp_path, coco, "--split", "test_u") == 0
    source = RefAVSBench(tmp_path / "out")
    assert source.problems(source.referrals) == []
    assert source.left_out == {"split 'name_only', expected one of train, test_s, test_u": ["a_cat_1"]}
    assert source.object_names("a") == {0: "dog", 1: "cat", 2: "cat"}
    assert {r.uid: (r.split, r.fid, r.expression) for r in source.referrals} == {
        "a_dog_1": ("test_u", 0, "the loud dog"),
        "a_dog_2": ("test_u", 0, "the one that barks"),
        "a_cat_2": ("test_u", 2, "the right cat"),
        "sub-null_b_traffic-light_1": ("test_u", 0, "the traffic light"),
    }
    masks = source.read_masks("a", 9)
    assert all(np.array_equal(masks[fid], square(*at)) for fid, at in enumerate([(1, 1), (20, 20), (20, 40)]))
    assert np.count_nonzero(source.read_masks("sub-null_b", 0)[0] ^ square(5, 10)) <= 20
    assert source.frame_path("a", 4).read_bytes() == (tmp_path / "images" / "a.jpg").read_bytes()
    report = json.loads((tmp_path / "out" / "import_report.json").read_text())
    assert (report["num_videos"], report["num_objects"], report["num_referrals"]) == (2, 4, 4)
    name = f"{tmp_path / 'instances.json'}: "
    assert report["left_out"] == {
        "crowd annotation: several objects in one mask": [f"{name}annotation 5"],
        "annotation without a segmentation": [f"{name}annotation 6"],
        "empty mask": [f"{name}annotation 7"],
        "picture without annotations to use": [f"{name}never-annotated.jpg"],
        "no expression, and its picture has several objects of this name": [f"{name}annotation 2"],
    }


def test_several_splits_with_pictures_of_the_same_name(tmp_path):
    for part in ("one", "two"):
        picture(tmp_path / part / "images" / "0.png")
        mask_file(tmp_path / part / "masks" / "0.png", square(3, 3))
    flags = ["--pairs", str(tmp_path / "one"), str(tmp_path / "two"), "--split", "train", "test_s"]
    assert main([*flags, "--output", str(tmp_path / "out")]) == 0
    referrals = RefAVSBench(tmp_path / "out").referrals
    assert [(r.split, r.uid) for r in referrals] == [("train", "0_object_1"), ("test_s", "0-2_object_1")]


def edited(coco: dict, key: str, index: int, **change) -> dict:
    coco[key][index] = coco[key][index] | change
    return coco


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (lambda coco: "{", "expected JSON"),
        (lambda coco: "[" * 100_000, "expected JSON"),
        (lambda coco: [], "expected a COCO file with a list of objects called 'images'"),
        (lambda coco: coco | {"annotations": [1]}, "a list of objects called 'annotations'"),
        (lambda coco: edited(coco, "annotations", 0, image_id=[1]), "expected ids that are whole numbers or text"),
        (lambda coco: edited(coco, "annotations", 0, image_id=1.5), "expected ids that are whole numbers or text"),
        (lambda coco: edited(coco, "annotations", 0, image_id=True), "expected ids that are whole numbers or text"),
        (
            lambda coco: edited(coco, "annotations", 0, id=3),
            "annotation 3: expected each annotation to have its own id",
        ),
        (lambda coco: edited(coco, "annotations", 0, iscrowd="no"), "annotation 0: iscrowd: expected 0 or 1, got 'no'"),
        (lambda coco: edited(coco, "categories", 0, id=4), "category 4: expected each id once, got 'dog' and 'cat'"),
        (lambda coco: edited(coco, "images", 2, file_name="a.jpg"), "image 3: expected each file_name once"),
        (lambda coco: edited(coco, "images", 0, width=0), "image 1: expected a whole number of pixels"),
        (lambda coco: edited(coco, "images", 0, height=WIDTH, width=HEIGHT), "(height and width swapped?)"),
        (lambda coco: json.dumps(coco).replace('"id": 3,', '"id": 3, "id": 3,', 1), "the key 'id' is given twice"),
        (lambda coco: edited(coco, "annotations", 0, image_id=77), "annotation 0: expected the id of an image, got"),
        (lambda coco: edited(coco, "annotations", 0, category_id=77), "annotation 0: expected the id of a category"),
        (lambda coco: edited(coco, "annotations", 0, expression=5), "annotation 0: expected an expression in words"),
        (lambda coco: edited(coco, "annotations", 0, expression="<mask>"), "got the reserved <mask>"),
        (lambda coco: edited(coco, "annotations", 0, segmentation=[[1, 2]]), "annotation 0: polygon: expected"),
        (lambda coco: edited(coco, "annotations", 0, segmentation=encode_rle(np.ones((9, 9), bool))), "got [9, 9]"),
        (lambda coco: edited(coco, "images", 0, id=2), "expected each image to have its own id"),
        (lambda coco: edited(coco, "images", 0, file_name="b.jpg"), "b.jpg: no such picture"),
        (lambda coco: edited(coco, "images", 0, file_name="../../secret.jpg"), "got one that leaves it"),
        (lambda coco: edited(coco, "images", 0, file_name=None), "image 1: expected a file_name, got None"),
        (lambda coco: edited(coco, "images", 0, width=61), "expected (height, width) (40, 61)"),
        (lambda coco: edited(coco, "categories", 0, name=""), "category 3: expected a name"),
        (lambda coco: coco | {"annotations": []}, "expected at least one picture with a mask, got none"),
    ],
)
def test_a_broken_coco_file_ends_in_one_sentence_and_writes_nothing(tmp_path, coco, content, complaint, capsys):
    assert import_coco(tmp_path, content(coco)) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("import_masks: ") and complaint in error
    assert {path.name for path in tmp_path.iterdir()} == {"images", "instances.json"}


SHAPE = [[10, 5, 30, 5, 30, 25, 10, 25]]  # 400 pixels
RING = [*SHAPE, [14, 9, 26, 9, 26, 21, 14, 21]]
ALONG_ROWS = {"size": [HEIGHT, WIDTH], "counts": run_lengths(np.ascontiguousarray(square(5, 10, 20)).T)}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            {"bbox": [0.2, 0.1, 0.3, 0.5]},
            "bbox: expected x,y,width,height near the mask's 10,5,20,20, got 0.2,0.1,0.3,0.5 (c",
        ),
        ({"bbox": [10, 5, 30, 25]}, "got 10,5,30,25 (x1,y1,x2,y2?)"),
        ({"bbox": [40, 5, 20, 20]}, "got 40,5,20,20"),
        ({"bbox": [5, 10, 20, 20]}, "got 5,10,20,20 (y,x,height,width?)"),
        ({"bbox": [10, 5, 20]}, "bbox: expected x,y,width,height, got [10, 5, 20]"),
        ({"bbox": [10, 5, -20, 20]}, "bbox: expected x,y,width,height, got"),
        ({"bbox": [10, 5, float("nan"), 20]}, "bbox: expected x,y,width,height, got"),
        ({"area": 1600}, "area: expected about the mask's 400 pixels, got 1600"),
        ({"area": "400"}, "area: expected a number of pixels, got 400"),
        (
            {"segmentation": [[value / 60 for value in SHAPE[0]]]},
            "coordinates in pixels of 60x40, got ones from 0 to 1",
        ),
        (
            {"segmentation": [[value * 2 for value in SHAPE[0]]]},
            "points near the picture of 60x40, got y from 10 to 50",
        ),
        ({"segmentation": [[10, 5, 30, 5, 59, 39, 10, 25]], "bbox": [10, 5, 20, 20]}, "bbox: expected x,y,width"),
        ({"segmentation": RING, "area": 200}, "area: expected about the mask's 400 pixels, got 200"),
        ({"segmentation": ALONG_ROWS, "bbox": [10, 5, 20, 20]}, "(run lengths that go along the rows"),
        (
            {"segmentation": {"size": [WIDTH, HEIGHT], "counts": [HEIGHT * WIDTH]}},
            "expected the picture's size [40, 60]",
        ),
        (
            {"segmentation": {"size": [HEIGHT, WIDTH], "counts": [HEIGHT * WIDTH]}, "area": 400},
            "got one without pixels",
        ),
    ],
)
def test_a_mask_that_contradicts_its_annotation_is_refused(tmp_path, coco, change, complaint, capsys):
    assert import_coco(tmp_path, edited(coco, "annotations", 4, **{"segmentation": SHAPE} | change)) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert "instances.json: annotation 4: " in error and complaint in error


@pytest.mark.parametrize(
    ("change", "oddity"),
    [
        ({"bbox": [10, 5, 20, 20], "area": 400}, None),
        ({"bbox": [9.4, 5.5, 20.7, 19.2], "area": 385.5}, None),
        ({"bbox": [], "area": None, "iscrowd": False}, None),
        ({"area": 0, "bbox": [0, 0, 0, 0]}, "area or bbox of 0 beside a mask"),
        ({"category_id": None}, "annotation without a category, called 'object'"),
        (
            {"segmentation": [*SHAPE, [12, 7]], "bbox": [10, 5, 20, 20]},
            "polygon of one or two points, which encloses nothing",
        ),
        (
            {"segmentation": RING},
            "a polygon lies inside another one and changes nothing: COCO's polygons have no holes",
        ),
        ({"segmentation": [[10, 5, 30, 5, 10, 25]], "area": 400}, "area is that of the box, not of the mask"),
        ({"segmentation": [[-3, -2, 30, -2, 30, 25, -3, 25]], "bbox": [-3, -2, 33, 27]}, None),
    ],
)
def test_a_mask_that_agrees_with_its_annotation_is_taken(tmp_path, coco, change, oddity):
    assert import_coco(tmp_path, edited(coco, "annotations", 4, **{"segmentation": SHAPE} | change)) == 0
    warned = json.loads((tmp_path / "out" / "import_report.json").read_text())["warned"]
    assert warned == ({oddity: [f"{tmp_path / 'instances.json'}: annotation 4"]} if oddity else {})


def test_crowds_of_brush_tools(tmp_path, coco, capsys):
    crowds = coco | {"annotations": [annotation | {"iscrowd": 1} for annotation in coco["annotations"][2:5]]}
    assert import_coco(tmp_path, crowds) == 2
    assert "got 3 with iscrowd 1 (--take_crowds takes them)" in capsys.readouterr().err
    assert import_coco(tmp_path, crowds, "--take_crowds", "true") == 0
    assert json.loads((tmp_path / "out" / "import_report.json").read_text())["num_objects"] == 3


def test_names_with_accents_are_found_in_either_spelling(tmp_path, coco):
    one, two = (unicodedata.normalize(form, "caf\u00e9") for form in ("NFC", "NFD"))
    picture(tmp_path / "images" / f"{two}.jpg")
    assert import_coco(tmp_path, edited(coco, "images", 0, file_name=f"{one}.jpg")) == 0
