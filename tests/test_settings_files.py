"""Files of settings: what each key may hold, and what is said of other values; every row of the table of changes."""

import os
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from configs.deepspeed import DEEPSPEED
from configs.model import ModelArguments
from models.auditor.build import AUDITOR, expected_state, load_language_model
from models.encoders.vision import load_clip_tower
from models.weights.auditor_settings import check_projectors
from models.weights.bundle import AuditorBundle
from models.weights.checkpoint import pixel_settings, read_auditor
from tests.conftest import GOLDEN
from tests.faults.cases import model_settings
from tests.faults.cases.model_settings import read_rows, set_key, set_text
from utils.settings_files import check_settings, few, read_object, shown, whole

ROWS = read_rows()


@pytest.fixture(scope="module")
def material(quick_args, quick_weights_dir, tmp_path_factory):
    """auditor, parts (a link)"""
    root = tmp_path_factory.mktemp("settings")
    (root / "parts").symlink_to(quick_weights_dir)
    AuditorBundle.from_pretrained(GOLDEN / "weights/ckpt", quick_args).save_pretrained(root / "auditor")
    return root


@pytest.fixture
def root(material, tmp_path):
    """Links to the files of the material's auditor; whoever changes a file writes a new one."""
    (tmp_path / "auditor").mkdir()
    for path in (material / "auditor").iterdir():
        place = shutil.copy if path.suffix == ".json" else os.link
        place(path, tmp_path / "auditor" / path.name)
    (tmp_path / "parts").symlink_to((material / "parts").resolve())
    return tmp_path


def read(where: str, root: Path) -> None:
    """What the programs do with such a file, without making a model of an auditor."""
    args = ModelArguments(pretrained_weights_dir=str(root / "parts"), llama_path=str(root / model_settings.LLM))
    folder = (root / where).parent
    if where.startswith("auditor/"):
        read_auditor(folder, args)
    elif where == model_settings.DEEPSPEED:
        read_object(root / where, DEEPSPEED)
    elif where == model_settings.BERT:
        check_projectors(args)
    elif where == model_settings.CLIP_PIXELS:
        pixel_settings(args)
    elif where == model_settings.CLIP_CONFIG:
        load_clip_tower(folder)
    else:
        parts = read_auditor(root / "auditor", args)
        expected_state(AUDITOR, parts.config, args, parts.state)
        load_language_model(str(folder), torch.float32)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row_of_the_table(row, root):
    set_key(row.where, row.key, row.value, root)
    with pytest.raises(ValueError) as caught:
        read(row.where, root)
    assert row.says in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("where", [file for files in model_settings.FILES.values() for file in files])
@pytest.mark.parametrize("how", model_settings.TEXTS)
def test_every_file_that_is_no_object(where, how, root):
    function, says = model_settings.TEXTS[how]
    set_text(where, function, root)
    if says is None:
        read(where, root)
        return
    with pytest.raises(ValueError) as caught:
        read(where, root)
    assert says in str(caught.value) and str(root / where) in str(caught.value)


def with_nan(tensor):
    return torch.full_like(tensor, float("nan"))


def set_weights(path: Path, function) -> None:
    tensors = load_file(path)
    name = sorted(tensors)[0]
    path.unlink()
    save_file(tensors | {name: function(tensors[name])}, path, metadata={"format": "pt"})


@pytest.mark.parametrize(
    ("function", "says"),
    [(with_nan, "expected finite weights, got NaN"), (torch.Tensor.long, "expected weights as floating-point numbers")],
)
@pytest.mark.parametrize("file", ["auditor/projectors.safetensors", "parts/LLM", "parts/CLIP"])
def test_weights_that_are_no_numbers(file, function, says, root):
    args = ModelArguments(pretrained_weights_dir=str(root / "parts"))
    where = {"parts/LLM": model_settings.LLM_CONFIG, "parts/CLIP": model_settings.CLIP_CONFIG}.get(file, file)
    path = model_settings.own_files(where, root)
    set_weights(path if path.suffix == ".safetensors" else path.with_name("model.safetensors"), function)
    with pytest.raises(ValueError, match=says):
        if file.startswith("auditor"):
            AuditorBundle.from_pretrained(root / "auditor", args)
        else:
            read(where, root)


@pytest.mark.parametrize("folder", sorted(Path("deepspeed").glob("*.json")), ids=lambda path: path.stem)
def test_our_deepspeed_settings_are_right(folder):
    assert read_object(folder, DEEPSPEED)


@pytest.mark.parametrize("value", [True, 1.0, "1", None, [1], 10**5000], ids=lambda value: type(value).__name__)
def test_only_whole_numbers_are_whole(value):
    with pytest.raises(ValueError, match="^x: a: expected a whole number from 1 to 2, got "):
        check_settings({"a": value}, {"a": whole(1, 2)}, "x")


def test_what_messages_show():
    assert few(map(str, range(9))) == "0, 1, 2, 3, 4 and 4 more"
    assert "\x1b" not in shown("\x1b[2J") and len(shown("x" * 1000)) < 100
