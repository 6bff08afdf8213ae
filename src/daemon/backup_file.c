/* SPDX-License-Identifier: Apache-2.0
 * backup_file - see backup_file.h for the contract. */
#include "daemon/backup_file.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

static const char schema[] = "davit.v1/backup-manifest";

const char *const backup_folders[] = {"ticks", "postmortems", NULL};

bool backup_name_is_known(const char *name, bool *ret_is_artifact, struct digest *ret_artifact)
{
	static const char before[] = "artifacts/", after[] = ".tar";
	enum { BEFORE = sizeof before - 1, HEX = DIGEST_HEX_SIZE - 1 };
	char hex[DIGEST_HEX_SIZE] = "";
	*ret_is_artifact = false;
	if (strcmp(name, BACKUP_STORE) == 0)
		return true;
	for (const char *const *folder = backup_folders; *folder; folder++) {
		size_t length = strlen(*folder);
		if (strncmp(name, *folder, length) == 0 && strcmp(name + length, after) == 0)
			return true;
	}
	if (!text_starts(name, before) || strlen(name) != BEFORE + HEX + sizeof after - 1 ||
	    strcmp(name + BEFORE + HEX, after) != 0)
		return false;
	memcpy(hex, name + BEFORE, HEX);
	*ret_is_artifact = digest_parse(hex, ret_artifact);
	return *ret_is_artifact;
}

bool backup_manifest_add(struct backup_manifest *m, const struct backup_member *member)
{
	if (m->count == BACKUP_MEMBERS_MAX)
		return false;
	if (!m->members)
		m->members = mem_zero(BACKUP_MEMBERS_MAX, sizeof *m->members);
	m->members[m->count++] = *member;
	return true;
}

void backup_manifest_write(const struct backup_manifest *m, struct buf *to)
{
	char hex[DIGEST_HEX_SIZE];
	json_t *members = json_array();
	for (size_t i = 0; i < m->count; i++)
		json_array_append_new(members,
				      json_pack("{s:s,s:I,s:s}", "name", m->members[i].name, "size",
						(json_int_t)m->members[i].size, "sha256",
						digest_format(&m->members[i].digest, hex)));
	json_t *o =
		json_pack("{s:s,s:s,s:i,s:I,s:{s:I,s:s},s:o}", "schema", schema, "davit",
			  DAVIT_VERSION, "store_version", (int)m->store_version, "created_unix_ms",
			  (json_int_t)m->created_unix_ms, "audit", "seq", (json_int_t)m->head.seq,
			  "hash", digest_format(&m->head.hash, hex), "members", members);
	char *text = json_dumps(o, JSON_INDENT(1));
	ASSERT(text);
	buf_puts(to, text);
	buf_puts(to, "\n");
	free(text);
	json_decref(o);
}

static bool read_number(const json_t *o, const char *key, uint64_t *ret_number)
{
	const json_t *value = json_object_get(o, key);
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*ret_number = (uint64_t)json_integer_value(value);
	return true;
}

static bool read_digest(const json_t *o, const char *key, struct digest *ret_digest)
{
	const char *text = json_string_value(json_object_get(o, key));
	return text && digest_parse(text, ret_digest);
}

static bool read_members(const json_t *list, struct backup_manifest *m)
{
	const json_t *row;
	size_t i;
	json_array_foreach (list, i, row) {
		struct backup_member member = {0};
		struct digest artifact;
		bool is_artifact;
		const char *name = json_string_value(json_object_get(row, "name"));
		if (!name || !backup_name_is_known(name, &is_artifact, &artifact) ||
		    !read_number(row, "size", &member.size) ||
		    !read_digest(row, "sha256", &member.digest))
			return false;
		text_copy(member.name, sizeof member.name, name);
		for (size_t k = 0; k < m->count; k++)
			if (strcmp(m->members[k].name, name) == 0)
				return false;
		if (!backup_manifest_add(m, &member))
			return false;
	}
	return m->count > 0 && strcmp(m->members[0].name, BACKUP_STORE) == 0;
}

int backup_manifest_read(const char *text, size_t size, struct backup_manifest *ret_manifest,
			 struct error *err)
{
	uint64_t version = 0;
	json_t *o = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
	const char *found = json_string_value(json_object_get(o, "schema"));
	const json_t *audit = json_object_get(o, "audit");
	*ret_manifest = (struct backup_manifest){0};
	bool fine = found && strcmp(found, schema) == 0 &&
		    read_number(o, "store_version", &version) && version <= UINT32_MAX &&
		    read_number(o, "created_unix_ms", &ret_manifest->created_unix_ms) &&
		    read_number(audit, "seq", &ret_manifest->head.seq) &&
		    read_digest(audit, "hash", &ret_manifest->head.hash) &&
		    read_members(json_object_get(o, "members"), ret_manifest);
	ret_manifest->store_version = (uint32_t)version;
	json_decref(o);
	if (fine)
		return 0;
	backup_manifest_done(ret_manifest);
	return error_set(err, ERR_INVALID,
			 "This is no archive of \"davit backup\": its " BACKUP_MANIFEST
			 " is missing or not understood.");
}

void backup_manifest_done(struct backup_manifest *m)
{
	free(m->members);
	m->members = NULL;
	m->count = 0;
}
