/* SPDX-License-Identifier: Apache-2.0
 * screen - see screen.h for the contract. */
#include "cli/screen.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

static const struct look {
	const char *state, *glyph, *plain;
	enum screen_tone tone;
} looks[] = {
	{"pending", "◌", "o", TONE_FAINT},    {"done", "✔", "+", TONE_GOOD},
	{"succeeded", "✔", "+", TONE_GOOD},   {"serving", "●", "*", TONE_GOOD},
	{"ready", "●", "*", TONE_GOOD},       {"pass", "✔", "+", TONE_GOOD},
	{"active", "▶", ">", TONE_BUSY},      {"running", "▶", ">", TONE_BUSY},
	{"rolling", "▶", ">", TONE_BUSY},     {"queued", "◌", "o", TONE_FAINT},
	{"gated", "⏸", "=", TONE_BUSY},     {"paused", "⏸", "=", TONE_BUSY},
	{"parked", "⏸", "=", TONE_BUSY},    {"maintenance", "⏸", "=", TONE_BUSY},
	{"read-only", "⏸", "=", TONE_BUSY}, {"draining", "◌", "o", TONE_FAINT},
	{"starting", "◌", "o", TONE_FAINT},   {"stopping", "◌", "o", TONE_FAINT},
	{"reverting", "◀", "<", TONE_BAD},    {"reverted", "↩", "<", TONE_BAD},
	{"stuck", "✖", "!", TONE_BAD},        {"failed", "✖", "x", TONE_BAD},
	{"fail", "✖", "x", TONE_BAD},         {"rejected", "✖", "x", TONE_BAD},
	{"unhealthy", "✖", "x", TONE_BAD},    {"down", "✖", "x", TONE_BAD},
	{"waiting", "·", ".", TONE_FAINT},    {"skipped", "·", ".", TONE_FAINT},
	{"superseded", "–", "-", TONE_FAINT}, {"cancelled", "–", "-", TONE_FAINT},
	{"note", "•", "*", TONE_BUSY},        {"empty", "◌", "o", TONE_FAINT},
	{"exited", "–", "-", TONE_FAINT},     {"blocked", "✖", "x", TONE_BAD},
	{"critical", "✖", "x", TONE_BAD},     {"high", "✖", "x", TONE_BAD},
	{"medium", "•", "*", TONE_BUSY},      {"low", "·", ".", TONE_FAINT},
};

static const struct look *look_of(const char *state)
{
	for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++)
		if (strcmp(looks[i].state, state) == 0)
			return &looks[i];
	return NULL;
}

const char *screen_glyph(const struct cli *cli, const char *state)
{
	const struct look *look = look_of(state);
	return look ? (cli->utf8 ? look->glyph : look->plain) : cli->utf8 ? "·" : ".";
}

enum screen_tone screen_tone(const char *state)
{
	const struct look *look = look_of(state);
	return look ? look->tone : TONE_PLAIN;
}

void screen_put(const struct cli *cli, struct buf *to, enum screen_tone tone, const char *format,
		...)
{
	static const char *const codes[] = {"", "\033[32m", "\033[36m", "\033[1;31m", "\033[2m"};
	bool coloured = cli->colour && tone != TONE_PLAIN;
	va_list args;
	if (coloured)
		buf_puts(to, codes[tone]);
	va_start(args, format);
	buf_vprintf(to, format, args);
	va_end(args);
	if (!coloured)
		return;
	/* Within the line: what comes after its end belongs to the next one. */
	bool ended = to->size > 0 && to->data[to->size - 1] == '\n';
	to->size -= ended;
	buf_puts(to, ended ? "\033[0m\n" : "\033[0m");
}

void screen_put_foreign(struct buf *to, const char *text)
{
	char safe[4096];
	text_escape(text, strlen(text), safe, sizeof safe);
	/* Quotes and backslashes command no terminal. */
	for (const char *p = safe; *p;) {
		bool quote = text_starts(p, "\\x22"), slash = text_starts(p, "\\x5c");
		buf_append(to, quote ? "\"" : slash ? "\\" : p, 1);
		p += quote || slash ? 4 : 1;
	}
}

const char *screen_arrow(const struct cli *cli)
{
	return cli->utf8 ? "→" : "->";
}

const char *screen_size(uint64_t bytes, char to[32])
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
	double value = (double)bytes;
	size_t unit = 0;
	for (; value >= 1000 && unit < 4; unit++)
		value /= 1000;
	snprintf(to, 32, unit > 0 && value < 100 ? "%.1f %s" : "%.0f %s", value, units[unit]);
	return to;
}

const char *screen_duration(uint64_t ms, char to[32])
{
	uint64_t s = ms / 1000;
	if (ms < 1000)
		snprintf(to, 32, "%llums", (unsigned long long)ms);
	else if (s < 60)
		snprintf(to, 32, "%llu.%llus", (unsigned long long)s,
			 (unsigned long long)(ms % 1000 / 100));
	else if (s < 3600)
		snprintf(to, 32, "%llum%02llus", (unsigned long long)(s / 60),
			 (unsigned long long)(s % 60));
	else
		snprintf(to, 32, "%lluh%02llum", (unsigned long long)(s / 3600),
			 (unsigned long long)(s / 60 % 60));
	return to;
}

const char *screen_share(uint64_t part, uint64_t whole, char to[32])
{
	if (whole == 0)
		snprintf(to, 32, "-");
	else
		snprintf(to, 32, "%.2f%%", (double)part * 100 / (double)whole);
	return to;
}

const char *screen_count(uint64_t count, char to[32])
{
	char digits[32];
	int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count), used = 0;
	for (int i = 0; i < length; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			to[used++] = ',';
		to[used++] = digits[i];
	}
	to[used] = '\0';
	return to;
}

const char *screen_decimal(double number, char to[32])
{
	static const double TENTHS_BELOW = 9.95;
	if (number >= TENTHS_BELOW)
		return screen_count((uint64_t)(number + 0.5), to);
	snprintf(to, 32, "%.1f", number);
	size_t length = strlen(to);
	if (to[length - 1] == '0')
		to[length - 2] = '\0';
	return to;
}

const char *screen_odds(double odds, char to[32])
{
	static const double MOST = 1e9;
	bool against = odds >= 1;
	double times = against ? odds : odds > 1 / MOST ? 1 / odds : MOST;
	char number[32];
	screen_decimal(times < MOST ? times : MOST, number);
	snprintf(to, 32, "%s%s%s%s", against ? "" : "1 : ", times > MOST ? "over " : "", number,
		 against ? " : 1" : "");
	return to;
}

const char *screen_time(uint64_t unix_ms, char to[32])
{
	time_t at = (time_t)(unix_ms / 1000), now = time(NULL);
	struct tm then, today;
	localtime_r(&at, &then);
	localtime_r(&now, &today);
	bool same_day = then.tm_year == today.tm_year && then.tm_yday == today.tm_yday;
	strftime(to, 32, same_day ? "%H:%M:%S" : "%Y-%m-%d %H:%M", &then);
	return to;
}

/* --- frames */

enum { LINES_MAX = 200 };

static struct {
	unsigned count;
	unsigned columns[LINES_MAX]; /* of each line that was drawn */
} drawn;

static struct {
	bool open;
	bool echo; /* `before` is to be restored */
	struct termios before;
} terminal;

static volatile sig_atomic_t continued; /* others wrote below our frame */

static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

static void put_raw(const char *text)
{
	(void)!write(STDOUT_FILENO, text, strlen(text));
}

/* Only calls that a signal handler may make. */
static void take_terminal(void)
{
	struct termios quiet;
	put_raw("\033[?25l");
	terminal.echo = tcgetpgrp(STDIN_FILENO) == getpgrp() &&
			tcgetattr(STDIN_FILENO, &terminal.before) == 0;
	if (!terminal.echo)
		return;
	quiet = terminal.before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &quiet);
}

static void give_terminal(void)
{
	if (terminal.echo)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal.before);
	terminal.echo = false;
	put_raw("\033[0m\033[?25h");
}

static void on_ending(int number)
{
	give_terminal();
	signal(number, SIG_DFL);
	raise(number);
}

static void on_stop(int number)
{
	(void)number;
	give_terminal();
	kill(getpid(), SIGSTOP);
	take_terminal();
	continued = 1;
}

void screen_open(void)
{
	struct sigaction end = {.sa_handler = on_ending}, stop = {.sa_handler = on_stop};
	drawn.count = 0;
	take_terminal();
	terminal.open = true;
	for (size_t i = 0; i < sizeof ending / sizeof ending[0]; i++)
		sigaction(ending[i], &end, NULL);
	sigaction(SIGTSTP, &stop, NULL);
}

void screen_close(void)
{
	if (!terminal.open)
		return;
	for (size_t i = 0; i < sizeof ending / sizeof ending[0]; i++)
		signal(ending[i], SIG_DFL);
	signal(SIGTSTP, SIG_DFL);
	give_terminal();
	terminal.open = false;
	drawn.count = 0;
}

static void terminal_size(unsigned *ret_columns, unsigned *ret_rows)
{
	struct winsize size;
	bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0;
	*ret_columns = known && size.ws_col > 0 ? size.ws_col : SCREEN_WIDTH_DEFAULT;
	*ret_rows = known && size.ws_row > 0 ? size.ws_row : SCREEN_ROWS_DEFAULT;
}

unsigned screen_width(void)
{
	unsigned columns, rows;
	terminal_size(&columns, &rows);
	return columns;
}

unsigned screen_rows(void)
{
	unsigned columns, rows;
	terminal_size(&columns, &rows);
	return rows;
}

/* Walks over a text; stops before the column `most` is passed. Returns the bytes walked. */
static size_t walk_columns(const char *text, size_t size, unsigned most, unsigned *ret_columns)
{
	unsigned columns = 0;
	bool escape = false;
	size_t i;
	for (i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];
		if (c == '\033')
			escape = true;
		else if (!escape && (c & 0xc0) != 0x80) {
			if (columns == most)
				break;
			columns++;
		}
		if (escape && c == 'm')
			escape = false;
	}
	*ret_columns = columns;
	return i;
}

unsigned screen_columns(const char *text, size_t size)
{
	unsigned columns;
	walk_columns(text, size, UINT32_MAX, &columns);
	return columns;
}

/* Up to where the last frame began. A terminal that became narrower has broken its lines in two. */
static void put_up(struct buf *to, unsigned width)
{
	unsigned rows = 0;
	for (unsigned i = 0; i < drawn.count; i++)
		rows += drawn.columns[i] == 0 ? 1 : (drawn.columns[i] + width - 1) / width;
	if (rows > 0)
		buf_printf(to, "\033[%uA", rows);
	buf_puts(to, "\r");
}

void screen_frame(const struct buf *frame)
{
	unsigned width, rows, lines = 0, skip;
	const char *text = buf_text(frame);
	struct buf to;
	terminal_size(&width, &rows);
	for (const char *p = text; (p = strchr(p, '\n')); p++)
		lines++;
	/* What does not fit is left out below the first line: what is over, before what comes. */
	skip = lines + 1 > rows && rows > 2 ? lines + 1 - rows : 0;
	buf_init(&to, frame->size * 2 + LINES_MAX * 16);
	if (!continued)
		put_up(&to, width);
	continued = 0;
	drawn.count = 0;
	for (unsigned i = 0; *text && drawn.count < LINES_MAX; i++) {
		size_t length = strcspn(text, "\n");
		if (i == 0 || i > skip) {
			size_t part =
				walk_columns(text, length, width, &drawn.columns[drawn.count++]);
			/* First erased, then written: a full line erases its own last column. */
			buf_puts(&to, "\033[2K");
			buf_append(&to, text, part);
			buf_puts(&to, "\033[0m\n");
		}
		text += length + (text[length] == '\n');
	}
	buf_puts(&to, "\033[J");
	(void)!write(STDOUT_FILENO, buf_text(&to), to.size);
	buf_done(&to);
}

const char *json_text_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));
	return text ? text : "";
}

double json_real_of(const json_t *o, const char *key)
{
	return json_number_value(json_object_get(o, key));
}

uint64_t json_number_of(const json_t *o, const char *key)
{
	json_int_t number = json_integer_value(json_object_get(o, key));
	return number > 0 ? (uint64_t)number : 0;
}
