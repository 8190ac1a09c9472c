"""Writes the official specification with overlays applied: patch_spec.py SPEC OUTPUT OVERLAY...

Each entry of an overlay names a place as a JSON Pointer, what stands there instead, and why. The place's
parent must exist, so that an overlay entry that a new release has made pointless is noticed.
"""

import json
import sys


def resolve(document, pointer):
    """The parent of the place that a JSON Pointer names, and the last key."""
    *path, last = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    for part in path:
        document = document[int(part)] if isinstance(document, list) else document[part]
    return document, last


def main(spec_file, output_file, *overlay_files):
    with open(spec_file, encoding="utf-8") as file:
        spec = json.load(file)
    overlay = []
    for overlay_file in overlay_files:
        with open(overlay_file, encoding="utf-8") as file:
            overlay += json.load(file)
    for entry in overlay:
        parent, key = resolve(spec, entry["at"])
        if parent.get(key) == entry["set"]:
            sys.exit(f"{entry['at']}: the specification says this itself by now; take the entry out of the overlay")
        parent[key] = entry["set"]
    with open(output_file, "w", encoding="utf-8") as file:
        json.dump(spec, file, indent=1)
    for entry in overlay:
        print(f"exception: {entry['at']}\n           {entry['why']}")


main(*sys.argv[1:])
