"""The two programs that scripts/bench-transcribe measures, and the sounds it gives them."""

import json
import re
import struct
import subprocess
import sys
import time
import tomllib
import wave
from dataclasses import dataclass
from pathlib import Path

import gen_random_ggml as models

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "target/bench"
RECORDINGS = ROOT / "tests/data/recordings"
PRODUCT = ROOT / "target/release/nachtwache"
DEFAULTS = WORK / "defaults/release/defaults"
# spoken: as many words a second as people leave on an answering machine, each a token
WORDS_A_SECOND = 3.5
WINDOW = 30
RATE = 16_000


class Trouble(Exception):
    """Something that ends the run, in words for whoever started it."""


def note(text):
    print(text, file=sys.stderr, flush=True)


def build():
    """Both programs, in release, each from the folder whose build settings are meant for it."""
    for name, folder in (("nachtwache", ROOT), ("the recogniser's defaults", ROOT / "benches/defaults")):
        note(f"building {name} ...")
        if subprocess.run(["cargo", "build", "--release", "--locked", "--quiet"], cwd=folder).returncode:
            raise Trouble(f"could not build {name}")
    for name, target, tinyblas in (("nachtwache", ROOT / "target", "ON"), ("the defaults", WORK / "defaults", "OFF")):
        caches = target.glob("release/build/whisper-rs-sys-*/out/build/CMakeCache.txt")
        newest = max(caches, key=lambda cache: cache.stat().st_mtime, default=None)
        if newest and f"GGML_LLAMAFILE:BOOL={tinyblas}" not in newest.read_text():
            raise Trouble(f"{name}: built with another GGML_LLAMAFILE than {tinyblas}: is GGML_LLAMAFILE set in the environment?")


@dataclass
class Ran:
    """What a program said of each file, how long it ran as a whole (seconds), and its largest memory (MiB): that of the
    process that hears, and with the one that started it."""

    files: list
    wall: float
    peak: float
    together: float

    @property
    def seconds(self):
        return [file["seconds_taken"] for file in self.files]


def largest(pid):
    """The largest memory until now of a process and of each that it started (KiB)."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        children = [child for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return [0]
    found = re.search(r"VmHWM:\s+(\d+)", status)
    return sum(map(largest, children), [int(found[1]) if found else 0])


def run(command):
    """Runs a program to its end and watches its memory."""
    out, err = (open(WORK / name, "w+", encoding="utf-8") for name in ("out.txt", "err.txt"))
    with out, err:
        began = time.monotonic()
        process = subprocess.Popen([str(part) for part in command], stdout=out, stderr=err)
        alone = together = 0
        try:
            while process.poll() is None:
                each = largest(process.pid)
                alone, together = max(alone, *each), max(together, sum(each))
                try:
                    process.wait(0.05)
                except subprocess.TimeoutExpired:
                    pass
        finally:
            # nothing goes on after us; its own child dies with it
            process.kill()
            process.wait()
        wall = time.monotonic() - began
        out.seek(0), err.seek(0)
        if process.returncode:
            raise Trouble(f"{Path(command[0]).name} failed: {err.read()[-600:].strip()}")
        return out.read(), wall, alone / 1024, together / 1024


def run_defaults(model, files):
    out, wall, peak, _ = run([DEFAULTS, model, *files])
    *files, last = map(json.loads, out.splitlines())
    peak = max(peak, last["peak_kib"] / 1024)
    return Ran(files, wall, peak, peak)


def run_product(model, files, config):
    out, wall, peak, together = run([PRODUCT, "--config", config, "transcribe", "--json", "--model", model, *files])
    return Ran(json.loads(out), wall, peak, together)


def config(given, **changes):
    """A settings file for the measurements: what the given one says of the recogniser, no prompt, and the changes."""
    transcribe = tomllib.loads(Path(given).read_text(encoding="utf-8")).get("transcribe", {}) if given else {}
    transcribe |= {"prompt": "", "silence_limit_s": 3600, **changes}
    lines = [f"{key} = {json.dumps(value)}" for key, value in transcribe.items()]
    path = WORK / ("-".join(["config", *(f"{key}-{value}" for key, value in changes.items())]) + ".toml")
    path.write_text("\n".join(["[transcribe]", *lines, ""]), encoding="utf-8")
    return path


def model(shape, number_format="f16"):
    """The model of a shape in a format, made when it is first wanted."""
    path = WORK / f"models/{shape}-{number_format}.bin"
    if not path.exists():
        note(f"making a {shape} model of random weights in {number_format} ...")
        path.parent.mkdir(parents=True, exist_ok=True)
        models.make(shape, path, number_format)
    return path


def test_model(number_format):
    """The small model that knows our recordings' voices, in a format."""
    path = WORK / f"models/test-de-{number_format}.bin"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        models.convert(models.LENDER, path, number_format)
    return path


def manifest():
    lines = (RECORDINGS / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.strip()]


class Child:
    """The product's own process for sounds, asked as the service asks it (src/transcribe/child/protocol.rs)."""

    def __enter__(self):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen([PRODUCT, "child"], **pipes)
        self.version = self.hear()["version"]
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()

    def say(self, request):
        frame = json.dumps(request).encode()
        self.process.stdin.write(struct.pack("<I", len(frame)) + frame)
        self.process.stdin.flush()

    def hear(self):
        length = self.process.stdout.read(4)
        if len(length) < 4:
            raise Trouble("nachtwache child ended in the middle")
        return json.loads(self.process.stdout.read(struct.unpack("<I", length)[0]))

    def transcribe(self, jobs):
        """Lets it hear recordings at once, and gives the seconds until the last is written down."""
        began = time.monotonic()
        self.say({"ask": "transcribe", "jobs": jobs})
        left = len(jobs)
        while left:
            reply = self.hear()
            if reply["reply"] == "transcribed":
                if "Err" in reply["result"]:
                    raise Trouble(reply["result"]["Err"]["why"])
                left -= 1
            elif reply["reply"] == "refused":
                raise Trouble(reply["why"])
        return time.monotonic() - began


def messages_an_hour(model, sound, states, count):
    """How many messages of one kind are written down in an hour when so many wait, the model loaded."""
    job = {"path": str(sound), "name": sound.name, "model": str(model), "language": "de"}
    job |= {"states": states, "threads": 0, "second": True, "prompt": None}
    with Child() as child:
        if child.version < 3:
            raise Trouble("this build hears one message at a time")
        child.transcribe([job])
        return 3600 * count / child.transcribe([job] * count)


def decoded(recording):
    """A recording as the product decodes it: 16 kHz, mono, 16 bits, what the defaults' program reads."""
    to = WORK / f"sounds/{recording.stem}.wav"
    if not to.exists():
        to.parent.mkdir(parents=True, exist_ok=True)
        with Child() as child:
            child.say({"ask": "listen", "path": str(recording), "name": recording.name, "to": str(to)})
            reply = child.hear()
        if reply["reply"] != "listen":
            raise Trouble(f"could not decode {recording.name}: {reply}")
    return to


def sound(seconds):
    """So many seconds of our own recordings of speech, one after the other."""
    path = WORK / f"sounds/speech-{seconds}.wav"
    if not path.exists():
        spoken = [RECORDINGS / sample["file"] for sample in manifest() if sample["text"]]
        frames, at = b"", 0
        while len(frames) < seconds * RATE * 2:
            with wave.open(str(decoded(spoken[at % len(spoken)]))) as one:
                frames += one.readframes(one.getnframes())
            at += 1
        with wave.open(str(path), "wb") as out:
            out.setparams((1, 2, RATE, 0, "NONE", ""))
            out.writeframes(frames[: seconds * RATE * 2])
    return path


def program_for_defaults(model, seconds):
    """Lets a model find what a message of this length holds, window by window."""
    window = min(seconds, WINDOW)
    models.program(model, round(window * WORDS_A_SECOND), window)


def program_for_product(model, words, chunks, longest):
    """Lets a model find as many words over all chunks as the defaults found over all windows."""
    models.program(model, round(words / chunks), min(longest + 0.2, WINDOW))


def chunks(seconds, given):
    """Into how many chunks the product cuts the sound of this length, and how long the longest is (seconds)."""
    per_chunk = 42
    models.program(model("mini"), per_chunk, WINDOW)
    words = run_product(model("mini"), [sound(seconds)], config(given)).files[0]["transcript"]["words"]
    pieces = [words[at : at + per_chunk] for at in range(0, len(words), per_chunk)]
    if not pieces or len(pieces[-1]) != per_chunk:
        raise Trouble(f"{seconds} s: {len(words)} words are not {per_chunk} a chunk: a try failed or words were dropped")
    return len(pieces), max(piece[-1]["end_ms"] - piece[0]["start_ms"] for piece in pieces) / 1000
