"""Bring pictures with masks of other datasets into the layout of Ref-AVSBench, so that a benchmark can be built from
them. Each picture becomes a video of ten equal frames, with silence or its own sound. Each mask is one object.

python -m scripts.benchmark.import_masks --output DIR --coco instances.json --images DIR [--split test_s]
    Masks are run-length codes or polygons. The expressions of an annotation are the text or texts under its key
    "expression", "caption" or "sent"; without such a key, "the <category>". Crowd annotations are left out without
    --take_crowds; brush tools write all of theirs as crowds. A mask that contradicts its own bbox or area is refused.
python -m scripts.benchmark.import_masks --output DIR --pairs DIR [--split test_s] [--object_name polyp]
    images/NAME.jpg       the picture
    masks/NAME.png        its object: every pixel that is not black; or, for several objects,
    masks/NAME/dog.png    one file for each object, with its name; two of one name are numbered (cat_1, cat_2)
    expressions.csv       optional: columns mask,expression[,object]; mask is the path inside masks/
    Without expressions.csv the expression is "the <object>".

Several splits at once: --coco train.json val.json --images train2017 val2017 --split train test_s
If a picture has two objects of one name, each needs an expression. Without one, an object can only be a negative.
DIR/import_report.json says what was left out, and why.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from configs.construction import MaskImportArguments
from dataset.benchmark.links import refuse_links
from dataset.construction.coco import read_coco
from dataset.construction.pairs import read_pairs
from dataset.construction.stills import ImportReport, Still, write_stills
from scripts.program import run_program
from utils.whole_files import whole_folder, write_json


def main(argv: list[str] | None = None) -> int:
    return run_program("import_masks", (MaskImportArguments,), import_masks, argv, __doc__)


def import_masks(args: MaskImportArguments) -> None:
    """Read every source, write the pictures of all of them, and say what was left out."""
    report = ImportReport()
    with whole_folder(Path(args.output)) as folder:
        sources = read_sources(args, report)
        with tqdm(total=sum(map(len, sources)), desc="importing", unit="picture") as bar:
            write_stills(folder, all_stills(args, sources, bar), report)
        write_json(folder / "import_report.json", asdict(report))
    print(
        f"{args.output}: {report.num_videos} videos, {report.num_objects} objects, {report.num_referrals} expressions"
    )
    for what, reasons in (("left out", report.left_out), ("strange", report.warned)):
        for reason, origins in reasons.items():
            print(f"{what}, {reason}: {len(origins)}, for example {origins[0]}")


def read_sources(args: MaskImportArguments, report: ImportReport) -> list:
    if args.coco:
        sources = [
            read_coco(Path(c), Path(i), report, args.take_crowds) for c, i in zip(args.coco, args.images, strict=True)
        ]
    else:
        sources = [read_pairs(Path(root), args.object_name, report) for root in args.pairs]
    if not args.allow_links:
        for source in sources:
            refuse_links(source.root, source.files())
    return sources


def all_stills(args: MaskImportArguments, sources: list, bar: tqdm) -> Iterator[Still]:
    audio_dir = Path(args.audio) if args.audio else None
    if audio_dir and not audio_dir.is_dir():
        raise FileNotFoundError(f"--audio {audio_dir}: no such folder")
    for source, split in zip(sources, args.split, strict=True):
        for still in source.stills(split, audio_dir):
            yield still
            bar.update()


if __name__ == "__main__":
    sys.exit(main())
