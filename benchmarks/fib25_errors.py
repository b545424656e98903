"""Where some errors of `fib25_train_ffn.tif` are, for those who correct them by mouse; places are z, y, x."""

from __future__ import annotations

Place = tuple[int, int, int]
# Neurons that the machine cut in two, as places inside both: the one that stays, what joins it.
CUT_IN_TWO: tuple[tuple[Place, Place], ...] = (
    ((6, 75, 92), (6, 90, 55)),
    ((7, 24, 132), (7, 20, 206)),
    ((149, 190, 164), (149, 123, 161)),
)
# Two neurons in one: a line between them, and a voxel of each.
LINE: tuple[Place, Place] = ((58, 106, 101), (58, 88, 110))
SIDES: tuple[Place, Place] = ((58, 81, 186), (58, 84, 88))
# Three neurons in one: places in each, in several sections.
THREE: tuple[tuple[Place, ...], ...] = (
    ((108, 11, 190), (106, 56, 176), (94, 37, 170), (104, 30, 186)),
    ((100, 25, 178), (101, 12, 175), (94, 31, 169), (96, 20, 170)),
    ((118, 71, 155), (107, 63, 172), (110, 71, 164)),
)
