/* SPDX-License-Identifier: Apache-2.0
 * own_page - see own_page.h for the contract. */
#include "control/own_page.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "control/release_config.h"

int own_page_path(struct artifact_store *artifacts, const struct digest *artifact,
		  const struct app_requests *requests, char ret_path[ROUTER_PATH_SIZE],
		  struct error *err)
{
	const char *page = requests->maintenance.page;
	char directory[ROUTER_PATH_SIZE];
	ret_path[0] = '\0';
	if (!page)
		return 0;
	int result = artifacts->ops->path(artifacts, artifact, directory, sizeof directory, err);
	if (result < 0)
		return result;
	if (strlen(directory) + 1 + strlen(page) >= ROUTER_PATH_SIZE)
		return error_set(err, ERR_LIMIT,
				 "The maintenance page \"%s\" has a path that is too long for the "
				 "gateway: name a shorter one.",
				 page);
	text_copy(ret_path, ROUTER_PATH_SIZE, directory);
	text_copy(ret_path + strlen(directory), ROUTER_PATH_SIZE - strlen(directory), "/");
	text_copy(ret_path + strlen(directory) + 1, ROUTER_PATH_SIZE - strlen(directory) - 1, page);
	return 0;
}

static int check_file(const char *path, const char *page, struct error *err)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	bool known = fd >= 0 && fstat(fd, &st) == 0;
	if (fd >= 0)
		close(fd);
	if (!known)
		return error_set(err, ERR_INVALID,
				 "The maintenance page \"%s\" is no file of the release: have the "
				 "archive bring it, or take requests.maintenance.page away.",
				 page);
	if (!S_ISREG(st.st_mode) || st.st_size == 0)
		return error_set(err, ERR_INVALID,
				 "The maintenance page \"%s\" is %s: it has to be a file with "
				 "HTML in it.",
				 page, S_ISREG(st.st_mode) ? "empty" : "no file");
	if (st.st_size > ROUTER_PAGE_MAX)
		return error_set(
			err, ERR_INVALID,
			"The maintenance page \"%s\" has %lld bytes, and may have %d: leave "
			"pictures out of it.",
			page, (long long)st.st_size, ROUTER_PAGE_MAX);
	return 0;
}

int own_page_check(struct artifact_store *artifacts, const struct digest *artifact,
		   const struct app_requests *requests, struct error *err)
{
	char path[ROUTER_PATH_SIZE];
	int result = own_page_path(artifacts, artifact, requests, path, err);
	return result < 0 || !path[0] ? result : check_file(path, requests->maintenance.page, err);
}

struct looking {
	struct artifact_store *artifacts;
	const struct digest *artifact;
	struct error *err;
};

static int look(void *context, const char *environment, const struct resolved *resolved)
{
	const struct looking *l = context;
	int result =
		own_page_check(l->artifacts, l->artifact, &resolved->environment.requests, l->err);
	return result < 0 ? error_prefix(l->err, "Environment \"%s\"", environment) : 0;
}

int own_page_check_release(struct artifact_store *artifacts, const struct digest *artifact,
			   const char *config, size_t config_size, struct error *err)
{
	struct looking l = {artifacts, artifact, err};
	return release_config_each(config, config_size, look, &l, err);
}
