"""`python -m scripts.benchmark.describe`: counts, the paper's counts beside them, the IoU picture and the sheets."""

import csv
import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from dataset.benchmark.inventory import choose_instances, mask_rows, object_category, read_parts
from dataset.media.images import encode_mask
from scripts.benchmark import describe as script
from tests.conftest import BENCHMARK
from utils.audit import Audit, parse_negative_object, render_audit
from utils.mask_types import PAPER_TYPES, TYPE_COLOURS
from utils.reports.distribution import DPI, distribution_picture
from utils.reports.instance_sheet import Area, SheetMask, area_around, write_sheet
from utils.scores import benchmark_tables as tables

META = "train_test_meta_files"
TRAIN_JSON = f"{META}/train_audit_only_filtered.json"


@pytest.fixture
def benchmark(tmp_path):
    """A copy of the golden benchmark to break."""
    return shutil.copytree(BENCHMARK, tmp_path / "MQ-RAVSBench")


def run(root, output, *flags) -> int:
    try:
        return script.main([str(root), "--output", str(output), *map(str, flags)])
    except SystemExit as error:
        return error.code


def picture(path) -> np.ndarray:
    """(H, W, 3) uint8."""
    return np.asarray(Image.open(path).convert("RGB"))


def is_colour(pixels: np.ndarray, colour: str) -> np.ndarray:
    return (pixels == [int(colour[i : i + 2], 16) for i in (1, 3, 5)]).all(axis=-1)


# The golden benchmark


def test_counts_of_the_golden_benchmark(tmp_path, capsys):
    assert run(BENCHMARK, tmp_path / "out", "--num_sheets", 0) == 0
    printed = capsys.readouterr().out
    assert "image/test_u: not counted, there is no test_u_image_filtered.json" in printed
    assert "could not be read" not in printed and "paper" not in printed
    described = json.loads((tmp_path / "out/describe.json").read_text())
    assert not described["is_published"] and described["absent"] == ["image/test_u", "video/test_u"]
    # counted by hand in the JSON files; tC3_9_9 of test_s_image_filtered.json belongs to test_u and is passed over
    assert described["statistics"] == [
        {"part": "train", "videos": 2, "references": 2, "masks": 23},
        {"part": "image/test_s", "videos": 2, "references": 2, "masks": 31},
        {"part": "video/test_s", "videos": 2, "references": 2, "masks": 100},
    ]
    types = {row.pop("part"): row for row in described["masks_per_type"]}
    assert types["image/test_s"] == {
        "total": 31,
        "perfect": 2,
        "cutout": 6,
        "dilate": 6,
        "erode": 6,
        "merge": 5,
        "full_neg": 5,
        "null": 1,
    }
    assert (types["train"]["null"], types["video/test_s"]["cutout"], types["video/test_s"]["dilate"]) == (1, 40, 0)
    actions = {row["action"]: row["train"] for row in described["masks_per_action"]}
    assert actions == {"accept": 2, "minor revision": 14, "major revision": 2, "reject": 5}
    ranks = {(row["mask_type"], row["rank"]): row["image/test_s"] for row in described["masks_per_rank"]}
    assert (ranks["perfect", "-"], ranks["cutout", "1 (hard)"], ranks["cutout", "2 (medium)"]) == (2, 2, 2)
    assert (ranks["cutout", "3"], ranks["merge", "3"]) == (1, 1)
    assert sum(ranks.values()) == 31
    first = described["objects"][0]  # vA1-x_y_0_1 and tC3_0_2
    assert first == {
        "object": "0",
        "train": 1,
        "image/test_s": 1,
        "video/test_s": 1,
        "references": 2,
        "videos": 2,
        "masks": 11 + 20 + 50,
    }


def test_files_of_a_run(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine.txt").write_text("kept")
    assert run(BENCHMARK, tmp_path / "out", "--num_sheets", 3) == 0
    files = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()}
    sheets = {f"sheets/{row['file']}" for row in json.loads((tmp_path / "out/describe.json").read_text())["sheets"]}
    assert len(sheets) == 3
    assert files == sheets | {f"{name}.csv" for name in script.TITLES} | {
        "describe.json",
        "iou_distribution.png",
        "mine.txt",
    }
    with (tmp_path / "out/statistics.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    assert rows[0] == {"part": "train", "videos": "2", "references": "2", "masks": "23"}
    for name in sheets:
        pixels = picture(tmp_path / "out" / name)
        assert pixels.shape[1] > 1000 and pixels.shape[0] > 600 and pixels.std() > 20


def test_the_seed_decides_which_instances_get_a_sheet():
    parts = read_parts(BENCHMARK)
    names = [(part, sample.uid, sample.frame_idx) for part, sample in choose_instances(parts, 6, seed=0)]
    assert names == [(part, sample.uid, sample.frame_idx) for part, sample in choose_instances(parts, 6, seed=0)]
    assert [part for part, _, _ in names] == ["train", "image/test_s", "video/test_s"] * 2
    assert len({(part, uid) for part, uid, _ in names}) == 6
    assert len(choose_instances(parts, 100, seed=0)) == 6 and choose_instances(parts, 0, seed=0) == []
    frames = {sample.frame_idx for seed in range(9) for part, sample in choose_instances(parts, 3, seed)[2:]}
    assert len(frames) > 2


def test_a_benchmark_with_one_part(benchmark, tmp_path, capsys):
    for path in (benchmark / META).glob("*.json"):
        if "video" not in path.name:
            path.unlink()
    assert run(benchmark, tmp_path / "out", "--num_sheets", 0) == 0
    assert capsys.readouterr().out.count("not counted") == 4
    assert not (tmp_path / "out/iou_distribution.png").exists()  # Figure 4 leaves the video protocol out


def test_entries_that_cannot_be_read_are_counted(benchmark, tmp_path, capsys):
    entries = json.loads((benchmark / TRAIN_JSON).read_text())
    next(iter(entries.values()))["part_neg_masks"]["cutout"][0]["mask_path"] = "../elsewhere.png"
    (benchmark / TRAIN_JSON).write_text(json.dumps(entries))
    assert run(benchmark, tmp_path / "out", "--num_sheets", 0) == 0
    sentence = f"1 entry could not be read: run python -m scripts.benchmark.verify {benchmark}"
    assert sentence in capsys.readouterr().out
    assert json.loads((tmp_path / "out/describe.json").read_text())["statistics"][0]["masks"] == 22


def test_an_instance_without_its_files_is_named(benchmark, tmp_path, capsys, caplog):
    shutil.rmtree(benchmark / "media")
    assert run(benchmark, tmp_path / "out", "--num_sheets", 2) == 0
    assert caplog.text.count("no sheet of ") == 2 and "no such frame file" in caplog.text
    assert capsys.readouterr().out.endswith("5 tables (CSV), 0 example sheets\n")


def test_a_split_without_entries(benchmark, tmp_path, capsys):
    for path in (benchmark / META).glob("*.json"):
        path.write_text("{}")
    assert run(benchmark, tmp_path / "out") == 0
    assert re.search("train +0 +0 +0\n", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        (lambda root: shutil.rmtree(root), "no such folder"),
        (lambda root: shutil.rmtree(root / META), "expected a split file such as train_audit_only_filtered.json"),
        (lambda root: (root / META / "metadata.csv").unlink(), "metadata.csv: no such file"),
        (lambda root: (root / TRAIN_JSON).write_text("{"), "expected JSON, got something else"),
    ],
)
def test_a_benchmark_that_cannot_be_read(benchmark, tmp_path, capsys, broken, sentence):
    broken(benchmark)
    assert run(benchmark, tmp_path / "out") == 2
    said = capsys.readouterr().err
    assert said.startswith("describe: ") and sentence in said and said.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_bad_flags(tmp_path, capsys):
    (tmp_path / "file").touch()
    assert run(BENCHMARK, tmp_path / "file") == 2
    assert run(BENCHMARK, tmp_path / "out", "--num_sheets", -1) == 2
    said = capsys.readouterr().err
    assert "file: expected a folder, got a file" in said and "--num_sheets: expected 0 or more, got -1" in said


# Tables


def published_rows() -> list[dict]:
    """Masks as many as the paper's Tables 1 and 8 say; the test sets of one protocol share no video."""
    rows, references = [], tables.published_statistics()
    for part, types in tables.published_types().iterrows():
        num_videos, num_uids = references.loc[part, ["videos", "references"]]
        for mask_type in PAPER_TYPES:
            for i in range(types[mask_type]):
                uid = i % num_uids
                video = f"{part}{uid % num_videos}"
                rows.append(
                    {
                        "part": part,
                        "vid": video,
                        "uid": f"{video}_dog_{uid}",
                        "object": "dog",
                        "mask_type": mask_type,
                        "rank": None,
                        "iou": 0.5,
                        "action": "reject",
                    }
                )
    return rows


def test_the_published_benchmark_stands_beside_the_paper():
    rows = published_rows()
    counted = script.count(tables.mask_table(rows, list(tables.published_types().index)))
    statistics, types = counted["statistics"], counted["masks_per_type"]
    assert statistics.loc[("image/total", "here")].tolist() == [534, 740, 9300]
    assert types.loc[("train", "paper"), "full_neg"] == 3810
    for table in (statistics, types):
        assert (table.xs("difference", level="source") == 0).all(axis=None)


def test_differences_from_the_paper():
    rows = published_rows()
    rows.remove(next(row for row in rows if row["part"] == "train" and row["mask_type"] == "cutout"))
    rows += [{**row, "mask_type": "null"} for row in rows[:2]]
    counted = script.count(tables.mask_table(rows, list(tables.published_types().index)))
    types = counted["masks_per_type"]
    assert types.loc[("train", "difference"), ["total", "cutout", "dilate"]].tolist() == [1, -1, 0]
    assert pd.isna(types.loc[("train", "difference"), "null"])
    text = tables.render_table(types, "Table 8").splitlines()
    assert text[2].split() == ["train", "16,762", "1,306", "2,611", "2,612", "2,612", "3,809", "3,810", "2"]
    assert text[3].split() == ["paper", "16,761", "1,306", "2,612", "2,612", "2,612", "3,809", "3,810", "-"]
    assert text[4].split() == ["difference", "+1", "0", "-1", "0", "0", "0", "0", "-"]


def test_what_is_not_the_published_benchmark():
    """Any large benchmark takes 60 and 40 videos for video mode; one video less in each other part is another one."""
    paper = tables.published_statistics()
    assert tables.is_published(paper) and tables.is_published(paper.loc[["image/test_u", "video/test_s"]])
    assert not tables.is_published(paper.loc[["video/test_s", "video/test_u"]])
    assert not tables.is_published(paper.assign(videos=paper["videos"] - 1))
    assert not tables.is_published(paper.assign(references=paper["references"] + 1))


def test_rows_of_masks():
    rows = mask_rows(read_parts(BENCHMARK))
    assert set(rows[0]) == set(tables.COLUMNS) and len(rows) == 154
    assert object_category("-a_b_0_10_hair-dryer_2") == "hair-dryer"
    assert object_category("clip") == "(none)"


def test_hostile_names_stay_on_one_line():
    row = {"part": "train", "vid": "v", "uid": "u", "object": "a\n\x1b[31m", "mask_type": "merge", "action": None}
    masks = tables.mask_table([row], ["train"])
    assert tables.render_table(tables.count_objects(masks), "Objects").count("\n") == 2
    assert "\x1b" not in tables.render_table(tables.count_objects(masks), "Objects")
    assert tables.count_actions(masks).loc["unknown", "train"] == 1


def test_the_negative_object_is_read_from_the_answer():
    merge, full_neg = Audit("merge", 0.5, "reject"), Audit("full_neg", 0.0, "reject")
    assert parse_negative_object(render_audit(merge, "the dog", "red bus, old"), "merge", "reject") == "red bus, old"
    assert parse_negative_object(render_audit(full_neg, "dog", "cat"), "full_neg", "reject") == "cat"
    assert parse_negative_object(render_audit(full_neg, "dog", "cat"), "merge", "reject") is None
    assert (
        parse_negative_object(render_audit(Audit("cutout", 0.8, "major revision"), "dog"), "cutout", "reject") is None
    )
    assert parse_negative_object("The mask is on another object.", "full_neg", "reject") is None
    assert parse_negative_object(None, "merge", None) is None


# Pictures


def masks_of(mask_type: str, ious: list[float | None]) -> pd.DataFrame:
    return pd.DataFrame({"mask_type": mask_type, "iou": ious})


def test_bars_stand_where_the_ious_are(tmp_path):
    panel = pd.concat([masks_of("merge", [0.26, 0.26, 0.76, None]), masks_of("perfect", [1.0] * 5)])
    distribution_picture({"Train": panel}, tmp_path / "one.png")
    pixels = picture(tmp_path / "one.png")
    bars = np.flatnonzero(is_colour(pixels, TYPE_COLOURS["merge"]).any(axis=0))
    pin = np.flatnonzero(is_colour(pixels, TYPE_COLOURS["perfect"]).any(axis=0)).mean()
    left, right = bars[bars < bars.mean()].mean(), bars[bars > bars.mean()].mean()
    assert (right - left) / (pin - left) == pytest.approx((0.7625 - 0.2625) / (1 - 0.2625), abs=0.01)
    heights = is_colour(pixels, TYPE_COLOURS["merge"]).sum(axis=0)
    assert heights[round(left)] / heights[round(right)] == pytest.approx(2, abs=0.1)
    assert not is_colour(pixels, TYPE_COLOURS["cutout"]).any()


def test_a_picture_of_every_type_in_two_panels(tmp_path):
    every = pd.concat([masks_of(name, [0.1, 0.8]) for name in TYPE_COLOURS])
    distribution_picture({"Train": every, "Test": every}, tmp_path / "two.png")
    pixels = picture(tmp_path / "two.png")
    assert pixels.shape[1] > 12 * DPI
    for colour in TYPE_COLOURS.values():
        columns = is_colour(pixels, colour).any(axis=0)
        assert columns[: len(columns) // 2].any() and columns[len(columns) // 2 :].any()


def test_the_area_around_small_masks():
    mask = np.zeros((720, 1280), bool)
    assert area_around([mask], mask.shape) == area_around([], mask.shape) == Area(0, 0, 720, 1280)
    mask[700:720, 1240:1280] = True
    area = area_around([mask], mask.shape)
    assert area.of(mask).sum() == mask.sum()
    assert (area.height, area.width) == (36, 64)  # no smaller, and inside the frame
    assert (area.top, area.left) == (684, 1216)
    mask[:5, :5] = True
    assert area_around([mask], mask.shape) == Area(0, 0, 720, 1280)


def test_a_small_object_is_enlarged(tmp_path):
    """The erode panel of a ten pixel object is mostly tinted only if it is enlarged."""
    frame, gt, erode, wrong = np.full((400, 600, 3), 255, np.uint8), *np.zeros((3, 400, 600), bool)
    gt[100:140, 200:260], erode[104:136, 204:256], wrong[:, 500:] = True, True, True
    masks = [
        SheetMask(gt, "perfect", None, 1.0, "accept"),
        SheetMask(erode, "erode", 1, 0.69, "minor revision"),
        SheetMask(wrong, "full_neg", 1, 0.0, "reject", "wall"),
    ]
    write_sheet(tmp_path / "sheet.png", frame, masks, "the dot", "somewhere")
    pixels = picture(tmp_path / "sheet.png").astype(int)
    tint = np.abs(pixels - [128, 212, 255]).max(axis=-1) < 4
    panels = [tint[:, 36 + i * 420 : 436 + i * 420].mean() for i in range(4)]  # frame, perfect, erode, full_neg
    assert panels[0] == 0
    assert panels[1] > panels[2] > 0.1
    assert panels[3] == pytest.approx(0.1, abs=0.05)
    assert is_colour(pixels, "#ffd60a").sum() > 500  # the edge of the ground truth


@pytest.mark.parametrize(
    ("words", "size"),
    [
        ("$x_1^$ {\\frac}", (40, 30)),
        ("草を刈る機械 😀 العربية", (40, 30)),
        ("word " * 2000, (40, 30)),
        ("w" * 5000, (3, 90)),
        ("", (90, 3)),
        ("tab\tline\nbell\a\x1b[31m", (1, 1)),
    ],
)
def test_any_text_and_any_size_can_be_on_a_sheet(tmp_path, recwarn, words, size):
    masks = [SheetMask(np.ones(size, bool), "full_neg", rank, None, words, "") for rank in (None, 7)]
    masks.append(SheetMask(np.zeros(size, bool), "merge", 1, 0.5, None, words))
    write_sheet(tmp_path / "sheet.png", np.full((*size, 3), 90, np.uint8), masks, words, words)
    height, width, _ = picture(tmp_path / "sheet.png").shape
    assert width > 1000 and height < 1300
    assert not recwarn.list


def test_masks_of_another_size_and_awkward_names(benchmark, tmp_path, capsys):
    """A mask file of half the size, a uid with a slash and a control character, and an expression of markup."""
    metadata = benchmark / META / "metadata.csv"
    uid = "vB2_1/\x07é_3"
    text = metadata.read_text().replace("vB2_1_3", uid)
    metadata.write_text(text.replace("the object making the LOUDEST sound", "$\\frac{a$ <b>"))
    (benchmark / TRAIN_JSON).write_text(json.dumps({uid: json.loads((benchmark / TRAIN_JSON).read_text())["vB2_1_3"]}))
    (benchmark / "masks/train/vB2_1_3/gt.png").write_bytes(encode_mask(np.eye(9, dtype=bool)))
    assert run(benchmark, tmp_path / "out", "--num_sheets", 1) == 0
    (sheet,) = (tmp_path / "out/sheets").iterdir()
    assert sheet.name == "01_train_vB2_1____3.png" and picture(sheet).shape[1] > 1000
    assert "\x07" not in capsys.readouterr().out


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@x", "\t=1", "\r=1", "\N{FULLWIDTH EQUALS SIGN}1"])
def test_a_name_is_no_formula(name):
    row = {"part": "train", "vid": "v", "uid": "u", "object": name, "mask_type": "merge", "action": None}
    text = script.csv_text(tables.count_objects(tables.mask_table([row], ["train"])).reset_index())
    assert text.splitlines()[1].startswith(f"'{name.strip()}")
