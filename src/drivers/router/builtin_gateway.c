/* SPDX-License-Identifier: Apache-2.0
 * builtin_gateway - see builtin_state.h for the contract. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "drivers/router/builtin_state.h"
#include "os/memfd.h"

void builtin_lose(struct builtin *b)
{
	loop_watch_stop(b->talk);
	b->talk = NULL;
	if (b->channel_fd >= 0)
		close(b->channel_fd);
	b->channel_fd = -1;
	bool told = b->welcome;
	b->welcome = false;
	if (told)
		builtin_changed(b);
}

static void say(struct builtin *b, const struct gateway_message *m, const int *fds, size_t count)
{
	uint8_t bytes[GATEWAY_MESSAGE_MAX];
	struct error err;
	size_t size = gateway_message_write(m, bytes);
	if (b->channel_fd >= 0 && channel_send(b->channel_fd, bytes, size, fds, count, &err) < 0)
		builtin_lose(b);
}

/* The documents that stand, with the one that is asked for in the place of its own. */
static size_t documents_of(struct builtin *b, const struct environment *asking,
			   const struct router_document **to)
{
	size_t count = 0;
	for (struct environment *e = b->environments; e; e = e->next) {
		const struct router_document *d = e->standing;
		if (e == asking)
			d = e->under_way.document;
		if (d && count < TABLE_ENVIRONMENTS_MAX + 1)
			to[count++] = d;
	}
	return count;
}

int builtin_send(struct builtin *b, const struct environment *asking, struct error *err)
{
	const struct router_document *documents[TABLE_ENVIRONMENTS_MAX + 1];
	size_t count = documents_of(b, asking, documents);
	struct buf block;
	int fd = -1;
	buf_init(&block, TABLE_BYTES_MAX);
	struct gateway_table *table = table_new();
	int rc = builtin_table_make(&b->places, documents, count, b->generation + 1,
				    b->counters ? counters_oldest(b->counters) : 0, table, err);
	if (rc == 0)
		rc = table_encode(table, &block, err);
	if (rc == 0)
		rc = memfd_seal("davit-table", block.data, block.size, &fd, err);
	buf_done(&block);
	if (rc < 0) {
		table_free(table);
		return rc;
	}
	struct gateway_message m = {.type = GATEWAY_APPLY, .sequence = ++b->sequence};
	m.generation = ++b->generation;
	b->sent = table;
	b->sent_sequence = m.sequence;
	say(b, &m, &fd, 1);
	close(fd);
	return 0;
}

/* The table under way is in force: so is what it carries. */
static void sent_stands(struct builtin *b, uint32_t seen_us)
{
	struct environment *e = b->changing;
	table_free(b->table);
	b->table = b->sent;
	b->sent = NULL;
	b->changing = NULL;
	b->seen_generation = b->table->generation;
	if (!e)
		return;
	free(e->standing);
	e->standing = e->under_way.document;
	e->under_way.document = NULL;
	e->read_back = false;
	builtin_answer(b, e, &e->under_way, NULL, seen_us);
	builtin_request_drop(&e->under_way);
}

static void sent_refused(struct builtin *b, const struct error *why)
{
	struct environment *e = b->changing;
	table_free(b->sent);
	b->sent = NULL;
	b->changing = NULL;
	if (!e) {
		b->send_again = true;
		return;
	}
	builtin_answer(b, e, &e->under_way, why, 0);
	builtin_request_drop(&e->under_way);
}

/* It may have arrived or not: ask for the same once more. */
static void sent_lost(struct builtin *b)
{
	struct environment *e = b->changing;
	table_free(b->sent);
	b->sent = NULL;
	b->changing = NULL;
	if (e && !e->waiting.asked && e->under_way.done) {
		e->waiting = e->under_way;
		memset(&e->under_way, 0, sizeof e->under_way);
	} else if (e) {
		struct error err;
		builtin_not_there(&err);
		builtin_answer(b, e, &e->under_way, &err, 0);
		builtin_request_drop(&e->under_way);
	}
}

static void on_result(struct builtin *b, const struct gateway_message *m)
{
	const struct gateway_result *r = &m->result;
	struct error why;
	if (!b->sent || m->sequence != b->sent_sequence)
		return;
	if (r->code == 0) {
		sent_stands(b, r->seen_us);
	} else {
		error_set(&why, (enum err)r->code, "%s", r->text);
		sent_refused(b, &why);
	}
	builtin_changed(b);
	builtin_pump(b);
}

static void on_status(struct builtin *b, const struct gateway_status *status)
{
	b->status = *status;
	if (status->newest > b->generation)
		b->generation = status->newest;
	if (b->table && status->generation >= b->table->generation)
		b->seen_generation = status->seen;
	builtin_changed(b);
}

/* What the gateway serves, when that is not what we know. */
static void read_back(struct builtin *b, struct gateway_table *table)
{
	table_free(b->table);
	b->table = table;
	places_note_table(&b->places, table);
	for (struct environment *e = b->environments; e; e = e->next)
		if (!builtin_in_table(b, e->app, e->name)) {
			free(e->standing);
			e->standing = NULL;
		}
	for (uint32_t i = 0; i < table->environment_count; i++) {
		const struct table_environment *te = &table->environments[i];
		struct environment *e = builtin_get(b, te->app, te->name);
		if (!e->standing)
			e->standing = mem_zero(1, sizeof *e->standing);
		builtin_table_read(table, i, e->standing);
		e->read_back = true;
	}
}

static void take_counters(struct builtin *b, int fd)
{
	void *memory;
	size_t size;
	struct error err;
	memfd_unmap(b->counters, b->counters_size);
	b->counters = NULL;
	if (memfd_map(fd, counters_size(COUNTERS_PLACES), &memory, &size, &err) < 0)
		return;
	if (counters_check(memory, size, &err) < 0) {
		memfd_unmap(memory, size);
		return;
	}
	b->counters = memory;
	b->counters_size = size;
}

static struct gateway_table *take_table(int fd)
{
	struct buf block;
	struct error err;
	buf_init(&block, TABLE_BYTES_MAX);
	struct gateway_table *table = table_new();
	int rc = memfd_read_sealed(fd, TABLE_BYTES_MAX, &block, &err);
	if (rc == 0)
		rc = table_decode(block.data, block.size, table, &err);
	buf_done(&block);
	if (rc == 0)
		return table;
	table_free(table);
	return NULL;
}

static void on_welcome(struct builtin *b, const struct gateway_message *m, const int *fds,
		       size_t count)
{
	struct gateway_table *table = count == 2 ? take_table(fds[1]) : NULL;
	uint64_t theirs = table ? table->generation : 0;
	uint64_t ours = b->table ? b->table->generation : 0;
	take_counters(b, fds[0]);
	b->send_again = false;
	if (b->sent && theirs == b->sent->generation && m->status.seen >= theirs)
		sent_stands(b, 0);
	else if (b->sent)
		sent_lost(b);
	ours = b->table ? b->table->generation : ours;
	if (theirs > ours) {
		read_back(b, table);
		table = NULL;
	} else if (theirs < ours) {
		b->send_again = true;
	}
	table_free(table);
	b->welcome = b->settled = true;
	b->seen_generation = 0;
	on_status(b, &m->status);
	builtin_pump(b);
}

static void on_message(struct builtin *b, const struct gateway_message *m, const int *fds,
		       size_t count)
{
	if (m->type == GATEWAY_WELCOME && count >= 1)
		on_welcome(b, m, fds, count);
	else if (m->type == GATEWAY_RESULT)
		on_result(b, m);
	else if (m->type == GATEWAY_STATUS)
		on_status(b, &m->status);
	else
		builtin_lose(b);
}

static void talks(void *context, int events)
{
	struct builtin *b = context;
	(void)events;
	while (b->channel_fd >= 0) {
		int fds[CHANNEL_FDS_MAX];
		size_t count = 0;
		struct gateway_message m;
		struct error err;
		int size = channel_receive(b->channel_fd, b->bytes, fds, &count, &err);
		if (size == ERR_RETRY)
			return;
		if (size < 0) {
			builtin_lose(b);
			return;
		}
		if (gateway_message_read(b->bytes, (size_t)size, &m, &err) < 0)
			builtin_lose(b);
		else
			on_message(b, &m, fds, count);
		channel_close_fds(fds, count);
	}
}

void builtin_connect(struct builtin *b)
{
	struct channel_peer peer;
	struct error err;
	struct gateway_message attach = {.type = GATEWAY_ATTACH, .sequence = ++b->sequence};
	if (channel_connect(b->state_fd, GATEWAY_SOCKET, &b->channel_fd, &peer, &err) < 0)
		return;
	if (loop_watch_start(b->loop, b->channel_fd, LOOP_READ, talks, b, &b->talk, &err) < 0)
		builtin_lose(b);
	else
		say(b, &attach, NULL, 0);
}
