"""The work of scripts.segment.run: words for each expression, then a mask for each frame."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from tqdm import tqdm

from configs.referring import SegmentArguments
from dataset.media.images import read_upright_frame
from dataset.media.lengths import NUM_FRAMES
from dataset.referring.expressions import Expression
from dataset.referring.layout import ReferringData
from dataset.referring.masks import SoftMask, write_masks
from models.segmenting.found import FoundObject
from models.segmenting.text_segmenters import PUBLISHED_SIZE, load_published, load_text_segmenter
from models.segmenting.track import load_tracked
from scripts.segment.frames import device_and_dtype
from scripts.segment.mask_scoring import open_data
from scripts.segment.published import PublishedRun, run_published
from utils.record_log import RecordLog
from utils.run_record import fingerprint, write_run_record
from utils.thought import parse_thought
from utils.whole_files import write_json

logger = logging.getLogger("segment")
Finder = Callable[[list[np.ndarray], str], list[FoundObject | None]]  # ten frames and words -> an object in each
SUMMARY, LOG = "segmentation.json", ".segmentation.partial"


def make_masks(args: SegmentArguments) -> dict:
    """Make and write the masks of all expressions. Returns the counts that segmentation.json holds, too."""
    data, answers = open_data(args), read_answers(args.answers) if args.answers else []
    folders = [Path(path) for path in (args.grounder_path, args.segmenter_path) if path]
    output, files = Path(args.output_dir), [data.metadata_path(), *([Path(args.answers)] if args.answers else [])]
    if args.match_published:
        segmenter = load_published(folders, *device_and_dtype(args.device), args.box_threshold)
        run = PublishedRun(args.prompt, args.benchmark, args.test_name[0])
        keep = _writer(output, args.soft_masks)
        results = run_published(run, answers, data, segmenter, keep)
        write_json(output / run.result_name, results)
        counts = {"expressions": len(results) - 2}
        print(f"J {results['overall_average_iou']}, F {results['overall_average_fscore']}")
    else:
        rows = data.expressions(args.test_name)
        words = words_for(rows, answers, args.prompt)
        log = RecordLog(output / LOG, vars(args) | {"data": [fingerprint(path) for path in files]})
        segment_all(rows, words, data, _load_finder(args, folders), log, output, args.soft_masks)
        counts = summarize(log.records)
        write_json(output / SUMMARY, counts | {"expressions_in_detail": log.records})
        log.finish()
    write_run_record(output, vars(args), files, seed=None, counts=counts)
    print("\n".join(f"{name}: {value}" for name, value in counts.items()))
    print(f"written to {output}")
    return counts


def _load_finder(args: SegmentArguments, folders: list[Path]) -> Finder:
    device, dtype = device_and_dtype(args.device)
    if args.track:
        return load_tracked(folders, device, dtype, args.box_threshold)
    segmenter = load_text_segmenter(args.segmenter, folders, device, dtype, args.box_threshold, args.one_region)

    def find(pictures: list[np.ndarray], text: str) -> list[FoundObject | None]:
        return [next(iter(found), None) for found in segmenter.in_frames(pictures, text)]

    return find


def read_answers(path: str | Path) -> list[dict]:
    """Lines with uid, ref and predict. Raises FileNotFoundError, or ValueError that names the line."""
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"answers {path}: no such file")
    answers = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise ValueError(f"answers {path}, line {number}: expected a JSON object, got {line[:60]!r}") from error
        if not (isinstance(row, dict) and all(isinstance(row.get(key), str) for key in ("uid", "ref", "predict"))):
            raise ValueError(f"answers {path}, line {number}: expected uid, ref and predict as text, got {line[:60]!r}")
        answers.append(row)
    return answers


def words_for(rows: list[Expression], answers: list[dict], prompt: str) -> list[str | None]:
    """The words for each row: None where the answer says that nothing is meant, or has no name.

    The n-th answer about a uid belongs to its n-th row. Raises ValueError for a row without an answer, and for an
    answer about another expression.
    """
    if prompt == "expression":
        return [row.text for row in rows]
    seen, by_key = Counter(), {}
    for answer in answers:
        by_key[answer["uid"], seen[answer["uid"]]] = answer
        seen[answer["uid"]] += 1
    if without := [row.key for row in rows if (row.uid, row.repeat) not in by_key]:
        raise ValueError(f"answers: expected one for each of {len(rows)} expressions, got none for {without[:3]}")
    words = []
    for row in rows:
        answer = by_key[row.uid, row.repeat]
        if answer["ref"] != row.text:
            expected = f"expected an answer about {row.text!r}"
            raise ValueError(f"answers: {row.key}: {expected}, got one about {answer['ref']!r}")
        thought = parse_thought(answer["predict"])
        words.append(None if thought.is_null else getattr(thought, prompt))
    return words


def segment_all(
    rows: list[Expression],
    words: list[str | None],
    data: ReferringData,
    find: Finder,
    log: RecordLog,
    output: Path,
    soft_masks: bool,
) -> None:
    """Segment what the log does not hold yet. Each expression's masks are written before its record."""
    done = {record["key"] for record in log.records}
    if done:
        logger.info("going on after %d expressions that an interrupted run has segmented", len(done))
    with tqdm(total=len(rows), initial=len(done), desc="segmenting", unit="expression") as bar:
        for row, text in zip(rows, words, strict=True):
            if row.key in done:
                continue
            masks, scores = segment_frames(row, text, data, find)
            write_masks(output, row.key, masks, soft_masks)
            log.add([{"key": row.key, "words": text, "scores": scores}])
            bar.update()


def segment_frames(
    row: Expression, text: str | None, data: ReferringData, find: Finder
) -> tuple[list[SoftMask], list[float | None]]:
    """Ten masks of the frames' own sizes, and the model's scores; an empty mask and None where nothing is found."""
    vid = data.media_vid(row)
    pictures = [read_upright_frame(data.frame_path(vid, frame)) for frame in range(NUM_FRAMES)]
    found = find(pictures, text) if text else [None] * NUM_FRAMES
    masks = [
        SoftMask(one.mask, one.soft) if one else SoftMask.empty(picture.shape[:2])
        for one, picture in zip(found, pictures, strict=True)
    ]
    return masks, [one.score if one else None for one in found]


def summarize(records: Iterable[dict]) -> dict:
    records = list(records)
    scores = [score for record in records for score in record["scores"]]
    return {
        "expressions": len(records),
        "without_words": sum(not record["words"] for record in records),
        "frames": len(scores),
        "frames_where_nothing_was_found": sum(score is None for score in scores),
    }


def _writer(output: Path, soft_masks: bool):
    """Keeps what the published way finds, at its 224 x 224 pixels; a frame without a box has an empty mask."""

    def keep(uid: str, found: list[FoundObject | None]) -> None:
        empty = SoftMask(np.zeros(PUBLISHED_SIZE, bool))
        write_masks(output, uid, [SoftMask(one.mask, one.soft) if one else empty for one in found], soft_masks)

    return keep
