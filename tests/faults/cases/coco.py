"""COCO files that contradict themselves or their pictures."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from tests.faults.case import Case, accepted, refused, warned
from tests.faults.changes import edit, edit_json, write
from tests.right_benchmark import GT, HEIGHT, WIDTH
from utils.run_length import encode_rle

FILE = "coco/i.json"
SQUARE = [20, 20, 60, 20, 60, 60, 20, 60]  # 1600 pixels, as in `tests.right_benchmark.GT`
SHORT = {"size": [HEIGHT, WIDTH], "counts": [9, 9]}
HOLE = [38, 38, 42, 38, 42, 42, 38, 42]
ALONG_ROWS = {"size": [HEIGHT, WIDTH], "counts": encode_rle(GT.reshape(WIDTH, HEIGHT).T)["counts"]}


def annotation(name: str, says: str | None = None, **values) -> Case:
    """A case that sets keys of the first annotation, a polygon with bbox and area."""
    return whole(name, says, lambda content: content["annotations"][0].update(values))


def picture(name: str, says: str | None = None, **values) -> Case:
    return whole(name, says, lambda content: content["images"][0].update(values))


def whole(name: str, says: str | None, function: Callable) -> Case:
    expected = {"import COCO": refused(says) if says else accepted}
    return Case(f"COCO: {name}", partial(edit_json, FILE, function), expected)


def shape(*polygons: list[float]) -> dict:
    return {"segmentation": list(polygons)}


def again(key: str) -> Callable:
    return lambda content: content[key].append(dict(content[key][0]))


def same_file(content: dict) -> None:
    content["images"].append(content["images"][0] | {"id": 2})


def other_spelling(content: dict) -> None:
    content["images"].append(content["images"][0] | {"id": 2, "file_name": "a/.././/3.jpg"})


def told(name: str, says: str, function: Callable) -> Case:
    return Case(f"COCO: {name}", partial(edit_json, FILE, function), {"import COCO": warned(says)})


def without_check(mask: np.ndarray) -> Callable:
    """A run-length code with neither box nor area beside it."""
    return lambda c: c["annotations"][0].update(segmentation=encode_rle(mask), bbox=None, area=None)


def mask_twice(content: dict) -> None:
    content["annotations"].append(content["annotations"][0] | {"id": 2})


def two_names(content: dict) -> None:
    content["categories"].append({"id": 2, "name": "cat"})
    content["annotations"].append(content["annotations"][0] | {"id": 2, "category_id": 2})


CASES = [
    annotation("polygon from 0 to 1", "coordinates in pixels of 128x96", **shape([v / 128 for v in SQUARE])),
    annotation("polygon in percent", "bbox: expected x,y,width,height", **shape([v * 0.8 for v in SQUARE])),
    annotation("polygon of a larger picture", "points near the picture of 128x96", **shape([v * 3 for v in SQUARE])),
    annotation("polygon with a far point", "bbox: expected x,y,width,height", **shape([*SQUARE, 120, 90])),
    annotation("polygon with NaN", "of three points or more", **shape([float("nan"), *SQUARE[1:]])),
    annotation("polygon of text", "of three points or more", **shape([str(v) for v in SQUARE])),
    annotation("box of two corners", "(x1,y1,x2,y2?)", bbox=[20, 20, 60, 60]),
    annotation("box from 0 to 1", "(coordinates from 0 to 1, not pixels?)", bbox=[0.16, 0.2, 0.3, 0.4]),
    annotation("box of another object", "got 80,50,40,40", bbox=[80, 50, 40, 40]),
    annotation("box of three numbers", "bbox: expected x,y,width,height, got", bbox=[20, 20, 40]),
    annotation("area of a larger picture", "area: expected about the mask's 16", area=6400),
    annotation("area of text", "area: expected a number of pixels", area="1600"),
    annotation("code along the rows", "(run lengths that go along the rows", segmentation=ALONG_ROWS),
    annotation("code of another size", "expected the picture's size", segmentation=encode_rle(GT.T)),
    annotation("code that is too short", "expected counts that sum to", segmentation=SHORT),
    annotation("code of no picture", "expected at most", segmentation={"size": [10**6, 10**6], "counts": [10**12]}),
    annotation("image id 1.5", "image_id: expected ids that are whole numbers or text, got 1.5", image_id=1.5),
    annotation("image id of nobody", "expected the id of an image", image_id=7),
    annotation("category id of nobody", "expected the id of a category", category_id=7),
    annotation("iscrowd in words", "iscrowd: expected 0 or 1, got 'yes'", iscrowd="yes"),
    annotation("expression with </s>", "got the reserved </s>", expression="the </s> dog"),
    annotation("expression that is empty", "expected an expression in words", expression=[" "]),
    whole("annotation twice", "expected each annotation to have its own id", again("annotations")),
    whole("picture twice", "expected each image to have its own id", again("images")),
    whole("category twice", "category 1: expected each id once", again("categories")),
    whole("file twice, with ..", "image 2: expected each file_name once, got '3.jpg'", other_spelling),
    whole("file twice", "image 2: expected each file_name once", same_file),
    picture("height and width swapped", "(height and width swapped?)", height=WIDTH, width=HEIGHT),
    picture("other size", "expected (height, width) (960, 1280)", height=960, width=1280),
    picture("size of 0", "expected a whole number of pixels", width=0),
    picture("file outside", "got one that leaves it", file_name="../../secret.jpg"),
    Case("COCO: no JSON", partial(write, FILE, "{"), {"import COCO": refused("coco/i.json: expected JSON")}),
    Case(
        "COCO: only crowds",
        partial(edit_json, FILE, lambda c: c["annotations"][0].update(iscrowd=1)),
        {"import COCO": refused("--take_crowds takes them")},
    ),
    Case(
        "COCO: crowds taken",
        partial(edit_json, FILE, lambda c: c["annotations"][0].update(iscrowd=1)),
        {"import COCO": accepted},
        ("--take_crowds",),
    ),
    Case("COCO: byte order mark", partial(edit, FILE, lambda b: b"\xef\xbb\xbf" + b), {"import COCO": accepted}),
    Case(
        "COCO: a key twice",
        partial(edit, FILE, lambda b: b.replace(b'"bbox":', b'"area": 1, "bbox":')),
        {"import COCO": refused("the key 'area' is given twice")},
    ),
    told("inverted code", "is it inverted?", without_check(~GT)),
    told("code of the whole picture", "it covers the whole picture", without_check(GT | True)),
    told("one mask twice", "once more, with nothing new", mask_twice),
    told("area of 0", "area or bbox of 0 beside a mask", lambda c: c["annotations"][0].update(area=0)),
    annotation("box of middle and size", "got 40,40,40,40", bbox=[40, 40, 40, 40]),
    annotation(
        "box with a negative side", "bbox: expected x,y,width,height, got [60, 60, -40", bbox=[60, 60, -40, -40]
    ),
    annotation("box of NaN", "bbox: expected x,y,width,height, got [nan", bbox=[float("nan")] * 4),
    annotation("area of another mask", "area: expected about the mask's 16", area=750),
    annotation("area as a share", "area: expected about the mask's 16", area=0.13),
    annotation(
        "code of floats", "expected counts of 0 or more", segmentation={"size": [HEIGHT, WIDTH], "counts": [9.0]}
    ),
    annotation(
        "code of no counts", "expected counts that sum to", segmentation={"size": [HEIGHT, WIDTH], "counts": []}
    ),
    annotation("list of a code", "polygon: expected x1,y1", segmentation=[encode_rle(GT)]),
    annotation("points in pairs", "polygon: expected x1,y1", **shape([20, 20], [60, 20], [60, 60], [20, 60])),
    annotation("category id as text", "expected the id of a category, got category_id '1'", category_id="1"),
    annotation("image id as text", "expected the id of an image, got image_id '1'", image_id="1"),
    annotation("code as it should be", segmentation=encode_rle(GT)),
    annotation("no box, no area", bbox=None, area=None),
    Case(
        "COCO: a point beside the polygon",
        partial(edit_json, FILE, lambda c: c["annotations"][0].update(shape(SQUARE, [64, 48]))),
        {"import COCO": warned("polygon of one or two points")},
    ),
    Case(
        "COCO: two names for one mask",
        partial(edit_json, FILE, two_names),
        {"import COCO": warned("two objects with the same mask and two names")},
    ),
    Case(
        "COCO: a hole as a polygon",
        partial(edit_json, FILE, lambda c: c["annotations"][0].update(shape(SQUARE, HOLE))),
        {"import COCO": warned("COCO's polygons have no holes")},
    ),
]
