/*
 * The discarding target without what Node takes to read: bodies are thrown away inside the kernel, uncopied. Takes the
 * same two answers as discard-target.ts: `discard-bodies latencyMs postBytes otherBytes`, standard input begins with the
 * answer to a POST, then the one to anything else, and its end ends the program. Prints its port. One thread.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_HEAD_BYTES = 4096, MAX_ANSWER_BYTES = 64 << 20, EVENTS = 256, BACKLOG = 4096 };

struct answer {
  char *bytes;
  size_t length;
};

struct connection {
  int socket;
  char head[MAX_HEAD_BYTES + 1];
  size_t head_bytes;
  /* Of the body, still to come. */
  uint64_t left;
  const struct answer *answer;
  /* While its answer waits: when it is due, and who waits behind it. A connection that closes meanwhile is freed then. */
  int waits;
  uint64_t due_ns;
  struct connection *next;
};

static struct answer to_post, to_other;
static uint64_t latency_ns;
static struct connection *first, *last;
static int poller;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static size_t size_of(const char *text) {
  const size_t bytes = strtoul(text, NULL, 10);
  if (bytes == 0 || bytes > MAX_ANSWER_BYTES) fail("an answer's size");
  return bytes;
}

static struct answer read_answer(size_t bytes) {
  struct answer answer = {malloc(bytes), bytes};
  if (answer.bytes == NULL || fread(answer.bytes, 1, bytes, stdin) != bytes) fail("an answer");
  return answer;
}

/* A connection that cannot be answered is closed: the client says what it lacks. */
static void leave(struct connection *each) {
  if (each->socket >= 0) close(each->socket);
  each->socket = -1;
  if (!each->waits) free(each);
}

static void write_answer(struct connection *each) {
  const struct answer *answer = each->answer;
  if (send(each->socket, answer->bytes, answer->length, MSG_NOSIGNAL) != (ssize_t)answer->length) leave(each);
}

static void finish(struct connection *each) {
  if (latency_ns == 0 || each->answer != &to_post) return write_answer(each);
  each->waits = 1;
  each->due_ns = now_ns() + latency_ns;
  each->next = NULL;
  if (last == NULL) first = each;
  else last->next = each;
  last = each;
}

/* Writes what is due, and says in how many ms the next one is; -1 for none. */
static int write_due(void) {
  const uint64_t now = now_ns();
  while (first != NULL && first->due_ns <= now) {
    struct connection *each = first;
    first = each->next;
    if (first == NULL) last = NULL;
    each->waits = 0;
    if (each->socket < 0) free(each);
    else write_answer(each);
  }
  return first == NULL ? -1 : (int)((first->due_ns - now + 999999) / 1000000);
}

/* 1 when a request is complete, 0 when more is to come, -1 when the connection is over. */
static int take(struct connection *each) {
  if (each->left == 0) {
    char *into = each->head + each->head_bytes;
    const ssize_t got = recv(each->socket, into, MAX_HEAD_BYTES - each->head_bytes, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return 0;
    if (got <= 0) return -1;
    each->head_bytes += (size_t)got;
    each->head[each->head_bytes] = 0;
    const char *end = strstr(each->head, "\r\n\r\n");
    if (end == NULL) return each->head_bytes == MAX_HEAD_BYTES ? -1 : 0;
    const char *length = strcasestr(each->head, "\r\ncontent-length:");
    const uint64_t bytes = length == NULL || length > end ? 0 : strtoull(length + 17, NULL, 10);
    each->answer = strncmp(each->head, "POST", 4) == 0 ? &to_post : &to_other;
    const uint64_t beyond = (uint64_t)(each->head + each->head_bytes - end - 4);
    each->head_bytes = 0;
    if (beyond > bytes) return -1;
    each->left = bytes - beyond;
    if (each->left == 0) return 1;
  }
  for (;;) {
    const ssize_t got = recv(each->socket, NULL, each->left, MSG_DONTWAIT | MSG_TRUNC);
    if (got < 0 && errno == EAGAIN) return 0;
    if (got <= 0) return -1;
    each->left -= (uint64_t)got;
    if (each->left == 0) return 1;
  }
}

static void watch(int descriptor, void *what) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = what};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event) != 0) fail("epoll_ctl");
}

static void greet(int listener) {
  const int on = 1;
  for (;;) {
    const int socket = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (socket < 0) return;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct connection *each = calloc(1, sizeof *each);
    if (each == NULL) fail("memory");
    each->socket = socket;
    watch(socket, each);
  }
}

static int listen_anywhere(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) != 0) fail("bind");
  if (listen(listener, BACKLOG) != 0 || getsockname(listener, (struct sockaddr *)&address, &length) != 0) fail("listen");
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  return listener;
}

int main(int count, char **words) {
  if (count != 4) {
    fprintf(stderr, "usage: discard-bodies latencyMs postBytes otherBytes\n");
    return 2;
  }
  /* Unbuffered: what is left in it is to be seen by epoll. */
  setvbuf(stdin, NULL, _IONBF, 0);
  latency_ns = strtoull(words[1], NULL, 10) * 1000000u;
  to_post = read_answer(size_of(words[2]));
  to_other = read_answer(size_of(words[3]));
  poller = epoll_create1(0);
  if (poller < 0) fail("epoll_create1");
  int listener = listen_anywhere(), input = STDIN_FILENO;
  watch(listener, &listener);
  watch(input, &input);
  for (int wait_ms = -1;; wait_ms = write_due()) {
    struct epoll_event events[EVENTS];
    const int ready = epoll_wait(poller, events, EVENTS, wait_ms);
    if (ready < 0 && errno != EINTR) fail("epoll_wait");
    for (int index = 0; index < ready; index += 1) {
      void *what = events[index].data.ptr;
      if (what == &input) return 0;
      if (what == &listener) {
        greet(listener);
        continue;
      }
      struct connection *each = what;
      const int came = take(each);
      if (came < 0) leave(each);
      else if (came > 0) finish(each);
    }
  }
}
