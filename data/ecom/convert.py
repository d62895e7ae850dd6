#!/usr/bin/env python3
"""Converts ecom.csv.gz to Segment-style calls, one JSON object a line, in order of time.

Standard library only; the same input gives the same lines. Usage:

    python3 convert.py [INPUT.csv.gz [OUTPUT.ndjson.gz]]     default: beside this file; OUTPUT `-`: plain, to stdout

What becomes of a row is told in README.md.
"""

import csv
import gzip
import json
import pathlib
import sys


def call(number, row):
    """The call of a row; `number` counts the rows of the input from 1."""
    return {
        "messageId": f"ecom-{number:05}",
        "type": "track",
        "event": row["event"],
        "anonymousId": row["user_id"],
        "timestamp": row["timestamp"].replace(" ", "T") + ".000Z",
        "properties": {
            "session_id": row["session_id"],
            "platform": row["platform"],
            "lifecycle": row["user_lifecycle"],
            "cohort": row["user_cohort"],
        },
        "context": {"channel": row["acquisition_channel"]},
    }


def lines(path):
    """All calls as lines, in order of time; rows of one second stay in the order of the input."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as rows:
        calls = [call(number, row) for number, row in enumerate(csv.DictReader(rows), 1)]
    calls.sort(key=lambda one: one["timestamp"])
    return "".join(json.dumps(one, separators=(",", ":")) + "\n" for one in calls).encode()


def main(arguments):
    here = pathlib.Path(__file__).resolve().parent
    source = arguments[0] if arguments else here / "ecom.csv.gz"
    target = arguments[1] if len(arguments) > 1 else here / "ecom.ndjson.gz"
    text = lines(source)
    if target == "-":
        sys.stdout.buffer.write(text)
        return
    # No name and no time in the header: the same text, the same file.
    with open(target, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed:
        packed.write(text)


if __name__ == "__main__":
    main(sys.argv[1:])
