//! Makes request bodies and drops them: `generate ROWS BATCH STATEMENT`. Does it once to be warm, then again while
//! CPU time is counted, and prints one line of JSON.
use std::env::args;
use std::error::Error;

use rand::SeedableRng;
use rand::rngs::SmallRng;
use serde_json::json;
use yardstick::{Batch, Host, Meter, make_hosts, make_row};

fn main() -> Result<(), Box<dyn Error>> {
  let [rows, batch, statement] = args()
    .skip(1)
    .collect::<Vec<_>>()
    .try_into()
    .map_err(|_| "ROWS BATCH STATEMENT")?;
  let (rows, batch): (u64, u64) = (rows.parse()?, batch.parse()?);
  let hosts = make_hosts();
  let random = &mut SmallRng::seed_from_u64(1);
  make_bodies(random, &hosts, &statement, rows, batch)?;
  let meter = Meter::start();
  let body_bytes = make_bodies(random, &hosts, &statement, rows, batch)?;
  let (cpu_seconds, wall_seconds) = meter.read();
  println!(
    "{}",
    json!({ "rows": rows, "cpuSeconds": cpu_seconds, "wallSeconds": wall_seconds, "bodyBytes": body_bytes })
  );
  Ok(())
}

/// How many bytes the bodies have.
fn make_bodies(
  random: &mut SmallRng,
  hosts: &[Host],
  statement: &str,
  rows: u64,
  batch: u64,
) -> serde_json::Result<usize> {
  let mut args = Vec::new();
  let mut body = Vec::new();
  let mut bytes = 0;
  for first in (0..rows).step_by(batch as usize) {
    args.clear();
    args.extend((first..rows.min(first + batch)).map(|seq| make_row(random, hosts, "benchmark", seq)));
    body.clear();
    serde_json::to_writer(
      &mut body,
      &Batch {
        stmt: statement,
        bulk_args: &args,
      },
    )?;
    bytes += body.len();
  }
  Ok(bytes)
}
