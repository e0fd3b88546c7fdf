"""The clips of the last requests as files: a video that is asked about again is not read again."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import weakref
from collections import OrderedDict
from pathlib import Path

import numpy as np

from dataset.media.frame_folder import list_images
from dataset.media.lengths import NUM_FRAMES
from scripts.clips.files import ClipFiles, find_clip
from scripts.clips.request import ClipRequest, is_path

MOST_CLIPS = 16  # in the temporary folder at once; ten frames of 1920 x 1080 are about 30 MB


class ClipStore:
    """What is written of videos and of arrays lies in a temporary folder, which is removed together with the store."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="mq-auditor-"))
        self.clips: OrderedDict[str, ClipFiles] = OrderedDict()
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)

    def find(self, request: ClipRequest, name: str) -> ClipFiles:
        """The clip of a request, whose `clip_name` is `name`. Valid until MOST_CLIPS other clips have been asked for.

        Raises FileNotFoundError, ValueError as `find_clip`.
        """
        if name not in self.clips:
            shutil.rmtree(self.folder / name, ignore_errors=True)  # left of a clip that could not be read
            self.clips[name] = find_clip(request, self.folder / name)
        self.clips.move_to_end(name)
        while len(self.clips) > MOST_CLIPS:
            oldest, _ = self.clips.popitem(last=False)
            shutil.rmtree(self.folder / oldest, ignore_errors=True)
        return self.clips[name]


class ClipNames:
    """Names clips: equal names mean the same files, unchanged, or arrays of equal content."""

    def __init__(self):
        self.digests: dict[int, tuple[np.ndarray, str]] = {}  # of each array once, however many requests share it

    def name(self, request: ClipRequest) -> str:
        """A name for the request's clip that may be the name of a folder."""
        sound, rate = (request.audio, 0) if request.audio is None or is_path(request.audio) else request.audio
        parts = [request.video, request.frames, sound]
        how = [rate, request.at, request.fps, request.still, request.no_audio, _chosen_by(request)]
        return hashlib.sha256(repr([*map(self._content, parts), *how]).encode()).hexdigest()[:32]

    def _content(self, given) -> object:
        if given is None:
            return None
        if is_path(given):
            return file_states(Path(given))
        if id(given) not in self.digests:
            digest = hashlib.blake2b(np.ascontiguousarray(given)).hexdigest()
            self.digests[id(given)] = given, f"{given.shape} {given.dtype} {digest}"
        return self.digests[id(given)][1]


def _chosen_by(request: ClipRequest) -> int | None:
    """The audited frame, where it decides which ten of a folder's frames are shown."""
    if request.frames is None or not is_path(request.frames) or request.still:
        return None
    folder = Path(request.frames)
    count = len(list_images(folder)) if folder.is_dir() else NUM_FRAMES
    return None if count == NUM_FRAMES and not request.fps else request.frame


def file_states(path: Path) -> list[tuple]:
    """What tells whether a file, or a file of a folder, is another one than before; no error if it is missing."""
    try:
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        states = [(file, file.stat()) for file in files]
    except OSError:
        return [(str(path.absolute()),)]
    return [(str(f.absolute()), s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns) for f, s in states]
