"""The work of scripts.segment.improve: audit the masks, make new ones, audit these too, choose, score."""

from __future__ import annotations

from pathlib import Path

from tqdm import tqdm

from configs.improving import ImproveArguments
from configs.model import ModelArguments
from dataset.referring.expressions import Expression
from dataset.referring.layout import ReferringData
from dataset.referring.masks import MaskFolder
from dataset.referring.thinking import read_think_samples
from models.segmenting.segment import load_segmenter
from models.segmenting.text_segmenters import load_text_segmenter
from models.weights.checkpoint import check_auditor
from scripts.repair.audits import CandidateAudits, audited_frames, load_auditor
from scripts.repair.candidates import GEOMETRIC, TARGET, CandidateStore
from scripts.repair.cases import Case, Repair
from scripts.repair.making import Workshop
from scripts.repair.policies import Judged, best
from scripts.repair.results import write_results
from scripts.segment.frames import device_and_dtype
from scripts.segment.mask_making import read_answers, words_for
from scripts.segment.mask_scoring import open_data
from utils.locks import only_one
from utils.record_log import RecordLog
from utils.run_record import write_run_record
from utils.scores.expression_kinds import read_kinds

NAMES = ("s_object", "f_object")
CANDIDATES, AUDITS = "candidates", "audits.jsonl"


def improve_masks(model_args: ModelArguments, args: ImproveArguments) -> dict:
    """Repair the masks by every policy, score, and write everything. Returns the content of repairs.json."""
    folder, output = MaskFolder(args.masks), Path(args.output_dir or f"{Path(args.masks)}_repaired")
    check_auditor(args.auditor, model_args)
    data = open_data(args)
    with only_one(output / ".lock", f"repair that writes to {output}"):
        repair = _prepare(model_args, args, data, output)
        _add_first(repair, folder)
        repair.ask("auditing the masks")
        _add_words(repair)
        repair.ask("auditing new masks")
        for number in range(2, args.rounds + 1):
            _add_round(repair, number)
            repair.ask(f"auditing, round {number}")
        results = write_results(repair, folder, output)
        files = [data.metadata_path(), *([Path(args.answers)] if args.answers else [])]
        settings = vars(model_args) | vars(args)
        write_run_record(output, settings, files, seed=args.seed, counts={"expressions": len(repair.rows)})
    return results


def _prepare(model_args: ModelArguments, args: ImproveArguments, data: ReferringData, output: Path) -> Repair:
    """Read and check the data, then load the models."""
    rows = data.expressions(args.test_name)
    for split in args.test_name:
        read_think_samples(data, split)  # says which frames and sounds are missing
    if without := [row.key for row in rows if not any(path.is_file() for path in data.truth_paths(row))]:
        listed = f"{len(without)} expressions have none: {', '.join(without[:3])}"
        raise FileNotFoundError(f"{data.root / 'gt_mask'}: expected true masks of all expressions, {listed}")
    kinds, texts = read_kinds(args.facts) if args.facts else {}, _given_texts(args, rows)
    shop = _load_workshop(args, data, output)
    answerer, run = load_auditor(args.auditor, model_args, args)
    audits = CandidateAudits(answerer, data, shop.store, RecordLog(output / AUDITS, run))
    return Repair(args, data, rows, texts, kinds, shop, audits)


def _load_workshop(args: ImproveArguments, data: ReferringData, output: Path) -> Workshop:
    device, dtype = device_and_dtype(args.device)
    segmenters, settings = {}, {}
    for name, path in zip(args.segmenter, args.segmenter_path, strict=True):
        folders = [Path(path)] if name != "grounded_sam2" else [Path(args.grounder_path), Path(path)]
        segmenters[name] = load_text_segmenter(name, folders, device, dtype, args.box_threshold, one_region=True)
        settings[name] = {"folders": [_weights(own) for own in folders], "dtype": str(dtype)}
        if name == "grounded_sam2":
            settings[name]["box_threshold"] = args.box_threshold
    sam2 = load_segmenter(args.sam2_path, device, dtype) if args.sam2_path else None
    store = CandidateStore(output / CANDIDATES, {"data": [str(data.root), args.benchmark]})
    return Workshop(data, store, segmenters, settings, args.objects, sam2)


def _given_texts(args: ImproveArguments, rows: list[Expression]) -> dict[str, list[str | None]]:
    """The words for best_of that are known before any audit: the expressions, and the thinker's names."""
    if "best_of" not in args.policy:
        return {}
    answers = read_answers(args.answers) if args.answers else []
    thought = {name: words_for(rows, answers, name) for name in NAMES if args.answers}
    return {"expression": [row.text for row in rows], **thought}


def _weights(folder: Path) -> list:
    """What tells one model's folder from another."""
    files = [path for path in folder.iterdir() if path.suffix in (".bin", ".safetensors", ".json")]
    return sorted([path.name, path.stat().st_size, path.stat().st_mtime_ns] for path in files)


def _add_first(repair: Repair, folder: MaskFolder) -> None:
    without, rows = 0, repair.rows
    for row in tqdm(rows, "reading masks", unit="expression"):
        masks = folder.read(row)
        without += not any(masks)
        group = repair.shop.first(row, masks)
        repair.cases.append(Case(row, audited_frames(row, group.candidates[0], repair.args.frames), [group]))
    if without == len(rows):
        wanted = f"{rows[0].key}/00000.png or {rows[0].key}.npy"
        raise ValueError(f"masks {folder.root}: expected masks such as {wanted}, got none of any expression")


def _add_words(repair: Repair) -> None:
    """The first round: the target that each audit names, other words for best_of, and changes of the mask itself."""
    for number, case in enumerate(tqdm(repair.cases, "making masks", unit="expression")):
        first = repair.judged(case)[0]
        texts = {TARGET: first.verdict.target} | {name: words[number] for name, words in repair.texts.items()}
        _make(repair, case, {name: words for name, words in texts.items() if words})
        if {"geometric", "best_of"} & set(repair.args.policy):
            _reshape(repair, case, GEOMETRIC, first)


def _add_round(repair: Repair, number: int) -> None:
    """From the audit of the best mask so far: its target's name if it is a new one, and changes of that mask."""
    for case in tqdm(repair.cases, f"making masks, round {number}", unit="expression"):
        leader = best(repair.judged(case))
        words, known = leader.verdict.target, {group.made_from.get("words") for group in case.groups}
        if leader.verdict.said.action == "accept":
            continue
        if words and words not in known:
            _make(repair, case, {f"{TARGET}_{number}": words})
        _reshape(repair, case, f"{GEOMETRIC}_{number}", leader)


def _make(repair: Repair, case: Case, texts: dict[str, str]) -> None:
    for name, words in texts.items():
        for segmenter in repair.shop.segmenters:
            start = case.frames[len(case.frames) // 2]
            case.groups.append(repair.shop.from_words(case.row, name, words, segmenter, start))


def _reshape(repair: Repair, case: Case, name: str, judged: Judged) -> None:
    target = next((own for group in case.groups if (own := group.named(TARGET))), None)
    group = repair.shop.from_shape(case.row, name, judged.candidate, judged.verdict, target)
    if group is not None:
        case.groups.append(group)
