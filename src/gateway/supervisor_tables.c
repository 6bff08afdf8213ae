/* SPDX-License-Identifier: Apache-2.0
 * supervisor_tables - see supervisor_state.h.
 *
 * Offered, fenced, listened for, prepared everywhere, on disk, committed, seen everywhere: in this order,
 * and up to the commit every failure leads to refuse(), after which nothing has changed. Only a disk that
 * cannot be written is no failure: tables_keep() sees to it that no older table comes back from there. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "base/text.h"
#include "gateway/fence.h"
#include "gateway/supervisor_state.h"
#include "os/file.h"
#include "os/listen.h"
#include "os/memfd.h"
#include "os/reserve.h"

#define TABLE_FILE   "table"
#define RESERVE_FILE "table.reserve"

void held_table_drop(struct held_table *held)
{
	table_free(held->table);
	buf_done(&held->block);
	if (held->fd >= 0)
		close(held->fd);
	memset(held, 0, sizeof *held);
	held->fd = -1;
}

/* Takes `fd`; `held` is empty before, and after a failure. */
int held_table_take(struct held_table *held, int fd, struct error *err)
{
	held->fd = fd;
	buf_init(&held->block, TABLE_BYTES_MAX);
	held->table = table_new();
	int rc = memfd_read_sealed(fd, TABLE_BYTES_MAX, &held->block, err);
	if (rc == 0)
		rc = table_decode(held->block.data, held->block.size, held->table, err);
	if (rc < 0)
		held_table_drop(held);
	return rc;
}

int held_table_make(struct held_table *held, const struct gateway_table *table, struct error *err)
{
	struct buf block;
	int fd;
	buf_init(&block, TABLE_BYTES_MAX);
	int rc = table_encode(table, &block, err);
	if (rc == 0)
		rc = memfd_seal("davit-table", block.data, block.size, &fd, err);
	buf_done(&block);
	return rc < 0 ? rc : held_table_take(held, fd, err);
}

void tables_load(struct supervisor *s)
{
	struct buf block;
	struct error err;
	int fd;
	if (s->options->state_fd < 0)
		return;
	buf_init(&block, TABLE_BYTES_MAX);
	int rc = file_read(s->options->state_fd, TABLE_FILE, &block, &err);
	if (rc == 0)
		rc = memfd_seal("davit-table", block.data, block.size, &fd, &err);
	if (rc == 0)
		rc = held_table_take(&s->saved, fd, &err);
	if (rc < 0 && rc != ERR_NOT_FOUND)
		log_event(LOG_WARNING, "gateway.table-lost", "why=\"%s\"", err.text);
	buf_done(&block);
}

struct listening *sockets_find(struct supervisor *s, const char *address)
{
	for (uint32_t i = 0; i < s->socket_count; i++)
		if (strcmp(s->sockets[i].address, address) == 0)
			return &s->sockets[i];
	return NULL;
}

/* Close what the table in force does not name. */
void sockets_close_unused(struct supervisor *s)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < s->socket_count; i++) {
		struct listening *socket = &s->sockets[i];
		if (socket->in_force) {
			s->sockets[kept++] = *socket;
		} else {
			close(socket->fd);
			listen_forget(socket->address);
		}
	}
	s->socket_count = kept;
}

static int sockets_open(struct supervisor *s, const struct gateway_table *table, struct error *err)
{
	for (uint32_t i = 0; i < table->listener_count; i++) {
		const char *address = table->listeners[i].address;
		int fd;
		if (sockets_find(s, address))
			continue;
		int rc = listen_open(address, &fd, err);
		if (rc < 0)
			return rc;
		struct listening *socket = &s->sockets[s->socket_count++];
		memset(socket, 0, sizeof *socket);
		text_copy(socket->address, sizeof socket->address, address);
		socket->fd = fd;
	}
	return 0;
}

static void sockets_send(struct supervisor *s, struct post *p, bool all)
{
	struct gateway_message m = {.type = GATEWAY_LISTEN};
	int fds[GATEWAY_LISTEN_MAX];
	uint32_t count = 0;
	for (uint32_t i = 0; i < s->socket_count; i++) {
		if (all || !s->sockets[i].in_force) {
			fds[count] = s->sockets[i].fd;
			text_copy(m.listen.addresses[count++], TABLE_ADDRESS_SIZE,
				  s->sockets[i].address);
		}
		if (count == GATEWAY_LISTEN_MAX || (count > 0 && i + 1 == s->socket_count)) {
			m.listen.count = count;
			post_say(p, &m, fds, count);
			count = 0;
		}
	}
}

static void say_generation(struct post *p, enum gateway_message_type type, uint64_t generation,
			   int fd)
{
	struct gateway_message m = {.type = type, .generation = generation};
	post_say(p, &m, &fd, fd >= 0 ? 1 : 0);
}

void post_welcome(struct post *p)
{
	struct supervisor *s = p->supervisor;
	p->phase = POST_SERVING;
	post_setup(p);
	if (!s->in_force.table)
		return;
	sockets_send(s, p, true);
	say_generation(p, GATEWAY_PREPARE, s->in_force.table->generation, s->in_force.fd);
	say_generation(p, GATEWAY_COMMIT, s->in_force.table->generation, -1);
}

/* A worker that serves, but cannot be spoken to, would stay behind: it comes back, or it dies. */
bool tables_ready(const struct supervisor *s)
{
	for (uint32_t i = 0; i < s->worker_count; i++)
		if (s->posts[i].uses && s->posts[i].phase != POST_SERVING)
			return false;
	return true;
}

static void next_offer(struct supervisor *s)
{
	if (s->recovering || s->way.phase != WAY_FREE || !tables_ready(s))
		return;
	int fd = s->offered_fd;
	s->offered_fd = -1;
	if (fd >= 0)
		tables_offer(s, fd, s->offered_sequence);
}

static void welcome_waiting(struct supervisor *s)
{
	for (uint32_t i = 0; i < s->worker_count; i++)
		if (s->posts[i].phase == POST_WAITING)
			post_welcome(&s->posts[i]);
}

static void way_free(struct supervisor *s)
{
	s->env->ops->timer_stop(s->env, &s->way.deadline);
	held_table_drop(&s->way.next);
	s->way.phase = WAY_FREE;
	for (uint32_t i = 0; i < s->worker_count; i++)
		s->posts[i].due = false;
}

static void refuse(struct supervisor *s, const struct error *why)
{
	struct gateway_result result = {.generation = s->way.generation, .code = why->code};
	uint64_t standing = s->in_force.table ? s->in_force.table->generation : 0;
	text_copy(result.text, sizeof result.text, why->text);
	s->refusal = *why;
	log_event(LOG_WARNING, "gateway.table-refused", "generation=%llu why=\"%s\"",
		  (unsigned long long)s->way.generation, why->text);
	way_free(s);
	sockets_close_unused(s);
	for (uint32_t i = 0; i < s->worker_count; i++)
		if (s->posts[i].phase == POST_SERVING)
			say_generation(&s->posts[i], GATEWAY_COMMIT, standing, -1);
	welcome_waiting(s);
	peers_tell_result(s, s->way.sequence, &result);
	next_offer(s);
}

static uint32_t us_between(uint64_t from, uint64_t to)
{
	return to - from > UINT32_MAX ? UINT32_MAX : (uint32_t)(to - from);
}

/* Has every worker that serves seen it, and is there one at all? */
static void seen_check(struct supervisor *s)
{
	struct way *way = &s->way;
	uint32_t users = 0;
	if (way->phase != WAY_COMMITTED)
		return;
	for (uint32_t i = 0; i < s->worker_count; i++) {
		if (s->posts[i].due)
			return;
		users += s->posts[i].phase == POST_SERVING && s->posts[i].seen >= way->generation;
	}
	if (users == 0)
		return;
	struct gateway_result result = {
		.generation = way->generation,
		.workers = users,
		.prepare_us = us_between(way->offered_us, way->prepared_us),
		.persist_us = us_between(way->prepared_us, way->persisted_us),
		.seen_us = us_between(way->committed_us, supervisor_now_us()),
	};
	log_event(LOG_DEBUG, "gateway.table", "generation=%llu workers=%u seen_us=%u",
		  (unsigned long long)way->generation, users, result.seen_us);
	way_free(s);
	peers_tell_result(s, way->sequence, &result);
	peers_tell_status(s);
	next_offer(s);
}

static void commit(struct supervisor *s)
{
	struct way *way = &s->way;
	s->env->ops->timer_stop(s->env, &way->deadline);
	FAILPOINT("gateway.before-commit");
	way->committed_us = supervisor_now_us();
	counters_commit(s->counters, way->generation);
	FAILPOINT("gateway.after-commit");
	way->phase = WAY_COMMITTED;
	for (uint32_t i = 0; i < s->worker_count; i++) {
		s->posts[i].due = s->posts[i].phase == POST_SERVING || s->posts[i].uses;
		if (s->posts[i].phase == POST_SERVING)
			say_generation(&s->posts[i], GATEWAY_COMMIT, way->generation, -1);
	}
	held_table_drop(&s->in_force);
	s->in_force = way->next;
	memset(&way->next, 0, sizeof way->next);
	way->next.fd = -1;
	const struct gateway_table *table = s->in_force.table;
	for (uint32_t i = 0; i < s->socket_count; i++)
		s->sockets[i].in_force = false;
	for (uint32_t i = 0; i < table->listener_count; i++)
		sockets_find(s, table->listeners[i].address)->in_force = true;
	sockets_close_unused(s);
	welcome_waiting(s);
	seen_check(s);
}

static int write_table(struct supervisor *s, const struct buf *block, struct error *err)
{
	int dir = s->options->state_fd;
	int rc = file_write(dir, TABLE_FILE, block->data, block->size, 0600, err);
	if (rc == ERR_NO_SPACE && reserve_spend(dir, RESERVE_FILE)) {
		s->reserve_held = false;
		rc = file_write(dir, TABLE_FILE, block->data, block->size, 0600, err);
	}
	return rc;
}

/* What is on disk is what is in force or newer, or nothing at all: an older table could give a release back
 * the requests that were taken from it. */
static void forget_kept(struct supervisor *s, bool first)
{
	int dir = s->options->state_fd;
	int number = unlinkat(dir, TABLE_FILE, 0) == 0 || errno == ENOENT ? 0 : -errno;
	if (number == 0)
		number = file_sync_parent(dir, TABLE_FILE);
	if (number < 0 && first) /* it is tried again at every tick */
		log_event(LOG_ERROR, "gateway.table-stays",
			  "file=\"%s\" why=\"%s\" next=\"remove it before davit starts anew\"",
			  TABLE_FILE, strerror(-number));
}

static void tables_keep(struct supervisor *s, const struct buf *block)
{
	struct error err;
	if (s->options->state_fd < 0)
		return;
	if (write_table(s, block, &err) == 0) {
		if (s->unkept)
			log_event(LOG_INFO, "gateway.table-kept", "file=\"%s\"", TABLE_FILE);
		s->unkept = false;
		return;
	}
	bool first = !s->unkept;
	if (first)
		log_event(LOG_ERROR, "gateway.table-unkept", "why=\"%s\"", err.text);
	s->unkept = true;
	forget_kept(s, first);
}

void tables_tick(struct supervisor *s)
{
	if (s->options->state_fd < 0 || s->recovering)
		return;
	if (s->unkept && s->in_force.table)
		tables_keep(s, &s->in_force.block);
	struct error said; /* by the table itself, when it does not fit */
	if (!s->reserve_held)
		s->reserve_held = reserve_hold(s->options->state_fd, RESERVE_FILE,
					       SUPERVISOR_RESERVE_BYTES, &said) == 0;
}

static void prepared_check(struct supervisor *s)
{
	struct way *way = &s->way;
	if (way->phase != WAY_PREPARING)
		return;
	for (uint32_t i = 0; i < s->worker_count; i++)
		if (s->posts[i].due)
			return;
	way->prepared_us = supervisor_now_us();
	FAILPOINT("gateway.after-prepare");
	if (!way->on_disk)
		tables_keep(s, &way->next.block);
	way->persisted_us = supervisor_now_us();
	FAILPOINT("gateway.after-persist");
	commit(s);
}

static void too_late(void *supervisor)
{
	struct supervisor *s = supervisor;
	struct error err;
	uint32_t index = 0;
	while (index < s->worker_count && !s->posts[index].due)
		index++;
	error_set(&err, ERR_TIMEOUT,
		  "Worker %u of the gateway did not take the table within %d ms.", index,
		  SUPERVISOR_PREPARE_MS);
	refuse(s, &err);
}

/* `next` is taken, and passes its checks: listen, and ask all workers. */
void tables_begin(struct supervisor *s, struct held_table *next, uint64_t sequence, bool on_disk)
{
	struct way *way = &s->way;
	struct error err;
	ASSERT(way->phase == WAY_FREE);
	way->phase = WAY_PREPARING;
	way->next = *next;
	memset(next, 0, sizeof *next);
	next->fd = -1;
	way->generation = way->next.table->generation;
	way->sequence = sequence;
	way->on_disk = on_disk;
	way->offered_us = supervisor_now_us();
	if (sockets_open(s, way->next.table, &err) < 0) {
		refuse(s, &err);
		return;
	}
	if (s->newest < way->generation)
		s->newest = way->generation;
	way->deadline.fire = too_late;
	way->deadline.context = s;
	s->env->ops->timer_start(s->env, &way->deadline, SUPERVISOR_PREPARE_MS);
	bool saved = on_disk && !s->options->table_file; /* not one that somebody waits for */
	for (uint32_t i = 0; i < s->worker_count; i++) {
		struct post *p = &s->posts[i];
		p->due = p->phase == POST_SERVING;
		if (!p->due)
			continue;
		sockets_send(s, p, false);
		say_generation(p, saved ? GATEWAY_PREPARE_SAVED : GATEWAY_PREPARE, way->generation,
			       way->next.fd);
	}
	prepared_check(s);
}

static void refuse_offer(struct supervisor *s, uint64_t sequence, uint64_t generation,
			 const struct error *why)
{
	struct gateway_result result = {.generation = generation, .code = why->code};
	text_copy(result.text, sizeof result.text, why->text);
	peers_tell_result(s, sequence, &result);
}

/* From the controller; takes `fd`. */
void tables_offer(struct supervisor *s, int fd, uint64_t sequence)
{
	struct error err;
	if (s->ending) {
		error_set(&err, ERR_UNAVAILABLE, "The gateway is ending.");
		refuse_offer(s, sequence, 0, &err);
		close(fd);
		return;
	}
	if (s->recovering || s->way.phase != WAY_FREE || !tables_ready(s)) {
		if (s->offered_fd >= 0) {
			error_set(&err, ERR_CONFLICT, "A newer table took the place of this one.");
			refuse_offer(s, s->offered_sequence, 0, &err);
			close(s->offered_fd);
		}
		s->offered_fd = fd;
		s->offered_sequence = sequence;
		return;
	}
	struct held_table next = {.fd = -1};
	int rc = held_table_take(&next, fd, &err);
	uint64_t generation = rc == 0 ? next.table->generation : 0;
	if (rc == 0 && s->in_force.table)
		rc = fence_check(s->in_force.table, next.table, &err);
	if (rc == 0 && generation <= s->newest)
		rc = error_set(&err, ERR_CONFLICT,
			       "Table %llu comes too late: %llu was there before.",
			       (unsigned long long)generation, (unsigned long long)s->newest);
	if (rc < 0) {
		log_event(LOG_WARNING, "gateway.table-refused", "generation=%llu why=\"%s\"",
			  (unsigned long long)generation, err.text);
		refuse_offer(s, sequence, generation, &err);
		held_table_drop(&next);
		return;
	}
	tables_begin(s, &next, sequence, false);
}

void tables_prepared(struct post *p, const struct gateway_result *result)
{
	struct supervisor *s = p->supervisor;
	struct error err;
	bool awaited = s->way.phase == WAY_PREPARING && result->generation == s->way.generation;
	if (result->code == 0) {
		if (awaited) {
			p->due = false;
			prepared_check(s);
		}
		return;
	}
	if (!awaited) { /* another worker's refusal came first, or it cannot serve what is in force */
		if (s->in_force.table && result->generation == s->in_force.table->generation)
			post_kill(p, result->text);
		return;
	}
	error_set(&err, (enum err)result->code, "%s", result->text);
	refuse(s, &err);
}

void tables_seen(struct post *p, uint64_t generation)
{
	struct supervisor *s = p->supervisor;
	p->seen = generation;
	p->uses = generation != 0;
	retired_tell(s);
	if (s->way.phase != WAY_COMMITTED) {
		peers_tell_status(s); /* it is new, or it is back */
		return;
	}
	if (generation >= s->way.generation)
		p->due = false;
	seen_check(s);
}

void tables_post_back(struct post *p)
{
	struct supervisor *s = p->supervisor;
	struct error err;
	if (s->way.phase == WAY_PREPARING && p->due) {
		error_set(&err, ERR_RETRY,
			  "Worker %u of the gateway lost the table: send it again.", p->place);
		refuse(s, &err); /* welcomes it as well */
	} else if (s->way.phase != WAY_PREPARING) {
		post_welcome(p);
		next_offer(s);
	}
}

void tables_post_left(struct post *p)
{
	struct supervisor *s = p->supervisor;
	p->due = false;
	p->uses = false;
	p->seen = 0;
	prepared_check(s);
	seen_check(s);
	next_offer(s);
}
