/* A whole journal into the tree. This thread reads groups and checks their MACs, and enters leaves that are ready;
 * beside it another decrypts entries and hashes them, and pairs of them: with millions of entries that is what opening takes. */
#include "ledger/ledger_internal.h"

#include <stdlib.h>
#include <string.h>

#include "ledger/journal.h"

#define CHUNK_BYTES (UINT64_C(1) << 20) /* of groups that change hands at a time */
#define ALONE_BYTES (UINT64_C(4) << 20) /* shorter journals are not worth a thread */

struct leaf {
    struct tlog_hash hash, pair; /* pair: with the leaf before, of an odd index */
    bool paired;
    struct ledger_location location;
};

struct chunk { /* good groups, one after the other, and what becomes of them */
    uint8_t *bodies;
    size_t len, capacity;
    struct group_place {
        uint64_t first, offset; /* of the group in the file */
        uint32_t count, body_len;
    } * groups;
    size_t group_count, group_capacity;
    struct leaf *leaves;
    size_t leaf_count, leaf_capacity; /* room for every entry of the groups */
    uint8_t chain[GROUP_CHAIN_LEN];   /* behind the last group */
};

struct taking {
    struct ledger *ledger;
    uint8_t *plain;        /* LEDGER_ENTRY_MAX bytes */
    struct tlog_hash last; /* of the leaf that was hashed last */
    uint64_t next;         /* index behind it */
    struct chunk chunks[2];
    bool threaded;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t change;
    struct chunk *work; /* for the other thread; NULL: it has none */
    bool ended;
    int status; /* of the chunk that was worked on last */
    struct sr_error_copy why;
};

static int out_of_memory(void)
{
    return sr_fail(SR_ERR_NO_MEMORY, "ledger: out of memory");
}

/* --- decrypting and hashing ------------------------------------------------------------------- */

static int hash_group(struct taking *taking, struct chunk *chunk, const struct group_place *group,
                      const uint8_t *body)
{
    struct ledger *ledger = taking->ledger;
    struct group_entry entry;
    size_t position = 0;

    for (uint32_t i = 0; i < group->count; i++) {
        struct leaf *leaf = &chunk->leaves[chunk->leaf_count];
        uint64_t index = group->first + i;
        int status;

        leaf->location.offset = group->offset + GROUP_HEADER_LEN + position;
        group_entry_next(body, group->body_len, &position, &entry);
        leaf->location.len = entry.len & 0xfffff; /* at most LEDGER_ENTRY_MAX */
        status = group_entry_decrypt(ledger->read_gcm, ledger->secrets->key_enc, ledger->vault_id,
                                     index, &entry, taking->plain);
        if (status == SR_ERR_DAMAGED)
            return sr_fail(SR_ERR_DAMAGED,
                           "ledger/journal: entry %llu at offset %llu does not decrypt",
                           (unsigned long long)index, (unsigned long long)leaf->location.offset);
        if (status == 0)
            status = tlog_leaf_hash(taking->plain, entry.len, &leaf->hash);
        leaf->paired = index % 2 == 1 && index == taking->next;
        if (status == 0 && leaf->paired)
            status = tlog_node_hash(&taking->last, &leaf->hash, &leaf->pair);
        if (status != 0)
            return status;
        taking->last = leaf->hash;
        taking->next = index + 1;
        chunk->leaf_count++;
    }
    return 0;
}

static int hash_chunk(struct taking *taking, struct chunk *chunk)
{
    size_t at = 0;
    int status = 0;

    for (size_t i = 0; i < chunk->group_count && status == 0; i++) {
        status = hash_group(taking, chunk, &chunk->groups[i], chunk->bodies + at);
        at += chunk->groups[i].body_len;
    }
    return status;
}

static void *hash_chunks(void *context)
{
    struct taking *taking = context;

    pthread_mutex_lock(&taking->lock);
    for (;;) {
        while (taking->work == NULL && !taking->ended)
            pthread_cond_wait(&taking->change, &taking->lock);
        if (taking->work == NULL)
            break;
        struct chunk *chunk = taking->work;
        pthread_mutex_unlock(&taking->lock);
        int status = hash_chunk(taking, chunk);
        pthread_mutex_lock(&taking->lock);
        taking->status = status;
        sr_error_save(&taking->why, status);
        taking->work = NULL;
        pthread_cond_broadcast(&taking->change);
    }
    pthread_mutex_unlock(&taking->lock);
    return NULL;
}

static int start_hashing(struct taking *taking, struct chunk *chunk)
{
    if (!taking->threaded)
        return hash_chunk(taking, chunk);
    pthread_mutex_lock(&taking->lock);
    taking->work = chunk;
    pthread_cond_broadcast(&taking->change);
    pthread_mutex_unlock(&taking->lock);
    return 0;
}

static int await_hashing(struct taking *taking)
{
    int status;

    if (!taking->threaded)
        return 0;
    pthread_mutex_lock(&taking->lock);
    while (taking->work != NULL)
        pthread_cond_wait(&taking->change, &taking->lock);
    status = taking->status != 0 ? sr_error_raise(&taking->why) : 0;
    pthread_mutex_unlock(&taking->lock);
    return status;
}

/* --- reading ------------------------------------------------------------------------------------ */

/* Room for count members of size bytes. */
static int reserve(void *array, size_t *capacity, size_t count, size_t size)
{
    void **items = array, *longer;
    size_t more = *capacity == 0 ? 64 : *capacity;

    while (more < count)
        more *= 2;
    if (more == *capacity)
        return 0;
    longer = realloc(*items, more * size);
    if (longer == NULL)
        return out_of_memory();
    *items = longer;
    *capacity = more;
    return 0;
}

static int add_group(struct chunk *chunk, const struct journal_group *group, size_t *entries)
{
    const struct group_header *header = &group->header;
    int status;

    if ((status = reserve(&chunk->bodies, &chunk->capacity, chunk->len + header->body_len, 1)) <
            0 ||
        (status = reserve(&chunk->groups, &chunk->group_capacity, chunk->group_count + 1,
                          sizeof(*chunk->groups))) < 0 ||
        (status = reserve(&chunk->leaves, &chunk->leaf_capacity, *entries + header->count,
                          sizeof(*chunk->leaves))) < 0)
        return status;
    memcpy(chunk->bodies + chunk->len, group->body, header->body_len);
    chunk->groups[chunk->group_count++] =
        (struct group_place){header->first, group->offset, header->count, header->body_len};
    chunk->len += header->body_len;
    *entries += header->count;
    memcpy(chunk->chain, group->mac, GROUP_CHAIN_LEN);
    return 0;
}

/* The next good groups. *more is false, or bad->why set, where they end. */
static int read_chunk(struct taking *taking, struct journal_reader *reader, struct chunk *chunk,
                      struct journal_group *bad, bool *more)
{
    size_t entries = 0;
    int status = 0;

    chunk->len = chunk->group_count = chunk->leaf_count = 0;
    while (status == 0 && chunk->len < CHUNK_BYTES) {
        status = journal_next(reader, taking->ledger->secrets->key_mac, bad, more);
        if (status != 0 || !*more || bad->why != NULL)
            break;
        status = add_group(chunk, bad, &entries);
    }
    return status;
}

static int enter_leaves(struct ledger *ledger, const struct chunk *chunk)
{
    int status = 0;

    for (size_t i = 0; i < chunk->leaf_count && status == 0; i++) {
        uint64_t index = ledger->tree.size;

        status = ledger_reserve_location(ledger, index);
        if (status == 0)
            status = tree_append(&ledger->tree, &chunk->leaves[i].hash,
                                 chunk->leaves[i].paired ? &chunk->leaves[i].pair : NULL);
        if (status == 0)
            ledger->locations[index] = chunk->leaves[i].location;
    }
    if (chunk->group_count > 0)
        memcpy(ledger->chain, chunk->chain, GROUP_CHAIN_LEN);
    return status;
}

static int take_all(struct taking *taking, struct journal_reader *reader, struct journal_group *bad)
{
    struct chunk *reading = &taking->chunks[0], *hashing = &taking->chunks[1];
    bool more = true;
    int status = 0;

    while (status == 0 && more && bad->why == NULL) {
        struct chunk *kept = reading;
        int waited;

        status = read_chunk(taking, reader, reading, bad, &more);
        waited = await_hashing(taking); /* of the chunk before, whatever came of reading */
        status = waited != 0 ? waited : status;
        if (status == 0)
            status = start_hashing(taking, reading);
        if (status == 0)
            status = enter_leaves(taking->ledger, hashing);
        reading = hashing;
        hashing = kept;
    }
    if (status == 0)
        status = await_hashing(taking);
    if (status == 0)
        status = enter_leaves(taking->ledger, hashing);
    return status;
}

int ledger_take_journal(struct ledger *ledger, struct journal_reader *reader,
                        struct journal_group *bad)
{
    struct taking taking = {.ledger = ledger, .plain = malloc(LEDGER_ENTRY_MAX)};
    int status;

    memset(bad, 0, sizeof(*bad));
    if (taking.plain == NULL)
        return out_of_memory();
    if (reader->size > LEDGER_JOURNAL_MAX) {
        free(taking.plain);
        return sr_fail(SR_ERR_TOO_LARGE, "ledger/journal is longer than one may be");
    }
    pthread_mutex_init(&taking.lock, NULL);
    pthread_cond_init(&taking.change, NULL);
    if (reader->size > ALONE_BYTES) /* without the other thread it only takes longer */
        taking.threaded = pthread_create(&taking.thread, NULL, hash_chunks, &taking) == 0;
    status = take_all(&taking, reader, bad);
    if (taking.threaded) {
        pthread_mutex_lock(&taking.lock);
        taking.ended = true;
        pthread_cond_broadcast(&taking.change);
        pthread_mutex_unlock(&taking.lock);
        pthread_join(taking.thread, NULL);
    }
    pthread_cond_destroy(&taking.change);
    pthread_mutex_destroy(&taking.lock);
    sr_wipe(taking.plain, LEDGER_ENTRY_MAX);
    free(taking.plain);
    for (int i = 0; i < 2; i++) {
        free(taking.chunks[i].bodies);
        free(taking.chunks[i].groups);
        free(taking.chunks[i].leaves);
    }
    ledger->committed = reader->index;
    ledger->end = reader->offset;
    return status;
}
