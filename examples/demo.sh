#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# demo.sh COMMAND FOLDER: five layers on the photograph beside this file, with the command alone. Each
# is run and compared with the plain reference; the pictures are left in FOLDER. `make demo` calls it.
set -eu
faltung=$1 out=$2
photo=$(dirname "$0")/astronaut.png
mkdir -p "$out"

# One field of the one-line JSON that the command prints: shape of a tensor, text or number.
shape_of() { echo "$facts" | sed -n "s/.*\"$1\": *{[^}]*\"shape\": *\[\([^]]*\)\].*/\1/p" | tr -d ' '; }
text_of() { echo "$facts" | sed -n "s/^.*\"$1\": *\"\([^\"]*\)\".*/\1/p"; }
number_of() { echo "$facts" | sed -n "s/.*\"$1\": *\([-+.0-9eE]*\).*/\1/p"; }

# layer NAME RESULT ARGUMENTS...: runs `faltung ARGUMENTS`, leaves RESULT.npy, prints one row.
layer() {
    name=$1 result=$2
    shift 2
    facts=$("$faltung" "$@" -o "$out/$result.npy" --force --check --quiet --json)
    shapes="$(shape_of input) * $(shape_of weight) -> $(shape_of output)"
    milliseconds=$(number_of time_ns | awk '{ printf "%.2f", $1 / 1e6 }')
    gflops=$(number_of gflops | awk '{ printf "%.2f", $1 }')
    difference=$(number_of largest_difference | awk '{ printf "%.1e", $1 }')
    printf '%-22s %-42s %10s %9s  %s\n' "$name" "$shapes" "$milliseconds" "$gflops" "$difference"
    printf '%-22s %s\n' '' "$(text_of formula)"
}
# picture NAME SLICE: some channels of NAME.npy as a PNG.
picture() {
    "$faltung" view "$out/$1.npy" --slice ":,$2,:,:" -o "$out/$3.png" --force --quiet >/dev/null
}

# kernel SIZE EXPRESSION: a SIZE x SIZE literal; x and y run over -(SIZE-1)/2 .. (SIZE-1)/2. `sum` in
# front divides by the sum of all taps.
kernel() {
    awk -v n="$1" -v normal="$2" "BEGIN {
        for (i = 0; i < n; i++) for (j = 0; j < n; j++) {
            y = i - (n - 1) / 2; x = j - (n - 1) / 2; k[i, j] = $3; total += k[i, j]
        }
        for (i = 0; i < n; i++) for (j = 0; j < n; j++)
            printf \"%s%.9g\", (j ? \",\" : i ? \"],[\" : \"[[\"), k[i, j] / (normal ? total : 1)
        printf \"]]\"
    }"
}
# The same kernel for each of red, green and blue: a depthwise weight (3,1,k,k), with --groups 3.
for_each_colour() { echo "[[$1],[$1],[$1]]"; }

blur=$(for_each_colour "$(kernel 13 1 'exp(-(x*x + y*y) / (2 * 2.5 * 2.5))')")
halve=$(for_each_colour "$(kernel 4 1 '(2 - (x < 0 ? -x : x)) * (2 - (y < 0 ? -y : y))')")
double=$(for_each_colour "$(kernel 3 0 '(1 - (x < 0 ? -x : x) / 2) * (1 - (y < 0 ? -y : y) / 2)')")
# Sobel's derivative across and down of the brightness: red, green and blue weigh 0.3, 0.6, 0.1.
sobel() {
    echo "[$(kernel 3 0 "0.3 * $1 / 4"),$(kernel 3 0 "0.6 * $1 / 4"),$(kernel 3 0 "0.1 * $1 / 4")]"
}
edges="[$(sobel 'x * (2 - y*y)'),$(sobel 'y * (2 - x*x)')]"
weight=$out/random-weight.npy bias=$out/random-bias.npy
"$faltung" generate random --shape 16,3,3,3 --seed 1 --low -0.2 --high 0.2 -o "$weight" --force --quiet
"$faltung" generate constant --shape 16 --value 0.5 -o "$bias" --force --quiet

printf '%-22s %-42s %10s %9s  %s\n' 'layer' 'input * weight -> output' 'time, ms' 'GFLOP/s' 'difference'
printf '%-22s %s\n\n' '' 'size of an axis'
layer 'Gaussian blur' blurred conv "$photo" "$blur" --groups 3 --padding 6 --padding-mode replicate
layer 'Sobel edges' edges conv "$photo" "$edges" --bias '[0.5,0.5]' --padding 1 --padding-mode replicate
layer 'downsampling by 2' half conv "$photo" "$halve" --groups 3 --padding 1 --padding-mode replicate \
    --stride 2
layer 'upsampling by 2' double conv-transpose "$photo" "$double" --groups 3 --padding 1 --stride 2 \
    --output-size 1024
layer 'random layer 3 to 16' features conv "$photo" "$weight" --bias "$bias"

picture blurred 0:3 blurred
picture edges 0:1 edges-across
picture edges 1:2 edges-down
picture half 0:3 half
picture double 0:3 double
picture features 0:3 features
cat <<END

difference: the largest between the result and the plain reference, over all its elements.
The upsampling is a transposed convolution with the bilinear kernel: every pixel stays, new ones lie
between; the last row and column fade to the zeros outside. features.png shows 3 of 16 channels.

Pictures:
END
ls "$out"/*.png
