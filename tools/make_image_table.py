# SPDX-License-Identifier: Apache-2.0
"""Writes Tests/MUXVisionTests/Fixtures/images: small image files of every kind that is read, and what
Pillow makes of them.

    python tools/make_image_table.py   (needs Pillow and NumPy, jpegtran for arithmetic coding)

`table.txt` has a line for each file: its name, then either `error` and a part of the message, or
width, height, the greatest difference allowed, and the place of its pixels in `pixels.bin`
(`offset`; RGB, rows from the top). Where Pillow can, the pixels are those of its `convert("RGB")`
(after `ImageOps.exif_transpose`), and the script checks that they are what the file was made of;
where it cannot (16-bit grey, which Pillow cuts off at 255) they are what the file was made of.
"""

import io
import os
import shutil
import struct
import subprocess
import warnings
import zlib

import numpy as np
from PIL import Image, ImageCms, ImageOps

FOLDER = "Tests/MUXVisionTests/Fixtures/images"
W, H = 13, 9
rng = np.random.default_rng(12)
lines, pixels, places = [], bytearray(), {}
warnings.simplefilter("ignore")


def picture(width=W, height=H):
    """Gradients in three directions with a hard edge."""
    y, x = np.mgrid[0:height, 0:width]
    values = np.stack([20 * x + 5, 255 - 25 * y, 10 * (x + y)], axis=2)
    values[: height // 2, : width // 3] = (250, 30, 20)
    return np.clip(values, 0, 255).astype(np.uint8)


RGB = picture()


def pillow(data, apply=True):
    image = Image.open(io.BytesIO(data))
    image.load()
    if apply:
        image = ImageOps.exif_transpose(image)
    return np.asarray(image.convert("RGB"))


def expect(name, data, values, tolerance=0):
    """A file that gives `values`."""
    assert max(values.shape[:2]) <= 24 or name.startswith("long"), name
    with open(f"{FOLDER}/{name}", "wb") as file:
        file.write(data)
    raw = np.ascontiguousarray(values, dtype=np.uint8).tobytes()
    if raw not in places:
        places[raw] = len(pixels)
        pixels.extend(raw)
    lines.append(f"{name} {values.shape[1]} {values.shape[0]} {tolerance} {places[raw]}")


def same(name, data, values=None, tolerance=0):
    """A file that gives what Pillow gives, which must be `values` if these are known."""
    result = pillow(data)
    if values is not None:
        assert np.array_equal(result, values), name
    expect(name, data, result, tolerance)


def fails(name, data, message):
    with open(f"{FOLDER}/{name}", "wb") as file:
        file.write(data)
    lines.append(f"{name} error {message}")


# --- PNG ------------------------------------------------------------------------------------------

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def chunk(name, data, crc=None):
    crc = zlib.crc32(name + data) if crc is None else crc
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", crc)


def packed(samples, depth):
    """Rows of samples [H, W, C] as bytes, with filters in turn."""
    rows, before = [], None
    step = max(1, samples.shape[2] * depth // 8)
    for y, row in enumerate(samples.reshape(samples.shape[0], -1)):
        if depth == 16:
            line = row.astype(">u2").tobytes()
        elif depth == 8:
            line = row.astype(np.uint8).tobytes()
        else:
            bits = ((row[:, None] >> np.arange(depth - 1, -1, -1)) & 1).astype(np.uint8).ravel()
            line = np.packbits(bits).tobytes()
        line = np.frombuffer(line, np.uint8).astype(int)
        above = np.zeros_like(line) if before is None else before
        left = np.concatenate([np.zeros(step, int), line])[: len(line)]
        corner = np.concatenate([np.zeros(step, int), above])[: len(line)]
        kind = y % 5
        if kind == 4:
            base = left + above - corner
            a, b, c = abs(base - left), abs(base - above), abs(base - corner)
            guess = np.where((a <= b) & (a <= c), left, np.where(b <= c, above, corner))
        else:
            guess = (0 * line, left, above, (left + above) // 2)[kind]
        rows.append(bytes([kind]) + ((line - guess) % 256).astype(np.uint8).tobytes())
        before = line
    return b"".join(rows)


def png(samples, color, depth, before=(), middle=(), after=(), interlaced=False, idat=None, end=True):
    """A file of samples [H, W, C]; `before` stands before PLTE's place, `after` behind the picture."""
    height, width = samples.shape[:2]
    if interlaced:
        raw = b"".join(
            packed(samples[y::dy, x::dx], depth)
            for x, y, dx, dy in PASSES
            if x < width and y < height
        )
    else:
        raw = packed(samples, depth)
    data = zlib.compress(raw, 9)
    parts = [data] if idat is None else idat(data)
    return (
        SIGNATURE
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, int(interlaced)))
        + b"".join(chunk(*one) for one in before)
        + b"".join(chunk(*one) for one in middle)
        + b"".join(chunk(b"IDAT", part) for part in parts)
        + b"".join(chunk(*one) for one in after)
        + (chunk(b"IEND", b"") if end else b"")
    )


def grey_of(depth, width=W, height=H):
    y, x = np.mgrid[0:height, 0:width]
    if depth == 16:
        return (x * 4999 + y * 301)[..., None] % 65536
    return ((x * 7 + y * 3) % (1 << depth))[..., None]


def eight(samples, depth):
    """Samples in 8 bits: high byte of 16, spread of fewer."""
    return samples >> 8 if depth == 16 else samples * 255 // ((1 << depth) - 1)


def make_png():
    palette = bytes(int(v) for v in rng.integers(0, 256, 768))
    table = np.frombuffer(palette, np.uint8).reshape(-1, 3)
    for interlaced in (False, True):
        mark = "_interlaced" if interlaced else ""
        for depth in (1, 2, 4, 8, 16):
            grey = grey_of(depth)
            values = np.repeat(eight(grey, depth), 3, axis=2).astype(np.uint8)
            put = same if depth < 16 else expect
            put(f"grey{depth}{mark}.png", png(grey, 0, depth, interlaced=interlaced), values)
            key = (b"tRNS", struct.pack(">H", int(grey[1, 1, 0])))
            put(f"grey{depth}_key{mark}.png", png(grey, 0, depth, middle=[key], interlaced=interlaced), values)
            if depth < 16:
                colors = (b"PLTE", palette[: 3 << depth])
                clear = (b"tRNS", bytes(range(1 << depth)))
                values = table[grey[..., 0]]
                same(f"palette{depth}{mark}.png", png(grey, 3, depth, [colors], interlaced=interlaced), values)
                same(
                    f"palette{depth}_clear{mark}.png",
                    png(grey, 3, depth, [colors], [clear], interlaced=interlaced), values,
                )
        for depth in (8, 16):
            top = 1 << depth
            pairs = np.concatenate([grey_of(depth), rng.integers(0, top, (H, W, 1))], axis=2)
            values = np.repeat(eight(pairs[..., :1], depth), 3, axis=2).astype(np.uint8)
            same(f"grey_alpha{depth}{mark}.png", png(pairs, 4, depth, interlaced=interlaced), values)
            colors = rng.integers(0, top, (H, W, 3))
            values = eight(colors, depth).astype(np.uint8)
            same(f"rgb{depth}{mark}.png", png(colors, 2, depth, interlaced=interlaced), values)
            key = (b"tRNS", struct.pack(">HHH", *(int(v) for v in colors[1, 1])))
            same(f"rgb{depth}_key{mark}.png", png(colors, 2, depth, middle=[key], interlaced=interlaced), values)
            four = np.concatenate([colors, rng.integers(0, top, (H, W, 1))], axis=2)
            same(f"rgba{depth}{mark}.png", png(four, 6, depth, interlaced=interlaced), values)

    for width, height in ((1, 1), (5, 1), (24, 1), (1, 5), (3, 2), (2, 3), (8, 8), (9, 17)):
        small = picture(width, height)
        same(f"interlaced_{width}x{height}.png", png(small, 2, 8, interlaced=True), small)

    # What says how samples are meant changes no sample.
    gamma = lambda value: (b"gAMA", struct.pack(">I", value))
    chroma = (b"cHRM", struct.pack(">8I", 64000, 33000, 21000, 71000, 15000, 6000, 31270, 32900))
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    colour_chunks = {
        "srgb": [(b"sRGB", b"\0"), gamma(45455)],
        "gamma_mac": [gamma(55556)],
        "gamma_linear": [gamma(100000)],
        "gamma_steep": [gamma(22727)],
        "gamma_zero": [gamma(0)],
        "chroma": [gamma(45455), chroma],
        "icc": [(b"iCCP", b"x\0\0" + zlib.compress(icc))],
        "icc_broken": [(b"iCCP", b"x\0\0" + zlib.compress(b"no profile at all"))],
        "icc_large": [(b"iCCP", b"x\0\0" + zlib.compress(bytes(20_000_000), 9))],
        "significant": [(b"sBIT", bytes([5, 6, 5]))],
        "background": [(b"bKGD", struct.pack(">HHH", 9, 200, 9))],
        "unknown": [(b"abCd", b"x" * 40), (b"teSt", b"")],
    }
    for name, chunks in colour_chunks.items():
        expect(f"rgb_{name}.png", png(RGB, 2, 8, chunks), RGB)
    grey = grey_of(8)
    values = np.repeat(grey, 3, axis=2).astype(np.uint8)
    same("grey_gamma_linear.png", png(grey, 0, 8, [gamma(100000)]), values)
    wide = grey_of(16)
    expect(
        "grey16_gamma_linear.png", png(wide, 0, 16, [gamma(100000)]),
        np.repeat(wide >> 8, 3, axis=2).astype(np.uint8),
    )
    same("palette_gamma.png", png(grey_of(4), 3, 4, [gamma(55556), (b"PLTE", palette[:48])]), table[grey_of(4)[..., 0]])
    alpha = np.concatenate([RGB, rng.integers(0, 256, (H, W, 1))], axis=2)
    same("rgba_gamma.png", png(alpha, 6, 8, [gamma(100000)], [(b"bKGD", bytes(6))]), RGB)
    same("rgba_interlaced_gamma.png", png(alpha, 6, 8, [gamma(55556)], interlaced=True), RGB)

    # Other shapes of the same file.
    same("idat_by_byte.png", png(RGB, 2, 8, idat=lambda d: [d[i : i + 1] for i in range(len(d))]), RGB)
    same("idat_empty.png", png(RGB, 2, 8, idat=lambda d: [b"", d[:9], b"", b"", d[9:], b""]), RGB)
    expect("bad_text_checksum.png", png(RGB, 2, 8, [(b"tEXt", b"a\0b", 7)]), RGB)
    expect("bad_gamma_checksum.png", png(RGB, 2, 8, [gamma(100000) + (7,)]), RGB)
    same("text_after.png", png(RGB, 2, 8, after=[(b"tEXt", b"Comment\0" + b"x" * 50)]), RGB)
    same("garbage_after.png", png(RGB, 2, 8) + b"garbage" * 9, RGB)
    same("png_named.jpg", png(RGB, 2, 8), RGB)
    expect("short_palette.png", png(grey_of(4) % 3, 3, 4, [(b"PLTE", palette[:9])]), table[(grey_of(4) % 3)[..., 0]])
    same("beyond_palette.png", png(grey_of(4), 3, 4, [(b"PLTE", palette[:9])]))
    expect("without_end.png", png(RGB, 2, 8, end=False), RGB)
    expect("cut_in_end.png", png(RGB, 2, 8)[:-5], RGB)
    expect("cut_in_text_after.png", png(RGB, 2, 8, after=[(b"tEXt", b"Comment\0" + b"x" * 50)])[:-40], RGB)
    file = io.BytesIO()
    Image.fromarray(RGB).save(
        file, "PNG", save_all=True, append_images=[Image.fromarray(255 - RGB)], duration=100)
    same("animated.png", file.getvalue(), RGB)

    whole = png(RGB, 2, 8)
    fails("bad_idat_checksum.png", whole[:60] + bytes([whole[60] ^ 1]) + whole[61:], "PNG")
    fails("cut_in_idat.png", whole[:-30], "cut off")
    fails("cut_in_idat_checksum.png", whole[:-14], "cut off")
    fails("signature_only.png", SIGNATURE, "cut off")
    fails("no_picture.png", SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 8, 2, 0, 0, 0)) + chunk(b"IEND", b""), "PNG")
    fails("short_picture.png", png(RGB, 2, 8, idat=lambda d: [zlib.compress(zlib.decompress(d)[:200])]), "PNG")
    fails("no_palette.png", png(grey_of(4), 3, 4), "PNG")
    fails("odd_depth.png", SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", W, H, 4, 2, 0, 0, 0)) + whole[33:], "PNG")
    apple = SIGNATURE + chunk(b"CgBI", b"\x50\x00\x20\x02") + whole[8:]
    fails("apple.png", apple, "this form of PNG is not read")
    fails("bomb_16384.png", SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", 16384, 16384, 8, 2, 0, 0, 0)) + chunk(b"IDAT", b"x" * 99), "too much for a file of 1 KiB")
    fails("bomb_wide.png", SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", 80_000_000, 1, 16, 6, 0, 0, 0)) + chunk(b"IDAT", b"x" * 99), "too much for a file of 1 KiB")
    fails("bomb_sides.png", SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 16, 6, 0, 0, 0)) + chunk(b"IDAT", b"x" * 99), "more than the limit")
    # Small enough to be tried, and then not there.
    fails("promise.png", SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", 1 << 20, 1, 1, 0, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(bytes(9))), "PNG")


# --- EXIF -----------------------------------------------------------------------------------------


def tiff_block(value, little=True, kind=3, count=1, tags=()):
    """A TIFF directory with an orientation among other tags."""
    e = "<" if little else ">"
    inline = struct.pack(e + {1: "Bxxx", 3: "Hxx", 4: "I"}[kind], value)
    entries = [(0x010F, 2, 4, b"abc\0"), *tags, (0x0112, kind, count, inline), (0x0128, 3, 1, struct.pack(e + "Hxx", 2))]
    return (
        (b"II*\0" if little else b"MM\0*")
        + struct.pack(e + "IH", 8, len(entries))
        + b"".join(struct.pack(e + "HHI", t, k, n) + v for t, k, n, v in entries)
        + struct.pack(e + "I", 0)
    )


def jpeg(values=RGB, **settings):
    file = io.BytesIO()
    image = values if isinstance(values, Image.Image) else Image.fromarray(values)
    image.save(file, "JPEG", **{"quality": 90, "subsampling": 0, **settings})
    return file.getvalue()


def segments(data):
    """The segments before the first scan, and the rest."""
    position, result = 2, []
    while data[position + 1] != 0xDA:
        end = position + 2 + struct.unpack(">H", data[position + 2 : position + 4])[0]
        result.append(data[position:end])
        position = end
    return result, data[position:]


def segment(marker, body):
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def with_exif(block, **settings):
    parts, rest = segments(jpeg(**settings))
    return b"\xff\xd8" + parts[0] + segment(0xE1, b"Exif\0\0" + block) + b"".join(parts[1:]) + rest


def make_exif():
    for value in range(1, 9):
        for little in (False, True):
            order = "little" if little else "big"
            block = tiff_block(value, little)
            same(f"exif{value}_{order}.jpg", with_exif(block), tolerance=1)
            place = {"after" if little else "before": [(b"eXIf", block)]}
            expect(f"exif{value}_{order}.png", png(RGB, 2, 8, **place), pillow(png(RGB, 2, 8, before=[(b"eXIf", block)])))
    same("exif6_grey.png", png(grey_of(8), 0, 8, [(b"eXIf", tiff_block(6))]))
    expect("exif6_named.png", png(RGB, 2, 8, [(b"eXIf", b"Exif\0\0" + tiff_block(6))]), np.rot90(RGB, -1))
    same("exif6_long.jpg", with_exif(tiff_block(6, kind=4)), tolerance=1)
    same("exif6_420.jpg", with_exif(tiff_block(6), subsampling=2), tolerance=1)
    same("exif6_progressive.jpg", with_exif(tiff_block(6), progressive=True), tolerance=1)
    parts, rest = segments(jpeg())
    xmp = segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x/>")
    exif = segment(0xE1, b"Exif\0\0" + tiff_block(6))
    body = b"".join(parts[1:]) + rest
    same("exif6_first.jpg", b"\xff\xd8" + exif + parts[0] + body, tolerance=1)
    same("exif6_without_jfif.jpg", b"\xff\xd8" + exif + body, tolerance=1)
    same("exif6_after_xmp.jpg", b"\xff\xd8" + parts[0] + xmp + exif + body, tolerance=1)
    same("exif6_fill_bytes.jpg", b"\xff\xd8" + parts[0] + b"\xff\xff\xff" + exif + b"\xff" + body, tolerance=1)
    # Broken: as if it were not there.
    plain = pillow(jpeg())
    good = tiff_block(6)
    broken = {
        "value0": tiff_block(0),
        "value9": tiff_block(9),
        "value262": tiff_block(262, kind=4),
        "count2": tiff_block(6, count=2),
        "cut": good[:15],
        "cut_in_entry": good[:30],
        "far": good[:4] + struct.pack("<I", 5000) + good[8:],
        "farther": good[:4] + struct.pack("<I", 0xFFFFFFF0) + good[8:],
        "byte": tiff_block(6, kind=1),
        "mark": b"IM" + good[2:],
        "version": good[:2] + b"+\0" + good[4:],
        "empty": b"",
    }
    for name, block in broken.items():
        expect(f"exif_broken_{name}.jpg", with_exif(block), plain, 1)
        if name in ("cut", "far", "value9", "empty"):
            expect(f"exif_broken_{name}.png", png(RGB, 2, 8, [(b"eXIf", block)]), RGB)


# --- JPEG -----------------------------------------------------------------------------------------

# Huffman codes of 1 … 8 (DC) and of two symbols and more (AC), enough for random coefficients.
DC_SYMBOLS = list(range(9))
AC_SYMBOLS = [0x00, 0xF0] + [run << 4 | size for run in range(4) for size in range(1, 6)]


def huffman(symbols):
    """A code of 8 bits a symbol, at most 255 of them: its table and its codes."""
    counts = [0] * 16
    counts[7] = len(symbols)
    return bytes(counts) + bytes(symbols), {symbol: code for code, symbol in enumerate(symbols)}


def coded(factors, width=W, height=H, ids=None, markers=(), restart=0, wide_tables=False, seed=1,
          fold_scans=True, sof=0xC0, precision=8):
    """A baseline JPEG of random coefficients with any sampling factors, ids and markers."""
    random = np.random.default_rng(seed)
    count = len(factors)
    ids = ids or list(range(1, count + 1))
    dc_table, dc_codes = huffman(DC_SYMBOLS)
    ac_table, ac_codes = huffman(AC_SYMBOLS)
    largest = (max(f[0] for f in factors), max(f[1] for f in factors))
    across = -(-width // (8 * largest[0]))
    down = -(-height // (8 * largest[1]))

    def size(value):
        return int(abs(value)).bit_length()

    def amplitude(value, bits):
        return value if value >= 0 else value + (1 << bits) - 1

    def scan(components):
        bits, out, last = "", [], {c: 0 for c in components}

        def flush(bits):
            bits += "1" * (-len(bits) % 8)
            raw = bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))
            return raw.replace(b"\xff", b"\xff\x00")

        def block(component):
            nonlocal bits
            value = int(random.integers(-60, 60))
            difference = value - last[component]
            last[component] = value
            n = size(difference)
            bits += f"{dc_codes[n]:08b}" + (f"{amplitude(difference, n):0{n}b}" if n else "")
            for _ in range(int(random.integers(0, 5))):
                run, value = int(random.integers(0, 4)), int(random.integers(-9, 10)) or 1
                n = size(value)
                bits += f"{ac_codes[run << 4 | n]:08b}{amplitude(value, n):0{n}b}"
            bits += f"{ac_codes[0]:08b}"

        if len(components) == 1:
            c = components[0]
            h, v = factors[c]
            columns = -(-(-(-width * h // largest[0])) // 8)
            rows = -(-(-(-height * v // largest[1])) // 8)
            units = [[c]] * (columns * rows)
        else:
            units = [[c for c in components for _ in range(factors[c][0] * factors[c][1])]] * (across * down)
        for number, unit in enumerate(units):
            if restart and number and number % restart == 0:
                out.append(flush(bits) + bytes([0xFF, 0xD0 + (number // restart - 1) % 8]))
                bits, last = "", {c: 0 for c in components}
            for c in unit:
                block(c)
        out.append(flush(bits))
        head = bytes([len(components)]) + b"".join(bytes([ids[c], 0]) for c in components) + bytes([0, 63, 0])
        return segment(0xDA, head) + b"".join(out)

    steps = [3 + (i % 7) for i in range(64)]
    quantization = bytes([0x10]) + struct.pack(">64H", *steps) if wide_tables else bytes([0]) + bytes(steps)
    frame = struct.pack(">BHHB", precision, height, width, count) + b"".join(
        bytes([ids[c], factors[c][0] << 4 | factors[c][1], 0]) for c in range(count))
    scans = [list(range(count))] if fold_scans else [[c] for c in range(count)]
    return (
        b"\xff\xd8" + b"".join(markers)
        + segment(0xDB, quantization) + segment(sof, frame)
        + segment(0xC4, b"\x00" + dc_table) + segment(0xC4, b"\x10" + ac_table)
        + (segment(0xDD, struct.pack(">H", restart)) if restart else b"")
        + b"".join(scan(s) for s in scans) + b"\xff\xd9"
    )


def make_jpeg():
    jfif = segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")
    adobe = lambda transform: segment(0xEE, b"Adobe\0\x64\0\0\0\0" + bytes([transform]))
    close = lambda name, data: same(name, data, tolerance=1)

    close("444.jpg", jpeg())
    close("422.jpg", jpeg(subsampling=1))
    close("420.jpg", jpeg(subsampling=2))
    close("420_progressive.jpg", jpeg(subsampling=2, progressive=True))
    close("420_optimized.jpg", jpeg(subsampling=2, optimize=True))
    close("quality1.jpg", jpeg(quality=1))
    close("quality100.jpg", jpeg(quality=100))
    grey = Image.fromarray(RGB).convert("L")
    close("grey.jpg", jpeg(grey))
    close("grey_progressive.jpg", jpeg(grey, progressive=True))
    close("cmyk.jpg", jpeg(Image.fromarray(RGB).convert("CMYK")))
    close("cmyk_progressive.jpg", jpeg(Image.fromarray(RGB).convert("CMYK"), progressive=True))
    close("rgb.jpg", jpeg(keep_rgb=True))
    close("restarts.jpg", jpeg(restart_marker_blocks=1))
    close("restarts_progressive.jpg", jpeg(restart_marker_rows=1, progressive=True))
    close("icc.jpg", jpeg(icc_profile=b"x" * 3000))
    close("comment.jpg", jpeg(comment=b"\xff\xd9 not the end"))
    close("one_pixel.jpg", jpeg(picture(1, 1), subsampling=2))
    close("one_row.jpg", jpeg(picture(24, 1), subsampling=2))
    close("one_column.jpg", jpeg(picture(1, 24), subsampling=2))

    one, two = (1, 1), (2, 2)
    samplings = {
        "444": [one] * 3,
        "444_of_2": [(2, 1)] * 3,
        "422": [(2, 1), one, one],
        "440": [(1, 2), one, one],
        "420": [two, one, one],
        "411": [(4, 1), one, one],
        "441": [(1, 4), one, one],
        "410": [(4, 2), one, one],
        "424": [two, (1, 2), (1, 2)],
        "unequal": [two, (2, 1), (1, 2)],
        "third": [(3, 1), one, one],
        "thin_luma": [one, (2, 1), (2, 1)],
    }
    for name, factors in samplings.items():
        close(f"sampled_{name}.jpg", coded(factors, markers=[jfif]))
    close("sampled_420_scans.jpg", coded(samplings["420"], 21, 19, markers=[jfif], fold_scans=False))
    close("sampled_420_restarts.jpg", coded(samplings["420"], 24, 24, markers=[jfif], restart=1))
    close("sampled_grey_of_2.jpg", coded([two], 21, 19, markers=[jfif]))
    close("wide_quantization.jpg", coded(samplings["420"], markers=[jfif], wide_tables=True, sof=0xC1))
    close("extended.jpg", coded(samplings["444"], markers=[jfif], sof=0xC1))

    # Which colours three or four components are.
    three = [one] * 3
    letters = [ord(c) for c in "RGB"]
    models = {
        "jfif_rgb_ids": dict(markers=[jfif], ids=letters),
        "rgb_ids": dict(ids=letters),
        "small_rgb_ids": dict(ids=[ord(c) for c in "rgb"]),
        "ids_from_0": dict(ids=[0, 1, 2]),
        "ids_same_order": dict(ids=[1, 2, 3]),
        "strange_ids": dict(ids=[200, 7, 40]),
        "adobe0": dict(markers=[adobe(0)]),
        "adobe1": dict(markers=[adobe(1)]),
        "adobe1_rgb_ids": dict(markers=[adobe(1)], ids=letters),
        "adobe2": dict(markers=[adobe(2)]),
        "adobe9": dict(markers=[adobe(9)]),
        "jfif_adobe0": dict(markers=[jfif, adobe(0)]),
        "adobe0_jfif": dict(markers=[adobe(0), jfif]),
        "adobe0_exif_jfif": dict(markers=[adobe(0), segment(0xE1, b"Exif\0\0" + tiff_block(1)), jfif]),
        "exif_adobe0": dict(markers=[segment(0xE1, b"Exif\0\0" + tiff_block(3)), adobe(0)]),
        "jfif2": dict(markers=[segment(0xE0, b"JFIF\0\2\1\0\0\1\0\1\0\0")]),
    }
    for name, settings in models.items():
        close(f"model_{name}.jpg", coded(three, **settings))
    four = [one] * 4
    for name, markers in {
        "plain": [], "jfif": [jfif], "adobe0": [adobe(0)], "adobe2": [adobe(2)], "adobe9": [adobe(9)],
        "jfif_adobe2": [jfif, adobe(2)], "adobe2_exif": [adobe(2), segment(0xE1, b"Exif\0\0" + tiff_block(6))],
    }.items():
        close(f"model_four_{name}.jpg", coded(four, markers=markers))
    close("model_ycck_420.jpg", coded([two, one, one, two], 21, 19, markers=[adobe(2)]))
    close("model_cmyk_ids.jpg", coded(four, ids=[ord(c) for c in "CMYK"]))

    if shutil.which("jpegtran"):
        for name, options in {"": [], "_progressive": ["-progressive"]}.items():
            data = subprocess.run(
                ["jpegtran", "-arithmetic", *options], input=jpeg(subsampling=2), stdout=subprocess.PIPE, check=True).stdout
            close(f"arithmetic{name}.jpg", data)
            fails(f"arithmetic{name}_without_end.jpg", data[:-2], "cut off")

    # Beside the picture.
    whole = jpeg(subsampling=2)
    values = pillow(whole)
    expect("without_end.jpg", whole[:-2], values, 1)
    expect("half_end.jpg", whole[:-1], values, 1)
    close("garbage_after.jpg", whole + b"\xff\xd8 garbage")
    close("picture_after.jpg", whole + jpeg(255 - RGB))
    close("fill_before_end.jpg", whole[:-2] + b"\xff\xff\xff\xd9")
    close("jpeg_named.png", whole)
    file = io.BytesIO()
    Image.fromarray(RGB).save(file, "MPO", save_all=True, append_images=[Image.fromarray(255 - RGB)])
    close("two_pictures.mpo", file.getvalue())

    # Damaged, or of another kind.
    for count in (3, 5, 12, 60):
        fails(f"cut_by_{count}.jpg", whole[:-count], "JPEG")
    smooth = jpeg(subsampling=2, progressive=True)
    fails("progressive_without_end.jpg", smooth[:-2], "cut off")
    last = smooth.rindex(b"\xff\xda")
    fails("progressive_without_last_scan.jpg", smooth[:last], "cut off")
    scans = coded(samplings["420"], 21, 19, markers=[jfif], fold_scans=False)
    fails("scans_without_last.jpg", scans[: scans.rindex(b"\xff\xda")], "cut off")
    fails("12_bits.jpg", coded(three, precision=12, sof=0xC1), "this form of JPEG is not read")
    fails("lossless.jpg", coded(three, sof=0xC3), "this form of JPEG is not read")
    fails("two_components.jpg", coded([one, one]), "this form of JPEG is not read (2 components")
    fails("no_height.jpg", coded(three, height=0), "JPEG")
    fails("no_tables.jpg", b"\xff\xd8" + segment(0xC0, struct.pack(">BHHB", 8, H, W, 1) + b"\1\x11\0") + b"\xff\xd9", "JPEG")
    fails("only_start.jpg", b"\xff\xd8\xff", "JPEG")
    fails("tables_only.jpg", b"\xff\xd8" + segment(0xDB, bytes([0]) + bytes(range(1, 65))) + b"\xff\xd9", "JPEG")
    fails("bomb.jpg", coded(three).replace(struct.pack(">HH", H, W), struct.pack(">HH", 65000, 65000)), "more than the limit")
    big = jpeg(progressive=True).replace(struct.pack(">HH", H, W), struct.pack(">HH", 8000, 8000))
    fails("bomb_progressive.jpg", big, "too much for a file of 1 KiB")


# --- Other formats ----------------------------------------------------------------------------------


def saved(image, kind, **settings):
    file = io.BytesIO()
    image.save(file, kind, **settings)
    return file.getvalue()


def make_webp():
    colors = Image.fromarray(RGB)
    alpha = Image.fromarray(np.concatenate([RGB, rng.integers(0, 256, (H, W, 1))], axis=2).astype(np.uint8))
    same("lossless.webp", saved(colors, "WEBP", lossless=True), RGB)
    same("lossless_alpha.webp", saved(alpha, "WEBP", lossless=True, exact=True), RGB)
    same("lossy.webp", saved(colors, "WEBP", quality=80), tolerance=1)
    same("lossy_alpha.webp", saved(alpha, "WEBP", quality=80, exact=True), tolerance=1)
    same("lossy_one_pixel.webp", saved(Image.fromarray(picture(1, 1)), "WEBP"), tolerance=1)
    same("icc.webp", saved(colors, "WEBP", lossless=True, icc_profile=b"x" * 100), RGB)
    for value in range(1, 9):
        same(f"exif{value}.webp", saved(colors, "WEBP", lossless=True, exif=b"Exif\0\0" + tiff_block(value)))
    frames = [Image.fromarray(255 - RGB), colors]
    same("animated.webp", saved(colors, "WEBP", save_all=True, append_images=frames, lossless=True), RGB)
    whole = saved(colors, "WEBP", lossless=True)
    same("garbage_after.webp", whole + b"garbage", RGB)
    fails("cut.webp", whole[:-10], "WebP")
    fails("cut_in_header.webp", whole[:20], "WebP")
    fails("wrong.webp", whole[:30] + bytes(len(whole) - 30), "WebP")


def make_gif():
    colors = Image.fromarray(RGB)
    indexed = colors.quantize(16)
    same("palette.gif", saved(indexed, "GIF"))
    same("interlaced.gif", saved(indexed, "GIF", interlace=1))
    same("256.gif", saved(Image.fromarray(rng.integers(0, 256, (24, 24, 3), np.uint8)).quantize(256), "GIF"))
    same("two_colors.gif", saved(colors.convert("1"), "GIF"))
    same("grey.gif", saved(colors.convert("L"), "GIF"))
    same("transparent.gif", saved(indexed, "GIF", transparency=3))
    same("comment.gif", saved(indexed, "GIF", comment=b"hello " * 100))
    frames = [Image.fromarray(255 - RGB).quantize(16)]
    same("animated.gif", saved(indexed, "GIF", save_all=True, append_images=frames, duration=50))
    table = bytes(int(v) for v in rng.integers(0, 256, 12))

    def small(screen=(9, 7), place=(2, 1), size=(3, 2), screen_table=True, own_table=False, clear=None,
              indices=(0, 1, 2, 3, 2, 1), bits=2):
        """A frame in a screen, with codes that are never compressed."""
        codes = []
        for value in indices:
            codes += [1 << bits, value]
        codes.append((1 << bits) + 1)
        text = "".join(f"{code:0{bits + 1}b}"[::-1] for code in codes)
        text += "0" * (-len(text) % 8)
        data = bytes(int(text[i : i + 8][::-1], 2) for i in range(0, len(text), 8))
        return (
            b"GIF89a" + struct.pack("<HHBBB", *screen, 0x81 if screen_table else 0, 1, 0)
            + (table if screen_table else b"")
            + (b"" if clear is None else b"\x21\xf9\x04\x01\0\0" + bytes([clear]) + b"\0")
            + b"\x2c" + struct.pack("<HHHHB", *place, *size, 0x81 if own_table else 0)
            + (table[::-1] if own_table else b"")
            + bytes([bits, len(data)]) + data + b"\0\x3b"
        )

    same("part_of_screen.gif", small())
    same("part_of_screen_clear.gif", small(clear=3))
    same("own_table.gif", small(own_table=True))
    same("only_own_table.gif", small(own_table=True, screen_table=False))
    same("beyond_screen.gif", small(screen=(4, 2)))
    same("beyond_table.gif", small(indices=(0, 1, 5, 7, 6, 4), bits=3))
    same("without_table.gif", small(screen_table=False))
    whole = small()
    same("without_trailer.gif", whole[:-1])
    same("garbage_after.gif", whole + b"garbage")
    fails("cut.gif", whole[:-6], "GIF")
    fails("no_picture.gif", whole[:25] + b"\x3b", "GIF")
    fails("short_picture.gif", small(indices=(0, 1, 2)), "GIF")


def make_bmp():
    colors = Image.fromarray(RGB)
    same("rgb.bmp", saved(colors, "BMP"), RGB)
    same("rgba.bmp", saved(colors.convert("RGBA"), "BMP"), RGB)
    same("grey.bmp", saved(colors.convert("L"), "BMP"))
    same("two_colors.bmp", saved(colors.convert("1"), "BMP"))
    same("palette.bmp", saved(colors.quantize(16), "BMP"))
    table = bytes(int(v) for v in rng.integers(0, 256, 1024))

    def bmp(bits, rows, compression=0, colours=0, size=40, extra=b"", height=H, width=W, table=b"", offset=None, after=b""):
        head = struct.pack("<IiiHHIIiiII", size, width, height, 1, bits, compression, len(rows), 0, 0, colours, 0)
        head += bytes(size - 40) if size > 40 and not extra else extra
        if size > 40 and extra:
            head += bytes(size + 0 - len(head)) if len(head) < size else b""
        start = 14 + len(head) + len(table) if offset is None else offset
        return b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start) + head + table + rows + after

    def rows(bits):
        length = (W * bits + 31) // 32 * 4
        values = rng.integers(0, 256, (H, length), dtype=np.uint8)
        return values.tobytes()

    for bits in (1, 4, 8):
        data = rows(bits)
        same(f"palette{bits}.bmp", bmp(bits, data, table=table[: 4 << bits]))
        same(f"palette{bits}_down.bmp", bmp(bits, data, table=table[: 4 << bits], height=-H))
    short = rng.integers(0, 9, (H, 16), dtype=np.uint8).tobytes()
    same("short_palette.bmp", bmp(8, short, table=table[:36], colours=9))
    same("555.bmp", bmp(16, rows(16)))
    same("555_fields.bmp", bmp(16, rows(16), 3, extra=struct.pack("<III", 0x7C00, 0x3E0, 0x1F)))
    same("565.bmp", bmp(16, rows(16), 3, extra=struct.pack("<III", 0xF800, 0x7E0, 0x1F)))
    same("24.bmp", bmp(24, rows(24)))
    same("32.bmp", bmp(32, rows(32)))
    same("32_fields.bmp", bmp(32, rows(32), 3, extra=struct.pack("<III", 0xFF0000, 0xFF00, 0xFF)))
    same("32_v5.bmp", bmp(32, rows(32), 3, size=124, extra=struct.pack("<IIII", 0xFF000000, 0xFF0000, 0xFF00, 0xFF)))
    same("24_v4.bmp", bmp(24, rows(24), size=108))
    data = rows(24)
    old = b"BM" + struct.pack("<IHHI", 26 + len(data), 0, 0, 26) + struct.pack("<IHHHH", 12, W, H, 1, 24) + data
    same("24_os2.bmp", old)
    data = rows(4)
    same("palette4_os2.bmp", b"BM" + struct.pack("<IHHI", 26 + 48 + len(data), 0, 0, 74) + struct.pack("<IHHHH", 12, W, H, 1, 4) + table[:48] + data)
    runs8 = b"".join(bytes([5, y, 0, 5, 1, 2, 3, 4, 5, 0, 3, 9 + y, 0, 0]) for y in range(H)) + b"\0\1"
    same("runs8.bmp", bmp(8, runs8, 1, table=table))
    runs4 = b"".join(bytes([5, 0x12 + y, 0, 5, 0x12, 0x34, 0x50, 0, 3, 0x90 + y, 0, 0]) for y in range(H)) + b"\0\1"
    same("runs4.bmp", bmp(4, runs4, 2, table=table[:64]))
    jumps = b"".join(bytes([4, y, 0, 2, 3, 0, 6, 7, 0, 0]) for y in range(H)) + b"\0\1"
    same("runs8_jumps.bmp", bmp(8, jumps, 1, table=table))
    whole = bmp(24, rows(24))
    same("garbage_after.bmp", whole + b"garbage")
    fails("cut.bmp", whole[:-9], "cut off")
    fails("cut_in_header.bmp", whole[:30], "cut off")
    fails("cut_runs.bmp", bmp(8, runs8[:-20], 1, table=table), "cut off")
    fails("runs_too_long.bmp", bmp(8, bytes([14, 1, 0, 1]), 1, table=table), "beyond its row")
    fails("jpeg_within.bmp", bmp(24, rows(24), 4), "this form of BMP is not read")
    fails("runs_bomb.bmp", bmp(8, b"\0\1", 1, table=table, width=16384, height=16384), "too much for a file of 2 KiB")


def make_pnm():
    same("rgb.ppm", b"P6\n%d %d\n255\n" % (W, H) + RGB.tobytes(), RGB)
    same("comments.ppm", b"P6 # one\n#two\n %d\t%d # three\n255\n" % (W, H) + RGB.tobytes(), RGB)
    grey = grey_of(8).astype(np.uint8)
    same("grey.pgm", b"P5 %d %d 255\n" % (W, H) + grey.tobytes(), np.repeat(grey, 3, axis=2))
    same("grey_100.pgm", b"P5 %d %d 100\n" % (W, H) + (grey % 101).tobytes())
    wide = rng.integers(0, 65536, (H, W, 3)).astype(">u2")
    same("16_bits.ppm", b"P6 %d %d 65535\n" % (W, H) + wide.tobytes())
    same("12_bits.ppm", b"P6 %d %d 4095\n" % (W, H) + (wide % 4096).astype(">u2").tobytes())
    bits = rng.integers(0, 256, (H, 2), dtype=np.uint8)
    same("bits.pbm", b"P4\n%d %d\n" % (W, H) + bits.tobytes())
    whole = b"P6\n%d %d\n255\n" % (W, H) + RGB.tobytes()
    same("garbage_after.ppm", whole + b"garbage", RGB)
    fails("cut.ppm", whole[:-1], "cut off")
    fails("text.ppm", b"P3\n1 1\n255\n1 2 3\n", "this form of PNM is not read")
    fails("bomb.ppm", b"P6 99999 99999 255\n", "more than the limit")
    fails("no_size.ppm", b"P6 0 9 255\n", "no size")


def tiff(samples, photometric, bits, *, compression=1, extra=None, planar=1, colours=None, little=True,
         tile=None, rows_per_strip=None, orientation=None, sample_format=None, subsampling=None, reference=None):
    """A TIFF of samples [H, W, C], not compressed or with zlib. With subsampling (across, down) the last two of
    three samples are means over so many pixels; sizes have to be multiples of it."""
    e = "<" if little else ">"
    height, width, channels = samples.shape

    def raw(block):
        if subsampling not in (None, (1, 1)):
            across, down = subsampling
            parts = block.reshape(block.shape[0] // down, down, block.shape[1] // across, across, 3)
            parts = parts.transpose(0, 2, 1, 3, 4).reshape(-1, down * across, 3)
            colours_of = parts[..., 1:].mean(axis=1).round().astype(np.uint8)
            return np.concatenate([parts[..., 0].astype(np.uint8), colours_of], axis=1).tobytes()
        if bits >= 8:
            return block.astype(e + ("u1", "u2")[bits // 16]).tobytes()
        lines = block.reshape(block.shape[0], -1)
        spread = ((lines[..., None] >> np.arange(bits - 1, -1, -1)) & 1).astype(np.uint8)
        return np.packbits(spread.reshape(lines.shape[0], -1), axis=1).tobytes()

    planes = [samples] if planar == 1 else [samples[..., c : c + 1] for c in range(channels)]
    pieces = []
    for plane in planes:
        if tile:
            for top in range(0, height, tile):
                for left in range(0, width, tile):
                    block = np.zeros((tile, tile, plane.shape[2]), int)
                    part = plane[top : top + tile, left : left + tile]
                    block[: part.shape[0], : part.shape[1]] = part
                    pieces.append(raw(block))
        else:
            step = rows_per_strip or height
            pieces += [raw(plane[top : top + step]) for top in range(0, height, step)]
    if compression == 8:
        pieces = [zlib.compress(piece) for piece in pieces]
    tags = {
        256: (3, [width]), 257: (3, [height]), 258: (3, [bits] * channels), 259: (3, [compression]),
        262: (3, [photometric]), 277: (3, [channels]), 284: (3, [planar]),
    }
    if extra is not None:
        tags[338] = (3, extra)
    if colours is not None:
        tags[320] = (3, colours)
    if orientation is not None:
        tags[274] = (3, [orientation])
    if sample_format is not None:
        tags[339] = (3, [sample_format] * channels)
    if subsampling is not None:
        tags[530] = (3, list(subsampling))
    if reference is not None:
        tags[532] = (5, [part for value in reference for part in (value, 1)])
    places, sizes = (324, 325) if tile else (273, 279)
    if tile:
        tags[322] = tags[323] = (3, [tile])
    else:
        tags[278] = (3, [rows_per_strip or height])
    tags[places] = (4, [0] * len(pieces))
    tags[sizes] = (4, [len(piece) for piece in pieces])

    def layout():
        end = 8 + 2 + 12 * len(tags) + 4
        entries, data = b"", b""
        for tag in sorted(tags):
            kind, values = tags[tag]
            packed = struct.pack(e + {3: "H", 4: "I", 5: "I"}[kind] * len(values), *values)
            count = len(values) // (2 if kind == 5 else 1)
            if len(packed) > 4:
                entries += struct.pack(e + "HHII", tag, kind, count, end + len(data))
                data += packed + b"\0" * (len(packed) % 2)
            else:
                entries += struct.pack(e + "HHI", tag, kind, count) + packed.ljust(4, b"\0")
        return entries, data, end + len(data)

    _, _, start = layout()
    offsets = []
    for piece in pieces:
        offsets.append(start)
        start += len(piece)
    tags[places] = (4, offsets)
    entries, data, _ = layout()
    head = (b"II*\0" if little else b"MM\0*") + struct.pack(e + "IH", 8, len(tags))
    return head + entries + struct.pack(e + "I", 0) + data + b"".join(pieces)


def make_ycbcr_tiff():
    """Brightness and colour. What is not compressed Pillow converts by its own tables, and takes for stored pixel
    by pixel; all else it leaves to libtiff. So what it cannot read as it stands is compared with the same
    samples compressed."""
    same("ycbcr_saved.tif", saved(Image.fromarray(RGB).convert("YCbCr"), "TIFF"))
    wild = np.random.default_rng(6).integers(0, 256, (16, 16, 3)).astype(np.uint8)
    full = tiff(wild, 6, 8, subsampling=(1, 1))
    same("ycbcr.tif", full)
    same("ycbcr_big_endian.tif", tiff(wild, 6, 8, subsampling=(1, 1), little=False))
    same("ycbcr_strips.tif", tiff(wild, 6, 8, subsampling=(1, 1), rows_per_strip=3))
    same("ycbcr_tiles.tif", tiff(wild, 6, 8, subsampling=(1, 1), tile=16))
    expect("ycbcr_planes.tif", tiff(wild, 6, 8, subsampling=(1, 1), planar=2), pillow(full))
    same("ycbcr_zip.tif", tiff(wild, 6, 8, subsampling=(1, 1), compression=8))
    narrow = dict(subsampling=(1, 1), reference=(15, 235, 128, 240, 128, 240))
    expect("ycbcr_narrow.tif", tiff(wild, 6, 8, **narrow), pillow(tiff(wild, 6, 8, compression=8, **narrow)))
    for across, down in ((2, 1), (2, 2), (4, 2)):
        options = dict(subsampling=(across, down))
        packed = tiff(wild, 6, 8, compression=8, **options)
        same(f"ycbcr_{across}{down}_zip.tif", packed)
        expect(f"ycbcr_{across}{down}.tif", tiff(wild, 6, 8, **options), pillow(packed))
        expect(f"ycbcr_{across}{down}_tiles.tif", tiff(wild, 6, 8, tile=16, **options), pillow(packed))
    colors = Image.fromarray(RGB)
    for quality in (50, 90):
        same(f"ycbcr_jpeg{quality}.tif", saved(colors.convert("YCbCr"), "TIFF", compression="jpeg", quality=quality),
             tolerance=1)


def make_tiff():
    colors = Image.fromarray(RGB)
    for name in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"):
        same(f"rgb_{name}.tif", saved(colors, "TIFF", compression=name), RGB)
    same("lzw_predictor.tif", saved(colors, "TIFF", compression="tiff_lzw", tiffinfo={317: 2}), RGB)
    same("jpeg.tif", saved(colors, "TIFF", compression="jpeg", quality=90), tolerance=1)
    same("jpeg_grey.tif", saved(colors.convert("L"), "TIFF", compression="jpeg"), tolerance=1)
    same("fax.tif", saved(colors.convert("1"), "TIFF", compression="group4"))
    same("two_pages.tif", saved(colors, "TIFF", save_all=True, append_images=[Image.fromarray(255 - RGB)]), RGB)
    same("cmyk.tif", saved(colors.convert("CMYK"), "TIFF"))
    same("rgba.tif", saved(colors.convert("RGBA"), "TIFF"), RGB)
    table = [int(v) for v in rng.integers(0, 65536, 768)]
    for bits in (1, 2, 4, 8, 16):
        grey = grey_of(bits)
        values = np.repeat(eight(grey, bits), 3, axis=2).astype(np.uint8)
        (same if bits < 16 else expect)(f"grey{bits}.tif", tiff(grey, 1, bits), values)
        if bits <= 8:
            same(f"grey{bits}_white_is_0.tif", tiff(grey, 0, bits), 255 - values)
            colours = [table[i * 256 + j] for i in range(3) for j in range(1 << bits)]
            if bits != 2:
                same(f"palette{bits}.tif", tiff(grey, 3, bits, colours=colours))
    for little in (False, True):
        order = "little" if little else "big"
        wide = rng.integers(0, 65536, (H, W, 3))
        same(f"rgb16_{order}.tif", tiff(wide, 2, 16, little=little), (wide >> 8).astype(np.uint8))
    same("rgb16_zip.tif", tiff(wide, 2, 16, compression=8), (wide >> 8).astype(np.uint8))
    same("planes.tif", tiff(RGB, 2, 8, planar=2), RGB)
    same("planes_zip.tif", tiff(RGB, 2, 8, planar=2, compression=8, rows_per_strip=4), RGB)
    same("tiles.tif", tiff(RGB, 2, 8, tile=16), RGB)
    large = picture(24, 20)
    same("tiles_more.tif", tiff(large, 2, 8, tile=16, compression=8), large)
    expect("tiles_planes.tif", tiff(large, 2, 8, tile=16, planar=2), large)
    same("strips.tif", tiff(RGB, 2, 8, rows_per_strip=2), RGB)
    four = np.concatenate([RGB, rng.integers(0, 256, (H, W, 1))], axis=2)
    same("rgb_extra.tif", tiff(four, 2, 8, extra=[0]), RGB)
    same("rgba_plain.tif", tiff(four, 2, 8, extra=[2]), RGB)
    same("rgba_premultiplied.tif", tiff(four, 2, 8, extra=[1]))
    pairs = np.concatenate([grey_of(8), rng.integers(0, 256, (H, W, 1))], axis=2)
    same("grey_alpha.tif", tiff(pairs, 1, 8, extra=[2]), np.repeat(grey_of(8), 3, axis=2).astype(np.uint8))
    same("cmyk_made.tif", tiff(rng.integers(0, 256, (H, W, 4)), 5, 8))
    for value in range(1, 9):
        same(f"orientation{value}.tif", tiff(RGB, 2, 8, orientation=value))
    make_ycbcr_tiff()
    whole = tiff(RGB, 2, 8)
    same("garbage_after.tif", whole + b"garbage", RGB)
    fails("cut.tif", whole[:-9], "TIFF")
    fails("cut_in_header.tif", whole[:40], "TIFF")
    fails("cut_zip.tif", tiff(RGB, 2, 8, compression=8)[:-20], "TIFF")
    fails("float.tif", saved(colors.convert("F"), "TIFF"), "this form of TIFF is not read")
    fails("signed.tif", tiff(RGB, 2, 8, sample_format=2), "this form of TIFF is not read")
    fails("lab.tif", tiff(RGB, 8, 8), "this form of TIFF is not read")
    fails("unknown_compression.tif", tiff(RGB, 2, 8, compression=999), "this form of TIFF is not read")
    bomb = whole.replace(struct.pack("<HHIHH", 256, 3, 1, W, 0), struct.pack("<HHII", 256, 4, 1, 60000)).replace(
        struct.pack("<HHIHH", 257, 3, 1, H, 0), struct.pack("<HHII", 257, 4, 1, 60000))
    fails("bomb.tif", bomb, "more than the limit")


def make_unread():
    for name, start in {
        "photo.heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "photo.avif": b"\0\0\0\x1cftypavif\0\0\0\0",
        "photo.jp2": b"\0\0\0\x0cjP  \r\n\x87\n", "photo.jxl": b"\xff\x0a\0\0", "photo.psd": b"8BPS\0\1",
    }.items():
        fails(name, start, "is not read; convert it to JPEG or PNG")
    fails("text.jpg", b"hello, world", "not an image of a known format")
    fails("html.jpg", b"<!DOCTYPE html><html></html>", "not an image of a known format")


os.makedirs(FOLDER, exist_ok=True)
for name in os.listdir(FOLDER):
    os.remove(f"{FOLDER}/{name}")
make_png()
make_exif()
make_jpeg()
make_webp()
make_gif()
make_bmp()
make_pnm()
make_tiff()
make_unread()
with open(f"{FOLDER}/table.txt", "w", encoding="utf-8") as file:
    file.write("".join(line + "\n" for line in lines))
with open(f"{FOLDER}/pixels.bin", "wb") as file:
    file.write(pixels)
print(f"{len(lines)} files, {len(pixels)} bytes of pixels")
