/* SPDX-License-Identifier: Apache-2.0
 *
 * screen - how the command line shows things: state as glyph + word + colour, durations, shares, tables.
 *
 * HOW   Colours and glyphs follow struct cli: without a terminal no colour, without UTF-8 plain letters.
 *       A frame (screen_frame) is drawn over the one before it, in place.
 */
#ifndef CLI_SCREEN_H
#define CLI_SCREEN_H

#include <jansson.h>

#include "base/buf.h"
#include "cli/command.h"

enum { SCREEN_WIDTH_DEFAULT = 100, SCREEN_ROWS_DEFAULT = 24 };

enum screen_tone { TONE_PLAIN, TONE_GOOD, TONE_BUSY, TONE_BAD, TONE_FAINT };

/* Glyph and tone of a state's word: "done" is a green check mark, "failed" a red cross. */
const char *screen_glyph(const struct cli *cli, const char *state);
enum screen_tone screen_tone(const char *state);

/* Append text in a tone. */
void screen_put(const struct cli *cli, struct buf *to, enum screen_tone tone, const char *format,
		...) __attribute__((format(printf, 4, 5)));

/* Text that came from outside, harmless on a terminal. */
void screen_put_foreign(struct buf *to, const char *text);

/* An arrow from one thing to another. */
const char *screen_arrow(const struct cli *cli);

/* "12m03s", "3.2s", "240ms". */
const char *screen_duration(uint64_t ms, char to[32]);
/* "6.2 MB". */
const char *screen_size(uint64_t bytes, char to[32]);
/* "0.11%" of part in whole; "-" when whole is 0. */
const char *screen_share(uint64_t part, uint64_t whole, char to[32]);
/* "4,800". */
const char *screen_count(uint64_t count, char to[32]);
/* "0.8", "12", "4,800": what was expected, how many times. */
const char *screen_decimal(double number, char to[32]);
/* "1,240 : 1", "1 : 40", "over 1,000,000,000 : 1". */
const char *screen_odds(double odds, char to[32]);
/* "14:02:11" local time, or "2026-11-22 14:02" when it is not today. */
const char *screen_time(uint64_t unix_ms, char to[32]);

/* Columns and rows of the terminal; SCREEN_WIDTH_DEFAULT and SCREEN_ROWS_DEFAULT where they are not known. */
unsigned screen_width(void);
unsigned screen_rows(void);
/* How many columns a text takes: colours take none, a character one. */
unsigned screen_columns(const char *text, size_t size);

/* Take the terminal for frames: no cursor, no echo. screen_close() gives it back, and so does a signal that
 * ends or stops this process. */
void screen_open(void);
void screen_close(void);
/* Draw `frame` where the last one was, cut to the terminal as it is now. */
void screen_frame(const struct buf *frame);

/* Members of an object; "" and 0 when missing. */
const char *json_text_of(const json_t *o, const char *key);
uint64_t json_number_of(const json_t *o, const char *key);
double json_real_of(const json_t *o, const char *key);

#endif
