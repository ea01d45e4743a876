"""Rows of crategen's preset `metrics` into CrateDB, as one writes it in Python with what Python brings along.

threads.py URL STATEMENT ROWS BATCH IN_FLIGHT RUN_ID: so many threads, each makes a batch, posts it over its own
connection and reads the reply before it makes the next; prints one line of JSON. Numbers are drawn as plain-rows.ts
draws them.
"""

import json
import math
import random
import sys
import threading
import time
from http.client import HTTPConnection
from urllib.parse import urlsplit

HOSTS = 1000
CENTRES_PER_REGION = 3
RACKS_PER_CENTRE = 12
# 2026-01-01, as workload.ts has it.
TIME_ORIGIN_MS = 1_767_225_600_000
STEP_MS = 10_000
DAY_MS = 86_400_000
# CrateDB answers within 60 s or not at all.
TIMEOUT_SECONDS = 90

REGIONS = ["ap-northeast", "ap-southeast", "eu-central", "eu-north", "eu-west", "sa-east", "us-east", "us-west"]
# Name, team, operating system.
SERVICES = [
    ("billing", "payments", "Debian 13"),
    ("checkout", "payments", "Debian 13"),
    ("ledger", "payments", "RHEL 10"),
    ("catalog", "shop", "Ubuntu 24.04"),
    ("search", "shop", "Ubuntu 24.04"),
    ("recommend", "shop", "Ubuntu 26.04"),
    ("gateway", "platform", "Alpine 3.22"),
    ("identity", "platform", "Debian 13"),
    ("queue", "platform", "Debian 13"),
    ("warehouse", "data", "RHEL 10"),
    ("ingest", "data", "Debian 13"),
    ("telemetry", "data", "Ubuntu 26.04"),
]
ENVIRONMENTS = ["production", "production", "production", "staging", "test"]


def make_host(host):
    """The tags of a machine, and the levels that its numbers move about."""
    region = random.choice(REGIONS)
    datacenter = f"{region}-{random.randint(1, CENTRES_PER_REGION)}"
    service, team, system = random.choice(SERVICES)
    tags = {
        "arch": random.choice(["arm64", "x86_64", "x86_64", "x86_64"]),
        "datacenter": datacenter,
        "hostname": f"{service}-{host:04}.{datacenter}",
        "os": system,
        "rack": f"{datacenter}-r{random.randint(1, RACKS_PER_CENTRE):02}",
        "region": region,
        "service": service,
        "service_environment": random.choice(ENVIRONMENTS),
        "service_version": f"{random.randint(1, 6)}.{random.randrange(30)}.{random.randrange(9)}",
        "team": team,
    }
    return tags, random.randint(2, 30), random.randint(1, 8), random.randint(0, 3)


def make_row(hosts, run_id, seq):
    """One machine after the other reports, then all of them again ten seconds later."""
    tags, user_level, system_level, guest_level = hosts[seq % HOSTS]
    ts = TIME_ORIGIN_MS + seq // HOSTS * STEP_MS
    wave = 1 + math.sin(2 * math.pi * (ts % DAY_MS) / DAY_MS)
    spike = 7 if random.random() < 0.002 else 0
    user = user_level + round(7 * wave) + random.randint(0, 13) + spike
    system = system_level + round(2 * wave) + random.randint(0, 5)
    nice = random.randint(0, 2)
    iowait = random.randint(0, 7) + round(wave / 2)
    irq = random.randint(0, 2)
    softirq = random.randint(0, 2) + round(wave / 2)
    steal = random.randint(0, 3)
    idle = 100 - user - system - nice - iowait - irq - softirq - steal
    guest = guest_level + random.randint(0, 4)
    guest_nice = random.randint(0, 2)
    return [
        run_id, seq, tags, ts, user, system, idle, nice, iowait, irq, softirq, steal, guest, guest_nice,
    ]  # fmt: skip


class Job:
    """What the threads share."""

    def __init__(self, url, statement, rows, batch, run_id):
        self.node = urlsplit(url).netloc
        self.statement = statement
        self.rows = rows
        self.batch = batch
        self.run_id = run_id
        self.hosts = [make_host(host) for host in range(HOSTS)]
        self.lock = threading.Lock()
        self.next = 0
        self.stored = 0
        self.errors = []

    def take(self):
        """The rows that nobody has taken yet, a batch of them."""
        with self.lock:
            first = self.next
            self.next = min(first + self.batch, self.rows)
            return range(first, self.next)

    def run(self):
        try:
            self.insert()
        except Exception as error:
            self.errors.append(error)

    def insert(self):
        connection = HTTPConnection(self.node, timeout=TIMEOUT_SECONDS)
        while rows := self.take():
            args = [make_row(self.hosts, self.run_id, seq) for seq in rows]
            body = json.dumps({"stmt": self.statement, "bulk_args": args})
            connection.request("POST", "/_sql", body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            text = response.read()
            if response.status != 200:
                raise RuntimeError(f"{response.status}: {text[:200]}")
            stored = sum(1 for result in json.loads(text)["results"] if result["rowcount"] == 1)
            with self.lock:
                self.stored += stored
        connection.close()


def main():
    url, statement, rows, batch, in_flight, run_id = sys.argv[1:]
    job = Job(url, statement, int(rows), int(batch), run_id)
    threads = [threading.Thread(target=job.run) for _ in range(int(in_flight))]
    cpu_before, started = time.process_time(), time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall_seconds, cpu_seconds = time.monotonic() - started, time.process_time() - cpu_before
    if job.errors:
        raise job.errors[0]
    print(json.dumps({"stored": job.stored, "cpuSeconds": cpu_seconds, "wallSeconds": wall_seconds}))


main()
