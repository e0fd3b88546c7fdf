"""Masks of the frames of clips: DAVIS palettes, and the mask folders of Ref-AVS systems."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from configs.audit import AuditArguments
from dataset.construction.stills import clean_expression
from dataset.media.frame_folder import NumberedImage, list_alike, list_images
from dataset.own.palettes import EXPRESSIONS, read_expressions, read_objects
from dataset.referring.expressions import Expression
from dataset.referring.layout import ReferringData
from dataset.referring.masks import MaskFolder
from scripts.own_masks.masks import OwnMask, Source, ask_about, mask_array, numbered


def read_davis(args: AuditArguments) -> Source:
    """One mask for each number of a palette and each of its expressions. Raises as `open_source`."""
    masks, frames = Path(args.davis), Path(args.images)
    for folder in (masks, frames):
        if not folder.is_dir():
            raise FileNotFoundError(f"{folder}: no such folder")
    clips = sorted(path for path in masks.iterdir() if path.is_dir())
    if not clips:
        raise FileNotFoundError(f"--davis {masks}: expected folders such as CLIP/00000.png, got none")
    texts = read_expressions(masks, {clip.name for clip in clips})
    if not (args.expression or texts):
        expected = f"what its objects are in {masks / EXPRESSIONS} (clip,object,expression) or with --expression"
        raise ValueError(f"--davis: expected {expected}, got neither")
    palettes = Palettes(frames, args, texts)
    return Source(palettes.masks(clips), None, palettes.left_out)


@dataclass
class Palettes:
    """`texts`: (clip, number of the palette) -> expressions; --expression stands for all of them."""

    frames: Path
    args: AuditArguments
    texts: dict[tuple[str, int], tuple[str, ...]]
    empty: list[str] = field(default_factory=list)
    unnamed: dict[str, None] = field(default_factory=dict)

    def masks(self, clips: list[Path]) -> Iterator[OwnMask]:
        for clip in clips:
            frames = self.frames / clip.name
            if not frames.is_dir():
                raise FileNotFoundError(f"{clip}: expected its frames in {frames}, got no such folder")
            place_of = {image.number: place for place, image in enumerate(list_images(frames))}
            for image in list_alike(clip):
                if image.number not in place_of:
                    raise FileNotFoundError(f"{image.path}: expected its frame in {frames}, got none")
                yield from self._of_picture(image, frames, place_of[image.number])

    def _of_picture(self, image: NumberedImage, frames: Path, place: int) -> Iterator[OwnMask]:
        clip = {"frames": frames, "frame": place, "no_audio": True, "fps": self.args.fps}
        objects = read_objects(image.path)
        if not objects:
            self.empty.append(str(image.path))
        for number, mask in objects.items():
            expressions = tuple(self.args.expression) or self.texts.get((frames.name, number), ())
            if not expressions:
                self.unnamed[f"{frames.name}: {number}"] = None
            carried = {"sequence": frames.name, "image": image.path.name, "object": number}
            for place_of_text, words in enumerate(expressions):
                name = numbered(f"{frames.name}/{image.path.stem}: {number}", place_of_text, expressions)
                request = ask_about(str(image.path), mask=mask_array(mask), expression=words, **clip)
                yield OwnMask(name, request, carried)

    def left_out(self) -> list[str]:
        """Sentences."""
        unnamed = list(self.unnamed)
        said = (
            [f"{EXPRESSIONS} has no expression of {len(unnamed)} objects, for example {unnamed[0]}"] if unnamed else []
        )
        if self.empty:
            said.append(f"no object (0 and 255 are none): {len(self.empty)} pictures, for example {self.empty[0]}")
        return said


def read_mask_root(args: AuditArguments) -> Source:
    """One mask for each frame of each expression that has masks. Raises as `open_source`."""
    data, folder = ReferringData(Path(args.data_dir)), MaskFolder(args.mask_root)
    expressions = data.expressions(args.test_name)
    lacking: list[str] = []

    def masks() -> Iterator[OwnMask]:
        for expression in expressions:
            found = folder.read(expression)
            if not any(found):
                lacking.append(expression.key)
            clip = {"frames": data.frame_path(data.media_vid(expression), 0).parent, "no_audio": args.no_audio}
            clip |= {} if args.no_audio else {"audio": data.audio_path(expression)}
            words = clean_expression(expression.text, expression.uid)
            for frame, mask in enumerate(found):
                if mask is not None:
                    one = {"mask": mask_array(mask.hard), "expression": words, "frame": frame}
                    carried = {"uid": expression.uid, "vid": expression.vid, "split": expression.split}
                    yield OwnMask(f"{expression.key}/{frame:05d}", ask_about(expression.uid, **one, **clip), carried)

    return Source(masks(), None, lambda: _not_asked(args, expressions, lacking))


def _not_asked(args: AuditArguments, expressions: list[Expression], lacking: list[str]) -> list[str]:
    """What has no mask, and masks that belong to nothing."""
    said = [f"no mask of {len(lacking)} expressions, for example {lacking[0]}"] if lacking else []
    known = {name for one in expressions for name in (one.key, one.uid)}
    given = sorted(path for path in Path(args.mask_root).iterdir() if path.is_dir() or path.suffix in (".npy", ".npz"))
    foreign = [path.name for path in given if (path.name if path.is_dir() else path.stem) not in known]
    splits = ", ".join(args.test_name)
    return said + ([f"of no expression in {splits}: {len(foreign)} masks, for example {foreign[0]}"] if foreign else [])
