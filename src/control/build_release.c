/* SPDX-License-Identifier: Apache-2.0
 * build_release - see build_release.h for the contract. */
#include "control/build_release.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "control/release_file.h"
#include "provider/artifact.h"

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
	/* The configuration of the commit travels in the archive. */
	job->result = release_file_read(job->artifacts, &info.digest, &job->config, &job->err);
	job->release.config_text = job->config;
	job->release.config_name = "davit.yaml";
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
