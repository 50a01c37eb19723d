# SPDX-License-Identifier: BSD-3-Clause
"""gallery.py write|check FALTUNG: docs/gallery.md and the pictures in docs/gallery, from the table below.

`write` makes all of them with the command FALTUNG; `check` makes them again elsewhere and says what differs.
The bytes of a GIF depend on the versions of cairo and giflib too, so only those of SVG are compared.
"""
import pathlib
import shlex
import subprocess
import sys
import tempfile
import textwrap

ROOT = pathlib.Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "gallery"
MOST_BYTES = 1_600_000

HEAD = """# Gallery

Every picture here was made by the command under it, from parameters and numbers alone: `make gallery` makes
them again. Another configuration is another option; `-o` also takes .png, .pdf and, for `animate`, .gif.
`--theme dark` and `--theme print` (greys and hatches), `--transparent` and `--scale` change the looks,
`--step` the moment, `--data` the numbers.

Those that move are SVG without scripts: opened by themselves (click on one) they can be paused and stepped
through, also from the keyboard, and where less motion is asked for they stand still.
"""

# (section, text) or (file, title, command without -o, text)
TABLE = [
    ("What everybody knows",
     "The configurations of V. Dumoulin and F. Visin, *A guide to convolution arithmetic for deep learning* "
     "(2016), with labels, indices, numbers and the size formula."),
    ("no-padding.svg", "No padding, stride 1",
     "animate conv --input-size 4 --kernel 3", ""),
    ("arbitrary-padding.svg", "Arbitrary padding",
     "draw conv --input-size 5 --kernel 4 --padding 2", ""),
    ("half-padding.svg", "Half padding: the size stays",
     "animate conv --input-size 5 --kernel 3 --padding 1", ""),
    ("full-padding.svg", "Full padding: every overlap counts",
     "draw conv --input-size 5 --kernel 3 --padding full", ""),
    ("strides.svg", "Stride 2",
     "animate conv --input-size 5 --kernel 3 --stride 2", ""),
    ("padding-strides.svg", "Padding and stride 2",
     "animate conv --input-size 5 --kernel 3 --stride 2 --padding 1", ""),
    ("padding-strides-odd.svg", "Padding and stride 2, even input",
     "draw conv --input-size 6 --kernel 3 --stride 2 --padding 1 --step 8",
     "The last row and column of padding are never read: that is what the floor in the formula drops."),
    ("dilation.svg", "Dilation 2",
     "animate conv --input-size 7 --kernel 3 --dilation 2", ""),
    ("Their transposed twins",
     "A transposed convolution maps the sizes back. Seen from its result it is a convolution over an input "
     "with zeros between its cells and around it; its padding crops."),
    ("no-padding-transposed.svg", "No padding, stride 1, transposed",
     "animate conv-transpose --input-size 2 --kernel 3", ""),
    ("arbitrary-padding-transposed.svg", "Arbitrary padding, transposed",
     "draw conv-transpose --input-size 6 --kernel 4 --padding 2", ""),
    ("half-padding-transposed.svg", "Half padding, transposed",
     "draw conv-transpose --input-size 5 --kernel 3 --padding 1 --step 12", ""),
    ("full-padding-transposed.svg", "Full padding, transposed",
     "draw conv-transpose --input-size 7 --kernel 3 --padding 2 --step 24", ""),
    ("strides-transposed.svg", "Stride 2, transposed",
     "animate conv-transpose --input-size 2 --kernel 3 --stride 2", ""),
    ("padding-strides-transposed.svg", "Padding and stride 2, transposed",
     "animate conv-transpose --input-size 3 --kernel 3 --stride 2 --padding 1", ""),
    ("padding-strides-odd-transposed.svg", "Padding and stride 2 to an even size",
     "animate conv-transpose --input-size 3 --kernel 3 --stride 2 --padding 1 --output-padding 1", ""),
    ("What nobody drew", ""),
    ("asymmetric-padding.svg", "Asymmetric padding",
     "draw conv --input-size 5,6 --kernel 3 --padding 0:2,2:0 --stride 2,1 --step 7",
     "Every axis has its own begin and end, size, kernel and stride. TensorFlow's SAME pads like this when "
     "the stride does not divide."),
    ("crop.svg", "Negative padding crops",
     "draw conv --input-size 6 --kernel 3 --padding -1:0", ""),
    ("reflect.svg", "Reflected border",
     "draw conv --input-size 4 --kernel 3 --padding 2 --padding-mode reflect --data ramp --step 7",
     "A copy wears the colour of its source and its index."),
    ("circular.svg", "Circular border",
     "draw conv --input-size 4 --kernel 3 --padding 1 --padding-mode circular --data ramp", ""),
    ("output-padding-0.svg", "What output padding chooses: 5 ...",
     "draw conv --input-size 5 --kernel 3 --stride 2 --padding 1 --view coverage",
     "Two input sizes of a convolution with stride 2 give one result size ..."),
    ("output-padding-1.svg", "... or 6",
     "draw conv --input-size 6 --kernel 3 --stride 2 --padding 1 --view coverage",
     "... because the floor in the formula drops the half step: where the smaller input has padding, the "
     "last window reads the last row of the larger one. The transposed convolution is told by its output "
     "padding which of the two it shall return. It adds no zeros to the result: the row it adds is computed like the "
     "others."),
    ("scatter.svg", "Transposed, as it is computed",
     "animate conv-transpose '[[1,2],[3,4]]' '[[1,2,1],[2,4,2],[1,2,1]]' --stride 2 --view scatter",
     "Every input spreads a copy of the kernel; where copies overlap they add."),
    ("transposed-dilation.svg", "Transposed with dilation",
     "draw conv-transpose --input-size 3 --kernel 3 --stride 2 --dilation 2 --step 24", ""),
    ("groups-1.svg", "Channels: one group",
     "draw conv --input 1,4,3,3 --weight 4,4,2,2", "Every result channel reads every input channel."),
    ("groups-2.svg", "Two groups",
     "draw conv --input 1,4,3,3 --weight 4,2,2,2 --groups 2", "Groups do not mix."),
    ("depthwise.svg", "Depthwise: as many groups as channels",
     "draw conv --input 1,4,3,3 --weight 4,1,2,2 --groups 4", ""),
    ("grad-input.svg", "The gradient that reaches the input",
     "draw grad-input --input-size 5 --kernel 3 --stride 2 --padding 1 --step 6",
     "It is the transposed convolution: the same taps, read the other way."),
    ("grad-weight.svg", "The gradient of the weight",
     "draw grad-weight --input-size 5 --kernel 3 --stride 2 --padding 1 --step 4",
     "Stride and dilation change their parts: the gradient of the result steps over the input."),
    ("grad-input-transposed.svg", "The gradient through a transposed convolution",
     "draw grad-input --transposed --input-size 3 --kernel 3 --stride 2 --padding 1 --output-padding 1 "
     "--step 4",
     "It is the convolution: what was spread is gathered again."),
    ("deformable.svg", "Deformable: where the taps read",
     "draw deform-conv --input 1,1,6,6 --weight 1,1,3,3 --step 5",
     "Every tap has an offset of its own and reads between the cells."),
    ("causal.svg", "A causal signal filter",
     "draw conv --input-size 8 --kernel 3 --spatial 1 --dilation 2 --padding causal --step 5", ""),
    ("volume.svg", "Three axes, as slices",
     "draw conv --input-size 3,3,4 --kernel 2 --step 5", ""),
    ("fold.svg", "Folding adds where windows overlap",
     "draw fold --output-size 3 --kernel 2 --data ramp", ""),
    ("matrix.svg", "The kernel as a matrix, and its transpose",
     "draw conv --input-size 4 --kernel 3 --view matrix",
     "A convolution is a matrix with few different entries; the transposed convolution multiplies by its "
     "transpose, which is no inverse."),
    ("im2col-nhwc.svg", "im2col, channels last",
     "draw conv --input 1,4,4,2 --weight 2,2,2,3 --layout nhwc --view im2col --step 4",
     "Every window is a row, every kernel a column: the convolution is one product of matrices."),
    ("im2col-groups.svg", "im2col with two groups",
     "draw conv --input 1,4,3,3 --weight 4,2,2,2 --groups 2 --view im2col --step 2", ""),
    ("bilinear.svg", "Bilinear up-sampling is a transposed convolution",
     "draw upsample '[[1,2],[3,4]]' --stride 2", ""),
    ("wavenet.svg", "A WaveNet stack",
     "draw stack --layers \"k2p1:0 k2d2p2:0 k2d4p4:0 k2d8p8:0\" --input-size 16 --step 15",
     "Causal layers with doubled dilation: four of them see sixteen samples, each along one path."),
    ("receptive-field.svg", "A receptive field",
     "draw stack --layers \"k3s2p1 k3p1 k3p1\" --input-size 15", ""),
    ("checkerboard.svg", "Where checkerboards come from",
     "draw conv-transpose --input-size 4 --kernel 3 --stride 2 --view coverage",
     "The number of taps that reach a result changes from cell to cell when the stride does not divide the "
     "kernel."),
    ("no-checkerboard.svg", "The remedy",
     "draw conv-transpose --input-size 4 --kernel 4 --stride 2 --padding 1 --view coverage", ""),
    ("tile.svg", "Tiles of a matrix are a view",
     "draw tile --tile 2,3", ""),
    ("max-pool.svg", "Maximum pooling",
     "draw max-pool --input-size 4 --kernel 2", ""),
    ("adaptive-pool.svg", "Adaptive pooling",
     "draw adaptive-avg-pool --input-size 5,7 --output-size 3,4 --step 5",
     "The windows follow from the sizes: they may overlap, and differ by one."),
    ("max-unpool.svg", "Maxima back to where they stood",
     "animate max-unpool --input-size 2 --kernel 2", ""),
    ("Larger than numbers can be read",
     "`--heatmap` draws colours instead of numbers; beside every grid stands the scale."),
    ("impulse.svg", "An impulse shows the kernel",
     "draw conv --input-size 21 --kernel 9 --padding same --data impulse --step 220 --heatmap",
     "The response to a single 1 is the kernel, reversed: what neural networks call convolution does not "
     "flip it. `--flip-kernel` does."),
    ("matrix-heatmap.svg", "The kernel matrix of an 8x8 image",
     "draw conv --input-size 8 --kernel 3 --padding 1 --stride 2 --view matrix --heatmap",
     "Blocks of diagonals: a Toeplitz matrix of Toeplitz matrices, of which the stride skips rows."),
    ("coverage-heatmap.svg", "A checkerboard from afar",
     "draw conv-transpose --input-size 8 --kernel 5 --stride 3 --view coverage --heatmap", ""),
    ("Where no SVG can be shown", ""),
    ("padding-strides.gif", "Padding and stride 2 as a GIF",
     "animate conv --input-size 5 --kernel 3 --stride 2 --padding 1 --scale 1 --seconds 0.7",
     "`--transparent` leaves the paper out."),
    ("On other paper",
     "`--theme print` needs no colours; a PDF holds vectors and text that can be searched."),
    ("dark.svg", "In the dark",
     "draw conv --input-size 4 --kernel 3 --padding 1 --padding-mode replicate --theme dark --step 4", ""),
    ("print.svg", "In greys",
     "draw conv --input-size 5 --kernel 3 --stride 2 --padding 1 --theme print --step 4", ""),
]


def fill(text):
    return textwrap.fill(text, 110)


def page():
    """The text of docs/gallery.md."""
    parts = [HEAD]
    for row in TABLE:
        if len(row) == 2:
            parts.append(f"## {row[0]}\n" + (f"\n{fill(row[1])}\n" if row[1] else ""))
        else:
            file, title, command, text = row
            parts.append(f"### {title}\n\n" + (f"{fill(text)}\n\n" if text else "") +
                         f"[![{title}](gallery/{file})](gallery/{file})\n\n"
                         f"    faltung {command} -o {file}\n")
    return "\n".join(parts)


def make(faltung, folder):
    """Runs every command in an empty folder; returns what went wrong."""
    wrong = []
    for row in TABLE:
        if len(row) != 4:
            continue
        words = [faltung, *shlex.split(row[2]), "-f", "-o", row[0]]
        if row[2].startswith("animate"):
            words += ["--still", "still.svg"]
        result = subprocess.run(words, cwd=folder, check=False, capture_output=True, text=True)
        if result.returncode != 0:
            wrong.append(f"{row[0]}: {result.stderr.strip()}")
    (pathlib.Path(folder) / "still.svg").unlink(missing_ok=True)
    return wrong


def compare(folder):
    """What differs between new pictures and those of the tree."""
    made = {path.name: path.read_bytes() for path in pathlib.Path(folder).iterdir()}
    kept = {path.name: path.read_bytes() for path in FOLDER.iterdir()}
    wrong = [f"{name}: docs/gallery does not have it" for name in sorted(made.keys() - kept.keys())]
    wrong += [f"{name}: no command makes it" for name in sorted(kept.keys() - made.keys())]
    wrong += [f"{name}: is another picture now" for name in sorted(made.keys() & kept.keys())
              if name.endswith(".svg") and made[name] != kept[name]]
    if page() != (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8"):
        wrong.append("docs/gallery.md: not what tools/gallery.py writes")
    size = sum(map(len, made.values()))
    if size > MOST_BYTES:
        wrong.append(f"{size} bytes of pictures, more than {MOST_BYTES}")
    return wrong


def main():
    action, faltung = sys.argv[1], str(pathlib.Path(sys.argv[2]).resolve())
    with tempfile.TemporaryDirectory() as folder:
        wrong = make(faltung, folder)
        if action == "check":
            wrong += compare(folder)
        elif not wrong:
            FOLDER.mkdir(exist_ok=True)
            for path in FOLDER.iterdir():
                path.unlink()
            for path in pathlib.Path(folder).iterdir():
                (FOLDER / path.name).write_bytes(path.read_bytes())
            (ROOT / "docs" / "gallery.md").write_text(page(), encoding="utf-8")
    print("\n".join(wrong), end="\n" if wrong else "")
    if wrong and action == "check":
        print("`make gallery` makes them again")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
