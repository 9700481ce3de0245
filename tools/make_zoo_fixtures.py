#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the names and shapes of the reference implementations' weights, one file per network.

    python3 tools/make_zoo_fixtures.py Tests/MUXNetworksTests/Fixtures/weights

What it needs stands in zoo_reference.py. A line is a tensor and its shape; `NAME norm C` stands for
the five tensors of a batch norm: weight, bias, running_mean, running_var, num_batches_tracked.
"""
import os
import sys

import zoo_reference

NORM = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]


def lines(state):
    shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
    done = set()
    for name, shape in shapes.items():
        if name in done:
            continue
        prefix = name.rpartition(".")[0]
        parts = [f"{prefix}.{part}" for part in NORM]
        if all(part in shapes for part in parts):
            assert [shapes[part] for part in parts] == [shape] * 4 + [()], prefix
            done.update(parts)
            yield f"{prefix} norm {shape[0]}"
        else:
            yield f"{name} {'x'.join(str(side) for side in shape)}"


def main(folder):
    os.makedirs(folder, exist_ok=True)
    for ours, package, name in zoo_reference.REFERENCES:
        model = zoo_reference.create(package, name)
        classes = "21" if ours.startswith("ssd") else "1,000"
        text = [f"# {zoo_reference.version(package)}: {name}, {classes} classes"]
        text += lines(model.state_dict())
        with open(os.path.join(folder, f"{ours}.txt"), "w") as file:
            file.write("\n".join(text) + "\n")
        print(f"{ours}: {len(text) - 1} lines")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
