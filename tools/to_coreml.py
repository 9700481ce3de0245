#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns an ONNX file of `muxnet convert` into a Core ML package (ML program, iOS 16 or macOS 13).

    python3 -m venv venv && venv/bin/pip install coremltools onnx numpy
    muxnet convert muxnet_m --weights muxnet_m.safetensors muxnet_m.onnx
    venv/bin/python tools/to_coreml.py muxnet_m.onnx muxnet_m.mlpackage

Of a detector's file with boxes (`--post-processing`) the part up to NonMaxSuppression is taken over, and
Core ML's own suppression put in its place, whose outputs are `coordinates` [1, K, 4] (centre x, centre
y, width, height in shares of the input), `confidence` [1, K, classes], `indices` and `count`, K being the
most boxes. It tells each box once, with the probabilities of all classes, and suppresses it by the most
likely one, where muxnet tells a box for each class that is likely enough.

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

    def __init__(self, model):
        self.graph = graph = model.graph
        self.metadata = model.metadata_props
        self.constants = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
        self.values = {}

    def run(self, x):
        self.values[self.graph.input[0].name] = x
        for node in self.graph.node:
            if node.op_type == "NonMaxSuppression":
                return self.suppressed(*map(self.value, node.input))
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

    def suppressed(self, boxes, scores, most, overlap, threshold):
        """What Core ML's own suppression makes of boxes and of the scores of each class."""
        scores = mb.transpose(x=scores, perm=[0, 2, 1])
        limits = {entry.key: entry.value for entry in self.metadata}
        coordinates, confidence, indices, count = mb.non_maximum_suppression(
            boxes=boxes, scores=scores, iou_threshold=np.float32(overlap),
            score_threshold=np.float32(max(float(threshold), 0)),
            max_boxes=int(limits.get("most_boxes", most[0])), per_class_suppression=True)
        return tuple(mb.identity(x=value, name=name) for value, name in [
            (coordinates, "coordinates"), (confidence, "confidence"), (indices, "indices"),
            (count, "count")])

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
        return mb.concat(values=list(parts), axis=a["axis"], name=node.output[0])

    def Reshape(self, node, a, x, shape):
        return mb.reshape(x=x, shape=shape.astype(np.int32), name=node.output[0])

    def Transpose(self, node, a, x):
        return mb.transpose(x=x, perm=a["perm"], name=node.output[0])

    def Softmax(self, node, a, x):
        return mb.softmax(x=x, axis=a["axis"], name=node.output[0])

    def Exp(self, node, a, x):
        return mb.exp(x=x, name=node.output[0])

    def Min(self, node, a, x, y):
        return mb.minimum(x=x, y=y, name=node.output[0])

    def Sub(self, node, a, x, y):
        return mb.sub(x=x, y=y, name=node.output[0])

    def TopK(self, node, a, x, count):
        return mb.topk(x=x, k=int(count[0]), axis=a["axis"], ascending=False, name=node.name)

    def GreaterOrEqual(self, node, a, x, y):
        return mb.greater_equal(x=x, y=y, name=node.output[0])

    def Where(self, node, a, condition, x, y):
        # Core ML chooses between values of one shape.
        other = mb.mul(x=mb.add(x=mb.mul(x=x, y=np.float32(0)), y=np.float32(1)), y=np.float32(y))
        return mb.select(cond=condition, a=x, b=other, name=node.output[0])

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
    translator = Translator(model)

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
    if any(node.op_type == "NonMaxSuppression" for node in model.graph.node):
        print("prediction was not compared: Core ML's suppression tells boxes in another form")
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
