/* SPDX-License-Identifier: Apache-2.0
 * prometheus - see prometheus.h for the contract. */
#include "wire/prometheus.h"

#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "wire/chars.h"

enum {
	DIGITS_MAX = 19,     /* of a number, that fit into 64 bits */
	EXPONENT_MAX = 9999, /* more is as much: no number or zero */
	SCALE_MAX = 256,     /* the power of ten that is taken at once */
};

struct cursor {
	const char *data;
	size_t at, size;
	const char *reason;
};

static int fail(struct cursor *c, int code, const char *reason)
{
	c->reason = reason;
	return code;
}

static bool at_char(const struct cursor *c, char byte)
{
	return c->at < c->size && c->data[c->at] == byte;
}

static bool take_char(struct cursor *c, char byte)
{
	bool there = at_char(c, byte);
	c->at += there;
	return there;
}

static void skip_blanks(struct cursor *c)
{
	while (at_char(c, ' ') || at_char(c, '\t'))
		c->at++;
}

static bool is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
}

/* A metric's name may have colons, a label's not. Returns its size, 0 when there is none. */
static size_t take_name(struct cursor *c, bool colons)
{
	size_t from = c->at;
	while (c->at < c->size) {
		char byte = c->data[c->at];
		if (!is_letter(byte) && !(colons && byte == ':') &&
		    !(c->at > from && char_is_digit(byte)))
			break;
		c->at++;
	}
	return c->at - from;
}

static int read_value(struct cursor *c, struct prometheus_label *label)
{
	if (!take_char(c, '"'))
		return fail(c, ERR_INVALID, "a label's value is not in quotes");
	label->value_at = (uint16_t)c->at;
	while (c->at < c->size && c->data[c->at] != '"') {
		if (c->data[c->at++] != '\\')
			continue;
		if (!at_char(c, '\\') && !at_char(c, '"') && !at_char(c, 'n'))
			return fail(c, ERR_INVALID, "a label's value has an unknown escape");
		c->at++;
	}
	label->value_size = (uint16_t)(c->at - label->value_at);
	return take_char(c, '"') ? 0 : fail(c, ERR_INVALID, "a label's value does not end");
}

static int read_label(struct cursor *c, struct prometheus_series *s)
{
	if (s->label_count == PROMETHEUS_LABELS_MAX)
		return fail(c, ERR_LIMIT, "a series has more than 64 labels");
	struct prometheus_label *label = &s->labels[s->label_count];
	label->name_at = (uint16_t)c->at;
	label->name_size = (uint16_t)take_name(c, false);
	if (label->name_size == 0)
		return fail(c, ERR_INVALID, "a label has no name");
	skip_blanks(c);
	if (!take_char(c, '='))
		return fail(c, ERR_INVALID, "a label has no \"=\"");
	skip_blanks(c);
	int code = read_value(c, label);
	if (code == 0)
		s->label_count++;
	return code;
}

static int read_series(struct cursor *c, struct prometheus_series *s)
{
	s->label_count = 0;
	s->name_at = (uint16_t)c->at;
	s->name_size = (uint16_t)take_name(c, true);
	if (s->name_size == 0)
		return fail(c, ERR_INVALID, "there is no metric's name");
	size_t end = c->at;
	skip_blanks(c);
	if (!take_char(c, '{')) {
		c->at = end;
		return 0;
	}
	for (;;) {
		skip_blanks(c);
		if (take_char(c, '}'))
			return 0;
		int code = read_label(c, s);
		if (code < 0)
			return code;
		skip_blanks(c);
		if (!take_char(c, ',') && !at_char(c, '}'))
			return fail(c, ERR_INVALID, "the labels do not end with \"}\"");
	}
}

/* ---- numbers ---- */

static double power_of_ten(unsigned exponent)
{
	static const double powers[] = {1e1, 1e2, 1e4, 1e8, 1e16, 1e32, 1e64, 1e128, 1e256};
	double power = 1;
	for (size_t i = 0; exponent > 0; i++, exponent >>= 1)
		if (exponent & 1)
			power *= powers[i];
	return power;
}

/* Powers up to 10^22 are exact, so that the usual numbers are rounded once. */
static double scale(double value, int exponent)
{
	unsigned left = exponent < 0 ? (unsigned)-exponent : (unsigned)exponent;
	while (left > 0 && value != 0 && !isinf(value)) {
		unsigned part = left < SCALE_MAX ? left : SCALE_MAX;
		double power = power_of_ten(part);
		value = exponent < 0 ? value / power : value * power;
		left -= part;
	}
	return value;
}

static int read_exponent(struct cursor *c, bool *ok)
{
	int value = 0;
	bool negative = take_char(c, '-');
	if (!negative)
		take_char(c, '+');
	*ok = c->at < c->size && char_is_digit(c->data[c->at]);
	for (; c->at < c->size && char_is_digit(c->data[c->at]); c->at++)
		value = value < EXPONENT_MAX ? value * 10 + (c->data[c->at] - '0') : value;
	return negative ? -value : value;
}

/* Digits with or without a point. `exponent` is by how much what was taken is too small. */
static bool read_digits(struct cursor *c, uint64_t *mantissa, int *exponent)
{
	int taken = 0;
	bool any = false, point = false;
	for (; c->at < c->size; c->at++) {
		char byte = c->data[c->at];
		if (byte == '.' && !point) {
			point = true;
			continue;
		}
		if (!char_is_digit(byte))
			break;
		any = true;
		if (taken < DIGITS_MAX) {
			*mantissa = *mantissa * 10 + (uint64_t)(byte - '0');
			taken += *mantissa > 0;
			*exponent -= point;
		} else {
			*exponent += !point;
		}
	}
	return any;
}

static bool parse_number(const char *data, size_t size, double *ret_value)
{
	struct cursor c = {.data = data, .size = size};
	bool negative = take_char(&c, '-'), ok = true;
	if (!negative)
		take_char(&c, '+');
	const char *word = data + c.at;
	size_t word_size = size - c.at;
	double value;
	if (chars_equal(word, word_size, "nan", 3)) {
		value = (double)NAN;
	} else if (chars_equal(word, word_size, "inf", 3) ||
		   chars_equal(word, word_size, "infinity", 8)) {
		value = (double)INFINITY;
	} else {
		uint64_t mantissa = 0;
		int exponent = 0;
		ok = read_digits(&c, &mantissa, &exponent);
		if (ok && (take_char(&c, 'e') || take_char(&c, 'E')))
			exponent += read_exponent(&c, &ok);
		value = scale((double)mantissa, exponent);
		ok = ok && c.at == size && !isinf(value);
	}
	*ret_value = negative ? -value : value;
	return ok;
}

/* The next word is a number. */
static bool take_number(struct cursor *c, double *ret_value)
{
	size_t from = c->at;
	while (c->at < c->size && c->data[c->at] != ' ' && c->data[c->at] != '\t')
		c->at++;
	return parse_number(c->data + from, c->at - from, ret_value);
}

/* ---- lines ---- */

static bool take_word(struct cursor *c, const char *word)
{
	size_t size = strlen(word), end = c->at + size;
	if (end > c->size || memcmp(c->data + c->at, word, size) != 0 ||
	    (end < c->size && c->data[end] != ' ' && c->data[end] != '\t'))
		return false;
	c->at = end;
	return true;
}

/* After a '#': what is meant for machines must be whole, all else is a comment. */
static int read_comment(struct cursor *c, bool *ended)
{
	/* Elsewhere, and with blanks, it is a comment like any other. */
	*ended = c->size == 5 && memcmp(c->data, "# EOF", 5) == 0;
	skip_blanks(c);
	bool type = take_word(c, "TYPE");
	if (!type && !take_word(c, "HELP"))
		return 0;
	skip_blanks(c);
	if (take_name(c, true) == 0)
		return fail(c, ERR_INVALID, "a TYPE or HELP names no metric");
	skip_blanks(c);
	if (type && (c->at == c->size || !is_letter(c->data[c->at])))
		return fail(c, ERR_INVALID, "a TYPE names no type");
	return 0;
}

static bool same(const char *a, size_t a_at, size_t a_size, const char *b, size_t b_at,
		 size_t b_size)
{
	return a_size == b_size && memcmp(a + a_at, b + b_at, a_size) == 0;
}

static bool has_label(const char *text, const struct prometheus_series *s, const char *wanted_text,
		      const struct prometheus_label *wanted)
{
	for (size_t i = 0; i < s->label_count; i++) {
		const struct prometheus_label *own = &s->labels[i];
		if (same(text, own->name_at, own->name_size, wanted_text, wanted->name_at,
			 wanted->name_size))
			return same(text, own->value_at, own->value_size, wanted_text,
				    wanted->value_at, wanted->value_size);
	}
	return wanted->value_size == 0; /* an empty label is as good as none */
}

static bool selects(const struct prometheus_selector *selector, const char *text,
		    const struct prometheus_series *s)
{
	const struct prometheus_series *wanted = &selector->series;
	if (!same(text, s->name_at, s->name_size, selector->text, wanted->name_at,
		  wanted->name_size))
		return false;
	for (size_t i = 0; i < wanted->label_count; i++)
		if (!has_label(text, s, selector->text, &wanted->labels[i]))
			return false;
	return true;
}

static void add_sample(struct prometheus_reader *r, const char *text,
		       const struct prometheus_series *series, double value)
{
	for (size_t i = 0; i < r->selector_count; i++) {
		if (!selects(&r->selectors[i], text, series))
			continue;
		r->sums[i].sum += value;
		r->sums[i].samples++;
	}
}

static int read_sample(struct prometheus_reader *r, struct cursor *c)
{
	struct prometheus_series series;
	double value, time;
	int code = read_series(c, &series);
	if (code < 0)
		return code;
	bool labelled = c->data[c->at - 1] == '}';
	if (!labelled && !at_char(c, ' ') && !at_char(c, '\t'))
		return fail(c, ERR_INVALID, "a metric's name has a byte that may not be in it");
	skip_blanks(c);
	if (!take_number(c, &value))
		return fail(c, ERR_INVALID, "a value is not a number");
	skip_blanks(c);
	if (c->at < c->size && !at_char(c, '#') && !take_number(c, &time))
		return fail(c, ERR_INVALID, "a timestamp is not a number");
	skip_blanks(c);
	if (c->at < c->size && !at_char(c, '#'))
		return fail(c, ERR_INVALID, "there is more after a sample");
	add_sample(r, c->data, &series, value);
	return 0;
}

static int read_line(struct prometheus_reader *r, const char *line, size_t size)
{
	struct cursor c = {.data = line, .size = size};
	int code;
	if (r->line > PROMETHEUS_LINES_MAX)
		code = fail(&c, ERR_LIMIT, "there are too many lines");
	else if (r->ended)
		code = fail(&c, ERR_INVALID, "there is more after \"# EOF\"");
	else {
		skip_blanks(&c);
		code = c.at == size         ? 0
		       : take_char(&c, '#') ? read_comment(&c, &r->ended)
					    : read_sample(r, &c);
	}
	r->reason = c.reason;
	return code;
}

void prometheus_begin(struct prometheus_reader *r, const struct prometheus_selector *selectors,
		      size_t count, struct prometheus_sum *sums)
{
	r->selectors = selectors;
	r->selector_count = count;
	r->sums = sums;
	r->line = 0;
	r->reason = NULL;
	r->ended = false;
	r->kept_size = 0;
	memset(sums, 0, count * sizeof sums[0]);
}

int prometheus_feed(struct prometheus_reader *r, const char *data, size_t size)
{
	while (size > 0) {
		const char *end = memchr(data, '\n', size);
		size_t part = end ? (size_t)(end - data) : size;
		int code = 0;
		r->line += r->kept_size == 0;
		if (part > sizeof r->kept - r->kept_size) {
			r->reason = "a line is too long";
			return ERR_LIMIT;
		}
		if (!end || r->kept_size > 0) {
			memcpy(r->kept + r->kept_size, data, part);
			r->kept_size += part;
		}
		if (end) {
			code = r->kept_size > 0 ? read_line(r, r->kept, r->kept_size)
						: read_line(r, data, part);
			r->kept_size = 0;
			part++;
		}
		if (code < 0)
			return code;
		data += part;
		size -= part;
	}
	return 0;
}

int prometheus_end(struct prometheus_reader *r)
{
	int code = r->kept_size > 0 ? read_line(r, r->kept, r->kept_size) : 0;
	if (code < 0 || r->kept_size == 0 || r->ended) /* only "# EOF" may be without its LF */
		return code;
	r->reason = "the text ends within a line";
	return ERR_INVALID;
}

static bool names_twice(const char *text, const struct prometheus_series *s)
{
	for (size_t i = 0; i < s->label_count; i++)
		for (size_t k = 0; k < i; k++)
			if (same(text, s->labels[i].name_at, s->labels[i].name_size, text,
				 s->labels[k].name_at, s->labels[k].name_size))
				return true;
	return false;
}

int prometheus_selector_read(const char *text, struct prometheus_selector *ret_selector,
			     const char **ret_reason, size_t *ret_at)
{
	struct cursor c = {.data = ret_selector->text};
	int code;
	if (!text_copy(ret_selector->text, sizeof ret_selector->text, text)) {
		c.at = sizeof ret_selector->text - 1;
		code = fail(&c, ERR_LIMIT, "it is longer than 511 bytes");
	} else {
		c.size = strlen(ret_selector->text);
		code = read_series(&c, &ret_selector->series);
		if (code == 0 && c.at < c.size)
			code = fail(&c, ERR_INVALID, "only a name and labels may be in it");
		else if (code == 0 && names_twice(ret_selector->text, &ret_selector->series))
			code = fail(&c, ERR_INVALID, "a label is named twice");
	}
	*ret_reason = c.reason;
	*ret_at = c.at;
	return code;
}
