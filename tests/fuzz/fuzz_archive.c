/* SPDX-License-Identifier: Apache-2.0
 * fuzz_archive - archives of strangers. Whatever the bytes are, nothing may appear outside the target, and what
 * appears in it is a tree within the limits; one that was taken must be the same tree after it was packed and
 * unpacked again. */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"

#include "os/archive.h"
#include "os/file.h"

static const struct archive_limits limits = {
	.bytes = 1 << 20, .ratio_free_bytes = 1 << 16, .ratio = 100, .entries = 64};

static int new_directory(int at, const char *name)
{
	EXPECT(mkdirat(at, name, 0755) == 0);
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	EXPECT(fd >= 0);
	return fd;
}

static int to_file(void *context, const void *bytes, size_t size, struct error *err)
{
	(void)err;
	EXPECT(write(*(const int *)context, bytes, size) == (ssize_t)size);
	return 0;
}

/* .git and .davit are not packed: only then may the copy be smaller. */
static void check_copy(int place, int target, const struct archive_tree *tree)
{
	struct archive_tree again = {0};
	struct error err;
	int copy = new_directory(place, "copy"), fd = memfd_create("packed", MFD_CLOEXEC);
	EXPECT(fd >= 0);
	EXPECT(archive_pack(target, to_file, &fd, &err) == 0);
	int code = archive_unpack(fd, copy, &limits, &err);
	EXPECT(archive_tree_digest(copy, &again, &err) == 0);
	EXPECT(again.entries < tree->entries ||
	       (code == 0 && digest_equal(&again.digest, &tree->digest)));
	close(fd);
	close(copy);
	EXPECT(file_remove_tree(place, "copy", &err) == 0);
}

/* A fuzzer does not find checksums: put right those of a tar's headers, so that what they guard is read. */
static void heal(uint8_t *data, size_t size)
{
	enum { BLOCK = 512, SUM_AT = 148, SUM_SIZE = 8, MAGIC_AT = 257 };
	for (size_t at = 0; at + BLOCK <= size; at += BLOCK) {
		uint8_t *header = data + at;
		unsigned sum = 0;
		if (memcmp(header + MAGIC_AT, "ustar", 5) != 0)
			continue;
		memset(header + SUM_AT, ' ', SUM_SIZE);
		for (size_t i = 0; i < BLOCK; i++)
			sum += header[i];
		snprintf((char *)header + SUM_AT, SUM_SIZE, "%06o", sum & 0777777);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *bytes = malloc(size ? size : 1);
	EXPECT(bytes);
	memcpy(bytes, data, size);
	heal(bytes, size);
	char path[] = "/tmp/davit-fuzz-XXXXXX";
	struct archive_tree tree = {0};
	struct error err;
	EXPECT(mkdtemp(path));
	int place = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int target = new_directory(place, "target"), fd = memfd_create("archive", MFD_CLOEXEC);
	EXPECT(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
	int code = archive_unpack(fd, target, &limits, &err);
	EXPECT(archive_tree_digest(target, &tree, &err) == 0);
	EXPECT(tree.entries <= limits.entries + 1 && tree.size_bytes <= limits.bytes);
	if (code == 0) {
		EXPECT(tree.entries > 0 && tree.entries <= limits.entries);
		check_copy(place, target, &tree);
	}
	free(bytes);
	close(fd);
	close(target);
	EXPECT(file_remove_tree(place, "target", &err) == 0);
	close(place);
	EXPECT(rmdir(path) == 0); /* nothing else is in it */
	return 0;
}
