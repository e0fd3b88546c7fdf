"""Ref-Thinker's programs: training that resumes, answers that resume, the written files, conversion, bad input."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file

from dataset.referring.thinking import read_tuning_set
from models.weights.bundle import ThinkerBundle
from models.weights.published import find_pair, read_pair
from scripts.finetune.convert import main as convert
from scripts.think import think_split
from scripts.think.finetune_ref_thinker import main as finetune
from scripts.think.make_tuning_set import main as make_tuning_set
from scripts.think.run import main as think
from tests.conftest import GOLDEN
from tests.refavs import link_refavs
from utils.thought import parse_thought

TGS = GOLDEN / "tgs"
DATA = TGS / "05_think_data"


@pytest.fixture(scope="module")
def refavs(tmp_path_factory):
    return link_refavs(tmp_path_factory.mktemp("refavs"))


def finetune_flags(weights, refavs, output, *more) -> list[str]:
    return [
        "configs/recipes/finetune_ref_thinker.yaml", "--pretrained_weights_dir", str(weights),
        "--data_dir", str(refavs), "--metadata_dir", str(DATA), "--output_dir", str(output), "--lora_r", "4",
        "--learning_rate", "1e-3", "--use_cpu", "true", "--per_device_train_batch_size", "3", "--report_to", "none",
        "--gradient_accumulation_steps", "1", "--dataloader_num_workers", "0", "--num_train_epochs", "2", *more,
    ]  # fmt: skip


def think_flags(weights, refavs, output, *more) -> list[str]:
    return [
        "--pretrained_weights_dir", str(weights), "--data_dir", str(refavs), "--metadata_dir", str(DATA),
        "--output_dir", str(output), "--thinker_dir", str(TGS / "weights"), "--lora_r", "4", "--lora_alpha", "8",
        "--num_workers", "0", "--max_new_tokens", "8", *more,
    ]  # fmt: skip


@pytest.fixture(scope="module")
def trained(quick_weights_dir, refavs, tmp_path_factory):
    output = tmp_path_factory.mktemp("thinker") / "Ref-Thinker"
    assert finetune(finetune_flags(quick_weights_dir, refavs, output)) == 0
    return output


def test_training_writes_a_thinker(trained):
    config = json.loads((trained / "config.json").read_text())
    assert (config["model_type"], config["vocab_size"]) == ("ref_thinker", 501)
    assert ThinkerBundle.from_pretrained(trained).tokenizer.convert_tokens_to_ids("<box>") == 499
    settings = json.loads((trained / "run.json").read_text())["settings"]
    assert (settings["lr_scheduler_type"], settings["lora_alpha"]) == ("linear", 16)


def test_an_interrupted_training_goes_on_to_the_same_weights(trained, quick_weights_dir, refavs, tmp_path):
    shutil.copytree(trained / "checkpoint-1", tmp_path / "out/checkpoint-1")
    assert finetune(finetune_flags(quick_weights_dir, refavs, tmp_path / "out")) == 0
    for name in ("adapter_model.safetensors", "projectors.safetensors", "token_rows.safetensors"):
        first, again = load_file(trained / name), load_file(tmp_path / "out" / name)
        assert all(torch.equal(first[key], again[key]) for key in first)


@pytest.mark.parametrize(("name", "count"), [("test_s", 3), ("test_n", 1)])
def test_answers(name, count, quick_weights_dir, refavs, tmp_path):
    assert think(think_flags(quick_weights_dir, refavs, tmp_path, "--test_name", name)) == 0
    folder = tmp_path / f"refavs_{name}"
    rows = [json.loads(line) for line in (folder / "inference_results.jsonl").read_text().splitlines()]
    assert len(rows) == count
    assert all(list(row)[:3] == ["uid", "ref", "predict"] and row["predict"].startswith("<s>") for row in rows)
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["without_s_object"] == sum(row["s_object"] is None for row in rows)
    assert not (folder / "inference_results.jsonl.partial").exists()


def test_rows_of_one_uid_are_all_answered_and_a_run_goes_on(quick_weights_dir, refavs, tmp_path, monkeypatch):
    (tmp_path / "meta").mkdir()
    rows = "tC3,tC3_man_2,test_s,1,the man\ntC3,tC3_man_2,test_s,1,another man\ntC3,tC3_man_2,test_s,1,a third man\n"
    (tmp_path / "meta/metadata.csv").write_text(f"vid,uid,split,fid,exp\n{rows}")
    flags = [*think_flags(quick_weights_dir, refavs, tmp_path / "out"), "--metadata_dir", str(tmp_path / "meta")]
    flags += ["--batch_size", "1"]
    record_of, asked = think_split.record_of, []

    def stop_at_the_third(request, reply):
        if len(asked) == 2:
            raise KeyboardInterrupt
        asked.append(request.sample.expression.text)
        return record_of(request, reply)

    monkeypatch.setattr(think_split, "record_of", stop_at_the_third)
    assert think(flags) == 130
    monkeypatch.setattr(
        think_split, "record_of", lambda *own: asked.append(own[0].sample.expression.text) or record_of(*own)
    )
    assert think(flags) == 0
    assert asked == ["the man", "another man", "a third man"]
    lines = (tmp_path / "out/refavs_test_s/inference_results.jsonl").read_text().splitlines()
    assert [json.loads(line)["key"] for line in lines] == ["tC3_man_2", "tC3_man_2~2", "tC3_man_2~3"]
    assert [json.loads(line)["ref"] for line in lines] == asked


def test_conversion_there_and_back(quick_weights_dir, tmp_path):
    args = ["--pretrained_weights_dir", str(quick_weights_dir), "--model", "thinker", "--lora_r", "4", "--lora_alpha"]
    folder, pair = tmp_path / "folder", tmp_path / "pair"
    assert convert([*args, "8", "--source", str(TGS / "weights"), "--target", str(folder)]) == 0
    assert convert([*args, "8", "--source", str(folder), "--target", str(pair), "--step", "5"]) == 0
    first, again = (read_pair(*find_pair(root)) for root in (TGS / "weights", pair))
    assert first.keys() == again.keys()
    assert all(torch.equal(first[key], again[key]) for key in first)


def test_answers_to_learn_from_ground_truth(tmp_path):
    """Objects of the golden benchmark, with references to nothing."""
    source, output = TGS / "03_ground_segment", tmp_path / "made"
    (tmp_path / "data").mkdir()
    for name in ("media", "gt_mask"):
        (tmp_path / "data" / name).symlink_to(source / "REFAVS" / name)
    metadata = (source / "R2AVSBench/RefAVSBench_metadata.csv").read_text()
    (tmp_path / "data/metadata.csv").write_text(metadata.replace(",test_s,", ",train,"))
    flags = ["--data_dir", str(tmp_path / "data"), "--output_dir", str(output), "--null_share", "1", "--with_boxes"]
    assert make_tuning_set(flags) == 0
    answers = read_tuning_set(output / "RefThinker_instruction_tuning_set.json")
    piano = parse_thought(answers["vA-1_0_10000_piano_2"])
    assert (piano.f_object, piano.s_object) == ("the piano", "piano")
    assert piano.reasoning == "The video shows the piano and the dog. The piano is meant."
    assert piano.frame.isdigit() and piano.box.startswith("[0.")
    nothing = [parse_thought(text) for uid, text in answers.items() if uid.startswith("null_")]
    assert len(nothing) > 1 and all(thought.is_null for thought in nothing)
    assert ",test_n," in (output / "RefAVSBench_metadata.csv").read_text()


def test_answers_of_a_drawn_world_say_what_sounds(tmp_path):
    facts = {
        "category": "star", "colour": "red", "sound": {"pitch": "high"}
    }, {"category": "bell", "colour": "blue", "sound": None}  # fmt: skip
    (tmp_path / "facts.json").write_text(json.dumps({"videos": {"v": {"objects": facts, "referrals": {}}}}))
    (tmp_path / "metadata.csv").write_text("vid,uid,split,fid,exp\nv,v_bell_1,train,1,the silent one\n")
    assert make_tuning_set(["--data_dir", str(tmp_path), "--output_dir", str(tmp_path / "out")]) == 0
    (answer,) = read_tuning_set(tmp_path / "out/RefThinker_instruction_tuning_set.json").values()
    assert answer == (
        "<think>\nThe video shows the blue bell and the red star. The sound comes from the red star. "
        "The blue bell is meant.\n</think>\n<answer>\n<f_object> the blue bell </f_object>\n"
        "<s_object> bell </s_object>\n</answer>"
    )


BAD = {
    "no thinker": (["--thinker_dir", "none"], "thinker none: no such folder"),
    "an auditor": (["--thinker_dir", str(GOLDEN / "weights/ckpt")], "as the thinker's tokenizer has tokens, got 508"),
    "no metadata": (
        ["--metadata_dir", "none"],
        "metadata: expected none/metadata.csv or none/RefAVSBench_metadata.csv",
    ),
    "missing sound": (["--test_name", "test_u"], "frames and sounds are missing"),
    "a setting of auditors": (["--without", "audio"], "a thinker has none of these settings"),
    "rank": (["--lora_r", "8"], "LoRA rank: expected 8"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_ends_in_a_sentence(name, quick_weights_dir, refavs, tmp_path, capsys):
    more, sentence = BAD[name]
    meta = tmp_path / "RefAVSBench_metadata.csv"
    text = (DATA / "RefAVSBench_metadata.csv").read_text()
    meta.write_text(text.replace("tD4,tD4_woman_1", "gone,gone_woman_1"))
    try:
        code = think([*think_flags(quick_weights_dir, refavs, tmp_path, "--metadata_dir", str(tmp_path)), *more])
    except SystemExit as end:
        code = end.code
    assert code == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("[", "expected JSON"),
        ("[]", "expected an object of uids, got list"),
        ('{"vB2_guitar_3": "a"}', "expected text as 'output' of vB2_guitar_3"),
        ('{"vB2_guitar_3": {"output": "a"}}', "expected answers for all train expressions, got none for vA1-x_y_dog_1"),
        (None, "no such file; expected answers to learn"),
    ],
)
def test_bad_answers_to_learn(content, sentence, quick_weights_dir, refavs, tmp_path, capsys):
    path = tmp_path / "tuning.json"
    if content is not None:
        path.write_text(content)
    assert finetune(finetune_flags(quick_weights_dir, refavs, tmp_path / "out", "--tuning_file", str(path))) == 2
    assert sentence in capsys.readouterr().err
