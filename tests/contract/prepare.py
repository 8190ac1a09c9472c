"""Gives schemathesis something to find: prepare.py READY FOLDER.

Runs queries of every kind on the simulator that wrote READY, and writes a schemathesis configuration for each
kind into FOLDER, whose path parameters name one such query. Without them every generated identifier would be
unknown, and only 404 be tested.
"""

import json
import sys
import time
import urllib.request


def main(ready_file, output_folder):
    with open(ready_file, encoding="utf-8") as file:
        ready = json.load(file)
    queries = f"{ready['url']}/integrator/sites/{ready['sites'][0]['halo_guid']}/queries"

    def ask(method, path, body=None):
        request = urllib.request.Request(queries + path, method=method)
        request.add_header("Ocp-Apim-Subscription-Key", ready["subscription_key"])
        if body is not None:
            request.add_header("Content-Type", "application/json")
            request.data = json.dumps(body).encode()
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def until(path, status):
        deadline = time.monotonic() + 30
        while (answer := ask("GET", path))["status"] not in status:
            if time.monotonic() > deadline:
                sys.exit(f"{path} did not come to {status}: {answer}")
            time.sleep(0.01)
        return answer

    command = {"command": {"text": "SELECT value AS n FROM GENERATE_SERIES(1, 100)"}}
    done = ask("POST", "/async", command)["id"]
    until(f"/{done}", ["successful"])
    failed = ask("POST", "/async", {"command": {"text": "SELECT * FROM NOWHERE"}})["id"]
    until(f"/{failed}", ["executionFailed"])
    immediate = ask("POST", "/immediate", command)["id"]
    registration = {"name": "probe", "registeredQueryType": "query", "frequency": 60, "duration": 86400}
    registered = ask("POST", "/registered", registration | {"registerCommand": command})["id"]
    while ask("GET", f"/registered/{registered}")["metrics"]["executionSucceededCount"] == 0:
        time.sleep(0.01)

    site = ready["sites"][0]
    for kind, query in {"done": done, "failed": failed, "immediate": immediate, "registered": registered}.items():
        lines = [
            f'base-url = "{ready["url"]}"',
            "[parameters]",
            f'"path.siteId" = "{site["halo_guid"]}"',
            f'"path.queryId" = "{query}"',
            '"path.pageNumber" = 1',
            f'"query.practiceManagementSiteId" = "{site["pms_id"]}"',
            f'"query.practiceManagementName" = "{site["pms_name"]}"',
            f'"query.pairingCode" = "{site["pairing_code"]}"',
        ]
        with open(f"{output_folder}/{kind}.toml", "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")


main(*sys.argv[1:])
