"""Fetching from a remote store: once, verified, resumed, never half there."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
import uuid

import fsspec
import pytest

from vi.inference.errors import LoadError
from vi.inference.runs.download import download, origin
from vi.inference.runs.remote_store import RemoteStore, without_credentials

FILES = {
    "model/config.json": b"{}",
    "model/model.safetensors": bytes(range(256)) * 12_000,  # three pieces of a fetch
    "model/empty.txt": b"",
    "checkpoints/epoch-1/model/config.json": b'{"epoch": 1}',
}


class BreakingStore(RemoteStore):
    """A store whose connection ends after ``pieces`` pieces; it counts what it sent."""

    def __init__(self, url, pieces=None):
        super().__init__(url)
        self.pieces = pieces
        self.sent = []

    def read(self, file, start):
        for offset, piece in super().read(file, start):
            if self.pieces is not None and len(self.sent) == self.pieces:
                raise LoadError("the connection ended")
            self.sent.append((file.name, offset))
            yield offset, piece


@pytest.fixture
def url():
    url = f"memory://{uuid.uuid4().hex}"
    put(url, FILES)
    yield url
    fsspec.filesystem("memory").rm(url, recursive=True)


def put(url, files, run="bolts"):
    fs, root = fsspec.core.url_to_fs(url)
    for name, content in files.items():
        fs.pipe(f"{root}/{run}/{name}", content)


def put_manifest(url, files, **changed):
    lines = [f"{changed.get(n, hashlib.sha256(c).hexdigest())}  ./{n}\n" for n, c in files.items()]
    put(url, {"SHA256SUMS": "".join(lines).encode()})


def contents(folder):
    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {name: content for name, content in found.items() if not name.startswith(".")}


def of_run(files):
    return {name: content for name, content in files.items() if not name.startswith("checkpoints/")}


@pytest.mark.parametrize("manifest", [False, True])
def test_a_run_arrives_whole_without_its_checkpoints(url, tmp_path, manifest):
    if manifest:
        put_manifest(url, FILES)
    assert download(RemoteStore(url), "bolts", tmp_path / "bolts")
    assert contents(tmp_path / "bolts") == of_run(FILES)
    assert origin(tmp_path / "bolts") == url


@pytest.mark.parametrize("manifest", [False, True])
def test_a_checkpoint_arrives_alone(url, tmp_path, manifest):
    if manifest:
        put_manifest(url, FILES)
    target = tmp_path / "bolts" / "checkpoints" / "epoch-1"
    assert download(RemoteStore(url), "bolts", target, checkpoint="epoch-1")
    assert contents(target) == {"model/config.json": b'{"epoch": 1}'}


def test_what_is_not_there_is_false_and_leaves_nothing_visible(url, tmp_path):
    assert not download(RemoteStore(url), "nuts", tmp_path / "nuts")
    assert not (tmp_path / "nuts").exists()


def test_a_run_is_fetched_once_unless_asked_again(url, tmp_path):
    store = BreakingStore(url)
    download(store, "bolts", tmp_path / "bolts")
    sent = len(store.sent)
    put(url, {"model/config.json": b'{"new": 1}'})
    download(store, "bolts", tmp_path / "bolts")
    assert len(store.sent) == sent
    download(store, "bolts", tmp_path / "bolts", overwrite=True)
    assert contents(tmp_path / "bolts")["model/config.json"] == b'{"new": 1}'


def test_an_interrupted_fetch_is_invisible_and_goes_on_where_it_stopped(url, tmp_path):
    with pytest.raises(LoadError, match="ended"):
        download(BreakingStore(url, pieces=2), "bolts", tmp_path / "bolts")
    assert not (tmp_path / "bolts").exists()
    second = BreakingStore(url)
    download(second, "bolts", tmp_path / "bolts")
    assert contents(tmp_path / "bolts") == of_run(FILES)
    weights = [offset for name, offset in second.sent if name == "model/model.safetensors"]
    assert weights == [1 << 20, 2 << 20]
    assert "model/config.json" not in dict(second.sent)


def test_a_run_that_changed_since_the_interruption_is_fetched_anew(url, tmp_path):
    with pytest.raises(LoadError):
        download(BreakingStore(url, pieces=2), "bolts", tmp_path / "bolts")
    changed = {"model/model.safetensors": bytes(len(FILES["model/model.safetensors"]))}
    put(url, changed)
    download(RemoteStore(url), "bolts", tmp_path / "bolts")
    assert contents(tmp_path / "bolts") == of_run(FILES | changed)


def test_a_damaged_leftover_is_found_by_its_checksum(url, tmp_path):
    put_manifest(url, FILES)
    with pytest.raises(LoadError):
        download(BreakingStore(url, pieces=2), "bolts", tmp_path / "bolts")
    leftover = tmp_path / ".bolts.partial" / "model" / "model.safetensors"
    leftover.write_bytes(b"x" * leftover.stat().st_size)
    download(RemoteStore(url), "bolts", tmp_path / "bolts")
    assert contents(tmp_path / "bolts") == of_run(FILES)


def test_a_wrong_checksum_never_becomes_visible(url, tmp_path):
    put_manifest(url, FILES, **{"model/config.json": "0" * 64})
    with pytest.raises(LoadError, match=r"model/config.json .* damaged"):
        download(RemoteStore(url), "bolts", tmp_path / "bolts")
    assert not (tmp_path / "bolts").exists()


def test_a_file_that_the_manifest_promises_must_be_there(url, tmp_path):
    put_manifest(url, FILES | {"model/gone.json": b"x"})
    with pytest.raises(LoadError, match=r"gone.json"):
        download(RemoteStore(url), "bolts", tmp_path / "bolts")


def test_the_old_run_stays_whole_until_the_new_one_is(url, tmp_path):
    target, seen = tmp_path / "bolts", []
    download(RemoteStore(url), "bolts", target)
    changed = {"model/config.json": b'{"new": 1}'}
    put(url, changed)

    class WatchingStore(RemoteStore):
        def read(self, file, start):
            for piece in super().read(file, start):
                seen.append(contents(target))
                yield piece

    download(WatchingStore(url), "bolts", target, overwrite=True)
    assert len(seen) == 4
    assert all(files == of_run(FILES) for files in seen)
    assert contents(target) == of_run(FILES | changed)


def test_processes_that_fetch_the_same_run_do_not_disturb_each_other(tmp_path):
    for name, content in FILES.items():
        path = tmp_path / "remote" / "bolts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    script = (
        "import sys, pathlib; from vi.inference.runs.download import download; "
        "from vi.inference.runs.remote_store import RemoteStore; "
        "assert download(RemoteStore(sys.argv[1]), 'bolts', pathlib.Path(sys.argv[2]))"
    )
    command = [sys.executable, "-c", script, f"file://{tmp_path / 'remote'}", str(tmp_path / "local" / "bolts")]
    processes = [subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"}) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert contents(tmp_path / "local" / "bolts") == of_run(FILES)


def test_a_store_that_cannot_be_written_says_so(url, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(LoadError, match=r"cannot be written.*VI_MODEL_STORE"):
        download(RemoteStore(url), "bolts", tmp_path / "file" / "bolts")


def test_an_unknown_kind_of_store_says_so():
    with pytest.raises(LoadError, match="Protocol not known"):
        RemoteStore("carrier-pigeon://coop")


def test_names_of_runs_are_listed(url):
    assert RemoteStore(url).names() == ["bolts"]
    assert RemoteStore(url).names("bolts", "checkpoints") == ["epoch-1"]
    assert RemoteStore(url).names("none") == []


def test_messages_carry_no_credentials():
    url = "https://user:secret@host/runs?token=secret"
    assert without_credentials(f"cannot open {url} now") == "cannot open https://host/runs now"


def test_an_http_server_without_ranges_serves_a_run(tmp_path):
    pytest.importorskip("aiohttp")
    from functools import partial
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    for name, content in FILES.items():
        path = tmp_path / "remote" / "bolts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    quiet = type("Quiet", (SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(quiet, directory=str(tmp_path / "remote")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    try:
        with pytest.raises(LoadError):
            download(BreakingStore(url, pieces=2), "bolts", tmp_path / "local" / "bolts")
        assert download(RemoteStore(url), "bolts", tmp_path / "local" / "bolts")
        assert contents(tmp_path / "local" / "bolts") == of_run(FILES)
        assert not download(RemoteStore(url), "nuts", tmp_path / "local" / "nuts")
        assert RemoteStore(url).names() == ["bolts"]
    finally:
        server.shutdown()
        server.server_close()
