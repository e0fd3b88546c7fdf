"""Reads a COCO-style JSON file and its image folder for `stills`.

Masks are run-length codes or polygons.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from posixpath import normpath

from dataset.benchmark.entries import path_inside
from dataset.construction.coco_checks import (
    check_mask,
    check_units,
    checked_id,
    checked_side,
    is_crowd,
    oddities,
    without_strays,
)
from dataset.construction.source import frame_size
from dataset.construction.stills import (
    ImportReport,
    Still,
    StillObject,
    clean_expression,
    find_audio,
)
from dataset.media.mask_values import doubts_of_inside
from utils.run_length import decode_segmentation
from utils.text_files import read_json

EXPRESSION_KEYS = ("expression", "caption", "sent")  # text, or a list of texts; the first key that is found counts
UNNAMED = "object"
CROWD = "crowd annotation: several objects in one mask"


@dataclass
class CocoFile:
    """The images of a COCO-style file that have usable annotations, and these annotations."""

    path: Path
    images_dir: Path
    report: ImportReport
    images: list[dict] = field(default_factory=list)
    annotations: dict[object, list[dict]] = field(default_factory=dict)  # image id -> its annotations
    categories: dict[object, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.images)

    @property
    def root(self) -> Path:
        return self.images_dir

    def files(self) -> Iterator[Path]:
        """The pictures."""
        return (path_inside(self.images_dir, image["file_name"]) for image in self.images)

    def stills(self, split: str, audio_dir: Path | None) -> Iterator[Still]:
        """The pictures, read one after the other. Raises ValueError naming a file or annotation that cannot be used."""
        for image in self.images:
            picture, size = self.picture_of(image)
            objects = [self.object_of(annotation, size) for annotation in self.annotations[image["id"]]]
            stem = Path(image["file_name"]).with_suffix("")
            yield Still(stem.as_posix(), split, picture, objects, find_audio(audio_dir, stem.as_posix()))

    def picture_of(self, image: dict) -> tuple[Path, tuple[int, int]]:
        """The picture and its (height, width). Raises ValueError for another size than the file says."""
        picture = path_inside(self.images_dir, image["file_name"])
        size = frame_size(picture)
        declared = image.get("height") or size[0], image.get("width") or size[1]
        if declared != size:
            swapped = " (height and width swapped?)" if declared == size[::-1] else ""
            expected = f"(height, width) {declared} as {self.path} says"
            raise ValueError(f"{picture}: expected {expected}, got {size}{swapped}")
        return picture, size

    def object_of(self, annotation: dict, size: tuple[int, int]) -> StillObject:
        """The object of an annotation of a picture of this size. Raises ValueError naming the annotation."""
        where = self.where(annotation)
        segmentation, num_strays = without_strays(annotation["segmentation"])
        try:
            check_units(segmentation, size)
            mask = decode_segmentation(segmentation, size)
            check_mask(annotation, mask)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None
        if num_strays:
            self.report.warn("polygon of one or two points, which encloses nothing", where)
        if annotation.get("category_id") is None and self.categories:
            self.report.warn(f"annotation without a category, called '{UNNAMED}'", where)
        for oddity in (*oddities(annotation, segmentation, mask), *doubts_of_inside(mask)):
            self.report.warn(oddity, where)
        texts = next((annotation[key] for key in EXPRESSION_KEYS if annotation.get(key)), [])
        texts = texts if isinstance(texts, list) else [texts]
        expressions = tuple(clean_expression(text, where) for text in texts)
        return StillObject(self.categories.get(annotation.get("category_id"), UNNAMED), mask, where, expressions)

    def where(self, annotation: dict) -> str:
        return f"{self.path}: annotation {annotation.get('id')}"


def read_coco(
    path: Path, images_dir: Path, report: ImportReport, take_crowds: bool = False, results: Path | None = None
) -> CocoFile:
    """Read and check the JSON file. What is left out goes to `report`: annotations without a mask, and crowds, unless
    `take_crowds`. `results`: a list of COCO results, which stands in place of the file's annotations.

    Raises FileNotFoundError or ValueError when there is no such file, its content is something else, or a picture that
    it names is missing.
    """
    content = _load(path, results)
    path = results or path
    if not images_dir.is_dir():
        raise FileNotFoundError(f"images folder {images_dir}: no such folder")
    coco = CocoFile(path, images_dir, report, categories=_categories(content["categories"], path))
    images = _images_by_id(content["images"], coco)
    seen: set[object] = set()
    for annotation in content["annotations"]:
        if annotation.get("id") is not None and annotation["id"] in seen:
            raise ValueError(f"{coco.where(annotation)}: expected each annotation to have its own id, got it twice")
        seen.add(annotation.get("id"))
        _add_annotation(coco, images, annotation, take_crowds)
    if not coco.annotations and (crowds := report.left_out.get(CROWD)):
        got = f"{len(crowds)} with iscrowd 1 (--take_crowds takes them)"
        raise ValueError(f"{path}: expected annotations of single objects, got {got}")
    for image_id, image in images.items():
        if image_id not in coco.annotations:
            report.leave_out("picture without annotations to use", f"{path}: {image['file_name']}")
        elif not path_inside(images_dir, image["file_name"]).is_file():
            raise FileNotFoundError(f"{images_dir / image['file_name']}: no such picture; {path} names it")
        else:
            coco.images.append(image)
    return coco


def _load(path: Path, results: Path | None) -> dict:
    content = read_json(path)
    if not isinstance(content, dict):
        results_hint = "a list, as COCO results are (scripts.audit reads them with --instances)"
        got = results_hint if isinstance(content, list) else "none"
        raise ValueError(f"{path}: expected a COCO file with a list of objects called 'images', got {got}")
    if results:
        content["annotations"] = _load_results(results)
    content.setdefault("categories", [])
    for key in ("images", "annotations", "categories"):
        items = content.get(key) if content.get(key) is not None or key != "categories" else []
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise ValueError(f"{path}: expected a COCO file with a list of objects called '{key}', got none")
        for item in items:
            for name in ("id", "image_id", "category_id"):
                checked_id(item.get(name), f"{path}: {key}: {name}")
        content[key] = items
    return content


def _load_results(path: Path) -> list[dict]:
    """COCO results, numbered from 1."""
    content = read_json(path)
    if not isinstance(content, list) or not all(isinstance(item, dict) for item in content):
        raise ValueError(f"{path}: expected COCO results, a list of objects with image_id and segmentation, got none")
    return [item | {"id": number} for number, item in enumerate(content, 1)]


def _categories(items: list[dict], path: Path) -> dict[object, str]:
    names: dict[object, str] = {}
    for item in items:
        where = f"{path}: category {item.get('id')}"
        if not isinstance(item.get("name"), str) or not item["name"].strip():
            raise ValueError(f"{where}: expected a name, got {item.get('name')!r}")
        if item.get("id") in names:
            raise ValueError(f"{where}: expected each id once, got {names[item['id']]!r} and {item['name']!r}")
        names[item.get("id")] = item["name"]
    return names


def _images_by_id(items: list[dict], coco: CocoFile) -> dict[object, dict]:
    images: dict[object, dict] = {}
    files: dict[str, object] = {}
    for item in items:
        where = f"{coco.path}: image {item.get('id')}"
        if item.get("id") is None or item["id"] in images:
            got = f"{item.get('id')!r} twice or missing"
            raise ValueError(f"{coco.path}: expected each image to have its own id, got {got}")
        if not isinstance(item.get("file_name"), str) or not item["file_name"]:
            raise ValueError(f"{where}: expected a file_name, got {item.get('file_name')!r}")
        file = normpath(unicodedata.normalize("NFC", item["file_name"]))
        if file in files:
            raise ValueError(f"{where}: expected each file_name once, got {file!r} of image {files[file]} again")
        files[file] = item["id"]
        sides = {side: checked_side(item.get(side), where) for side in ("height", "width")}
        images[item["id"]] = item | sides
    return images


def _add_annotation(coco: CocoFile, images: dict[object, dict], annotation: dict, take_crowds: bool) -> None:
    where = coco.where(annotation)
    category = annotation.get("category_id")
    if annotation.get("image_id") not in images:
        raise ValueError(f"{where}: expected the id of an image, got image_id {annotation.get('image_id')!r}")
    if category is not None and category not in coco.categories:
        raise ValueError(f"{where}: expected the id of a category, got category_id {category!r}")
    if is_crowd(annotation, where) and not take_crowds:
        coco.report.leave_out(CROWD, where)
    elif not annotation.get("segmentation"):
        coco.report.leave_out("annotation without a segmentation", where)
    else:
        coco.annotations.setdefault(annotation["image_id"], []).append(annotation)
