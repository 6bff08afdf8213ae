/* SPDX-License-Identifier: Apache-2.0
 *
 * table_limits - how much of everything there may be in a gateway's table, and its version.
 *
 * LIMITS Of records in the whole table but where an environment, a class or a mirror is named; sizes of texts are with
 *       the NUL. TABLE_ABI changes with every field of a block (link/table.h).
 */
#ifndef LINK_TABLE_LIMITS_H
#define LINK_TABLE_LIMITS_H

enum {
	TABLE_LISTENERS_MAX = 64,
	TABLE_ENVIRONMENTS_MAX = 64,
	TABLE_ROUTES_MAX = 256,
	TABLE_RELEASES_MAX = 256,
	TABLE_ENVIRONMENT_RELEASES_MAX = 16,
	TABLE_POOLS_MAX = 512,
	TABLE_BACKENDS_MAX = 1024,
	TABLE_CLASSES_MAX = 256,
	TABLE_ENVIRONMENT_CLASSES_MAX = 7, /* besides class 0, which is everything else */
	TABLE_PREFIXES_MAX = 1024,
	TABLE_CLASS_PREFIXES_MAX = 8,
	TABLE_RULES_MAX = 256,
	TABLE_ENVIRONMENT_RULES_MAX = 32,
	TABLE_TRUSTED_MAX = 32,
	TABLE_PROXIES_MAX = 8, /* of one environment */
	TABLE_ADDRESS_SIZE = 128,
	TABLE_NAME_SIZE = 96,
	TABLE_HOST_SIZE = 256,
	TABLE_PATH_SIZE = 256,
	TABLE_FILE_SIZE = 256,
	TABLE_TOKEN_SIZE = 72,
	TABLE_VALUE_SIZE = 1024,
	TABLE_KEY_SIZE = 16,
	TABLE_BYTES_MAX = 1280 << 10,
	TABLE_MIRROR_HEADERS_MAX = 8,
	TABLE_QUEUE_FIRST_MAX = 4,
	TABLE_QUEUE_MAX = 10000,
	TABLE_MIRROR_BODY_MAX = 1 << 20,
	TABLE_PAGE_MAX = 65536,
	TABLE_ABI = 15,
	TABLE_TUNNEL_DRAIN_MS = 10000, /* the default */
	TABLE_NONE = 0xffff,
};

#endif
