/* SPDX-License-Identifier: Apache-2.0
 * secret_file - see secret_file.h for the contract. */
#include "os/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/file.h"

int secret_file_read(const char *path, struct buf *to, struct error *err)
{
	struct stat about;
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &about) != 0)
		return error_errno(err, errno, "The file %s cannot be read", path);
	if (!S_ISREG(about.st_mode) || (about.st_mode & 077) ||
	    (about.st_uid != geteuid() && about.st_uid != 0))
		return error_set(err, ERR_DENIED,
				 "Others may read or change %s; take that from them: chmod 600 %s",
				 path, path);
	char part[1024];
	ssize_t n;
	while ((n = read(fd, part, sizeof part)) > 0)
		buf_append(to, part, (size_t)n);
	explicit_bzero(part, sizeof part);
	if (n < 0)
		return error_errno(err, errno, "The file %s cannot be read", path);
	while (to->size > 0 && (to->data[to->size - 1] == '\n' || to->data[to->size - 1] == '\r'))
		to->data[--to->size] = '\0';
	return to->overflowed || to->size == 0
		       ? error_set(err, ERR_INVALID, "The file %s is empty, or far too long.", path)
		       : 0;
}
