/* SPDX-License-Identifier: Apache-2.0
 * A directory of its own for a test, and waiting for a condition with a deadline. */
#ifndef TESTS_UNIT_OS_SCRATCH_H
#define TESTS_UNIT_OS_SCRATCH_H

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/file.h"

enum { SCRATCH_WAIT_MS = 20000 };

struct scratch {
	char path[64];
	int fd;
};

static inline void scratch_make(struct scratch *s)
{
	snprintf(s->path, sizeof s->path, "/tmp/davit-test-XXXXXX");
	if (!mkdtemp(s->path))
		abort();
	s->fd = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static inline void scratch_remove(struct scratch *s)
{
	struct error err;
	close(s->fd);
	if (file_remove_tree(AT_FDCWD, s->path, &err) < 0)
		fprintf(stderr, "%s\n", err.text);
}

/* Look every few milliseconds until it is true; false after the deadline. */
#define WAIT_FOR(condition)                                               \
	__extension__({                                                   \
		uint64_t until_ = clock_now_ms() + SCRATCH_WAIT_MS;       \
		bool true_;                                               \
		while (!(true_ = (condition)) && clock_now_ms() < until_) \
			poll(NULL, 0, 3);                                 \
		true_;                                                    \
	})

#endif
