"""What scripts/bench-transcribe measured, as Markdown."""

BEGIN, END = "<!-- bench-transcribe: begin -->", "<!-- bench-transcribe: end -->"
# how many times faster than the defaults a message is meant to be
WANTED = {
    ("base", 12): 4.0,
    ("small", 12): 4.0,
    ("large-v3-turbo", 12): 4.0,
    ("base", 30): 2.5,
    ("small", 30): 2.0,
    ("base", 60): 3.0,
    ("small", 60): 2.4,
}
WANTED_THROUGHPUT, WANTED_BUSY, WANTED_OVERHEAD = 1.2, 2.5, 3.0


def table(heads, rows):
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def spread(values, digits=2):
    """Median, and between which values it lies."""
    median, least, most = (f"{values[key]:.{digits}f}" for key in ("median", "least", "most"))
    return median if values["n"] == 1 else f"{median} ({least}-{most})"


def against(value, wanted, below=False):
    """A figure, and what is wanted where it is missed."""
    if wanted is None or (value <= wanted if below else value >= wanted):
        return f"{value:.2f}"
    return f"**{value:.2f}**, wanted {wanted}"


def times(result):
    heads = ["model", "format", "s", "defaults, s", "with second decode, s", "times faster", "without, s", "times faster"]
    heads += ["peak MiB: defaults, with, without (with the program that starts it)", "words", "chunks"]
    rows = []
    for one in result:
        defaults, wanted = one["defaults"], WANTED.get((one["model"], one["length"]))
        doubts = "".join(f" (doubt: {doubt})" for doubt in one["doubts"])
        for number_format, ours in one["formats"].items():
            both, single = ours["with"], ours["without"]
            faster = [defaults["median"] / side["median"] for side in (both, single)]
            peaks = "{:.0f}, {:.0f}, {:.0f}".format(*(side["peak_mib"] for side in (defaults, both, single)))
            if max(both["peak_mib"], single["peak_mib"]) > defaults["peak_mib"]:
                peaks = f"**{peaks}**"
            peaks += " ({:.0f}, {:.0f})".format(*(side["together_mib"] for side in (both, single)))
            words = "{}, {}".format(defaults["words"], both["words"])
            row = [one["model"], number_format, one["length"], spread(defaults), spread(both), against(faster[0], wanted)]
            rows.append([*row, spread(single), against(faster[1], wanted), peaks, words + doubts, one["chunks"]])
    return "### Seconds a message, the model loaded\n\n" + table(heads, rows)


def throughput(result):
    heads = ["model", "format", "s", "one state", "one a core", "gain"]
    rows = []
    for one in result:
        gain = one["automatic"]["median"] / one["one"]["median"]
        rates = [spread(one[name], 0) for name in ("one", "automatic")]
        rows.append([one["model"], one["format"], one["length"], *rates, against(gain, WANTED_THROUGHPUT)])
    return "### Messages an hour\n\n" + table(heads, rows)


def busy(result):
    heads = ["model", "format", "idle, s", "every core busy, s", "times slower"]
    rows = []
    for one in result:
        slower = one["busy"]["median"] / one["idle"]["median"]
        row = [one["model"], one["format"], spread(one["idle"]), spread(one["busy"])]
        rows.append([*row, against(slower, WANTED_BUSY, below=True)])
    return "### A message of 12 s on a busy machine\n\n" + table(heads, rows)


def overhead(result, compared):
    taken = result["milliseconds"]
    text = f"### Everything but the model\n\n{taken:.1f} ms of a message of 30 s: decoding, speech, chunks, doubts, verdict"
    for one in compared:
        for number_format, ours in one["formats"].items() if one["length"] == 30 else ():
            share = against(taken / 10 / ours["with"]["median"], WANTED_OVERHEAD, below=True)
            text += f"; {share} % of its time with {one['model']} in {number_format}"
    return text + "."


def wer(result):
    heads = ["recordings", "n", "words", *result["made_up"]]
    rows = []
    for name, one in result["conditions"].items():
        rates = [f"{100 * errors / one['words']:.1f} %" for errors in one["errors"].values()]
        rows.append([name, one["n"], one["words"], *rates])
    made_up = ", ".join(f"{words} ({side})" for side, words in result["made_up"].items())
    title = "### Word errors with the small test model, the defaults with f16"
    return f"{title}\n\n{table(heads, rows)}\n\nWords where nobody speaks: {made_up}."


def machine(result):
    return (
        "{cpu}, {cores} cores, {memory_gib} GiB; commit {commit}, {date}; load {load_before} before and {load_after} after, "
        "{minutes:.0f} minutes in all."
    ).format(**result)


def markdown(result):
    """All that was measured."""
    parts = [machine(result["machine"])]
    compared = result.get("times", [])
    for name, show in (("times", times), ("throughput", throughput), ("busy", busy), ("overhead", None), ("wer", wer)):
        found = result.get(name)
        if not found:
            continue
        if "failed" in found:
            parts.append(f"### Not measured: {name}\n\n{found['failed']}")
        elif show:
            parts.append(show(found))
        else:
            parts.append(overhead(found, [] if "failed" in compared else compared))
    return "\n\n".join(parts)


def write(file, shown):
    """Writes the tables into a page, between its marks, or as a page of their own."""
    page = file.read_text(encoding="utf-8") if file.exists() else f"{BEGIN}\n{END}\n"
    if BEGIN not in page or END not in page:
        raise SystemExit(f"bench-transcribe: {file} has no marks {BEGIN} and {END}")
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    file.write_text(f"{before}{BEGIN}\n{shown}\n{END}{after}", encoding="utf-8")
