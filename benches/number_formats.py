"""The formats in which a model's file keeps its matrices: half floats, and ggml's blocks of whole numbers with a scale.

A block is 32 numbers in a row (ggml-common.h: block_q8_0, block_q5_0, block_q5_1), packed as whisper.cpp's own program does it.
"""

from dataclasses import dataclass

import numpy as np

BLOCK = 32
HALF = BLOCK // 2
# the fifth bits of all, then the lower four: the first half's in a byte's lower half, the second half's in its upper one
FIVE_BITS = [("fifth", "<u4"), ("lower", "u1", HALF)]
Q8_0 = np.dtype([("scale", "<f2"), ("numbers", "i1", BLOCK)])
Q5_0 = np.dtype([("scale", "<f2"), *FIVE_BITS])
Q5_1 = np.dtype([("scale", "<f2"), ("least", "<f2"), *FIVE_BITS])


@dataclass(frozen=True)
class Format:
    """Its number in the file's head (which holds the version of the quantisation, 2, as thousands), and in a tensor's."""

    file: int
    tensor: int


FORMATS = {"f16": Format(1, 1), "q8_0": Format(2007, 8), "q5_0": Format(2008, 6), "q5_1": Format(2009, 7)}
# by the number of a tensor
BLOCKS = {6: Q5_0, 7: Q5_1, 8: Q8_0}
# how many numbers lie together in so many bytes
BYTES = {0: (1, 4), 1: (1, 2)} | {kind: (BLOCK, block.itemsize) for kind, block in BLOCKS.items()}


def packed(values, name):
    """The bytes of a matrix in a format."""
    if name == "f16":
        return values.astype("<f2").tobytes()
    blocks = values.astype(np.float32).reshape(-1, BLOCK)
    largest = np.take_along_axis(blocks, np.abs(blocks).argmax(axis=1, keepdims=True), axis=1)
    least = blocks.min(axis=1, keepdims=True)
    if name == "q8_0":
        scale = np.abs(largest) / 127
        out = np.empty(len(blocks), Q8_0)
        out["numbers"] = np.rint(steps(blocks, scale))
    elif name == "q5_0":
        scale = largest / -16
        out = five_bits(Q5_0, steps(blocks, scale) + 16.5)
    else:
        scale = (blocks.max(axis=1, keepdims=True) - least) / 31
        out = five_bits(Q5_1, steps(blocks - least, scale) + 0.5)
        out["least"] = least[:, 0]
    out["scale"] = scale[:, 0]
    return out.tobytes()


def steps(blocks, scale):
    return np.divide(blocks, scale, out=np.zeros_like(blocks), where=scale != 0)


def five_bits(block, numbers):
    numbers = np.clip(numbers, 0, 31).astype(np.uint32)
    out = np.empty(len(numbers), block)
    out["fifth"] = ((numbers >> 4) << np.arange(BLOCK, dtype=np.uint32)).sum(axis=1)
    out["lower"] = (numbers[:, :HALF] & 15) | (numbers[:, HALF:] & 15) << 4
    return out


def unpacked(data, kind):
    """The numbers again, by the number of a tensor."""
    if kind in (0, 1):
        return np.frombuffer(data, ("<f4", "<f2")[kind]).astype(np.float32)
    blocks = np.frombuffer(data, BLOCKS[kind])
    scale = blocks["scale"].astype(np.float32)[:, None]
    if kind == 8:
        return (scale * blocks["numbers"]).ravel()
    fifth = (blocks["fifth"][:, None] >> np.arange(BLOCK, dtype=np.uint32)) & 1
    lower = np.concatenate([blocks["lower"] & 15, blocks["lower"] >> 4], axis=1)
    numbers = (lower + 16 * fifth).astype(np.float32)
    if kind == 6:
        return (scale * (numbers - 16)).ravel()
    return (scale * numbers + blocks["least"].astype(np.float32)[:, None]).ravel()
