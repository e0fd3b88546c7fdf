"""A world whose drawing was killed is drawn on; a folder with something else is left alone."""

import json

import pytest

from scripts.benchmark.draw_world import BEGUN, FACTS, is_drawn

RUN = {"seed": 0, "videos": {"train": 1}}


def write(path, content):
    path.write_text(json.dumps(content))


@pytest.mark.parametrize("left", ["metadata.csv", "world.png", ".facts.json.12-0123abcd.tmp", "media"])
def test_a_drawing_that_was_killed_goes_on(tmp_path, left):
    write(tmp_path / BEGUN, {"world": RUN})
    (tmp_path / left).touch()
    assert not is_drawn(tmp_path, RUN)


def test_a_drawing_killed_at_its_very_beginning(tmp_path):
    for name in (f".{BEGUN}.12-0123abcd.tmp", ".drawing.lock"):
        (tmp_path / name).touch()
    assert not is_drawn(tmp_path, RUN)


def test_a_whole_world_is_left_alone(tmp_path):
    write(tmp_path / FACTS, {"world": RUN, "videos": {}})
    write(tmp_path / BEGUN, {"world": RUN})
    assert is_drawn(tmp_path, RUN)


@pytest.mark.parametrize("name", [BEGUN, FACTS])
def test_another_world_is_refused(tmp_path, name):
    write(tmp_path / name, {"world": RUN | {"seed": 1}})
    with pytest.raises(ValueError, match="expected a new folder or the world"):
        is_drawn(tmp_path, RUN)


@pytest.mark.parametrize("name", ["metadata.csv", "media", "notes.txt"])
def test_a_folder_of_somebody_else_is_refused(tmp_path, name):
    (tmp_path / name).touch()
    with pytest.raises(ValueError, match="new or empty folder, got one with other files"):
        is_drawn(tmp_path, RUN)
