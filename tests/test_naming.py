"""Qwen2.5-VL names objects, Rex-Omni finds them: a tiny model of the same class, and recorded replies."""

import json

import numpy as np
import pytest
import torch

from models.segmenting.boxes import Box
from models.segmenting.name import QUESTION, Namer, parse_names
from models.segmenting.qwen import IMAGE_TOKEN, load_qwen
from models.segmenting.rex_omni import RexOmniGrounder, parse_boxes
from tests.object_models import save_qwen

IMAGE = np.random.default_rng(0).integers(0, 255, (70, 110, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_qwen(tmp_path_factory.mktemp("qwen"))


@pytest.fixture(scope="module")
def qwen(folder):
    return load_qwen(folder)


def test_the_same_question_gets_the_same_answer(qwen):
    answers = {qwen(IMAGE, "What is this?", max_new_tokens=12, keep_special_tokens=True) for _ in range(2)}
    assert len(answers) == 1 and answers != {""}


def test_the_picture_is_seen(qwen):
    seen = []
    hook = qwen.model.register_forward_hook(lambda model, args, output: seen.append(output.logits[0, -1].clone()))
    for image in (IMAGE, IMAGE.copy(), 255 - IMAGE):
        qwen(image, "What is this?", max_new_tokens=1)
    hook.remove()
    assert torch.equal(seen[0], seen[1]) and not torch.allclose(seen[0], seen[2])


def test_the_picture_takes_its_number_of_tokens(qwen):
    """70 x 110 pixels become 56 x 112: two by four tokens of 28 pixels, each of four patches."""
    grid = qwen.image_processor(images=[IMAGE], return_tensors="pt")["image_grid_thw"][0].tolist()
    assert grid == [1, 4, 8]
    assert qwen.prompt("a <|image_pad|> trick", 8).count(IMAGE_TOKEN) == 8


def test_the_chain_end_to_end(qwen):
    reply = Namer(qwen)(IMAGE, "dog")
    assert isinstance(reply.text, str) and reply.parsed == (parse_names(reply.text, "dog") is not None)
    assert all(isinstance(box, Box) for box in RexOmniGrounder(qwen)(IMAGE, ["cat", "red car, old"]))


class Saying:
    """Answers what was recorded."""

    def __init__(self, *answers):
        self.answers, self.questions = list(answers), []

    def __call__(self, image, question, **_):
        self.questions.append(question)
        return self.answers.pop(0)


def test_a_recorded_reply():
    model = Saying('["woman playing violin", "music stand"]')
    reply = Namer(model)(IMAGE, "violin")
    assert (reply.names, reply.parsed) == (["woman playing violin", "music stand"], True)
    assert 'User Query Target: "violin"' in model.questions[0] and 'related to the "violin"' in model.questions[0]
    unread = Namer(Saying("I see nothing."))(IMAGE, "violin")
    assert (unread.names, unread.parsed, unread.text) == ([], False, "I see nothing.")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('["man", "red car"]', ["man", "red car"]),
        ('```json\n["man",\n "red car"]\n```', ["man", "red car"]),
        ('Sure! [1] Here: ["man"] and more.', ["man"]),
        ('[{"name": "man"}, {"label": "red  car "}]', ["man", "red car"]),
        ('{"objects": ["man"]}', ["man"]),
        ('["<mask>", "</audit> man", "dog"]', ["dog"]),
        ('["man", "Man", " ", "Violin", "dog"]', ["man", "dog"]),
        (json.dumps(list("abcdefg")), list("abcde")),
        ('["The violin", "a violin", "violin bow", "the bow_", "Bow"]', ["violin bow", "the bow_"]),
        ('[see below] then ["man"]', ["man"]),
        ('[{"name": "man", "parts": ["hand", "wheel"]}, {"name": "do', None),
        ('["dog", ["cat"]]', None),
        ("[]", []),
        ("", None),
        ('["man", "red', None),
        ("man, car", None),
        ('{"man": 1}', None),
        ("[1, 2]", None),
        ("[" * 5000, None),
    ],
)
def test_replies_of_the_namer(text, names):
    assert parse_names(text, "violin") == names


def test_the_target_is_no_other_object_however_it_is_spelled():
    assert parse_names('["hair dryer", "the Hair-Dryer", "woman"]', "hair-dryer") == ["woman"]


def test_the_published_question():
    asked = QUESTION.format(target_object="dog")
    assert asked.startswith("You are an advanced general visual analysis system capable of precise object detection")
    assert asked.endswith("Do not use Markdown formatting.") and "{" not in asked


@pytest.mark.parametrize(
    ("answer", "boxes"),
    [
        ("<|object_ref_start|>cat<|object_ref_end|><|box_start|><0><0><999><999><|box_end|>", [(0, 0, 200, 100)]),
        (
            "<|object_ref_start|>cat<|object_ref_end|><|box_start|><0><0><333><999>,<333><0><666><999><|box_end|>",
            [(0, 0, 200 / 3, 100), (200 / 3, 0, 400 / 3, 100)],
        ),
        ("<|object_ref_start|>cat<|object_ref_end|><|box_start|><0><0><333><999>,<333><0>", [(0, 0, 200 / 3, 100)]),
        ("<|object_ref_start|>cat<|object_ref_end|><|box_start|>None<|box_end|>", []),
        ("<|object_ref_start|>cat<|object_ref_end|><|box_start|><5><5><5><90><|box_end|>", []),
        ("a cat at <1><2><3><4>", []),
        ("", []),
    ],
)
def test_replies_of_rex_omni(answer, boxes):
    found = parse_boxes(answer, "cat", (100, 200))
    assert [box.name for box in found] == ["cat"] * len(boxes)
    assert [box.box for box in found] == [pytest.approx(box) for box in boxes]


def test_rex_omni_asks_for_one_phrase_at_a_time():
    model = Saying(
        "<|object_ref_start|>x<|object_ref_end|><|box_start|><0><0><99><99>,<0><0><999><999><|box_end|>", "none"
    )
    (box,) = RexOmniGrounder(model)(IMAGE, ["cat", "dog"])
    assert box == Box("cat", (0, 0, 110, 70))  # the largest
    assert model.questions[1] == "Detect dog. Output the bounding box coordinates in [x0, y0, x1, y1] format."


def test_boxes_end_at_the_frame():
    assert Box("cat", (-5, 2, 30, 400)).clamped((100, 20)) == Box("cat", (0, 2, 20, 100))
    assert Box("cat", (30, 2, 40, 40)).clamped((100, 20)) is None


def test_wrong_folders(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match="expected a folder with a qwen2_5_vl model, got nothing there"):
        load_qwen(tmp_path / "none")
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    with pytest.raises(ValueError, match="expected a model of type qwen2_5_vl, got llama"):
        load_qwen(tmp_path)
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "chat_template.jinja").unlink()
    with pytest.raises(ValueError, match="expected a tokenizer with a chat template"):
        load_qwen(tmp_path)
