"""DeepSpeed's files are read without running what they hold; its own reader asks for the opposite."""

import os

import pytest
import torch
from deepspeed.runtime.checkpoint_engine.torch_checkpoint_engine import TorchCheckpointEngine
from deepspeed.runtime.fp16.loss_scaler import DynamicLossScaler, LossScaler
from deepspeed.runtime.zero.config import ZeroStageEnum
from deepspeed.utils.tensor_fragment import fragment_address

from scripts.training.deepspeed_files import FORCE, FORCE_NOT, without_code


class Canary:
    """Makes a folder when it is unpickled."""

    def __init__(self, place):
        self.place = str(place)

    def __reduce__(self):
        return os.mkdir, (self.place,)


def read(path):
    """As DeepSpeed's engine reads each of its files."""
    return TorchCheckpointEngine().load(str(path))


def test_deepspeeds_own_records_are_read(tmp_path):
    scaler = LossScaler(2.0)
    state = {"scaler": scaler, "stage": ZeroStageEnum.gradients, "at": fragment_address(3, 5), "weights": torch.ones(2)}
    torch.save(state | {"fp16": DynamicLossScaler(2, 2, 2, 1, 1)}, tmp_path / "x.pt")
    with without_code("checkpoint-1"):
        got = read(tmp_path / "x.pt")
    assert got["at"] == state["at"] and got["stage"] == state["stage"] and got["scaler"].cur_scale == 2.0
    assert torch.equal(got["weights"], state["weights"])


@pytest.mark.parametrize("zipped", [True, False])
def test_planted_code_is_not_run(tmp_path, monkeypatch, zipped):
    monkeypatch.setenv(FORCE_NOT, "1")
    torch.save({"module": Canary(tmp_path / "ran")}, tmp_path / "x.pt", _use_new_zipfile_serialization=zipped)
    sentence = "checkpoint-1: expected DeepSpeed's files to hold tensors and plain values only, got posix.mkdir"
    with pytest.raises(ValueError, match=sentence), without_code("checkpoint-1"):
        read(tmp_path / "x.pt")
    assert not (tmp_path / "ran").exists()
    assert os.environ[FORCE_NOT] == "1" and FORCE not in os.environ
    read(tmp_path / "x.pt")
    assert (tmp_path / "ran").is_dir()  # the canary is alive
