#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes Tests/MUXTrainingTests/Fixtures/optimizers.json: five steps of each update rule.

SGD, RMSProp and AdamW are PyTorch's own; RMSProp in TensorFlow 1's form, which PyTorch lacks, is
written out below. All arithmetic is in double precision, so that the expected values are exact to
the precision that the test asks for. Needs numpy and torch.

usage: tools/optimizer_fixture.py [OUTPUT]
"""
import json
import pathlib
import sys

import numpy
import torch

STEPS = 5


def settings(**changes):
    """One case: the keys are those of a recipe's `optimizer` section."""
    return changes


CASES = {
    "sgd plain": settings(kind="sgd", learningRate=0.1, momentum=0),
    "sgd momentum": settings(kind="sgd", learningRate=0.1, momentum=0.9),
    "sgd momentum, dampening, decay": settings(
        kind="sgd", learningRate=0.05, momentum=0.8, dampening=0.3, weightDecay=0.1,
        decaysNormAndBias=True),
    "sgd nesterov, decay on matrices only": settings(
        kind="sgd", learningRate=0.1, momentum=0.9, nesterov=True, weightDecay=0.2),
    "rmsprop": settings(
        kind="rmsprop", learningRate=0.01, momentum=0, squareDecay=0.99, epsilon=1e-8),
    "rmsprop momentum, decay": settings(
        kind="rmsprop", learningRate=0.01, momentum=0.9, squareDecay=0.9, epsilon=1e-3,
        weightDecay=0.1, decaysNormAndBias=True),
    "rmsprop tensorflow": settings(
        kind="rmspropTensorFlow", learningRate=0.016, momentum=0.9, squareDecay=0.9),
    "rmsprop tensorflow, decay on matrices only": settings(
        kind="rmspropTensorFlow", learningRate=0.1, momentum=0.9, squareDecay=0.9, epsilon=0.01,
        weightDecay=0.3),
    "adamw": settings(kind="adamW", learningRate=0.01),
    "adamw, decay on matrices only": settings(
        kind="adamW", learningRate=0.02, beta1=0.8, beta2=0.95, epsilon=1e-4, weightDecay=0.5),
}


def tensorflow_rmsprop(case, weights, gradients, rates):
    square = [numpy.ones_like(w) for w in weights]
    buffer = [numpy.zeros_like(w) for w in weights]
    weights = [w.copy() for w in weights]
    alpha, momentum = case["squareDecay"], case["momentum"]
    epsilon, decay = case.get("epsilon", 1e-3), case.get("weightDecay", 0)
    history = []
    for step, rate in enumerate(rates):
        for i, w in enumerate(weights):
            decayed = w.ndim > 1 or case.get("decaysNormAndBias", False)
            g = gradients[step][i] + (decay * w if decayed else 0)
            square[i] += (1 - alpha) * (g * g - square[i])
            buffer[i] = momentum * buffer[i] + rate * g / numpy.sqrt(square[i] + epsilon)
            w -= buffer[i]
        history.append([w.copy() for w in weights])
    return history


def pytorch(case, weights, gradients, rates):
    weights = [torch.nn.Parameter(torch.from_numpy(w.copy())) for w in weights]
    decay = case.get("weightDecay", 0)
    everywhere = case.get("decaysNormAndBias", False)
    groups = [
        {"params": [w], "weight_decay": decay if everywhere or w.ndim > 1 else 0} for w in weights
    ]
    kind, rate = case["kind"], case["learningRate"]
    if kind == "sgd":
        optimizer = torch.optim.SGD(
            groups, lr=rate, momentum=case["momentum"], dampening=case.get("dampening", 0),
            nesterov=case.get("nesterov", False))
    elif kind == "rmsprop":
        optimizer = torch.optim.RMSprop(
            groups, lr=rate, alpha=case["squareDecay"], eps=case["epsilon"],
            momentum=case["momentum"])
    else:
        optimizer = torch.optim.AdamW(
            groups, lr=rate, betas=(case.get("beta1", 0.9), case.get("beta2", 0.999)),
            eps=case.get("epsilon", 1e-8))
    history = []
    for step, rate in enumerate(rates):
        for group in optimizer.param_groups:
            group["lr"] = rate
        for w, g in zip(weights, gradients[step]):
            w.grad = torch.from_numpy(g.copy())
        optimizer.step()
        history.append([w.detach().numpy().copy() for w in weights])
    return history


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    output = root / "Tests/MUXTrainingTests/Fixtures/optimizers.json"
    if len(sys.argv) > 1:
        output = pathlib.Path(sys.argv[1])
    random = numpy.random.default_rng(0)
    shapes = [(2, 3), (3,)]
    weights = [random.normal(size=shape).round(3) for shape in shapes]
    gradients = [[random.normal(size=s).round(3) for s in shapes] for _ in range(STEPS)]
    cases = []
    for name, case in CASES.items():
        rates = [case["learningRate"] * (1 - 0.15 * step) for step in range(STEPS)]
        rule = tensorflow_rmsprop if case["kind"] == "rmspropTensorFlow" else pytorch
        history = rule(case, weights, gradients, rates)
        expected = [[w.ravel().round(9).tolist() for w in step] for step in history]
        cases.append({"name": name, "settings": case, "rates": rates, "expected": expected})
    document = {
        "shapes": shapes,
        "weights": [w.ravel().tolist() for w in weights],
        "gradients": [[g.ravel().tolist() for g in step] for step in gradients],
        "cases": cases,
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
