"""Tables of comma-separated text: what is read, and one sentence with its line for every way to be wrong."""

import csv
import re
from pathlib import Path

import pytest

from dataset.benchmark.metadata import CSV_COLUMNS, metadata_rows
from utils.tables import Columns, read_table
from utils.text_files import parsed_json, read_json

COLUMNS = Columns(("vid", "uid", "split"), optional=("exp", "kfid"))
HEADER = "vid,uid,split,exp,kfid\n"
RIGHT = [(2, {"vid": "v", "uid": "u", "split": "train", "exp": "the cat", "kfid": "3"})]


def table(tmp_path, content: str | bytes) -> Path:
    path = tmp_path / "t.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "content",
    [
        HEADER + "v,u,train,the cat,3\n",
        HEADER + "v,u,train,the cat,3",
        "\ufeff" + HEADER + "v,u,train,the cat,3\n",
        (HEADER + "v,u,train,the cat,3\n").replace("\n", "\r\n"),
        (HEADER + "v,u,train,the cat,3\n").replace("\n", "\r"),
        "vid,uid,split,exp,kfid,,\nv,u,train,the cat,3,,\n\n,,,,,,\n \n",
        "vid,uid,split,exp,kfid,,\nv,u,train,the cat,3\n",
        "KFID, exp,vid,uid,split,more\n3,the cat,v,u,train,x\n",
        ",vid,uid,split,exp,kfid\n0,v,u,train,the cat,3\n",
    ],
)
def test_right_tables(tmp_path, content):
    assert read_table(table(tmp_path, content), COLUMNS) == RIGHT


@pytest.mark.parametrize(
    "text", ['the "white", big cat', '12" dog', '"', "a;b;c", "', '", ' "quoted" and, "so on"', '""']
)
def test_what_a_writer_of_tables_writes_is_read(tmp_path, text):
    with (tmp_path / "t.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["vid", "uid", "split", "exp"], ["v", "u", "train", text]])
    assert read_table(tmp_path / "t.csv", COLUMNS) == [
        (2, {"vid": "v", "uid": "u", "split": "train", "exp": text, "kfid": ""})
    ]


def test_a_quote_inside_a_cell_moves_nothing(tmp_path):
    assert read_table(table(tmp_path, HEADER + 'v,u,train,the 12" dog,3\n'), COLUMNS)[0][1]["exp"] == 'the 12" dog'


def test_commas_at_the_ends_of_all_lines(tmp_path):
    rows = read_table(table(tmp_path, HEADER + "v,u,train,the cat,3,,\nv,w,train,the dog,4,,\n"), COLUMNS)
    assert [cells["kfid"] for _, cells in rows] == ["3", "4"]


def test_without_a_header(tmp_path):
    assert read_table(table(tmp_path, "v,u,train,the cat\nv,w,train,the dog\n"), COLUMNS)[1][1]["exp"] == "the dog"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (HEADER + "v,u,train,the big, brown dog,3\n", "line 2: expected 5 cells, one for each column, got 6"),
        (HEADER + "v,u,train,the dogs, 3,\nv,w,train,a,3\n", "line 2: expected 5 cells, one for each column, got 6"),
        (HEADER + "v,u,train,the dogs, 3,\n", "line 2: expected 5 cells, one for each column, got 6"),
        (HEADER + "v,u,train,the dog\n", "line 2: expected 5 cells, one for each column, got 4"),
        ("v,u,train,the dog\nv,w,train,the big, dog\nv,x,train,a\n", "line 2: expected 4 cells"),
        (HEADER + 'v,u,train,"the dog,3\nv,w,train,the cat,3\n', "line 2: expected a quote that is closed"),
        (HEADER + 'v,u,train,"the dog,3\nv,w,train,"the cat",3\n', "line 2: expected a quote that is closed"),
        (HEADER + 'v,u,train,"the dog,3\nv,w,train,the cat",3\n', "line 2: expected a quote that is closed"),
        (HEADER + 'v,u,train,"the dog",3\nv,w,train,"the cat,3', "line 3: expected a quote that is closed"),
        (HEADER + 'v,u,train,"the\ndog",3\n', "line 2: expected a quote that is closed"),
        (HEADER + 'v,u,train,"the dog,3"\n', "line 2: expected 5 cells, one for each column, got 4"),
        (HEADER + 'v,u,train,"the" dog,3\n', "line 2: expected comma-separated UTF-8 text"),
        (HEADER + 'v,u,train, "the big, dog",3\n', "line 2: expected a quote right behind its comma"),
        (HEADER + 'v,u,train, "the dog",3\n', "line 2: expected a quote right behind its comma"),
        (HEADER.replace(",", ";") + "v;u;train;the dog;3\n", "line 1: expected the columns .* (cut at semicolons"),
        (HEADER.replace(",", "\t") + "v\tu\ttrain\tthe dog\t3\n", "line 1: .* (cut at tabs"),
        ("v;u;train;the big, dog;3\n", "line 1: .* (cut at semicolons"),
        (HEADER + "v;u;train;the dog;3\n", "line 2: expected 5 cells.* got 1: .* (cut at semicolons"),
        ("vid,uid,split,uid\nv,u,train,w\n", "line 1: expected each column once, got uid twice"),
        (HEADER + "v,u,train,the cat,3\n" + HEADER, "line 3: expected a row, got the header once more"),
        ("uid,split,exp\nu,train,the cat\n", "line 1: expected the columns .* got none called vid"),
        ("", "expected the columns vid,uid,split[,exp][,kfid], got an empty file"),
        ("\n\n ,,\n", "expected the columns vid,uid,split[,exp][,kfid], got an empty file"),
        (HEADER + "v,u,train,the c\0at,3\n", "line 2: expected UTF-8 text, got a byte of zero"),
        ((HEADER + "v,u,train,ä,3\n").encode("latin-1"), "line 2: expected UTF-8 text, got the byte 0xe4"),
        (HEADER + "v,u,train,the cat,3\n\ufeff" + HEADER, "line 3: expected one table, got a byte order mark"),
        ("\ufeff\ufeff" + HEADER, "line 1: expected one table, got a byte order mark"),
        (HEADER.encode("utf-16"), "expected UTF-8 text, got UTF-16"),
        (HEADER.encode("utf-16-le"), "line 1: expected UTF-8 text, got a byte of zero"),
        (HEADER + f"v,u,train,{'x' * 200_000},3\n", "line 2: expected comma-separated UTF-8 text"),
    ],
)
def test_wrong_tables(tmp_path, content, sentence):
    pattern = ".*".join(map(re.escape, sentence.split(".*")))
    with pytest.raises(ValueError, match=rf"t\.csv:? {pattern}"):
        read_table(table(tmp_path, content), COLUMNS)


@pytest.mark.parametrize("uid", ["V_cat_1", "v _cat_1", "v\u00a0_cat_1", "\uff56_cat_1", "v\u200b_cat_1"])
def test_names_that_look_alike(tmp_path, uid):
    path = table(tmp_path, f"v,v_cat_1,train,0,a,1\nw,{uid},train,0,b,1\n")
    with pytest.raises(ValueError, match=r"line 2: expected a uid that differs clearly from all others"):
        list(metadata_rows(path, Columns(("vid", "uid", "split", "fid", "exp", "kfid"))))


@pytest.mark.parametrize("split", ["Train", "TEST_S", "test-s", "test u"])
def test_splits_with_a_slip_of_the_pen(tmp_path, split):
    with pytest.raises(ValueError, match=f"line 1: split: expected (train|test_s|test_u), got '{split}'"):
        list(metadata_rows(table(tmp_path, f"v,v_cat_1,{split},0,a,1\n"), Columns(CSV_COLUMNS)))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "expected JSON, got nothing"),
        (b"  \n", "expected JSON, got nothing"),
        (b'{"a": 1', r"expected JSON, got something else \(Expecting"),
        (b'{"a": 1, "a": 2}', "the key 'a' is given twice"),
        (b'{"a": {"b": 1, "b": 1}}', "the key 'b' is given twice"),
        ('{"a": 1}'.encode("utf-16"), "expected UTF-8 text, got UTF-16"),
        (b'{"a":\n"\xe9"}', "a.json line 2: expected UTF-8 text, got the byte 0xe9"),
        (b"[" * 100_000, "expected JSON, got something else"),
        (b"9" * 5000, "expected JSON, got something else"),
    ],
)
def test_wrong_json(tmp_path, content, sentence):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(ValueError, match=sentence) as caught:
        read_json(tmp_path / "a.json")
    assert "a.json" in str(caught.value)


def test_right_json(tmp_path):
    (tmp_path / "a.json").write_bytes(b'\xef\xbb\xbf{"a": [1, "\xc3\xa9"]}\r\n')
    assert read_json(tmp_path / "a.json") == {"a": [1, "é"]} == parsed_json('{"a": [1, "é"]}', "here")
