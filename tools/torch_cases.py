# SPDX-License-Identifier: BSD-3-Clause
"""Random cases of every operator beside the convolutions, and what PyTorch makes of them.

Used by torch_random_all.py. Development only. What PyTorch refuses, does not have or gets wrong is not
drawn: padding above half the kernel of a pool, a kernel beyond the padded input (which PyTorch takes in
ceil mode), windows without a cell (PyTorch's index lies outside the input), Lp of negative numbers and in
ceil mode, a cell that unpooling names twice (PyTorch's gradient gives it to both), symmetric padding, a
circular padding together with a crop, and nearest neighbours whose position PyTorch rounds to another
cell.
"""
import random

import numpy as np
import torch
import torch.nn.functional as F
from torchvision.ops import deform_conv2d

import torch_draw as td
import torch_golden_deform as tg
import torch_golden_pool as tp

MODES = ("zeros", "reflect", "replicate", "circular")


class Case:
    """operator    its name; `options` are its parameters, read by torch_operators.py
    inputs      {name: array}, channels first; integers as they are
    roles       {name: "image", "weight", "vector" or "cols"}: how its axes change for channels-last
    slopes      names of the inputs that have gradients
    forward     from {name: torch tensor} to y, or to y and indices
    exact       results that must be equal: "y", "gx", ...
    fixed       inputs in which the operator is not linear: they keep their values in the bound
    terms       {result: how many terms}, where running on ones does not count them
    factor      of sqrt(n)*u*S
    slack       what PyTorch's own arithmetic may move any element by
    """

    def __init__(self, operator, dtype, options, inputs, roles, forward, slopes=("x",), exact=(), fixed=(),
                 terms=None, factor=8, slack=0.0, y_role="image"):
        self.operator, self.dtype, self.options, self.roles = operator, dtype, options, dict(roles, y=y_role)
        self.inputs, self.forward, self.slopes, self.exact, self.fixed = inputs, forward, slopes, exact, fixed
        self.terms, self.factor, self.slack, self.gy = terms or {}, factor, slack, None

    def run(self, change):
        """Results in float64, of inputs and gy after change(name, array)."""
        leaves = {}
        for name, array in self.inputs.items():
            wide = array if array.dtype == np.int64 else change(name, array.astype(np.float64))
            leaves[name] = torch.from_numpy(np.array(wide)).requires_grad_(name in self.slopes)
        y = self.forward(leaves)
        y, indices = y if isinstance(y, tuple) else (y, None)
        results = {"y": y.detach().numpy()}
        if indices is not None:
            results["indices"] = indices.numpy()
        if self.slopes:
            y.backward(torch.from_numpy(change("gy", self.gy.astype(np.float64))))
        results.update(("g" + name, leaves[name].grad.numpy()) for name in self.slopes)
        return results

    def expected(self):
        return self.run(lambda name, array: array)

    def bounds(self):
        sums = self.run(lambda name, array: array if name in self.fixed else np.abs(array))
        ones = self.run(lambda name, array: array if name in self.fixed else
                        np.full_like(array, 0 if name.endswith("b") else 1))
        result = {}
        for name, total in sums.items():
            count = np.maximum(self.terms.get(name, np.ceil(np.abs(ones[name]))), 1)
            result[name] = self.factor * td.UNIT[self.dtype] * np.sqrt(count) * np.abs(total) + self.slack
        return result


def numbers_of(r):
    return np.random.default_rng(r.getrandbits(63))


def values(r, shape, dtype, low=-1.0, high=1.0):
    return numbers_of(r).uniform(low, high, shape).astype(td.NUMPY[dtype])


def finish(case, r):
    """Draws gy of y's shape; None when PyTorch refuses the case or is not to be trusted with it."""
    try:
        leaves = {k: torch.from_numpy(np.array(v if v.dtype == np.int64 else v.astype(np.float64)))
                  for k, v in case.inputs.items()}
        y = case.forward(leaves)
    except RuntimeError:
        return None
    y = (y[0] if isinstance(y, tuple) else y).detach().numpy()
    if y.size == 0 or y.size > 20000 or np.isneginf(y).any():
        return None
    case.gy = values(r, y.shape, case.dtype)
    return case if "padding" not in case.options or fits(case.options, case.inputs["x"].shape) else None


# ---- pools ----

def pool_shape(r, rank):
    longest = (24, 9, 5)[rank - 1]
    return [r.choice((1, 2)), r.choice((1, 2, 3, 5))] + [r.randint(1, longest) for _ in range(rank)]


def pool_options(r, rank, dilated):
    kernel = [r.randint(1, 4) for _ in range(rank)]
    return dict(kernel=kernel, stride=[r.randint(1, 4) for _ in range(rank)],
                dilation=[r.randint(1, 3) if dilated else 1 for _ in range(rank)],
                padding=[r.randint(0, k // 2) for k in kernel])


def fits(o, shape):
    """Does the kernel lie inside the padded input?"""
    return all((k - 1) * d < i + 2 * p for k, d, i, p in
               zip(o["kernel"], o["dilation"], shape[2:], o["padding"]))


def flat(x, function, rank):
    """1-D average pooling as 2-D, which alone has a divisor."""
    return function(x) if rank > 1 else function(x.unsqueeze(2)).squeeze(2)


def lifted(numbers, fill):
    return [fill] * (2 - len(numbers)) + numbers


def draw_max_pool(r, dtype):
    rank = r.choice((1, 2, 2, 3))
    o = dict(pool_options(r, rank, True), ceil=r.random() < 0.5)
    x = values(r, pool_shape(r, rank), dtype, -4, 4)
    if r.random() < 0.5:
        x = np.round(x)  # many equal numbers
    if r.random() < 0.2:
        x[numbers_of(r).uniform(size=x.shape) < 0.05] = np.nan
    pool = tp.POOLS["max"][rank - 1]
    forward = lambda t: pool(t["x"], o["kernel"], o["stride"], o["padding"], o["dilation"],
                             ceil_mode=o["ceil"], return_indices=True)
    return Case("max-pool", dtype, o, {"x": x}, {"x": "image"}, forward, exact=("y", "indices"), fixed=("x",),
                terms={"gx": float(np.prod(o["kernel"]))})


def draw_avg_pool(r, dtype):
    rank = r.choice((1, 2, 2, 3))
    o = dict(pool_options(r, rank, False), ceil=r.random() < 0.5, exclude=r.random() < 0.5,
             divisor=r.choice((0, 0, 3, -2)))
    pool = tp.POOLS["average"][max(rank, 2) - 1]
    forward = lambda t: flat(t["x"], lambda x: pool(
        x, lifted(o["kernel"], 1), lifted(o["stride"], 1), lifted(o["padding"], 0), o["ceil"],
        not o["exclude"], o["divisor"] or None), rank)
    taps = float(np.prod(o["kernel"])) + 1  # the division is one more
    return Case("avg-pool", dtype, o, {"x": values(r, pool_shape(r, rank), dtype)}, {"x": "image"}, forward,
                terms={"y": taps, "gx": taps})


def draw_lp_pool(r, dtype):
    """Of positive numbers: the root of an average times the number of taps; zeros around add nothing."""
    rank = r.choice((1, 2, 2, 3))
    o = dict(pool_options(r, rank, False), norm=r.choice((1, 2, 3, 2.5)))
    taps = float(np.prod(o["kernel"]))

    def forward(t):
        pads = [p for a in reversed(o["padding"]) for p in (a, a)]
        powers = F.pad(t["x"] ** o["norm"], pads)
        sums = tp.POOLS["average"][rank - 1](powers, o["kernel"], o["stride"]) * taps
        if (sums == 0).any():
            raise RuntimeError("a window without a cell")
        return sums ** (1 / o["norm"])
    return Case("lp-pool", dtype, o, {"x": values(r, pool_shape(r, rank), dtype, 0.1, 4)}, {"x": "image"},
                forward, fixed=("x",), terms={"y": taps + 1, "gx": taps + 1})


def draw_adaptive(r, dtype):
    """Also the global pools, which are those of one output."""
    rank, which = r.choice((1, 2, 2, 3)), r.choice(("max", "avg"))
    x = values(r, pool_shape(r, rank), dtype, -4, 4)
    everything = r.random() < 0.3
    size = [1] * rank if everything else [r.randint(1, i + 2) for i in x.shape[2:]]
    pool = tp.POOLS["adaptive-max" if which == "max" else "adaptive-average"][rank - 1]
    forward = lambda t: pool(t["x"], size, return_indices=True) if which == "max" else pool(t["x"], size)
    most = float(np.prod([-(-i // o) + 2 for i, o in zip(x.shape[2:], size)]))
    back = float(np.prod([-(-o // i) + 2 for i, o in zip(x.shape[2:], size)]))
    name = "%s-%s-pool" % ("global" if everything else "adaptive", which)
    return Case(name, dtype, dict(output=size), {"x": x}, {"x": "image"}, forward,
                exact=("y", "indices") if which == "max" else (), fixed=("x",) if which == "max" else (),
                terms={"y": most, "gx": back})


def draw_unpool(r, dtype):
    rank = r.choice((1, 2, 3))
    shape, kernel = pool_shape(r, rank), r.randint(1, 3)
    size = [i * kernel for i in shape[2:]]
    numbers, cells = numbers_of(r), int(np.prod(size))
    picked = [numbers.permutation(cells)[:int(np.prod(shape[2:]))] for _ in range(shape[0] * shape[1])]
    inputs = {"x": values(r, shape, dtype), "indices": np.array(picked, np.int64).reshape(shape)}
    forward = lambda t: tp.POOLS["unpool"][rank - 1](t["x"], t["indices"], kernel, output_size=size)
    return Case("max-unpool", dtype, dict(kernel=[kernel] * rank, output=size), inputs,
                {"x": "image", "indices": "image"}, forward, exact=("y", "gx"))


# ---- windows, borders, interpolation ----

def padded(x, layer):
    pads = [p for pair in reversed(list(zip(layer["begin"], layer["end"]))) for p in pair]
    mode = "constant" if layer["mode"] == "zeros" else layer["mode"]
    return F.pad(x, pads, mode=mode)


def windows(x, layer):
    """(n, c, o..., k...) becomes (n, c*K, P)."""
    rank = len(layer["input"])
    x = padded(x, layer)
    for a in range(rank):
        x = x.unfold(2 + a, td.span(layer, a), layer["stride"][a])[..., ::layer["dilation"][a]]
    order = [0, 1] + list(range(2 + rank, 2 + 2 * rank)) + list(range(2, 2 + rank))
    x = x.permute(order)
    return x.reshape(x.shape[0], int(np.prod(x.shape[1:2 + rank])), -1)


def draw_layer(r, dtype, work=20000):
    layer = td.draw(r, r.choice((1, 2, 2, 3)), "conv", dtype, r.choice(MODES), work)
    return dict(layer, batched=True, flip=False)


def draw_unfold(r, dtype):
    layer = draw_layer(r, dtype)
    return Case("unfold", dtype, layer, {"x": values(r, td.x_shape(layer), dtype)}, {"x": "image"},
                lambda t: windows(t["x"], layer), exact=("y",), y_role="cols")


def draw_fold(r, dtype):
    """The adjoint of the windows, which PyTorch's differentiation makes of them."""
    layer = draw_layer(r, dtype)
    shape = td.x_shape(layer)

    def forward(t):
        x = torch.zeros(shape, dtype=torch.float64, requires_grad=True)
        return torch.autograd.grad(windows(x, layer), x, t["x"], create_graph=True)[0]
    cols = windows(torch.zeros(shape), layer).shape
    return Case("fold", dtype, layer, {"x": values(r, list(cols), dtype)}, {"x": "cols"}, forward,
                exact=("gx",))


def draw_pad(r, dtype):
    layer = draw_layer(r, dtype)
    return Case("pad", dtype, layer, {"x": values(r, td.x_shape(layer), dtype)}, {"x": "image"},
                lambda t: padded(t["x"], layer), exact=("y",))


def triangle(x, sizes):
    """The transposed convolution with the kernel 1-|t|/s, channel by channel."""
    rank, kernel = len(sizes), torch.ones([1] * len(sizes), dtype=torch.float64)
    steps = [-(-o // i) for i, o in zip(x.shape[2:], sizes)]
    for a, s in enumerate(steps):
        taps = 1 - torch.arange(1 - s, s, dtype=torch.float64).abs() / s
        kernel = kernel * taps.reshape([-1 if b == a else 1 for b in range(rank)])
    more = [o - (s * (i - 1) + 1) for i, o, s in zip(x.shape[2:], sizes, steps)]
    function = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[rank - 1]
    planes = x.reshape([-1, 1] + list(x.shape[2:]))
    y = function(planes, kernel[None, None], stride=steps, padding=[s - 1 for s in steps],
                 output_padding=more)
    return y.reshape(list(x.shape[:2]) + sizes)


def draw_upsample(r, dtype):
    rank = r.choice((1, 2, 2, 3))
    shape, how = pool_shape(r, rank), r.choice(("half-pixel", "align-corners", "transposed-conv", "nearest"))
    size = [r.randint(1, 5 * i // 2 + 1) for i in shape[2:]]
    if how == "transposed-conv":
        factors = [r.randint(1, 4) for _ in size]
        size = [s * (i - 1) + 1 if i >= s and r.random() < 0.5 else s * i for i, s in zip(shape[2:], factors)]
    x = values(r, shape, dtype)
    mode = ("linear", "bilinear", "trilinear")[rank - 1]
    forward = {"nearest": lambda t: F.interpolate(t["x"], size, mode="nearest"),
               "transposed-conv": lambda t: triangle(t["x"], size)}.get(how, lambda t: F.interpolate(
                   t["x"], size, mode=mode, align_corners=how == "align-corners"))
    sizes = dict(input=shape[2:], output=size)
    if how == "nearest" and not tp.sound("nearest", sizes, torch.from_numpy(x), None):
        return None
    back = float(np.prod([2 * (-(-o // i)) + 2 for i, o in zip(shape[2:], size)]))
    # PyTorch computes the positions in float64, wrong by some units of the size.
    slack = 0 if how == "nearest" else 4 * 2.0**-53 * max(max(shape[2:]), max(size)) * back
    return Case("upsample", dtype, dict(how=how, output=size), {"x": x}, {"x": "image"}, forward,
                exact=("y",) if how == "nearest" else (), terms={"y": 2.0**rank, "gx": back}, slack=slack)


# ---- deformable, separable and integer convolution ----

class Deformable(Case):
    """Its slope in the offset is no sum of products of |x|: those are the two rows, or columns, between
    which a sample lies, so the bound samples |x| on either."""

    def bounds(self):
        result = super().bounds()
        scale, o = self.factor * td.UNIT[self.dtype], self.options
        taps = int(np.prod(o["kernel"]))
        pieces = [a // b for a, b in ((o["ic"][0], o["groups"][0]), (o["oc"][0], o["groups"][0]))]
        total = np.zeros(self.inputs["offset"].shape)
        offset = self.inputs["offset"].astype(np.float64)
        parts = total.reshape(total.shape[0], -1, taps, 2, *total.shape[2:])
        for axis in range(2):
            for step in (0, 1):
                moved = np.floor(offset.reshape(parts.shape)) + step
                other = offset.reshape(parts.shape).copy()
                other[:, :, :, axis] = moved[:, :, :, axis]
                slope = self.mask_slope(other.reshape(offset.shape))
                parts[:, :, :, axis] += slope.reshape(parts[:, :, :, 0].shape)
        mask = self.inputs.get("mask")
        if mask is not None:
            parts *= np.abs(mask.astype(np.float64)).reshape(parts[:, :, :, :1].shape)
        count = float(pieces[0] * pieces[1] * o["groups"][0])
        result["goffset"] = scale * np.sqrt(count) * total
        return result

    def mask_slope(self, offset):
        """The sum of |gy||w| times |x| sampled there, which is the gradient of a mask of ones."""
        o = self.options
        n, q, taps = offset.shape[0], o["offset_groups"][0], int(np.prod(o["kernel"]))
        t = {k: torch.from_numpy(np.abs(self.inputs[k].astype(np.float64))) for k in ("x", "w")}
        t["offset"] = torch.from_numpy(np.array(offset))
        t["mask"] = torch.ones([n, q * taps] + o["output"], dtype=torch.float64, requires_grad=True)
        self.forward(t).backward(torch.from_numpy(np.abs(self.gy.astype(np.float64))))
        return t["mask"].grad.numpy()


def draw_deformable(r, dtype):
    o = tg.draw(r)
    shapes = tg.shapes(o)
    inputs = {name: values(r, shapes[name], dtype) for name in ("x", "offset", "w")}
    # Quarters of a pixel are the same positions in every type; others are rounded before they are floored.
    quarters = np.array(np.round(12 * inputs["offset"]) / 4, np.float64)
    tg.avoid_minus_one(o, quarters)
    inputs["offset"] = quarters.astype(td.NUMPY[dtype])
    for name, given in (("mask", o["masked"][0]), ("b", o["bias"][0])):
        if given:
            inputs[name] = values(r, shapes[name], dtype)
    roles = dict.fromkeys(("x", "offset", "mask"), "image")

    def forward(t):
        x = F.pad(t["x"], (o["begin"][1], o["end"][1], o["begin"][0], o["end"][0]))
        same = o["begin"] == o["end"]
        return deform_conv2d(t["x"] if same else x, t["offset"], t["w"], t.get("b"), stride=o["stride"],
                             padding=o["begin"] if same else 0, dilation=o["dilation"], mask=t.get("mask"))
    return Deformable("deform-conv", dtype, o, inputs, dict(roles, w="weight", b="vector"), forward,
                      slopes=tuple(inputs), fixed=("offset",), factor=16)


def draw_separable(r, dtype):
    layer = draw_layer(r, dtype)
    rank, c = len(layer["input"]), layer["groups"] * layer["ic"]
    m, oc = r.choice((1, 1, 2)), r.choice((1, 2, 5))
    layer = dict(layer, groups=c, ic=1, oc=m, flip=r.random() < 0.2)
    inputs = {"x": values(r, td.x_shape(layer), dtype), "d": values(r, td.w_shape(layer), dtype),
              "p": values(r, [oc, c * m] + [1] * rank, dtype)}
    if layer["bias"]:
        inputs["db"] = values(r, [c * m], dtype)
    if r.random() < 0.5:
        inputs["pb"] = values(r, [oc], dtype)
    pointwise = (F.conv1d, F.conv2d, F.conv3d)[rank - 1]
    forward = lambda t: pointwise(td.convolve(layer, t["x"], t["d"], t.get("db")), t["p"], t.get("pb"))
    roles = {"x": "image", "d": "weight", "p": "weight", "db": "vector", "pb": "vector"}
    return Case("separable", dtype, layer, inputs, roles, forward, slopes=tuple(inputs))


def draw_integer(r, _):
    """Sums of products of small integers are exact in float64."""
    layer = dict(draw_layer(r, "f64"), mode="zeros", flip=r.random() < 0.2)
    layer["begin"], layer["end"] = [[max(p, 0) for p in layer[name]] for name in ("begin", "end")]
    numbers = numbers_of(r)
    types = [r.choice((np.int8, np.uint8)) for _ in range(2)]
    whole = lambda shape, kind: numbers.integers(np.iinfo(kind).min, np.iinfo(kind).max + 1, shape, kind)
    oc = layer["groups"] * layer["oc"]
    zeros = r.choice(((), (1,), (oc,)))
    inputs = {"x": whole(td.x_shape(layer), types[0]), "w": whole(td.w_shape(layer), types[1]),
              "x_zero": whole([1], types[0])}
    if zeros:
        inputs["w_zero"] = whole(zeros, types[1])

    def forward(t):
        w = t["w"]
        if "w_zero" in t:
            w = w - t["w_zero"].reshape([-1] + [1] * (w.dim() - 1))
        return td.convolve(layer, t["x"] - t["x_zero"], w, None)
    return Case("conv-integer", "f64", layer, inputs,
                {"x": "image", "w": "weight", "x_zero": "vector", "w_zero": "vector"}, forward, slopes=(),
                exact=("y",))


DRAWS = (draw_max_pool, draw_avg_pool, draw_lp_pool, draw_adaptive, draw_unpool, draw_unfold, draw_fold,
         draw_pad, draw_upsample, draw_deformable, draw_separable, draw_integer)


def draw(seed, number):
    """A case: a function of seed and number alone."""
    r = random.Random("%d %d" % (seed, number))
    make = r.choice(DRAWS)
    for _ in range(500):
        case = make(r, r.choice(("f32", "f64")))
        case = case and finish(case, r)
        if case is not None:
            return case
    raise AssertionError("%s draws nothing that PyTorch takes" % make.__name__)
