from __future__ import annotations

import base64
import io
import os
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from vi.inference.errors import SourceError
from vi.inference.media.image import Picture, load_picture
from vi.inference.media.policy import MediaPolicy
from vi.inference.media.sources import expand


def load(source: object) -> Picture:
    (item,) = expand(source).items
    return load_picture(item)


def refused(source: object) -> str:
    with pytest.raises(SourceError) as caught:
        load(source)
    return str(caught.value)


def outcome(source: object) -> str:
    """The picture's size, or what its SourceError says; anything else raised is a bug."""
    try:
        return str(load(source).original_size)
    except SourceError as error:
        return str(error)


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.fixture(scope="module")
def astronaut(photos) -> bytes:
    return (photos / "astronaut.png").read_bytes()


def test_every_photo_of_scikit_image_loads_as_pillow_sees_it(photos):
    items = expand(photos).items
    assert len(items) >= 20
    for item in items:
        if item.value.name == "multipage_rgb.tif":  # planes that Pillow does not read
            continue
        picture = load_picture(item)
        with Image.open(item.value) as image:
            assert picture.original_size == picture.pixels.size == image.size
            if image.mode == "RGB" and "icc_profile" not in image.info:
                assert picture.pixels.tobytes() == image.tobytes()
        assert (picture.pixels.mode, picture.path, picture.label) == ("RGB", item.value, str(item.value))


def test_the_same_picture_comes_the_same_by_every_way(photos, web, astronaut):
    path = photos / "astronaut.png"
    text = base64.b64encode(astronaut).decode()
    ways = [
        path, str(path), astronaut, bytearray(astronaut), text, f"data:image/png;base64,{text}",
        web.serve_bytes("/a.png", astronaut), Image.open(path), np.asarray(Image.open(path)),
    ]  # fmt: skip
    loaded = [load(way) for way in ways]
    assert len({picture.pixels.tobytes() for picture in loaded}) == 1
    assert [picture.path for picture in loaded] == [path, path, *[None] * 7]


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_comes_upright(encode, format, orientation):
    stored = Image.effect_noise((64, 32), 90).convert("RGB").resize((128, 64))
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {} if format in ("PNG", "TIFF") else {"quality": 95}
    picture = load(encode(stored, format, exif=exif, **options))
    tagged = stored.copy()
    tagged.getexif()[0x0112] = orientation
    upright = ImageOps.exif_transpose(tagged)
    assert picture.original_size == upright.size
    assert np.abs(np.asarray(picture.pixels, int) - np.asarray(upright, int)).mean() < 8


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_damaged_exif_leaves_the_picture_as_stored(encode):
    content = encode(Image.new("RGB", (40, 20), "red"), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff\0\1junk")
    assert load(content).original_size == (40, 20)


@pytest.mark.parametrize(
    ("mode", "format"),
    [("1", "PNG"), ("L", "PNG"), ("LA", "PNG"), ("P", "GIF"), ("P", "PNG"), ("RGBA", "PNG"), ("RGBA", "WEBP"),
     ("I;16", "PNG"), ("I;16", "TIFF"), ("I;16", "PPM"), ("I", "TIFF"), ("F", "TIFF"), ("CMYK", "JPEG"),
     ("CMYK", "TIFF"), ("LAB", "TIFF"), ("YCbCr", "JPEG"), ("RGB", "BMP"), ("RGB", "JPEG2000")],
)  # fmt: skip
@pytest.mark.parametrize("size", [(1, 1), (40, 30)])
def test_every_kind_of_file_becomes_rgb(encode, mode, format, size):
    picture = load(encode(Image.new(mode, size), format))
    assert (picture.pixels.mode, picture.pixels.size) == ("RGB", size)


def test_sixteen_bit_files_are_scaled_not_clipped(encode):
    ramp = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    for format in ("PNG", "TIFF", "PPM"):
        assert (np.asarray(load(encode(Image.fromarray(ramp), format)).pixels)[:, :, 0] == (ramp + 128.0) // 257).all()


def test_a_dark_sixteen_bit_pgm_stays_dark(encode):
    dark = np.full((4, 4), 200, np.uint16)
    assert load(encode(Image.fromarray(dark), "PPM")).pixels.getextrema()[0] == (1, 1)


def test_a_clear_palette_colour_is_white(encode):
    image = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    image.paste((0, 0, 255, 255), (4, 0, 8, 8))
    pixels = load(encode(image.quantize(4), "PNG")).pixels
    assert (pixels.getpixel((0, 0)), pixels.getpixel((7, 7))) == ((255, 255, 255), (0, 0, 255))


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP", "TIFF"])
def test_an_animation_is_its_first_frame(encode, format):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
    options = {"lossless": True} if format == "WEBP" else {}
    content = encode(frames[0], format, save_all=True, append_images=frames[1:], **options)
    assert load(content).pixels.getpixel((4, 4)) == (255, 0, 0)


def test_the_callers_picture_is_neither_changed_nor_shared(photos):
    with Image.open(photos / "coffee.png") as image:
        load(image).pixels.paste("red", (0, 0, 50, 50))
        assert image.getpixel((0, 0)) != (255, 0, 0)


def test_a_truncated_png_says_how_much_is_there(tmp_path, encode):
    content = encode(Image.effect_noise((200, 200), 90))  # one chunk
    path = write(tmp_path / "cut.png", content[:3112])
    assert refused(path) == (
        f"{path} is not a picture that can be read (PNG, cut off after 3,112 of at least {len(content):,} bytes)."
    )


@pytest.mark.parametrize("format", ["WEBP", "BMP"])
def test_formats_that_tell_their_length_say_it(encode, format):
    content = encode(Image.effect_noise((100, 100), 90).convert("RGB"), format)
    name = {"WEBP": "WebP", "BMP": "BMP"}[format]
    assert f"{name}, cut off after 1,000 of {len(content):,} bytes" in refused(content[:1000])


def test_a_truncated_jpeg_is_said_to_be_cut_off(photos):
    assert "JPEG, cut off after 5,000 bytes" in refused((photos / "rocket.jpg").read_bytes()[:5000])


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.png", b"", "is empty (0 bytes)"),
        ("notes.jpg", b"Dear all,\nthe parts are in.\n", "its content is text"),
        ("page.png", b"\n<!DOCTYPE html><html><body>403</body>", "an HTML page"),
        ("drawing.png", b'<?xml version="1.0"?><svg xmlns="x"/>', "its content is SVG"),
        ("denied.png", b'{"error": "no such key"}', "its content is JSON"),
        ("scan.png", b"%PDF-1.7\n", "its content is PDF"),
        ("art.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", "EPS"),
        ("film.jpg", b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "a video (MP4), not a picture"),
        ("film.png", b"\x1aE\xdf\xa3" + bytes(60), "a video (Matroska or WebM)"),
        ("film.gif", b"\0\0\1\xb3\x14\0\xf0\x13" + bytes(60), "a video (MPEG)"),
        ("noise.png", bytes(range(128, 256)) * 9, "no picture format that is known"),
    ],
)
def test_what_is_no_picture_is_called_what_it_is(tmp_path, name, content, said):
    path = write(tmp_path / name, content)
    assert said in refused(path)
    assert str(path) in refused(path)


def test_a_page_behind_an_image_type_is_called_a_page(web):
    url = web.serve_bytes("/a.png", b"<html><body>Sign in</body></html>", "image/png")
    assert refused(url).startswith(f"{url} is not a picture that can be read (its content is an HTML page).")


def test_a_picture_behind_a_wrong_type_is_a_picture(web, astronaut):
    assert load(web.serve_bytes("/a", astronaut, "text/html")).original_size == (512, 512)


def bomb(width: int, height: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def test_a_decompression_bomb_is_refused_with_both_numbers():
    assert "3,600,000,000 pixels; at most 178,956,970 are decoded" in refused(bomb(60_000, 60_000))


def test_the_limit_holds_where_pillows_own_is_lifted(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    assert "60,000 x 60,000 = 3,600,000,000 pixels; at most 178,956,970" in refused(bomb(60_000, 60_000))


def test_malformed_base64_is_located_and_not_repeated(encode):
    text = base64.b64encode(encode(Image.new("RGB", (40, 30)))).decode()
    said = refused(text[:60] + "!" + text[61:])
    assert "malformed base64: character 61" in said
    assert "taken for base64, as no file has that name" in said
    assert text[:20] not in said
    assert "malformed base64" in refused("data:image/png;base64,@@@@")


def test_a_broken_picture_never_stops_its_neighbours(tmp_path, astronaut):
    write(tmp_path / "1.png", astronaut)
    write(tmp_path / "2.png", astronaut[:999])
    write(tmp_path / "3.png", astronaut)
    first, second, third = (outcome(item.value) for item in expand(tmp_path).items)
    assert first == third == "(512, 512)"
    assert "cut off after 999" in second


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_no_damage_raises_anything_else(encode):
    picture = Image.effect_noise((40, 40), 90).convert("RGB")
    dice = np.random.default_rng(7)
    for format in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "ICO", "PPM", "JPEG2000", "TGA", "PCX"):
        content = encode(picture, format)
        for _ in range(40):
            broken = bytearray(content[: dice.integers(1, len(content) + 1)])
            for at in dice.integers(0, len(broken), size=4):
                broken[at] ^= 1 << dice.integers(8)
            assert outcome(bytes(broken)).isprintable()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes there")
def test_a_pipe_is_refused_instead_of_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    assert "device, pipe or socket" in refused(tmp_path / "pipe.png")


def test_a_dangling_link_is_said_to_be_one(tmp_path):
    try:
        (tmp_path / "a.png").symlink_to(tmp_path / "gone.png")
    except OSError:
        pytest.skip("symbolic links need a privilege here")
    assert "leads to no file: it is a link to nothing" in refused(tmp_path / "a.png")


def test_a_file_without_permission_says_so(tmp_path, astronaut):
    path = write(tmp_path / "a.png", astronaut)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    assert "Permission denied" in refused(path)


def test_a_closed_picture_is_an_error_of_its_own():
    image = Image.new("RGB", (4, 4))
    image.close()
    assert "cannot be decoded" in refused(image)


def test_an_open_file_is_read_from_where_it_stands(tmp_path, astronaut):
    path = write(tmp_path / "a.png", astronaut)
    with path.open("rb") as file:
        assert load(file).original_size == (512, 512)
    stream = io.BytesIO(b"header" + astronaut)
    stream.seek(6)
    assert load(stream).original_size == (512, 512)
    assert "does not give bytes" in refused(io.StringIO("text"))
    with path.open("rb") as closed:
        pass
    assert "Is it still open?" in refused(closed)


def test_an_open_file_is_read_up_to_the_limit():
    class Endless:
        def read(self, count: int) -> bytes:
            return bytes(count)

    (item,) = expand(Endless()).items
    with pytest.raises(SourceError, match="more than 1 kB"):
        load_picture(item, MediaPolicy(max_bytes=1000))


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_large_jpeg_is_decoded_at_the_least_size_that_will_do(encode, mode, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encode(Image.new(mode, (1600, 800)), "JPEG", exif=exif)
    upright = (1600, 800) if orientation == 1 else (800, 1600)
    for at_most, divisor in (
        (1600 * 800, 1),
        (800 * 400 + 1, 1),
        (800 * 400, 2),
        (500 * 250, 2),
        (150 * 75, 8),
        (1, 8),
    ):
        picture = load_picture(expand(content).items[0], at_most_pixels=at_most)
        assert picture.original_size == upright
        assert picture.pixels.size == (upright[0] // divisor, upright[1] // divisor)
        assert picture.pixels.mode == "RGB"


def test_a_smaller_decoding_is_the_same_picture_once_it_is_shrunk(photos):
    (item,) = expand(photos / "rocket.jpg").items  # 640 x 427
    less = load_picture(item, at_most_pixels=160 * 107).pixels
    assert less.size == (320, 214)
    shrunk = [
        np.asarray(p.resize((160, 107), Image.Resampling.BICUBIC), int) for p in (load_picture(item).pixels, less)
    ]
    assert np.abs(shrunk[0] - shrunk[1]).mean() < 2


def test_only_what_is_read_from_a_jpeg_is_decoded_smaller(encode):
    image = Image.new("RGB", (1600, 800))
    for source in (image, np.asarray(image), encode(image, "PNG"), encode(image, "WEBP")):
        assert load_picture(expand(source).items[0], at_most_pixels=100).pixels.size == (1600, 800)


def test_a_policys_pixels_are_the_limit(encode):
    content = encode(Image.new("RGB", (100, 50)))
    for source in (content, Image.new("RGB", (100, 50)), np.zeros((50, 100), np.uint8)):
        with pytest.raises(SourceError, match="100 x 50 = 5,000 pixels; at most 4,999"):
            load_picture(expand(source).items[0], MediaPolicy(max_pixels=4999))


def test_decoding_ends_at_its_time(tmp_path, encode):
    path = write(tmp_path / "a.jpg", encode(Image.effect_noise((1000, 1000), 90), "JPEG", quality=95))
    with pytest.raises(SourceError, match="took longer than 1e-09 s"):
        load_picture(expand(path).items[0], MediaPolicy(decode_timeout=1e-9))


@pytest.mark.parametrize("size", [(1, 1), (1, 100_000), (100_000, 1)])
@pytest.mark.parametrize("format", ["PNG", "GIF", "TIFF"])
def test_extreme_shapes_load(encode, format, size):
    content = encode(
        Image.new("RGB", size) if format != "GIF" else Image.new("P", (size[0] % 65535, size[1] % 65535)), format
    )
    assert min(load(content).original_size) == 1


def test_a_side_has_a_limit_of_its_own():
    assert "1 x 2,000,000 pixels; at most 1,000,000 a side" in refused(bomb(1, 2_000_000))


def test_an_animation_of_a_hundred_thousand_frames_is_its_first(encode):
    first = encode(Image.new("P", (4, 4)), "GIF")
    frame = first[first.index(b"\x2c") : -1]
    content = first[:-1] + frame * 100_000 + b";"
    assert load(content).original_size == (4, 4)


@pytest.mark.parametrize("tail", [b"<html><script>alert(1)</script></html>", b"PK\3\4" + bytes(50), b"%PDF-1.7\n"])
@pytest.mark.parametrize("format", ["PNG", "JPEG", "GIF"])
def test_a_picture_with_something_else_behind_it_is_a_picture(encode, format, tail):
    assert load(encode(Image.new("RGB", (20, 10)), format) + tail).original_size == (20, 10)


def test_something_else_with_a_picture_behind_it_is_not(encode):
    assert "PDF" in refused(b"%PDF-1.7\n" + encode(Image.new("RGB", (20, 10))))


def test_a_url_in_memory_or_on_disk_obeys_the_policy_given_to_the_load(web, astronaut):
    (item,) = expand(web.serve_bytes("/a.png", astronaut)).items
    with pytest.raises(SourceError, match="not public"):
        load_picture(item, MediaPolicy.untrusted())


def test_a_clip_is_not_a_picture(tmp_path):
    assert "is a video" in refused(write(tmp_path / "run.mp4", b"\0\0\0\x18ftypmp42"))


def test_a_telephones_picture_loads_where_its_package_is_installed(photos):
    heif = pytest.importorskip("pillow_heif")
    shown = Image.open(photos / "coffee.png").convert("RGB")
    buffer = io.BytesIO()
    heif.from_pillow(shown).save(buffer, quality=95)
    picture = load(buffer.getvalue())
    assert picture.pixels.mode == "RGB"
    assert np.abs(np.asarray(picture.pixels, int) - np.asarray(shown, int)).mean() < 4
    assert "HEIC" in refused(buffer.getvalue()[:200])


def test_a_telephones_picture_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    said = refused(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(60))
    assert "its content is HEIC). Install pillow-heif" in said


def test_a_picture_as_text_keeps_the_limit(astronaut):
    text = base64.b64encode(astronaut).decode()
    for source in (text, f"data:image/png;base64,{text}"):
        with pytest.raises(SourceError, match="too long; at most 100 kB"):
            load_picture(expand(source).items[0], MediaPolicy(max_bytes=100_000))
