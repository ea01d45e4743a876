//! Rows of crategen's preset `metrics` as one writes them in Rust in an afternoon: a struct with derived
//! serialisation, tags made beforehand, numbers drawn as plain-rows.ts draws them. A yardstick, not a contest.
use std::f64::consts::TAU;
use std::time::Instant;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use serde::Serialize;

const HOSTS: usize = 1000;
const CENTRES_PER_REGION: usize = 3;
const RACKS_PER_CENTRE: usize = 12;
/// 2026-01-01, as workload.ts has it.
const TIME_ORIGIN_MS: u64 = 1_767_225_600_000;
const STEP_MS: u64 = 10_000;
const DAY_MS: u64 = 86_400_000;

const REGIONS: [&str; 8] = [
  "ap-northeast",
  "ap-southeast",
  "eu-central",
  "eu-north",
  "eu-west",
  "sa-east",
  "us-east",
  "us-west",
];
/// Name, team, operating system.
const SERVICES: [(&str, &str, &str); 12] = [
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
];
const ENVIRONMENTS: [&str; 5] = ["production", "production", "production", "staging", "test"];

#[derive(Serialize)]
pub struct Tags {
  arch: String,
  datacenter: String,
  hostname: String,
  os: String,
  rack: String,
  region: String,
  service: String,
  service_environment: String,
  service_version: String,
  team: String,
}

/// A machine: what it is called, and the levels its numbers move about.
pub struct Host {
  tags: Tags,
  user: i32,
  system: i32,
  guest: i32,
}

/// The arguments of one row, in the order of the table's columns: an array in JSON.
#[derive(Serialize)]
pub struct Row<'a>(
  &'a str,  // run_id
  u64,      // seq
  &'a Tags, // tags
  u64,      // ts
  i32,      // usage_user
  i32,      // usage_system
  i32,      // usage_idle
  i32,      // usage_nice
  i32,      // usage_iowait
  i32,      // usage_irq
  i32,      // usage_softirq
  i32,      // usage_steal
  i32,      // usage_guest
  i32,      // usage_guest_nice
);

/// A request body.
#[derive(Serialize)]
pub struct Batch<'a> {
  pub stmt: &'a str,
  pub bulk_args: &'a [Row<'a>],
}

fn pick<T: Copy>(random: &mut SmallRng, list: &[T]) -> T {
  list[random.random_range(0..list.len())]
}

/// The same machines every time.
pub fn make_hosts() -> Vec<Host> {
  let random = &mut SmallRng::seed_from_u64(0);
  let racks: Vec<[&str; 2]> = (0..REGIONS.len() * CENTRES_PER_REGION * RACKS_PER_CENTRE)
    .map(|rack| {
      let region = REGIONS[rack / (CENTRES_PER_REGION * RACKS_PER_CENTRE)];
      [region, pick(random, &["arm64", "x86_64", "x86_64", "x86_64"])]
    })
    .collect();
  let majors = SERVICES.map(|_| random.random_range(1..=6));
  (0..HOSTS)
    .map(|host| make_host(random, host, &racks, &majors))
    .collect()
}

fn make_host(random: &mut SmallRng, host: usize, racks: &[[&str; 2]], majors: &[u32]) -> Host {
  let place = random.random_range(0..racks.len());
  let [region, arch] = racks[place];
  let datacenter = format!("{region}-{}", 1 + place / RACKS_PER_CENTRE % CENTRES_PER_REGION);
  let kind = random.random_range(0..SERVICES.len());
  let (service, team, os) = SERVICES[kind];
  Host {
    tags: Tags {
      arch: arch.to_string(),
      hostname: format!("{service}-{host:04}.{datacenter}"),
      os: os.to_string(),
      rack: format!("{datacenter}-r{:02}", 1 + place % RACKS_PER_CENTRE),
      datacenter,
      region: region.to_string(),
      service: service.to_string(),
      service_environment: pick(random, &ENVIRONMENTS).to_string(),
      service_version: format!(
        "{}.{}.{}",
        majors[kind],
        random.random_range(0..30),
        random.random_range(0..9)
      ),
      team: team.to_string(),
    },
    user: random.random_range(2..=30),
    system: random.random_range(1..=8),
    guest: random.random_range(0..=3),
  }
}

/// Row `seq`: one machine after the other reports, then all of them again ten seconds later.
pub fn make_row<'a>(random: &mut SmallRng, hosts: &'a [Host], run_id: &'a str, seq: u64) -> Row<'a> {
  let count = hosts.len() as u64;
  let host = &hosts[(seq % count) as usize];
  let ts = TIME_ORIGIN_MS + seq / count * STEP_MS;
  let wave = 1.0 + (TAU * (ts % DAY_MS) as f64 / DAY_MS as f64).sin();
  let spike = if random.random_bool(0.002) { 7 } else { 0 };
  let user = host.user + (7.0 * wave).round() as i32 + random.random_range(0..=13) + spike;
  let system = host.system + (2.0 * wave).round() as i32 + random.random_range(0..=5);
  let nice = random.random_range(0..=2);
  let iowait = random.random_range(0..=7) + (wave / 2.0).round() as i32;
  let irq = random.random_range(0..=2);
  let softirq = random.random_range(0..=2) + (wave / 2.0).round() as i32;
  let steal = random.random_range(0..=3);
  let idle = 100 - user - system - nice - iowait - irq - softirq - steal;
  let guest = host.guest + random.random_range(0..=4);
  let guest_nice = random.random_range(0..=2);
  Row(
    run_id, seq, &host.tags, ts, user, system, idle, nice, iowait, irq, softirq, steal, guest, guest_nice,
  )
}

/// What a stretch of work took: CPU of the whole process, and time on the clock.
pub struct Meter {
  cpu_seconds: f64,
  started: Instant,
}

impl Meter {
  pub fn start() -> Self {
    Meter {
      cpu_seconds: cpu_seconds(),
      started: Instant::now(),
    }
  }

  /// CPU seconds, then seconds on the clock.
  pub fn read(&self) -> (f64, f64) {
    (
      cpu_seconds() - self.cpu_seconds,
      self.started.elapsed().as_secs_f64(),
    )
  }
}

fn cpu_seconds() -> f64 {
  // SAFETY: all zeroes are a valid rusage, and getrusage writes nothing else than it.
  let usage = unsafe {
    let mut usage: libc::rusage = std::mem::zeroed();
    libc::getrusage(libc::RUSAGE_SELF, &mut usage);
    usage
  };
  let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
  seconds(usage.ru_utime) + seconds(usage.ru_stime)
}
