#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the ONNX export: for each network of the zoo, random networks of the search spaces and the
authors' reference networks, the file passes ONNX's checker with full, strict shape inference, and
ONNX Runtime gives what `muxnet forward` gives.

    python3 -m venv venv && venv/bin/pip install onnx onnxruntime numpy pillow safetensors pyyaml
    venv/bin/python tools/check_onnx.py --muxnet .build/release/muxnet --output results/onnx

Weights are random, with scrambled batch-norm statistics. A network goes through twice: batch norms
folded, batch of 1, at its own image size; and batch norms kept, any batch, run with 2 images of an
odd size. Detectors go through a third time, with boxes made inside the model (`--post-processing`): they
are compared with what `muxnet predict` says of a random picture, box by box. The random networks take
turns between the two. The table in OUTPUT is written row by row;
a run of some networks or parts replaces their rows and keeps the others. The reference networks are
looked for in MUXNET_SHARED or ../shared.
"""
import argparse
import csv
import json
import os
import pathlib
import platform
import random
import subprocess
import sys
import tempfile
import zlib

import numpy as np
import onnx
import onnxruntime
import yaml
from PIL import Image
from safetensors.numpy import load_file, save_file

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOLERANCE = 1e-4
COLUMNS = ["network", "variant", "input", "nodes", "gathers", "transposes", "relative difference",
           "result"]


class Failure(Exception):
    pass


class Muxnet:
    def __init__(self, program):
        self.program = program

    def __call__(self, *arguments):
        done = subprocess.run(
            [self.program, *map(str, arguments)], capture_output=True, text=True)
        if done.returncode:
            raise Failure(done.stderr.strip().splitlines()[-1])
        return done.stdout


def random_weights(network, seed):
    """Tensors for a network's JSON: activations stay of order one, batch norms do something."""
    generator = np.random.default_rng(seed)
    tensors = {}

    def add(name, *shape, low=None, high=None):
        if low is None:
            fan_in = int(np.prod(shape[1:]))
            values = generator.standard_normal(shape) * (1.5 / fan_in) ** 0.5
        else:
            values = generator.uniform(low, high, shape)
        tensors[name] = values.astype(np.float32)

    def add_convolution(name, c):
        out, k = c["outputChannels"], c["kernelSize"]
        add(f"{name}.weight", out, c["inputChannels"] // c["groups"], k, k)
        if c["hasBias"]:
            add(f"{name}.bias", out, low=-0.5, high=0.5)

    for node in network["nodes"]:
        operation, name = node["operation"], node["name"]
        kind = operation["type"]
        if kind == "convolution":
            add_convolution(name, operation)
        elif kind == "branchedConvolution":
            for branch in operation["branches"]:
                add_convolution(f"{name}.{branch['name']}", branch["convolution"])
        elif kind == "batchNormalization":
            channels = operation["channels"]
            add(f"{name}.weight", channels, low=0.5, high=1.5)
            add(f"{name}.bias", channels, low=-0.5, high=0.5)
            add(f"{name}.running_mean", channels, low=-0.5, high=0.5)
            add(f"{name}.running_var", channels, low=0.5, high=1.5)
            tensors[f"{name}.num_batches_tracked"] = np.array(1, dtype=np.int64)
        elif kind == "l2Normalization":
            add(f"{name}.scale_weight", operation["channels"], low=10, high=30)
        elif kind == "linear":
            add(f"{name}.weight", operation["outputFeatures"], operation["inputFeatures"])
            if operation["hasBias"]:
                add(f"{name}.bias", operation["outputFeatures"], low=-0.5, high=0.5)
    return tensors


def random_architecture(space, draw, number):
    """Block strings of a random network of a search space, as `MUXSearch` builds them."""
    stem = draw.choice(space["stem"])
    blocks = [f"{text}_c{stem}" for text in space.get("first", [])]
    for stage in space["stages"]:
        width = draw.choice(stage["width"])
        squeeze, letters = stage.get("squeeze", 0.75), stage["activation"]
        blocks.append(
            f"ir_k{draw.choice(stage['reductionKernels'])}_s{stage['stride']}"
            f"_e{draw.choice(stage['reductionExpansion'])}_c{width}_se{squeeze}_n{letters}")
        repeats = draw.choice(stage["repeats"])
        scales = draw.choice(stage["multiplexing"])
        spatial = f"gw{stage.get('groupWidth', 2)}" if scales == "none" else f"sc{scales}"
        normal = (
            f"mux_k{draw.choice(stage['kernel'])}_e{draw.choice(stage['expansion'])}_c{width}"
            f"_l{draw.choice(stage['leaveOut'])}_se{squeeze}_n{letters}_{spatial}")
        blocks += [normal] * repeats
    tail = space.get("tail")
    if tail:
        blocks.append(
            f"ir_k{draw.choice(tail['kernel'])}_e{draw.choice(tail['expansion'])}"
            f"_c{draw.choice(tail['width'])}_se{tail.get('squeeze', 0.75)}_n{tail['activation']}")
    return {
        "name": f"{space['name']}_{number}", "inputSize": space["inputSize"],
        "classes": space["classes"],
        "stem": {"channels": stem, "stride": space.get("stemStride", 2)},
        "stages": [[block] for block in blocks], "head": {"channels": draw.choice(space["head"])}}


def check_shapes(model):
    """Full shape inference in strict mode; every value has a known shape but for N."""
    inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True,
                                                 data_prop=True)
    known = {value.name: value for value in inferred.graph.value_info}
    known |= {value.name: value for value in inferred.graph.output}
    for node in inferred.graph.node:
        for name in node.output:
            if name not in known:
                raise Failure(f"no shape for '{name}'")
            dimensions = known[name].type.tensor_type.shape.dim
            for index, dimension in enumerate(dimensions):
                if not (dimension.dim_value > 0 or (index == 0 and dimension.dim_param == "N")):
                    raise Failure(f"'{name}' has an unknown dimension {index}")


def run(path, images):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"input": images})))


def side_by_side(tensors):
    """The output, or all outputs of a detector as one row per image, in the order of their names."""
    if list(tensors) == ["output"]:
        return tensors["output"]
    return np.concatenate([tensors[name].reshape(len(tensors[name]), -1)
                           for name in sorted(tensors)], axis=1)


def relative(actual, expected):
    return float(np.abs(actual - expected).max() / max(np.abs(expected).max(), 1e-30))


def check_model(muxnet, network, weights, options, export, images, folder, expected=None):
    """Exports one file, checks it, and compares its output; the row of the table."""
    path = os.path.join(folder, "model.onnx")
    muxnet("convert", network, path, "--to", "onnx", "--weights", weights, "--overwrite", *options,
           *export)
    model = onnx.load(path)
    onnx.checker.check_model(path, full_check=True)
    check_shapes(model)
    source, target = (os.path.join(folder, f"{name}.safetensors") for name in ("in", "out"))
    save_file({"input": images}, source)
    muxnet("forward", network, "--overwrite", "--weights", weights, "--input", source, "--output", target,
           *options)
    ours, actual = load_file(target), run(path, images)
    if {name: value.shape for name, value in ours.items()} != {
            name: value.shape for name, value in actual.items()}:
        raise Failure(f"outputs {sorted(actual)} and {sorted(ours)}, or of other shapes")
    ours, actual = side_by_side(ours), side_by_side(actual)
    if actual.shape != ours.shape or not np.isfinite(ours).all():
        raise Failure(f"outputs {actual.shape} and {ours.shape}, or not finite")
    if expected is None and len(ours) > 1 and relative(ours[:1], ours[1:]) < 10 * TOLERANCE:
        raise Failure("the outputs do not depend on the images: nothing is compared")
    difference = relative(actual, ours)
    if expected is not None:
        difference = max(difference, relative(actual, expected))
    types = [node.op_type for node in model.graph.node]
    return {"nodes": len(types), "gathers": types.count("Gather"),
            "transposes": types.count("Transpose"), "relative difference": f"{difference:.1e}",
            "result": "ok" if difference <= TOLERANCE else "DIFFERS"}


def overlaps(box, boxes):
    """Intersection over union of a box with others."""
    sides = np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])
    shared = np.prod(np.maximum(sides, 0), axis=1)
    return shared / (np.prod(box[2:] - box[:2]) + np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
                     - shared)


def check_boxes(muxnet, content, tensors, seed, folder):
    """A detector with boxes made inside the model, against `muxnet predict`; the row of the table."""
    rows, columns = content["inputSize"]["height"], content["inputSize"]["width"]
    channels = content["inputChannels"]
    row = {"network": content["name"], "variant": "boxes inside, batch 1",
           "input": f"1×{channels}×{rows}×{columns}"}
    # Half the outputs are class scores, of which the background is one; all maps together have four
    # offsets for each box, and so many channels for its classes.
    nodes = {node["name"]: node for node in content["nodes"]}
    outputs = content["outputs"]
    widths = [nodes[name]["operation"]["outputChannels"] for name in outputs]
    classes = widths[0] * 4 // widths[len(widths) // 2]
    mean, deviation = [0.5] * channels, [0.25] * channels
    metadata = {
        "network": content, "task": "detection", "isAveraged": False, "epoch": 0, "step": 0,
        "classNames": [f"class {number}" for number in range(classes - 1)],
        "pipeline": {"channels": channels, "mean": mean, "standardDeviation": deviation,
                     "transforms": [{"resize": {"size": [rows, columns]}}]}}
    weights, path = (os.path.join(folder, name) for name in ("detector.safetensors", "boxes.onnx"))
    save_file(tensors, weights, {"muxnet": json.dumps(metadata)})
    picture = os.path.join(folder, "picture.png")
    generator = np.random.default_rng(seed)
    pixels = generator.integers(0, 256, (rows, columns, channels), dtype=np.uint8)
    Image.fromarray(pixels if channels == 3 else pixels[:, :, 0]).save(picture)
    settings = ["--score", "0.02", "--iou", "0.4", "--max", "150"]
    try:
        muxnet("convert", weights, path, "--overwrite", "--post-processing", *settings)
        onnx.checker.check_model(path, full_check=True)
        images = ((pixels / np.float32(255) - mean) / deviation).astype(np.float32)
        actual = run(path, np.ascontiguousarray(images.transpose(2, 0, 1))[None])
        told = json.loads(muxnet("predict", picture, "--weights", weights, "--json", *settings))
        told = (told["images"] if isinstance(told, dict) else told)[0]["boxes"]
        sides = ["left", "top", "right", "bottom"]
        expected = np.array([[box[side] for side in sides] for box in told]).reshape(-1, 4)
        scale = np.array([columns, rows, columns, rows])
        found, pairs, worst = actual["boxes"] * scale, 0, 0.0
        if abs(len(found) - len(expected)) > 2 or len(expected) < 20:
            raise Failure(f"{len(found)} boxes, and {len(expected)} of muxnet predict")
        if np.any(np.diff(actual["scores"]) > 0):
            raise Failure("the best box does not come first")
        for box, place in zip(told, expected):
            same = np.flatnonzero(actual["labels"] == box["index"])
            if not len(same):
                continue
            best = same[overlaps(place, found[same]).argmax()]
            if overlaps(place, found[[best]])[0] < 0.99:
                continue
            pairs += 1
            worst = max(worst, np.abs(found[best] - place).max() / max(rows, columns),
                        abs(actual["scores"][best] - box["probability"]))
        # One of two boxes whose overlap is the threshold but for rounding may be another.
        if pairs < len(expected) - 2:
            raise Failure(f"only {pairs} of {len(expected)} boxes are the same")
        types = [node.op_type for node in onnx.load(path).graph.node]
        row |= {"nodes": len(types), "gathers": types.count("Gather"),
                "transposes": types.count("Transpose"), "relative difference": f"{worst:.1e}",
                "result": "ok" if worst <= TOLERANCE else "DIFFERS"}
    except Exception as error:
        row["result"] = f"FAILED: {error}"
    return row


def check_network(muxnet, network, seed, folder, chosen=(0, 1)):
    """The chosen variants of one network; yields rows."""
    described = os.path.join(folder, "network.json")
    muxnet("convert", network, described, "--overwrite")
    with open(described) as file:
        content = json.load(file)
    weights = os.path.join(folder, "weights.safetensors")
    tensors = random_weights(content, seed)
    save_file(tensors, weights)
    channels, size = content["inputChannels"], content["inputSize"]
    height, width = size["height"], size["width"]
    odd = (height * 5 // 8 | 1, height // 2 | 1) if height > 100 else (height + 3, width + 5)
    if content["name"] == "ssd300_vgg16":  # The last layers take no padding.
        odd = (269, 281)
    generator = np.random.default_rng(seed)
    variants = [
        ("folded, batch 1", (height, width), 1, []),
        ("kept, any batch", odd, 2, ["--keep-batch-norm", "--batch", "dynamic"]),
    ]
    for variant, (rows, columns), count, export in [variants[index] for index in chosen]:
        images = generator.standard_normal((count, channels, rows, columns)).astype(np.float32)
        row = {"network": content["name"], "variant": variant,
               "input": "×".join(map(str, images.shape))}
        options = ["--input-size", f"{rows}x{columns}"]
        try:
            row |= check_model(muxnet, network, weights, options, export, images, folder)
        except Exception as error:  # Every kind of failure is a result here.
            row["result"] = f"FAILED: {error}"
        yield row
    if len(content.get("outputs", [])) > 1:
        yield check_boxes(muxnet, content, tensors, seed, folder)


def check_reference(muxnet, shared, folder):
    """MUXNet-m at half width with the authors' own outputs."""
    base = shared / "reference" / "muxnet_m-half-10classes"
    tensors = load_file(f"{base}.io.safetensors")
    images = tensors["input"]
    options = ["--width", "0.5", "--classes", "10", "--input-size", str(images.shape[2])]
    for variant, export in [
        ("folded, batch 2", ["--batch", str(images.shape[0])]),
        ("kept, any batch", ["--keep-batch-norm", "--batch", "dynamic"]),
    ]:
        row = {"network": "muxnet_m × 0.5, the authors' output", "variant": variant,
               "input": "×".join(map(str, images.shape))}
        try:
            row |= check_model(muxnet, "muxnet_m", f"{base}.safetensors", options, export, images,
                               folder, tensors["logits"])
        except Exception as error:
            row["result"] = f"FAILED: {error}"
        yield row


def layer_network(tensors, name):
    """The JSON of a network that is one branched convolution of the reference files."""
    channels, kernel = tensors["input"].shape[1], 0
    weights = sorted(key for key in tensors if key.startswith("weight."))
    branches, state = [], {}
    for index, key in enumerate(weights):
        weight = tensors[key]
        out, kernel = weight.shape[0], weight.shape[2]
        multiplexed = name.startswith("spatial")
        branches.append({
            "name": key.removeprefix("weight.").removesuffix(".weight"),
            "multiplexing": index - 1 if multiplexed else 0, "factor": 2,
            "convolution": {
                "inputChannels": out, "outputChannels": out, "kernelSize": kernel,
                "stride": 1 if multiplexed else 2, "padding": (kernel - 1) // 2, "dilation": 1,
                "groups": out, "hasBias": False}})
        state[f"layer.{branches[-1]['name']}.weight"] = weight
    height, width = tensors["input"].shape[2:]
    return {
        "name": name, "inputChannels": channels, "initialization": "google", "blocks": [],
        "inputSize": {"height": height, "width": width},
        "nodes": [{"name": "layer", "inputs": ["input"],
                   "operation": {"type": "branchedConvolution", "branches": branches}}]}, state


def check_layers(muxnet, shared, folder):
    """Single layers of spatial multiplexing and mixed kernels against the authors' outputs."""
    for path in sorted((shared / "reference").glob("*.safetensors")):
        if not path.name.startswith(("spatial_mux", "mixed_depthwise")):
            continue
        tensors = load_file(path)
        network, state = layer_network(tensors, path.stem)
        described = os.path.join(folder, "layer.json")
        with open(described, "w") as file:
            json.dump(network, file)
        weights = os.path.join(folder, "weights.safetensors")
        save_file(state, weights)
        images = np.ascontiguousarray(tensors["input"])
        row = {"network": f"{path.stem}, the authors' output", "variant": "one layer",
               "input": "×".join(map(str, images.shape))}
        try:
            row |= check_model(muxnet, described, weights, [], ["--batch", "dynamic"], images,
                               folder, tensors["output"])
        except Exception as error:
            row["result"] = f"FAILED: {error}"
        yield row


def check_blocks(muxnet, shared, folder):
    """MUX blocks against the authors' outputs, channel and spatial multiplexing together."""
    for suffix, block in [
        ("c40-l0.25-group2", "mux_k5_e4_c40_l0.25_se0.25_gw2"),
        ("c40-l0.5-scales", "mux_e6_c40_se0.75_sc-1.0.1"),
    ]:
        tensors = load_file(shared / "reference" / f"mux_block-{suffix}.safetensors")
        described = os.path.join(folder, "block.json")
        architecture = os.path.join(folder, "block.yaml")
        with open(architecture, "w") as file:
            json.dump({"name": "block", "stem": {"channels": 40}, "stages": [[block]],
                       "head": {"channels": 0}}, file)
        muxnet("convert", architecture, described, "--overwrite")
        with open(described) as file:
            network = json.load(file)
        # Of the whole network only the block stays.
        nodes = [node for node in network["nodes"] if node["name"].startswith("blocks.")]
        names = {node["name"] for node in nodes}
        for node in nodes:
            node["inputs"] = [name if name in names else "input" for name in node["inputs"]]
        images = np.ascontiguousarray(tensors["input"])
        network |= {"nodes": nodes, "blocks": [], "inputChannels": 40,
                    "inputSize": {"height": images.shape[2], "width": images.shape[3]}}
        with open(described, "w") as file:
            json.dump(network, file)
        weights = os.path.join(folder, "weights.safetensors")
        save_file({f"blocks.0.0.{key.removeprefix('state.')}": value
                   for key, value in tensors.items() if key.startswith("state.")}, weights)
        for variant, export in [
            ("folded, batch 2", ["--batch", str(len(images))]),
            ("kept, any batch", ["--keep-batch-norm", "--batch", "dynamic"]),
        ]:
            row = {"network": f"mux_block-{suffix}, the authors' output", "variant": variant,
                   "input": "×".join(map(str, images.shape))}
            try:
                row |= check_model(muxnet, described, weights, [], export, images, folder,
                                   tensors["output"])
            except Exception as error:
                row["result"] = f"FAILED: {error}"
            yield row


def rows(arguments, folder):
    muxnet = Muxnet(arguments.muxnet)
    shared = pathlib.Path(os.environ.get("MUXNET_SHARED", ROOT.parent / "shared"))
    parts = arguments.parts
    names = arguments.networks
    if names:
        parts = ["zoo"]
    elif "zoo" in parts:
        # Some models are only figures that the paper quotes.
        names = [entry["name"] for entry in json.loads(muxnet("models", "--json"))
                 if not entry.get("quoted")]
    if "authors" in parts:
        if (shared / "reference").is_dir():
            yield from check_layers(muxnet, shared, folder)
            yield from check_blocks(muxnet, shared, folder)
            yield from check_reference(muxnet, shared, folder)
        else:
            print("the authors' outputs are not there: left out", file=sys.stderr)
    for name in names:
        yield from check_network(muxnet, name, zlib.crc32(name.encode()), folder)
    if "random" in parts:
        yield from check_random(muxnet, arguments, folder)


def check_random(muxnet, arguments, folder):
    """Random networks, from both spaces in turn."""
    draw = random.Random(arguments.seed)
    spaces = [yaml.safe_load((ROOT / f"Sources/MUXSearch/Spaces/{name}.yaml").read_text())
              for name in ("imagenet", "small")]
    done = 0
    while done < arguments.random:
        architecture = random_architecture(spaces[done % 2], draw, done + 1)
        path = os.path.join(folder, "random.yaml")
        with open(path, "w") as file:
            json.dump(architecture, file)  # JSON is YAML.
        try:
            muxnet("describe", path)
        except Failure as error:
            if "layer" not in str(error):
                raise
            continue  # Channels that do not divide into groups or windows: no network of the space.
        done += 1
        # Spaces and variants take turns without going in step.
        yield from check_network(muxnet, path, 1000 + done, folder, [done // 2 % 2])


class Table:
    """The rows by network and variant, in a file if there is a folder for it."""

    def __init__(self, folder):
        self.path = pathlib.Path(folder) / "checks.csv" if folder else None
        self.rows = {}
        if self.path and self.path.exists():
            with open(self.path, newline="") as file:
                for row in csv.DictReader(file):
                    self.rows[row["network"], row["variant"]] = row

    def add(self, row):
        self.rows[row["network"], row["variant"]] = row
        if self.path:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open(self.path, "w", newline="") as file:
                writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
                writer.writeheader()
                writer.writerows(self.rows.values())

    def summary(self):
        rows = self.rows.values()
        bad = [row for row in rows if row["result"] != "ok"]
        differences = [float(row["relative difference"]) for row in rows
                       if row.get("relative difference")]
        networks = len({network for network, _ in self.rows})
        return (f"{len(rows)} files of {networks} networks, blocks and layers, {len(bad)} not right;"
                f" largest relative difference {max(differences, default=float('nan')):.1e}; onnx"
                f" {onnx.__version__}, onnxruntime {onnxruntime.__version__}, {platform.machine()}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("networks", nargs="*", help="names or files (default: all parts)")
    parser.add_argument("--muxnet", default=".build/release/muxnet", help="the program")
    parser.add_argument("--parts", nargs="+", choices=["authors", "zoo", "random"],
                        default=["authors", "zoo", "random"])
    parser.add_argument("--random", type=int, default=50, help="random networks")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", help="the folder for checks.csv and summary.txt")
    arguments = parser.parse_args()
    table = Table(arguments.output)
    bad = 0
    with tempfile.TemporaryDirectory(prefix="check-onnx-") as folder:
        for row in rows(arguments, folder):
            table.add(row)
            bad += row["result"] != "ok"
            print(" | ".join(str(row.get(column, "")) for column in COLUMNS), flush=True)
    print(table.summary())
    if arguments.output:
        (pathlib.Path(arguments.output) / "summary.txt").write_text(table.summary() + "\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
