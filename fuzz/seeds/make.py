"""Makes the images beside this file: kinds that this program's own encoders do not write. Needs Pillow."""

import io
import struct
from pathlib import Path

from PIL import Image, ImageCms

HERE = Path(__file__).parent
colour = Image.merge("RGB", [Image.linear_gradient("L").resize((20, 17)).rotate(angle) for angle in (0, 90, 180)])
grey = colour.convert("L")
alpha = colour.convert("RGBA")
alpha.putalpha(grey)
profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
exif = Image.Exif()
exif[0x0112] = 6

colour.save(HERE / "progressive.jpg", progressive=True, quality=60)
grey.save(HERE / "progressive-grey.jpg", progressive=True, quality=60)
colour.save(HERE / "metadata.jpg", quality=60, exif=exif, icc_profile=profile, restart_marker_blocks=1)
colour.save(HERE / "subsampled.jpg", quality=60, subsampling=2)
colour.convert("CMYK").save(HERE / "cmyk.jpg", quality=60)

colour.save(HERE / "lossy.webp", quality=60)
alpha.save(HERE / "lossy-alpha.webp", quality=60)
colour.save(HERE / "metadata.webp", quality=60, exif=exif, icc_profile=profile, xmp=b"<x/>")
colour.quantize(4).convert("RGB").save(HERE / "lossless-palette.webp", lossless=True)
frames = [alpha, alpha.rotate(90), alpha.rotate(180)]
frames[0].save(HERE / "animated.webp", save_all=True, append_images=frames[1:], duration=40, quality=60)
frames[0].save(HERE / "animated-lossless.webp", save_all=True, append_images=frames[1:], duration=40, lossless=True)

colour.quantize(200).save(HERE / "palette.png", bits=8)
colour.quantize(4).save(HERE / "palette-2-bits.png", bits=2, transparency=1)
grey.convert("1").save(HERE / "one-bit.png")
colour.save(HERE / "metadata.png", exif=exif, icc_profile=profile)
frames[0].save(HERE / "animated.png", save_all=True, append_images=frames[1:], duration=40)

colour.quantize(200).save(HERE / "palette.bmp")
grey.convert("1").save(HERE / "one-bit.bmp")
alpha.save(HERE / "alpha.bmp")
colour.quantize(2).save(HERE / "few-colours.bmp")


def run_length(kind, bits, data):
    """A bitmap of 8 x 4 with run lengths, in the words of the format's description."""
    palette = b"".join(struct.pack("<I", 0x10101 * step) for step in range(16))
    offset = 14 + 40 + len(palette)
    header = struct.pack("<IiiHHIIiiII", 40, 8, 4, 1, bits, kind, len(data), 2835, 2835, 16, 0)
    return b"BM" + struct.pack("<IHHI", offset + len(data), 0, 0, offset) + header + palette + data


lines = b"\x08\x03\x00\x00" + b"\x00\x04\x01\x02\x03\x04\x04\x05\x00\x00" + b"\x00\x02\x01\x01\x02\x07\x00\x01"
(HERE / "run-length-8.bmp").write_bytes(run_length(1, 8, lines))
(HERE / "run-length-4.bmp").write_bytes(run_length(2, 4, lines))
