#include "ledger/verify.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "ledger/findings.h"
#include "ledger/tile.h"

/* Trust comes down from the signed root: the rightmost, partial tile of each level together make
 * the root, and every full tile must hash to its place in the level above. */

struct slot { /* one tile in memory */
    bool loaded;
    uint64_t n;
    uint8_t data[TILE_BYTES];
};

struct tiles {
    struct sr_io *io;
    const char *dir;
    uint64_t size;
    struct slot right[TILE_LEVELS]; /* the partial ones */
    struct slot full[TILE_LEVELS];  /* the last full one used of each level, checked */
};

static int tiles_new(struct sr_io *io, const char *dir, uint64_t size, struct tiles **out)
{
    *out = NULL;
    if (size >> TREE_LEVELS != 0)
        return sr_fail(SR_ERR_TOO_LARGE, "a tree of %llu entries", (unsigned long long)size);
    *out = calloc(1, sizeof(**out));
    if (*out == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "ledger: out of memory");
    (*out)->io = io;
    (*out)->dir = dir;
    (*out)->size = size;
    return 0;
}

/* The root of 2^height consecutive hashes, at most a tile. */
static int fold(const uint8_t *hashes, unsigned height, struct tlog_hash *out)
{
    struct tlog_hash level[TILE_WIDTH];
    size_t count = (size_t)1 << height;
    int status = 0;

    memcpy(level, hashes, count * sizeof(level[0]));
    for (; count > 1 && status == 0; count /= 2)
        for (size_t i = 0; i < count / 2 && status == 0; i++)
            status = tlog_node_hash(&level[2 * i], &level[2 * i + 1], &level[i]);
    *out = level[0];
    return status;
}

static int load_tile(struct tiles *tiles, unsigned level, uint64_t n, const uint8_t **data);

/* The hash that the level above holds for a full tile. */
static int parent_hash(struct tiles *tiles, unsigned level, uint64_t n, struct tlog_hash *out)
{
    const uint8_t *parent;
    int status = load_tile(tiles, level + 1, n / TILE_WIDTH, &parent);

    if (status == 0)
        memcpy(out->bytes, parent + n % TILE_WIDTH * TLOG_HASH_LEN, TLOG_HASH_LEN);
    return status;
}

/* A tile of the tree, full ones checked against the level above: SR_ERR_DAMAGED, SR_ERR_NOT_FOUND
 * name it, or the one above. At most TILE_LEVELS deep. */
static int load_tile(struct tiles *tiles, unsigned level, uint64_t n, const uint8_t **data)
{
    struct slot *slot = &tiles->full[level];
    struct tlog_hash expected;
    struct tlog_hash hash;
    char name[TILE_NAME_MAX];
    int status;

    *data = NULL;
    tile_name(level, n, TILE_WIDTH, name);
    if (n == tile_full(tiles->size, level)) {
        slot = &tiles->right[level];
        if (!slot->loaded)
            return sr_fail(SR_ERR_NOT_FOUND, "ledger/%s.p is missing", name);
    } else if (!slot->loaded || slot->n != n) {
        slot->loaded = false;
        status = parent_hash(tiles, level, n, &expected);
        if (status == 0)
            status = tile_read(tiles->io, tiles->dir, level, n, TILE_WIDTH, slot->data);
        if (status == 0)
            status = fold(slot->data, TILE_HEIGHT, &hash);
        if (status != 0)
            return status;
        if (memcmp(&hash, &expected, sizeof(hash)) != 0)
            return sr_fail(SR_ERR_DAMAGED, "ledger/%s does not hash to its place in the tree",
                           name);
        slot->loaded = true;
        slot->n = n;
    }
    *data = slot->data;
    return 0;
}

static int tiles_node(void *context, unsigned level, uint64_t index, struct tlog_hash *out)
{
    unsigned height = level % TILE_HEIGHT;
    uint64_t first = index << height;
    const uint8_t *data;
    int status = load_tile(context, level / TILE_HEIGHT, first / TILE_WIDTH, &data);

    if (status != 0)
        return status;
    return fold(data + first % TILE_WIDTH * TLOG_HASH_LEN, height, out);
}

static struct tlog_source tiles_source(struct tiles *tiles)
{
    return (struct tlog_source){.node = tiles_node, .context = tiles};
}

/* Loads the partial tiles and compares what they hash to with the root. findings may be NULL: then
 * the first thing wrong is returned. *good: all are there and make the root. */
static int load_right(struct tiles *tiles, const struct note_checkpoint *checkpoint,
                      struct findings *findings, bool *good)
{
    struct tlog_source source = tiles_source(tiles);
    struct tlog_hash root;
    char name[TILE_NAME_MAX];
    bool all = true;
    int status;

    *good = false;
    for (unsigned level = 0; level < TILE_LEVELS; level++) {
        unsigned width = tile_partial(tiles->size, level);
        uint64_t n = tile_full(tiles->size, level);

        if (width == 0)
            continue;
        status = tile_read(tiles->io, tiles->dir, level, n, width, tiles->right[level].data);
        tiles->right[level].loaded = status == 0;
        if (status == 0)
            continue;
        if (findings == NULL || status == SR_ERR_NO_MEMORY)
            return status;
        tile_name(level, n, width, name);
        findings_add(findings, name, "%s", sr_error_message());
        all = false;
    }
    if (!all)
        return 0;
    status = tlog_root(&source, tiles->size, &root);
    *good = status == 0 && memcmp(&root, &checkpoint->root, sizeof(root)) == 0;
    return status;
}

/* One full tile against the level above. right_good: the partial tiles are what was signed. */
static int verify_full(struct tiles *tiles, unsigned level, uint64_t n, bool right_good,
                       struct findings *findings)
{
    bool under_right = n / TILE_WIDTH == tile_full(tiles->size, level + 1);
    struct tlog_hash expected;
    struct tlog_hash hash;
    char parent[TILE_NAME_MAX];
    char name[TILE_NAME_MAX];
    uint8_t data[TILE_BYTES];
    int status = tile_read(tiles->io, tiles->dir, level, n, TILE_WIDTH, data);

    if (status == SR_ERR_NO_MEMORY)
        return status;
    tile_name(level, n, TILE_WIDTH, name);
    if (status != 0) {
        findings_add(findings, name, "%s", sr_error_message());
        return 0;
    }
    status = fold(data, TILE_HEIGHT, &hash);
    if (status != 0)
        return status;
    status = parent_hash(tiles, level, n, &expected);
    if (status != 0) /* the one above is bad, and a finding of its own */
        return status == SR_ERR_NO_MEMORY ? status : 0;
    if (memcmp(&hash, &expected, sizeof(hash)) == 0)
        return 0;
    tile_name(level + 1, n / TILE_WIDTH,
              under_right ? tile_partial(tiles->size, level + 1) : TILE_WIDTH, parent);
    if (under_right && !right_good)
        findings_add(findings, parent, "it does not hold the hash of %s, nor lead to the root",
                     name);
    else
        findings_add(findings, name, "it does not hash to its place in %s", parent);
    return 0;
}

static int verify_levels(struct tiles *tiles, const struct note_checkpoint *checkpoint,
                         struct findings *findings)
{
    uint64_t before = findings->count;
    char name[TILE_NAME_MAX];
    bool good;
    int status = load_right(tiles, checkpoint, findings, &good);

    for (int level = TILE_LEVELS - 2; level >= 0 && status == 0; level--) {
        uint64_t full = tile_full(tiles->size, (unsigned)level);

        for (uint64_t n = 0; n < full && status == 0; n++)
            status = verify_full(tiles, (unsigned)level, n, good, findings);
    }
    if (status != 0 || good || findings->count > before)
        return status;
    /* Nothing else is wrong: of the partial tiles only the leaves' is not checked from below. */
    if (tile_partial(tiles->size, 0) != 0) {
        tile_name(0, tile_full(tiles->size, 0), tile_partial(tiles->size, 0), name);
        findings_add(findings, name, "with it the tree does not hash to the checkpoint's root");
    } else {
        findings_add(findings, "checkpoint", "its root is not the root of the tiles");
    }
    return 0;
}

int ledger_verify_tiles(struct sr_io *io, const char *dir, const struct note_verifier *verifier,
                        const uint8_t *checkpoint, size_t len, ledger_bad_fn *bad, void *context)
{
    struct findings findings = {.bad = bad, .context = context};
    struct note_checkpoint opened;
    struct tiles *tiles = NULL;
    int status = note_checkpoint_open(checkpoint, len, verifier, &opened);

    if (status == SR_ERR_INVALID || status == SR_ERR_DAMAGED) {
        findings_add(&findings, "checkpoint", "%s", sr_error_message());
        return findings_result(&findings);
    }
    if (status == 0)
        status = tiles_new(io, dir, opened.size, &tiles);
    if (status == 0)
        status = verify_levels(tiles, &opened, &findings);
    free(tiles);
    return status == 0 ? findings_result(&findings) : status;
}

static int forked(const struct note_checkpoint *old)
{
    return sr_fail(SR_ERR_ROLLED_BACK,
                   "the ledger of today does not contain the checkpoint of size %llu",
                   (unsigned long long)old->size);
}

/* Is old's tree a beginning of new's? Every hash in the proof is bound to new's root, so a proof
 * that does not hold is a fork and not damage. */
static int compare_trees(struct tiles *tiles, const struct note_checkpoint *new,
                         const struct note_checkpoint *old)
{
    struct tlog_source source = tiles_source(tiles);
    struct tlog_hash proof[TLOG_PROOF_MAX];
    size_t count = 0;
    bool good;
    int status = load_right(tiles, new, NULL, &good);

    if (status != 0)
        return status;
    if (!good)
        return sr_fail(SR_ERR_DAMAGED, "the tiles do not hash to the checkpoint of size %llu",
                       (unsigned long long)new->size);
    status = tlog_prove_consistency(&source, old->size, new->size, proof, &count);
    if (status != 0)
        return status;
    status = tlog_verify_consistency(old->size, &old->root, new->size, &new->root, proof, count);
    return status == SR_ERR_DAMAGED ? forked(old) : status;
}

int ledger_verify_against(struct sr_io *io, const char *dir, const struct note_verifier *verifier,
                          const uint8_t *newer, size_t newer_len, const uint8_t *older,
                          size_t older_len)
{
    struct note_checkpoint new;
    struct note_checkpoint old;
    struct tiles *tiles = NULL;
    int status;

    status = note_checkpoint_open(older, older_len, verifier, &old);
    if (status == 0)
        status = note_checkpoint_open(newer, newer_len, verifier, &new);
    if (status != 0)
        return status;
    if (old.size > new.size)
        return sr_fail(SR_ERR_ROLLED_BACK,
                       "the ledger has %llu entries, the checkpoint kept elsewhere %llu",
                       (unsigned long long)new.size, (unsigned long long)old.size);
    status = tiles_new(io, dir, new.size, &tiles);
    if (status == 0)
        status = compare_trees(tiles, &new, &old);
    free(tiles);
    return status;
}
