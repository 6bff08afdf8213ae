/* SPDX-License-Identifier: Apache-2.0
 * memfd - see memfd.h for the contract. */
#include "os/memfd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FULL_SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

static int made(const char *name, size_t size, int *ret_fd, struct error *err)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return error_errno(err, errno, "Shared memory for \"%s\" cannot be made", name);
	if (ftruncate(fd, (off_t)size) != 0) {
		int rc = error_errno(err, errno, "Shared memory for \"%s\" cannot be made", name);
		close(fd);
		return rc;
	}
	*ret_fd = fd;
	return 0;
}

int memfd_seal(const char *name, const void *data, size_t size, int *ret_fd, struct error *err)
{
	int fd;
	int rc = made(name, 0, &fd, err);
	if (rc < 0)
		return rc;
	size_t done = 0;
	while (done < size) {
		ssize_t n = write(fd, (const char *)data + done, size - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			goto failed;
		done += (size_t)n;
	}
	if (fcntl(fd, F_ADD_SEALS, FULL_SEALS) != 0)
		goto failed;
	*ret_fd = fd;
	return 0;
failed:
	rc = error_errno(err, errno, "Shared memory for \"%s\" cannot be filled", name);
	close(fd);
	return rc;
}

int memfd_read_sealed(int fd, size_t size_max, struct buf *to, struct error *err)
{
	struct stat status;
	if (fcntl(fd, F_GET_SEALS) != FULL_SEALS || fstat(fd, &status) != 0)
		return error_set(err, ERR_CORRUPT, "A block arrived that could still change.");
	if (status.st_size < 0 || (size_t)status.st_size > size_max)
		return error_set(err, ERR_LIMIT, "A block of %lld bytes arrived; %zu are allowed.",
				 (long long)status.st_size, size_max);
	size_t size = (size_t)status.st_size;
	char part[4096];
	for (size_t at = 0; at < size;) {
		size_t wanted = size - at < sizeof part ? size - at : sizeof part;
		ssize_t n = pread(fd, part, wanted, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return error_errno(err, n < 0 ? errno : EIO, "A block cannot be read");
		buf_append(to, part, (size_t)n);
		at += (size_t)n;
	}
	if (to->overflowed)
		return error_set(err, ERR_LIMIT, "A block arrived that is too large.");
	return 0;
}

int memfd_share(const char *name, size_t size, int *ret_fd, void **ret_memory, struct error *err)
{
	int fd;
	int rc = made(name, size, &fd, err);
	if (rc < 0)
		return rc;
	void *memory = MAP_FAILED;
	/* Nobody who has it can shrink it, and so crash the others by a bus error. */
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW) == 0)
		memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED) {
		rc = error_errno(err, errno, "Shared memory for \"%s\" cannot be mapped", name);
		close(fd);
		return rc;
	}
	*ret_fd = fd;
	*ret_memory = memory;
	return 0;
}

int memfd_map(int fd, size_t size_max, void **ret_memory, size_t *ret_size, struct error *err)
{
	struct stat status;
	int seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0 || !(seals & F_SEAL_SHRINK) || fstat(fd, &status) != 0)
		return error_set(err, ERR_CORRUPT, "A segment arrived that could still shrink.");
	if (status.st_size <= 0 || (size_t)status.st_size > size_max)
		return error_set(err, ERR_LIMIT, "A segment of %lld bytes arrived.",
				 (long long)status.st_size);
	void *memory =
		mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return error_errno(err, errno, "A segment of shared memory cannot be mapped");
	*ret_memory = memory;
	*ret_size = (size_t)status.st_size;
	return 0;
}

void memfd_unmap(void *memory, size_t size)
{
	if (memory)
		munmap(memory, size);
}
