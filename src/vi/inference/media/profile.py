"""Colour profiles: what a picture's numbers mean, and the same colours as sRGB."""

from __future__ import annotations

import io

from PIL import Image, ImageCms

_SPACES = {"RGB": "RGB", "RGBA": "RGB", "L": "GRAY", "LA": "GRAY", "CMYK": "CMYK"}
_PALETTED = ("P", "PA")


def to_srgb(image: Image.Image) -> Image.Image:
    """``image`` in sRGB where it carries a profile (ICC.1:2022) that fits its mode; else itself.

    A profile that is damaged, or made for another kind of numbers, is left aside, as viewers do.
    """
    content = image.info.get("icc_profile")
    if not isinstance(content, bytes) or not content:
        return image
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(content))
        if "sRGB" in (profile.profile.profile_description or ""):
            return image
        return _converted(image, profile)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError, AttributeError):
        return image


def _converted(image: Image.Image, profile: ImageCms.ImageCmsProfile) -> Image.Image:
    if image.mode in _PALETTED:
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    elif image.mode in ("L", "RGB") and image.has_transparency_data:  # one colour stands for no colour
        image = image.convert("LA" if image.mode == "L" else "RGBA")
    if _SPACES.get(image.mode) != profile.profile.xcolor_space.strip():
        return image
    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    plain = image.convert(image.mode.removesuffix("A")) if alpha is not None else image
    converted = ImageCms.profileToProfile(plain, profile, ImageCms.createProfile("sRGB"), outputMode="RGB")
    assert converted is not None
    if alpha is not None:
        converted.putalpha(alpha)
    return converted
