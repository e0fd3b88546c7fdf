"""A seed -> the videos of every part of a small source dataset, with referring expressions and their facts.

A video depends only on the seed, its part and its number, so videos can be drawn in any order.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass

import numpy as np

from dataset.benchmark.uids import make_uid
from dataset.construction.referrals import NAME_ONLY, Referral
from dataset.construction.source import SourceVideo
from dataset.media.lengths import NUM_FRAMES
from dataset.world.looks import draw_looks
from dataset.world.motions import draw_motions
from dataset.world.phrases import draw_expression
from dataset.world.reference import FACETS, KINDS, Reference, references
from dataset.world.render import render
from dataset.world.scenes import Scene, Thing, draw_scene
from dataset.world.silhouettes import SEEN, UNSEEN
from dataset.world.sounds import draw_sounds

# Part of the world -> split of a benchmark. The validation part is for a second benchmark.
SPLIT_OF_PART = {"train": "train", "validation": "test_s", "test_s": "test_s", "test_u": "test_u"}
# The kinds of the two expressions of a test video. Motion and sound are drawn after the key frame is laid out; they are
# never paired with a kind that the key frame shows. So knowing one target does not help to guess the other.
PAIRS = (
    ("motion", "sound"),
    ("appearance", "position"),
    ("sound", "motion"),
    ("size", "appearance"),
    ("position", "size"),
)


@dataclass(frozen=True)
class DrawnVideo:
    """One video with its referring expressions. `facts` says what is true of its objects, as values for JSON."""

    scene: Scene
    video: SourceVideo
    referrals: list[Referral]  # the rows of metadata.csv: referring expressions, then names of the other objects
    facts: dict  # {"key_frame": 4, "objects": [{"category": ...}], "referrals": {uid: {"kind": ..., "fid": ...}}}


@dataclass(frozen=True)
class World:
    """All videos of one seed."""

    seed: int = 0

    def video(self, part: str, number: int) -> DrawnVideo:
        """The video of that number (from 0) of "train", "validation", "test_s" or "test_u"."""
        vid = f"{part}_{number:04d}"
        scene, asked, rng = self.scene(part, number)
        drawn = render(scene)
        video = SourceVideo(vid, drawn.frames, dict(enumerate(drawn.masks)), drawn.waveform)
        referrals = _referrals(vid, SPLIT_OF_PART[part], scene, asked, rng)
        return DrawnVideo(scene, video, referrals + _name_rows(vid, scene, asked), _facts(scene, asked, referrals))

    def scene(self, part: str, number: int) -> tuple[Scene, list[Reference], np.random.Generator]:
        """The scene of that video and what its expressions refer to.

        Also returns the random generator; `video` draws the wording of the expressions from it.
        """
        digest = hashlib.sha256(f"{self.seed}/{part}/{number}".encode()).digest()
        rng = np.random.default_rng(list(digest))
        kinds = (KINDS[number % len(KINDS)],) if part == "train" else PAIRS[number % len(PAIRS)]
        is_unseen = part == "test_u"
        categories = UNSEEN if is_unseen else SEEN
        facets = {kind: _draw_facet(rng, kind, with_nouns=not is_unseen) for kind in kinds}
        while True:
            scene = _try_scene(rng, facets, categories)
            asked = _choose(rng, scene, facets, with_nouns=not is_unseen) if scene else []
            if asked:
                return scene, asked, rng


def _referrals(vid: str, split: str, scene: Scene, asked: list[Reference], rng: np.random.Generator) -> list[Referral]:
    """One row with a referring expression for each reference."""
    rows = []
    for number, reference in enumerate(asked, start=1):
        uid = make_uid(vid, scene.things[reference.target].look.category, number)
        rows.append(Referral(vid, uid, split, reference.target, draw_expression(rng, reference), scene.key_frame))
    return rows


def _name_rows(vid: str, scene: Scene, asked: list[Reference]) -> list[Referral]:
    """One row for each object without a referring expression. It only gives the object's name."""
    targets = {reference.target for reference in asked}
    rows = []
    for fid, thing in enumerate(scene.things):
        name = thing.look.category
        if fid not in targets:
            rows.append(Referral(vid, make_uid(vid, name, len(asked) + fid + 1), NAME_ONLY, fid, f"the {name}"))
    return rows


def _facts(scene: Scene, asked: list[Reference], referrals: list[Referral]) -> dict:
    return {
        "key_frame": scene.key_frame,
        "objects": [_thing_facts(scene, thing) for thing in scene.things],
        "referrals": {
            referral.uid: {"fid": referral.fid, "expression": referral.expression, **_reference_facts(reference)}
            for referral, reference in zip(referrals, asked, strict=True)
        },
    }


def _draw_facet(rng: np.random.Generator, kind: str, with_nouns: bool) -> str:
    facets = [facet for facet in FACETS[kind] if with_nouns or facet != "shape"]
    return facets[rng.integers(len(facets))]


def _try_scene(rng: np.random.Generator, facets: dict[str, str], categories: tuple[str, ...]) -> Scene | None:
    looks = draw_looks(rng, categories)
    motions = draw_motions(rng, len(looks), facets.get("motion"))
    return draw_scene(rng, looks, motions, draw_sounds(rng, len(looks), facets.get("sound")))


def _choose(rng: np.random.Generator, scene: Scene, facets: dict[str, str], with_nouns: bool) -> list[Reference]:
    """One reference for each facet, no two to the same object; empty when the scene does not allow this."""
    chosen: list[Reference] = []
    for kind, facet in facets.items():
        taken = {reference.target for reference in chosen}
        usable = [ref for ref in references(scene, kind, facet, with_nouns) if ref.target not in taken]
        if not usable:
            return []
        chosen.append(usable[rng.integers(len(usable))])
    return chosen


def _reference_facts(reference: Reference) -> dict:
    named = {name: getattr(reference, name) for name in ("colour", "category", "texture")}
    told = {name: value for name, value in named.items() if value}
    return {"kind": reference.kind, "facet": reference.facet, "told": told}


def _thing_facts(scene: Scene, thing: Thing) -> dict:
    """What is true of one object. Centres (x, y) are in pixels, areas are fractions of the frame; ten values each."""
    frames_on = [t - scene.key_frame for t in range(NUM_FRAMES)]
    return {
        "category": thing.look.category,
        "colour": thing.look.colour,
        "texture": thing.look.texture,
        "centres": [[round(value, 2) for value in thing.centre(n)] for n in frames_on],
        "areas": [round(thing.area(n), 5) for n in frames_on],
        "angles": [round(thing.angle(n), 4) for n in frames_on],
        "motion": asdict(thing.motion),
        "sound": thing.sound and asdict(thing.sound),
    }
