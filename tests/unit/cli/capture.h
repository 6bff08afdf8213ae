/* SPDX-License-Identifier: Apache-2.0
 *
 * capture - run a davit command line in this process, and read what it printed.
 */
#ifndef UNIT_CLI_CAPTURE_H
#define UNIT_CLI_CAPTURE_H

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/cli.h"

enum { CAPTURE_MAX = 256 * 1024, CAPTURE_ARGS_MAX = 80 };

static char captured_out[CAPTURE_MAX], captured_err[CAPTURE_MAX];

static inline void capture_read(int fd, char *to)
{
	ssize_t n = pread(fd, to, CAPTURE_MAX - 1, 0);
	to[n > 0 ? n : 0] = '\0';
	close(fd);
}

/* The words after "davit", ended by NULL; returns the exit code. */
static inline int davit(const char *const *words)
{
	char *argv[CAPTURE_ARGS_MAX] = {(char *)(uintptr_t) "davit"};
	int argc = 1, out = memfd_create("out", 0), err = memfd_create("err", 0);
	while (words[argc - 1] && argc < CAPTURE_ARGS_MAX - 1) {
		argv[argc] = (char *)(uintptr_t)words[argc - 1];
		argc++;
	}
	fflush(stdout);
	int old_out = dup(STDOUT_FILENO), old_err = dup(STDERR_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	int code = cli_main(argc, argv);
	fflush(stdout);
	dup2(old_out, STDOUT_FILENO);
	dup2(old_err, STDERR_FILENO);
	close(old_out);
	close(old_err);
	capture_read(out, captured_out);
	capture_read(err, captured_err);
	return code;
}

#define DAVIT(...) davit((const char *const[]){__VA_ARGS__, NULL})

/* The text is in what was printed there. */
static inline bool out_says(const char *text)
{
	return strstr(captured_out, text) != NULL;
}

static inline bool err_says(const char *text)
{
	return strstr(captured_err, text) != NULL;
}

#endif
