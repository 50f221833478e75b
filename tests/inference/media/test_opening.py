from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vi.inference.errors import SourceError
from vi.inference.media import beneath
from vi.inference.media.opening import open_file, open_folder
from vi.inference.media.policy import MediaPolicy

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need a privilege there")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for path in ("root/a.png", "root/deep/b.png", "secret/c.png", "root2/d.png"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(path)
    return tmp_path / "root"


def read(path: Path, *roots: Path) -> str:
    with open_file(path, str(path), MediaPolicy(roots=roots) if roots else MediaPolicy()) as file:
        return file.read().decode()


def refused(path: Path, *roots: Path) -> str:
    with pytest.raises(SourceError) as caught:
        read(path, *roots)
    return str(caught.value)


def test_files_below_a_root_open(root):
    assert read(root / "a.png", root) == "root/a.png"
    assert read(root / "deep/../deep/./b.png", root) == "root/deep/b.png"
    assert read(root.parent / "root2/d.png", root, root.parent / "root2") == "root2/d.png"


@pytest.mark.parametrize("path", ["../secret/c.png", "deep/../../secret/c.png", "../root2/d.png", "/etc/passwd", ".."])
def test_files_outside_do_not(root, path):
    assert "outside the folders that the media policy allows" in refused(root / path, root)


def test_a_name_that_begins_like_the_roots_is_outside(root):
    assert "outside" in refused(root.parent / "root2/d.png", root)


@pytest.mark.parametrize("target", ["../secret/c.png", "{top}/secret/c.png", "deep/../../secret/c.png", "/etc/passwd"])
def test_a_link_that_leads_out_is_refused(root, target):
    (root / "link.png").symlink_to(target.format(top=root.parent))
    assert "leads out of the folders" in refused(root / "link.png", root)


def test_a_folder_that_is_a_link_out_is_refused(root):
    (root / "out").symlink_to(root.parent / "secret")
    assert "leads out of the folders" in refused(root / "out" / "c.png", root)


def test_links_that_stay_inside_are_followed(root):
    (root / "one").symlink_to("deep")
    (root / "deep" / "two").symlink_to("../one/b.png")
    (root / "three").symlink_to(root / "one" / "two")
    assert read(root / "three", root) == "root/deep/b.png"


def test_a_root_that_is_a_link_itself_is_one(root):
    link = root.parent / "link-to-root"
    link.symlink_to(root)
    assert read(link / "a.png", link) == read(root / "a.png", link) == read(link / "a.png", link, root) == "root/a.png"
    (root / "whole").symlink_to(link / "a.png")
    assert read(link / "whole", link) == "root/a.png"


def test_loops_of_links_end(root):
    (root / "x").symlink_to("y")
    (root / "y").symlink_to("x")
    (root / "z").symlink_to("z/z")
    for name in ("x", "z"):
        assert "symbolic links" in refused(root / name, root)


def test_what_is_not_there_says_so_inside_only(root):
    assert "leads to no file" in refused(root / "gone.png", root)
    assert "outside" in refused(root.parent / "secret" / "gone.png", root)


@pytest.mark.parametrize("roots", [True, False])
def test_folders_and_pipes_are_no_files(root, roots):
    os.mkfifo(root / "pipe.png")
    chosen = (root,) if roots else ()
    assert "device, pipe or socket" in refused(root / "pipe.png", *chosen)
    assert "but a folder" in refused(root / "deep", *chosen)
    assert "cannot be read" in refused(root / "a\0.png", *chosen)


def test_no_files_at_all_where_the_policy_has_no_file_scheme(root):
    with pytest.raises(SourceError, match="no files of this machine"):
        open_file(root / "a.png", "a.png", MediaPolicy.untrusted())


def test_a_folder_is_listed_below_its_root_only(root):
    (root / "out").symlink_to(root.parent / "secret")
    policy = MediaPolicy(roots=[root])
    with open_folder(root / "deep", "deep", policy) as place:
        assert [entry.name for entry in os.scandir(place)] == ["b.png"]
    with pytest.raises(SourceError, match="leads out"), open_folder(root / "out", "out", policy):
        pass


@pytest.mark.parametrize("swap", ["file", "folder"])
def test_what_is_replaced_by_a_link_meanwhile_is_never_read(root, swap):
    """The classic race: the path is checked, replaced, and opened."""
    stop = threading.Event()
    (root / "deep2").symlink_to(root.parent / "secret")
    (root / "deep" / "c.png").write_text("inside")
    (root / "deep" / "c2.png").symlink_to(root.parent / "secret" / "c.png")
    place, other = (root / "deep", root / "deep2") if swap == "folder" else (root / "deep/c.png", root / "deep/c2.png")

    def exchange() -> None:
        spare = root / "spare"
        while not stop.is_set():
            place.rename(spare)
            other.rename(place)
            spare.rename(other)

    thread = threading.Thread(target=exchange)
    thread.start()
    found = set()
    try:
        for _ in range(2000):
            try:
                found.add(read(root / "deep" / "c.png", root))
            except SourceError:
                continue
    finally:
        stop.set()
        thread.join()
    assert found <= {"inside"}


names = st.sampled_from(["a.png", "deep", "b.png", "..", ".", "up", "out", "loop", "in"])


@given(st.lists(names, max_size=6))
def test_no_path_opens_what_the_kernel_puts_outside(tmp_path_factory, parts):
    root = tmp_path_factory.getbasetemp() / "walk" / "root"
    if not root.exists():
        (root / "deep").mkdir(parents=True)
        (root.parent / "b.png").write_text("outside")
        (root / "a.png").write_text("inside")
        (root / "deep" / "b.png").write_text("inside")
        for name, target in {"up": "..", "out": "/", "loop": "loop", "in": "deep"}.items():
            (root / name).symlink_to(target)
            (root / "deep" / name).symlink_to(target)
    try:
        descriptor = beneath.open_beneath(root, Path(*parts), beneath.PLAIN)
    except OSError:
        return
    link = Path(f"/proc/self/fd/{descriptor}")
    real = link.readlink() if link.is_symlink() else root
    os.close(descriptor)
    assert real.is_relative_to(os.path.realpath(root))
