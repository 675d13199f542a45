#!/usr/bin/env python3
"""Writes docs/benchmarks.md and docs/charts/*.svg from what `cargo bench` left. Python 3, nothing else.

    cargo bench -p certcheck-benches [--features openssl] && benches/report.py
"""

import datetime
import html
import json
import math
import os
import platform
import re
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
DOCS = HERE.parent / "docs"
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent / "target"))

FLOOR = "floor, any certificate accepted"
KNOWN = "certcheck, known client"
SEEN = "certcheck, first seen"
NOBODY = "no client certificate"
WEBPKI = "WebPkiClientVerifier, no CRL"
MILLION = "WebPkiClientVerifier, CRL of 10^6"
SIGNATURE = "one signature of P-256 verified"
CHECK_KNOWN = "check of a known client, amid handshakes"
CHECK_SEEN = "check of one first seen, amid handshakes"
ALONE = {SIGNATURE, CHECK_KNOWN, CHECK_SEEN}
ORDER = [NOBODY, FLOOR, KNOWN, SEEN, WEBPKI]


def criterion():
    """Medians in nanoseconds: {group: {case: median}}."""
    groups = {}
    for file in sorted((TARGET / "criterion").glob("**/new/estimates.json")):
        names = json.loads((file.parent / "benchmark.json").read_text())
        case = ", ".join(part for part in (names["function_id"], names["value_str"]) if part)
        median = json.loads(file.read_text())["median"]["point_estimate"]
        groups.setdefault(names["group_id"], {})[case] = median
    return groups


def in_turn(name):
    """A table that the handshake benchmark kept, in an order for reading."""
    file = TARGET / "tmp" / f"{name}.tsv"
    if not file.exists():
        return {}
    rows = dict(line.split("\t") for line in file.read_text().splitlines())
    rank = {case: at for at, case in enumerate(ORDER)}
    cases = sorted(rows, key=lambda case: rank.get(case, len(ORDER)))
    return {case: float(rows[case]) for case in cases}


def said(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def machine():
    """What the figures depend on, and nothing that names the machine."""
    cpu = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    system = re.search(r'^PRETTY_NAME="(.*)"$', Path("/etc/os-release").read_text(), re.M)
    return [
        ("processor", f"{cpu.group(1) if cpu else platform.machine()}, {os.cpu_count()} cores"),
        ("system", f"{system.group(1) if system else platform.system()}, Linux {platform.release().split('-')[0]}"),
        ("compiler", " ".join(said("rustc", "--version").split()[:2])),
        ("date", datetime.date.today().isoformat()),
    ]


def figure(value):
    """Three digits that count, thousands apart."""
    if value >= 100:
        digits = max(0, len(str(int(value))) - 3)
        return f"{round(value, -digits):,.0f}".replace(",", " ")
    return f"{value:.3g}"


def time(ns):
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if ns >= size:
            return f"{figure(ns / size)} {unit}"
    return f"{figure(ns)} ns"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def chart(name, title, rows, show, log=False):
    """Bars, one a row: (label, value, whether it is ours). Grey and blue can be read on white and on black."""
    left, wide, high, right = 300, 330, 26, 90
    most, least = max(value for _, value, _ in rows), min(value for _, value, _ in rows)
    base = 10 ** (math.floor(math.log10(least)) - 1) if log else 0

    def length(value):
        part = math.log10(value / base) / math.log10(most / base) if log else value / most
        return max(1, round(part * wide))

    size = (left + wide + right, 40 + high * len(rows))
    text = 'fill="#808890" font-family="sans-serif" font-size="13"'
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size[0]}" height="{size[1]}" '
        f'viewBox="0 0 {size[0]} {size[1]}" role="img">',
        f"<title>{html.escape(title)}</title>",
        f'<text x="8" y="20" {text} font-weight="bold">{html.escape(title)}{" (log scale)" if log else ""}</text>',
    ]
    for at, (label, value, is_ours) in enumerate(rows):
        top = 34 + at * high
        out += [
            f'<text x="{left - 8}" y="{top + 15}" {text} text-anchor="end">{html.escape(label)}</text>',
            f'<rect x="{left}" y="{top + 2}" width="{length(value)}" height="{high - 8}" rx="2" '
            f'fill="{"#3d8bd9" if is_ours else "#9aa0a6"}"/>',
            f'<text x="{left + length(value) + 6}" y="{top + 15}" {text}>{html.escape(show(value))}</text>',
        ]
    (DOCS / "charts").mkdir(parents=True, exist_ok=True)
    (DOCS / "charts" / f"{name}.svg").write_text("\n".join(out + ["</svg>", ""]))
    return f"![{title}](charts/{name}.svg)\n"


def bars(rows):
    return [(case, value, case.startswith("certcheck")) for case, value in rows.items()]


def versus(rows, base, show):
    """Rows with a figure and what it is to that of `base`."""
    return [(case, show(value), f"{value / rows[base]:.2f}") for case, value in rows.items()]


def microseconds(value):
    return time(value * 1e3)


def handshakes():
    rows = in_turn("handshake-tls13")
    if not rows:
        return
    yield "## What does a handshake cost the server?\n"
    yield (
        "TLS 1.3 in memory, only the server's time: P-256, X25519, ring, no resumption. The client presents its certificate and "
        "that of its CA. certcheck has the CRLs of CA (10^6 entries) and root in memory, and OCSP about the known client, under "
        "hard-fail. The floor accepts any certificate and verifies the handshake signature. Medians of rounds in which "
        "each server has its turn.\n"
    )
    whole = {case: value for case, value in rows.items() if case not in ALONE}
    yield table(("server", "time", "to the floor"), versus(whole, FLOOR, microseconds))
    yield chart("handshake", "Server's time for a TLS 1.3 handshake", bars(whole), microseconds, log=True)
    yield "Alone, in the same rounds, with the caches as a handshake leaves them:\n"
    yield table(("part", "time"), [(case, microseconds(rows[case])) for case in rows if case in ALONE])
    known, seen, floor = rows[KNOWN], rows[SEEN], rows[FLOOR]
    above = seen - floor - rows[SIGNATURE]
    yield table(
        ("target", "measured", "met"),
        [
            ("known client within 3% of the floor", f"{(known / floor - 1) * 100:+.1f}%", verdict(known <= 1.03 * floor)),
            (
                "first seen: floor, one signature, at most 5 us",
                f"{above:+.1f} us beyond floor and signature ({rows[SIGNATURE]:.1f} us)",
                verdict(above <= 5),
            ),
            ("first seen: below WebPki without CRL", f"{seen / rows[WEBPKI]:.2f} of it", verdict(seen < rows[WEBPKI])),
        ],
    )
    if rows := in_turn("handshake-tls12"):
        yield "TLS 1.2:\n"
        yield table(("server", "time", "to the floor"), versus(rows, FLOOR, microseconds))
    if rows := in_turn("handshake-acceptor"):
        (_, floor), (_, acceptor) = sorted(rows.items(), key=lambda row: row[0].startswith("certcheck"))
        yield f"`Acceptor` compared with tokio-rustls, with client and pipe: {acceptor - floor:+.1f} us.\n"
        yield table(("both sides", "time"), [(case, microseconds(value)) for case, value in rows.items()])


def verdict(is_met):
    return "yes" if is_met else "**no**"


def rates():
    one, two = in_turn("rate-one-thread"), in_turn("rate-two-threads")
    if not one or not two:
        return
    yield "## How many handshakes a second?\n"
    yield (
        "By the median time of their servers, in the best of 15 turns, which was disturbed least; each thread has clients "
        "of its own, whose time does not count.\n"
    )
    head = ("server", "one thread", "to WebPki, no CRL", "two threads", "to WebPki, no CRL", "two to one")
    row = lambda case: (
        *(text for all in (one, two) for text in (figure(all[case]), f"{all[case] / all[WEBPKI]:.2f}")),
        f"{two[case] / one[case]:.2f}",
    )
    yield table(head, [(case, *row(case)) for case in one])
    yield chart("rate", "Handshakes a second, two threads", bars(two), figure, log=True)
    ratio = min(all[KNOWN] / all[WEBPKI] for all in (one, two))
    large = min(all[KNOWN] / all[MILLION] for all in (one, two))
    yield table(
        ("target", "measured", "met"),
        [
            ("known client at least 1.5 times WebPki without CRL", f"{ratio:.2f}", verdict(ratio >= 1.5)),
            ("at least 180 times WebPki with 10^6 entries", f"{large:.0f}", verdict(large >= 180)),
        ],
    )


# What is asked, the group of criterion that answers, and the case that the others are compared with.
GROUPS = [
    ("What does OpenSSL need for the same check?", "what OpenSSL needs for the same check", "no CRL"),
    ("What does a path of P-256 cost?", "path P-256", "webpki, 1"),
    ("What does a path of RSA-2048 cost?", "path RSA-2048", "webpki, 1"),
    ("What does a path cost without its signatures?", "overhead", "webpki, 1"),
    ("How fast is a CRL loaded?", "crl ingest", "SHA-256, the floor, 1000000"),
    ("How fast is a serial looked up?", "crl lookup", None),
    ("What do statuses add?", "a path of three", "without revocation"),
    ("What does an OCSP response cost?", "ocsp", "its signature alone"),
    ("What does a check cost for a known client?", "a client that is known", None),
    ("What does a check cost for a new client?", "a client seen for the first time", None),
    ("What does a check cost for a new client of a known kind?", "first seen, P-256", None),
    ("And without its signature?", "first seen, signatures that always verify", None),
]
CHARTS = {"path P-256": False, "crl ingest": True, "what OpenSSL needs for the same check": True}


def others(groups):
    for question, group, base in GROUPS:
        rows = groups.get(group)
        if not rows:
            continue
        yield f"## {question}\n"
        if base in rows:
            rows = {base: rows[base], **rows}
            yield table(("case", "time", f"to {base}"), versus(rows, base, time))
        else:
            yield table(("case", "time"), [(case, time(value)) for case, value in rows.items()])
        if group in CHARTS:
            name = re.sub(r"\W+", "-", group.lower())
            yield chart(name, question.rstrip("?"), bars(rows), time, log=CHARTS[group])


def hostile(groups):
    rows = groups.get("hostile")
    if not rows:
        return
    yield "## What can 64 KiB of hostile chain cost?\n"
    yield (
        "Chains made to cost as much as they can (`crates/certcheck-testkit/src/hostile.rs`): what anyone may send before "
        "possession of a key is proved, and what a constrained CA below the anchor may add.\n"
    )
    worst = sorted(rows.items(), key=lambda row: -row[1])
    yield table(("chain", "time"), [(case, time(value)) for case, value in worst])
    limit = 20e6
    yield table(
        ("target", "measured", "met"),
        [("no verdict over 20 ms", time(worst[0][1]), verdict(worst[0][1] <= limit))],
    )


def main():
    page = [
        "# Benchmarks\n",
        "Made by `benches/report.py` from `cargo bench -p certcheck-benches` (with `--features openssl` if its headers "
        "are installed). Absolute figures differ between machines and hours: compare only within a table.\n",
        table(("", ""), machine()),
        *handshakes(),
        *rates(),
        *others(criterion()),
        *hostile(criterion()),
    ]
    DOCS.mkdir(exist_ok=True)
    (DOCS / "benchmarks.md").write_text("\n".join(page))


if __name__ == "__main__":
    main()
