"""Answers are written down as they come, so that an interrupted run loses nothing and goes on where it stopped."""

from __future__ import annotations

import json
from pathlib import Path


class RecordLog:
    """A JSON-lines file whose first line says which run it belongs to.

    Opened again by the same run it gives back the records that it holds; by another run it starts afresh.
    """

    def __init__(self, path: Path, run: dict):
        self.path = path
        self.records = self._read(run)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("w", encoding="utf-8")
        self._write([run, *self.records])

    def add(self, records: list[dict]) -> None:
        """Append records; they are on disk when this returns."""
        self.records += records
        self._write(records)

    def finish(self) -> None:
        """Remove the log, once its content stands elsewhere."""
        self._file.close()
        self.path.unlink()

    def _write(self, rows: list[dict]) -> None:
        self._file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        self._file.flush()

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
