# SPDX-License-Identifier: BSD-3-Clause
"""Random convolution layers and what PyTorch makes of them.

Shared by torch_golden.py (golden files) and torch_random.py (comparison with many random layers).
Development only: the library, the command and their tests need neither PyTorch nor NumPy.

A layer is a plain dict:
    kind     "conv" or "conv-transpose"
    dtype    "f32" or "f64"
    batched, bias, flip         booleans
    n, groups, ic, oc           ic and oc of one group
    input, kernel, stride, dilation, begin, end, output_padding     one number per axis
    mode     "zeros", "reflect", "replicate" or "circular"
"""
import numpy as np
import torch
import torch.nn.functional as F

torch.set_num_threads(1)

NUMPY = {"f32": np.float32, "f64": np.float64}
UNIT = {"f32": 2.0**-24, "f64": 2.0**-53}
RESULTS = ("y", "gx", "gw", "gb")


def span(layer, axis):
    """The effective kernel d(k-1)+1."""
    return layer["dilation"][axis] * (layer["kernel"][axis] - 1) + 1


def output_size(layer):
    sizes = []
    for a, i in enumerate(layer["input"]):
        pads, s = layer["begin"][a] + layer["end"][a], layer["stride"][a]
        if layer["kind"] == "conv":
            sizes.append((i + pads - span(layer, a)) // s + 1)
        else:
            sizes.append((i - 1) * s - pads + span(layer, a) + layer["output_padding"][a])
    return sizes


def x_shape(layer):
    batch = [layer["n"]] if layer["batched"] else []
    return batch + [layer["groups"] * layer["ic"]] + layer["input"]


def w_shape(layer):
    g, ic, oc = layer["groups"], layer["ic"], layer["oc"]
    channels = [g * oc, ic] if layer["kind"] == "conv" else [g * ic, oc]
    return channels + layer["kernel"]


def y_shape(layer):
    batch = [layer["n"]] if layer["batched"] else []
    return batch + [layer["groups"] * layer["oc"]] + output_size(layer)


def products(layer):
    """How many products a dense evaluation forms: the size of the work."""
    places = output_size(layer) if layer["kind"] == "conv" else layer["input"]
    channels = layer["n"] * layer["groups"] * layer["ic"] * layer["oc"]
    return channels * int(np.prod(places)) * int(np.prod(layer["kernel"]))


def draw_pads(r, layer, a):
    """(begin, end) of axis a: none, symmetric or not, crops; as far as PyTorch's modes reach. Its
    circular mode wraps what is left after a crop, not the input: no crops there."""
    i, most = layer["input"][a], span(layer, a) + 1
    most = min(most, {"reflect": i - 1, "circular": i}.get(layer["mode"], most))
    choice = r.randrange(5)
    if choice == 0:
        return 0, 0
    if choice in (1, 2):
        p = r.randint(0, most)
        return p, p
    if choice == 3 or i < 4 or layer["mode"] == "circular":
        return r.randint(0, most), r.randint(0, most)
    return r.randint(-1, most), r.randint(-1, most)


def draw(r, rank, kind, dtype, mode, work):
    """A valid layer of at most `work` products; r is a random.Random."""
    longest, kernels = (40, 14, 6)[rank - 1], (7, 4, 3)[rank - 1]
    while True:
        groups = r.choice((1, 1, 1, 2, 3, 4, 6))
        layer = dict(kind=kind, dtype=dtype, mode=mode, batched=r.random() < 0.8, bias=r.random() < 0.7,
                     flip=r.random() < 0.15, n=r.choice((1, 1, 2, 3)), groups=groups,
                     ic=r.choice((1, 2, 3, 5, 8)), oc=r.choice((1, 2, 3, 5, 8)))
        if groups > 1 and r.random() < 0.5:
            layer["ic"], layer["oc"] = 1, r.choice((1, 2, 3))
        if not layer["batched"]:
            layer["n"] = 1
        layer["input"] = [r.randint(1, longest) for _ in range(rank)]
        layer["kernel"] = [r.randint(1, kernels) for _ in range(rank)]
        layer["stride"] = [r.choice((1, 1, 2, 3, 4)) for _ in range(rank)]
        layer["dilation"] = [r.choice((1, 1, 2, 3)) for _ in range(rank)]
        pads = [draw_pads(r, layer, a) for a in range(rank)]
        layer["begin"], layer["end"] = [p[0] for p in pads], [p[1] for p in pads]
        layer["output_padding"] = [0] * rank
        if kind == "conv-transpose" and r.random() < 0.6:
            layer["output_padding"] = [r.randrange(max(layer["stride"][a], layer["dilation"][a]))
                                       for a in range(rank)]
        if kind == "conv" and any(layer["input"][a] + pads[a][0] + pads[a][1] < span(layer, a)
                                  for a in range(rank)):
            continue
        if min(output_size(layer)) >= 1 and products(layer) <= work:
            return layer


def describe(layer):
    """One line that repeats the layer: the language of tests/golden/index.txt."""
    words = [layer["kind"], layer["dtype"], layer["mode"]]
    words += ["%s=%d" % (name, layer[name]) for name in ("n", "groups", "ic", "oc")]
    for name in ("input", "kernel", "stride", "dilation", "begin", "end", "output_padding"):
        words.append("%s=%s" % (name, ",".join(map(str, layer[name]))))
    words += ["%s=%d" % (name, layer[name]) for name in ("batched", "bias", "flip")]
    return " ".join(words)


def convolve(layer, x, w, b):
    """The layer in PyTorch's own functions. Pads that differ between the two ends are an explicit pad
    of the input, and for the transposed layer a crop of the output."""
    rank = len(layer["input"])
    if layer["flip"]:
        w = torch.flip(w, tuple(range(2, 2 + rank)))
    s, d, g = layer["stride"], layer["dilation"], layer["groups"]
    begin, end = layer["begin"], layer["end"]
    plain = begin == end and min(begin) >= 0
    if layer["kind"] == "conv":
        function = (F.conv1d, F.conv2d, F.conv3d)[rank - 1]
        if plain and layer["mode"] == "zeros":
            return function(x, w, b, stride=s, padding=begin, dilation=d, groups=g)
        mode = "constant" if layer["mode"] == "zeros" else layer["mode"]
        pads = [p for a in reversed(range(rank)) for p in (begin[a], end[a])]
        x = F.pad(x if layer["batched"] else x.unsqueeze(0), pads, mode=mode)
        y = function(x, w, b, stride=s, dilation=d, groups=g)
        return y if layer["batched"] else y.squeeze(0)
    function = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[rank - 1]
    if plain:
        return function(x, w, b, stride=s, padding=begin, output_padding=layer["output_padding"],
                        dilation=d, groups=g)
    y = function(x, w, None, stride=s, output_padding=layer["output_padding"], dilation=d, groups=g)
    y = F.pad(y if layer["batched"] else y.unsqueeze(0),
              [-p for a in reversed(range(rank)) for p in (begin[a], end[a])])
    y = y if layer["batched"] else y.squeeze(0)
    return y if b is None else y + b.reshape([-1] + [1] * rank)


def run(layer, x, w, b, gy):
    """{"y", "gx", "gw", "gb"} as arrays; gb is None without a bias."""
    leaves = [torch.from_numpy(a).requires_grad_() for a in (x, w)]
    bias = None if b is None else torch.from_numpy(b).requires_grad_()
    y = convolve(layer, leaves[0], leaves[1], bias)
    y.backward(torch.from_numpy(gy))
    return dict(y=y.detach().numpy(), gx=leaves[0].grad.numpy(), gw=leaves[1].grad.numpy(),
                gb=None if bias is None else bias.grad.numpy())


def bounds(layer, x, w, b, gy):
    """8*sqrt(n)*u*S of every element of every result: n products with absolute values summing to S,
    both counted by running the same layer on absolute values and on ones in float64."""
    wide = [None if a is None else np.abs(a.astype(np.float64)) for a in (x, w, b, gy)]
    ones = [None if a is None else np.ones(a.shape) for a in (x, w, b, gy)]
    if b is not None:
        ones[2] = np.zeros(b.shape)  # the bias is no product
    total, count = run(layer, *wide), run(layer, *ones)
    scale = 8 * UNIT[layer["dtype"]]
    return {k: None if total[k] is None else scale * np.sqrt(np.maximum(np.round(count[k]), 0)) * total[k]
            for k in RESULTS}
