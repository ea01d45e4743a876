/*
 * Sends ready request bodies to CrateDB over plain sockets: what a client costs that makes no rows and knows
 * nothing about HTTP but this one exchange. `send-bodies host port bodiesFile rowsPerBody inFlight`. The file is a
 * sequence of [length, 4 bytes, lowest first][body]. One thread; each connection has one request on the way.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* A reply of 10,000 rows has about 150 kB; errors of each row are longer. */
enum { MAX_REPLY_BYTES = 8 << 20, FIRST_REPLY_BYTES = 1 << 16, MAX_HEAD_BYTES = 1024, EVENTS = 256 };
/* A server that says nothing for so long has failed. */
enum { SILENCE_MS = 120000 };

struct bodies {
  const uint8_t *bytes;
  size_t length;
  size_t at;
};

struct connection {
  int socket;
  char head[MAX_HEAD_BYTES];
  size_t head_bytes;
  const uint8_t *body;
  size_t body_bytes;
  size_t sent;
  char *reply;
  size_t reply_room;
  size_t received;
  /* Of the whole reply with its head; 0 until its head has arrived. */
  size_t expected;
};

struct totals {
  uint64_t bodies;
  uint64_t stored;
  int active;
};

static const char *host_name;
static const char *port_name;

static void fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

static void fail_reply(const char *what, const struct connection *connection) {
  fprintf(stderr, "%s: %.*s\n", what, (int)(connection->received < 4000 ? connection->received : 4000),
          connection->reply);
  exit(1);
}

static struct bodies map_bodies(const char *path) {
  const int file = open(path, O_RDONLY);
  struct stat facts;
  if (file < 0 || fstat(file, &facts) != 0) fail(path);
  void *bytes = mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
  if (bytes == MAP_FAILED) fail(path);
  close(file);
  return (struct bodies){.bytes = bytes, .length = (size_t)facts.st_size, .at = 0};
}

/* 0 if there is no further body. */
static int take_body(struct bodies *bodies, struct connection *connection) {
  if (bodies->at == bodies->length) return 0;
  const uint8_t *at = bodies->bytes + bodies->at;
  const size_t rest = bodies->length - bodies->at;
  const size_t bytes =
      rest < 4 ? rest : (size_t)at[0] | (size_t)at[1] << 8 | (size_t)at[2] << 16 | (size_t)at[3] << 24;
  if (rest < 4 || bytes > rest - 4) {
    fprintf(stderr, "the file of bodies ends inside a body\n");
    exit(1);
  }
  connection->body = at + 4;
  connection->body_bytes = bytes;
  bodies->at += 4 + bytes;
  return 1;
}

static int open_socket(void) {
  const struct addrinfo wanted = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
  struct addrinfo *found = NULL;
  const int problem = getaddrinfo(host_name, port_name, &wanted, &found);
  if (problem != 0) {
    fprintf(stderr, "%s: %s\n", host_name, gai_strerror(problem));
    exit(1);
  }
  int made = -1;
  for (struct addrinfo *each = found; each != NULL && made < 0; each = each->ai_next) {
    made = socket(each->ai_family, each->ai_socktype, each->ai_protocol);
    if (made >= 0 && connect(made, each->ai_addr, each->ai_addrlen) != 0) {
      close(made);
      made = -1;
    }
  }
  if (made < 0) fail("connecting");
  freeaddrinfo(found);
  const int yes = 1;
  if (setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) != 0) fail("TCP_NODELAY");
  if (fcntl(made, F_SETFL, O_NONBLOCK) != 0) fail("O_NONBLOCK");
  return made;
}

/* Sends what the socket takes; the rest follows when it is writable again. */
static void send_more(struct connection *connection) {
  const size_t whole = connection->head_bytes + connection->body_bytes;
  while (connection->sent < whole) {
    struct iovec parts[2];
    int count = 0;
    if (connection->sent < connection->head_bytes)
      parts[count++] = (struct iovec){.iov_base = connection->head + connection->sent,
                                      .iov_len = connection->head_bytes - connection->sent};
    const size_t of_body =
        connection->sent > connection->head_bytes ? connection->sent - connection->head_bytes : 0;
    parts[count++] = (struct iovec){.iov_base = (void *)(connection->body + of_body),
                                    .iov_len = connection->body_bytes - of_body};
    const struct msghdr message = {.msg_iov = parts, .msg_iovlen = (size_t)count};
    const ssize_t sent = sendmsg(connection->socket, &message, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (sent < 0) fail("sending");
    connection->sent += (size_t)sent;
  }
}

/* 0 if there is nothing more to send. */
static int start_request(struct connection *connection, struct bodies *bodies) {
  if (!take_body(bodies, connection)) return 0;
  const int bytes = snprintf(connection->head, sizeof connection->head,
                             "POST /_sql HTTP/1.1\r\nHost: %s:%s\r\nContent-Type: application/json\r\n"
                             "Content-Length: %zu\r\n\r\n",
                             host_name, port_name, connection->body_bytes);
  if (bytes < 0 || (size_t)bytes >= sizeof connection->head) {
    fprintf(stderr, "%s: too long for a host\n", host_name);
    exit(1);
  }
  connection->head_bytes = (size_t)bytes;
  connection->sent = 0;
  connection->received = 0;
  connection->expected = 0;
  send_more(connection);
  return 1;
}

static void grow_reply(struct connection *connection) {
  if (connection->reply_room >= MAX_REPLY_BYTES) fail_reply("a reply is too long", connection);
  connection->reply_room = connection->reply_room == 0 ? FIRST_REPLY_BYTES : 2 * connection->reply_room;
  connection->reply = realloc(connection->reply, connection->reply_room + 1);
  if (connection->reply == NULL) fail("a longer reply");
}

/* Looks for the end of the head, and in it for the length of what follows. */
static void read_head(struct connection *connection) {
  connection->reply[connection->received] = 0;
  const char *end = strstr(connection->reply, "\r\n\r\n");
  if (end == NULL) return;
  const char *length = NULL;
  for (const char *line = connection->reply; line < end; line = strstr(line, "\r\n") + 2) {
    if (strncasecmp(line, "content-length:", 15) == 0) length = line + 15;
  }
  if (length == NULL) fail_reply("a reply without a length", connection);
  connection->expected = (size_t)(end + 4 - connection->reply) + strtoull(length, NULL, 10);
}

/* 1 once the whole reply is there. */
static int receive_more(struct connection *connection) {
  for (;;) {
    if (connection->received == connection->reply_room) grow_reply(connection);
    const ssize_t received = recv(connection->socket, connection->reply + connection->received,
                                  connection->reply_room - connection->received, 0);
    if (received < 0 && errno == EINTR) continue;
    if (received < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return 0;
    if (received < 0) fail("receiving");
    if (received == 0) fail_reply("the server closed the connection", connection);
    connection->received += (size_t)received;
    if (connection->expected == 0) read_head(connection);
    if (connection->expected != 0 && connection->received >= connection->expected) return 1;
  }
}

static uint64_t stored_rows(const struct connection *connection) {
  static const char entry[] = "{\"rowcount\":1}";
  const size_t bytes = sizeof entry - 1;
  uint64_t stored = 0;
  const char *at = connection->reply;
  const char *end = connection->reply + connection->expected;
  while ((size_t)(end - at) >= bytes) {
    /* Entries follow one another with a comma between them: there is hardly anything to search for. */
    const char *found = memcmp(at, entry, bytes) == 0 ? at : memmem(at, (size_t)(end - at), entry, bytes);
    if (found == NULL) break;
    stored += 1;
    at = found + bytes;
    if (at < end && *at == ',') at += 1;
  }
  return stored;
}

static void finish_reply(struct connection *connection, struct totals *totals) {
  const size_t status_at = strlen("HTTP/1.1 ");
  if (connection->received < status_at + 3 || memcmp(connection->reply + status_at, "200", 3) != 0)
    fail_reply("the server refused", connection);
  totals->bodies += 1;
  totals->stored += stored_rows(connection);
}

static double now_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double cpu_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void send_all(struct connection *connections, int in_flight, struct bodies *bodies, struct totals *totals) {
  const int events_of = epoll_create1(0);
  if (events_of < 0) fail("epoll");
  for (int each = 0; each < in_flight; each += 1) {
    struct connection *connection = &connections[each];
    struct epoll_event wanted = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data = {.ptr = connection}};
    connection->socket = open_socket();
    if (epoll_ctl(events_of, EPOLL_CTL_ADD, connection->socket, &wanted) != 0) fail("epoll");
    totals->active += start_request(connection, bodies);
  }
  while (totals->active > 0) {
    struct epoll_event events[EVENTS];
    const int count = epoll_wait(events_of, events, EVENTS, SILENCE_MS);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("epoll");
    if (count == 0) {
      fprintf(stderr, "the server said nothing for %d ms\n", SILENCE_MS);
      exit(1);
    }
    for (int event = 0; event < count; event += 1) {
      struct connection *connection = events[event].data.ptr;
      if (connection->body == NULL) continue;
      if (events[event].events & EPOLLOUT) send_more(connection);
      if (!(events[event].events & (EPOLLIN | EPOLLHUP | EPOLLERR))) continue;
      if (!receive_more(connection)) continue;
      finish_reply(connection, totals);
      if (start_request(connection, bodies)) continue;
      connection->body = NULL;
      close(connection->socket);
      totals->active -= 1;
    }
  }
  close(events_of);
}

int main(int count, char **words) {
  if (count != 6 || atoi(words[5]) < 1) {
    fprintf(stderr, "usage: send-bodies host port bodiesFile rowsPerBody inFlight\n");
    return 2;
  }
  host_name = words[1];
  port_name = words[2];
  struct bodies bodies = map_bodies(words[3]);
  const uint64_t rows_per_body = strtoull(words[4], NULL, 10);
  const int in_flight = atoi(words[5]);
  struct connection *connections = calloc((size_t)in_flight, sizeof *connections);
  if (connections == NULL) fail("connections");
  struct totals totals = {0};
  const double cpu_before = cpu_seconds();
  const double started = now_seconds();
  send_all(connections, in_flight, &bodies, &totals);
  const double wall = now_seconds() - started;
  const uint64_t rows = totals.bodies * rows_per_body;
  printf("{\"rows\":%llu,\"stored\":%llu,\"cpuSeconds\":%.6f,\"wallSeconds\":%.6f,\"notStored\":%llu}\n",
         (unsigned long long)rows, (unsigned long long)totals.stored, cpu_seconds() - cpu_before, wall,
         (unsigned long long)(rows - totals.stored));
  for (int each = 0; each < in_flight; each += 1) free(connections[each].reply);
  free(connections);
  return 0;
}
