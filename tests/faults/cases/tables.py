"""Tables: metadata.csv of a benchmark and of a source, expressions.csv of pairs. The same fault, the same sentence."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.faults.case import Case, Expected, accepted, found, nothing, refused, warned
from tests.faults.changes import TABLE, edit, write

PLACES = (TABLE, "source/metadata.csv")
READERS = ("evaluate", "verify", "describe", "build")
PAIRS = "pairs/expressions.csv"


def spoil(function: Callable[[list[bytes]], list[bytes]], root: Path) -> None:
    """Change the lines of each table that the copy of the material has; the second line is the first row."""
    for place in PLACES:
        if (root / place).is_file():
            edit(place, lambda content: b"\n".join(function(content.rstrip().split(b"\n"))) + b"\n", root)


def row(function: Callable[[list[bytes]], list[bytes]], root: Path) -> None:
    """Change the cells of the first row: vid, uid, split, fid, exp, kfid."""
    spoil(lambda lines: [lines[0], b",".join(function(lines[1].split(b","))), *lines[2:]], root)


def table(name: str, change: Callable[[Path], None], says: str) -> Case:
    """A fault that makes every reader refuse the whole table."""
    return Case(f"table: {name}", change, dict.fromkeys(READERS, refused(says)))


def value(name: str, place: int, content: bytes, says: str) -> Case:
    """A fault of one training row: training, build and verify tell it."""
    change = partial(row, lambda cells: [*cells[:place], content, *cells[place + 1 :]])
    expected = {"train": refused(says), "build": refused(says), "verify": found(says)}
    return Case(f"row: {name}", change, expected)


def expression(name: str, text: bytes, says: str) -> Case:
    return value(f"expression {name}", 4, text, f"expression: {says}")


def right(name: str, change: Callable[[Path], None]) -> Case:
    return Case(f"table: {name}", change, dict.fromkeys(("verify", "describe", "build"), accepted))


def quoted(cells: list[bytes]) -> list[bytes]:
    return [*cells[:4], b'"' + cells[4], *cells[5:]]


def pairs(name: str, content: str | bytes, says: str) -> Case:
    expected: Expected = refused(says) if says else accepted
    return Case(f"pairs: {name}", partial(write, PAIRS, content), {"import": expected})


def reordered(lines: list[bytes]) -> list[bytes]:
    return [b",".join(reversed(line.split(b","))) for line in lines if b'"' not in line]


WHOLE = [
    table("bare comma", partial(row, lambda c: [*c[:4], b"the big, brown dog", c[5]]), "line 2: expected 6 cells"),
    table("one cell less", partial(row, lambda c: c[:5]), "line 2: expected 6 cells, one for each column, got 5"),
    table("open quote", partial(row, quoted), "line 2: expected a quote that is closed on its line"),
    table("line break in a cell", partial(row, lambda c: [*c[:4], b'"the\ndog"', c[5]]), "line 2: expected a quote"),
    table("quote behind a space", partial(row, lambda c: [*c[:4], b' "the dog"', c[5]]), "line 2: expected a quote ri"),
    table("text behind a quote", partial(row, lambda c: [*c[:4], b'"the" dog', c[5]]), "line 2: expected comma-separ"),
    table("quote over two cells", partial(row, lambda c: [*c[:4], b'"a', b'3"']), "line 2: expected 6 cells"),
    table("semicolons", partial(spoil, lambda x: [line.replace(b",", b";") for line in x]), "cut at semicolons"),
    table("tabs", partial(spoil, lambda x: [line.replace(b",", b"\t") for line in x]), "cut at tabs"),
    table("header twice", partial(spoil, lambda x: [*x, x[0]]), "expected a row, got the header once more"),
    table("column twice", partial(spoil, lambda x: [x[0] + b",uid", *x[1:]]), "got uid twice"),
    table("no column vid", partial(spoil, lambda x: [x[0].replace(b"vid", b"v"), *x[1:]]), "got none called vid"),
    table("a zero byte", partial(row, lambda c: [*c[:4], b"the \0 dog", c[5]]), "got a byte of zero"),
    table("Latin-1", partial(row, lambda c: [*c[:4], b"caf\xe9", c[5]]), "line 2: expected UTF-8 text"),
    table("UTF-16", partial(spoil, lambda x: [b"\n".join(x).decode().encode("utf-16")]), "UTF-8 text, got UTF-16"),
    table("a cell of 200,000 letters", partial(row, lambda c: [*c[:4], b"x" * 200_000, c[5]]), "line 2: expected"),
    table(
        "two files joined", partial(spoil, lambda x: [*x, b"\xef\xbb\xbf" + x[0]]), "got a byte order mark within it"
    ),
    table("a split in capitals", partial(row, lambda c: [*c[:2], c[2].upper(), *c[3:]]), "line 2: split: expected "),
    table("a split with a dash", partial(row, lambda c: [*c[:2], b"test-s", *c[3:]]), "expected test_s, got 'test-s'"),
    table("single quotes", partial(row, lambda c: [*c[:4], b"'the big, dog'", c[5]]), "line 2: expected 6 cells"),
    table("a comment", partial(spoil, lambda x: [b"# all rows", *x]), "line 1: expected the columns"),
    table("UTF-16 without a mark", partial(spoil, lambda x: [b"\n".join(x).decode().encode("utf-16-le")]), "of zero"),
    table("marks of a merge", partial(spoil, lambda x: [x[0], b"<<<<<<< HEAD", *x[1:]]), "line 2: expected 6 cells"),
    table(
        "a quote that opens in the last line",
        partial(spoil, lambda x: [*x[:-1], b',"'.join(x[-1].rsplit(b",", 1))]),
        "expected a quote that is closed on its line",
    ),
    table("empty", partial(spoil, lambda x: []), "got an empty file"),
    table(
        "uids that differ in capitals only",
        partial(spoil, lambda x: [*x, x[1].replace(x[1].split(b",")[1], x[1].split(b",")[1].upper())]),
        "expected a uid that differs clearly from all others",
    ),
]
RIGHT = [
    right("byte order mark", partial(spoil, lambda x: [b"\xef\xbb\xbf" + x[0], *x[1:]])),
    right("line ends of Windows", partial(spoil, lambda x: [line + b"\r" for line in x])),
    right("commas at the end", partial(spoil, lambda x: [line + b",," for line in x])),
    right("line ends of old Macs", partial(spoil, lambda x: [b"\r".join(x)])),
    right("empty lines", partial(spoil, lambda x: [x[0], b"", b" , ,,,,", *x[1:], b""])),
    right("one more column", partial(spoil, lambda x: [x[0] + b",note", *(line + b",a" for line in x[1:])])),
    right("quotes and commas in an expression", partial(row, lambda c: [*c[:4], b'"the ""big"", brown dog"', c[5]])),
    Case("table: columns in another order", partial(spoil, reordered), {"build": accepted}),
]
VALUES = [
    value("kfid in words", 5, b"first", "kfid: expected a frame number from 0 to 9, got 'first'"),
    value("kfid 10", 5, b"10", "kfid: expected a frame number from 0 to 9, got 10"),
    value("kfid with a point", 5, b"3.0", "kfid: expected a frame number from 0 to 9, got '3.0'"),
    value("kfid below 0", 5, b"-1", "kfid: expected a frame number from 0 to 9, got '-1'"),
    value("fid in words", 3, b"one", "fid: expected the number of an object, got 'one'"),
    expression("empty", b"", "expected words, got none"),
    expression("of spaces", b"   ", "expected words, got none"),
    expression("of signs without width", "\u200b\u2060".encode(), "expected words, got "),
    expression("of 1,001 letters", b"x" * 1001, "expected at most 1000 characters, got 1001"),
    expression("with <s>", b"the <s> dog", "expected plain words, got the reserved <s>"),
    expression("with </S>", b"the </S> dog", "expected plain words, got the reserved </s>"),
    expression("with <unk>", b"the <unk> dog", "expected plain words, got the reserved <unk>"),
    expression("with <pad>", b"the <pad> dog", "expected plain words, got the reserved <pad>"),
    expression("with <|im_end|>", b"the <|im_end|> dog", "expected plain words, got the reserved <|im_end|>"),
    expression("with <mask>", b"the <mask> dog", "expected plain words, got the reserved <mask>"),
]
GOOD_WORDS = {
    "right to left": "الكلب",
    "emoji": "👩\u200d👧",
    "look-alikes": "the ＜mask＞",
    "[INST]": "the [INST] dog",
}
WORDS = [
    Case(
        f"row: expression with {name}",
        partial(row, lambda cells, text=text: [*cells[:4], text.encode(), *cells[5:]]),
        {"build": accepted, "verify": accepted},
    )
    for name, text in GOOD_WORDS.items()
]
DOUBTFUL = [
    Case(
        f"row: expression with {name}",
        partial(row, lambda cells, text=text: [*cells[:4], text, *cells[5:]]),
        dict.fromkeys(
            ("build", "verify", "train"), warned("expression: expected plain text, got the control character")
        ),
    )
    for name, text in {"a control code": b"the \x1b[31m dog", "a lost character": "the caf\ufffd".encode()}.items()
]
DOUBTFUL += [
    Case(
        f"row: expression with {name}",
        partial(row, lambda cells, text=text: [*cells[:4], text.encode(), *cells[5:]]),
        dict.fromkeys(("build", "verify"), warned(f"expression: {says}")),
    )
    for name, (text, says) in {
        "a lost value": ("NaN", "expected words, got 'NaN', which programs write for an empty cell"),
        "codes of HTML": ("the &quot;big&quot; dog", "expected plain text, got the HTML code"),
        "a quote alone": ('the dog"', "expected quotes in pairs, got one alone"),
        "UTF-8 read as Latin-1": ("the caf\u00c3\u00a9", "expected UTF-8 text, got 'the caf"),
        "a line separator": ("the\u2028dog", "expected plain text, got the control character U+2028"),
    }.items()
]
HEAD, HEAD_3 = "mask,expression\n", "mask,expression,object\n"
FIRST_PAIRS = [
    pairs("right", HEAD_3 + 'p0.png,"the ""big"", brown dog",dog\n', ""),
    pairs("bare comma, two columns", HEAD + "p0.png,the big, brown dog\n", "line 2: expected 2 cells"),
    pairs("bare comma, three columns", HEAD_3 + "p0.png,big, brown dog,dog\n", "line 2: expected 3 cells"),
    pairs(
        "bare comma instead of an object",
        HEAD_3 + "p0.png,the big, brown dog\n",
        "whole expression in q",
    ),
    pairs("open quote", HEAD + 'p0.png,"the dog\np0.png,the cat\n', "line 2: expected a quote that is closed"),
    Case(
        "pairs: a header alone",
        partial(write, PAIRS, HEAD),
        {"import": warned("expressions.csv without a row")},
    ),
    pairs("no header", "p0.png,the dog\n", "line 1: expected a header with the columns mask,expression[,object]"),
    pairs("semicolons", "mask;expression\np0.png;the dog\n", "line 1: expected"),
    pairs("UTF-16", (HEAD + "p0.png,the dog\n").encode("utf-16"), "expected UTF-8 text, got UTF-16"),
    pairs("empty", "", "expected the columns mask,expression[,object], got an empty file"),
    pairs("unknown mask", HEAD + "p9.png,the dog\n", "line 2: expected a file inside"),
    pairs("two objects for one mask", HEAD_3 + "p0.png,a,dog\np0.png,b,cat\n", "expected one object for"),
    pairs("reserved token", HEAD + "p0.png,the </s> dog\n", "line 2: expected plain words, got the reserved </s>"),
]


def asked(name: str, text: str, says: str) -> Case:
    return Case(f"--expression {name}", nothing, {"audit": refused(f"--expression: {says}")}, ("--expression", text))


ASKED = [
    Case(
        "--expression with an escape code",
        nothing,
        {"audit": warned("--expression: expected plain text, got the control character U+001B")},
        ("--expression", "the \x1b[2J dog"),
    ),
    asked("empty", "", "expected words, got none"),
    asked("with </s>", "the </s> dog", "expected plain words, got the reserved </s>"),
    asked("with <|im_end|>", "the <|im_end|> dog", "expected plain words, got the reserved <|im_end|>"),
    asked("of 10,000 letters", "x" * 10_000, "expected at most 1000 characters, got 10000"),
    asked("with half a character", "the \ud800 dog", "expected UTF-8 text, got other bytes"),
]
CASES = [*WHOLE, *RIGHT, *VALUES, *WORDS, *DOUBTFUL, *FIRST_PAIRS, *ASKED]
