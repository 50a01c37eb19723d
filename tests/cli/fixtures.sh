# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
# fixtures.sh: makes, in the current folder, the files that the examples of the help texts speak of.
faltung generate random --shape 1,3,32,32 --low 0 -o photo.png
faltung generate random --shape 1,3,8,8 -o x.npy
faltung generate random --shape 16,3,3,3 --seed 2 -o w.npy
faltung generate random --shape 16 --seed 3 -o b.npy
faltung generate random --shape 1,16,6,6 --seed 4 -o gy.npy
faltung generate random --shape 16,3,3,3 --seed 5 -o weights.npz:conv1
