#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the ONNX export: for each network of the zoo, random networks of the search spaces and the
authors' reference networks, the file passes ONNX's checker with full, strict shape inference, and
ONNX Runtime gives what `muxnet forward` gives.

    python3 -m venv venv && venv/bin/pip install onnx onnxruntime numpy safetensors pyyaml
    venv/bin/python tools/check_onnx.py --muxnet .build/release/muxnet --output results/onnx

Weights are random, with scrambled batch-norm statistics. A network goes through twice: batch norms
folded, batch of 1, at its own image size; and batch norms kept, any batch, run with 2 images of an
odd size. The random networks take turns between the two. The reference networks are looked for in MUXNET_SHARED or ../shared.
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
import time

import numpy as np
import onnx
import onnxruntime
import yaml
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
    return session.run(["output"], {"input": images})[0]


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
    save_file({"input": images}, os.path.join(folder, "in.safetensors"))
    muxnet("forward", network, "--weights", weights, "--input", os.path.join(folder, "in.safetensors"),
           "--output", os.path.join(folder, "out.safetensors"), *options)
    ours = load_file(os.path.join(folder, "out.safetensors"))["output"]
    actual = run(path, images)
    if actual.shape != ours.shape or not np.isfinite(ours).all():
        raise Failure(f"outputs {actual.shape} and {ours.shape}, or not finite")
    if len(ours) > 1 and relative(ours[:1], ours[1:]) < 10 * TOLERANCE:
        raise Failure("the outputs do not depend on the images: nothing is compared")
    difference = relative(actual, ours)
    if expected is not None:
        difference = max(difference, relative(actual, expected))
    types = [node.op_type for node in model.graph.node]
    return {"nodes": len(types), "gathers": types.count("Gather"),
            "transposes": types.count("Transpose"), "relative difference": f"{difference:.1e}",
            "result": "ok" if difference <= TOLERANCE else "DIFFERS"}


def check_network(muxnet, network, seed, folder, chosen=(0, 1)):
    """The chosen variants of one network; yields rows."""
    described = os.path.join(folder, "network.json")
    muxnet("convert", network, described, "--overwrite")
    with open(described) as file:
        content = json.load(file)
    weights = os.path.join(folder, "weights.safetensors")
    save_file(random_weights(content, seed), weights)
    channels, size = content["inputChannels"], content["inputSize"]
    height, width = size["height"], size["width"]
    odd = (height * 5 // 8 | 1, height // 2 | 1) if height > 100 else (height + 3, width + 5)
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


def rows(arguments, folder):
    muxnet = Muxnet(arguments.muxnet)
    shared = pathlib.Path(os.environ.get("MUXNET_SHARED", ROOT.parent / "shared"))
    names = arguments.networks
    if not names:
        # Some models are only figures that the paper quotes.
        names = [entry["name"] for entry in json.loads(muxnet("models", "--json"))
                 if not entry.get("quoted")]
        if (shared / "reference").is_dir():
            yield from check_layers(muxnet, shared, folder)
            yield from check_reference(muxnet, shared, folder)
        else:
            print("the authors' outputs are not there: left out", file=sys.stderr)
    for seed, name in enumerate(names):
        yield from check_network(muxnet, name, seed, folder)
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


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("networks", nargs="*", help="names or files (default: the whole zoo)")
    parser.add_argument("--muxnet", default=".build/release/muxnet", help="the program")
    parser.add_argument("--random", type=int, default=50, help="random networks")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", help="the folder for checks.csv and README.md")
    arguments = parser.parse_args()
    start = time.time()
    results = []
    with tempfile.TemporaryDirectory(prefix="check-onnx-") as folder:
        for row in rows(arguments, folder):
            results.append(row)
            print(" | ".join(str(row.get(column, "")) for column in COLUMNS), flush=True)
    bad = [row for row in results if row["result"] != "ok"]
    differences = [float(row["relative difference"]) for row in results
                   if "relative difference" in row]
    summary = (f"{len(results)} files checked, {len(bad)} not right; largest relative difference"
               f" {max(differences, default=float('nan')):.1e}; {time.time() - start:.0f} s; onnx"
               f" {onnx.__version__}, onnxruntime {onnxruntime.__version__},"
               f" {platform.machine()}")
    print(summary)
    if arguments.output:
        folder = pathlib.Path(arguments.output)
        folder.mkdir(parents=True, exist_ok=True)
        with open(folder / "checks.csv", "w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(results)
        (folder / "summary.txt").write_text(summary + "\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
