/* SPDX-License-Identifier: Apache-2.0
 * build_release - see build_release.h for the contract. */
#include "control/build_release.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "provider/artifact.h"

enum { CONFIG_TEXT_MAX = 256 * 1024, PATH_SIZE = 4096 };

struct build_job {
	struct control *control; /* NULL: it is gone */
	struct artifact_store *artifacts;
	build_released done;
	uint32_t number;
	char who[CONTROL_WHO_SIZE];
	char archive[BUILDS_PATH_SIZE];
	char source[STORE_SENTENCE_SIZE];
	char *config;
	struct control_release release;
	int result;
	struct error err;
};

/* The configuration of the commit travels in the archive. */
static int read_config(struct build_job *job)
{
	char path[PATH_SIZE + 16];
	int result = job->artifacts->ops->path(job->artifacts, &job->release.artifact, path,
					       PATH_SIZE, &job->err);
	if (result < 0)
		return result;
	memcpy(path + strlen(path), "/davit.yaml", sizeof "/davit.yaml");
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	job->config = mem_zero(1, CONFIG_TEXT_MAX + 1);
	ssize_t n = fd >= 0 ? read(fd, job->config, CONFIG_TEXT_MAX) : -1;
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return error_set(&job->err, ERR_NOT_FOUND, "The archive has no davit.yaml.");
	job->release.config_text = job->config;
	job->release.config_name = "davit.yaml";
	return 0;
}

static void work(void *context)
{
	struct build_job *job = context;
	struct artifact_info info;
	int fd = open(job->archive, O_RDONLY | O_CLOEXEC);
	job->result = fd < 0 ? error_set(&job->err, ERR_NOT_FOUND, "The archive is gone.")
			     : job->artifacts->ops->import(job->artifacts, fd, "release.tar", &info,
							   &job->err);
	if (fd >= 0)
		close(fd);
	if (job->result < 0)
		return;
	job->release.artifact = info.digest;
	job->release.size_bytes = info.size_bytes;
	job->release.files = info.entries;
	job->result = read_config(job);
}

static void finish(void *context)
{
	struct build_job *job = context;
	struct control *c = job->control;
	struct control_caller caller = {.who = ""};
	char id[DIGEST_HEX_SIZE];
	bool existed;
	if (c) {
		c->build_job = NULL;
		text_copy(caller.who, sizeof caller.who, job->who);
		if (job->result == 0)
			job->result = control_add_release(c, &caller, &job->release, id, &existed,
							  &job->err);
		job->done(c, job->number, job->result == 0 ? id : NULL, &job->err);
	}
	free(job->config);
	free(job);
}

void build_release_begin(struct control *c, const struct store_build *build, const char *archive,
			 build_released done)
{
	struct build_job *job = mem_zero(1, sizeof *job);
	job->control = c;
	job->artifacts = c->parts.artifacts;
	job->done = done;
	job->number = build->number;
	text_copy(job->who, sizeof job->who, build->by);
	text_copy(job->archive, sizeof job->archive, archive);
	if (text_starts(build->ref, "refs/tags/"))
		text_copy(job->release.tag, sizeof job->release.tag,
			  build->ref + sizeof "refs/tags/" - 1);
	snprintf(job->source, sizeof job->source, "build %u, commit %s%s%s", build->number,
		 build->commit, build->ref[0] ? " of " : "", build->ref);
	job->release.source = job->source;
	c->build_job = job;
	if (c->parts.background) {
		c->parts.background(c->parts.background_context, work, finish, job);
		return;
	}
	work(job);
	finish(job);
}

void build_release_forget(struct control *c)
{
	if (c->build_job)
		c->build_job->control = NULL;
	c->build_job = NULL;
}
