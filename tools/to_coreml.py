#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns an ONNX file of `muxnet convert` into a Core ML package (ML program, iOS 16 or macOS 13).

    python3 -m venv venv && venv/bin/pip install coremltools onnx numpy
    muxnet convert muxnet_m --weights muxnet_m.safetensors muxnet_m.onnx
    venv/bin/python tools/to_coreml.py muxnet_m.onnx muxnet_m.mlpackage

Converting runs on Linux and macOS. Predicting needs macOS: there the script compares the package
with ONNX Runtime (where that is installed); elsewhere it says that it did not.
"""
import argparse
import logging
import os
import platform
import sys

if not sys.stderr.isatty():
    os.environ.setdefault("TQDM_DISABLE", "1")
if platform.system() != "Darwin":
    # The parts that predict are absent elsewhere, which it would say part by part.
    logging.getLogger("coremltools").setLevel(logging.ERROR)

import coremltools as ct
import numpy as np
import onnx
from coremltools.converters.mil import Builder as mb
from coremltools.converters.mil.mil import types
from onnx import numpy_helper

TARGET = ct.target.iOS16


def attributes(node):
    return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}


def sides(pads):
    """ONNX's top, left, bottom, right as Core ML's top, bottom, left, right."""
    top, left, bottom, right = pads
    return [top, bottom, left, right]


class Translator:
    """Says the operators of `MUXONNX` in MIL, Core ML's intermediate language."""

    def __init__(self, graph):
        self.graph = graph
        self.constants = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
        self.values = {}

    def run(self, x):
        self.values[self.graph.input[0].name] = x
        for node in self.graph.node:
            method = getattr(self, node.op_type, None)
            if method is None:
                raise SystemExit(
                    f"error: '{node.name}': operator '{node.op_type}' is not one that muxnet writes")
            results = method(node, attributes(node), *map(self.value, node.input))
            if not isinstance(results, (list, tuple)):
                results = [results]
            self.values.update(zip(node.output, results))
        # A detector has several outputs.
        outputs = [self.values[output.name] for output in self.graph.output]
        return outputs[0] if len(outputs) == 1 else tuple(outputs)

    def value(self, name):
        return self.constants[name] if name in self.constants else self.values[name]

    def Conv(self, node, a, x, weight, bias=None):
        extra = {} if bias is None else {"bias": bias}
        return mb.conv(
            x=x, weight=weight, strides=a["strides"], pad_type="custom", pad=sides(a["pads"]),
            dilations=a["dilations"], groups=a["group"], name=node.output[0], **extra)

    def BatchNormalization(self, node, a, x, scale, shift, mean, variance):
        return mb.batch_norm(
            x=x, mean=mean, variance=variance, gamma=scale, beta=shift,
            epsilon=np.float32(a["epsilon"]), name=node.output[0])

    def Identity(self, node, a, x):
        return mb.identity(x=x, name=node.output[0])

    def Relu(self, node, a, x):
        return mb.relu(x=x, name=node.output[0])

    def Clip(self, node, a, x, low, high):
        return mb.clip(x=x, alpha=np.float32(low), beta=np.float32(high), name=node.output[0])

    def Sigmoid(self, node, a, x):
        return mb.sigmoid(x=x, name=node.output[0])

    def HardSigmoid(self, node, a, x):
        return mb.sigmoid_hard(
            x=x, alpha=np.float32(a["alpha"]), beta=np.float32(a["beta"]), name=node.output[0])

    def HardSwish(self, node, a, x):
        gate = mb.sigmoid_hard(x=x, alpha=np.float32(1 / 6), beta=np.float32(0.5))
        return mb.mul(x=x, y=gate, name=node.output[0])

    def Add(self, node, a, x, y):
        return mb.add(x=x, y=y, name=node.output[0])

    def Mul(self, node, a, x, y):
        return mb.mul(x=x, y=y, name=node.output[0])

    def MatMul(self, node, a, x, y):
        if isinstance(x, np.ndarray):
            x = x.reshape(1, 1, *x.shape)
        if isinstance(y, np.ndarray):
            y = y.reshape(1, 1, *y.shape)
        return mb.matmul(x=x, y=y, name=node.output[0])

    def Gemm(self, node, a, x, weight, bias=None):
        extra = {} if bias is None else {"bias": bias}
        return mb.linear(x=x, weight=weight, name=node.output[0], **extra)

    def Flatten(self, node, a, x):
        shape = [x.shape[0], int(np.prod(x.shape[1:]))]
        return mb.reshape(x=x, shape=shape, name=node.output[0])

    def Concat(self, node, a, *parts):
        return mb.concat(values=list(parts), axis=1, name=node.output[0])

    def Split(self, node, a, x, sizes):
        return mb.split(x=x, split_sizes=sizes.astype(np.int32), axis=1, name=node.name)

    def Gather(self, node, a, x, indices):
        return mb.gather(x=x, indices=indices.astype(np.int32), axis=1, name=node.output[0])

    def Slice(self, node, a, x, starts, ends, axes):
        begin, end = [0] * len(x.shape), list(x.shape)
        for start, stop, axis in zip(starts, ends, axes):
            begin[axis], end[axis] = int(start), int(min(stop, x.shape[axis]))
        return mb.slice_by_index(x=x, begin=begin, end=end, name=node.output[0])

    def Pad(self, node, a, x, pads):
        rank = len(pads) // 2
        both = [int(n) for axis in range(rank) for n in (pads[axis], pads[axis + rank])]
        return mb.pad(x=x, pad=both, mode="constant", constant_val=np.float32(0),
                      name=node.output[0])

    # Core ML's moves are TensorFlow's: phase-major, like ONNX's SpaceToDepth and DCR.
    def SpaceToDepth(self, node, a, x):
        return mb.space_to_depth(x=x, block_size=a["blocksize"], name=node.output[0])

    def DepthToSpace(self, node, a, x):
        if a.get("mode", b"DCR") != b"DCR":
            raise SystemExit(f"error: '{node.name}': only phase-major channels are known")
        return mb.depth_to_space(x=x, block_size=a["blocksize"], name=node.output[0])

    def MaxPool(self, node, a, x):
        return mb.max_pool(
            x=x, kernel_sizes=a["kernel_shape"], strides=a["strides"], pad_type="custom",
            pad=sides(a.get("pads", [0] * 4)), name=node.output[0])

    def AveragePool(self, node, a, x):
        return mb.avg_pool(
            x=x, kernel_sizes=a["kernel_shape"], strides=a["strides"], pad_type="custom",
            pad=sides(a.get("pads", [0] * 4)),
            exclude_padding_from_average=not a.get("count_include_pad", 0), name=node.output[0])

    def GlobalAveragePool(self, node, a, x):
        return mb.reduce_mean(x=x, axes=[2, 3], keep_dims=True, name=node.output[0])


def convert(model, batch, precision):
    graph = model.graph
    dimensions = [d.dim_value for d in graph.input[0].type.tensor_type.shape.dim]
    shape = [dimensions[0] or batch, *dimensions[1:]]
    translator = Translator(graph)

    @mb.program(
        input_specs=[mb.TensorSpec(shape=shape, dtype=types.fp32)], opset_version=TARGET)
    def program(input):
        return translator.run(input)

    package = ct.convert(
        program, source="milinternal", convert_to="mlprogram", minimum_deployment_target=TARGET,
        compute_precision=getattr(ct.precision, precision.upper()),
        compute_units=ct.ComputeUnit.ALL)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    package.short_description = model.doc_string
    package.version = model.producer_version
    if "weights_license" in metadata:
        package.license = metadata["weights_license"]
    for key, value in metadata.items():
        package.user_defined_metadata[f"muxnet.{key}"] = value
    return package, shape


def check(path, model, shape, precision):
    """Reads the package again; compares predictions where that is possible."""
    package = ct.models.MLModel(path, skip_model_load=platform.system() != "Darwin")
    description = package.get_spec().description
    found = list(description.input[0].type.multiArrayType.shape)
    if found != list(shape):
        raise SystemExit(f"error: the package takes {found}, the ONNX file {shape}")
    if platform.system() != "Darwin":
        print("prediction did not run: Core ML predicts on macOS only")
        return
    try:
        import onnxruntime
    except ImportError:
        print("prediction was not compared: onnxruntime is not installed")
        return
    images = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"])
    expected = session.run(None, {"input": images})[0]
    actual = package.predict({"input": images})[description.output[0].name]
    difference = np.abs(actual - expected).max() / np.abs(expected).max()
    limit = 1e-4 if precision == "float32" else 2e-2
    print(f"prediction: relative difference {difference:.1e} from ONNX Runtime")
    if not difference <= limit:
        raise SystemExit(f"error: that is above {limit}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("onnx", help="the ONNX file")
    parser.add_argument("package", help="the .mlpackage to write")
    parser.add_argument("--batch", type=int, default=1, help="images, where the file takes any")
    parser.add_argument("--precision", choices=["float16", "float32"], default="float16")
    parser.add_argument("--overwrite", action="store_true")
    arguments = parser.parse_args()
    if not arguments.package.endswith(".mlpackage"):
        raise SystemExit(f"error: the output must end in .mlpackage, not '{arguments.package}'")
    if os.path.exists(arguments.package) and not arguments.overwrite:
        raise SystemExit(f"error: {arguments.package} exists; give --overwrite to replace it")
    try:
        model = onnx.load(arguments.onnx)
        onnx.checker.check_model(model)
    except Exception as error:
        raise SystemExit(f"error: {arguments.onnx}: {str(error).splitlines()[0]}")
    if model.producer_name != "muxnet":
        raise SystemExit(f"error: {arguments.onnx} was not written by muxnet convert")
    package, shape = convert(model, arguments.batch, arguments.precision)
    package.save(arguments.package)
    print(f"wrote {arguments.package}: input {shape}, {arguments.precision}")
    check(arguments.package, model, shape, arguments.precision)


if __name__ == "__main__":
    sys.exit(main())
