"""Results are written down as they come, so that an interrupted run loses nothing and goes on where it stopped."""

from __future__ import annotations

import json
from pathlib import Path

from utils.records import write_jsonl


class RecordLog:
    """A JSON-lines file whose first line says which run it belongs to.

    Opened again by the same run it gives back the records that it holds; by another run it starts afresh.
    """

    def __init__(self, path: Path, run: dict):
        self.path = path
        self.records = self._read(run)
        write_jsonl(path, [run, *self.records])
        self._file = path.open("a", encoding="utf-8")

    def add(self, records: list[dict]) -> None:
        """Append records; they are on disk when this returns."""
        self.records += records
        self._file.writelines(json.dumps(record) + "\n" for record in records)
        self._file.flush()

    def finish(self) -> None:
        """Remove the log, once its content stands elsewhere."""
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
