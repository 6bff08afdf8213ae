/* SPDX-License-Identifier: Apache-2.0 */
#include "../cmocka_all.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <locale.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "os/archive.h"
#include "scratch.h"
#include "tar.h"

static const struct archive_limits small = {
	.bytes = 1 << 20, .ratio_free_bytes = 1 << 16, .ratio = 50, .entries = 40};

/* A target to unpack into, and a file beside it that no archive may reach. */
struct place {
	struct scratch scratch;
	int target;
	struct error err;
};

static void must(int code, const struct error *err)
{
	if (code < 0)
		fail_msg("%s: %s", err_name((enum err)code), err->text);
}

static void place_make(struct place *p)
{
	*p = (struct place){0};
	scratch_make(&p->scratch);
	assert_int_equal(mkdirat(p->scratch.fd, "target", 0755), 0);
	p->target = openat(p->scratch.fd, "target", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = openat(p->scratch.fd, "outside", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	assert_int_equal(write(fd, "untouched", 9), 9);
	close(fd);
}

static void place_remove(struct place *p)
{
	struct stat st;
	char text[16] = "";
	int fd = openat(p->scratch.fd, "outside", O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, text, sizeof text), 9);
	assert_string_equal(text, "untouched");
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(st.st_nlink, 1);
	close(fd);
	close(p->target);
	must(file_remove_tree(p->scratch.fd, "target", &p->err), &p->err);
	assert_int_equal(unlinkat(p->scratch.fd, "outside", 0), 0);
	assert_int_equal(rmdir(p->scratch.path), 0); /* nothing else is beside them */
	close(p->scratch.fd);
}

static int file_of(const void *bytes, size_t size)
{
	int fd = memfd_create("archive", MFD_CLOEXEC);
	assert_true(fd >= 0);
	for (size_t done = 0; done < size;) {
		ssize_t count = write(fd, (const char *)bytes + done, size - done);
		assert_true(count > 0);
		done += (size_t)count;
	}
	return fd;
}

static int unpack_bytes(struct place *p, const void *bytes, size_t size)
{
	int fd = file_of(bytes, size);
	int code = archive_unpack(fd, p->target, &small, &p->err);
	close(fd);
	return code;
}

static int unpack_entries(struct place *p, const struct tar_entry *entries)
{
	struct buf b;
	buf_init(&b, 1 << 22);
	for (; entries->name; entries++)
		tar_add(&b, entries);
	tar_end(&b);
	int code = unpack_bytes(p, b.data, b.size);
	buf_done(&b);
	return code;
}

/* The measures of the tree in one line. */
static const char *listing(int dir_fd)
{
	static char text[64];
	struct archive_tree tree;
	struct error err;
	must(archive_tree_measure(dir_fd, &tree, &err), &err);
	snprintf(text, sizeof text, "%u entries, %llu bytes", tree.entries,
		 (unsigned long long)tree.size_bytes);
	return text;
}

struct hostile {
	const char *what;
	int code;
	const char *says;
	struct tar_entry entries[5];
};

#define DEEP_10 "d/d/d/d/d/d/d/d/d/d/"

static const struct hostile hostiles[] = {
	{"absolute", ERR_INVALID, "absolute", {{"/etc/evil", '0', .data = "x"}}},
	{"absolute, twice", ERR_INVALID, "absolute", {{"//evil", '0', .data = "x"}}},
	{"absolute directory", ERR_INVALID, "absolute", {{"/tmp/", '5'}}},
	{"parent", ERR_INVALID, "..", {{"../outside", '0', .data = "x"}}},
	{"parent in the middle", ERR_INVALID, "..", {{"a/../../outside", '0', .data = "x"}}},
	{"parent at the end", ERR_INVALID, "..", {{"a/..", '5'}}},
	{"parent that stays inside", ERR_INVALID, "..", {{"a/../b", '0', .data = "x"}}},
	{"parent behind a dot", ERR_INVALID, "..", {{"./../outside", '0', .data = "x"}}},
	{"parent with slashes", ERR_INVALID, "..", {{".//..//outside", '0', .data = "x"}}},
	{"parent directory", ERR_INVALID, "..", {{"../new/", '5'}}},
	{"only dots", ERR_INVALID, "..", {{"..", '5'}}},
	{"root as a file", ERR_INVALID, "no name", {{"./", '2', .link = "x"}}},
	{"no name", ERR_INVALID, "", {{"", '0', .data = "x"}}},
	{"dot as a file", ERR_INVALID, "no name", {{".", '0', .data = "x"}}},
	{"link to the root of the machine", ERR_INVALID, "out of", {{"l", '2', .link = "/"}}},
	{"link to a file of the machine",
	 ERR_INVALID,
	 "out of",
	 {{"l", '2', .link = "/etc/passwd"}}},
	{"link to the parent", ERR_INVALID, "out of", {{"l", '2', .link = ".."}}},
	{"link beside the target", ERR_INVALID, "out of", {{"l", '2', .link = "../outside"}}},
	{"link out from below",
	 ERR_INVALID,
	 "out of",
	 {{"a/b/l", '2', .link = "../../../outside"}}},
	{"link out and in again", ERR_INVALID, "out of", {{"l", '2', .link = "../target/x"}}},
	{"link out behind a name", ERR_INVALID, "out of", {{"l", '2', .link = "x/../../outside"}}},
	{"link without target", ERR_INVALID, "out of", {{"l", '2', .link = ""}}},
	{"link with control bytes", ERR_INVALID, "out of", {{"l", '2', .link = "a\x1b[2J"}}},
	{"link out through a link",
	 ERR_INVALID,
	 "out of",
	 {{"a/up", '2', .link = ".."}, {"l", '2', .link = "a/up/.."}}},
	{"link out through two links",
	 ERR_INVALID,
	 "out of",
	 {{"a/b/c", '2', .link = "../.."},
	  {"d", '2', .link = "a/b/c"},
	  {"e", '2', .link = "d/x/../.."}, /* dangles: x is missing */
	  {"f", '2', .link = "a/b/c/../outside"}}},
	{"link to itself", ERR_INVALID, "circle", {{"l", '2', .link = "l"}}},
	{"links to each other",
	 ERR_INVALID,
	 "circle",
	 {{"a", '2', .link = "b"}, {"b", '2', .link = "a"}}},
	{"file through a link",
	 ERR_INVALID,
	 "leads through",
	 {{"d/", '5'}, {"l", '2', .link = "d"}, {"l/file", '0', .data = "x"}}},
	{"directory through a link",
	 ERR_INVALID,
	 "leads through",
	 {{"d/", '5'}, {"l", '2', .link = "d"}, {"l/sub/", '5'}}},
	{"link through a link",
	 ERR_INVALID,
	 "leads through",
	 {{"d/", '5'}, {"l", '2', .link = "d"}, {"l/m", '2', .link = "x"}}},
	{"directory over a link",
	 ERR_INVALID,
	 "leads through",
	 {{"d/", '5'}, {"l", '2', .link = "d"}, {"l/", '5'}}},
	{"file over a link",
	 ERR_INVALID,
	 "twice",
	 {{"d", '0', .data = "x"}, {"l", '2', .link = "d"}, {"l", '0', .data = "y"}}},
	{"link over a file",
	 ERR_INVALID,
	 "twice",
	 {{"l", '0', .data = "x"}, {"l", '2', .link = "d"}}},
	{"link over a directory", ERR_INVALID, "twice", {{"l/", '5'}, {"l", '2', .link = "d"}}},
	{"file twice", ERR_INVALID, "twice", {{"a", '0', .data = "x"}, {"./a", '0', .data = "y"}}},
	{"file over a directory", ERR_INVALID, "twice", {{"a/", '5'}, {"a", '0', .data = "y"}}},
	{"directory over a file",
	 ERR_INVALID,
	 "leads through",
	 {{"a", '0', .data = "x"}, {"a/", '5'}}},
	{"file in a file", ERR_INVALID, "leads through", {{"a", '0', .data = "x"}, {"a/b", '0'}}},
	{"hard link out", ERR_INVALID, "..", {{"l", '1', .link = "../outside"}}},
	{"absolute hard link", ERR_INVALID, "absolute", {{"l", '1', .link = "/etc/passwd"}}},
	{"hard link to nothing", ERR_INVALID, "came before", {{"l", '1', .link = "nothing"}}},
	{"hard link to a link",
	 ERR_INVALID,
	 "came before",
	 {{"a", '0', .data = "x"}, {"s", '2', .link = "a"}, {"l", '1', .link = "s"}}},
	{"hard link through a link",
	 ERR_INVALID,
	 "came before",
	 {{"d/a", '0', .data = "x"}, {"s", '2', .link = "d"}, {"l", '1', .link = "s/a"}}},
	{"hard link to a directory",
	 ERR_INVALID,
	 "came before",
	 {{"d/", '5'}, {"l", '1', .link = "d"}}},
	{"hard link to itself", ERR_INVALID, "came before", {{"l", '1', .link = "l"}}},
	{"hard link over a file",
	 ERR_INVALID,
	 "twice",
	 {{"a", '0', .data = "x"}, {"b", '0', .data = "y"}, {"b", '1', .link = "a"}}},
	{"character device", ERR_INVALID, "device", {{"null", '3'}}},
	{"block device", ERR_INVALID, "device", {{"sda", '4'}}},
	{"FIFO", ERR_INVALID, "FIFO", {{"pipe", '6'}}},
	{"name with ESC", ERR_INVALID, "control", {{"a\x1b[2Jb", '0', .data = "x"}}},
	{"name with newline", ERR_INVALID, "control", {{"a\nb", '0', .data = "x"}}},
	{"name that is not UTF-8", ERR_INVALID, "", {{"a\xff\xfe", '0', .data = "x"}}},
	{"name that turns the writing", ERR_INVALID, "control", {{"a\xe2\x80\xae.txt", '0'}}},
	{"overlong slash", ERR_INVALID, "", {{"..\xc0\xaf..\xc0\xafx", '0', .data = "x"}}},
	{"too deep",
	 ERR_LIMIT,
	 "deep",
	 {{DEEP_10 DEEP_10 DEEP_10 DEEP_10 "d/d/d/d/d/d/d/d/d", '0', .data = "x"}}},
	{"claims to be huge",
	 ERR_LIMIT,
	 "larger",
	 {{"a", '0', .data = "x", .claims = "77777777777"}}},
	{"claims more than follows",
	 ERR_INVALID,
	 "",
	 {{"a", '0', .data = "x", .claims = "00000077777"}}},
	{"empty", ERR_INVALID, "", {{NULL}}},
	{"only the root", ERR_INVALID, "empty", {{"./", '5'}}},
};

static void every_hostile_tar_is_refused_and_reaches_nothing_outside(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof hostiles / sizeof hostiles[0]; i++) {
		const struct hostile *h = &hostiles[i];
		struct place p;
		place_make(&p);
		int code = unpack_entries(&p, h->entries);
		if (code != h->code || !strstr(p.err.text, h->says))
			fail_msg("%s: %d %s", h->what, code, p.err.text);
		place_remove(&p);
	}
}

static void harmless_tars_are_unpacked(void **state)
{
	(void)state;
	static const struct {
		const char *what;
		const char *listing;
		struct tar_entry entries[6];
	} good[] = {
		{"dots before names",
		 "2 entries, 1 bytes",
		 {{"./", '5'}, {"./a/", '5'}, {"./a/b", '0', .data = "x"}}},
		{"double slashes", "2 entries, 1 bytes", {{"a//b", '0', .data = "x"}}},
		{"directory given again",
		 "2 entries, 0 bytes",
		 {{"a/", '5'}, {"a/b", '0'}, {"a/", '5'}}},
		{"directory after its files",
		 "2 entries, 1 bytes",
		 {{"a/b", '0', .data = "x"}, {"a/", '5'}}},
		{"names with dots",
		 "3 entries, 0 bytes",
		 {{"..a", '0'}, {"a..", '0'}, {"...", '0'}}},
		{"link beside",
		 "2 entries, 1 bytes",
		 {{"a", '0', .data = "x"}, {"l", '2', .link = "a"}}},
		{"link up but inside",
		 "4 entries, 1 bytes",
		 {{"d/e/l", '2', .link = "../../a"}, {"a", '0', .data = "x"}}},
		{"link to its own directory", "2 entries, 0 bytes", {{"d/l", '2', .link = "."}}},
		{"link to what comes later",
		 "2 entries, 0 bytes",
		 {{"public/storage", '2', .link = "../storage/app"}}},
		{"hard link",
		 "2 entries, 6 bytes",
		 {{"a", '0', .data = "abc"}, {"l", '1', .link = "./a"}}},
		{"letters of the world",
		 "1 entries, 1 bytes",
		 {{"\xc3\xa9\xe4\xb8\x96", '0', .data = "x"}}},
		{"deepest",
		 "48 entries, 1 bytes",
		 {{DEEP_10 DEEP_10 DEEP_10 DEEP_10 "d/d/d/d/d/d/d/x", '0', .data = "x"}}},
	};
	struct archive_limits limits = small;
	limits.entries = 48;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		struct place p;
		struct buf b;
		place_make(&p);
		buf_init(&b, 1 << 20);
		for (const struct tar_entry *e = good[i].entries; e->name; e++)
			tar_add(&b, e);
		tar_end(&b);
		int fd = file_of(b.data, b.size);
		if (archive_unpack(fd, p.target, &limits, &p.err) < 0)
			fail_msg("%s: %s", good[i].what, p.err.text);
		if (strcmp(listing(p.target), good[i].listing) != 0)
			fail_msg("%s: %s", good[i].what, listing(p.target));
		close(fd);
		buf_done(&b);
		place_remove(&p);
	}
}

static void setuid_setgid_and_sticky_are_dropped_and_only_x_is_kept(void **state)
{
	(void)state;
	static const struct tar_entry entries[] = {{"suid", '0', .data = "x", .mode = 06755},
						   {"plain", '0', .data = "x", .mode = 0666},
						   {"dir/", '5', .mode = 07777},
						   {NULL}};
	static const struct {
		const char *name;
		mode_t before, sealed;
	} want[] = {{"suid", 0755, 0555}, {"plain", 0644, 0444}, {"dir", 0755, 0555}};
	struct place p;
	struct stat st;
	place_make(&p);
	mode_t mask = umask(022);
	must(unpack_entries(&p, entries), &p.err);
	umask(mask);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(fstatat(p.target, want[i].name, &st, 0), 0);
		assert_int_equal(st.st_mode & 07777, want[i].before);
	}
	must(archive_tree_seal(p.target, &p.err), &p.err);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(fstatat(p.target, want[i].name, &st, 0), 0);
		assert_int_equal(st.st_mode & 07777, want[i].sealed);
	}
	assert_int_equal(fstat(p.target, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0555);
	place_remove(&p);
}

static void too_many_entries_are_refused_at_limit_plus_one(void **state)
{
	(void)state;
	for (uint32_t extra = 0; extra < 2; extra++) {
		struct place p;
		struct buf b;
		place_make(&p);
		buf_init(&b, 1 << 20);
		for (uint32_t i = 0; i < small.entries + extra; i++) {
			char name[16];
			snprintf(name, sizeof name, "f%u", i);
			tar_add(&b, &(struct tar_entry){name, '0'});
		}
		tar_end(&b);
		int code = unpack_bytes(&p, b.data, b.size);
		assert_int_equal(code, extra ? ERR_LIMIT : 0);
		buf_done(&b);
		place_remove(&p);
	}
}

static void directories_that_names_imply_count_as_entries(void **state)
{
	(void)state;
	static const struct tar_entry entries[] = {{"a/" DEEP_10 "f", '0'},
						   {"b/" DEEP_10 "f", '0'},
						   {"c/" DEEP_10 "f", '0'},
						   {"e/" DEEP_10 "f", '0'},
						   {NULL}};
	struct place p;
	place_make(&p);
	assert_int_equal(unpack_entries(&p, entries), ERR_LIMIT);
	place_remove(&p);
}

static void endless_entries_that_make_nothing_are_refused(void **state)
{
	(void)state;
	struct place p;
	struct buf b;
	place_make(&p);
	buf_init(&b, 1 << 20);
	for (uint32_t i = 0; i < 100; i++)
		tar_add(&b, &(struct tar_entry){"./", '5'});
	tar_end(&b);
	assert_int_equal(unpack_bytes(&p, b.data, b.size), ERR_LIMIT);
	buf_done(&b);
	place_remove(&p);
}

static void hard_links_count_with_the_size_of_what_they_name(void **state)
{
	(void)state;
	struct place p;
	struct buf b;
	char *data = mem_zero(1, 300001);
	memset(data, 'x', 300000);
	place_make(&p);
	buf_init(&b, 1 << 20);
	tar_add(&b, &(struct tar_entry){"a", '0', .data = data});
	for (int i = 0; i < 3; i++) {
		char name[8];
		snprintf(name, sizeof name, "l%d", i);
		tar_add(&b, &(struct tar_entry){name, '1', .link = "a"});
	}
	tar_end(&b);
	assert_int_equal(unpack_bytes(&p, b.data, b.size), ERR_LIMIT);
	assert_non_null(strstr(p.err.text, "l2"));
	buf_done(&b);
	free(data);
	place_remove(&p);
}

/* Archives that libarchive writes: any format and filter, of a list of entries. */
struct made {
	struct buf bytes;
	struct archive *writer;
	locale_t utf8,
		before; /* names are written as UTF-8, and read by a thread whose locale is C */
};

static la_ssize_t keep(struct archive *writer, void *context, const void *bytes, size_t size)
{
	(void)writer;
	buf_append(context, bytes, size);
	return (la_ssize_t)size;
}

static void made_begin(struct made *m, int format, int filter, const char *options)
{
	buf_init(&m->bytes, 64 << 20);
	m->writer = archive_write_new();
	m->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	assert_true(m->utf8 != (locale_t)0);
	m->before = uselocale(m->utf8);
	assert_int_equal(archive_write_set_format(m->writer, format), ARCHIVE_OK);
	assert_int_equal(archive_write_add_filter(m->writer, filter), ARCHIVE_OK);
	if (options)
		assert_int_equal(archive_write_set_options(m->writer, options), ARCHIVE_OK);
	archive_write_set_passphrase(m->writer, "secret");
	archive_write_set_bytes_in_last_block(m->writer, 1); /* no padding: every byte counts */
	assert_int_equal(archive_write_open(m->writer, &m->bytes, NULL, keep, NULL), ARCHIVE_OK);
}

static void made_add(struct made *m, const char *name, unsigned mode, const void *data, size_t size)
{
	struct archive_entry *entry = archive_entry_new();
	archive_entry_copy_pathname(entry, name);
	archive_entry_set_mode(entry, (mode_t)mode);
	if (S_ISLNK(mode))
		archive_entry_copy_symlink(entry, data);
	else
		archive_entry_set_size(entry, (la_int64_t)size);
	assert_true(archive_write_header(m->writer, entry) >= ARCHIVE_WARN);
	if (S_ISREG(mode) && size)
		assert_int_equal(archive_write_data(m->writer, data, size), size);
	archive_entry_free(entry);
}

static void made_end(struct made *m)
{
	assert_int_equal(archive_write_close(m->writer), ARCHIVE_OK);
	archive_write_free(m->writer);
	uselocale(m->before);
	freelocale(m->utf8);
}

static void a_bomb_is_stopped_where_it_begins_to_grow(void **state)
{
	(void)state;
	static const int kinds[][2] = {
		{ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_GZIP},
		{ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_BZIP2},
		{ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_XZ},
		{ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_ZSTD},
		{ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE},
	};
	size_t size = 900000; /* below the limit of bytes: the ratio has to catch it */
	void *zeros = mem_zero(1, size);
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		struct place p;
		struct made m;
		struct stat st = {0};
		place_make(&p);
		made_begin(&m, kinds[i][0], kinds[i][1], NULL);
		made_add(&m, "bomb", S_IFREG | 0644, zeros, size);
		made_end(&m);
		assert_int_equal(unpack_bytes(&p, m.bytes.data, m.bytes.size), ERR_LIMIT);
		assert_non_null(strstr(p.err.text, "times the archive's size"));
		fstatat(p.target, "bomb", &st, 0);
		assert_true(st.st_size < 200000);
		buf_done(&m.bytes);
		place_remove(&p);
	}
	free(zeros);
}

static void too_many_bytes_are_refused_at_limit_plus_one(void **state)
{
	(void)state;
	size_t limit = (size_t)small.bytes;
	char *noise = mem_new(limit + 1);
	for (size_t i = 0, x = 1; i <= limit;
	     i++, x = x * 6364136223846793005u + 1442695040888963407u)
		noise[i] = (char)(x >> 56);
	for (size_t extra = 0; extra < 2; extra++) {
		struct place p;
		struct made m;
		place_make(&p);
		made_begin(&m, ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_GZIP, NULL);
		made_add(&m, "a", S_IFREG | 0644, noise, limit / 2);
		made_add(&m, "b", S_IFREG | 0644, noise, limit - limit / 2 + extra);
		made_end(&m);
		assert_int_equal(unpack_bytes(&p, m.bytes.data, m.bytes.size),
				 extra ? ERR_LIMIT : 0);
		buf_done(&m.bytes);
		place_remove(&p);
	}
	free(noise);
}

static void hostile_zips_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		unsigned mode;
		const char *data, *options, *says;
	} zips[] = {
		{"../outside", S_IFREG | 0644, "x", NULL, ".."},
		{"a/../../outside", S_IFREG | 0644, "x", NULL, ".."},
		{"/etc/evil", S_IFREG | 0644, "x", NULL, "absolute"},
		{"link", S_IFLNK | 0777, "/etc/passwd", NULL, "out of"},
		{"link", S_IFLNK | 0777, "../outside", NULL, "out of"},
		{"locked", S_IFREG | 0644, "x", "zip:encryption=zipcrypt", "encrypted"},
		{"locked", S_IFREG | 0644, "x", "zip:encryption=aes256", "encrypted"},
		{"a\x1b[2J", S_IFREG | 0644, "x", NULL, "control"},
	};
	for (size_t i = 0; i < sizeof zips / sizeof zips[0]; i++) {
		struct place p;
		struct made m;
		place_make(&p);
		made_begin(&m, ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE, zips[i].options);
		made_add(&m, zips[i].name, zips[i].mode, zips[i].data, strlen(zips[i].data));
		made_end(&m);
		if (unpack_bytes(&p, m.bytes.data, m.bytes.size) != ERR_INVALID ||
		    !strstr(p.err.text, zips[i].says))
			fail_msg("zip %zu: %s", i, p.err.text);
		buf_done(&m.bytes);
		place_remove(&p);
	}
}

static void a_damaged_archive_is_refused_wherever_it_is_cut_or_flipped(void **state)
{
	(void)state;
	static const int kinds[][2] = {
		{ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_GZIP},
		{ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_XZ},
		{ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_ZSTD},
		{ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE},
	};
	char data[3000];
	for (size_t i = 0, x = 7; i < sizeof data; i++, x = x * 6364136223846793005u + 1u)
		data[i] = (char)(x >> 56);
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		struct made m;
		made_begin(&m, kinds[i][0], kinds[i][1], NULL);
		made_add(&m, "dir/a", S_IFREG | 0644, data, sizeof data);
		made_add(&m, "b", S_IFREG | 0755, data, 100);
		made_end(&m);
		for (size_t size = 0; size + 40 < m.bytes.size; size += 97) {
			struct place p;
			place_make(&p);
			if (unpack_bytes(&p, m.bytes.data, size) == 0)
				fail_msg("kind %zu cut to %zu of %zu was taken", i, size,
					 m.bytes.size);
			place_remove(&p);
		}
		for (size_t at = 0; at < m.bytes.size; at += 61) { /* no crash, nothing outside */
			struct place p;
			place_make(&p);
			m.bytes.data[at] = (char)(m.bytes.data[at] ^ 0x15);
			int code = unpack_bytes(&p, m.bytes.data, m.bytes.size);
			assert_true(code == 0 || code == ERR_INVALID || code == ERR_LIMIT);
			m.bytes.data[at] = (char)(m.bytes.data[at] ^ 0x15);
			place_remove(&p);
		}
		buf_done(&m.bytes);
	}
}

static void one_wrong_byte_of_a_header_or_of_content_is_found(void **state)
{
	(void)state;
	struct place p;
	struct buf b;
	struct made m;
	place_make(&p);
	buf_init(&b, 1 << 20);
	tar_add(&b, &(struct tar_entry){"a", '0', .data = "x"});
	tar_add(&b, &(struct tar_entry){"b", '0', .data = "y"});
	tar_end(&b);
	b.data[(size_t)2 * TAR_BLOCK] ^= 1; /* the name of "b": the header's sum is wrong */
	assert_int_equal(unpack_bytes(&p, b.data, b.size), ERR_INVALID);
	buf_done(&b);
	place_remove(&p);

	place_make(&p);
	made_begin(&m, ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE, "zip:compression=store");
	made_add(&m, "a", S_IFREG | 0644, "FIND ME", 7);
	made_end(&m);
	char *content = memmem(m.bytes.data, m.bytes.size, "FIND ME", 7);
	assert_non_null(content);
	*content = 'f'; /* the checksum of the content is wrong */
	assert_int_equal(unpack_bytes(&p, m.bytes.data, m.bytes.size), ERR_INVALID);
	buf_done(&m.bytes);
	place_remove(&p);
}

static void what_is_no_archive_is_refused(void **state)
{
	(void)state;
	static const char *const texts[] = {"",         "x",          "#!/bin/sh\necho hello\n",
					    "\x1f\x8b", "PK\x03\x04", "\177ELF"};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct place p;
		place_make(&p);
		assert_int_equal(unpack_bytes(&p, texts[i], strlen(texts[i])), ERR_INVALID);
		place_remove(&p);
	}
}

/* The same small tree, made by hand. */
static void make_tree(int dir_fd)
{
	static const struct {
		const char *name;
		mode_t mode;
		const char *data;
	} files[] = {{"bin/server", 0755, "#!/bin/sh\n"},
		     {"bin.txt", 0600, "sorts between bin and bin/"},
		     {"\xc3\xa9t\xc3\xa9/caf\xc3\xa9", 0640, "x"},
		     {"empty", 0644, ""}};
	assert_int_equal(mkdirat(dir_fd, "bin", 0700), 0);
	assert_int_equal(mkdirat(dir_fd, "\xc3\xa9t\xc3\xa9", 0755), 0);
	assert_int_equal(mkdirat(dir_fd, "nothing", 0755), 0);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		int fd = openat(dir_fd, files[i].name, O_CREAT | O_WRONLY | O_CLOEXEC,
				files[i].mode);
		assert_true(fd >= 0);
		ssize_t size = (ssize_t)strlen(files[i].data);
		assert_int_equal(write(fd, files[i].data, (size_t)size), size);
		close(fd);
	}
	assert_int_equal(symlinkat("../bin/server", dir_fd, "nothing/link"), 0);
}

static int keep_packed(void *context, const void *bytes, size_t size, struct error *err)
{
	(void)err;
	buf_append(context, bytes, size);
	return 0;
}

static struct digest digest_at(int dir_fd)
{
	struct archive_tree tree;
	struct error err;
	must(archive_tree_digest(dir_fd, &tree, &err), &err);
	assert_int_equal(tree.entries, 8);
	assert_int_equal(tree.size_bytes, 10 + 26 + 1);
	return tree.digest;
}

static void directory_tar_and_zip_of_the_same_tree_have_the_same_digest(void **state)
{
	(void)state;
	static const int kinds[][2] = {
		{ARCHIVE_FORMAT_TAR_GNUTAR, ARCHIVE_FILTER_NONE},
		{ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE, ARCHIVE_FILTER_GZIP},
		{ARCHIVE_FORMAT_TAR_GNUTAR, ARCHIVE_FILTER_BZIP2},
		{ARCHIVE_FORMAT_TAR_GNUTAR, ARCHIVE_FILTER_XZ},
		{ARCHIVE_FORMAT_TAR_GNUTAR, ARCHIVE_FILTER_ZSTD},
		{ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE},
	};
	struct place original, copy;
	struct buf packed;
	place_make(&original);
	place_make(&copy);
	make_tree(original.target);
	struct digest want = digest_at(original.target), found;
	buf_init(&packed, 1 << 20);
	must(archive_pack(original.target, keep_packed, &packed, &original.err), &original.err);
	assert_null(memmem(packed.data, packed.size, "hdrcharset",
			   10)); /* UTF-8 as the format has it */
	must(unpack_bytes(&copy, packed.data, packed.size), &copy.err);
	found = digest_at(copy.target);
	assert_true(digest_equal(&want, &found));
	must(archive_tree_seal(copy.target, &copy.err), &copy.err);
	found = digest_at(copy.target);
	assert_true(digest_equal(&want, &found));
	place_remove(&copy);
	place_remove(&original);
	buf_done(&packed);
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		struct made m;
		place_make(&copy);
		made_begin(&m, kinds[i][0], kinds[i][1], NULL);
		made_add(&m, "nothing/link", S_IFLNK | 0777, "../bin/server", 0);
		made_add(&m, "\xc3\xa9t\xc3\xa9/caf\xc3\xa9", S_IFREG | 0644, "x", 1);
		made_add(&m, "empty", S_IFREG | 0600, "", 0);
		made_add(&m, "./bin/server", S_IFREG | 04711, "#!/bin/sh\n", 10);
		made_add(&m, "bin.txt", S_IFREG | 0666, "sorts between bin and bin/", 26);
		made_end(&m);
		must(unpack_bytes(&copy, m.bytes.data, m.bytes.size), &copy.err);
		found = digest_at(copy.target);
		if (!digest_equal(&want, &found))
			fail_msg("kind %zu has another digest", i);
		buf_done(&m.bytes);
		place_remove(&copy);
	}
}

static void each_change_of_a_tree_changes_its_digest(void **state)
{
	(void)state;
	struct place p;
	struct digest seen[8];
	size_t count = 0;
	place_make(&p);
	make_tree(p.target);
	seen[count++] = digest_at(p.target);
	assert_int_equal(fchmodat(p.target, "bin.txt", 0755, 0), 0);
	seen[count++] = digest_at(p.target);
	assert_int_equal(renameat(p.target, "bin.txt", p.target, "bin.tx"), 0);
	seen[count++] = digest_at(p.target);
	int fd = openat(p.target, "bin/server", O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "%", 1, 0), 1);
	close(fd);
	seen[count++] = digest_at(p.target);
	assert_int_equal(unlinkat(p.target, "nothing/link", 0), 0);
	assert_int_equal(symlinkat("../bin/serve", p.target, "nothing/link"), 0);
	seen[count++] = digest_at(p.target);
	assert_int_equal(unlinkat(p.target, "empty", 0), 0);
	assert_int_equal(mkdirat(p.target, "empty", 0755), 0);
	seen[count++] = digest_at(p.target);
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < i; j++)
			assert_false(digest_equal(&seen[i], &seen[j]));
	place_remove(&p);
}

/* Fixed for ever: artifacts in existing stores are named by it. */
static void the_digest_of_a_known_tree_is_what_it_always_was(void **state)
{
	(void)state;
	struct place p;
	char hex[DIGEST_HEX_SIZE];
	place_make(&p);
	make_tree(p.target);
	struct digest d = digest_at(p.target);
	assert_string_equal(digest_format(&d, hex),
			    "4d1f31605e9a1cb91f5d8e7f7eea0a59ca40cd68aa6a1e4d94f5c5c197131d88");
	place_remove(&p);
}

static void packing_leaves_out_git_and_davit_and_is_always_the_same(void **state)
{
	(void)state;
	struct place p, copy;
	struct buf first, second;
	place_make(&p);
	place_make(&copy);
	make_tree(p.target);
	buf_init(&first, 1 << 20);
	buf_init(&second, 1 << 20);
	must(archive_pack(p.target, keep_packed, &first, &p.err), &p.err);
	assert_int_equal(mkdirat(p.target, ".git", 0755), 0);
	assert_int_equal(mkdirat(p.target, ".davit", 0755), 0);
	assert_int_equal(mkdirat(p.target, ".davit/D", 0755), 0);
	assert_int_equal(symlinkat("elsewhere", p.target, "bin/.git"), 0);
	must(archive_pack(p.target, keep_packed, &second, &p.err), &p.err);
	assert_int_equal(first.size, second.size);
	assert_memory_equal(first.data, second.data, first.size);
	buf_done(&first);
	buf_done(&second);
	place_remove(&copy);
	place_remove(&p);
}

static int refuse(void *context, const void *bytes, size_t size, struct error *err)
{
	(void)context, (void)bytes, (void)size;
	return error_set(err, ERR_CLOSED, "The other side is gone.");
}

static void packing_says_why_it_stops(void **state)
{
	(void)state;
	struct place p;
	struct buf b;
	place_make(&p);
	make_tree(p.target);
	assert_int_equal(archive_pack(p.target, refuse, NULL, &p.err), ERR_CLOSED);
	assert_string_equal(p.err.text, "The other side is gone.");
	buf_init(&b, 1 << 20);
	assert_int_equal(mkfifoat(p.target, "bin/pipe", 0600), 0);
	assert_int_equal(archive_pack(p.target, keep_packed, &b, &p.err), ERR_INVALID);
	assert_non_null(strstr(p.err.text, "bin/pipe"));
	struct archive_tree tree;
	assert_int_equal(archive_tree_digest(p.target, &tree, &p.err), ERR_CORRUPT);
	buf_done(&b);
	place_remove(&p);
}

static void one_file_is_a_tree_of_one_executable(void **state)
{
	(void)state;
	struct place p;
	struct stat st;
	static const char *const bad[] = {"", ".", "..", "a/b", "/a", "a\nb"};
	place_make(&p);
	int fd = file_of("PK\x03\x04 a jar is one file", 22);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(archive_unpack_file(fd, bad[i], p.target, &small, &p.err),
				 ERR_INVALID);
	lseek(fd, 0, SEEK_SET);
	must(archive_unpack_file(fd, "app.jar", p.target, &small, &p.err), &p.err);
	assert_int_equal(fstatat(p.target, "app.jar", &st, 0), 0);
	assert_int_equal(st.st_size, 22);
	assert_true(st.st_mode & 0100);
	assert_int_equal(archive_unpack_file(fd, "again", p.target, &small, &p.err),
			 ERR_INVALID); /* at its end: empty */
	close(fd);
	assert_true(archive_is_archive_name("shop-1.2.tar.gz"));
	assert_true(archive_is_archive_name("shop.zip"));
	assert_false(archive_is_archive_name("app.jar"));
	assert_false(archive_is_archive_name("server"));
	assert_false(archive_is_archive_name(".zip"));
	place_remove(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_hostile_tar_is_refused_and_reaches_nothing_outside),
		cmocka_unit_test(harmless_tars_are_unpacked),
		cmocka_unit_test(setuid_setgid_and_sticky_are_dropped_and_only_x_is_kept),
		cmocka_unit_test(too_many_entries_are_refused_at_limit_plus_one),
		cmocka_unit_test(directories_that_names_imply_count_as_entries),
		cmocka_unit_test(endless_entries_that_make_nothing_are_refused),
		cmocka_unit_test(hard_links_count_with_the_size_of_what_they_name),
		cmocka_unit_test(a_bomb_is_stopped_where_it_begins_to_grow),
		cmocka_unit_test(too_many_bytes_are_refused_at_limit_plus_one),
		cmocka_unit_test(hostile_zips_are_refused),
		cmocka_unit_test(a_damaged_archive_is_refused_wherever_it_is_cut_or_flipped),
		cmocka_unit_test(one_wrong_byte_of_a_header_or_of_content_is_found),
		cmocka_unit_test(what_is_no_archive_is_refused),
		cmocka_unit_test(directory_tar_and_zip_of_the_same_tree_have_the_same_digest),
		cmocka_unit_test(each_change_of_a_tree_changes_its_digest),
		cmocka_unit_test(the_digest_of_a_known_tree_is_what_it_always_was),
		cmocka_unit_test(packing_leaves_out_git_and_davit_and_is_always_the_same),
		cmocka_unit_test(packing_says_why_it_stops),
		cmocka_unit_test(one_file_is_a_tree_of_one_executable),
	};
	return cmocka_run_group_tests_name("os/archive", tests, NULL, NULL);
}
