/* SPDX-License-Identifier: Apache-2.0
 * bundle - see bundle.h for the contract. */
#include "os/bundle.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"

struct bundle {
	struct archive *writer;
	int fd;
	int failed; /* errno of the first write that did not go through */
};

/* Never fails towards libarchive, which would lose memory; what still comes is thrown away. */
static la_ssize_t give(struct archive *writer, void *context, const void *bytes, size_t size)
{
	struct bundle *b = context;
	const char *from = bytes;
	(void)writer;
	for (size_t left = size; left > 0 && !b->failed;) {
		ssize_t count = write(b->fd, from, left);
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0) {
			b->failed = errno;
			break;
		}
		from += count;
		left -= (size_t)count;
	}
	return (la_ssize_t)size;
}

static int check(const struct bundle *b, bool refused, struct error *err)
{
	if (b->failed)
		return error_errno(err, b->failed, "The archive cannot be written");
	if (!refused)
		return 0;
	const char *why = archive_error_string(b->writer);
	return error_set(err, ERR_INTERNAL, "The archive cannot be written: %s.",
			 why ? why : "no reason was given");
}

int bundle_begin(int fd, struct bundle **ret_bundle, struct error *err)
{
	struct bundle *b = mem_zero(1, sizeof *b);
	b->writer = archive_write_new();
	ASSERT(b->writer);
	b->fd = fd;
	archive_write_set_format_pax_restricted(b->writer);
	archive_write_set_bytes_in_last_block(b->writer, 1); /* no padding after the end */
	if (archive_write_add_filter_zstd(b->writer) != ARCHIVE_OK &&
	    archive_write_add_filter_gzip(b->writer) != ARCHIVE_OK) {
		archive_write_free(b->writer);
		free(b);
		return error_set(err, ERR_UNSUPPORTED,
				 "This machine's libarchive has neither zstd nor gzip built in.");
	}
	int code = check(b, archive_write_open(b->writer, b, NULL, give, NULL) != ARCHIVE_OK, err);
	if (code < 0) {
		archive_write_free(b->writer);
		free(b);
		return code;
	}
	*ret_bundle = b;
	return 0;
}

int bundle_member(struct bundle *b, const char *name, uint64_t size, struct error *err)
{
	struct archive_entry *entry = archive_entry_new();
	ASSERT(entry);
	archive_entry_copy_pathname(entry, name);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0600);
	archive_entry_set_mtime(entry, 0, 0);
	archive_entry_set_size(entry, (int64_t)size);
	int code = check(b, archive_write_header(b->writer, entry) < ARCHIVE_WARN, err);
	archive_entry_free(entry);
	return code;
}

int bundle_write(struct bundle *b, const void *bytes, size_t size, struct error *err)
{
	return check(b, archive_write_data(b->writer, bytes, size) != (la_ssize_t)size, err);
}

int bundle_end(struct bundle *b, struct error *err)
{
	int code = check(b, archive_write_close(b->writer) != ARCHIVE_OK, err);
	archive_write_free(b->writer);
	free(b);
	return code;
}
