#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times whole detectors beside other runtimes, from a prepared image to boxes, interleaved: each round runs
every contestant a few times, so that all see the same noise of the machine.

    muxnet convert ssdlite_muxnet_m d.safetensors --random-weights
    python3 tools/compare_detectors.py d.safetensors runs/cells

Ours is `muxnet benchmark --serve --post-processing`; the others run the file of `muxnet convert
--post-processing`, in which decoding and NonMaxSuppression are part of the model, in single precision. Both
sides tell the boxes from the task's threshold on. Before anything is timed the boxes of the others are
compared with each other's. LiteRT's converter does not take that file: LiteRT computes the network's outputs
alone, and its time lacks decoding and suppression.

Needs numpy, torch (for what it shares with compare_inference.py), onnx, onnxruntime, openvino, litert-torch; one
that is absent, or that cannot run the file, is named under the table.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import torch

import compare_inference


def onnx_runtime(path, image, threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = ["boxes", "scores", "labels"]
    return lambda: session.run(names, {"input": image})


def open_vino(path, image, threads):
    import openvino

    compiled = openvino.Core().compile_model(
        path, "CPU", {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY",
                      "INFERENCE_PRECISION_HINT": "f32"})
    request = compiled.create_infer_request()
    tensor = openvino.Tensor(image)

    def run():
        results = request.infer([tensor])
        return [results[name] for name in ("boxes", "scores", "labels")]

    return run


def lite_rt(path, image, threads):
    """The outputs of the network of a file of weights."""
    module = compare_inference.NetworkModule(*compare_inference.read_model(path)).eval()
    image = torch.from_numpy(image)
    with torch.no_grad(), tempfile.TemporaryDirectory(prefix="compare-detectors-") as folder:
        expected = module(image).numpy()
        run = compare_inference.lite_rt(module, image, threads, folder, "detector")
    error = np.abs(run() - expected).max() / np.abs(expected).max()
    if not error < 1e-3:
        raise RuntimeError(f"its outputs are off by {error:.1e}")
    return run


# Those that find boxes, with the file that has everything; and those that give outputs, with the weights.
RIVALS = {"ONNX Runtime": onnx_runtime, "OpenVINO": open_vino}
OUTPUTS = {"LiteRT, outputs alone": lite_rt}


class Ours(compare_inference.Ours):
    def __init__(self, tool, path, threads, precision):
        self.process = subprocess.Popen(
            [tool, "benchmark", path, "--serve", "--post-processing", "--threads", str(threads),
             "--precision", precision],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def weights(path):
    """The file of a run, or the file itself."""
    return os.path.join(path, "best.safetensors") if os.path.isdir(path) else path


def compare(path, arguments, folder, times, failures):
    described = json.loads(subprocess.run(
        [arguments.tool, "describe", path, "--json"], check=True, capture_output=True,
        text=True).stdout)
    name, size = described["name"], described["inputSize"]
    sides = (size["height"], size["width"]) if isinstance(size, dict) else (
        size if isinstance(size, list) else (size, size))
    model = os.path.join(folder, f"{name}.onnx")
    subprocess.run([arguments.tool, "convert", path, model, "--post-processing", "--overwrite"],
                   check=True)
    image = np.random.default_rng(0).uniform(-1.73, 1.73, (1, 3, *sides)).astype(np.float32)
    contestants, first = {}, None
    for precision in arguments.precisions.split(","):
        contestants[f"ours, {precision}"] = Ours(
            arguments.tool, path, arguments.threads, precision)
    for rival in filter(None, arguments.rivals.split(";")):
        try:
            if rival in OUTPUTS:
                contestants[rival] = compare_inference.Rival(
                    OUTPUTS[rival](weights(path), image, arguments.threads))
                continue
            call = RIVALS[rival](model, image, arguments.threads)
            boxes = call()
            first = boxes if first is None else first
            if abs(len(boxes[1]) - len(first[1])) > 2:
                raise RuntimeError(f"it finds {len(boxes[1])} boxes, another {len(first[1])}")
            contestants[rival] = compare_inference.Rival(call)
        except Exception as reason:  # an absent package, a file that it does not take
            failures.append(f"{name}, {rival}: {' '.join(str(reason).split())[:160]}")
    for key, contestant in contestants.items():
        times[(name, key)] = []
        contestant.times(1)
    if arguments.realtime:
        compare_inference.prioritize(contestants.values(), arguments.threads, True)
    for _ in range(arguments.rounds):
        for key, contestant in contestants.items():
            times[(name, key)] += contestant.times(arguments.runs)
    if arguments.realtime:
        compare_inference.prioritize(contestants.values(), arguments.threads, False)
    for contestant in contestants.values():
        if isinstance(contestant, Ours):
            contestant.process.terminate()
            contestant.process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("models", nargs="+", help="weights that hold their network, or runs")
    parser.add_argument("--tool", default=".build/release/muxnet", help="the muxnet executable")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--precisions", default="float32,bfloat16,int8", help="of ours")
    rivals = ";".join(RIVALS | OUTPUTS)
    parser.add_argument("--rivals", default=rivals, help=f"a list of: {rivals}")
    parser.add_argument(
        "--realtime", action="store_true",
        help="measure with real-time priority, on a machine that others use (Linux, as root)")
    parser.add_argument("--output", help="a Markdown file that the table is added to")
    arguments = parser.parse_args()
    arguments.batch = 1
    times, failures = {}, []
    with tempfile.TemporaryDirectory(prefix="compare-detectors-") as folder:
        for path in arguments.models:
            compare(path, arguments, folder, times, failures)
    compare_inference.report(times, failures, arguments)


if __name__ == "__main__":
    sys.exit(main())
