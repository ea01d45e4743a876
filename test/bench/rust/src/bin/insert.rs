//! Inserts rows: `insert URL STATEMENT ROWS BATCH IN_FLIGHT RUN_ID`. So many tasks, each makes a batch, posts it and
//! reads the reply before it makes the next; prints one line of JSON.
use std::env::args;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rand::SeedableRng;
use rand::rngs::SmallRng;
use reqwest::Client;
use serde::Deserialize;
use serde_json::json;
use tokio::task::JoinSet;
use yardstick::{Batch, Host, Meter, make_hosts, make_row};

#[derive(Deserialize)]
struct BulkReply {
  results: Vec<BulkResult>,
}

#[derive(Deserialize)]
struct BulkResult {
  /// -2: refused.
  rowcount: i64,
}

/// What the tasks share.
struct Job {
  url: String,
  statement: String,
  rows: u64,
  batch: u64,
  run_id: String,
  hosts: Vec<Host>,
  /// The first row that nobody has taken.
  next: AtomicU64,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
  let [url, statement, rows, batch, in_flight, run_id] = args()
    .skip(1)
    .collect::<Vec<_>>()
    .try_into()
    .map_err(|_| "URL STATEMENT ROWS BATCH IN_FLIGHT RUN_ID")?;
  let job = Arc::new(Job {
    url: format!("{url}/_sql"),
    statement,
    rows: rows.parse()?,
    batch: batch.parse()?,
    run_id,
    hosts: make_hosts(),
    next: AtomicU64::new(0),
  });
  let in_flight: u64 = in_flight.parse()?;
  let client = Client::new();
  let meter = Meter::start();
  let mut tasks: JoinSet<_> = (0..in_flight)
    .map(|task| insert(client.clone(), Arc::clone(&job), task))
    .collect();
  let mut stored = 0;
  while let Some(task) = tasks.join_next().await {
    stored += task??;
  }
  let (cpu_seconds, wall_seconds) = meter.read();
  println!(
    "{}",
    json!({ "rows": job.rows, "stored": stored, "cpuSeconds": cpu_seconds, "wallSeconds": wall_seconds })
  );
  Ok(())
}

/// Sends batches until there is no row left; how many rows were stored.
async fn insert(client: Client, job: Arc<Job>, task: u64) -> reqwest::Result<i64> {
  let mut random = SmallRng::seed_from_u64(task);
  let mut stored = 0;
  loop {
    let first = job.next.fetch_add(job.batch, Ordering::Relaxed);
    if first >= job.rows {
      return Ok(stored);
    }
    let end = job.rows.min(first + job.batch);
    let request = {
      let args: Vec<_> = (first..end)
        .map(|seq| make_row(&mut random, &job.hosts, &job.run_id, seq))
        .collect();
      client.post(&job.url).json(&Batch {
        stmt: &job.statement,
        bulk_args: &args,
      })
    };
    let reply: BulkReply = request.send().await?.error_for_status()?.json().await?;
    stored += reply
      .results
      .iter()
      .map(|result| result.rowcount.max(0))
      .sum::<i64>();
  }
}
