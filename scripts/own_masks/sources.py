"""The masks that the command line names: one reader for each format, all with the same result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from configs.audit import AuditArguments
from dataset.construction.coco import CocoFile, read_coco
from dataset.construction.pairs import read_pairs
from dataset.construction.source import frame_size
from dataset.construction.stills import ImportReport, StillObject, expression_by_name
from dataset.media.pictures import PICTURE_SUFFIXES
from dataset.own.job_list import Job, read_jobs
from dataset.own.polygons import read_outlines
from scripts.own_masks.masks import OwnMask, Source, ask_about, clip_arguments, mask_array, numbered
from scripts.own_masks.sequences import read_davis, read_mask_root

STILL = {"still": True, "no_audio": True}


def open_source(args: AuditArguments) -> Source:
    """Raises FileNotFoundError, ValueError naming what is wrong; masks are read when their turn comes."""
    return READERS[args.source or "mask"](args)


def _given(args: AuditArguments) -> Source:
    """Masks and expressions of the command line: of one clip."""
    names = ("video", "frames", "audio", "frame", "at", "fps", "still", "no_audio")
    clip = {name: getattr(args, name) for name in names}
    few = args.expression if len(args.expression) < len(args.mask) else args.mask
    pairs = list(zip_longest(args.mask, args.expression, fillvalue=few[0]))
    numbered = [(f"{n}: {Path(mask).name}", mask, words) for n, (mask, words) in enumerate(pairs)]
    return Source(
        [OwnMask(name, ask_about(mask, mask=mask, expression=words, **clip)) for name, mask, words in numbered],
        len(numbered),
    )


def _jobs(args: AuditArguments) -> Source:
    jobs = read_jobs(Path(args.jobs))
    return Source([_of_job(job, args) for job in jobs], len(jobs))


def _of_job(job: Job, args: AuditArguments) -> OwnMask:
    try:
        clip = clip_arguments(job.clip, job.audio, args.still, args.no_audio, args.fps)
    except (FileNotFoundError, ValueError) as error:
        raise type(error)(f"{job.where}: {error}") from None
    if not job.mask.is_file():
        raise FileNotFoundError(f"{job.where}: expected the picture of a mask, got none at {job.mask}")
    request = ask_about(job.where, mask=job.mask, expression=job.expression, frame=job.frame, at=job.at, **clip)
    return OwnMask(f"{job.where.rpartition(' line ')[2]}: {job.mask.name}", request, job.carried)


def _coco(args: AuditArguments) -> Source:
    report = ImportReport()
    path, images = Path(args.coco), Path(args.images)
    coco = read_coco(Path(args.instances or path), images, report, True, path if args.instances else None)
    count = sum(len(coco.annotations[image["id"]]) for image in coco.images)
    if not count:
        raise ValueError(f"{path}: expected masks, got none that can be used")
    by_name: Counter = Counter()
    return Source(_of_coco(coco, args, by_name), count, lambda: _left_out(report) + _shared(by_name))


def _of_coco(coco: CocoFile, args: AuditArguments, by_name: Counter) -> Iterator[OwnMask]:
    for image in coco.images:
        picture, size = coco.picture_of(image)
        for annotation in coco.annotations[image["id"]]:
            found = coco.object_of(annotation, size)
            scores = {name: annotation[name] for name in ("score", "category_id") if name in annotation}
            carried = {"image": image["file_name"], "image_id": image["id"], "annotation": annotation["id"], **scores}
            yield from _of_still(f"{image['file_name']}: {annotation['id']}", picture, found, carried, args, by_name)


def _pairs(args: AuditArguments) -> Source:
    report = ImportReport()
    pairs = read_pairs(Path(args.pairs), "object", report)
    count = sum(map(len, pairs.masks.values()))
    if not count:
        raise ValueError(f"{args.pairs}: expected pictures with masks, got none")
    by_name: Counter = Counter()
    masks = (
        own
        for still in pairs.stills("test_s", None)
        for found in still.objects
        for own in _of_still(
            Path(found.origin).relative_to(Path(args.pairs) / "masks").as_posix(),
            still.picture,
            found,
            {"image": still.picture.name},
            args,
            by_name,
        )
    )
    return Source(masks, count, lambda: _left_out(report) + _shared(by_name))


def _of_still(
    name: str, picture: Path, found: StillObject, carried: dict, args: AuditArguments, by_name: Counter
) -> Iterator[OwnMask]:
    """An object of a picture, once for each of its expressions. `by_name` counts (picture, name) of those without."""
    if not (args.expression or found.expressions):
        by_name[picture, found.name] += 1
    expressions = tuple(args.expression) or found.expressions or (expression_by_name(found),)
    for number, words in enumerate(expressions):
        request = ask_about(found.origin, mask=mask_array(found.mask), expression=words, frames=picture, **STILL)
        yield OwnMask(numbered(name, number, expressions), request, carried)


def _yolo(args: AuditArguments) -> Source:
    labels, images = Path(args.yolo), Path(args.images)
    for folder in (labels, images):
        if not folder.is_dir():
            raise FileNotFoundError(f"{folder}: no such folder")
    pictures: dict[str, Path] = {}
    for path in sorted(path for path in images.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES):
        if (other := pictures.setdefault(path.stem, path)) != path:
            raise ValueError(f"{path}: expected one picture of this name, got {other.name} as well")
    texts = sorted(path for path in labels.glob("*.txt") if path.stem in pictures or path.stem != "classes")
    if not texts:
        raise FileNotFoundError(f"--yolo {labels}: expected text files such as picture.txt, got none")
    if lacking := next((path for path in texts if path.stem not in pictures), None):
        raise FileNotFoundError(f"{lacking}: expected its picture {lacking.stem}.jpg in {images}, got none")
    by_name: Counter = Counter()
    masks = _of_yolo([(path, pictures[path.stem]) for path in texts], args, by_name)
    return Source(masks, None, lambda: _shared(by_name))


def _of_yolo(pairs: list[tuple[Path, Path]], args: AuditArguments, by_name: Counter) -> Iterator[OwnMask]:
    for path, picture in pairs:
        for found in read_outlines(path, frame_size(picture)):
            where = f"{path} line {found.line}"
            if found.class_number >= len(args.class_names):
                known = f"a class from 0 to {len(args.class_names) - 1} (--class_names)"
                raise ValueError(f"{where}: expected {known}, got {found.class_number}")
            thing = StillObject(args.class_names[found.class_number], found.mask, where)
            carried = {"image": picture.name, "line": found.line, "class": thing.name, "score": found.confidence}
            yield from _of_still(f"{path.stem}: {found.line}", picture, thing, carried, args, by_name)


def _shared(by_name: Counter) -> list[str]:
    """What should make people doubt audits of masks that were asked about by a name alone."""
    shared = {key: count for key, count in by_name.items() if count > 1}
    if not shared:
        return []
    (picture, name), total = next(iter(shared)), sum(shared.values())
    what = f"asked about by a name that several masks of their picture have: {total} masks"
    return [f"CAREFUL: {what}, for example the {name} of {picture}"]


def _left_out(report: ImportReport) -> list[str]:
    groups = (("left out", report.left_out), ("strange", report.warned))
    return [f"{what}, {why}: {len(own)}, for example {own[0]}" for what, of in groups for why, own in of.items()]


READERS = {
    "mask": _given,
    "jobs": _jobs,
    "coco": _coco,
    "yolo": _yolo,
    "davis": read_davis,
    "pairs": _pairs,
    "mask_root": read_mask_root,
}
