#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What 8 bits cost a network of timm, simulated in PyTorch: weights with a scale per channel, activations
with a range per tensor, as `muxnet quantize` has them. Where this says the same as the runtime, the loss is
the network's, not the kernels'.

  tools/quantization_loss.py tf_efficientnet_lite0 WEIGHTS.safetensors IMAGES [--images 96]

WEIGHTS is the file of `muxnet weights path NAME`; IMAGES a folder of pictures. A third of the images is
compared, the others calibrate.
"""
import argparse
import pathlib

import numpy as np
import timm
import torch
from PIL import Image
from safetensors.torch import load_file


def prepared(path, size=224, shorter=256):
    image = Image.open(path).convert("RGB")
    scale = shorter / min(image.size)
    image = image.resize([round(side * scale) for side in image.size], Image.BICUBIC)
    left, top = ((side - size) // 2 for side in image.size)
    pixels = np.asarray(image.crop((left, top, left + size, top + size)), np.float32) / 255
    return torch.tensor((pixels - 0.5) / 0.5).permute(2, 0, 1)


def rounded(x, low, high):
    low, high = min(low, 0), max(high, 0)
    scale = max((high - low) / 255, 1e-12)
    zero = round(-low / scale)
    return (torch.clamp(torch.round(x / scale) + zero, 0, 255) - zero) * scale


def rounded_weights(weight):
    """A batch norm after the layer is a factor per channel, which does not change this."""
    scale = weight.flatten(1).abs().amax(1).clamp_min(1e-12) / 127
    scale = scale.view([-1] + [1] * (weight.dim() - 1))
    return torch.round(weight / scale) * scale


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("weights")
    parser.add_argument("folder")
    parser.add_argument("--images", type=int, default=96)
    options = parser.parse_args()
    model = timm.create_model(options.model).eval()
    model.load_state_dict(load_file(options.weights))
    files = sorted(p for p in pathlib.Path(options.folder).rglob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
    files = files[:: max(1, len(files) // options.images)][: options.images]
    images = torch.stack([prepared(path) for path in files])
    split = len(images) * 2 // 3
    calibrating, compared = images[:split], images[split:]
    layers = [m for m in model.modules() if isinstance(m, (torch.nn.Conv2d, torch.nn.Linear))]
    original = [layer.weight.data.clone() for layer in layers]
    ranges, mode = {}, {"observes": True, "rounds": False}

    def hook(layer, inputs):
        x = inputs[0]
        if mode["observes"]:
            low, high = ranges.get(layer, (0.0, 0.0))
            ranges[layer] = (min(low, x.min().item()), max(high, x.max().item()))
        return (rounded(x, *ranges[layer]),) if mode["rounds"] else None

    for layer in layers:
        layer.register_forward_pre_hook(hook)

    def run(batch):
        with torch.no_grad():
            return torch.cat([model(batch[i : i + 16]) for i in range(0, len(batch), 16)])

    run(calibrating)
    mode["observes"] = False
    exact = run(compared)
    for name, weights, activations in [
        ("weights and activations", True, True), ("weights alone", True, False), ("activations alone", False, True),
    ]:
        for layer, own in zip(layers, original):
            layer.weight.data = rounded_weights(own) if weights else own
        mode["rounds"] = activations
        outputs = run(compared)
        noise = (outputs - exact).pow(2).sum().item()
        decibels = 10 * np.log10(exact.pow(2).sum().item() / noise)
        same = (outputs.argmax(1) == exact.argmax(1)).float().mean().item()
        print(f"8 bits, {name}: {decibels:.1f} dB, same top-1 {100 * same:.1f} % of {len(compared)} images")


if __name__ == "__main__":
    main()
