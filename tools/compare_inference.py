#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times the runtime beside others on the same networks and weights, interleaved: each round runs
every contestant a few times, so that all see the same noise of the machine.

Make model files and run it from the package's root:

    make build
    .build/release/muxnet convert muxnet_m m.safetensors --random-weights
    python3 tools/compare_inference.py m.safetensors --folder converted
    python3 tools/compare_inference.py --graphs results/inference/graphs.txt --folder converted

A model is a file of weights that holds its network: one of the above, or the best.safetensors of a
run; or a name of the zoo, of which --tool makes one with random weights. Converting takes minutes, so keep what is made with --folder; --prepare does no more than that.

Needs numpy and torch, and for each other runtime its Python package: onnx and onnxruntime,
openvino, ncnn and pnnx, litert-torch; PyTorch compiles with g++. One that is absent, or that cannot run a network, is named
under the table with what it said. Others run in single precision; each must first give what
PyTorch gives, within 1e-3 of the greatest output. Those in 8 bits run what ONNX Runtime's quantiser
makes (QDQ, static, weights per channel, calibrated with noise), and are checked for being finite.

The table at the end has for each network the fastest of the others: how many times our time it takes,
as the median over the rounds of the ratio of the fastest runs in a round.
"""
import argparse
import glob
import json
import os
import platform
import struct
import subprocess
import sys
import tempfile
import time
import warnings

import numpy as np
import torch


def read_model(path):
    """The network's JSON and its tensors from a model file (safetensors with metadata)."""
    with open(path, "rb") as file:
        data = file.read()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    metadata = header.pop("__metadata__", {})
    if "muxnet.network" in metadata:
        network = json.loads(metadata["muxnet.network"])
    elif "muxnet" in metadata:
        network = json.loads(metadata["muxnet"])["network"]
    else:
        raise SystemExit(f"{path}: it holds no network; make one with muxnet convert")
    tensors = {}
    for name, entry in header.items():
        if entry["dtype"] == "I64":  # how many batches a norm has seen, of a trained network
            continue
        if entry["dtype"] != "F32":
            raise SystemExit(f"{path}: '{name}' is {entry['dtype']}; this comparison reads float32 alone")
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


def shuffle_channels(x, groups):
    n, c, h, w = x.shape
    return x.reshape(n, groups, c // groups, h, w).transpose(1, 2).reshape(n, c, h, w)


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
        self.outputs = network.get("outputs") or [self.nodes[-1]["name"]]
        # Whether multiplexing is said with pixel_shuffle, for converters that know nothing else.
        self.says_shuffle = False
        for name, tensor in tensors.items():
            self.register_buffer(name.replace(".", "/"), tensor)

    def tensor(self, name):
        return getattr(self, name.replace(".", "/"), None)

    def convolve(self, x, convolution, name):
        if convolution.get("paddingRule") == "same":
            stride, reach = convolution["stride"], convolution["dilation"] * (
                convolution["kernelSize"] - 1)
            zeros = []
            for size in (x.shape[3], x.shape[2]):
                count = max(0, (size - 1) // stride * stride + reach + 1 - size)
                zeros += [count // 2, count - count // 2]
            if any(zeros):
                x = torch.nn.functional.pad(x, zeros)
        return torch.nn.functional.conv2d(
            x, self.tensor(name + ".weight"), self.tensor(name + ".bias"), convolution["stride"],
            convolution["padding"], convolution["dilation"], convolution["groups"])

    def branch(self, x, branch, name):
        name = f"{name}.{branch['name']}"
        r, move = branch["factor"], branch["multiplexing"]
        if move == 0:
            return self.convolve(x, branch["convolution"], name)
        first, last = (to_channels, to_space) if move < 0 else (to_space, to_channels)
        if self.says_shuffle:
            return self.shuffled(x, branch, name)
        height, width = x.shape[2:]
        if move < 0 and (height % r or width % r):
            x = torch.nn.functional.pad(x, (0, -width % r, 0, -height % r))
        x = last(self.convolve(first(x, r), branch["convolution"], name), r)
        return x[:, :, :height, :width]

    def shuffled(self, x, branch, name):
        """The same with pixel_shuffle, which orders channels by channel and then by phase: the
        weights of a subpixel branch are reordered, the channels of a superpixel branch shuffled."""
        r, move, convolution = branch["factor"], branch["multiplexing"], branch["convolution"]
        window, height, width = r * r, *x.shape[2:]
        if move < 0 and (convolution["groups"] != convolution["inputChannels"]
                         or height % r or width % r):
            raise RuntimeError("multiplexing that pixel_shuffle cannot say")
        functional = torch.nn.functional
        if move < 0:
            weight = self.tensor(name + ".weight")
            channels = weight.shape[0] // window
            weight = weight.reshape(window, channels, *weight.shape[1:]).transpose(0, 1).flatten(0, 1)
            x = functional.conv2d(
                functional.pixel_unshuffle(x, r), weight, None, convolution["stride"],
                convolution["padding"], convolution["dilation"], convolution["groups"])
            if self.tensor(name + ".bias") is not None:
                raise RuntimeError("multiplexing with a bias")
            return functional.pixel_shuffle(x, r)
        x = functional.pixel_shuffle(shuffle_channels(x, window), r)
        x = functional.pixel_unshuffle(self.convolve(x, convolution, name), r)
        return shuffle_channels(x, x.shape[1] // window)

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
                x = shuffle_channels(x, operation["groups"])
            elif kind == "pool":
                x = self.pool(x, operation)
            elif kind == "adaptiveAveragePool":
                if tuple(x.shape[2:]) != (operation["height"], operation["width"]):
                    x = torch.nn.functional.adaptive_avg_pool2d(
                        x, (operation["height"], operation["width"]))
            elif kind == "pad":
                x = torch.nn.functional.pad(
                    x, tuple(operation[side] for side in ("left", "right", "top", "bottom")))
            elif kind == "l2Normalization":
                norm = x.pow(2).sum(1, keepdim=True).sqrt().clamp(min=operation["epsilon"])
                x = x / norm * self.tensor(name + ".scale_weight").reshape(1, -1, 1, 1)
            elif kind == "globalAveragePool":
                x = x.mean((2, 3), keepdim=True)
            elif kind == "flatten":
                x = x.flatten(1)
            elif kind not in ("dropout", "dropPath"):
                raise SystemExit(f"'{name}': '{kind}' is not supported by this comparison")
            values[name] = x
        results = [values[name] for name in self.outputs]
        # Of a detector all in one, as ours has them.
        return x if len(results) == 1 else torch.cat([x.flatten(1) for x in results], 1)

    @staticmethod
    def pool(x, pool):
        size, stride, padding = pool["kernelSize"], pool["stride"], pool["padding"]
        rounds_up = pool.get("ceilMode", False)
        if pool["kind"] == "maximum":
            return torch.nn.functional.max_pool2d(x, size, stride, padding, ceil_mode=rounds_up)
        return torch.nn.functional.avg_pool2d(
            x, size, stride, padding, rounds_up, pool.get("countsPadding", True))


def onnx_path(module, image, folder, name):
    path = os.path.join(folder, f"{name}-{image.shape[0]}.onnx")
    if not os.path.exists(path):
        torch.onnx.export(module, image, path, opset_version=17, dynamo=False)
    return path


# Each takes (module, image, threads, folder, name) and gives a function that runs it once.


def onnx_runtime(module, image, threads, folder, name, path=onnx_path):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        path(module, image, folder, name), options, providers=["CPUExecutionProvider"])
    inputs = {session.get_inputs()[0].name: image.numpy()}
    return lambda: session.run(None, inputs)[0]


class Noise:
    """Images for the quantiser."""

    def __init__(self, name, image):
        generator = np.random.default_rng(1)
        self.images = iter([
            {name: generator.standard_normal(image.shape).astype(np.float32)} for _ in range(2)])

    def get_next(self):
        return next(self.images, None)


def quantized_path(module, image, folder, name):
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    path = os.path.join(folder, f"{name}-{image.shape[0]}-int8.onnx")
    if not os.path.exists(path):
        plain, prepared = onnx_path(module, image, folder, name), path + ".prepared"
        quant_pre_process(plain, prepared, skip_symbolic_shape=True)
        import onnx

        first = onnx.load(plain, load_external_data=False).graph.input[0].name
        quantization.quantize_static(
            prepared, path + ".part", Noise(first, image),
            quant_format=quantization.QuantFormat.QDQ, per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8)
        os.remove(prepared)
        os.rename(path + ".part", path)
    return path


def onnx_runtime_8_bits(module, image, threads, folder, name):
    return onnx_runtime(module, image, threads, folder, name, quantized_path)


def open_vino_8_bits(module, image, threads, folder, name):
    return open_vino(module, image, threads, folder, name, quantized_path)


def open_vino(module, image, threads, folder, name, path=onnx_path):
    import openvino

    compiled = openvino.Core().compile_model(
        path(module, image, folder, name), "CPU",
        {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY",
         "INFERENCE_PRECISION_HINT": "f32"})
    request = compiled.create_infer_request()
    tensor = openvino.Tensor(image.numpy())
    return lambda: request.infer([tensor])[compiled.output(0)]


def ncnn_runtime(module, image, threads, folder, name):
    import ncnn
    import pnnx

    images, image = image, image[:1]
    path = os.path.join(folder, name.replace("-", "_"))
    if not os.path.exists(path + ".ncnn.param"):
        module.says_shuffle = True
        traced = torch.jit.trace(module, image)
        module.says_shuffle = False
        traced.save(path + ".pt")
        tools = os.path.join(os.path.dirname(pnnx.__file__), "**", "pnnx")
        shape = ",".join(str(n) for n in image.shape)
        subprocess.run(
            [glob.glob(tools, recursive=True)[0], path + ".pt", f"inputshape=[{shape}]", "fp16=0"],
            cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    net = ncnn.Net()
    net.opt.num_threads = threads
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
    net.opt.use_bf16_storage = False
    if net.load_param(path + ".ncnn.param") or net.load_model(path + ".ncnn.bin"):
        raise RuntimeError("it cannot load what its converter makes of the network")
    matrices = [ncnn.Mat(one.numpy()).clone() for one in images]

    def run():
        results = []
        for matrix in matrices:  # ncnn has no batches
            extractor = net.create_extractor()
            extractor.input("in0", matrix)
            results.append(np.array(extractor.extract("out0")[1]))
        return np.stack(results)

    return run


def lite_rt(module, image, threads, folder, name):
    from ai_edge_litert.interpreter import Interpreter

    path = os.path.join(folder, f"{name}-{image.shape[0]}.tflite")
    if not os.path.exists(path):
        import litert_torch

        litert_torch.convert(module, (image,)).export(path)
    interpreter = Interpreter(model_path=path, num_threads=threads)
    interpreter.allocate_tensors()
    first, last = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    values = image.numpy()

    def run():
        interpreter.set_tensor(first["index"], values)
        interpreter.invoke()
        return interpreter.get_tensor(last["index"])

    return run


def eager(module, image, threads, folder, name):
    return lambda: module(image).numpy()


def compiled(module, image, threads, folder, name):
    # Compiled code depends on the number of threads.
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = os.path.abspath(
        os.path.join(folder, f"inductor-{threads}"))
    torch._dynamo.reset()
    call = torch.compile(module)
    return lambda: call(image).numpy()


RIVALS = {
    "ONNX Runtime": onnx_runtime,
    "OpenVINO": open_vino,
    "ncnn": ncnn_runtime,
    "LiteRT": lite_rt,
    "PyTorch eager": eager,
    "PyTorch compiled": compiled,
    "ONNX Runtime, 8 bits": onnx_runtime_8_bits,
    "OpenVINO, 8 bits": open_vino_8_bits,
}
# Those that are asked for.
USUAL = [name for name in RIVALS if "8 bits" not in name]


class Ours:
    def __init__(self, tool, path, threads, batch, precision):
        command = [
            tool, "benchmark", path, "--serve", "--threads", str(threads), "--batch-size",
            str(batch), "--precision", precision]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def times(self, runs):
        self.process.stdin.write(f"{runs}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit("the tool has ended; it says above why")
        return [float(t) for t in answer.split()]


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


def prioritize(contestants, threads, is_on):
    """Gives (or takes) real-time priority to all threads of this process and of ours, and with one
    thread one core; with two, our second thread another than the first."""
    cores = sorted(os.sched_getaffinity(os.getpid())) if is_on else range(os.cpu_count())
    processes = [os.getpid()] + [c.process.pid for c in contestants if isinstance(c, Ours)]
    for process in processes:
        tasks = sorted(int(task) for task in os.listdir(f"/proc/{process}/task"))
        for index, task in enumerate(tasks):
            own = set(cores)
            if is_on and threads == 1:
                own = {cores[-1]}
            elif is_on and process != os.getpid() and index < threads:
                own = {cores[index % len(cores)]}
            try:
                os.sched_setaffinity(task, own)
                policy = os.SCHED_RR if is_on else os.SCHED_OTHER
                os.sched_setscheduler(task, policy, os.sched_param(1 if is_on else 0))
            except ProcessLookupError:
                continue  # a thread that has ended


def processor():
    try:
        with open("/proc/cpuinfo") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("models", nargs="*", help="model files, or names of the zoo")
    parser.add_argument("--graphs", help="a file with names of the zoo, one on each line")
    parser.add_argument("--tool", default=".build/release/muxnet", help="the muxnet executable")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--precisions", default="float32,bfloat16,int8", help="of ours")
    parser.add_argument(
        "--rivals", default=";".join(USUAL),
        help="a list of: " + "; ".join(RIVALS) + " (with semicolons, or commas if no name has one)")
    parser.add_argument(
        "--folder", help="keep converted models here, and take those that are there")
    parser.add_argument(
        "--realtime", action="store_true",
        help="measure with real-time priority, each thread number on the same cores for all, on"
        " a machine that others use (Linux, as root)")
    parser.add_argument(
        "--prepare", action="store_true",
        help="convert and check, one network after the other, and time nothing")
    parser.add_argument("--output", help="a Markdown file that the table is added to")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore", category=torch.jit.TracerWarning)
    torch.set_num_threads(arguments.threads)
    torch.set_grad_enabled(False)
    folder = arguments.folder or tempfile.mkdtemp(prefix="compare-inference-")
    os.makedirs(folder, exist_ok=True)
    times, failures = {}, []
    arguments.rivals = split(arguments.rivals)
    for rival in arguments.rivals:
        if rival not in RIVALS:
            raise SystemExit(f"there is no '{rival}'; there are: {'; '.join(RIVALS)}")
    for path in paths(arguments, folder):
        # One network at a time: batches of all of them would not fit into memory.
        compare(path, folder, arguments, times, failures)
    if not arguments.prepare:
        report(times, failures, arguments)


def split(rivals):
    separator = ";" if ";" in rivals or rivals in RIVALS else ","
    return [name.strip() for name in rivals.split(separator) if name.strip()]


def paths(arguments, folder):
    """The model files, made of names of the zoo where that is what there is."""
    models = list(arguments.models)
    if arguments.graphs:
        with open(arguments.graphs) as file:
            lines = [line.split("#")[0].strip() for line in file]
        models += [line for line in lines if line]
    if not models:
        raise SystemExit("name models, or a list of them with --graphs")
    for model in models:
        path = model
        if not os.path.exists(path) and not path.endswith(".safetensors"):
            path = os.path.join(folder, model + ".safetensors")
            if not os.path.exists(path):
                subprocess.run(
                    [arguments.tool, "convert", model, path, "--random-weights"], check=True,
                    stdout=subprocess.DEVNULL)
        yield path


def compare(path, folder, arguments, times, failures):
    """Times the contestants on one model; with `prepare` just makes and checks them."""
    network, tensors = read_model(path)
    size, name = network["inputSize"], network["name"]
    module = NetworkModule(network, tensors).eval()
    generator = torch.Generator().manual_seed(0)
    image = torch.randn(
        arguments.batch, network.get("inputChannels", 3), size["height"], size["width"],
        generator=generator)
    expected = module(image).numpy()
    contestants = {}
    for precision in [] if arguments.prepare else arguments.precisions.split(","):
        contestants[f"ours, {precision}"] = Ours(
            arguments.tool, path, arguments.threads, arguments.batch, precision)
    for rival in arguments.rivals:
        try:
            start = time.perf_counter()
            call = RIVALS[rival](module, image, arguments.threads, folder, name)
            error = np.abs(call() - expected).max() / np.abs(expected).max()
            if not error < (np.inf if "8 bits" in rival else 1e-3):
                raise RuntimeError(f"its result is off by {error:.1e}")
            contestants[rival] = Rival(call)
            if arguments.prepare:
                seconds = time.perf_counter() - start
                print(f"{name}, {rival}: ready, off by {error:.1e} ({seconds:.0f} s)", flush=True)
        except Exception as reason:  # an absent package, a network that it does not take
            text = " ".join(str(reason).split())[:160] or type(reason).__name__
            failures.append(f"{name}, {rival}: {text}")
            if arguments.prepare:
                print(f"{name}, {rival}: not run: {text}", flush=True)
    if arguments.prepare:
        return
    for key, contestant in contestants.items():
        times[(name, key)] = []
        contestant.times(1)
    if arguments.realtime:
        prioritize(contestants.values(), arguments.threads, True)
    for _ in range(arguments.rounds):
        for key, contestant in contestants.items():
            times[(name, key)] += contestant.times(arguments.runs)
    if arguments.realtime:
        prioritize(contestants.values(), arguments.threads, False)
    for contestant in contestants.values():
        if isinstance(contestant, Ours):
            contestant.process.terminate()
            contestant.process.wait()


def report(times, failures, arguments):
    """Prints the table and adds it to a file, if one is named."""
    lines = [
        "",
        f"{processor()}, {os.cpu_count()} cores, {arguments.threads} thread(s), batch"
        f" {arguments.batch}; {arguments.rounds} rounds of {arguments.runs} runs, interleaved"
        + (", with real-time priority" if arguments.realtime else "")
        + f"; load average {os.getloadavg()[0]:.1f} at the end. Versions: "
        + ", ".join(versions()) + ".",
        "",
        "| network | runtime | min ms | median ms | p95 ms | median ÷ ours, float32 |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for (name, runtime), values in times.items():
        values = sorted(values)
        median = values[len(values) // 2]
        own = sorted(times.get((name, "ours, float32"), values))
        lines.append(
            f"| {name} | {runtime} | {values[0]:.2f} | {median:.2f}"
            f" | {values[len(values) * 95 // 100]:.2f} | {median / own[len(own) // 2]:.2f} |")
    lines += best_rivals(times, arguments.runs)
    lines += ["", *(f"- Not run: {failure}" for failure in failures)]
    text = "\n".join(lines) + "\n"
    print(text)
    if arguments.output:
        with open(arguments.output, "a") as file:
            file.write(text)


def best_rivals(times, runs):
    """For each network and each kind of products the fastest of the others, in our time."""
    lines = []
    networks = list(dict.fromkeys(name for name, _ in times))
    for own, is_rival in (
        ("ours, float32", lambda rival: "8 bits" not in rival),
        ("ours, int8", lambda rival: "8 bits" in rival),
    ):
        rows = []
        for name in networks:
            if not times.get((name, own)):
                continue
            mine = fastest(times[(name, own)], runs)
            ratios = {}
            for (other, rival), values in times.items():
                if other == name and not rival.startswith("ours") and is_rival(rival):
                    each = sorted(b / a for a, b in zip(mine, fastest(values, runs)))
                    ratios[rival] = each[len(each) // 2]
            if ratios:
                best = min(ratios, key=ratios.get)
                rows.append(f"| {name} | {min(mine):.2f} | {best} | {ratios[best]:.2f} |")
        if rows:
            lines += [
                "", f"| network | {own}, ms | fastest other | ÷ ours |", "| --- | ---: | --- | ---: |",
                *rows]
    return lines


def fastest(values, runs):
    """The fastest run of each round."""
    return [min(values[i : i + runs]) for i in range(0, len(values), runs)]


def versions():
    from importlib import metadata

    for package in ("torch", "onnxruntime", "openvino", "ncnn", "ai-edge-litert"):
        try:
            yield f"{package} {metadata.version(package)}"
        except metadata.PackageNotFoundError:
            continue


if __name__ == "__main__":
    sys.exit(main())
