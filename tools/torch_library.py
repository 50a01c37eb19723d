# SPDX-License-Identifier: BSD-3-Clause
"""faltung seen from the torch_*.py scripts: by its shared library, and by its command.

Both functions take a layer of torch_draw and its arrays and return {"y", "gx", "gw", "gb"}, computed
channels-first or, with last=True, channels-last. Development only.
"""
import ctypes
import os
import subprocess
import tempfile

import numpy as np

MODES = ("zeros", "reflect", "symmetric", "replicate", "circular", "constant")
DTYPES = {"float32": 1, "float64": 2, "int8": 5, "uint8": 6, "int32": 8, "int64": 9}
Three = ctypes.c_int64 * 3
Twelve = ctypes.c_int64 * 12


class Tensor(ctypes.Structure):
    """fal_tensor"""
    _fields_ = [("data", ctypes.c_void_p), ("dtype", ctypes.c_int), ("rank", ctypes.c_int32),
                ("flags", ctypes.c_uint32), ("shape", Twelve), ("strides", Twelve)]


class Params(ctypes.Structure):
    """fal_conv_params"""
    _fields_ = [("stride", Three), ("dilation", Three), ("padding_begin", Three), ("padding_end", Three),
                ("padding", ctypes.c_int), ("padding_mode", ctypes.c_int), ("padding_value", ctypes.c_double),
                ("groups", ctypes.c_int64), ("flip_kernel", ctypes.c_bool), ("layout", ctypes.c_int),
                ("output_padding", Three), ("output_size", Three), ("beta", ctypes.c_double),
                ("activation", ctypes.c_int), ("activation_low", ctypes.c_double),
                ("activation_high", ctypes.c_double), ("activation_slope", ctypes.c_double),
                ("accuracy", ctypes.c_int), ("algorithm", ctypes.c_char_p), ("reproducible", ctypes.c_bool),
                ("spatial", ctypes.c_int32), ("kernel", Three)]


class Error(ctypes.Structure):
    """fal_error"""
    _fields_ = [("status", ctypes.c_int), ("field", ctypes.c_char * 64), ("found", ctypes.c_char * 192),
                ("allowed", ctypes.c_char * 320), ("hint", ctypes.c_char * 160),
                ("fix_field", ctypes.c_char * 32), ("fix_value", ctypes.c_char * 32)]


class Context(ctypes.Structure):
    """fal_context"""
    _fields_ = [("allocator", ctypes.c_void_p * 3), ("executor", ctypes.c_void_p * 2),
                ("threads", ctypes.c_int32), ("cpu", ctypes.c_int), ("workspace_cap_bytes", ctypes.c_uint64),
                ("measure_seconds", ctypes.c_double), ("wisdom", ctypes.c_void_p),
                ("cycles_per_second", ctypes.c_double), ("error", ctypes.POINTER(Error))]


def view(array):
    """A fal_tensor of an array, whatever its strides; of None one that is not given."""
    if array is None:
        return Tensor()
    t = Tensor(data=array.ctypes.data, dtype=DTYPES[str(array.dtype)], rank=array.ndim)
    for a in range(array.ndim):
        t.shape[a], t.strides[a] = array.shape[a], array.strides[a] // array.itemsize
    return t


def tensor(array):
    """A pointer to the view; None stays None."""
    return None if array is None else ctypes.byref(view(array))


def three(values):
    return Three(*(list(values) + [0] * (3 - len(values))))


def parameters(layer, last):
    return Params(stride=three(layer["stride"]), dilation=three(layer["dilation"]),
                  padding_begin=three(layer["begin"]), padding_end=three(layer["end"]),
                  padding_mode=MODES.index(layer["mode"]), groups=layer["groups"],
                  flip_kernel=layer["flip"], layout=int(last),
                  output_padding=three(layer["output_padding"]), accuracy=1)


def image_last(layer, array):
    """Channels-last from channels-first, as a view."""
    return np.moveaxis(array, 1 if layer["batched"] else 0, -1)


def weight_last(array):
    return np.moveaxis(np.moveaxis(array, 0, -1), 0, -2)


def to_last(layer, x, w, gy):
    return image_last(layer, x), weight_last(w), image_last(layer, gy)


def from_last(layer, results):
    first = 1 if layer["batched"] else 0
    for name in ("y", "gx"):
        results[name] = np.moveaxis(results[name], -1, first)
    results["gw"] = np.moveaxis(np.moveaxis(results["gw"], -1, 0), -1, 1)
    return results


class Library:
    def __init__(self, path):
        self.code = ctypes.CDLL(path)

    def call(self, name, *arguments):
        """Calls a function whose first argument is a context."""
        error = Error()
        context = Context(threads=1, error=ctypes.pointer(error))
        self.checked(error, name, getattr(self.code, name)(ctypes.byref(context), *arguments))

    def call_with_error(self, name, *arguments):
        """Calls a function whose last argument is an error."""
        error = Error()
        self.checked(error, name, getattr(self.code, name)(*arguments, ctypes.byref(error)))

    def checked(self, error, name, status):
        if status != 0:
            raise RuntimeError("%s: status %d: %s" % (name, status, error.found.decode()))

    def run(self, layer, x, w, b, gy, last=False):
        name = "fal_conv" if layer["kind"] == "conv" else "fal_conv_transpose"
        if last:
            x, w, gy = to_last(layer, x, w, gy)
        r = {"y": np.full_like(gy, np.nan), "gx": np.full_like(x, np.nan), "gw": np.full_like(w, np.nan),
             "gb": None if b is None else np.full_like(b, np.nan)}
        params = ctypes.byref(parameters(layer, last))
        self.call(name, tensor(x), tensor(w), tensor(b), params, tensor(r["y"]))
        self.call(name + "_grad", tensor(x), tensor(w), tensor(gy), params, tensor(r["gx"]), tensor(r["gw"]),
                  tensor(r["gb"]))
        return from_last(layer, r) if last else r


class Command:
    def __init__(self, path):
        self.path = os.path.abspath(path)

    def options(self, layer, last):
        join = lambda name: ",".join(map(str, layer[name]))
        pads = ",".join("%d:%d" % pair for pair in zip(layer["begin"], layer["end"]))
        words = ["--stride", join("stride"), "--dilation", join("dilation"), "--padding=" + pads,
                 "--groups", str(layer["groups"]), "--accuracy", "strict"]
        if layer["mode"] != "zeros":
            words += ["--padding-mode", layer["mode"]]
        if layer["flip"]:
            words.append("--flip-kernel")
        if last:
            words += ["--layout", "nhwc"]
        if layer["kind"] == "conv-transpose":
            words += ["--output-padding", join("output_padding")]
        return words

    def call(self, words, folder):
        done = subprocess.run([self.path] + words, cwd=folder, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError("exit %d of %s\n    %s" % (done.returncode, " ".join(words), done.stderr))

    def run(self, layer, x, w, b, gy, last=False):
        if last:
            x, w, gy = to_last(layer, x, w, gy)
        with tempfile.TemporaryDirectory() as folder:
            for name, array in (("x", x), ("w", w), ("b", b), ("gy", gy)):
                if array is not None:
                    np.save(os.path.join(folder, name + ".npy"), np.ascontiguousarray(array))
            words = self.options(layer, last)
            bias = [] if b is None else ["-b", "b.npy"]
            self.call([layer["kind"], "x.npy", "w.npy"] + bias + words + ["-o", "y.npy"], folder)
            results = ["gx", "gw"] + ([] if b is None else ["gb"])
            names = {"gx": "input", "gw": "weight", "gb": "bias"}
            outputs = [word for r in results for word in ("--grad-" + names[r], r + ".npy")]
            self.call(["grad", layer["kind"], "x.npy", "w.npy", "gy.npy"] + words + outputs, folder)
            r = {name: np.load(os.path.join(folder, name + ".npy")) for name in ["y"] + results}
        r.setdefault("gb", None)
        return from_last(layer, r) if last else r
