/* SPDX-License-Identifier: Apache-2.0
 * inside_spec - see inside_spec.h for the contract. */
#include "drivers/builder/inside_spec.h"

#include <stdlib.h>
#include <string.h>

#include "base/pack.h"

enum { MAGIC = 0x64766932, TEXT_MAX = 8192, TEXTS_MAX = 256 };

/* --- to bytes */

static void put_texts(struct packer *p, const struct builder_texts *texts)
{
	pack_u16(p, (uint16_t)texts->count);
	for (uint32_t i = 0; i < texts->count; i++)
		pack_text(p, texts->items[i]);
}

static void put_command(struct packer *p, const struct builder_command *command)
{
	const char *const shell[] = {"/bin/sh", "-e", "-c", command->script};
	const struct builder_texts script = {.count = 4, .items = shell};
	put_texts(p, command->script ? &script : &command->argv);
}

int inside_pack(const struct builder_job *job, const struct builder_texts *environment,
		const struct inside_limits *limits, struct buf *to, struct error *err)
{
	struct packer p;
	void *memory = mem_new(INSIDE_SPEC_MAX);
	pack_init(&p, memory, INSIDE_SPEC_MAX);
	pack_u32(&p, MAGIC);
	pack_u32(&p, limits->uid);
	pack_u32(&p, limits->processes);
	pack_u32(&p, limits->files);
	pack_u64(&p, limits->file_bytes);
	pack_u64(&p, limits->data_bytes);
	put_command(&p, &job->run);
	put_texts(&p, environment);
	pack_u16(&p, (uint16_t)job->secrets.count);
	pack_u8(&p, (uint8_t)job->service_count);
	for (uint32_t i = 0; i < job->service_count; i++) {
		const struct builder_service *service = &job->services[i];
		pack_text(&p, service->name);
		pack_u16(&p, service->ready_tcp);
		pack_u64(&p, service->deadline_ms);
		put_command(&p, &service->run);
		put_command(&p, &service->ready);
	}
	bool fits = p.ok;
	buf_append(to, memory, p.size);
	free(memory);
	return fits && !to->overflowed
		       ? 0
		       : error_set(err, ERR_LIMIT,
				   "What stage \"%s\" runs, with its variables, is too large; move "
				   "it into a file of the repository.",
				   job->stage);
}

/* --- from bytes */

static char **take_texts(struct unpacker *u)
{
	uint16_t count = unpack_u16(u);
	char *text = mem_new(TEXT_MAX);
	if (count > TEXTS_MAX)
		u->ok = false;
	char **list = mem_zero(TEXTS_MAX + 1, sizeof *list);
	for (uint16_t i = 0; u->ok && i < count; i++) {
		unpack_text(u, text, TEXT_MAX);
		list[i] = mem_copy_text(text);
	}
	free(text);
	return list;
}

static void take_command(struct unpacker *u, struct inside_program *ret_program)
{
	ret_program->argv = take_texts(u);
	if (!ret_program->argv[0]) {
		free(ret_program->argv);
		ret_program->argv = NULL;
	}
}

int inside_unpack(const void *data, size_t size, struct inside_spec *spec, struct error *err)
{
	struct unpacker u;
	unpack_init(&u, data, size);
	u.ok = unpack_u32(&u) == MAGIC && u.ok;
	spec->limits.uid = unpack_u32(&u);
	spec->limits.processes = unpack_u32(&u);
	spec->limits.files = unpack_u32(&u);
	spec->limits.file_bytes = unpack_u64(&u);
	spec->limits.data_bytes = unpack_u64(&u);
	take_command(&u, &spec->run);
	spec->environment = take_texts(&u);
	spec->secret_count = unpack_u16(&u);
	spec->service_count = unpack_u8(&u);
	u.ok = u.ok && spec->service_count <= BUILDER_SERVICES_MAX && spec->run.argv;
	for (uint32_t i = 0; u.ok && i < spec->service_count; i++) {
		struct inside_service *service = &spec->services[i];
		unpack_text(&u, service->name, sizeof service->name);
		service->tcp = unpack_u16(&u);
		service->deadline_ms = unpack_u64(&u);
		take_command(&u, &service->run);
		take_command(&u, &service->ready);
		u.ok = u.ok && service->run.argv && (service->tcp > 0 || service->ready.argv);
	}
	return unpack_end(&u) ? 0 : error_set(err, ERR_CORRUPT, "The sandbox's spec is broken.");
}

bool inside_add_secrets(struct inside_spec *spec, const char *bytes, size_t size)
{
	size_t count = 0, added = 0;
	while (spec->environment[count])
		count++;
	for (const char *at = bytes, *end = bytes + size; at < end; at += strlen(at) + 1) {
		if (!memchr(at, '\0', (size_t)(end - at)) || count == TEXTS_MAX)
			return false;
		spec->environment[count++] = mem_copy_text(at);
		added++;
	}
	return added == spec->secret_count;
}

static void free_texts(char **list)
{
	for (char **text = list; text && *text; text++)
		free(*text);
	free(list);
}

void inside_spec_done(struct inside_spec *spec)
{
	free_texts(spec->run.argv);
	free_texts(spec->environment);
	for (uint32_t i = 0; i < BUILDER_SERVICES_MAX; i++) {
		free_texts(spec->services[i].run.argv);
		free_texts(spec->services[i].ready.argv);
	}
}
