#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A server around ONNX Runtime, of the shape of Samples/ClassifyServer, to compare with.

    tools/serve_onnx.py MODEL.onnx [--port 8081] [--engines 2] [--threads 1]

POST /classify takes an image file and answers with the five most likely classes as JSON; GET /health.
Pillow decodes and resizes (the shorter side to 8/7 of the input, bicubic, the middle), ONNX Runtime
computes, both on as many threads as there are engines; Starlette and uvicorn (uvloop, httptools)
serve. Needs onnxruntime, numpy, pillow, starlette, uvicorn, uvloop and httptools.
"""
import argparse
import asyncio
import io
import json
from concurrent.futures import ThreadPoolExecutor

import numpy
import onnxruntime
import uvicorn
from PIL import Image
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model")
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--engines", type=int, default=2, help="images computed at a time")
    parser.add_argument("--threads", type=int, default=1, help="threads that share an image")
    return parser.parse_args()


class Classifier:
    """ONNX Runtime's session, which any number of threads may run at a time."""

    def __init__(self, path, threads):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0]
        self.size = self.input.shape[2]
        self.mean = numpy.array([0.485, 0.456, 0.406], numpy.float32) * 255
        self.scale = 1 / (numpy.array([0.229, 0.224, 0.225], numpy.float32) * 255)

    def __call__(self, data):
        picture = Image.open(io.BytesIO(data)).convert("RGB")
        factor = int(self.size / 0.875) / min(picture.size)
        width, height = (round(side * factor) for side in picture.size)
        left, top = (width - self.size) / 2 / factor, (height - self.size) / 2 / factor
        side = self.size / factor
        # The cut alone is resized, as the other server does it.
        picture = picture.resize(
            (self.size, self.size), Image.Resampling.BICUBIC, (left, top, left + side, top + side))
        pixels = (numpy.asarray(picture, numpy.float32) - self.mean) * self.scale
        pixels = numpy.ascontiguousarray(pixels.transpose(2, 0, 1)[None])
        scores = self.session.run(None, {self.input.name: pixels})[0][0]
        shares = numpy.exp(scores - scores.max())
        shares /= shares.sum()
        best = numpy.argsort(-shares)[:5]
        return json.dumps({"guesses": [
            {"label": str(index), "index": int(index), "probability": float(shares[index])}
            for index in best]})


def main():
    options = arguments()
    classifier = Classifier(options.model, options.threads)
    workers = ThreadPoolExecutor(options.engines)

    async def classify(request):
        data = await request.body()
        try:
            text = await asyncio.get_running_loop().run_in_executor(workers, classifier, data)
            return Response(text + "\n", media_type="application/json")
        except OSError as error:
            return Response(
                json.dumps({"error": str(error)}), status_code=400, media_type="application/json")

    async def health(_):
        return PlainTextResponse("ok\n")

    uvicorn.run(
        Starlette(routes=[Route("/classify", classify, methods=["POST"]), Route("/health", health)]),
        port=options.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
