"""A log of results on disk: an interrupted run finds there what it has finished and continues after it."""

from __future__ import annotations

import json
from pathlib import Path

from utils.whole_files import write_jsonl


class RecordLog:
    """A JSON-lines file whose first line says which run it belongs to.

    When the same run opens it again, `records` has what was written before. When another run opens it, its content is
    deleted and the log starts empty.
    """

    def __init__(self, path: Path, run: dict):
        self.path = path
        self.records = self._read(run)
        write_jsonl(path, [run, *self.records])
        self._file = path.open("a", encoding="utf-8")

    def add(self, records: list[dict]) -> None:
        """Append records and hand them to the operating system.

        They survive when the process is killed, but perhaps not when the machine loses power.
        """
        self.records += records
        self._file.writelines(json.dumps(record) + "\n" for record in records)
        self._file.flush()

    def finish(self) -> None:
        """Delete the log; call this after the results have been written to their own files."""
        self._file.close()
        self.path.unlink()

    def _read(self, run: dict) -> list[dict]:
        if not self.path.is_file():
            return []
        rows = []
        for line in self.path.read_text(encoding="utf-8").split("\n")[:-1]:
            try:
                rows.append(json.loads(line))
            except json.JSONDecodeError:
                break  # the line that was being written when the run was cut off
        return rows[1:] if rows and rows[0] == json.loads(json.dumps(run)) else []
