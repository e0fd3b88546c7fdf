"""A seed -> the videos of every part of a small benchmark, with referring expressions and the facts behind them.

A video depends on the seed, its part and its number, on nothing else: they can be drawn in any order.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass

import numpy as np

from dataset.benchmark.entries import NUM_FRAMES
from dataset.construction.referrals import Referral
from dataset.construction.source import SourceVideo
from dataset.world.looks import draw_looks
from dataset.world.motions import draw_motions
from dataset.world.phrases import draw_expression
from dataset.world.reference import FACETS, KINDS, Reference, references
from dataset.world.render import render
from dataset.world.scenes import Scene, Thing, draw_scene
from dataset.world.silhouettes import SEEN, UNSEEN
from dataset.world.sounds import draw_sounds

# Part of the world -> split of the benchmark. Validation becomes a benchmark of its own.
SPLITS = {"train": "train", "validation": "test_s", "test_s": "test_s", "test_u": "test_u"}
NAME_ONLY = "name_only"  # split of the rows that only say what an object is called; no benchmark takes them
# Two expressions of one video. What is dealt out after the key frame never shares a video with what can be seen in it,
# so that the choice of one target says nothing about the other.
PAIRS = (
    ("motion", "sound"),
    ("appearance", "position"),
    ("sound", "motion"),
    ("size", "appearance"),
    ("position", "size"),
)


@dataclass(frozen=True)
class DrawnVideo:
    """What `SourceWriter` writes, the rows of metadata.csv, and the facts as plain values."""

    scene: Scene
    video: SourceVideo
    referrals: list[Referral]  # those to be asked, then the names of the other objects
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
        names = [thing.look.category for thing in scene.things]
        referrals = [
            Referral(
                vid,
                f"{vid}_{names[ref.target]}_{i}",
                SPLITS[part],
                ref.target,
                draw_expression(rng, ref),
                scene.key_frame,
            )
            for i, ref in enumerate(asked, start=1)
        ]
        facts = {
            "key_frame": scene.key_frame,
            "objects": [_thing_facts(scene, thing) for thing in scene.things],
            "referrals": {
                referral.uid: {"fid": referral.fid, "expression": referral.expression, **_reference_facts(reference)}
                for referral, reference in zip(referrals, asked, strict=True)
            },
        }
        for fid, name in enumerate(names):
            if all(referral.fid != fid for referral in referrals):
                uid = f"{vid}_{name}_{len(asked) + fid + 1}"
                referrals.append(Referral(vid, uid, NAME_ONLY, fid, f"the {name}"))
        return DrawnVideo(
            scene, SourceVideo(vid, drawn.frames, dict(enumerate(drawn.masks)), drawn.waveform), referrals, facts
        )

    def scene(self, part: str, number: int) -> tuple[Scene, list[Reference], np.random.Generator]:
        """The scene of that video and what is to be asked of it; the generator goes on from there."""
        digest = hashlib.sha256(f"{self.seed}/{part}/{number}".encode()).digest()
        rng = np.random.default_rng(list(digest))
        kinds = (KINDS[number % len(KINDS)],) if part == "train" else PAIRS[number % len(PAIRS)]
        unseen = part == "test_u"
        facets = {kind: _draw_facet(rng, kind, with_nouns=not unseen) for kind in kinds}
        while True:
            scene = _try_scene(rng, facets, UNSEEN if unseen else SEEN)
            asked = scene and _choose(rng, scene, facets, with_nouns=not unseen)
            if asked:
                return scene, asked, rng


def _draw_facet(rng: np.random.Generator, kind: str, with_nouns: bool) -> str:
    facets = [facet for facet in FACETS[kind] if with_nouns or facet != "shape"]
    return facets[rng.integers(len(facets))]


def _try_scene(rng: np.random.Generator, facets: dict[str, str], categories: tuple[str, ...]) -> Scene | None:
    looks = draw_looks(rng, categories)
    motions = draw_motions(rng, len(looks), facets.get("motion"))
    return draw_scene(rng, looks, motions, draw_sounds(rng, len(looks), facets.get("sound")))


def _choose(rng: np.random.Generator, scene: Scene, facets: dict[str, str], with_nouns: bool) -> list[Reference]:
    """One reference per facet, each of another object; empty where the scene has none."""
    chosen: list[Reference] = []
    for kind, facet in facets.items():
        taken = {reference.target for reference in chosen}
        usable = [ref for ref in references(scene, kind, facet, with_nouns) if ref.target not in taken]
        if not usable:
            return []
        chosen.append(usable[rng.integers(len(usable))])
    return chosen


def _reference_facts(reference: Reference) -> dict:
    told = {name: getattr(reference, name) for name in ("colour", "category", "texture") if getattr(reference, name)}
    return {"kind": reference.kind, "facet": reference.facet, "told": told}


def _thing_facts(scene: Scene, thing: Thing) -> dict:
    """What is true of one object; x and y in pixels and areas as parts of the frame, in each of the ten frames."""
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
