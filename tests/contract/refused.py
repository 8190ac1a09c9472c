"""Fails unless a proxy refuses an answer outside the specification: refused.py READY PROXY

Makes the simulator give a site an availability that nobody has announced, and asks for the site through the
proxy, which has to answer with a failure of its own.
"""

import json
import sys
import urllib.error
import urllib.request


def main(ready_file, proxy):
    with open(ready_file, encoding="utf-8") as file:
        ready = json.load(file)
    for rule in [{"kind": "offline"}, {"kind": "wire", "unknown_values": True}]:
        request = urllib.request.Request(f"{ready['url']}/simulator/faults", data=json.dumps(rule).encode())
        urllib.request.urlopen(request, timeout=30).close()
    request = urllib.request.Request(f"{proxy}/integrator/sites/{ready['sites'][0]['halo_guid']}")
    request.add_header("Ocp-Apim-Subscription-Key", ready["subscription_key"])
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            sys.exit(f"the proxy let an unknown availability through: {answer.status} {answer.read()[:300]}")
    except urllib.error.HTTPError as refusal:
        if refusal.code != 500:
            raise
        print("an answer outside of the specification was refused, as it has to be")


main(*sys.argv[1:])
