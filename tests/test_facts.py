"""What is known at a slot of a told scene: only what the LLM can have read by then."""

import numpy as np
import pytest

from dataset.media.lengths import NUM_FRAMES
from dataset.world import descriptions as say
from scripts.pretrain.mini import facts
from scripts.pretrain.mini.language import tell
from scripts.pretrain.mini.told import LAST_FRAMES, TOLD_SLOTS


@pytest.fixture(scope="module")
def scenes():
    return [tell(7, number) for number in range(30)]


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_values_are_among_the_possible_ones(scenes, rng):
    for told in scenes:
        slots = told.frames(rng) + told.seconds(rng) + told.asked_frame(rng, True) + told.region(rng, [0])[1]
        for slot in slots:
            assert all(value in facts.FACTS[name] for name, value in slot.known.items())
            assert (slot.thing is None) == (not slot.known)


def test_a_motion_is_known_from_the_fifth_frame_on(scenes, rng):
    for told in scenes:
        slots = told.frames(rng)
        assert len(slots) == NUM_FRAMES * TOLD_SLOTS
        for at, slot in enumerate(slots):
            if slot.thing is None:
                continue
            motion, late = told.scene.things[slot.thing].motion, at // TOLD_SLOTS >= facts.LEAST_FRAMES
            assert slot.known.get("motion") == (motion.kind if late else None)
            assert ("motion" in slot.tells) == (at // TOLD_SLOTS >= NUM_FRAMES - LAST_FRAMES)


def test_the_first_place_is_that_of_the_first_frame(scenes, rng):
    told = next(told for told in scenes if any(thing.motion.kind == "left" for thing in told.scene.things))
    number, thing = next((i, t) for i, t in enumerate(told.scene.things) if t.motion.kind == "left")
    slots = [slot for slot in told.frames(rng) if slot.thing == number]
    columns = [say.COLUMNS.index(slot.known["column"]) for slot in slots]
    assert columns[-1] < columns[0]
    assert {slot.known["first column"] for slot in slots} == {say.COLUMNS[columns[0]]}
    assert {slot.known.get("across") for slot in slots} == {None, "left"}


def test_a_spinning_thing_is_turned_except_near_the_key_frame(scenes, rng):
    told = next(told for told in scenes if any(thing.motion.kind == "spinning" for thing in told.scene.things))
    slots, key_frame = told.frames(rng), told.scene.key_frame
    for t in range(NUM_FRAMES):
        bags = {number: bag for bag, number in say.frame_bags(told.scene, t - key_frame)}
        for slot in slots[t * TOLD_SLOTS : (t + 1) * TOLD_SLOTS]:
            if slot.thing is not None:
                share = bags[slot.thing][say.TURNED]
                assert slot.known.get("turned") == {0: facts.NO, 1: facts.YES}.get(share)
                assert not share or told.scene.things[slot.thing].motion.kind == "spinning"
                assert not share or t != key_frame
    number = next(i for i, thing in enumerate(told.scene.things) if thing.motion.kind == "spinning")
    known = [slot.known for slot in slots if slot.thing == number]
    assert {facts.YES, facts.NO} <= {one.get("turned") for one in known}
    assert {one.get("first turned") for one in known} == {known[0].get("turned")}


def test_sounds_are_known_in_the_asked_frame_once_they_were_heard(scenes, rng):
    for told in scenes:
        for slot in told.asked_frame(rng, heard=False):
            assert not {"silent", "pitch"} & slot.known.keys()
        for slot in told.asked_frame(rng, heard=True):
            if slot.thing is not None:
                sound = told.scene.things[slot.thing].sound
                assert slot.known["silent"] == (facts.NO if sound else facts.YES)
                assert slot.known.get("pitch") == (sound.pitch if sound else None)
                assert ("sound" in slot.tells) == (sound is None)


def test_who_began_before(scenes, rng):
    seen = set()
    for told in scenes:
        onsets = [thing.sound.onset for thing in told.scene.things if thing.sound]
        for slot in told.seconds(rng):
            if slot.thing is not None:
                known = slot.known["heard before"]
                assert (known == "nothing") == (told.scene.things[slot.thing].sound.onset == min(onsets))
                seen.add(known)
    assert seen == {"nothing", "others"}


def test_what_stands_alone_tells_nothing(scenes, rng):
    assert not any(slot.known or slot.tells for slot in scenes[0].still(rng, 3) + scenes[0].stretch(rng, 2, 7))


def test_how_large_a_thing_is_beside_the_other_one_of_its_region(scenes, rng):
    opposite = dict(zip(facts.FACTS["beside"], reversed(facts.FACTS["beside"]), strict=True))
    said = set()
    for told in scenes:
        first, second = (slot.known["beside"] for slot in told.region(rng, [0, 1])[1] if slot.thing is not None)
        assert second == opposite[first]
        said |= {first, second}
        assert not any("beside" in slot.known for slot in told.region(rng, [0])[1])
    assert said == set(facts.FACTS["beside"])
