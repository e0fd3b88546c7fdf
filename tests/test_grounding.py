"""Words -> boxes, pictures -> numbers of objects: geometry with stand-ins, and tiny models of the published classes."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from transformers import GroundingDinoImageProcessorPil

from models.segmenting import detect, ground, grounding_dino
from models.segmenting.boxes import Box
from models.segmenting.detect import Detector, load_detector, suppress_duplicates
from models.segmenting.grounding_dino import GroundingDino, load_grounding_dino, make_caption
from models.segmenting.owlv2 import Owlv2
from models.segmenting.pictures import CLIP, IMAGENET, Normalisation, fit_edges, make_pixel_values, read_normalisation
from models.segmenting.rex_omni import RexOmniGrounder
from tests.object_models import save_grounding_dino, save_owlv2, save_qwen

HEIGHT, WIDTH = 48, 96
PLAIN = Normalisation((0, 0, 0), (1, 1, 1))


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("objects")
    return {
        "grounding-dino": save_grounding_dino(root / "gd"),
        "mm-grounding-dino": save_grounding_dino(root / "mm", mm=True),
        "owlv2": save_owlv2(root / "owl"),
    }


@pytest.fixture
def small_pictures(monkeypatch):
    """GroundingDINO on smaller pictures than published, for the sake of time."""
    monkeypatch.setattr(grounding_dino, "SHORTEST_EDGE", 100)
    monkeypatch.setattr(grounding_dino, "LONGEST_EDGE", 160)


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


def draw_box(x1, y1, x2, y2, height=HEIGHT, width=WIDTH):
    """A black picture with one white box."""
    image = np.zeros((height, width, 3), dtype=np.uint8)
    image[y1:y2, x1:x2] = 255
    return image


class FindsWhite(torch.nn.Module):
    """Stands in for a detector: its first query is the box around the white pixels, the second a small one of 0.1."""

    def __init__(self, logit: float, **config):
        super().__init__()
        self.logit, self.device, self.config = logit, torch.device("cpu"), SimpleNamespace(**config)

    def forward(self, pixel_values, input_ids, **text):
        self.seen, self.num_texts = pixel_values, input_ids.shape[0]
        _, _, height, width = pixel_values.shape
        rows, columns = torch.nonzero(pixel_values[0, 0] > 0.75, as_tuple=True)
        x1, x2 = columns.min() / width, (columns.max() + 1) / width
        y1, y2 = rows.min() / height, (rows.max() + 1) / height
        white = torch.stack([(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1])
        logits = torch.tensor([[[-9.0, self.logit], [-2.2, -9.0]]])
        return SimpleNamespace(logits=logits, pred_boxes=torch.stack([white, torch.full((4,), 0.1)])[None])


def one_token(texts, **kwargs):
    count = 1 if isinstance(texts, str) else len(texts)
    return {"input_ids": torch.ones(count, 1), "attention_mask": torch.ones(count, 1)}


def stub_grounding_dino(logit):
    return GroundingDino(FindsWhite(logit, max_text_len=256), one_token, PLAIN)


def stub_owlv2(logit, image_size=96):
    sizes = {"vision_config": SimpleNamespace(image_size=image_size)}
    return Owlv2(FindsWhite(logit, text_config=SimpleNamespace(max_position_embeddings=16), **sizes), one_token, PLAIN)


@pytest.mark.parametrize(
    "size, expected", [((48, 96), (666, 1333)), ((720, 1280), (750, 1333)), ((600, 300), (1333, 666))]
)
def test_pictures_fit_both_edges(size, expected):
    assert fit_edges(*size, 800, 1333) == expected
    assert fit_edges(100, 100, 800, 1333) == (800, 800)
    assert fit_edges(3, 100000, 800, 1333) == (1, 1333)


@pytest.mark.parametrize("size", [(480, 640), (360, 640), (500, 320), (353, 623)])
def test_pixel_values_are_those_of_transformers(size):
    image = np.random.default_rng(1).integers(0, 256, (*size, 3), dtype=np.uint8)
    theirs = GroundingDinoImageProcessorPil()(image, return_tensors="pt")["pixel_values"]
    ours = make_pixel_values(image, fit_edges(*size, 800, 1333), IMAGENET)
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


def test_pictures_of_another_kind_are_refused():
    for wrong in (np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32), np.zeros((0, 4, 3), np.uint8)):
        with pytest.raises(ValueError, match=r"expected uint8 of shape \(H, W, 3\), got"):
            make_pixel_values(wrong, (2, 2), PLAIN)


def test_normalisation_is_read_where_the_folder_has_it(tmp_path):
    assert read_normalisation(tmp_path, CLIP) == CLIP
    path = tmp_path / "preprocessor_config.json"
    path.write_text(json.dumps({"image_mean": [0.5, 0.5, 0.5], "size": 3}))
    assert read_normalisation(tmp_path, CLIP) == Normalisation((0.5, 0.5, 0.5), CLIP.std)
    for wrong in ([0.5], [0.5, 0.5, "a"], 0.5, [0.5, 0.5, 0.0]):
        path.write_text(json.dumps({"image_std": wrong}))
        with pytest.raises(ValueError, match="preprocessor_config.json: expected .* image_std"):
            read_normalisation(tmp_path, CLIP)


def test_captions():
    assert make_caption(["Brown dog", " cat. "]) == "brown dog. cat."
    assert make_caption(["Mr. Bean? sits"]) == "mr bean sits."
    for wrong in ([], ["cat", " "], ["..."]):
        with pytest.raises(ValueError, match="expected names with words"):
            make_caption(wrong)


@pytest.mark.parametrize("white", [(10, 4, 40, 20), (60, 30, 96, 48), (0, 0, 96, 48)])
@pytest.mark.parametrize("stub", [stub_grounding_dino, stub_owlv2])
@pytest.mark.parametrize("turned", [False, True])
def test_boxes_come_back_to_the_pixels_of_the_picture(stub, white, turned):
    image = draw_box(*white)
    if turned:
        image, white = image.transpose(1, 0, 2).copy(), (white[1], white[0], white[3], white[2])
    boxes, scores = stub(2.2).detect(image, ["thing"])
    np.testing.assert_allclose(boxes[0], white, atol=0.6)
    np.testing.assert_allclose(scores, [0.9, 0.1], atol=0.01)


def test_owlv2_pads_with_grey_at_the_bottom_and_asks_each_name():
    stub = stub_owlv2(2.2)
    stub.detect(draw_box(0, 0, WIDTH, HEIGHT), ["cat", "dog"])
    seen = stub.model.seen[0]
    assert (seen[:, :47] == 1).all() and torch.allclose(seen[:, 49:], torch.tensor(0.5), atol=0.003)
    assert seen.shape == (3, 96, 96) and stub.model.num_texts == 2


def test_boxes_without_area_on_the_picture_are_left_out():
    boxes = np.float32([[-5, -5, 10, 10], [90, 40, 200, 100], [10, 48, 20, 60], [96, 0, 99, 9]])
    kept, scores = grounding_dino.on_picture(boxes, np.arange(4), HEIGHT, WIDTH)
    assert kept.tolist() == [[0, 0, 10, 10], [90, 40, 96, 48]] and scores.tolist() == [0, 1]


def test_a_name_gets_its_best_box_above_the_threshold():
    image = draw_box(10, 4, 40, 20)
    (box,) = stub_grounding_dino(2.2)(image, ["Brown dog"])
    assert box.name == "Brown dog" and box.score == pytest.approx(0.9, abs=0.01)
    assert box.box == pytest.approx((10, 4, 40, 20), abs=0.6)
    assert stub_grounding_dino(-1.2)(image, ["cat"]) == []  # sigmoid(-1.2) = 0.23
    assert len(stub_grounding_dino(-1.0)(image, ["cat", "dog"])) == 2  # 0.27


@pytest.mark.parametrize("kind", ["grounding-dino", "mm-grounding-dino"])
def test_tiny_grounders(folders, kind, image, small_pictures, monkeypatch):
    monkeypatch.setattr(grounding_dino, "BOX_THRESHOLD", 0.01)  # random weights are unsure
    grounder = ground.load_grounder(folders[kind])
    assert isinstance(grounder, GroundingDino) and grounder.model.config.model_type == kind
    found = grounder(image, ["A brown dog", "cat"])
    assert [box.name for box in found] == ["A brown dog", "cat"]
    assert all(isinstance(box, Box) and box == box.clamped((HEIGHT, WIDTH)) and box.score > 0.01 for box in found)
    assert grounder(image, ["cat"]) == found[1:]  # the other name has no say
    assert grounder(image, []) == []


def test_a_qwen_folder_grounds_as_rex_omni(tmp_path, image):
    grounder = ground.load_grounder(save_qwen(tmp_path / "rex", boxes=True))
    assert isinstance(grounder, RexOmniGrounder) and "<999>" in grounder.qwen.tokenizer.get_vocab()
    with pytest.raises(ValueError, match="expected Rex-Omni with its tokens <0> to <999>, got a Qwen2.5-VL without"):
        ground.load_grounder(save_qwen(tmp_path / "plain"))


def test_text_beyond_the_limit_is_refused(folders, image):
    grounder = load_grounding_dino(folders["grounding-dino"])
    with pytest.raises(ValueError, match="expected at most 256 tokens of text, got 403"):
        grounder(image, ["guitars " * 200])


@pytest.mark.parametrize("kind", ["grounding-dino", "mm-grounding-dino", "owlv2"])
def test_tiny_detectors(folders, kind, image, small_pictures):
    detector = load_detector(folders[kind])
    boxes, scores = detector.model.detect(image, detect.VOCABULARY)
    assert len(boxes) == len(scores) > 1 and (boxes >= 0).all() and (boxes <= [WIDTH, HEIGHT, WIDTH, HEIGHT]).all()
    detector.threshold = 0.0
    count = detector(image)
    assert 1 < count == len(suppress_duplicates(boxes, scores)) <= len(boxes)
    detector.threshold = 1.0
    assert detector(image) == 0


@pytest.mark.parametrize("kind", ["grounding-dino", "owlv2"])
def test_half_precision_stays_close(folders, kind, image, small_pictures):
    full, half = (load_detector(folders[kind], "cpu", dtype).model for dtype in (torch.float32, torch.bfloat16))
    scores = [np.sort(model.detect(image, ["cat"])[1])[::-1][:1] for model in (full, half)]
    assert {p.dtype for p in half.model.parameters()} == {torch.float32}
    np.testing.assert_allclose(*scores, atol=0.05)


def test_owlv2_reads_each_query_to_its_end(folders):
    text = load_detector(folders["owlv2"]).model.encode(["cat", "dog"])
    assert text["input_ids"].shape == (2, 16) and (text["input_ids"][:, -1] == 0).all()
    assert text["attention_mask"].sum(dim=1).tolist() == [14, 14]  # start, "a photo of a cat" in letters, end


def test_the_vocabulary_names_each_category_once():
    assert len(detect.VOCABULARY) == len(set(detect.VOCABULARY)) == 51
    assert all(name == name.strip() and "-" not in name for name in detect.VOCABULARY)


def test_duplicates_are_suppressed_whatever_their_names():
    boxes = np.float32([[0, 0, 10, 10], [0, 0, 10, 9], [0, 0, 10, 5], [20, 20, 30, 30], [0, 0, 10, 4]])
    scores = np.float32([0.5, 0.9, 0.4, 0.3, 0.2])
    # the best box 1 drops 0 (IoU 0.9) and 2 (0.56), but not 4 (0.44)
    assert suppress_duplicates(boxes, scores) == [1, 3, 4]
    assert suppress_duplicates(boxes[[0, 2]], scores[[0, 2]]) == [0, 1]  # exactly 0.5 stays
    assert suppress_duplicates(boxes[:0], scores[:0]) == []


def test_the_count_is_of_confident_distinct_boxes():
    boxes = np.float32([[0, 0, 10, 10], [0, 0, 10, 9], [20, 20, 30, 30], [50, 20, 60, 30]])
    model = SimpleNamespace(detect=lambda image, names: (boxes, np.float32([0.5, 0.9, 0.3, 0.2])))
    assert Detector(model, 0.25)(np.zeros((48, 96, 3), np.uint8)) == 2


def test_folders_that_hold_something_else(folders, tmp_path):
    for load in (ground.load_grounder, load_grounding_dino, load_detector):
        with pytest.raises(
            FileNotFoundError, match=r"nowhere: expected a folder with a .*grounding-dino.*, got nothing"
        ):
            load(tmp_path / "nowhere")
        with pytest.raises(FileNotFoundError, match=r"expected the config.json of a .*, got none"):
            load(tmp_path)
    with pytest.raises(ValueError, match="expected a model of type qwen2_5_vl or grounding-dino or .*, got owlv2"):
        ground.load_grounder(folders["owlv2"])


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("config.json", "{", "config.json: expected JSON"),
        ("config.json", "[]", "config.json: expected a JSON object, got list"),
        ("config.json", '{"model_type": "bert"}', "expected a model of type .*, got bert"),
        ("model.safetensors", None, "expected weights in one of model.safetensors, .*, got none"),
        ("model.safetensors", "no weights", "expected a whole AutoModelForZeroShotObjectDetection, got"),
        (
            "tokenizer.json",
            None,
            "expected the tokenizer's tokenizer.json or vocab.txt or vocab.json or tokenizer.model, got none",
        ),
        ("tokenizer.json", "{", "tokenizer.json: expected JSON"),
        ("preprocessor_config.json", "{", "preprocessor_config.json: expected JSON"),
    ],
)
def test_damaged_folders_are_named(tmp_path, name, content, message):
    folder = save_owlv2(tmp_path / "owl")
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(content)
    with pytest.raises((OSError, ValueError), match=message) as raised:
        load_detector(folder)
    assert str(folder) in str(raised.value) and "\n" not in str(raised.value)
