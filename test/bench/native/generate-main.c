/*
 * The program around write_row() of emit-c.ts. `generate rows batchRows measure` writes so many rows into rotating
 * buffers, twice, and prints what the second time took; `… print` writes the rows to standard output.
 */
enum { BUFFERS = 20, OVERSHOOT_BYTES = 64 };

struct use {
  double cpu_seconds;
  double wall_seconds;
};

static struct use read_use(void) {
  struct rusage usage;
  struct timespec now;
  getrusage(RUSAGE_SELF, &usage);
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (struct use){
      .cpu_seconds = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                     (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6,
      .wall_seconds = (double)now.tv_sec + (double)now.tv_nsec / 1e9,
  };
}

/* A function of its own, so that a row's code stands in a loop over rows as it does in other generators. */
static __attribute__((noinline)) char *write_rows(char *out, uint64_t first, uint64_t rows) {
  for (uint64_t row = first; row < first + rows; row += 1) out = write_row(out, row);
  return out - 1;
}

/* Bytes of all rows; printed only if `is_print`. */
static uint64_t write_batches(char *buffers[BUFFERS], uint64_t rows, uint64_t batch_rows, int is_print) {
  uint64_t bytes = 0;
  for (uint64_t first = 0; first < rows; first += batch_rows) {
    char *buffer = buffers[first / batch_rows % BUFFERS];
    const uint64_t count = rows - first < batch_rows ? rows - first : batch_rows;
    const uint64_t length = (uint64_t)(write_rows(buffer, first, count) - buffer);
    bytes += length;
    if (!is_print) continue;
    if (first > 0) putchar(',');
    fwrite(buffer, 1, length, stdout);
  }
  return bytes;
}

int main(int count, char **words) {
  if (count != 4) {
    fprintf(stderr, "usage: generate rows batchRows measure|print\n");
    return 2;
  }
  const uint64_t rows = strtoull(words[1], NULL, 10);
  const uint64_t batch_rows = strtoull(words[2], NULL, 10);
  const int is_print = strcmp(words[3], "print") == 0;
  char *buffers[BUFFERS];
  for (int buffer = 0; buffer < BUFFERS; buffer += 1) {
    buffers[buffer] = malloc(batch_rows * (MAX_ROW_BYTES + 1) + OVERSHOOT_BYTES + MAX_COPY_BYTES);
    if (buffers[buffer] == NULL) return 1;
  }
  prepare_numbers();
  write_batches(buffers, rows, batch_rows, is_print);
  if (is_print) return fflush(stdout) == 0 ? 0 : 1;
  const struct use before = read_use();
  const uint64_t bytes = write_batches(buffers, rows, batch_rows, 0);
  const struct use after = read_use();
  printf("{\"rows\":%llu,\"cpuSeconds\":%.6f,\"wallSeconds\":%.6f,\"bodyBytes\":%llu}\n", (unsigned long long)rows,
         after.cpu_seconds - before.cpu_seconds, after.wall_seconds - before.wall_seconds, (unsigned long long)bytes);
  return 0;
}
