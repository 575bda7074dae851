"""Each example handler alone, on temporary folders."""

import gzip
import hashlib
import lzma
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from examples.handlers import checksum, compress, flaky, noop, sleep, thumbnail, word_count
from examples.payloads import ROOTS_VARIABLE
from slotd import JobCancelled, PermanentError
from slotd.testing import Progress, run_inline


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "source"
    (root / "sub").mkdir(parents=True)
    (root / "empty").mkdir()
    (root / "a.txt").write_text("one two two\n")
    (root / "sub" / "b.txt").write_text("Two it's\n")
    (root / "link").symlink_to("a.txt")
    return root


def at_once(progress: Progress) -> bool:
    """Cancelled as soon as the handler has said how far it is."""
    return True


def test_one_module_registers_all_of_them_wherever_it_is_loaded_from(tmp_path: Path) -> None:
    file = Path(__file__).resolve().parents[2] / "examples" / "handlers.py"
    code = f"from slotd.handlers import load, registered; load({str(file)!r}); print(*sorted(registered()))"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    kinds = loaded.stdout
    assert kinds.split() == [
        *("checksum", "compress", "fetch", "flaky", "noop", "probe", "report", "sleep", "thumbnail", "word-count"),
    ]


class TestPayloads:
    @pytest.mark.parametrize(
        ("payload", "words"),
        [
            (None, "JSON object"),
            ([], "JSON object"),
            ({}, "path is missing"),
            ({"path": 3}, "path is missing"),
            ({"path": "a\0b"}, "path is no path"),
            ({"path": "/no/such/thing"}, "there is no"),
            ({"path": ".", "pth": "."}, "no such field: pth"),
        ],
    )
    def test_a_wrong_payload_ends_the_job(self, payload: object, words: str) -> None:
        with pytest.raises(PermanentError, match=words):
            run_inline(checksum, payload)

    @pytest.mark.parametrize("seconds", [-1, True, "3", 1e9])
    def test_a_wrong_number_ends_the_job(self, seconds: object) -> None:
        with pytest.raises(PermanentError, match="seconds"):
            run_inline(sleep, {"seconds": seconds})

    def test_paths_keep_to_the_roots(self, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(ROOTS_VARIABLE, os.pathsep.join([str(folder / "sub"), str(tmp_path / "elsewhere")]))
        assert run_inline(checksum, {"path": str(folder / "sub")}).result["files"] == 1
        (folder / "sub" / "out").symlink_to(folder / "a.txt")
        for outside in (folder, folder / "sub" / ".." / "a.txt", folder / "sub" / "out"):
            with pytest.raises(PermanentError, match="is not under"):
                run_inline(checksum, {"path": str(outside)})
        with pytest.raises(PermanentError, match=r"output: .* is not under"):
            run_inline(compress, {"path": str(folder / "sub"), "output": str(tmp_path / "a.tar.gz")})


class TestChecksum:
    def test_sums_all_files_of_a_folder(self, folder: Path) -> None:
        run = run_inline(checksum, {"path": str(folder)})
        first = hashlib.sha256(b"one two two\n").hexdigest()
        assert run.text.splitlines()[0] == f"{first}  a.txt"
        assert run.text.splitlines()[1].endswith("  sub/b.txt")
        assert run.result == {"files": 2, "bytes": 21, "sha256": hashlib.sha256(run.output).hexdigest()}
        assert run.progress[-1] == (21, 21, "sub/b.txt")

    @pytest.mark.skipif(shutil.which("sha256sum") is None, reason="needs sha256sum")
    def test_its_output_is_what_sha256sum_verifies(self, folder: Path) -> None:
        (folder / "odd\nname\\").write_text("odd")
        output = run_inline(checksum, {"path": str(folder)}).output
        verified = subprocess.run(["sha256sum", "--check", "--strict"], cwd=folder, input=output, capture_output=True)
        assert verified.returncode == 0, verified.stderr
        assert verified.stdout.count(b"OK") == 3

    def test_of_a_single_file(self, folder: Path) -> None:
        run = run_inline(checksum, {"path": str(folder / "a.txt")})
        assert run.result["files"] == 1
        assert run.text.endswith("  a.txt\n")

    def test_stops_midway(self, folder: Path) -> None:
        run = run_inline(checksum, {"path": str(folder)}, cancelled=at_once, check=False)
        assert isinstance(run.error, JobCancelled)
        assert run.progress == ((12, 21, "a.txt"),)


class TestWordCount:
    def test_counts_and_ranks(self, folder: Path) -> None:
        (folder / "picture").write_bytes(b"\x89PNG\0")
        run = run_inline(word_count, {"path": str(folder)})
        assert run.result == {"files": 2, "lines": 2, "words": 5, "distinct": 3, "top": {"two": 3, "it's": 1, "one": 1}}
        assert "left out, no text: picture" in run.text
        assert run.progress[-1] == (26, 26, "sub/b.txt")

    def test_stops_midway(self, folder: Path) -> None:
        with pytest.raises(JobCancelled):
            run_inline(word_count, {"path": str(folder)}, cancelled=at_once)


class TestCompress:
    @pytest.mark.parametrize("name", ["a.tar.gz", "a.tgz", "a.tar.xz", "a.txz"])
    def test_a_folder(self, folder: Path, tmp_path: Path, name: str) -> None:
        target = tmp_path / "new" / name
        run = run_inline(compress, {"path": str(folder), "output": str(target)})
        assert run.result["files"] == 2
        assert run.result["bytes"] == 21
        assert run.result["compressed_bytes"] == target.stat().st_size
        assert run.progress[-1] == (21, 21, "source/sub/b.txt")
        with tarfile.open(target) as archive:
            names = ["source/a.txt", "source/empty", "source/link", "source/sub", "source/sub/b.txt"]
            assert archive.getnames() == names
            assert archive.getmember("source/link").linkname == "a.txt"
        assert [path.name for path in target.parent.iterdir()] == [name]

    @pytest.mark.parametrize(("name", "unpack"), [("a.gz", gzip.decompress), ("a.xz", lzma.decompress)])
    def test_a_file(self, folder: Path, tmp_path: Path, name: str, unpack: Callable[[bytes], bytes]) -> None:
        run_inline(compress, {"path": str(folder / "a.txt"), "output": str(tmp_path / name)})
        assert unpack((tmp_path / name).read_bytes()) == b"one two two\n"

    def test_again_gives_the_same_bytes_even_within_the_folder(self, folder: Path) -> None:
        payload = {"path": str(folder), "output": str(folder / "self.tar.gz")}
        first = run_inline(compress, payload).result
        content = (folder / "self.tar.gz").read_bytes()
        (folder / ".self.tar.gz.other.partial").write_text("what a killed attempt left")
        assert run_inline(compress, payload, job_id="other").result == first
        assert (folder / "self.tar.gz").read_bytes() == content
        assert not (folder / ".self.tar.gz.other.partial").exists()

    def test_stops_midway_and_leaves_the_old_archive(self, folder: Path, tmp_path: Path) -> None:
        target = tmp_path / "a.tar.gz"
        target.write_text("old")
        with pytest.raises(JobCancelled):
            run_inline(compress, {"path": str(folder), "output": str(target)}, cancelled=at_once)
        assert target.read_text() == "old"
        assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar.gz", "source"]

    @pytest.mark.parametrize(
        ("path", "output", "words"),
        [
            (".", "a.zip", "ends in none of"),
            (".", "a.gz", "a folder needs one of"),
            ("a.txt.gz", "a.txt.gz", "the source itself"),
            (".", "folder.tar.gz", "is a folder"),
        ],
    )
    def test_refuses(self, folder: Path, path: str, output: str, words: str) -> None:
        (folder / "a.txt.gz").touch()
        (folder / "folder.tar.gz").mkdir()
        with pytest.raises(PermanentError, match=words):
            run_inline(compress, {"path": str(folder / path), "output": str(folder / output)})


class TestThumbnail:
    @pytest.fixture
    def pictures(self, tmp_path: Path) -> Path:
        folder = tmp_path / "pictures"
        (folder / "deep").mkdir(parents=True)
        Image.new("RGB", (300, 200), "red").save(folder / "a.jpg")
        Image.new("RGBA", (20, 40), (0, 0, 255, 90)).save(folder / "deep" / "b.png")
        (folder / "c.txt").write_text("no image")
        (folder / "d.png").write_bytes((folder / "deep" / "b.png").read_bytes()[:60])
        return folder

    def test_a_folder(self, pictures: Path, tmp_path: Path) -> None:
        output = tmp_path / "small"
        run = run_inline(thumbnail, {"path": str(pictures), "output": str(output), "size": 30})
        made = ["a.jpg.thumb.jpg", "deep/b.png.thumb.png"]
        assert run.result == {"thumbnails": 2, "passed_over": 2, "output": str(output), "first": made}
        assert sorted(file.relative_to(output).as_posix() for file in output.rglob("*.*")) == made
        with Image.open(output / made[0]) as one, Image.open(output / made[1]) as other:
            assert (one.size, one.mode) == ((30, 20), "RGB")
            assert (other.size, other.mode) == ((15, 30), "RGBA")
        assert run.progress[-1] == (4, 4, "done")
        assert "passed over, no image: c.txt" in run.text
        assert "passed over, no image: d.png" in run.text

    def test_again_leaves_its_own_thumbnails_alone(self, pictures: Path) -> None:
        payload = {"path": str(pictures), "output": str(pictures / "small")}
        assert run_inline(thumbnail, payload).result == run_inline(thumbnail, payload).result

    def test_turns_what_the_camera_held_sideways(self, tmp_path: Path) -> None:
        exif = Image.Exif()
        exif[0x0112] = 6
        Image.new("RGB", (40, 20)).save(tmp_path / "a.jpg", exif=exif)
        run_inline(thumbnail, {"path": str(tmp_path / "a.jpg"), "output": str(tmp_path)})
        with Image.open(tmp_path / "a.jpg.thumb.jpg") as small:
            assert small.size == (20, 40)

    def test_no_image(self, pictures: Path, tmp_path: Path) -> None:
        with pytest.raises(PermanentError, match=r"c\.txt is no image"):
            run_inline(thumbnail, {"path": str(pictures / "c.txt"), "output": str(tmp_path)})
        (tmp_path / "none").mkdir()
        with pytest.raises(PermanentError, match="there is no image in"):
            run_inline(thumbnail, {"path": str(tmp_path / "none"), "output": str(tmp_path)})

    def test_says_what_to_install(self, pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "PIL", None)
        with pytest.raises(PermanentError, match=r"need Pillow: install slotd\[examples\]"):
            run_inline(thumbnail, {"path": str(pictures), "output": str(pictures)})

    def test_stops_midway(self, pictures: Path, tmp_path: Path) -> None:
        with pytest.raises(JobCancelled):
            run_inline(thumbnail, {"path": str(pictures), "output": str(tmp_path / "small")}, cancelled=at_once)
        assert [file.name for file in (tmp_path / "small").iterdir()] == ["a.jpg.thumb.jpg"]


class TestBasics:
    @pytest.mark.parametrize("payload", [None, 3, {"a": [1]}, b"bytes"])
    def test_noop_returns_its_payload(self, payload: object) -> None:
        assert run_inline(noop, payload).result == payload

    def test_sleep_says_how_far_it_is(self) -> None:
        run = run_inline(sleep, {"seconds": 0.01})
        assert run.result == {"slept": 0.01}
        assert run.progress[-1] == (10, 10, "done")

    def test_sleep_ends_when_it_is_cancelled(self) -> None:
        with pytest.raises(JobCancelled):
            run_inline(sleep, {"seconds": 3600}, cancelled=at_once)

    def test_flaky_fails_as_often_as_it_is_told(self) -> None:
        for attempt in (1, 2):
            with pytest.raises(RuntimeError, match=f"attempt {attempt} of 2"):
                run_inline(flaky, {"failures": 2}, attempt=attempt)
        assert run_inline(flaky, {"failures": 2}, attempt=3).result == {"attempts": 3}
