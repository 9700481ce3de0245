# SPDX-License-Identifier: Apache-2.0
"""The public implementations of the zoo's networks, for the other tools.

    pip install torch timm torchvision safetensors
    pip install --no-deps pretrainedmodels munch

The detectors are those of https://github.com/qfgaohao/pytorch-ssd (MIT): PYTORCH_SSD names a checkout
of it; without one they are left out.

Where torchvision's compiled operators do not load, nothing of them is needed here: they are left
out. `pretrainedmodels` asks for names of old packages that NASNet does not use; they are stubbed.
"""
import importlib
import importlib.metadata
import os
import sys
import types

# Our name, the package, its name.
REFERENCES = [
    ("mobilenetv1_100", "timm", "mobilenetv1_100"),
    ("mobilenetv2_100", "timm", "mobilenetv2_100"),
    ("mobilenetv2_050", "timm", "mobilenetv2_050"),
    ("mobilenetv3_large_100", "timm", "mobilenetv3_large_100"),
    ("mobilenetv3_small_100", "timm", "mobilenetv3_small_100"),
    ("shufflenetv2_050", "torchvision", "shufflenet_v2_x0_5"),
    ("shufflenetv2_100", "torchvision", "shufflenet_v2_x1_0"),
    ("shufflenetv2_150", "torchvision", "shufflenet_v2_x1_5"),
    ("shufflenetv2_200", "torchvision", "shufflenet_v2_x2_0"),
    ("semnasnet_100", "timm", "semnasnet_100"),
    ("mnasnet_100", "timm", "mnasnet_100"),
    ("fbnetc_100", "timm", "fbnetc_100"),
    ("efficientnet_b0", "timm", "efficientnet_b0"),
    ("mixnet_s", "timm", "mixnet_s"),
    ("mixnet_m", "timm", "mixnet_m"),
    ("tf_efficientnet_b0", "timm", "tf_efficientnet_b0"),
    ("tf_mixnet_s", "timm", "tf_mixnet_s"),
    ("tf_mixnet_m", "timm", "tf_mixnet_m"),
    ("tf_mobilenetv3_large_100", "timm", "tf_mobilenetv3_large_100"),
    ("tf_mobilenetv3_small_100", "timm", "tf_mobilenetv3_small_100"),
    ("tf_efficientnet_lite0", "timm", "tf_efficientnet_lite0"),
    ("tf_efficientnet_lite1", "timm", "tf_efficientnet_lite1"),
    ("tf_efficientnet_lite2", "timm", "tf_efficientnet_lite2"),
    ("tf_efficientnet_lite3", "timm", "tf_efficientnet_lite3"),
    ("tf_efficientnet_lite4", "timm", "tf_efficientnet_lite4"),
    ("resnet50", "timm", "resnet50"),
    ("densenet121", "timm", "densenet121"),
    ("densenet169", "timm", "densenet169"),
    ("vgg16", "torchvision", "vgg16"),
    ("nasnetamobile", "pretrainedmodels", "nasnetamobile"),
    ("tv_mobilenetv2_100", "torchvision", "mobilenet_v2"),
    ("tv_mobilenetv3_large_100", "torchvision", "mobilenet_v3_large"),
    ("tv_mobilenetv3_small_100", "torchvision", "mobilenet_v3_small"),
    ("tv_mnasnet_100", "torchvision", "mnasnet1_0"),
    ("tv_efficientnet_b0", "torchvision", "efficientnet_b0"),
    ("ssd300_vgg16", "torchvision", "ssd300_vgg16"),
]

# Our name, the module, the function that makes it.
DETECTORS = [
    ("ssd_mobilenetv1", "mobilenetv1_ssd", "create_mobilenetv1_ssd"),
    ("ssdlite_mobilenetv2", "mobilenet_v2_ssd_lite", "create_mobilenetv2_ssd_lite"),
]
# The commit that fixtures and results were made with.
PYTORCH_SSD_COMMIT = "7a839cb"
if os.environ.get("PYTORCH_SSD"):
    REFERENCES += [(ours, "pytorch-ssd", name) for ours, _, name in DETECTORS]


def prepare():
    """Makes the three packages importable."""
    try:
        importlib.import_module("torchvision")
    except RuntimeError:  # operators that the compiled part did not register
        for name in [name for name in sys.modules if name.startswith("torchvision")]:
            del sys.modules[name]
        sys.modules["torchvision._meta_registrations"] = types.ModuleType("_meta_registrations")
        importlib.import_module("torchvision")


def create(package, name, classes=1000):
    """A fresh network of the reference implementation."""
    prepare()
    if package == "pytorch-ssd":
        return detector(name)
    if package == "timm":
        import timm

        return timm.create_model(name, num_classes=classes)
    if package == "torchvision":
        import torchvision

        if name == "ssd300_vgg16":
            return vgg_detector()
        return getattr(torchvision.models, name)(weights=None, num_classes=classes)
    return nasnet_module().NASNetAMobile(num_classes=classes)


def vgg_detector(classes=21):
    """torchvision's SSD300 without what it does to images before and to boxes after."""
    import torch
    from torchvision.models import detection

    whole = detection.ssd300_vgg16(weights=None, weights_backbone=None, num_classes=classes)

    class Detector(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.backbone, self.head = whole.backbone, whole.head

        def forward(self, images):
            found = self.head(list(self.backbone(images).values()))
            return found["cls_logits"], found["bbox_regression"]

    return Detector()


def detector(name, classes=21):
    """A detector of pytorch-ssd; what its package imports for images and boxes only is stubbed."""
    if os.environ["PYTORCH_SSD"] not in sys.path:
        sys.path.insert(0, os.environ["PYTORCH_SSD"])
    for absent in ("vision.ssd.predictor", "cv2"):
        stub = types.ModuleType(absent)
        stub.Predictor = None
        sys.modules.setdefault(absent, stub)
    module = next(module for _, module, function in DETECTORS if function == name)
    model = getattr(importlib.import_module(f"vision.ssd.{module}"), name)(classes)
    model.config = None  # A module, which only boxes need and which cannot be copied.
    return model


def nasnet_module():
    """`pretrainedmodels.models.nasnet_mobile` without the rest of its package."""
    import importlib.util
    import os

    spec = importlib.util.find_spec("pretrainedmodels")
    path = os.path.join(spec.submodule_search_locations[0], "models", "nasnet_mobile.py")
    spec = importlib.util.spec_from_file_location("nasnet_mobile", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def version(package):
    if package == "pytorch-ssd":
        return f"qfgaohao/pytorch-ssd {PYTORCH_SSD_COMMIT}"
    return f"{package} {importlib.metadata.version(package)}"
