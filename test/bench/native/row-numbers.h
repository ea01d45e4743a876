/*
 * What the rows of emit-c.ts are written with: the mixing functions of src/rows/hashing.ts, and numbers as text by
 * a table of two digits. Stores may reach 64 bytes behind the text; what follows overwrites them.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define INLINE static inline __attribute__((always_inline))

INLINE uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

INLINE uint64_t finish(uint64_t z) {
  z = (z ^ (z >> 32)) * UINT64_C(0xd6e8feb86659fd93);
  z = (z ^ (z >> 32)) * UINT64_C(0xd6e8feb86659fd93);
  return z ^ (z >> 32);
}

INLINE uint64_t high_product(uint64_t a, uint64_t b) {
  return (uint64_t)(((unsigned __int128)a * b) >> 64);
}

/* The two digits of 0 … 99. */
static uint16_t pairs[100];
/* The digits of 0 … 999, and behind them how many there are. */
static char trimmed[1000][4];

static void prepare_numbers(void) {
  for (unsigned value = 0; value < 100; value += 1) {
    const char text[2] = {(char)('0' + value / 10), (char)('0' + value % 10)};
    memcpy(&pairs[value], text, 2);
  }
  for (unsigned value = 0; value < 1000; value += 1) {
    char text[8];
    const int length = snprintf(text, sizeof text, "%u", value);
    memcpy(trimmed[value], text, 3);
    trimmed[value][3] = (char)length;
  }
}

INLINE uint64_t four_digits(uint32_t value) {
  return pairs[value / 100] | (uint64_t)pairs[value % 100] << 16;
}

/* A value below 10^8, the first digit in the lowest byte. */
INLINE uint64_t eight_digits(uint32_t value) {
  return four_digits(value / 10000) | four_digits(value % 10000) << 32;
}

/* A value below 10^8 without the zeros before its last `least` digits. */
INLINE char *write_short(char *out, uint32_t value, unsigned least) {
  const uint64_t text = eight_digits(value);
  const uint64_t digits = text ^ UINT64_C(0x3030303030303030);
  const unsigned zeros = (unsigned)__builtin_ctzll(digits | UINT64_C(1) << (8 * (8 - least))) & 0x78;
  const uint64_t shifted = text >> zeros;
  memcpy(out, &shifted, 8);
  return out + 8 - zeros / 8;
}

/* A value below 10^digits; `digits` is a constant. */
INLINE char *write_fixed(char *out, uint64_t value, unsigned digits) {
  for (; digits > 8; digits -= 8) {
    uint64_t unit = 1;
    for (unsigned place = 8; place < digits; place += 1) unit *= 10;
    /* The first eight of the digits: all behind them is below `unit`. */
    const uint64_t text = eight_digits((uint32_t)(value / unit));
    memcpy(out, &text, 8);
    value %= unit;
    out += 8;
  }
  const uint64_t text =
      digits <= 4 ? four_digits((uint32_t)value) >> 8 * (4 - digits) : eight_digits((uint32_t)value) >> 8 * (8 - digits);
  memcpy(out, &text, 8);
  return out + digits;
}

/* A value of at most `most` digits, written with at least `least`; both are constants. */
INLINE char *write_whole(char *out, uint64_t value, unsigned most, unsigned least) {
  if (most <= least) return write_fixed(out, value, least);
  if (most <= 3 && least == 1) {
    const char *text = trimmed[value];
    memcpy(out, text, 4);
    return out + text[3];
  }
  if (most <= 8) return write_short(out, (uint32_t)value, least);
  if (least <= 8 && value < 100000000) return write_short(out, (uint32_t)value, least);
  const uint64_t high = value / 100000000;
  if (most <= 16 || high < 100000000)
    out = write_short(out, (uint32_t)high, least > 9 ? least - 8 : 1);
  else
    out = write_fixed(write_short(out, (uint32_t)(high / 100000000), 1), high % 100000000, 8);
  return write_fixed(out, value % 100000000, 8);
}

/* The text of a number's digits before its last four, kept while they stay the same. */
struct slow {
  char text[16];
  uint64_t high;
  uint64_t length;
};

static __attribute__((noinline)) void change_slow(struct slow *kept, uint64_t high) {
  char text[32];
  kept->high = high;
  kept->length = (uint64_t)(write_whole(text, high, 20, 1) - text);
  memcpy(kept->text, text, 16);
}

/* A number that advances slowly, of at most 20 digits. */
INLINE char *write_slow(char *out, uint64_t value, struct slow *kept) {
  const uint64_t high = value / 10000;
  if (high == 0) return write_short(out, (uint32_t)value, 1);
  if (high != kept->high) change_slow(kept, high);
  memcpy(out, kept->text, 16);
  out += kept->length;
  return write_fixed(out, value % 10000, 4);
}
