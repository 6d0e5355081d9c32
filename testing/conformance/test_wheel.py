"""Getting the headers: once, whole, or with an error that says what to do."""

from __future__ import annotations

import hashlib
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from conformance import wheel


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No network and an empty cache; the folder is where pip may find wheels."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("TILELANG_TT_CACHE_DIR", str(tmp_path / "cache"))
    return wheels


def write_wheel(folder: Path, trees: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for the wheel of ttnn, whose hash becomes the expected one."""
    path = folder / f"ttnn-{wheel.VERSION}-cp312-cp312-{wheel.PLATFORM}.whl"
    info = f"ttnn-{wheel.VERSION}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        for tree in trees:
            archive.writestr(f"{tree}header.h", "")
        archive.writestr("ttnn/build/lib/big.so", "")
        archive.writestr(f"{info}/METADATA", f"Name: ttnn\nVersion: {wheel.VERSION}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\n")
        archive.writestr(f"{info}/RECORD", "")
    monkeypatch.setattr(wheel, "SHA256", hashlib.sha256(path.read_bytes()).hexdigest())


def cached(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder.parent / "cache/headers").iterdir())


def test_two_at_once_unpack_only_the_headers_and_leave_nothing_behind(
    offline: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_wheel(offline, wheel.TREES, monkeypatch)
    downloads: list[Path] = []
    download = wheel._download
    monkeypatch.setattr(wheel, "_download", lambda to: downloads.append(to) or download(to))
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: wheel.headers(), range(2))
    assert first == second
    assert len(downloads) == 1
    assert (first / "tt_metal/hw/inc/header.h").is_file()
    assert not (first / "build").exists()
    assert cached(offline) == [f"ttnn-{wheel.VERSION}", f"ttnn-{wheel.VERSION}.lock"]


def test_a_failed_download_says_what_pip_said_and_what_to_do(offline: Path) -> None:
    with pytest.raises(wheel.WheelError, match=r"(?s)No matching distribution.*PIP_FIND_LINKS"):
        wheel.headers()
    assert cached(offline) == [f"ttnn-{wheel.VERSION}.lock"]


def test_another_wheel_than_the_expected_one_is_refused(
    offline: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_wheel(offline, wheel.TREES, monkeypatch)
    monkeypatch.setattr(wheel, "SHA256", "0" * 64)
    with pytest.raises(wheel.WheelError, match="expected 0000"):
        wheel.headers()


def test_a_wheel_without_a_header_tree_is_refused(
    offline: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_wheel(offline, wheel.TREES[1:], monkeypatch)
    with pytest.raises(wheel.WheelError, match=f"has no {wheel.TREES[0]}"):
        wheel.headers()
    assert cached(offline) == [f"ttnn-{wheel.VERSION}.lock"]
