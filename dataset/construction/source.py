"""Reads and writes a segmentation dataset in the layout of Ref-AVSBench.

media/<vid>/frames/{0..9}.jpg, media/<vid>/audio.wav, gt_mask/<vid>/fid_<n>/0000{0..9}.png, metadata.csv
The rows of metadata.csv are read by `referrals`.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from dataset.benchmark.links import refuse_links
from dataset.benchmark.samples import Problem
from dataset.benchmark.validation import attempt, checked
from dataset.construction.referrals import Referral, is_plain_name, read_referrals, write_metadata
from dataset.media.frame_folder import stray_doubt
from dataset.media.images import encode_mask, examine_frame, read_mask, read_upright_frame
from dataset.media.lengths import CLIP_SECONDS, NUM_FRAMES
from dataset.media.usable import Usable, fit_doubt, log_doubts, size_doubt, usable_frame, usable_mask, usable_sound
from dataset.media.waveform import SAMPLE_RATE, write_wav
from utils.spelling import existing_path
from utils.whole_files import whole_file

METADATA = "metadata.csv"
JPEG_QUALITY = 95
UNNAMED_OBJECT = "object"  # name of an object with masks on disk but without a row in metadata.csv


class SourceLayout:
    """Where the files of one dataset folder are."""

    def __init__(self, root: str | Path):
        self.root = Path(root)

    def frame_path(self, vid: str, frame: int) -> Path:
        return existing_path(self.root / "media" / vid / "frames" / f"{frame}.jpg")

    def audio_path(self, vid: str) -> Path:
        return existing_path(self.root / "media" / vid / "audio.wav")

    def mask_path(self, vid: str, fid: int, frame: int) -> Path:
        return existing_path(self.root / "gt_mask" / vid / f"fid_{fid}" / f"{frame:05d}.png")


class RefAVSBench(SourceLayout):
    """The dataset to read. `referrals`: the usable rows. `left_out`: reason -> uids of the other rows.

    `row_problems`: the rows that are at fault themselves, with their lines.

    Raises FileNotFoundError or ValueError when there is no such folder or its metadata.csv cannot be read.
    """

    def __init__(self, root: str | Path, allow_links: bool = False):
        super().__init__(root)
        self.allow_links = allow_links
        if not self.root.is_dir():
            raise FileNotFoundError(f"source folder {root}: no such folder (set REF_AVSBENCH_DIR)")
        self._refuse_link(self.root / METADATA)
        metadata = read_referrals(self.root / METADATA)
        self.referrals: list[Referral] = metadata.referrals
        self.left_out: dict[str, list[str]] = metadata.left_out
        self.row_problems: list[Problem] = metadata.problems
        self._names = metadata.object_names

    def object_names(self, vid: str) -> dict[int, str]:
        """fid -> name of every object that has a mask folder, in the order of the fids.

        Names come from rows of all splits; the most frequent one counts. An object without a row is an "object".
        """
        folder = existing_path(self.root / "gt_mask" / vid)
        matches = (
            re.fullmatch(r"fid_(0|[1-9][0-9]{0,5})", path.name) for path in folder.glob("fid_*") if path.is_dir()
        )
        fids = sorted(int(match[1]) for match in matches if match)
        return {fid: self._names.get((vid, fid), UNNAMED_OBJECT) for fid in fids}

    def read_masks(self, vid: str, frame: int) -> dict[int, np.ndarray]:
        """fid -> (H, W) bool of every object of the video in one frame. Raises FileNotFoundError, ValueError."""
        return {fid: read_mask(self.mask_path(vid, fid, frame)) for fid in self.object_names(vid)}

    def problems(self, referrals: Iterable[Referral], num_threads: int = 4) -> list[Problem]:
        """What is wrong with the files of these referrals' videos.

        Every file is decoded, and every mask must have the size of its frame.
        """
        referrals = list(referrals)
        fids: dict[str, list[int]] = {}
        for referral in referrals:
            fids.setdefault(referral.vid, list(self.object_names(referral.vid)))
            if referral.fid not in fids[referral.vid]:
                fids[referral.vid].append(referral.fid)
        faults = self._faults(fids, num_threads)
        return [Problem(referral.uid, fault) for referral in referrals for fault in faults[referral.vid]]

    def _faults(self, fids: dict[str, list[int]], num_threads: int) -> dict[str, list[str]]:
        """vid -> one sentence for each of its files that cannot be used. `fids`: vid -> numbers of its objects."""
        frames = [self.frame_path(vid, t) for vid in fids for t in range(NUM_FRAMES)]
        audios = [self.audio_path(vid) for vid in fids]
        masks = [path for vid in fids for _, _, path in self._masks(vid, fids[vid])]
        total = len(frames) + len(audios) + len(masks)
        with (
            ThreadPoolExecutor(num_threads) as pool,
            tqdm(total=total, desc="checking source", unit="file", leave=False) as bar,
        ):
            found = dict(zip(frames, checked(pool, bar, attempt(self._inside(usable_frame)), frames), strict=True))
            found |= zip(audios, checked(pool, bar, attempt(self._inside(usable_sound)), audios), strict=True)
            found |= zip(masks, checked(pool, bar, attempt(self._inside(usable_mask)), masks), strict=True)
        log_doubts(found | {f"video {vid}": Usable(self._doubt(vid, found)) for vid in fids})
        return {vid: list(self._video_faults(vid, fids[vid], found)) for vid in fids}

    def _inside(self, check: Callable) -> Callable:
        """The check of a file, after that of a link that leads out of the dataset."""

        def run(path: Path):
            self._refuse_link(path)
            return check(path)

        return run

    def _refuse_link(self, path: Path) -> None:
        if not self.allow_links:
            refuse_links(self.root, [path])

    def _video_faults(self, vid: str, fids: list[int], found: dict[Path, Usable | str]) -> Iterator[str]:
        """`found`: path -> what is known of a file, or a sentence for a file that cannot be used."""
        paths = [self.frame_path(vid, t) for t in range(NUM_FRAMES)] + [self.audio_path(vid)]
        yield from (found[path] for path in paths if isinstance(found[path], str))
        for _, frame, path in self._masks(vid, fids):
            mask, shown = found[path], found[self.frame_path(vid, frame)]
            if isinstance(mask, str):
                yield mask
            elif not isinstance(shown, str) and (doubt := fit_doubt(mask.size, shown.size)):
                yield f"{path}: {doubt}"

    def _doubt(self, vid: str, found: dict[Path, Usable | str]) -> str | None:
        paths = [self.frame_path(vid, t) for t in range(NUM_FRAMES)]
        sizes = size_doubt(found[path].size for path in paths if isinstance(found[path], Usable))
        return "; ".join(filter(None, (sizes, stray_doubt(paths)))) or None

    def _masks(self, vid: str, fids: list[int]) -> Iterator[tuple[int, int, Path]]:
        return ((fid, frame, self.mask_path(vid, fid, frame)) for fid in fids for frame in range(NUM_FRAMES))


@dataclass(frozen=True)
class SourceVideo:
    """One video to be written. Its ten frames have one size, and so have their masks."""

    vid: str
    frames: Sequence[np.ndarray | Path]  # (H, W, 3) uint8 RGB, or an image file
    objects: Mapping[int, Sequence[np.ndarray]]  # fid -> ten (H, W) bool
    waveform: np.ndarray | None = None  # (num_samples,) 16 kHz in [-1, 1]; None is ten seconds of silence

    @classmethod
    def of_still(
        cls, vid: str, picture: np.ndarray | Path, masks: Mapping[int, np.ndarray], waveform: np.ndarray | None = None
    ) -> SourceVideo:
        """A video of ten equal frames: one picture with the (H, W) bool masks of its objects."""
        return cls(vid, [picture] * NUM_FRAMES, {fid: [mask] * NUM_FRAMES for fid, mask in masks.items()}, waveform)


class SourceWriter(SourceLayout):
    """Writes a folder that `RefAVSBench` reads. Files never appear half written. Write metadata.csv last."""

    def write_video(self, video: SourceVideo) -> None:
        """Write frames, sound and masks. Equal pictures are stored once and linked. Raises OSError, ValueError."""
        _check_video(video)
        self._write_series(video.frames, lambda t: self.frame_path(video.vid, t), _write_frame)
        for fid, masks in video.objects.items():
            self._write_series(masks, lambda t, fid=fid: self.mask_path(video.vid, fid, t), _write_mask)
        waveform = np.zeros(CLIP_SECONDS * SAMPLE_RATE) if video.waveform is None else video.waveform
        write_wav(self.audio_path(video.vid), waveform, SAMPLE_RATE, subtype="PCM_16")

    def write_metadata(self, referrals: Iterable[Referral]) -> None:
        write_metadata(self.root / METADATA, referrals)

    def _write_series(self, pictures: Sequence, path_at: Callable[[int], Path], write: Callable) -> None:
        for picture, times in _grouped(pictures):
            first = path_at(times[0])
            with whole_file(first) as path:
                write(path, picture)
            for t in times[1:]:
                with whole_file(path_at(t)) as path:
                    _link_or_copy(first, path)


def _check_video(video: SourceVideo) -> None:
    if not is_plain_name(video.vid):
        raise ValueError(f"vid: expected a plain folder name, got {video.vid!r}")
    if len(video.frames) != NUM_FRAMES:
        raise ValueError(f"video {video.vid}: expected {NUM_FRAMES} frames, got {len(video.frames)}")
    sizes = {frame_size(picture) for picture, _ in _grouped(video.frames)}
    if len(sizes) > 1:
        raise ValueError(f"video {video.vid}: expected frames of one size (height, width), got {sorted(sizes)}")
    (size,) = sizes
    for fid, masks in video.objects.items():
        if len(masks) != NUM_FRAMES:
            raise ValueError(f"video {video.vid}: object {fid}: expected {NUM_FRAMES} masks, got {len(masks)}")
        for mask in masks:
            if mask.dtype != bool or mask.shape != size:
                expected, got = f"bool of the frame's size {size}", f"{mask.dtype} of size {mask.shape}"
                raise ValueError(f"video {video.vid}: object {fid}: expected a mask of type {expected}, got {got}")


def frame_size(picture: np.ndarray | Path) -> tuple[int, int]:
    """(H, W) of the picture as it will be written. A file is decoded, and turned if its EXIF data say so."""
    if isinstance(picture, Path):
        return examine_frame(picture).upright_size
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise ValueError(f"expected a frame as (H, W, 3) uint8, got {picture.shape} {picture.dtype}")
    return picture.shape[:2]


def _write_frame(path: Path, picture: np.ndarray | Path) -> None:
    if isinstance(picture, Path) and examine_frame(picture).is_plain_jpeg:
        shutil.copyfile(picture, path)  # encoding it again would lower its quality
        return
    pixels = read_upright_frame(picture) if isinstance(picture, Path) else picture
    Image.fromarray(pixels).save(path, format="JPEG", quality=JPEG_QUALITY)


def _write_mask(path: Path, mask: np.ndarray) -> None:
    path.write_bytes(encode_mask(mask))


def _grouped(pictures: Sequence[np.ndarray | Path]) -> list[tuple[np.ndarray | Path, list[int]]]:
    """Each different picture with its positions in the list."""
    groups: dict[object, tuple[np.ndarray | Path, list[int]]] = {}
    for place, picture in enumerate(pictures):
        key = picture if isinstance(picture, Path) else (picture.shape, hashlib.sha256(picture.tobytes()).digest())
        groups.setdefault(key, (picture, []))[1].append(place)
    return list(groups.values())


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        target.unlink(missing_ok=True)
        os.link(source, target)
    except OSError:  # a file system without links
        shutil.copyfile(source, target)
