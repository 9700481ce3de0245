# SPDX-License-Identifier: Apache-2.0
"""Writes Tests/MUXVisionTests/Fixtures: images and what Pillow, torchvision and timm make of them.

    python tools/make_vision_fixtures.py   (needs Pillow, torchvision, timm; run in the root)

`operations.png` holds the results that have the size of the source one below the other, in the
order of `operations.txt`. The tests in VisionReferenceTests.swift state the tolerances.
"""

import os

import numpy
import torch

try:  # a torchvision without its compiled operators is enough, its transforms are Python
    import torchvision
except RuntimeError:
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
from PIL import Image
from timm.data import auto_augment as timm_ops
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as F

FOLDER = "Tests/MUXVisionTests/Fixtures"
WIDTH, HEIGHT = 40, 31
FILTERS = {"bilinear": InterpolationMode.BILINEAR, "bicubic": InterpolationMode.BICUBIC}


def source():
    """Gradients, edges, flat and noisy parts, all hues."""
    random = numpy.random.default_rng(5)
    y, x = numpy.mgrid[0:HEIGHT, 0:WIDTH]
    red = 127 + 120 * numpy.sin(x / 5.0)
    green = 255.0 * y / HEIGHT
    blue = 127 + 120 * numpy.cos((x + y) / 7.0)
    values = numpy.stack([red, green, blue], axis=2)
    values[8:16, 10:22] = (250, 40, 10)
    values[18:27, 5:15] = (90, 90, 90)
    values[2:14, 28:38] = random.uniform(0, 255, (12, 10, 3))
    values[20:25, 25:35] += random.normal(0, 25, (5, 10, 3))
    return Image.fromarray(numpy.clip(values, 20, 245).astype(numpy.uint8))


def save(image, name):
    image.save(os.path.join(FOLDER, name), optimize=True)


os.makedirs(FOLDER, exist_ok=True)
image = source()
save(image, "source.png")
save(image.convert("L"), "grey.png")

# Decoding.
image.save(f"{FOLDER}/plain.jpg", quality=85)  # 4:2:0
image.save(f"{FOLDER}/progressive.jpg", quality=90, progressive=True, subsampling=0)
image.convert("L").save(f"{FOLDER}/grey.jpg", quality=85)
image.convert("CMYK").save(f"{FOLDER}/cmyk.jpg", quality=90)
for name in ("plain", "progressive", "grey", "cmyk"):
    decoded = Image.open(f"{FOLDER}/{name}.jpg")
    decoded = decoded if decoded.mode == "L" else decoded.convert("RGB")
    save(decoded, f"{name}_decoded.png")
rgba = image.copy()
rgba.putalpha(image.convert("L"))
save(rgba, "alpha.png")
palette = image.quantize(16)
save(palette, "palette.png")
save(palette.convert("RGB"), "palette_decoded.png")

# Other sizes.
for name, mode in FILTERS.items():
    for width, height in ((17, 11), (33, 31), (40, 12), (64, 70), (5, 3)):
        save(F.resize(image, [height, width], mode), f"resize_{name}_{width}x{height}.png")
    save(F.resize(image.convert("L"), [13, 19], mode), f"resize_grey_{name}_19x13.png")
    save(F.resize(image, 20, mode), f"resize_{name}_shorter20.png")
    save(
        F.resized_crop(image, top=3, left=7, height=20, width=29, size=[24, 24], interpolation=mode),
        f"resized_crop_{name}.png",
    )
for size in ((16, 16), (24, 13), (50, 20), (48, 51)):  # width, height
    save(F.center_crop(image, [size[1], size[0]]), f"center_crop_{size[0]}x{size[1]}.png")

# Operations that keep the size.
results = []
for factor in (0.0, 0.4, 1.7):
    results.append((f"brightness {factor}", F.adjust_brightness(image, factor)))
    results.append((f"contrast {factor}", F.adjust_contrast(image, factor)))
    results.append((f"saturation {factor}", F.adjust_saturation(image, factor)))
    results.append((f"sharpness {factor}", F.adjust_sharpness(image, factor)))
for turn in (-0.31, 0.0, 0.1, 0.5):
    results.append((f"hue {turn}", F.adjust_hue(image, turn)))
results.append(("flip", F.hflip(image)))

FILL = (124, 116, 104)
LEVEL = 9.0
NAMES = {
    "autoContrast": "AutoContrast",
    "equalize": "Equalize",
    "invert": "Invert",
    "rotate": "Rotate",
    "posterize": "Posterize",
    "solarize": "Solarize",
    "solarizeAdd": "SolarizeAdd",
    "color": "Color",
    "contrast": "Contrast",
    "brightness": "Brightness",
    "sharpness": "Sharpness",
    "shearX": "ShearX",
    "shearY": "ShearY",
    "translateX": "TranslateXRel",
    "translateY": "TranslateYRel",
}
GEOMETRIC = {"rotate", "shearX", "shearY", "translateX", "translateY"}
PIL_FILTERS = {"nearest": Image.NEAREST, "bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC}
# The direction is random in timm; fix it.
timm_ops._randomly_negate = lambda value: value
for ours, theirs in NAMES.items():
    for level in (3.0, LEVEL):
        if theirs in ("AutoContrast", "Equalize", "Invert") and level != LEVEL:
            continue
        for name, code in PIL_FILTERS.items():
            if ours not in GEOMETRIC and name != "bilinear":
                continue
            operation = timm_ops.AugmentOp(
                theirs, prob=1, magnitude=level, hparams={"img_mean": FILL, "interpolation": code}
            )
            results.append((f"op {ours} {level} {name}", operation(image.copy())))

tall = Image.new("RGB", (WIDTH, HEIGHT * len(results)))
for index, (_, result) in enumerate(results):
    tall.paste(result, (0, index * HEIGHT))
save(tall, "operations.png")
with open(f"{FOLDER}/operations.txt", "w", encoding="utf-8") as file:
    file.write("".join(name + "\n" for name, _ in results))
