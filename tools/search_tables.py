# SPDX-License-Identifier: Apache-2.0
"""The tables of `muxnet search benchmark` as arrays, for the scripts that let others search them.

A folder holds nas-bench-macro_cifar10.json.gz, nas-bench-201_cifar10.csv.gz, nats-bench-tss.csv.gz.
"""
import csv
import gzip
import json
import re

import numpy as np

OPERATIONS = ["none", "skip_connect", "avg_pool_3x3", "nor_conv_1x1", "nor_conv_3x3"]
SIDES = {"cifar10": (10, 32), "cifar100": (100, 32), "imagenet16": (120, 16)}


def costs(cell, classes, side):
    """Parameters and multiply-adds of a cell's network; see NASBench201.swift."""

    def convolution(inputs, outputs, kernel, pixels, norm):
        weights = inputs * outputs * kernel * kernel
        return np.array([weights + (2 * outputs if norm else 0), weights * pixels * pixels])

    total = convolution(3, 16, 3, side, True)
    for channels, pixels in [(16, side), (32, side // 2), (64, side // 4)]:
        if channels > 16:
            total += convolution(channels // 2, channels, 3, pixels, True)
            total += convolution(channels, channels, 3, pixels, True)
            total += convolution(channels // 2, channels, 1, pixels, False)
        for name in cell:
            kernel = {"nor_conv_1x1": 1, "nor_conv_3x3": 3}.get(name)
            if kernel:
                total += 5 * convolution(channels, channels, kernel, pixels, True)
    classifier = 64 * classes + classes
    return total + np.array([128 + classifier, classifier])


def read_macro(folder):
    with gzip.open(f"{folder}/nas-bench-macro_cifar10.json.gz") as file:
        nets = json.load(file)
    table = np.full((3**8, 3), np.nan)
    for key, net in nets.items():
        table[int(key, 3)] = [100 - net["mean_acc"], net["params"], net["flops"]]
    return [3] * 8, table


def read_cells(path, column, classes, side):
    """Error in percent, parameters and multiply-adds of all cells; `column` None takes the only accuracy."""
    table = np.full((5**6, 3), np.nan)
    with gzip.open(path, "rt") as file:
        for row in csv.DictReader(file):
            cell = re.findall(r"([a-z_0-9]+)~\d", row["architecture"])
            index = int("".join(str(OPERATIONS.index(name)) for name in cell), 5)
            accuracy = float(row[column or "test_accuracy"])
            table[index] = [100 - accuracy, *costs(cell, classes, side)]
    return [5] * 6, table


def read(folder, name):
    """The choices of each gene, and the objectives of all networks by their number."""
    if name == "nas-bench-macro":
        return read_macro(folder)
    if name == "nas-bench-201":
        return read_cells(f"{folder}/nas-bench-201_cifar10.csv.gz", None, 10, 32)
    data = name.removeprefix("nats-bench-")
    return read_cells(f"{folder}/nats-bench-tss.csv.gz", f"{data}_test_200", *SIDES[data])


def pbi(points, direction, theta=5.0):
    """g of points for the direction from the origin through a reference point."""
    unit = direction / np.linalg.norm(direction)
    along = points @ unit
    across = np.linalg.norm(points - along[:, None] * unit, axis=1)
    return along + theta * across
