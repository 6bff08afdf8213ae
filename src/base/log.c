/* SPDX-License-Identifier: Apache-2.0
 * log - see log.h for the contract. The clock here is the wall clock of the record, never a decision. */
#include "base/log.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

enum { LINE_MAX_BYTES = 4096 };

static const char *const level_names[] = {"debug", "info", "warning", "error"};
static char process_name[64] = "davit";
static enum log_level least_level = LOG_INFO;

void log_init(const char *process, enum log_level least)
{
	text_copy(process_name, sizeof process_name, process);
	least_level = least;
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
	char line[LINE_MAX_BYTES], when[40];
	struct timespec now;
	if (level < least_level)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	uint64_t unix_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	int used = snprintf(line, sizeof line, "%s %s %s[%d] %s ",
			    text_format_time(unix_ms, when, sizeof when), level_names[level],
			    process_name, (int)getpid(), event);
	va_list args;
	va_start(args, format);
	int more = vsnprintf(line + used, sizeof line - (size_t)used - 1, format, args);
	va_end(args);
	size_t size = (size_t)used + (size_t)(more > 0 ? more : 0);
	if (size > sizeof line - 2)
		size = sizeof line - 2;
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)line[i] < 0x20)
			line[i] = '?';
	line[size] = '\n';
	/* A log that cannot be written must not stop a deployment. */
	if (write(STDERR_FILENO, line, size + 1) < 0)
		return;
}
