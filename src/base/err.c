/* SPDX-License-Identifier: Apache-2.0
 * err - see err.h for the contract. */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	enum err code;
	const char *name;
} names[] = {
#define X(name, value, text) {ERR_##name, text},
	ERRORS(X)
#undef X
};

/* An error is printed to terminals and logs: whatever bytes came in, none may steer them. */
static void escape_control(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || (unsigned char)*text == 0x7f)
			*text = '?';
}

int error_set(struct error *err, enum err code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	err->code = code;
	err->where[0] = '\0';
	vsnprintf(err->text, sizeof err->text, format, args);
	va_end(args);
	escape_control(err->text);
	return (int)code;
}

static enum err code_of_errno(int number)
{
	switch (number) {
	case ENOENT:
	case ESRCH: return ERR_NOT_FOUND;
	case EACCES:
	case EPERM:
	case EROFS: return ERR_DENIED;
	case EEXIST:
	case EADDRINUSE:
	case EBUSY: return ERR_CONFLICT;
	case ENOSPC:
	case EDQUOT: return ERR_NO_SPACE;
	case EMFILE:
	case ENFILE:
	case ENOMEM: return ERR_LIMIT;
	case EAGAIN: return ERR_RETRY;
	case ETIMEDOUT: return ERR_TIMEOUT;
	case ECONNREFUSED: return ERR_UNAVAILABLE;
	case EPIPE:
	case ECONNRESET: return ERR_CLOSED;
	case EINVAL:
	case ENAMETOOLONG:
	case ELOOP: return ERR_INVALID;
	default: return ERR_INTERNAL;
	}
}

int error_errno(struct error *err, int number, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	err->code = code_of_errno(number);
	err->where[0] = '\0';
	vsnprintf(err->text, sizeof err->text, format, args);
	va_end(args);
	size_t used = strlen(err->text);
	snprintf(err->text + used, sizeof err->text - used, ": %s.", strerror(number));
	escape_control(err->text);
	return (int)err->code;
}

int error_prefix(struct error *err, const char *format, ...)
{
	char prefixed[ERROR_TEXT_MAX];
	va_list args;
	va_start(args, format);
	vsnprintf(prefixed, sizeof prefixed, format, args);
	va_end(args);
	size_t used = strlen(prefixed);
	snprintf(prefixed + used, sizeof prefixed - used, ": %s", err->text);
	memcpy(err->text, prefixed, sizeof prefixed);
	escape_control(err->text);
	return (int)err->code;
}

void error_where(struct error *err, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(err->where, sizeof err->where, format, args);
	va_end(args);
	escape_control(err->where);
}

const char *err_name(enum err code)
{
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (names[i].code == code)
			return names[i].name;
	return "internal";
}

enum err err_from_name(const char *name)
{
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(names[i].name, name) == 0)
			return names[i].code;
	return ERR_INTERNAL;
}

void assert_failed(const char *condition, const char *file, int line, const char *function)
{
	fprintf(stderr, "davit: bug: %s is false in %s (%s:%d)\n", condition, function, file, line);
	fflush(stderr);
	abort();
}
