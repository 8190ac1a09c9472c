"""Fails unless the endpoints of a simulator were answered with success at least once: answered.py URL [NAMES...]

A name may be several with commas between, of which one suffices. Without names, every endpoint of the
specification is meant. A comparison in which everything was refused would say nothing.
"""

import json
import sys
import urllib.request

EVERY = [
    "pair", "sites", "site", "immediate", "async", "status", "status_batch", "page", "stream", "registered_create",
    "registered_list", "registered_show", "registered_results", "registered_cancel",
]


def main(url, *names):
    with urllib.request.urlopen(f"{url}/simulator/counters", timeout=30) as answer:
        counted = json.load(answer)

    def succeeded(endpoint):
        tallies = [site[endpoint]["answered"] for site in counted.values() if endpoint in site]
        return sum(count for tally in tallies for status, count in tally.items() if status.startswith("2"))

    names = names or EVERY
    print("successes:", ", ".join(f"{name} {sum(map(succeeded, name.split(',')))}" for name in names))
    missing = [name for name in names if not any(map(succeeded, name.split(",")))]
    if missing:
        sys.exit(f"never answered with success, so not compared: {', '.join(missing)}")


main(*sys.argv[1:])
