#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the logits of the zoo's networks with those of the public implementations.

    make build
    python3 tools/compare_zoo.py .build/release/muxnet --output results/zoo

Needs what zoo_reference.py names. For each network: the reference draws its own random weights; its
batch norms get random scales and shifts and the statistics of a random batch, which are then moved
at random, so that a swapped, missing or wrongly scaled tensor shows. The checkpoint is written by torch.save
and loaded strictly by name; `muxnet forward` computes the logits of two images at each size. What
counts is the greatest difference as a share of the greatest logit; beside it stands how far the
reference in single precision lies from itself in double precision, which is no fault of ours.

`pretrainedmodels` fixes NASNet's last pool to 7×7, which only 224 pixels fit, and fails where an
image has an odd side before a reduction: its pool is replaced by a mean over the whole image
(the same at 224), and its second size is 160. Detectors are run at 300 and 277 pixels: compared are
the class scores and box offsets of all boxes, in the order of the reference.
"""
import argparse
import copy
import os
import platform
import re
import subprocess
import sys
import tempfile
import time

import safetensors.torch
import torch

import zoo_reference


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("muxnet", help="our executable")
    parser.add_argument("--output", help="folder for zoo.md")
    parser.add_argument("--only", nargs="*", help="names of ours; all unless given")
    parser.add_argument("--sizes", nargs=2, type=int, default=[224, 193], metavar="PIXELS")
    parser.add_argument("--tolerance", type=float, default=1e-4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--engine", default="torch", help="what computes on our side")
    parser.add_argument("--scratch", help="folder for weights (VGG16's are 550 MB)")
    return parser.parse_args()


def scramble(model, generator):
    """Gives the batch norms random scales and shifts, then a batch's statistics, then moves those."""
    norms = [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)]

    def uniform(count, low, high):
        return torch.rand(count, generator=generator) * (high - low) + low

    with torch.no_grad():
        for norm in norms:
            norm.weight.copy_(uniform(norm.num_features, 0.5, 1.5))
            norm.bias.copy_(uniform(norm.num_features, -0.3, 0.3))
        own = {id(norm.bias) for norm in norms}
        for name, parameter in model.named_parameters():
            if name.endswith("bias") and id(parameter) not in own:
                parameter.copy_(uniform(parameter.numel(), -0.1, 0.1))
        momenta = [norm.momentum for norm in norms]
        for norm in norms:
            norm.momentum = 1.0
        model.train()
        for module in model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.eval()
        if norms:
            model(torch.randn(8, 3, 160, 160, generator=generator))
        model.eval()
        for norm, momentum in zip(norms, momenta):
            norm.momentum = momentum
            deviation = norm.running_var.sqrt()
            norm.running_mean.add_(deviation * uniform(norm.num_features, -0.1, 0.1))
            norm.running_var.mul_(uniform(norm.num_features, 0.8, 1.25)).add_(1e-3)


def prepared(package, name):
    model = zoo_reference.create(package, name)
    if name == "nasnetamobile":
        model.avg_pool = torch.nn.AdaptiveAvgPool2d(1)
    return model


def flat(outputs):
    """What a detector gives (scores and offsets of all boxes) side by side; logits as they are."""
    if isinstance(outputs, torch.Tensor):
        return outputs
    return torch.cat([part.flatten(1) for part in outputs], 1)


def found_outputs(path):
    """Our outputs in the reference's order: of a detector, box by box, map after map."""
    tensors = safetensors.torch.load_file(path)
    if "output" in tensors:
        return tensors["output"]
    maps = sorted(tensors, key=lambda name: (re.match(r"\D*", name)[0],
                                             int(re.search(r"\d+", name)[0])))
    return torch.cat([tensors[name].permute(0, 2, 3, 1).flatten(1) for name in maps], 1)


def compare(options, ours, package, name, folder):
    generator = torch.Generator().manual_seed(options.seed)
    torch.manual_seed(options.seed)
    model = prepared(package, name)
    scramble(model, generator)
    weights = os.path.join(folder, "weights.pth")
    torch.save(model.state_dict(), weights)
    rows = []
    double = copy.deepcopy(model).double()
    sizes = [224, 160] if name == "nasnetamobile" else options.sizes
    if ours.startswith("ssd"):  # Detectors need larger images.
        sizes = [300, 277]
    for size in sizes:
        images = torch.randn(2, 3, size, size, generator=generator)
        with torch.no_grad():
            expected = flat(model(images))
            exact = flat(double(images.double()))
        source, target = os.path.join(folder, "in"), os.path.join(folder, "out")
        safetensors.torch.save_file({"input": images}, source)
        command = [options.muxnet, "forward", ours, "--overwrite", "--weights", weights, "--input", source,
                   "--output", target]
        if options.engine != "torch":
            command += ["--engine", options.engine]
        run = subprocess.run(command, capture_output=True, text=True)
        if run.returncode != 0:
            sys.exit(f"{ours} at {size}: {run.stderr.strip()}")
        found = found_outputs(target)
        assert found.shape == expected.shape, (found.shape, expected.shape)
        scale = expected.abs().max().item()
        # Logits that are all alike would hide a wrong network.
        spread = (expected[0] - expected[1]).abs().max().item() / scale
        rows.append({
            "network": ours, "reference": f"{zoo_reference.version(package)} {name}",
            "pixels": size, "greatestLogit": scale, "differenceOfTheTwoImages": spread,
            "roundingOfTheReference": (exact - expected).abs().max().item() / scale,
            "relativeDifference": (found - expected).abs().max().item() / scale})
    os.remove(weights)
    return rows


def main():
    options = arguments()
    zoo_reference.prepare()
    rows = []
    with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
        for ours, package, name in zoo_reference.REFERENCES:
            if options.only and ours not in options.only:
                continue
            for row in compare(options, ours, package, name, folder):
                rows.append(row)
                verdict = "ok" if row["relativeDifference"] < options.tolerance else "DIFFERS"
                print(f"{row['network']:24} {row['pixels']:4}  {row['relativeDifference']:.1e}"
                      f"  (rounding {row['roundingOfTheReference']:.1e}, images differ by"
                      f" {row['differenceOfTheTwoImages']:.2f})  {verdict}",
                      flush=True)
            if options.output:
                write(options, rows)
    failures = [row for row in rows if not row["relativeDifference"] < options.tolerance]
    print(f"{len(rows)} comparisons, {len(failures)} beyond {options.tolerance}")
    return 1 if failures else 0


def write(options, rows):
    os.makedirs(options.output, exist_ok=True)
    suffix = "" if options.engine == "torch" else f"-{options.engine}"
    command = f"python3 tools/compare_zoo.py MUXNET --seed {options.seed}" + (
        "" if options.engine == "torch" else f" --engine {options.engine}")
    with open(os.path.join(options.output, f"zoo{suffix}.md"), "w") as file:
        file.write(
            "# Logits of the zoo beside the reference implementations\n\n"
            f"`{command}` ({time.strftime('%Y-%m-%d')}, torch {torch.__version__},"
            f" {platform.machine()};"
            " two images each, random weights, scrambled batch norms). The last columns are"
            " shares of the greatest logit: how far the two images' logits lie apart, how far the"
            " reference lies from itself in double precision, and the greatest difference between"
            " reference and ours.\n\n"
            "| network | reference | pixels | images apart | reference's rounding | difference |\n"
            "| --- | --- | ---: | ---: | ---: | ---: |\n")
        for row in rows:
            file.write(
                f"| {row['network']} | {row['reference']} | {row['pixels']} |"
                f" {row['differenceOfTheTwoImages']:.2f} | {row['roundingOfTheReference']:.1e} |"
                f" {row['relativeDifference']:.1e} |\n")


if __name__ == "__main__":
    sys.exit(main())
