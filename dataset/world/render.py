"""Renders a scene: ten frames, the mask of each object in each frame, and the sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from dataset.media.lengths import NUM_FRAMES
from dataset.world.looks import COLOURS
from dataset.world.scenes import FRAME_SIZE, Scene, Thing
from dataset.world.silhouettes import outline
from dataset.world.sounds import waveform

SUBPIXEL_BITS = 4
RIM = 0.07  # width of an object's pale rim as a part of the object's width; at least MIN_RIM pixels
MIN_RIM = 1.6
PALE = 0.7  # share of white in the rim's colour; the rim differs from object, background and black
PERIOD = 0.24  # one stripe and its gap as a part of the object's width; at least MIN_PERIOD pixels
MIN_PERIOD = 6.5
GREYS = (95, 165)  # lightness of backgrounds
NOISE = 2.5  # standard deviation in grey levels


@dataclass(frozen=True)
class Rendering:
    """(224, 224, 3) uint8 frames, as many (224, 224) bool masks for each thing, and (160000,) sound at 16 kHz."""

    frames: list[np.ndarray]
    masks: list[list[np.ndarray]]
    waveform: np.ndarray


def render(scene: Scene, moments: Sequence[int] = range(NUM_FRAMES)) -> Rendering:
    """All ten frames, or some of them, and the sound."""
    frames, masks = render_pictures(scene, moments)
    heard = [(thing.look.texture, thing.sound) for thing in scene.things if thing.sound]
    return Rendering(frames, masks, waveform(heard, np.random.default_rng([scene.paint_seed, 2])))


def render_pictures(
    scene: Scene, moments: Sequence[int] = range(NUM_FRAMES)
) -> tuple[list[np.ndarray], list[list[np.ndarray]]]:
    """The frames and masks of `Rendering` alone. A pixel belongs to the mask of the foremost thing only."""
    backdrop = _background(np.random.default_rng([scene.paint_seed, 0]))
    masks: list[list[np.ndarray]] = [[] for _ in scene.things]
    frames = []
    for t in moments:
        frame, visible = _draw_frame(scene, backdrop, t - scene.key_frame)
        noise = np.random.default_rng([scene.paint_seed, 1, t]).standard_normal(frame.shape[:2])
        frames.append(np.clip(np.round(frame + NOISE * noise[..., None]), 0, 255).astype(np.uint8))
        for listed, mask in zip(masks, visible, strict=True):
            listed.append(mask)
    return frames, masks


def _draw_frame(scene: Scene, backdrop: np.ndarray, frames_on: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """The frame, (224, 224, 3) float, and the visible part of each thing's mask."""
    frame, visible = backdrop.copy(), []
    for thing in scene.things:
        cover, window, pixels = _draw_thing(thing, frames_on)
        alpha = cover[window][..., None] / np.float32(255)
        frame[window] = frame[window] * (1 - alpha) + pixels * alpha
        mask = cover > 127
        visible = [earlier & ~mask for earlier in visible] + [mask]
    return frame, visible


def _draw_thing(thing: Thing, frames_on: int) -> tuple[np.ndarray, tuple[slice, slice], np.ndarray]:
    """The thing's cover of each pixel of the frame (0 to 255), a window around it, and its colours in the window."""
    width = FRAME_SIZE * thing.area(frames_on) ** 0.5
    angle, (x, y) = thing.angle(frames_on), thing.centre(frames_on)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners = outline(thing.look.category) @ turn.T * width + (x, y)
    cover = np.zeros((FRAME_SIZE, FRAME_SIZE), np.uint8)
    fixed = np.round(corners * 2**SUBPIXEL_BITS).astype(np.int32)
    cv2.fillPoly(cover, [fixed], 255, cv2.LINE_AA, SUBPIXEL_BITS)
    left, top = np.maximum(np.floor(corners.min(axis=0)).astype(int) - 2, 0)
    right, bottom = np.ceil(corners.max(axis=0)).astype(int) + 3
    window = slice(top, bottom), slice(left, right)
    inside = cv2.copyMakeBorder((cover[window] > 127).view(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    depth = cv2.distanceTransform(inside, cv2.DIST_L2, 5)[1:-1, 1:-1]
    rows, columns = np.mgrid[window].astype(np.float32)
    across = (columns - x) * turn[0, 0] + (rows - y) * turn[1, 0]  # in the object's own upright frame, pixels
    down = (columns - x) * turn[0, 1] + (rows - y) * turn[1, 1]
    return cover, window, _colours(thing, across, down, depth, width)


def _colours(thing: Thing, across: np.ndarray, down: np.ndarray, depth: np.ndarray, width: float) -> np.ndarray:
    """(h, w, 3) float32: the texture in two shades of the object's colour, with its rim."""
    light = np.float32(COLOURS[thing.look.colour])
    dark = light * np.float32(0.42)
    share = _texture(thing.look.texture, across, down, width)[..., None]
    pixels = light * (1 - share) + dark * share
    rim = depth <= max(MIN_RIM, RIM * width)
    return np.where(rim[..., None], light * np.float32(1 - PALE) + np.float32(255 * PALE), pixels)


def _texture(texture: str, across: np.ndarray, down: np.ndarray, width: float) -> np.ndarray:
    """(h, w) in [0, 1]: how dark a pixel is."""
    period = max(MIN_PERIOD, PERIOD * width)
    u, v = across / period, down / period
    if texture == "striped":
        return _soft(np.cos(2 * np.pi * (u * 0.8 + v * 0.6)), period)
    if texture == "dotted":
        return _soft(np.cos(2 * np.pi * u) + np.cos(2 * np.pi * v) - 0.75, period)
    if texture == "checked":
        return _soft(2 * np.cos(np.pi * u - 0.8) * np.cos(np.pi * v - 0.8), period)
    if texture == "ringed":
        return _soft(np.cos(2 * np.pi * np.hypot(u - 0.4, v + 0.4)), period)
    if texture == "zigzag":
        return _soft(np.cos(2 * np.pi * (v + 0.45 * np.abs((u * 0.8) % 1 * 2 - 1))), period)
    return np.clip(0.28 * (1 + (0.6 * across + 0.8 * down) / (0.55 * width)), 0, 0.6)  # plain: lit from one side


def _soft(wave: np.ndarray, period: float) -> np.ndarray:
    """A wave in [-1, 1] as dark and light areas with edges about a pixel wide."""
    return np.clip(0.5 + wave * period / 6, 0, 1)


def _background(rng: np.random.Generator) -> np.ndarray:
    """(224, 224, 3) float32: a greyish ground with soft patches, a slope of light and a fine grain."""
    base = rng.uniform(*GREYS) + rng.uniform(-14, 14, 3)
    ground = np.tile(base.astype(np.float32), (FRAME_SIZE, FRAME_SIZE, 1))
    for cells, strength in ((4, 10), (12, 5), (40, 4)):
        patches = rng.normal(0, strength, (cells, cells)).astype(np.float32)
        ground += cv2.resize(patches, (FRAME_SIZE, FRAME_SIZE), interpolation=cv2.INTER_CUBIC)[..., None]
    slope = np.linspace(-1, 1, FRAME_SIZE, dtype=np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    light = np.cos(angle) * slope[None, :] + np.sin(angle) * slope[:, None]
    return ground + np.float32(10) * light[..., None]
