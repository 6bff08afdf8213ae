/* SPDX-License-Identifier: Apache-2.0
 * file - see file.h and provider/postmortems.h for the contracts. */
#include "drivers/postmortem/file.h"

#include <stdio.h>
#include <stdlib.h>

#include "os/file.h"

enum { NAME_SIZE = 32, MODE = 0600 };

struct postmortem_file {
	struct postmortems postmortems;
	int dir_fd;
};

static const char *name_of(uint32_t rollout, char to[NAME_SIZE])
{
	snprintf(to, NAME_SIZE, "%010u.md", rollout);
	return to;
}

static bool has(const struct postmortems *postmortems, uint32_t rollout)
{
	const struct postmortem_file *f = (const struct postmortem_file *)postmortems;
	char name[NAME_SIZE];
	return faccessat(f->dir_fd, name_of(rollout, name), F_OK, 0) == 0;
}

static int put(const struct postmortems *postmortems, uint32_t rollout, const char *text,
	       size_t size, struct error *err)
{
	const struct postmortem_file *f = (const struct postmortem_file *)postmortems;
	char name[NAME_SIZE];
	if (has(postmortems, rollout))
		return 0;
	return file_write(f->dir_fd, name_of(rollout, name), text, size, MODE, err);
}

static const struct postmortems_ops ops = {.has = has, .put = put};

int postmortem_file_new(int state_fd, struct postmortems **ret_postmortems, struct error *err)
{
	int fd, result = file_make_directories(state_fd, "postmortems", 0700, err);
	if (result == 0)
		result = file_open_directory(state_fd, "postmortems", &fd, err);
	if (result < 0)
		return result;
	struct postmortem_file *f = mem_zero(1, sizeof *f);
	f->postmortems.ops = &ops;
	f->dir_fd = fd;
	*ret_postmortems = &f->postmortems;
	return 0;
}

void postmortem_file_free(struct postmortems *postmortems)
{
	struct postmortem_file *f = (struct postmortem_file *)postmortems;
	if (!f)
		return;
	close(f->dir_fd);
	free(f);
}
