"""Throughput of an upload to each kind of storage, against the client library's plain `put` of the same bytes.

*Upload* is everything after encoding: parts, digest, staging, publishing. *With encoding* begins with rows. *Parts* is the
library's own upload of parts as large as ours. Each is of new objects; *replacing* is the same into the place of those just
written. *Digest* is the SHA-256 of the bytes alone, which ours has and a plain `put` into a folder has not. The clouds are
played by moto, Azurite and the tests' stand-in for Google, each on this machine: what is compared is what our way costs
beside the library's, not the clouds. The stand-in also plays S3, whose requests are the same where objects are put and fetched, and keeps parts
as they came, as the clouds do.

Ends with 1 when the upload of a large new object is slower than nine tenths of plain `put`. With moto, of the library's parts:
moto copies and digests the whole object once more when its parts are complete, whoever sent them, and is all that runs then.
"""

import argparse
import base64
import datetime
import hashlib
import hmac
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

from measure import DATA, TARGET, machine, median, programs, run, table

# The account that every Azurite has; its key is public.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
LEAST_RATIO = 0.9
LARGE_MB = 64
# Ways as `programs upload` names them, and as the table does.
RATIOS = {
    ("ours", "plain"): ("upload", "plain"),
    ("ours", "parts"): ("upload", "parts"),
    ("ours_again", "plain_again"): ("replacing", "plain"),
    ("ours_again", "parts_again"): ("replacing", "parts"),
    ("rows", "plain"): ("with encoding", "plain"),
}

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--megabytes", type=int, nargs="+", default=[16, 128])
parser.add_argument("--rounds", type=int, default=5)
options = parser.parse_args()


def tool(variable, default):
    return pathlib.Path(os.environ.get(variable) or TARGET / "test-tools" / default)


def free_port():
    with socket.socket() as any_port:
        any_port.bind(("127.0.0.1", 0))
        return any_port.getsockname()[1]


def put(url, headers):
    urllib.request.urlopen(urllib.request.Request(url, b"", headers, method="PUT"))


def started(command, port):
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return process
        except OSError:
            time.sleep(0.05)
    sys.exit(f"{command[0]} does not answer")


def folder(place):
    return None, str(place / "lake"), {}


def s3(place):
    program = tool("HALO_EXTRACT_TEST_MOTO", "bin/moto_server")
    port = free_port()
    server = started([program, "-H", "127.0.0.1", "-p", port], port)
    put(f"http://127.0.0.1:{port}/lake", {})
    return server, "s3://lake/bench", s3_variables(port)


def s3_variables(port):
    return {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT": f"http://127.0.0.1:{port}",
        "AWS_ALLOW_HTTP": "true",
    }


def azure(place):
    program = tool("HALO_EXTRACT_TEST_AZURITE", "npm/node_modules/.bin/azurite-blob")
    port = free_port()
    options = ["--silent", "--disableTelemetry", "--skipApiVersionCheck", "--blobHost", "127.0.0.1"]
    server = started([program, *options, "--blobPort", port, "--location", place], port)
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%a, %d %b %Y %H:%M:%S GMT")
    version = "2021-08-06"
    blank = "\n" * 12
    to_sign = f"PUT{blank}x-ms-date:{now}\nx-ms-version:{version}\n/{ACCOUNT}/{ACCOUNT}/lake\nrestype:container"
    signature = base64.b64encode(hmac.new(base64.b64decode(KEY), to_sign.encode(), hashlib.sha256).digest()).decode()
    headers = {"x-ms-date": now, "x-ms-version": version, "Authorization": f"SharedKey {ACCOUNT}:{signature}", "Content-Type": ""}
    put(f"http://127.0.0.1:{port}/{ACCOUNT}/lake?restype=container", headers)
    return server, "az://lake/bench", {
        "AZURE_STORAGE_ACCOUNT_NAME": ACCOUNT,
        "AZURE_STORAGE_ACCOUNT_KEY": KEY,
        "AZURE_STORAGE_ENDPOINT": f"http://127.0.0.1:{port}/{ACCOUNT}",
        "AZURE_ALLOW_HTTP": "true",
    }


def stub():
    server = subprocess.Popen([str(programs()), "google"], stdout=subprocess.PIPE, text=True)
    return server, server.stdout.readline().strip()


def s3_stub(place):
    server, port = stub()
    # The benchmark tidies up by removals that both clouds know.
    return server, "s3://lake/bench", s3_variables(port) | {"AWS_DISABLE_BULK_DELETE": "true"}


def google(place):
    server, port = stub()
    key = (
        f'{{"gcs_base_url":"http://127.0.0.1:{port}","disable_oauth":true,"client_email":"","private_key":"","private_key_id":""}}'
    )
    return server, "gs://lake/bench", {"GOOGLE_SERVICE_ACCOUNT_KEY": key, "GOOGLE_ALLOW_HTTP": "true"}


print(machine(), "\n")
DATA.mkdir(parents=True, exist_ok=True)
rows, broken = [], []
stores = {"folder": folder, "S3 (moto)": s3, "S3 (stub)": s3_stub, "Azure (Azurite)": azure, "Google (stub)": google}
for name, start in stores.items():
    with tempfile.TemporaryDirectory(dir=DATA) as place:
        server, address, environment = start(pathlib.Path(place))
        try:
            if server is None:
                pathlib.Path(address).mkdir()
            for megabytes in options.megabytes:
                told = run([programs(), "upload", address, megabytes, options.rounds], environment).told
                size = told["size_bytes"] / 1e6
                rates = [size / median(told[way]) for way in ("rows", "ours", "plain", "parts", "digest")]
                ratios = [median(other / took for took, other in zip(told[way], told[held_to])) for way, held_to in RATIOS]
                rows.append(
                    [name, f"{size:.0f}", *(f"{rate:.0f}" for rate in rates), *(f"{ratio:.2f}" for ratio in ratios)]
                )
                held_to = ("ours", "parts") if start is s3 else ("ours", "plain")
                ratio = dict(zip(RATIOS, ratios))[held_to]
                if megabytes > LARGE_MB and ratio < LEAST_RATIO:
                    broken.append(f"{name}: {ratio:.2f}")
        finally:
            if server is not None:
                server.terminate()
                server.wait()
rates = ["with encoding MB/s", "upload MB/s", "plain put MB/s", "parts MB/s", "digest MB/s"]
titles = [f"{way} ÷ {held_to}" for way, held_to in RATIOS.values()]
table(["storage", "MB", *rates, *titles], rows)
print(f"upload at least {LEAST_RATIO} of what it is held to above {LARGE_MB} MB: {'; '.join(broken) or 'kept'}")
sys.exit(1 if broken else 0)
