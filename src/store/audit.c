/* SPDX-License-Identifier: Apache-2.0
 * audit - see audit.h for the contract.
 *
 * Note  The packed form is part of the file format: changing it breaks every chain written before.
 * It begins with a label of its own, so that no other thing davit hashes can pass for an entry. */
#include "store/audit.h"

#include <string.h>

#include "base/pack.h"
#include "store/query.h"

enum { PACKED_MAX = 4096 };

static struct digest hash_of(const struct store_audit_entry *e, const struct digest *previous)
{
	uint8_t bytes[PACKED_MAX];
	struct packer p;
	pack_init(&p, bytes, sizeof bytes);
	pack_text(&p, "davit audit 1");
	pack_bytes(&p, previous->bytes, DIGEST_SIZE);
	pack_u64(&p, e->seq);
	pack_u64(&p, e->at_unix_ms);
	pack_text(&p, e->who);
	pack_text(&p, e->action);
	pack_text(&p, e->app);
	pack_text(&p, e->environment);
	pack_u32(&p, e->rollout);
	pack_text(&p, e->reason);
	pack_text(&p, e->evidence);
	ASSERT(p.ok);
	return digest_of(bytes, p.size);
}

static const char head_sql[] = "SELECT seq, hash FROM audit_head";

int store_audit_head(struct store *s, struct store_audit_head *ret_head, struct error *err)
{
	struct query q;
	struct store_audit_head head = {0};
	query_read(&q, s, head_sql);
	if (query_row(&q)) {
		head.seq = query_get_number(&q);
		query_get_digest(&q, &head.hash);
	}
	int code = query_finish(&q, err);
	if (code == 0)
		*ret_head = head;
	return code;
}

static void put_head(struct store *s, uint64_t seq, const struct digest *hash)
{
	struct query q;
	if (!query_write(&q, s,
			 "INSERT INTO audit_head VALUES (1, ?, ?)"
			 " ON CONFLICT DO UPDATE SET seq = excluded.seq, hash = excluded.hash"))
		return;
	query_number(&q, seq);
	query_blob(&q, hash->bytes, DIGEST_SIZE);
	query_run(&q);
}

void store_add_audit(struct store *s, const struct store_audit_entry *e)
{
	struct store_audit_head head;
	struct error err;
	struct query q;
	ASSERT(s->in_transaction);
	if (s->failure.code)
		return;
	if (store_audit_head(s, &head, &err) < 0) {
		s->failure = err;
		return;
	}
	struct store_audit_entry entry = *e;
	entry.seq = head.seq + 1;
	entry.hash = hash_of(&entry, &head.hash);
	if (!query_write(&q, s, "INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"))
		return;
	query_number(&q, entry.seq);
	query_number(&q, entry.at_unix_ms);
	query_text(&q, entry.who);
	query_text(&q, entry.action);
	query_text(&q, entry.app);
	query_text(&q, entry.environment);
	query_number(&q, entry.rollout);
	query_text(&q, entry.reason);
	query_text(&q, entry.evidence);
	query_blob(&q, entry.hash.bytes, DIGEST_SIZE);
	query_run(&q);
	put_head(s, entry.seq, &entry.hash);
}

#define AUDIT_COLUMNS                                                                          \
	"SELECT seq, at, who, action, app, environment, rollout, reason, evidence, hash FROM " \
	"audit "

static void read_entry(struct query *q, struct store_audit_entry *e)
{
	e->seq = query_get_number(q);
	e->at_unix_ms = query_get_number(q);
	query_get_text(q, e->who, sizeof e->who);
	query_get_text(q, e->action, sizeof e->action);
	query_get_text(q, e->app, sizeof e->app);
	query_get_text(q, e->environment, sizeof e->environment);
	e->rollout = query_get_u32(q);
	query_get_text(q, e->reason, sizeof e->reason);
	query_get_text(q, e->evidence, sizeof e->evidence);
	query_get_digest(q, &e->hash);
}

int store_audit(struct store *s, const struct store_audit_filter *filter, store_audit_visit visit,
		void *context, struct error *err)
{
	struct query q;
	int answer = 0;
	query_read(&q, s,
		   AUDIT_COLUMNS
		   "WHERE (?1 IS NULL OR app = ?1) AND (?2 IS NULL OR environment = ?2)"
		   " AND (?3 = 0 OR rollout = ?3) AND (?4 = 0 OR seq < ?4)"
		   " ORDER BY seq DESC LIMIT ?5");
	query_text(&q, filter->app);
	query_text(&q, filter->environment);
	query_number(&q, filter->rollout);
	query_number(&q, filter->before);
	query_signed(&q, filter->limit ? (int64_t)filter->limit : -1);
	while (answer == 0 && query_row(&q)) {
		struct store_audit_entry e;
		read_entry(&q, &e);
		if (!q.corrupt)
			answer = visit(context, &e);
	}
	int code = query_finish(&q, err);
	return code < 0 ? code : answer;
}

static int broken(uint64_t seq, const char *what, uint64_t *ret_broken, struct error *err)
{
	*ret_broken = seq;
	return error_set(err, ERR_CORRUPT, "The audit trail is broken at entry %llu: %s.",
			 (unsigned long long)seq, what);
}

/* Entry `e` is the next after `at`: is it whole? What is wrong, or NULL. */
static const char *fault_of(const struct store_audit_entry *e, const struct store_audit_head *at,
			    const struct store_audit_head *known)
{
	if (e->seq != at->seq + 1)
		return "it is missing";
	struct digest hash = hash_of(e, &at->hash);
	if (!digest_equal(&hash, &e->hash))
		return "it is not what was written, or an entry before it was changed";
	if (known && known->seq == e->seq && !digest_equal(&known->hash, &hash))
		return "it differs from the one that the known head stands for";
	return NULL;
}

int store_audit_verify(struct store *s, const struct store_audit_head *known,
		       struct store_audit_head *ret_head, uint64_t *ret_broken, struct error *err)
{
	struct store_audit_head head, at = {0};
	struct query q;
	const char *fault = NULL;
	int code = store_audit_head(s, &head, err);
	if (code < 0)
		return code;
	query_read(&q, s, AUDIT_COLUMNS "ORDER BY seq");
	while (!fault && query_row(&q)) {
		struct store_audit_entry e;
		read_entry(&q, &e);
		fault = q.corrupt ? "it does not have the form of an entry"
				  : fault_of(&e, &at, known);
		if (!fault)
			at = (struct store_audit_head){.seq = e.seq, .hash = e.hash};
	}
	q.corrupt = false; /* said below, with its number */
	code = query_finish(&q, err);
	if (code < 0)
		return code;
	if (fault)
		return broken(at.seq + 1, fault, ret_broken, err);
	if (at.seq < head.seq || (known && at.seq < known->seq))
		return broken(at.seq + 1, "it and what followed are missing", ret_broken, err);
	if (at.seq > head.seq || !digest_equal(&at.hash, &head.hash))
		return broken(head.seq + 1, "the head does not know it", ret_broken, err);
	*ret_head = head;
	return 0;
}

void store_add_answer(struct store *s, const struct store_answer *a)
{
	struct query q;
	if (!query_write(&q, s,
			 "INSERT INTO answer (id, request, status, body, at)"
			 " VALUES (?, ?, ?, ifnull(?, ''), ?)"))
		return;
	query_text(&q, a->id);
	query_blob(&q, a->request.bytes, DIGEST_SIZE);
	query_number(&q, a->status);
	query_text(&q, a->body);
	query_number(&q, a->at_unix_ms);
	query_run(&q);
}

int store_answer_find(struct store *s, const char *id, const struct digest *request,
		      store_answer_visit visit, void *context, struct error *err)
{
	struct query q;
	int found = 0;
	query_read(&q, s, "SELECT id, request, status, body, at FROM answer WHERE id = ?");
	query_text(&q, id);
	if (query_row(&q)) {
		struct store_answer a = {0};
		query_get_text(&q, a.id, sizeof a.id);
		query_get_digest(&q, &a.request);
		a.status = query_get_u32(&q);
		a.body = query_get_long_text(&q);
		a.at_unix_ms = query_get_number(&q);
		found = digest_equal(&a.request, request) ? 1 : 2;
		if (found == 1 && !q.corrupt)
			visit(context, &a);
	}
	int code = query_finish(&q, err);
	if (code < 0)
		return code;
	if (found == 2)
		return error_set(
			err, ERR_CONFLICT,
			"The request id \"%s\" was used for another request; choose a new one.",
			id);
	return found;
}

void store_forget_answers(struct store *s, uint64_t before_unix_ms)
{
	struct query q;
	if (!query_write(&q, s, "DELETE FROM answer WHERE at < ?"))
		return;
	query_number(&q, before_unix_ms);
	query_run(&q);
}
