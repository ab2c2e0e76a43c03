#!/usr/bin/env python3
"""Speech models of the true shapes with random weights, as files of whisper.cpp: as slow as real ones, and nonsense.

  benches/gen_random_ggml.py make base base.bin                  a new model, 105 words a window
  benches/gen_random_ggml.py make base base.bin --format q8_0    the same in 8 bit numbers
  benches/gen_random_ggml.py program base.bin 42 12.0            42 words a window from now on, which end after 12 s
  benches/gen_random_ggml.py convert any.bin any-q8_0.bin --format q8_0    any model in another format

How many words a model finds decides how long it takes, so that is programmed: every layer keeps its full cost, but its
numbers are small beside the decoder's positional embedding, and the one of position p is the embedding of the token that
is wanted after p. A window comes out as <|0.00|>, N words, <|seconds|>, end of text, each with a probability near 1, so
that no try fails and is repeated. Three ways to ask lead there:

  [sot, language, task]                     the first token is the one after position 2
  [sot, language, task, no timestamps]      the first one is after position 3, so the words are the same; where the
                                            closing timestamp is forbidden the second best token is the end of text
  [previous, words before, sot, ...]        later windows of one call: the first is after 3 + as many as were before

The vocabulary and the filters are lent by models/ggml-test-de.bin, the words by our own German texts, each a token long.
Needs numpy (Debian: python3-numpy).
"""

import argparse
import json
import re
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from number_formats import BYTES, FORMATS, packed, unpacked

ROOT = Path(__file__).resolve().parent.parent
LENDER = ROOT / "models/ggml-test-de.bin"
TEXTS = ("tests/data/recordings/manifest.jsonl", "tests/corpus/dev-voicemail.jsonl")
# vocabulary, width, heads, encoder layers, decoder layers, mel bands
SHAPES = {
    "mini": (51865, 192, 3, 3, 3, 80),
    "tiny": (51865, 384, 6, 4, 4, 80),
    "base": (51865, 512, 8, 6, 6, 80),
    "small": (51865, 768, 12, 12, 12, 80),
    "medium": (51865, 1024, 16, 24, 24, 80),
    "large-v3": (51866, 1280, 20, 32, 32, 128),
    "large-v3-turbo": (51866, 1280, 20, 32, 4, 128),
}
MAGIC = 0x67676D6C
AUDIO_POSITIONS, TEXT_POSITIONS = 1500, 448
END_OF_TEXT = 50257
# how far the positional embedding stands above everything else
GAIN = 20.0
# the share of the end of text where a timestamp is wanted: enough to be second, too little to be first
SECOND_BEST = 0.6
# whisper.cpp takes along no more tokens of the windows before
MOST_BEFORE = TEXT_POSITIONS // 2 - 1


def lent():
    """Mel filters and tokens of the small model in the repository."""
    data = LENDER.read_bytes()
    at = 48
    bands, bins = struct.unpack_from("<ii", data, at)
    at += 8
    filters = np.frombuffer(data, "<f4", bands * bins, at).reshape(bands, bins)
    at += 4 * bands * bins
    (count,) = struct.unpack_from("<i", data, at)
    at += 4
    tokens = []
    for _ in range(count):
        (length,) = struct.unpack_from("<I", data, at)
        tokens.append(data[at + 4 : at + 4 + length])
        at += 4 + length
    return filters, tokens


def words(tokens):
    """Numbers of the tokens that are whole German words of our own texts, shuffled, always in the same way."""
    said = set()
    for file in TEXTS:
        for line in (ROOT / file).read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            if record["expect"]["language"] == "de":
                said.update(re.findall(r"[A-Za-zÄÖÜäöüß]{4,}", record["text"]))
    whole = {f" {word}".encode() for word in said}
    numbers = [number for number, token in enumerate(tokens) if token in whole]
    return np.random.default_rng(7).permutation(numbers)


def wanted(vocabulary, tokens, per_window, seconds):
    """For every position the token wanted after it and the second best."""
    first = np.resize(words(tokens), TEXT_POSITIONS)
    second = first.copy()
    timestamps = vocabulary - 1501
    closing = timestamps + round(seconds / 0.02)
    before = per_window + 2
    for taken in (0, before, 2 * before):
        start = 2 if taken == 0 else 3 + min(taken, MOST_BEFORE)
        for at, token, other in (
            # the window before may end here, where its next timestamp is forbidden
            (0, timestamps, END_OF_TEXT),
            (per_window + 1, closing, END_OF_TEXT),
            (per_window + 2, END_OF_TEXT, END_OF_TEXT),
        ):
            if start + at < TEXT_POSITIONS:
                first[start + at], second[start + at] = token, other
    return first, second


def positions(first, second):
    """The decoder's positional embedding from the rows of the token embedding."""
    rows = first + np.where((first != second).any(axis=1, keepdims=True), SECOND_BEST * second, 0)
    rows = rows - rows.mean(axis=1, keepdims=True)
    return (GAIN * rows / rows.std(axis=1, keepdims=True)).astype("<f4")


def slaney(bands):
    """The mel filters of the models with more bands than the lender has."""

    def mel(hertz):
        hertz = np.asarray(hertz, float)
        above = 15 + np.log(np.maximum(hertz, 1e-9) / 1000) / (np.log(6.4) / 27)
        return np.where(hertz >= 1000, above, hertz / (200 / 3))

    def hertz(mel):
        return np.where(mel >= 15, 1000 * np.exp(np.log(6.4) / 27 * (mel - 15)), mel * (200 / 3))

    edges = hertz(np.linspace(mel(0), mel(8000), bands + 2))
    distance = edges[:, None] - np.fft.rfftfreq(400, 1 / 16000)[None]
    width = np.diff(edges)
    triangles = np.maximum(0, np.minimum(-distance[:-2] / width[:-1, None], distance[2:] / width[1:, None]))
    return triangles * (2 / (edges[2:] - edges[:-2]))[:, None]


class Model:
    """A model file that is being written, its matrices in a format."""

    def __init__(self, file, number_format):
        self.file = file
        self.number_format = number_format
        self.random = np.random.default_rng(1)
        # drawing every number anew would take minutes; nobody looks at them
        self.drawn = self.random.standard_normal(1 << 22, dtype=np.float32)

    def noise(self, *shape, scale=0.02):
        return np.resize(self.drawn, shape) * np.float32(scale)

    def tensor(self, name, values, half=False):
        if not half:
            kind, data = 0, values.astype("<f4").tobytes()
        else:
            # what has three dimensions stays as it is
            number_format = self.number_format if values.ndim == 2 else "f16"
            kind, data = FORMATS[number_format].tensor, packed(values, number_format)
        sizes = values.shape[::-1]
        head = struct.pack("<iii", values.ndim, len(name), kind) + struct.pack(f"<{len(sizes)}i", *sizes)
        self.file.write(head + name.encode() + data)

    def norm(self, name, width):
        self.tensor(f"{name}.weight", np.ones(width))
        self.tensor(f"{name}.bias", self.noise(width))

    def linear(self, name, inputs, outputs, bias=True):
        self.tensor(f"{name}.weight", self.noise(outputs, inputs).astype("<f2"), half=True)
        if bias:
            self.tensor(f"{name}.bias", self.noise(outputs))

    def block(self, name, width, attentions):
        for attention in attentions:
            self.norm(f"{name}.{attention}_ln", width)
            for part in ("query", "key", "value", "out"):
                self.linear(f"{name}.{attention}.{part}", width, width, bias=part != "key")
        self.norm(f"{name}.mlp_ln", width)
        self.linear(f"{name}.mlp.0", width, 4 * width)
        self.linear(f"{name}.mlp.2", 4 * width, width)


def make(shape, path, number_format="f16"):
    """Writes a new model; a file that is there is whole."""
    part = Path(f"{path}.part")
    with part.open("wb") as file:
        write(Model(file, number_format), *SHAPES[shape])
    part.rename(path)
    program(path, 105, 30.0)


def write(model, vocabulary, width, heads, encoders, decoders, bands):
    filters, tokens = lent()
    filters = filters if len(filters) == bands else slaney(bands)
    head = (MAGIC, vocabulary, AUDIO_POSITIONS, width, heads, encoders, TEXT_POSITIONS, width, heads, decoders, bands)
    head += (FORMATS[model.number_format].file,)
    model.file.write(struct.pack("<12i", *head) + struct.pack("<ii", *filters.shape) + filters.astype("<f4").tobytes())
    model.file.write(struct.pack("<i", len(tokens)))
    for token in tokens:
        model.file.write(struct.pack("<I", len(token)) + token)
    model.tensor("encoder.positional_embedding", model.noise(AUDIO_POSITIONS, width, scale=0.5))
    model.tensor("encoder.conv1.weight", model.noise(width, bands, 3, scale=0.05), half=True)
    model.tensor("encoder.conv1.bias", model.noise(width, 1))
    model.tensor("encoder.conv2.weight", model.noise(width, width, 3), half=True)
    model.tensor("encoder.conv2.bias", model.noise(width, 1))
    for layer in range(encoders):
        model.block(f"encoder.blocks.{layer}", width, ("attn",))
    model.norm("encoder.ln_post", width)
    model.tensor("decoder.positional_embedding", np.zeros((TEXT_POSITIONS, width)))
    embedding = model.random.standard_normal((vocabulary, width), dtype=np.float32) * np.float32(1.2 / np.sqrt(width))
    model.tensor("decoder.token_embedding.weight", embedding.astype("<f2"), half=True)
    for layer in range(decoders):
        model.block(f"decoder.blocks.{layer}", width, ("attn", "cross_attn"))
    model.tensor("decoder.ln.weight", np.ones(width))
    model.tensor("decoder.ln.bias", np.zeros(width))


@dataclass(frozen=True)
class Place:
    """Where a tensor's numbers begin, how many bytes they are, its number of a format, and its sizes."""

    at: int
    bytes: int
    kind: int
    sizes: tuple


def tensors(file):
    """The place of each tensor, by its name; the first one begins where `file` stands afterwards."""
    bands, bins = struct.unpack("<ii", (file.seek(48), file.read(8))[1])
    file.seek(4 * bands * bins, 1)
    (count,) = struct.unpack("<i", file.read(4))
    for _ in range(count):
        file.seek(struct.unpack("<I", file.read(4))[0], 1)
    first, found = file.tell(), {}
    while head := file.read(12):
        dimensions, length, kind = struct.unpack("<iii", head)
        sizes = struct.unpack(f"<{dimensions}i", file.read(4 * dimensions))
        name = file.read(length).decode()
        together, size = BYTES[kind]
        found[name] = Place(file.tell(), int(np.prod(sizes)) // together * size, kind, sizes)
        file.seek(found[name].bytes, 1)
    file.seek(first)
    return found


def program(path, per_window, seconds):
    """Lets a model find so many words in every window from now on, the last of which ends after so many seconds."""
    if not 1 <= per_window <= TEXT_POSITIONS // 2 - 4:
        raise ValueError(f"{per_window} words: whisper.cpp takes 1 to {TEXT_POSITIONS // 2 - 4} in a window")
    _, tokens = lent()
    with open(path, "r+b") as file:
        vocabulary, _, _ = struct.unpack("<3i", (file.seek(4), file.read(12))[1])
        places = tensors(file)
        embedding = places["decoder.token_embedding.weight"]
        length = embedding.bytes // vocabulary

        def row(token):
            file.seek(embedding.at + int(token) * length)
            return unpacked(file.read(length), embedding.kind)

        first, second = (np.stack([row(token) for token in each]) for each in wanted(vocabulary, tokens, per_window, seconds))
        file.seek(places["decoder.positional_embedding"].at)
        file.write(positions(first, second).tobytes())


def convert(source, path, number_format):
    """Writes any model's matrices in another format: out of f16 what whisper.cpp's own quantising makes of it."""
    part = Path(f"{path}.part")
    with open(source, "rb") as file, part.open("wb") as out:
        places = tensors(file)
        first = file.tell()
        head = (file.seek(0), file.read(first))[1]
        out.write(head[:44] + struct.pack("<i", FORMATS[number_format].file) + head[48:])
        model = Model(out, number_format)
        for name, place in places.items():
            values = unpacked((file.seek(place.at), file.read(place.bytes))[1], place.kind)
            model.tensor(name, values.reshape(place.sizes[::-1]), half=place.kind != 0)
    part.rename(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("make", help="write a new model")
    making.add_argument("shape", choices=SHAPES)
    making.add_argument("path", type=Path)
    making.add_argument("--format", choices=FORMATS, default="f16")
    converting = commands.add_parser("convert", help="write a model in another format")
    converting.add_argument("source", type=Path)
    converting.add_argument("path", type=Path)
    converting.add_argument("--format", choices=FORMATS, required=True)
    programming = commands.add_parser("program", help="set how many words a window has")
    programming.add_argument("path", type=Path)
    programming.add_argument("words", type=int)
    programming.add_argument("seconds", type=float)
    options = parser.parse_args()
    if options.command == "make":
        make(options.shape, options.path, options.format)
    elif options.command == "convert":
        convert(options.source, options.path, options.format)
    else:
        program(options.path, options.words, options.seconds)


if __name__ == "__main__":
    main()
