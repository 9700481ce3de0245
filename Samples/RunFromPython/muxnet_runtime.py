# SPDX-License-Identifier: Apache-2.0
"""Packed models of muxnet in Python, by ctypes; needs no other package.

    swift build -c release --product MUXRuntimeC
    python3 Samples/RunFromPython/muxnet_runtime.py .build/release/libMUXRuntimeC.so pets.muxnet photo.ppm

In code of your own:

    runtime = Runtime("libMUXRuntimeC.so")
    with runtime.open("pets.muxnet") as model:
        for name, probability in model.classify(pixels, width, height):
            print(name, probability)

`pixels` are bytes, RGB unless `format` says something else; with NumPy `array.tobytes()`, with Pillow
`picture.convert("RGB").tobytes()`. Calls let other threads of Python go on, and several threads may use
one model.
"""

import ctypes
import sys
from ctypes import POINTER, byref, c_char_p, c_double, c_float, c_int32, c_int64, c_size_t, c_uint64

FORMATS = ["rgb", "bgr", "rgba", "bgra", "argb", "grey", "nv12"]


class ImageBytes(ctypes.Structure):
    _fields_ = [
        ("bytes", c_char_p), ("size", c_size_t), ("width", c_int32), ("height", c_int32),
        ("format", c_int32), ("bytes_per_row", c_int64),
    ]


class Info(ctypes.Structure):
    _fields_ = [
        (name, c_int32)
        for name in "channels height width outputs features classes is_detector".split()
    ]


class Guess(ctypes.Structure):
    _fields_ = [("index", c_int32), ("probability", c_float)]


class Box(ctypes.Structure):
    _fields_ = [("index", c_int32)] + [
        (name, c_float) for name in "probability left top right bottom".split()
    ]


class RuntimeFailure(Exception):
    """What the runtime says of a call that failed; `status` is the header's number."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class Runtime:
    """The library."""

    def __init__(self, path):
        self.library = library = ctypes.CDLL(path)
        library.mux_last_error.restype = c_char_p
        image, floats = POINTER(ImageBytes), POINTER(c_float)
        for name, arguments in {
            "mux_model_open": [c_char_p, c_int32, POINTER(c_uint64)],
            "mux_model_close": [c_uint64],
            "mux_model_describe": [c_uint64, POINTER(Info)],
            "mux_class_name": [c_uint64, c_int32, ctypes.c_char_p, c_size_t],
            "mux_classify": [c_uint64, image, c_int32, POINTER(Guess), POINTER(c_int32)],
            "mux_detect": [c_uint64, image, c_double, c_int32, POINTER(Box), POINTER(c_int32)],
            "mux_features": [c_uint64, image, floats, c_size_t],
            "mux_prepare": [c_uint64, image, floats, c_size_t],
            "mux_run": [c_uint64, floats, c_size_t, floats, c_size_t],
        }.items():
            getattr(library, name).argtypes = arguments
        if library.mux_runtime_version() < 1:
            raise RuntimeFailure(0, "the library is older than this file")

    def call(self, name, *arguments):
        status = getattr(self.library, name)(*arguments)
        if status:
            raise RuntimeFailure(status, self.library.mux_last_error().decode())

    def open(self, path, threads=1):
        return Model(self, path, threads)


class Model:
    """An open model."""

    def __init__(self, runtime, path, threads=1):
        self.runtime = runtime
        number = c_uint64()
        runtime.call("mux_model_open", str(path).encode(), threads, byref(number))
        self.number = number.value
        self.info = Info()
        runtime.call("mux_model_describe", self.number, byref(self.info))
        self.classes = [self._class_name(index) for index in range(self.info.classes)]

    def close(self):
        self.runtime.call("mux_model_close", self.number)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def classify(self, pixels, width, height, format="rgb", bytes_per_row=0, top=5):
        """The most likely classes: pairs of name and probability."""
        top = min(top, self.info.outputs)
        guesses, found = (Guess * max(top, 0))(), c_int32()
        image = self._image(pixels, width, height, format, bytes_per_row)
        self.runtime.call("mux_classify", self.number, image, top, guesses, byref(found))
        return [(self._label(g.index), g.probability) for g in guesses[: found.value]]

    def detect(self, pixels, width, height, format="rgb", bytes_per_row=0, threshold=-1, top=100):
        """The things in an image: name, probability, (left, top, right, bottom)."""
        # Never more than there are numbers to make them of.
        top = min(top, self.info.outputs)
        boxes, found = (Box * max(top, 0))(), c_int32()
        image = self._image(pixels, width, height, format, bytes_per_row)
        self.runtime.call("mux_detect", self.number, image, threshold, top, boxes, byref(found))
        return [
            (self._label(b.index), b.probability, (b.left, b.top, b.right, b.bottom))
            for b in boxes[: found.value]
        ]

    def features(self, pixels, width, height, format="rgb", bytes_per_row=0):
        """The image's features, a list of floats."""
        return self._floats("mux_features", self.info.features, pixels, width, height, format, bytes_per_row)

    def prepare(self, pixels, width, height, format="rgb", bytes_per_row=0):
        """The image as the network takes it, [C, H, W], a list of floats."""
        count = self.info.channels * self.info.height * self.info.width
        return self._floats("mux_prepare", count, pixels, width, height, format, bytes_per_row)

    def run(self, numbers):
        """The network's outputs for prepared numbers."""
        given, outputs = (c_float * len(numbers))(*numbers), (c_float * self.info.outputs)()
        self.runtime.call("mux_run", self.number, given, len(numbers), outputs, len(outputs))
        return list(outputs)

    def _floats(self, name, count, *image):
        values = (c_float * count)()
        self.runtime.call(name, self.number, self._image(*image), values, count)
        return list(values)

    def _image(self, pixels, width, height, format, bytes_per_row):
        return byref(
            ImageBytes(pixels, len(pixels), width, height, FORMATS.index(format), bytes_per_row))

    def _label(self, index):
        return self.classes[index] if index < len(self.classes) else str(index)

    def _class_name(self, index):
        size = 256
        while True:
            name = ctypes.create_string_buffer(size)
            try:
                self.runtime.call("mux_class_name", self.number, index, name, size)
                return name.value.decode()
            except RuntimeFailure as failure:
                if failure.status != 3 or size > 1 << 20:
                    raise
                size *= 4


def read_ppm(path):
    """Width, height and RGB bytes of a binary PPM file without comments."""
    with open(path, "rb") as file:
        words = [file.readline().split() for _ in range(3)]
        words = [word for line in words for word in line]
        pixels = file.read()
    if len(words) != 4 or words[0] != b"P6" or words[3] != b"255":
        raise RuntimeFailure(0, f"{path}: not a binary PPM image (P6) with 8 bits a colour")
    return int(words[1]), int(words[2]), pixels


def main(arguments):
    if len(arguments) != 3:
        print("usage: muxnet_runtime.py LIBRARY MODEL IMAGE.ppm", file=sys.stderr)
        return 64
    try:
        width, height, pixels = read_ppm(arguments[2])
        with Runtime(arguments[0]).open(arguments[1]) as model:
            if model.info.is_detector:
                for name, probability, edges in model.detect(pixels, width, height):
                    print(f"{name}: {100 * probability:.1f} % at", *(round(edge) for edge in edges))
            else:
                for name, probability in model.classify(pixels, width, height):
                    print(f"{name}: {100 * probability:.1f} %")
    except (RuntimeFailure, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
