#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times the runtime beside ONNX Runtime on the same networks and weights, and beside
MobileNetV3-large (timm's definition), interleaved: each round runs every contestant a few times.

Make the model files and run it from the package's root:

    swift build -c release --product runtime-benchmark
    .build/release/runtime-benchmark random muxnet_m m.muxnet
    python3 tools/compare_inference.py --tool .build/release/runtime-benchmark m.muxnet

Needs numpy, torch, timm, onnx and onnxruntime. Batch 1, single precision.
"""
import argparse
import json
import os
import platform
import struct
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch


def read_model(path):
    """The network's JSON and its tensors from a model file (safetensors with metadata)."""
    with open(path, "rb") as file:
        data = file.read()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    network = json.loads(header.pop("__metadata__")["muxnet.network"])
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        values = np.frombuffer(data[8 + length + begin : 8 + length + end], dtype=np.float32)
        tensors[name] = torch.from_numpy(values.reshape(entry["shape"]).copy())
    return network, tensors


def to_channels(x, r):
    n, c, h, w = x.shape
    return x.reshape(n, c, h // r, r, w // r, r).permute(0, 3, 5, 1, 2, 4).reshape(
        n, c * r * r, h // r, w // r)


def to_space(x, r):
    n, c, h, w = x.shape
    return x.reshape(n, r, r, c // (r * r), h, w).permute(0, 3, 4, 1, 5, 2).reshape(
        n, c // (r * r), h * r, w * r)


class NetworkModule(torch.nn.Module):
    """A network of the package, node by node, in PyTorch."""

    functions = {
        "identity": lambda x: x,
        "relu": torch.nn.functional.relu,
        "relu6": torch.nn.functional.relu6,
        "swish": torch.nn.functional.silu,
        "hardSwish": torch.nn.functional.hardswish,
        "sigmoid": torch.sigmoid,
        "hardSigmoid": torch.nn.functional.hardsigmoid,
    }

    def __init__(self, network, tensors):
        super().__init__()
        self.nodes = network["nodes"]
        for name, tensor in tensors.items():
            self.register_buffer(name.replace(".", "/"), tensor)

    def tensor(self, name):
        return getattr(self, name.replace(".", "/"), None)

    def convolve(self, x, convolution, name):
        return torch.nn.functional.conv2d(
            x, self.tensor(name + ".weight"), self.tensor(name + ".bias"), convolution["stride"],
            convolution["padding"], convolution["dilation"], convolution["groups"])

    def branch(self, x, branch, name):
        name = f"{name}.{branch['name']}"
        r, move = branch["factor"], branch["multiplexing"]
        if move == 0:
            return self.convolve(x, branch["convolution"], name)
        first, last = (to_channels, to_space) if move < 0 else (to_space, to_channels)
        height, width = x.shape[2:]
        if move < 0 and (height % r or width % r):
            x = torch.nn.functional.pad(x, (0, -width % r, 0, -height % r))
        x = last(self.convolve(first(x, r), branch["convolution"], name), r)
        return x[:, :, :height, :width]

    def forward(self, x):
        values = {"input": x}
        for node in self.nodes:
            operation, name = node["operation"], node["name"]
            inputs = [values[i] for i in node["inputs"]]
            x, kind = inputs[0], operation["type"]
            if kind == "convolution":
                x = self.convolve(x, operation, name)
            elif kind == "branchedConvolution":
                outputs, first = [], 0
                for branch in operation["branches"]:
                    count = branch["convolution"]["inputChannels"]
                    window = branch["factor"] ** 2
                    count = {-1: count // window, 0: count, 1: count * window}[
                        branch["multiplexing"]]
                    outputs.append(self.branch(x[:, first : first + count], branch, name))
                    first += count
                x = torch.cat(outputs, 1)
            elif kind == "batchNormalization":
                x = torch.nn.functional.batch_norm(
                    x, self.tensor(name + ".running_mean"), self.tensor(name + ".running_var"),
                    self.tensor(name + ".weight"), self.tensor(name + ".bias"), False, 0,
                    operation["epsilon"])
            elif kind == "activation":
                x = self.functions[operation["function"]](x)
            elif kind == "linear":
                x = torch.nn.functional.linear(
                    x, self.tensor(name + ".weight"), self.tensor(name + ".bias"))
            elif kind == "add":
                x = inputs[0] + inputs[1]
            elif kind == "multiply":
                x = inputs[0] * inputs[1]
            elif kind == "concatenate":
                x = torch.cat(inputs, 1)
            elif kind == "slice":
                x = x[:, operation["start"] : operation["start"] + operation["count"]]
            elif kind == "channelShuffle":
                n, c, h, w = x.shape
                g = operation["groups"]
                x = x.reshape(n, g, c // g, h, w).transpose(1, 2).reshape(n, c, h, w)
            elif kind == "globalAveragePool":
                x = x.mean((2, 3), keepdim=True)
            elif kind == "flatten":
                x = x.flatten(1)
            elif kind not in ("dropout", "dropPath"):
                raise SystemExit(f"'{name}': '{kind}' is not supported by this comparison")
            values[name] = x
        return x


def session(module, size, threads, path):
    import onnxruntime

    torch.onnx.export(module, torch.randn(1, 3, size, size), path, opset_version=17, dynamo=False)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def mobile_net(size):
    # timm wants torchvision, whose C++ extension may be absent: declare what its Python side
    # registers.
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        try:
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        except RuntimeError:
            pass
    import timm

    return timm.create_model("mobilenetv3_large_100").eval()


class Ours:
    def __init__(self, tool, path, threads):
        self.process = subprocess.Popen(
            [tool, "serve", path, "--threads", str(threads)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)

    def times(self, runs):
        self.process.stdin.write(f"{runs}\n")
        self.process.stdin.flush()
        return [float(t) for t in self.process.stdout.readline().split()[2:]]


class Rival:
    def __init__(self, call):
        self.call = call

    def times(self, runs):
        self.call()
        times = []
        for _ in range(runs):
            start = time.perf_counter()
            self.call()
            times.append((time.perf_counter() - start) * 1e3)
        return times


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("models", nargs="+", help="model files")
    parser.add_argument("--tool", required=True, help="the runtime-benchmark executable")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--eager", action="store_true", help="PyTorch eager, too")
    parser.add_argument("--without-mobilenet", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.set_grad_enabled(False)
    folder = tempfile.mkdtemp(prefix="compare-inference-")
    contestants = {}

    def add_session(name, module, size):
        path = os.path.join(folder, name.replace("/", "-") + ".onnx")
        runner = session(module, size, arguments.threads, path)
        image = np.random.default_rng(0).standard_normal((1, 3, size, size)).astype(np.float32)
        key = runner.get_inputs()[0].name
        contestants[(name, "ONNX Runtime")] = Rival(lambda: runner.run(None, {key: image}))

    for path in arguments.models:
        network, tensors = read_model(path)
        size = network["inputSize"]["height"]
        module = NetworkModule(network, tensors).eval()
        name = network["name"]
        contestants[(name, "ours")] = Ours(arguments.tool, path, arguments.threads)
        add_session(name, module, size)
        if arguments.eager:
            image = torch.randn(1, 3, size, size)
            contestants[(name, "PyTorch eager")] = Rival(lambda m=module, i=image: m(i))
    if not arguments.without_mobilenet:
        add_session("mobilenetv3_large", mobile_net(224), 224)

    times = {key: [] for key in contestants}
    for _ in range(arguments.rounds):
        for key, contestant in contestants.items():
            times[key] += contestant.times(arguments.runs)
    print(f"{platform.processor() or platform.machine()}, {arguments.threads} thread(s), batch 1,"
          f" fp32; {arguments.rounds} rounds of {arguments.runs} runs; load"
          f" {os.getloadavg()[0]:.1f}")
    print("| network | runtime | min ms | median ms | p95 ms |")
    print("| --- | --- | --- | --- | --- |")
    for (name, runtime), values in times.items():
        values = sorted(values)
        print(f"| {name} | {runtime} | {values[0]:.2f} | {values[len(values) // 2]:.2f}"
              f" | {values[len(values) * 95 // 100]:.2f} |")
    for contestant in contestants.values():
        if isinstance(contestant, Ours):
            contestant.process.terminate()


if __name__ == "__main__":
    sys.exit(main())
