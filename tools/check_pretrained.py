#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Public weights in the package beside PyTorch, ONNX Runtime and OpenVINO on the same images: accuracy,
agreement, latency.

    make build
    python3 tools/check_pretrained.py --images imagenet-sample-images --calibrate VOC2012/JPEGImages \\
        --output results/pretrained

Needs numpy, pillow, safetensors, torch and timm; onnx and onnxruntime, openvino are left out where they are
absent. IMAGES is a folder whose files are named nXXXXXXXX_words.JPEG, or folders named so (ImageNet's
validation images, or one image of each class: the public repository EliSchwartz/imagenet-sample-images).
The weights come by `muxnet weights fetch`. 8 bits are calibrated on other images, those of --calibrate.
With --reference, a folder of NumPy files with logits of timm, log-probabilities are compared with those,
image by image, from the file to the output.

Accuracies of others are those of their own way: Pillow's bicubic, timm's network, their engine. Latency is
that of one image and one thread, in rounds in which each takes its turn.
"""
import argparse
import glob
import json
import os
import platform
import subprocess
import sys
import time

import numpy as np

import zoo_reference
from compare_inference import Ours, Rival, prioritize, processor

# What the others are compared with.
FIRST = ("PyTorch", "float32")
NETWORKS = ["tf_efficientnet_lite0", "tf_efficientnet_lite1", "tf_efficientnet_lite2"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--tool", default=".build/release/muxnet", help="the muxnet executable")
    parser.add_argument("--images", required=True)
    parser.add_argument("--calibrate", help="a folder of images for 8 bits")
    parser.add_argument("--calibration-images", type=int, default=512)
    parser.add_argument("--networks", nargs="*", default=NETWORKS)
    parser.add_argument("--reference", help="a folder with NAME_logits20.npz")
    parser.add_argument("--scratch", default="pretrained-scratch", help="a folder for what is made")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--realtime", action="store_true", help="as tools/compare_inference.py")
    parser.add_argument("--no-timing", action="store_true")
    parser.add_argument("--output", help="folder for README.md")
    return parser.parse_args()


def muxnet(options, *words):
    run = subprocess.run([options.tool, *words], capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"muxnet {' '.join(words)}: {run.stderr.strip()}")
    return run.stdout


def image_files(folder):
    """All images with the WordNet number of each."""
    files = sorted(glob.glob(f"{folder}/**/*.JPEG", recursive=True))
    pairs = []
    for file in files:
        for part in (os.path.basename(file), os.path.basename(os.path.dirname(file))):
            if len(part) > 8 and part[0] == "n" and part[1:9].isdigit():
                pairs.append((file, part[:9]))
                break
    return pairs


def described(path):
    """What the file of cached weights says of itself, and its tensors for timm."""
    import safetensors

    with safetensors.safe_open(path, "pt") as file:
        metadata = json.loads(file.metadata()["muxnet"])
        return metadata, {name: file.get_tensor(name) for name in file.keys()}


def prepared(file, pipeline):
    """An image as the pipeline says, by Pillow: shorter side, middle, mean and deviation."""
    from PIL import Image

    side, interpolation, crop = pipeline
    image = Image.open(file).convert("RGB")
    width, height = image.size
    if width <= height:
        size = (side, side * height // width)
    else:
        size = (side * width // height, side)
    image = image.resize(size, interpolation)
    left, top = round((size[0] - crop) / 2), round((size[1] - crop) / 2)
    return np.asarray(image.crop((left, top, left + crop, top + crop)), dtype=np.uint8)


def pipeline_of(metadata):
    from PIL import Image

    steps = metadata["pipeline"]["transforms"]
    resize, crop = steps[0]["resize"], steps[1]["centerCrop"]
    size = crop if isinstance(crop, int) else crop.get("size", crop)
    side = size if isinstance(size, int) else size["width"]
    filters = {"bicubic": Image.BICUBIC, "bilinear": Image.BILINEAR}
    return resize["shorterSide"], filters[resize["interpolation"]], side


def scores(ranked, labels):
    ranked, labels = np.asarray(ranked), np.asarray(labels)
    return (ranked[:, 0] == labels).mean(), (ranked[:, :5] == labels[:, None]).any(1).mean()


def predictions(options, weights, files, top=5):
    """The classes that our program gives for each file, the most likely first."""
    found = {}
    for start in range(0, len(files), 250):
        text = muxnet(options, "predict", *files[start : start + 250], "--weights", weights,
                      "--top", str(top), "--json")
        for entry in json.loads(text):
            guesses = entry.get("guesses") or entry["predictions"]
            found[entry["path"]] = [(guess["index"], guess["probability"]) for guess in guesses]
    return [found[file] for file in files]


def others(model, onnx):
    """The engines of others as functions from a batch of one image to logits, with one thread."""
    import copy

    import torch

    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    half = copy.deepcopy(model).bfloat16()
    engines = {FIRST: lambda x: model(torch.from_numpy(x)).numpy(),
               ("PyTorch", "bfloat16"): lambda x: half(torch.from_numpy(x).bfloat16()).float().numpy()}
    try:
        import onnxruntime

        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = settings.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(onnx, settings, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        engines["ONNX Runtime", "float32"] = lambda x: session.run(None, {name: x})[0]
    except ImportError as error:
        print(f"without ONNX Runtime: {error}", file=sys.stderr)
    try:
        import openvino

        settings = {"INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY",
                    "INFERENCE_PRECISION_HINT": "f32"}
        compiled = openvino.Core().compile_model(onnx, "CPU", settings)
        request = compiled.create_infer_request()
        engines["OpenVINO", "float32"] = lambda x: request.infer([x])[compiled.output(0)].copy()
    except ImportError as error:
        print(f"without OpenVINO: {error}", file=sys.stderr)
    return engines


def compare_reference(options, name, folder):
    """The greatest difference of a log-probability from timm's, of the classes that count."""
    path = f"{options.reference}/{name.removeprefix('tf_')}_logits20.npz"
    if not os.path.exists(path):
        return None
    data = np.load(path)
    logits = data["logits"].astype(np.float64)
    expected = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    files = [glob.glob(f"{folder}/**/{file}", recursive=True)[0] for file in data["name"]]
    greatest = 0
    for own, row in zip(predictions(options, name, files, top=1000), expected):
        for index, probability in own:
            if probability > 1e-6:
                greatest = max(greatest, abs(np.log(probability) - row[index]))
    return greatest


def check(options, name, images, rows, times):
    os.makedirs(options.scratch, exist_ok=True)
    path = muxnet(options, "weights", "fetch", name).strip()
    metadata, tensors = described(path)
    wordnet = sorted({number for _, number in images})
    if len(wordnet) != 1000:
        sys.exit(f"{options.images} has images of {len(wordnet)} classes, not of 1,000")
    files = [file for file, _ in images]
    labels = [wordnet.index(number) for _, number in images]

    if options.reference:
        greatest = compare_reference(options, name, options.images)
        if greatest is not None:
            print(f"{name}: log-probabilities within {greatest:.1e} of timm's on its 20 images")
            rows.append({"network": name, "reference": greatest})

    import timm

    model = timm.create_model(name)
    model.load_state_dict(tensors)
    model.eval()
    onnx = f"{options.scratch}/{name}.onnx"
    muxnet(options, "convert", name, onnx, "--weights", name, "--overwrite")
    noise = {}
    packed = {"float32": f"{options.scratch}/{name}.muxnet"}
    muxnet(options, "convert", name, packed["float32"], "--overwrite")
    for precision in ["bfloat16"] + (["int8"] if options.calibrate else []):
        packed[precision] = f"{options.scratch}/{name}-{precision}.muxnet"
        # bfloat16 is not calibrated.
        calibration = (["--calibration-images", str(options.calibration_images)]
                       if precision == "int8" else [])
        report = json.loads(muxnet(
            options, "quantize", name, packed[precision], "--precision", precision, "--images",
            options.calibrate or options.images, *calibration, "--held-out-images", "200",
            "--overwrite", "--json"))
        noise["muxnet", precision] = report["agreement"]["signalToNoise"]
        for warning in report["warnings"]:
            print(f"{name}, {precision}: {warning}", file=sys.stderr)

    engines = others(model, onnx)
    pipeline = pipeline_of(metadata)
    mean = np.float32(metadata["pipeline"]["mean"])
    deviation = np.float32(metadata["pipeline"]["standardDeviation"])

    def tensor(file):
        pixels = prepared(file, pipeline).astype(np.float32) / np.float32(255)
        return np.ascontiguousarray(((pixels - mean) / deviation).transpose(2, 0, 1)[None])

    logits = {engine: [] for engine in engines}
    for file in files:
        x = tensor(file)
        for engine, call in engines.items():
            logits[engine].append(call(x)[0].astype(np.float64))
    logits = {engine: np.stack(values) for engine, values in logits.items()}
    ranked = {engine: np.argsort(-values, axis=1, kind="stable")[:, :5] for engine, values in logits.items()}
    first = ranked[FIRST][:, 0]
    for engine, values in logits.items():
        if engine[1] != "float32":
            ratios = (logits[FIRST] ** 2).mean(1) / ((values - logits[FIRST]) ** 2).mean(1)
            noise[engine] = 10 * np.log10(np.median(ratios))
        rows.append(row(name, *engine, ranked[engine], labels, first, noise.get(engine)))
    for precision, file in packed.items():
        own = [[index for index, _ in guesses] for guesses in predictions(options, file, files)]
        rows.append(row(name, "muxnet", precision, own, labels, first,
                        noise.get(("muxnet", precision)), os.path.getsize(file)))
    for entry in rows:
        if entry["network"] == name and "engine" in entry:
            print(f"{name}, {entry['engine']} {entry['precision']}: top-1 {entry['top1']:.3f}, top-5"
                  f" {entry['top5']:.3f}, same as PyTorch {entry['same']:.3f}", flush=True)
    if options.no_timing:
        return
    x = tensor(files[0])
    contestants = {("muxnet", precision): Ours(options.tool, file, 1, 1, precision)
                   for precision, file in packed.items()}
    contestants |= {engine: Rival(lambda call=call: call(x))
                    for engine, call in engines.items()}
    for contestant in contestants.values():
        contestant.times(3)
    found = {key: [] for key in contestants}
    for _ in range(options.rounds):
        if options.realtime:
            prioritize(list(contestants.values()), 1, True)
        for key, contestant in contestants.items():
            found[key].append(float(np.median(contestant.times(options.runs))))
        if options.realtime:
            prioritize(list(contestants.values()), 1, False)
    for key, values in found.items():
        times[(name, *key)] = values
        print(f"{name}, {' '.join(key)}: {np.median(values):.2f} ms", flush=True)
    for contestant in contestants.values():
        if isinstance(contestant, Ours):
            contestant.process.stdin.close()
            contestant.process.wait()


def row(name, engine, precision, ranked, labels, first, noise=None, size=None):
    top1, top5 = scores(ranked, labels)
    same = (np.asarray(ranked)[:, 0] == first).mean()
    return {"network": name, "engine": engine, "precision": precision, "top1": top1, "top5": top5,
            "same": same, "noise": noise, "bytes": size}


def write(options, rows, times, count):
    os.makedirs(options.output, exist_ok=True)
    versions = [zoo_reference.version("timm")]
    for package in ("torch", "onnxruntime", "openvino"):
        try:
            versions.append(zoo_reference.version(package))
        except Exception:  # left out above
            continue
    words = (f"python3 tools/check_pretrained.py --images IMAGES --calibrate VOC --calibration-images"
             f" {options.calibration_images} --rounds {options.rounds}"
             + (" --realtime" if options.realtime else ""))
    text = (
        "# Public weights beside other engines\n\n"
        f"`{words}` ({time.strftime('%Y-%m-%d')}, {platform.machine()}, {processor()},"
        f" {', '.join(versions)}).\n\n"
        f"{count:,} images of the public repository EliSchwartz/imagenet-sample-images, one of each class."
        " They are training images: the shares show that an engine is right, not how good a network is."
        " 8 bits are calibrated on photographs of PASCAL VOC 2012, which none of the others are. “Same” is"
        " the share of images with PyTorch's most likely class. PyTorch, ONNX Runtime and OpenVINO get images"
        " that Pillow has prepared, muxnet the files. Latency: one image, one thread, medians over rounds in"
        " which each takes its turn (in brackets the first and the third quartile). dB: the outputs' signal to"
        " noise against float32, the median over images (ours over 200 held-out photographs).\n\n"
        "| network | engine | precision | top-1 | top-5 | same | dB | file | ms |\n"
        "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n")
    for entry in rows:
        if "engine" not in entry:
            continue
        key = (entry["network"], entry["engine"], entry["precision"])
        ms = "–"
        if key in times:
            low, middle, high = np.percentile(times[key], [25, 50, 75])
            ms = f"{middle:.2f} ({low:.2f}, {high:.2f})"
        noise = f"{entry['noise']:.1f}" if entry["noise"] else ""
        size = f"{entry['bytes'] / 1e6:.1f} MB" if entry["bytes"] else ""
        text += (f"| {key[0]} | {key[1]} | {key[2]} | {entry['top1']:.3f} | {entry['top5']:.3f} |"
                 f" {entry['same']:.3f} | {noise} | {size} | {ms} |\n")
    reference = [entry for entry in rows if "reference" in entry]
    if reference:
        text += ("\nFrom the JPEG file to the output, the log-probabilities (of classes above one in a"
                 " million) lie this close to timm's on 20 of the images:\n\n")
        text += "".join(f"- {entry['network']}: {entry['reference']:.1e}\n" for entry in reference)
    with open(os.path.join(options.output, "README.md"), "w") as file:
        file.write(text)


def main():
    options = arguments()
    zoo_reference.prepare()
    images = image_files(options.images)
    rows, times = [], {}
    for name in options.networks:
        check(options, name, images, rows, times)
        if options.output:
            write(options, rows, times, len(images))


if __name__ == "__main__":
    main()
