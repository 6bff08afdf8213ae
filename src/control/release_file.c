/* SPDX-License-Identifier: Apache-2.0
 * release_file - see release_file.h for the contract. */
#include "control/release_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"

enum { PATH_SIZE = 4096 };

int release_file_read(struct artifact_store *artifacts, const struct digest *artifact,
		      char **ret_text, struct error *err)
{
	static const char name[] = "/davit.yaml";
	char path[PATH_SIZE + sizeof name];
	int result = artifacts->ops->path(artifacts, artifact, path, PATH_SIZE, err);
	if (result < 0)
		return result;
	memcpy(path + strlen(path), name, sizeof name);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char *text = mem_zero(1, RELEASE_FILE_MAX + 2);
	ssize_t n = fd >= 0 ? read(fd, text, RELEASE_FILE_MAX + 1) : -1;
	if (fd >= 0)
		close(fd);
	if (n > 0 && n <= RELEASE_FILE_MAX) {
		*ret_text = text;
		return 0;
	}
	free(text);
	return n > 0 ? error_set(err, ERR_LIMIT,
				 "The davit.yaml of the release is larger than %d bytes.",
				 RELEASE_FILE_MAX)
		     : error_set(err, ERR_NOT_FOUND, "There is no davit.yaml in the release.");
}
