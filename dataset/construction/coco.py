"""Reads a COCO-style JSON file and its image folder for `stills`.

Masks are run-length codes or polygons.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from dataset.benchmark.entries import path_inside
from dataset.construction.source import frame_size
from dataset.construction.stills import ImportReport, Still, StillObject, clean_expression, find_audio
from utils.run_length import decode_segmentation

EXPRESSION_KEYS = ("expression", "caption", "sent")  # text, or a list of texts; the first key that is found counts
UNNAMED = "object"


@dataclass
class CocoFile:
    """The images of a COCO-style file that have usable annotations, and these annotations."""

    path: Path
    images_dir: Path
    images: list[dict] = field(default_factory=list)
    annotations: dict[object, list[dict]] = field(default_factory=dict)  # image id -> its annotations
    categories: dict[object, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.images)

    def stills(self, split: str, audio_dir: Path | None) -> Iterator[Still]:
        """The pictures, read one after the other. Raises ValueError naming a file or annotation that cannot be used."""
        for image in self.images:
            picture = path_inside(self.images_dir, image["file_name"])
            size = frame_size(picture)
            declared = image.get("height") or size[0], image.get("width") or size[1]
            if declared != size:
                raise ValueError(f"{picture}: expected (height, width) {declared} as {self.path} says, got {size}")
            objects = [self._object(annotation, size) for annotation in self.annotations[image["id"]]]
            stem = Path(image["file_name"]).with_suffix("")
            yield Still(stem.as_posix(), split, picture, objects, find_audio(audio_dir, stem.as_posix()))

    def _object(self, annotation: dict, size: tuple[int, int]) -> StillObject:
        where = self.where(annotation)
        try:
            mask = decode_segmentation(annotation["segmentation"], size)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None
        texts = next((annotation[key] for key in EXPRESSION_KEYS if annotation.get(key)), [])
        texts = texts if isinstance(texts, list) else [texts]
        expressions = tuple(clean_expression(text, where) for text in texts)
        return StillObject(self.categories.get(annotation.get("category_id"), UNNAMED), mask, where, expressions)

    def where(self, annotation: dict) -> str:
        return f"{self.path}: annotation {annotation.get('id')}"


def read_coco(path: Path, images_dir: Path, report: ImportReport) -> CocoFile:
    """Read and check the JSON file. Crowd annotations and annotations without a mask are left out and go to `report`.

    Raises FileNotFoundError or ValueError when there is no such file, its content is something else, or a picture that
    it names is missing.
    """
    content = _load(path)
    if not images_dir.is_dir():
        raise FileNotFoundError(f"images folder {images_dir}: no such folder")
    coco = CocoFile(path, images_dir)
    for category in content.get("categories") or []:
        if not isinstance(category.get("name"), str) or not category["name"].strip():
            raise ValueError(f"{path}: category {category.get('id')}: expected a name, got {category.get('name')!r}")
        coco.categories[category.get("id")] = category["name"]
    images = _images_by_id(content["images"], path)
    for annotation in content["annotations"]:
        _add_annotation(coco, images, annotation, report)
    for image_id, image in images.items():
        if image_id not in coco.annotations:
            report.leave_out("picture without annotations to use", f"{path}: {image['file_name']}")
        elif not path_inside(images_dir, image["file_name"]).is_file():
            raise FileNotFoundError(f"{images_dir / image['file_name']}: no such picture; {path} names it")
        else:
            coco.images.append(image)
    return coco


def _load(path: Path) -> dict:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: expected JSON, got something else ({error})") from None
    for key in ("images", "annotations", "categories"):
        items = content.get(key, [] if key == "categories" else None) if isinstance(content, dict) else None
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise ValueError(f"{path}: expected a COCO file with a list of objects called '{key}', got none")
        if any(isinstance(item.get(k), (list, dict)) for item in items for k in ("id", "image_id", "category_id")):
            raise ValueError(f"{path}: {key}: expected ids that are numbers or text, got a list or an object")
    return content


def _images_by_id(items: list[dict], path: Path) -> dict[object, dict]:
    images: dict[object, dict] = {}
    for item in items:
        if item.get("id") is None or item["id"] in images:
            raise ValueError(f"{path}: expected each image to have its own id, got {item.get('id')!r} twice or missing")
        if not isinstance(item.get("file_name"), str) or not item["file_name"]:
            raise ValueError(f"{path}: image {item['id']}: expected a file_name, got {item.get('file_name')!r}")
        images[item["id"]] = item
    return images


def _add_annotation(coco: CocoFile, images: dict[object, dict], annotation: dict, report: ImportReport) -> None:
    where = coco.where(annotation)
    category = annotation.get("category_id")
    if annotation.get("image_id") not in images:
        raise ValueError(f"{where}: expected the id of an image, got image_id {annotation.get('image_id')!r}")
    if category is not None and category not in coco.categories:
        raise ValueError(f"{where}: expected the id of a category, got category_id {category!r}")
    if annotation.get("iscrowd"):
        report.leave_out("crowd annotation: several objects in one mask", where)
    elif not annotation.get("segmentation"):
        report.leave_out("annotation without a segmentation", where)
    else:
        coco.annotations.setdefault(annotation["image_id"], []).append(annotation)
