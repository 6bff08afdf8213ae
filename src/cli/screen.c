/* SPDX-License-Identifier: Apache-2.0
 * screen - see screen.h for the contract. */
#include "cli/screen.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

static const struct look {
	const char *state, *glyph, *plain;
	enum screen_tone tone;
} looks[] = {
	{"done", "✔", "+", TONE_GOOD},          {"succeeded", "✔", "+", TONE_GOOD},
	{"serving", "●", "*", TONE_GOOD},       {"ready", "●", "*", TONE_GOOD},
	{"pass", "✔", "+", TONE_GOOD},          {"active", "▶", ">", TONE_BUSY},
	{"running", "▶", ">", TONE_BUSY},       {"rolling", "▶", ">", TONE_BUSY},
	{"queued", "◌", "o", TONE_FAINT},       {"gated", "⏸", "=", TONE_BUSY},
	{"paused", "⏸", "=", TONE_BUSY},      {"parked", "⏸", "=", TONE_BUSY},
	{"maintenance", "⏸", "=", TONE_BUSY}, {"draining", "◌", "o", TONE_FAINT},
	{"starting", "◌", "o", TONE_FAINT},     {"stopping", "◌", "o", TONE_FAINT},
	{"reverting", "◀", "<", TONE_BAD},      {"reverted", "↩", "<", TONE_BAD},
	{"stuck", "✖", "!", TONE_BAD},          {"failed", "✖", "x", TONE_BAD},
	{"fail", "✖", "x", TONE_BAD},           {"rejected", "✖", "x", TONE_BAD},
	{"unhealthy", "✖", "x", TONE_BAD},      {"down", "✖", "x", TONE_BAD},
	{"waiting", "·", ".", TONE_FAINT},      {"skipped", "·", ".", TONE_FAINT},
	{"superseded", "–", "-", TONE_FAINT},   {"cancelled", "–", "-", TONE_FAINT},
	{"note", "•", "*", TONE_BUSY},          {"empty", "◌", "o", TONE_FAINT},
	{"exited", "–", "-", TONE_FAINT},
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
	if (coloured)
		buf_puts(to, "\033[0m");
}

void screen_put_foreign(struct buf *to, const char *text)
{
	char safe[2048];
	buf_puts(to, text_escape(text, strlen(text), safe, sizeof safe));
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

static unsigned drawn_lines;

static unsigned columns(void)
{
	struct winsize size;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 100;
}

/* One line, cut at the width of the terminal: colours take no room, UTF-8 sequences one column. */
static void put_line(const char *line, size_t length, unsigned width)
{
	unsigned column = 0;
	bool escape = false;
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)line[i];
		if (c == '\033')
			escape = true;
		else if (!escape && (c & 0xc0) != 0x80 && ++column > width)
			break;
		fputc(c, stdout);
		if (escape && c == 'm')
			escape = false;
	}
	fputs("\033[0m\033[K\n", stdout);
}

void screen_frame(const struct buf *frame)
{
	if (!frame) {
		drawn_lines = 0;
		return;
	}
	unsigned width = columns(), lines = 0;
	if (drawn_lines > 0)
		printf("\033[%uA\r", drawn_lines);
	for (const char *p = buf_text(frame); *p; lines++) {
		size_t length = strcspn(p, "\n");
		put_line(p, length, width);
		p += length + (p[length] == '\n');
	}
	fputs("\033[J", stdout);
	fflush(stdout);
	drawn_lines = lines;
}

const char *json_text_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));
	return text ? text : "";
}

uint64_t json_number_of(const json_t *o, const char *key)
{
	json_int_t number = json_integer_value(json_object_get(o, key));
	return number > 0 ? (uint64_t)number : 0;
}
