# SPDX-License-Identifier: BSD-3-Clause
"""faltung's operators beside the convolutions, as torch_random_all.py calls them: through the shared
library and through the command. Both take a case of torch_cases and return its results, channels first.
Development only.
"""
import ctypes
import os
import tempfile

import numpy as np

import torch_library as tl


class PoolParams(ctypes.Structure):
    """fal_pool_params"""
    _fields_ = [("kind", ctypes.c_int), ("extent", ctypes.c_int), ("spatial", ctypes.c_int32),
                ("kernel", tl.Three), ("stride", tl.Three), ("dilation", tl.Three),
                ("padding_begin", tl.Three), ("padding_end", tl.Three), ("padding", ctypes.c_int),
                ("output_size", tl.Three), ("ceil_mode", ctypes.c_bool), ("exclude_padding", ctypes.c_bool),
                ("divisor", ctypes.c_int64), ("norm", ctypes.c_double), ("index_mode", ctypes.c_int),
                ("column_major", ctypes.c_bool), ("layout", ctypes.c_int)]


class UpsampleParams(ctypes.Structure):
    """fal_upsample_params"""
    _fields_ = [("mode", ctypes.c_int), ("coordinates", ctypes.c_int), ("spatial", ctypes.c_int32),
                ("layout", ctypes.c_int)]


class DeformOperands(ctypes.Structure):
    """fal_deform_operands"""
    _fields_ = [(name, tl.Tensor) for name in ("x", "offset", "mask", "w", "b", "y")]


class SeparableOperands(ctypes.Structure):
    """fal_separable_operands"""
    _fields_ = [(name, tl.Tensor) for name in ("x", "d", "db", "p", "pb", "y")]


# ---- channels last ----

def to_last(array, role, taps):
    """A view, except for windows, whose channel axis splits in two."""
    if role == "vector":
        return array
    if role == "weight":
        return tl.weight_last(array)
    if role == "cols":
        n, rows, places = array.shape
        split = array.reshape(n, rows // taps, taps, places)
        return np.ascontiguousarray(split.transpose(0, 3, 2, 1)).reshape(n, places, rows)
    return np.moveaxis(array, 1, -1)


def from_last(array, role, taps):
    if role == "vector":
        return array
    if role == "weight":
        return np.moveaxis(np.moveaxis(array, -1, 0), -1, 1)
    if role == "cols":
        n, places, rows = array.shape
        return array.reshape(n, places, taps, rows // taps).transpose(0, 3, 2, 1).reshape(n, rows, places)
    return np.moveaxis(array, -1, 1)


def role_of(case, result):
    """The role of "y", "indices", "gx", ..."""
    if result in case.roles and result != "indices":
        return case.roles[result]
    return case.roles["y"] if result == "indices" else case.roles[result[1:]]


def taps_of(case):
    return int(np.prod(case.options.get("kernel", [1])))


# ---- by the library ----

def pool_params(case, last):
    o, words = case.options, case.operator.split("-")
    extent = {"adaptive": 1, "global": 2}.get(words[0], 0)
    kind = {"max": 0, "avg": 1, "lp": 2}[words[1] if extent else words[0]]
    pads = tl.three(o.get("padding", []))
    return PoolParams(kind=kind, extent=extent, spatial=0, kernel=tl.three(o.get("kernel", [])),
                      stride=tl.three(o.get("stride", [])), dilation=tl.three(o.get("dilation", [])),
                      padding_begin=pads, padding_end=pads, ceil_mode=o.get("ceil", False),
                      output_size=tl.three(o["output"] if extent == 1 else []), layout=int(last),
                      exclude_padding=o.get("exclude", False), divisor=o.get("divisor", 0),
                      norm=o.get("norm", 0))


def pool(library, case, a, r, last):
    params = ctypes.byref(pool_params(case, last))
    library.call("fal_pool", tl.tensor(a["x"]), params, tl.tensor(r["y"]), tl.tensor(r.get("indices")))
    library.call("fal_pool_grad", tl.tensor(a["x"]), tl.tensor(a["gy"]), params, tl.tensor(r["gx"]))


def unpool(library, _, a, r, last):
    params = ctypes.byref(PoolParams(layout=int(last)))
    library.call("fal_max_unpool", tl.tensor(a["x"]), tl.tensor(a["indices"]), params, None,
                 tl.tensor(r["y"]))
    library.call("fal_max_unpool_grad", tl.tensor(a["indices"]), tl.tensor(a["gy"]), params, None,
                 tl.tensor(r["gx"]))


def window_params(case, last):
    params = tl.parameters(dict(case.options, groups=0), last)
    params.spatial, params.kernel = len(case.options["input"]), tl.three(case.options["kernel"])
    return ctypes.byref(params)


def unfold(library, case, a, r, last):
    params = window_params(case, last)
    library.call_with_error("fal_unfold", tl.tensor(a["x"]), params, tl.tensor(r["y"]))
    library.call_with_error("fal_fold", tl.tensor(a["gy"]), params, tl.tensor(r["gx"]))


def fold(library, case, a, r, last):
    params = window_params(case, last)
    library.call_with_error("fal_fold", tl.tensor(a["x"]), params, tl.tensor(r["y"]))
    library.call_with_error("fal_unfold", tl.tensor(a["gy"]), params, tl.tensor(r["gx"]))


def pad(library, case, a, r, last):
    begin = [0] + case.options["begin"] + [0] if last else [0, 0] + case.options["begin"]
    begin, mode = (ctypes.c_int64 * len(begin))(*begin), tl.MODES.index(case.options["mode"])
    library.call_with_error("fal_tensor_pad", tl.tensor(a["x"]), begin, mode, ctypes.c_double(0),
                            tl.tensor(r["y"]))
    library.call_with_error("fal_tensor_pad_grad", tl.tensor(a["gy"]), begin, mode, tl.tensor(r["gx"]))


def upsample(library, case, a, r, last):
    how = case.options["how"]
    coordinates = {"align-corners": 1, "transposed-conv": 2}.get(how, 0)
    params = ctypes.byref(UpsampleParams(int(how == "nearest"), coordinates, 0, int(last)))
    library.call("fal_upsample", tl.tensor(a["x"]), params, tl.tensor(r["y"]))
    library.call("fal_upsample_grad", tl.tensor(a["gy"]), params, tl.tensor(r["gx"]))


def operands(kind, arrays):
    return ctypes.byref(kind(**{name: tl.view(array) for name, array in arrays.items()
                                if name in dict(kind._fields_)}))


def with_operands(library, name, kind, a, r, *more):
    """A pair of functions that take structs of operands and of gradients."""
    inputs = {k: v for k, v in a.items() if k != "gy"}
    library.call(name, operands(kind, dict(inputs, y=r["y"])), *more)
    gradients = {k[1:]: v for k, v in r.items() if k != "y"}
    library.call(name + "_grad", operands(kind, dict(inputs, y=a["gy"])), *more, operands(kind, gradients))


def deform(library, case, a, r, last):
    o = case.options
    layer = dict(o, mode="zeros", flip=False, groups=o["groups"][0], output_padding=[0, 0])
    with_operands(library, "fal_deform_conv", DeformOperands, a, r, ctypes.byref(tl.parameters(layer, last)),
                  ctypes.c_int64(o["offset_groups"][0]))


def separable(library, case, a, r, last):
    params = tl.parameters(dict(case.options, groups=0), last)
    with_operands(library, "fal_separable_conv", SeparableOperands, a, r, ctypes.byref(params))


def integer(library, case, a, r, last):
    params, x_zero = tl.parameters(case.options, last), ctypes.c_int32(int(a["x_zero"][0]))
    library.call("fal_conv_integer", tl.tensor(a["x"]), x_zero, tl.tensor(a["w"]), tl.tensor(a.get("w_zero")),
                 ctypes.byref(params), tl.tensor(r["y"]))


CALLS = {"max-unpool": unpool, "unfold": unfold, "fold": fold, "pad": pad, "upsample": upsample,
         "deform-conv": deform, "separable": separable, "conv-integer": integer}


def arrange(case, expected, last):
    """Inputs with gy, and room for every result, in the layout."""
    taps = taps_of(case)
    arrays, roles = dict(case.inputs, gy=case.gy), dict(case.roles, gy=case.roles["y"])
    a = {k: to_last(v, roles[k], taps) if last else v for k, v in arrays.items()}
    r = {}
    for name, array in expected.items():
        whole = name == "indices" or case.operator == "conv-integer"
        kind = np.int64 if name == "indices" else np.int32 if whole else case.gy.dtype
        empty = np.full(array.shape, -99 if whole else np.nan, kind)
        r[name] = to_last(empty, role_of(case, name), taps) if last else empty
    return a, r


def by_library(library, case, expected, last):
    a, r = arrange(case, expected, last)
    CALLS.get(case.operator, pool)(library, case, a, r, last)
    return {k: from_last(v, role_of(case, k), taps_of(case)) for k, v in r.items()} if last else r


# ---- by the command ----

OPERANDS = {"deform-conv": ("x", "offset", "w"), "separable": ("x", "d", "p"), "max-unpool": ("x", "indices"),
            "conv-integer": ("x", "w")}
# Operands that are options, of the forward verb and of grad.
OPTIONAL = {"deform-conv": ({"mask": "--mask", "b": "--bias"}, {"mask": "--mask"}),
            "separable": ({"db": "--depthwise-bias", "pb": "--pointwise-bias"}, {"db": "--depthwise-bias"}),
            "conv-integer": ({"x_zero": "--x-zero-point", "w_zero": "--w-zero-point"}, {})}
SLOPES = {"gx": "--grad-input", "goffset": "--grad-offset", "gmask": "--grad-mask", "gw": "--grad-weight",
          "gb": "--grad-bias", "gd": "--grad-depthwise", "gdb": "--grad-depthwise-bias",
          "gp": "--grad-pointwise", "gpb": "--grad-pointwise-bias"}
LISTS = {"max-pool": "kernel stride dilation padding", "avg-pool": "kernel stride padding",
         "lp-pool": "kernel stride padding", "adaptive-max-pool": "output", "adaptive-avg-pool": "output",
         "max-unpool": "kernel output", "unfold": "kernel stride dilation",
         "fold": "kernel stride dilation input", "upsample": "output",
         "deform-conv": "stride dilation", "separable": "stride dilation",
         "conv-integer": "stride dilation"}
NAMES = {"output": "output-size", "input": "output-size"}


def words_of(case, last):
    """The options that say the case's parameters."""
    o, operator = case.options, case.operator
    words = ["--layout", "nhwc"] if last else []
    if operator not in ("deform-conv", "separable", "conv-integer"):
        words += ["--spatial", str(case.gy.ndim - 2 if case.roles["y"] == "image" else len(o["input"]))]
    for name in LISTS.get(operator, "").split():
        words += ["--" + NAMES.get(name, name), ",".join(map(str, o[name]))]
    if "begin" in o:
        words.append("--padding=" + ",".join("%d:%d" % pair for pair in zip(o["begin"], o["end"])))
    if o.get("mode", "zeros") != "zeros":
        words += ["--padding-mode", o["mode"]]
    if operator in ("deform-conv", "conv-integer"):
        words += ["--groups", str(o["groups"] if operator == "conv-integer" else o["groups"][0])]
    if operator == "deform-conv":
        words += ["--offset-groups", str(o["offset_groups"][0])]
    words += ["--flip-kernel"] * (operator in ("separable", "conv-integer") and o["flip"])
    words += ["--ceil-mode"] * o.get("ceil", False) + ["--count-include-pad", "no"] * o.get("exclude", False)
    if o.get("divisor"):
        words.append("--divisor=%d" % o["divisor"])
    if "norm" in o:
        words += ["--norm", str(o["norm"])]
    if operator == "upsample":
        nearest = o["how"] == "nearest"
        words += ["--mode", "nearest"] if nearest else ["--coordinates", o["how"]]
    return words


def by_command(command, case, expected, last):
    a, r = arrange(case, expected, last)
    inputs = [name + ".npy" for name in OPERANDS.get(case.operator, ("x",))]
    given = [[word for name, flag in flags.items() if name in a for word in (flag, name + ".npy")]
             for flags in OPTIONAL.get(case.operator, ({}, {}))]
    words = words_of(case, last)
    with tempfile.TemporaryDirectory() as folder:
        path = lambda name: os.path.join(folder, name + ".npy")
        for name, array in a.items():
            np.save(path(name), np.ascontiguousarray(array))
        indices = ["--indices", "found.npy"] if "indices" in r else []
        command.call([case.operator] + inputs + words + given[0] + indices + ["-o", "y.npy"], folder)
        slopes = [name for name in r if name not in ("y", "indices")]
        outputs = [word for name in slopes for word in (SLOPES[name], "g_" + name + ".npy")]
        if slopes:
            command.call(["grad", case.operator] + inputs + ["gy.npy"] + words + given[1] + outputs, folder)
        files = {"y": "y", "indices": "found"}
        r = {name: np.load(path(files.get(name, "g_" + name))) for name in r}
    return {k: from_last(v, role_of(case, k), taps_of(case)) for k, v in r.items()} if last else r
