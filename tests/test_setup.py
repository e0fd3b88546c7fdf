"""scripts/setup.sh lets the environment's Python find the repository, also in an environment that is there already."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_environment_finds_the_repository_also_when_it_was_moved(tmp_path):
    repository = tmp_path / "first place"
    (repository / "scripts").mkdir(parents=True)
    shutil.copyfile(ROOT / "scripts/setup.sh", repository / "scripts/setup.sh")
    (repository / "requirements.txt").write_text("")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", repository / ".venv"], check=True)
    stamp = subprocess.run("cksum < requirements.txt > .venv/.installed", shell=True, cwd=repository)
    assert stamp.returncode == 0
    for place in ("first place", "second"):
        repository = repository.rename(tmp_path / place)
        for _ in range(2):
            subprocess.run(["bash", repository / "scripts/setup.sh"], check=True, timeout=60)
        python = repository / ".venv/bin/python"
        code = "import sys; print(*sys.path, sep='\\n')"
        done = subprocess.run([python, "-c", code], cwd="/", capture_output=True, text=True)
        found = [line for line in done.stdout.splitlines() if line.startswith(str(tmp_path))]
        assert str(repository) in found
        assert str(tmp_path / "first place") not in found or place == "first place"
        (file,) = repository.glob(".venv/lib/python*/site-packages/mq_auditor.pth")
        assert file.read_text() == f"{repository}\n"
