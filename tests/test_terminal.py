"""Control codes from data never reach a terminal."""

import io
import sys

import pytest

from scripts.program import run_program
from scripts.terminal import CleanStream, clean_streams, print_cleaned
from utils.formatting import printable

MARK = "\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize("code", ["\x1b", "\x07", "\x9b", "\x7f", "\r", "\u202e", "\u2066", "\u2028", "\ud800", "\0"])
def test_codes_get_a_mark(code):
    assert printable(f"a{code}b\n\tc") == f"a{MARK}b\n\tc"


def test_words_of_every_language_stay():
    words = "the dog, der Hund, الكلب, 犬, \N{DOG FACE}"
    assert printable(words) == words


def written(*texts: str) -> str:
    stream = io.StringIO()
    for text in texts:
        CleanStream(stream).write(text)
    return stream.getvalue()


def test_bars_may_move_and_data_may_not():
    assert written("\rauditing: 3/4", "\n\n", "\x1b[A\x1b[A", "a\r\n") == "\rauditing: 3/4\n\n\x1b[A\x1b[Aa\n"
    assert written("a\rb", "\x1b[Ab") == f"a{MARK}b{MARK}[Ab"


def test_an_encoding_that_lacks_a_letter_is_no_error():
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    CleanStream(stream).write("犬")
    stream.flush()
    assert stream.buffer.getvalue() == b"\\u72ac"


def fail(*_):
    print("said \x1b[2J")
    raise ValueError("bad \x1b]0;owned\x07")


def test_what_a_program_prints(capsys):
    assert run_program("prog", (), fail, [], None) == 2
    printed = capsys.readouterr()
    assert printed.out == f"said {MARK}[2J\n" and printed.err == f"prog: bad {MARK}]0;owned{MARK}\n"


def test_streams_are_given_back(capsys):
    before = sys.stdout
    with clean_streams():
        assert isinstance(sys.stdout, CleanStream) and sys.stdout.isatty() is False
    assert sys.stdout is before


def test_a_traceback_is_cleaned(capsys):
    print_cleaned(ValueError, ValueError("\x1b[2J"), None)
    assert capsys.readouterr().err == f"ValueError: {MARK}[2J\n"
