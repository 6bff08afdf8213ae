/* SPDX-License-Identifier: Apache-2.0
 * clock - see clock.h for the contract. */
#include "os/clock.h"

#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static uint64_t read_ms(clockid_t which)
{
	struct timespec now;
	clock_gettime(which, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t clock_now_ms(void)
{
	return read_ms(CLOCK_MONOTONIC);
}

uint64_t clock_wall_ms(void)
{
	return read_ms(CLOCK_REALTIME);
}

const char *clock_boot_id(void)
{
	static char id[40];
	if (id[0])
		return id;
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		ssize_t count = read(fd, id, sizeof id - 1);
		id[count > 0 ? count : 0] = '\0';
		id[strcspn(id, "\n")] = '\0';
		close(fd);
	}
	/* Without /proc every start looks like the same boot; adoption then rests on start times. */
	if (!id[0])
		memcpy(id, "unknown", sizeof "unknown");
	return id;
}
