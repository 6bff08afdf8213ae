/* SPDX-License-Identifier: Apache-2.0
 *
 * failpoints - linked into the test binary only: dies at a named instant, once, when a test arms it.
 *
 * HOW   DAVIT_FAILPOINT_FILE names a file that need not exist. A test arms a point by writing "NAME N" there:
 *       the first process whose Nth pass of that point finds the file takes it away and kills itself. So a
 *       point can be armed while everything runs, and a restarted process does not die again.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/failpoint.h"

enum { NAMES_MAX = 64 };

static unsigned long passes[NAMES_MAX];

static unsigned long count_pass(const char *name)
{
	for (size_t i = 0; failpoint_names[i] && i < NAMES_MAX; i++)
		if (strcmp(failpoint_names[i], name) == 0)
			return ++passes[i];
	abort(); /* not in the list: no test would ever walk it */
}

static void pass(const char *name)
{
	char text[128] = "", armed[64], taken[512];
	unsigned long nth = 1;
	const char *path = getenv("DAVIT_FAILPOINT_FILE");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0) {
		memset(passes, 0, sizeof passes); /* counted from the moment of arming */
		return;
	}
	ssize_t size = read(fd, text, sizeof text - 1);
	close(fd);
	char *space = size > 0 ? strchr(text, ' ') : NULL;
	if (!space)
		return;
	*space = '\0';
	snprintf(armed, sizeof armed, "%s", text);
	nth = strtoul(space + 1, NULL, 10);
	if (strcmp(armed, name) != 0 || count_pass(name) < nth)
		return;
	snprintf(taken, sizeof taken, "%s.taken", path);
	if (rename(path, taken) == 0)
		kill(getpid(), SIGKILL);
}

__attribute__((constructor)) static void install(void)
{
	failpoint_hook = pass;
}
