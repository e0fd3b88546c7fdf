"""What a report shows: the audits of one or several runs, with the media of their masks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from dataset.benchmark.annotations import read_test
from dataset.benchmark.samples import AuditSample, Candidate
from scripts.reporting.own import AUDITS, OwnAudit, read_own_audits
from utils.audit import normalize_action
from utils.card import Card
from utils.certainty.expected import calibration_of_run
from utils.certainty.stored import Calibration
from utils.prediction import Prediction
from utils.reading.reply import STRICT
from utils.records import read_predictions
from utils.splits import EVAL_MODES, TEST_NAMES
from utils.text_files import read_json


@dataclass(frozen=True)
class Shown:
    """One audit of the gallery. `truth`: the sample's perfect mask, None where the benchmark has none.

    split: of the benchmark, None for masks of one's own. `others`: what other auditors said of the same mask, by
    their names. own: the audit of an own mask, with what its job carried through.
    """

    run: str
    prediction: Prediction
    sample: AuditSample
    candidate: Candidate
    truth: Candidate | None
    others: Mapping[str, Prediction] = field(default_factory=dict)
    split: str | None = None
    own: OwnAudit | None = None

    @property
    def frame(self) -> int | str | None:
        """Which frame of its clip the mask belongs to, from 0; of an own mask None where its moment was given.

        In image mode a prediction's `frame_idx` is the object's number, as published.
        """
        if self.own:
            return self.own.frame
        sample = self.sample
        is_known = sample.frame_path in sample.video_paths
        return sample.video_paths.index(sample.frame_path) if is_known else sample.frame_idx

    @property
    def is_right(self) -> bool:
        """Whether both mask type and action are right."""
        return is_right(self.prediction)


def is_right(prediction: Prediction) -> bool:
    """Whether both mask type and action are right."""
    true, said = prediction.true, prediction.said
    return (said.mask_type, said.action) == (true.mask_type, normalize_action(true.action))


@dataclass(frozen=True)
class RunResults:
    """The audits of one run. `name`: its folder's; `auditor`: where the auditor was, or the model's
    name.

    test_name, eval_mode, data_dir: of the benchmark; None for masks of one's own, which are in `own` by `mask_key`.
    """

    name: str
    test_name: str | None
    eval_mode: str | None
    auditor: str
    data_dir: Path | None
    predictions: list[Prediction]
    calibration: Calibration | None = None
    own: dict[tuple, OwnAudit] = field(default_factory=dict)


def read_results(folder: Path, data_dir: str | None = None) -> list[RunResults]:
    """The run in the folder, or else all runs in folders right below it: evaluations, and audits of many masks.

    Raises FileNotFoundError, and ValueError naming the file that is not what a run writes.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder with results")
    places = [folder] if _is_run(folder) else sorted(place for place in folder.iterdir() if place.is_dir())
    found = [place for place in places if _is_run(place)]
    if not found:
        raise FileNotFoundError(f"{folder}: expected results ({AUDITS}, or predictions_*.jsonl and run.json), got none")
    return [_read_own(place) if (place / AUDITS).is_file() else _read_run(place, data_dir) for place in found]


def read_others(against: Sequence[str], data_dir: str | None = None) -> dict[str, list[RunResults]]:
    """Name of each other auditor -> its runs. A text is the folder of its results, or NAME=FOLDER.

    Raises ValueError for a name that comes twice, and as `read_results`.
    """
    found: dict[str, list[RunResults]] = {}
    for text in against:
        name, is_named, folder = text.partition("=")
        runs = read_results(Path(folder if is_named else text), data_dir)
        if name in found:
            raise ValueError(f"--against: expected another name for each auditor, got {name} twice (write NAME=FOLDER)")
        found[name] = [replace(run, name=f"{name}, {run.name}") for run in runs]
    return found


def shown_audits(
    run: RunResults, others: Mapping[str, Sequence[RunResults]] | None = None, common: bool = False
) -> list[Shown]:
    """Every audit of the run with the media of its mask, and what `others` said of it; `common`: only those of masks
    that all have audited.

    Raises ValueError for an audit whose mask the benchmark does not have, or, without `common`, another auditor has not
    seen.
    """
    answers = {
        name: {mask_key(p): p for one in own if one.eval_mode == run.eval_mode for p in one.predictions}
        for name, own in (others or {}).items()
    }
    places = {key: (one.sample, one.candidate) for key, one in run.own.items()} or {
        (sample.uid, str(sample.frame_idx), candidate.mask_name): (sample, candidate)
        for sample in read_test(run.data_dir, run.test_name, run.eval_mode).samples
        for candidate in sample.candidates
    }
    predictions = run.predictions
    if common:
        predictions = [p for p in predictions if all(mask_key(p) in own for own in answers.values())]
    return [_show(run, prediction, places, answers) for prediction in predictions]


def mask_key(prediction: Prediction) -> tuple:
    """What names a mask in all runs."""
    return prediction.uid, str(prediction.frame_idx), prediction.mask_path


def _show(run: RunResults, prediction: Prediction, places: dict, others: Mapping[str, dict]) -> Shown:
    key = mask_key(prediction)
    if key not in places:
        raise ValueError(f"{run.name}: expected masks of {run.data_dir}, got {prediction.mask_path}, which it has not")
    if unseen := [name for name, own in others.items() if key not in own]:
        got = f"{unseen[0]}, which has no audit of {prediction.mask_path} (--common shows the masks that all have)"
        raise ValueError(f"--against: expected the masks of {run.name}, got {got}")
    sample, candidate = places[key]
    truth = next((one for one in sample.candidates if one.audit.mask_type == "perfect"), None)
    said = {name: own[key] for name, own in others.items()}
    return Shown(run.name, prediction, sample, candidate, truth, said, run.test_name, run.own.get(key))


def _read_run(folder: Path, data_dir: str | None) -> RunResults:
    files = list(_prediction_files(folder))
    if len(files) > 1:
        raise ValueError(f"{folder}: expected one file predictions_*.jsonl, got {', '.join(f.name for f in files)}")
    record = folder / "run.json"
    settings = _settings_of(folder)
    test_name, eval_mode = settings.get("test_name"), settings.get("eval_mode")
    if test_name not in TEST_NAMES or eval_mode not in EVAL_MODES:
        raise ValueError(f"{record}: expected an evaluation's settings with test_name and eval_mode, got none")
    place = Path(data_dir or settings.get("data_dir"))
    predictions = read_predictions(files[0], settings.get("level") or STRICT)
    calibration = calibration_of_run(files[0])
    return RunResults(folder.name, test_name, eval_mode, _auditor(settings, record), place, predictions, calibration)


def _read_own(folder: Path) -> RunResults:
    audits = list(read_own_audits(folder / AUDITS))
    if not audits:
        raise ValueError(f"{folder / AUDITS}: expected audits, got none")
    own = {mask_key(one.prediction): one for one in audits}
    auditor = _auditor(_settings_of(folder), folder / "run.json")
    predictions, calibration = [one.prediction for one in audits], calibration_of_run(folder / AUDITS)
    return RunResults(folder.name, None, None, auditor, None, predictions, calibration, own)


def _settings_of(folder: Path) -> dict:
    record = folder / "run.json"
    return read_json(record).get("settings", {}) if record.is_file() else {}


def _auditor(settings: dict, record: Path) -> str:
    """Where the auditor was, or which model it is, and what its card says."""
    names = ("auditor_dir", "auditor", "model")  # of an evaluation, of scripts.audit, of another auditor
    place, card = next(filter(None, map(settings.get, names)), None), settings.get("auditor_card")
    return f"{place}, {Card.from_record(card, record).line()}" if card else str(place)


def _is_run(folder: Path) -> bool:
    return any(_prediction_files(folder)) or (folder / AUDITS).is_file()


def _prediction_files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.glob("predictions_*.jsonl")) if "video_avg" not in path.name)
