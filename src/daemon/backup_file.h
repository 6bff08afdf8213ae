/* SPDX-License-Identifier: Apache-2.0
 *
 * backup_file - what is in the archive of "davit backup", and the manifest that says it.
 *
 * WHAT   One compressed tar of plain files: manifest.json first; davit.db, the store; artifacts/DIGEST.tar, the files of
 *        each release; ticks.tar and postmortems.tar, directories of the state. The manifest names every other member
 *        with its size and SHA-256, the schema's version and the head of the audit chain. What it does not name
 *        is not taken; what a name may be is decided by backup_name_is_known().
 *        No key, no server file, no persist/: docs/how-to/backup.md says why.
 *
 * OWNS   backup_manifest_done() frees the members.
 * LIMITS BACKUP_MEMBERS_MAX members, BACKUP_MANIFEST_MAX bytes of manifest.
 */
#ifndef DAEMON_BACKUP_FILE_H
#define DAEMON_BACKUP_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "store/audit.h"

enum {
	BACKUP_MEMBERS_MAX = 10000,
	BACKUP_MANIFEST_MAX = 4 << 20,
	BACKUP_NAME_SIZE = 96,
};

#define BACKUP_MANIFEST "manifest.json"
#define BACKUP_STORE    "davit.db"

struct backup_member {
	char name[BACKUP_NAME_SIZE];
	uint64_t size;
	struct digest digest;
};

struct backup_manifest {
	uint64_t created_unix_ms;
	uint32_t store_version;
	struct store_audit_head head;
	struct backup_member *members;
	size_t count;
};

/* Directories of the state that are members, "ticks" for ticks.tar; ended by NULL. */
extern const char *const backup_folders[];

/* One of the names above? `ret_artifact` (or NULL) gets the digest of an artifact's. */
bool backup_name_is_known(const char *name, bool *ret_is_artifact, struct digest *ret_artifact);

/* False: there are BACKUP_MEMBERS_MAX already. */
MUST_CHECK bool backup_manifest_add(struct backup_manifest *m, const struct backup_member *member);
void backup_manifest_write(const struct backup_manifest *m, struct buf *to);
MUST_CHECK int backup_manifest_read(const char *text, size_t size,
				    struct backup_manifest *ret_manifest, struct error *err);
void backup_manifest_done(struct backup_manifest *m);

#endif
