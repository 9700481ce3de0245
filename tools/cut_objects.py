#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Cuts the objects of a PASCAL VOC folder out as pictures of classes: one's own photographs, as it were.

    python3 tools/cut_objects.py VOC2012 photos --classes cat dog horse sheep bird --train 40 --test 60

Writes photos/train/CLASS/*.jpg from the images of ImageSets/Main/train.txt and photos/test/CLASS/*.jpg
from those of val.txt: whole objects that are not difficult, of at least --least pixels on the shorter side,
with a margin of a tenth around them, one object of each image. Which ones is drawn by --seed.
Needs Pillow. The pictures are the data set's owners'; they stay out of the repository.
"""
import argparse
import os
import random
import sys
import xml.etree.ElementTree as ET

from PIL import Image


def objects(path):
    """(class, box) of the whole, plain objects of an annotation; boxes as edges between pixels."""
    for item in ET.parse(path).getroot().iter("object"):
        if item.findtext("difficult") == "1" or item.findtext("truncated") == "1":
            continue
        box = [float(item.find("bndbox").findtext(key)) for key in ("xmin", "ymin", "xmax", "ymax")]
        yield item.findtext("name"), (box[0] - 1, box[1] - 1, box[2], box[3])


def candidates(root, part, classes, least):
    found = {name: [] for name in classes}
    with open(os.path.join(root, "ImageSets", "Main", part + ".txt")) as file:
        names = [line.split()[0] for line in file if line.strip()]
    for name in names:
        best = {}
        for label, box in objects(os.path.join(root, "Annotations", name + ".xml")):
            side = min(box[2] - box[0], box[3] - box[1])
            if label in found and side >= least and side > best.get(label, (0,))[0]:
                best[label] = (side, box)
        # An image with two of the classes could be taken for either.
        if len(best) == 1:
            ((label, (_, box)),) = best.items()
            found[label].append((name, box))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("voc", help="the folder with Annotations, ImageSets and JPEGImages")
    parser.add_argument("output", help="the folder to make")
    parser.add_argument("--classes", nargs="+", required=True)
    parser.add_argument("--train", type=int, default=40, help="pictures of each class to train on (40)")
    parser.add_argument("--test", type=int, default=60, help="held out, at most, of each class (60)")
    parser.add_argument("--least", type=int, default=80, help="least side of an object in pixels (80)")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if os.path.exists(arguments.output):
        sys.exit(f"{arguments.output} is there already")
    for part, folder, most in (("train", "train", arguments.train), ("val", "test", arguments.test)):
        for label, all_of_it in candidates(arguments.voc, part, arguments.classes,
                                           arguments.least).items():
            random.Random(f"{arguments.seed} {part} {label}").shuffle(all_of_it)
            if part == "train" and len(all_of_it) < most:
                sys.exit(f"{label}: only {len(all_of_it)} objects of that size in {part}.txt")
            target = os.path.join(arguments.output, folder, label)
            os.makedirs(target)
            for name, (left, top, right, bottom) in all_of_it[:most]:
                with Image.open(os.path.join(arguments.voc, "JPEGImages", name + ".jpg")) as image:
                    margin = 0.1 * max(right - left, bottom - top)
                    box = (max(0, left - margin), max(0, top - margin),
                           min(image.width, right + margin), min(image.height, bottom + margin))
                    image.convert("RGB").crop(tuple(round(edge) for edge in box)).save(
                        os.path.join(target, name + ".jpg"), quality=92)
            print(f"{folder}/{label}: {min(most, len(all_of_it))} pictures")


if __name__ == "__main__":
    main()
