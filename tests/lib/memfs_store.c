/* memfs: content, names, and which of both are durable. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/memfs_internal.h"

static void *need(void *memory)
{
    if (!memory) {
        fputs("memfs: out of memory\n", stderr);
        abort();
    }
    return memory;
}

/* Room for one item more. */
void *memfs_grow(void *items, size_t count, size_t *capacity, size_t item_size)
{
    if (count < *capacity)
        return items;
    *capacity = *capacity ? *capacity * 2 : 8;
    return need(realloc(items, *capacity * item_size));
}

char *memfs_strdup(const char *text)
{
    return need(strdup(text));
}

/* splitmix64 */
uint64_t memfs_random(struct memfs *fs)
{
    uint64_t z = fs->random_state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t memfs_below(struct memfs *fs, uint64_t limit)
{
    return memfs_random(fs) % limit;
}

/* Index of the first page whose number is not below number. */
static size_t page_index(const struct memfs_content *content, uint64_t number)
{
    size_t low = 0;
    size_t high = content->count;
    if (high && content->pages[high - 1].number < number)
        return high; /* appending is the common case */
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (content->pages[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct memfs_page *memfs_page_find(const struct memfs_content *content, uint64_t number)
{
    size_t i = page_index(content, number);
    bool found = i < content->count && content->pages[i].number == number;
    return found ? &content->pages[i] : NULL;
}

bool memfs_page_make(struct memfs_content *content, uint64_t number)
{
    size_t i = page_index(content, number);
    if (i < content->count && content->pages[i].number == number)
        return false;
    content->pages =
        memfs_grow(content->pages, content->count, &content->capacity, sizeof(*content->pages));
    memmove(&content->pages[i + 1], &content->pages[i],
            (content->count - i) * sizeof(*content->pages));
    content->pages[i] = (struct memfs_page){.number = number};
    content->count++;
    return true;
}

/* How much of len bytes at offset lies in offset's page. */
static size_t within_page(uint64_t offset, size_t len)
{
    size_t left = MEMFS_PAGE - (size_t)(offset % MEMFS_PAGE);
    return len < left ? len : left;
}

void memfs_content_read(const struct memfs_content *content, uint8_t *buf, size_t len,
                        uint64_t offset)
{
    for (size_t done = 0; done < len;) {
        size_t part = within_page(offset + done, len - done);
        const struct memfs_page *page = memfs_page_find(content, (offset + done) / MEMFS_PAGE);
        if (page && page->data)
            memcpy(buf + done, page->data + (offset + done) % MEMFS_PAGE, part);
        else
            memset(buf + done, 0, part);
        done += part;
    }
}

void memfs_content_write(struct memfs_content *content, const uint8_t *data, size_t len,
                         uint64_t offset)
{
    for (size_t done = 0; done < len;) {
        size_t part = within_page(offset + done, len - done);
        uint64_t number = (offset + done) / MEMFS_PAGE;
        memfs_page_make(content, number);
        struct memfs_page *page = memfs_page_find(content, number);
        if (!page->data)
            page->data = need(calloc(1, MEMFS_PAGE));
        memcpy(page->data + (offset + done) % MEMFS_PAGE, data + done, part);
        done += part;
    }
    if (len && content->size < offset + len)
        content->size = offset + len;
}

void memfs_content_truncate(struct memfs_content *content, uint64_t size)
{
    size_t first = page_index(content, (size + MEMFS_PAGE - 1) / MEMFS_PAGE);
    for (size_t i = first; i < content->count; i++)
        free(content->pages[i].data);
    content->count = first;
    struct memfs_page *last = memfs_page_find(content, size / MEMFS_PAGE);
    if (last && last->data)
        memset(last->data + size % MEMFS_PAGE, 0, MEMFS_PAGE - size % MEMFS_PAGE);
    content->size = size;
}

void memfs_content_clear(struct memfs_content *content)
{
    memfs_content_truncate(content, 0);
    free(content->pages);
    *content = (struct memfs_content){0};
}

void memfs_content_copy(struct memfs_content *to, const struct memfs_content *from)
{
    memfs_content_clear(to);
    for (size_t i = 0; i < from->count; i++) {
        memfs_page_make(to, from->pages[i].number);
        if (from->pages[i].data) {
            to->pages[i].data = need(malloc(MEMFS_PAGE));
            memcpy(to->pages[i].data, from->pages[i].data, MEMFS_PAGE);
        }
    }
    to->size = from->size;
}

static void note(struct memfs_inode *inode, struct memfs_write write)
{
    inode->writes = memfs_grow(inode->writes, inode->write_count, &inode->write_capacity,
                               sizeof(*inode->writes));
    inode->writes[inode->write_count++] = write;
}

void memfs_note_write(struct memfs_inode *inode, const void *data, size_t len, uint64_t offset)
{
    uint8_t *copy = need(malloc(len ? len : 1));
    memcpy(copy, data, len);
    note(inode, (struct memfs_write){.offset = offset, .len = len, .data = copy});
}

void memfs_note_truncate(struct memfs_inode *inode, uint64_t size)
{
    note(inode, (struct memfs_write){.truncate = true, .offset = size});
}

void memfs_forget_writes(struct memfs_inode *inode)
{
    for (size_t i = 0; i < inode->write_count; i++)
        free(inode->writes[i].data);
    inode->write_count = 0;
}

void memfs_sync_content(struct memfs_inode *inode)
{
    for (size_t i = 0; i < inode->write_count; i++) {
        const struct memfs_write *write = &inode->writes[i];
        if (write->truncate)
            memfs_content_truncate(&inode->durable, write->offset);
        else if (!write->orphan)
            memfs_content_write(&inode->durable, write->data, write->len, write->offset);
    }
    inode->durable.size = inode->live.size; /* that of orphans too: it is not content */
    memfs_forget_writes(inode);
}

struct memfs_name *memfs_name_find(const struct memfs_names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->items[i].name, name) == 0)
            return &names->items[i];
    return NULL;
}

void memfs_name_set(struct memfs_names *names, const char *name, struct memfs_inode *inode)
{
    struct memfs_name *found = memfs_name_find(names, name);
    if (found) {
        found->inode = inode;
        return;
    }
    names->items = memfs_grow(names->items, names->count, &names->capacity, sizeof(*names->items));
    names->items[names->count++] = (struct memfs_name){.name = memfs_strdup(name), .inode = inode};
}

void memfs_name_remove(struct memfs_names *names, const char *name)
{
    struct memfs_name *found = memfs_name_find(names, name);
    if (!found)
        return;
    free(found->name);
    *found = names->items[--names->count];
}

void memfs_note_op(struct memfs *fs, struct memfs_op op)
{
    fs->ops = memfs_grow(fs->ops, fs->op_count, &fs->op_capacity, sizeof(*fs->ops));
    fs->ops[fs->op_count++] = op;
}

static void apply_op(struct memfs_op *op)
{
    switch (op->kind) {
    case MEMFS_ADD:
        memfs_name_set(&op->dir->durable_names, op->name, op->target);
        break;
    case MEMFS_REMOVE:
        memfs_name_remove(&op->dir->durable_names, op->name);
        break;
    case MEMFS_RENAME:
        memfs_name_remove(&op->dir->durable_names, op->name);
        memfs_name_set(&op->to_dir->durable_names, op->to_name, op->target);
        break;
    }
    free(op->name);
    free(op->to_name);
}

void memfs_dirs_apply(struct memfs *fs)
{
    size_t left = 0;
    for (size_t i = 0; i < fs->op_count; i++) {
        if (i < fs->ops[i].dir->cut)
            apply_op(&fs->ops[i]);
        else
            fs->ops[left++] = fs->ops[i];
    }
    fs->op_count = left;
}

void memfs_sync_dir(struct memfs *fs, struct memfs_inode *dir)
{
    for (size_t i = 0; i < fs->inode_count; i++)
        fs->inodes[i]->cut = 0;
    dir->cut = fs->op_count;
    /* A rename between two folders is durable in both or in neither. */
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < fs->op_count; i++) {
            const struct memfs_op *op = &fs->ops[i];
            if (op->kind != MEMFS_RENAME || (i < op->dir->cut) == (i < op->to_dir->cut))
                continue;
            struct memfs_inode *other = i < op->dir->cut ? op->to_dir : op->dir;
            other->cut = i + 1;
            again = true;
        }
    }
    memfs_dirs_apply(fs);
    if (fs->dead > 32)
        memfs_collect(fs);
}

struct memfs_inode *memfs_inode_new(struct memfs *fs, bool is_dir)
{
    struct memfs_inode *inode = need(calloc(1, sizeof(*inode)));
    inode->is_dir = is_dir;
    inode->mtime_ns = fs->now_ns;
    fs->inodes =
        memfs_grow(fs->inodes, fs->inode_count, &fs->inode_capacity, sizeof(struct memfs_inode *));
    fs->inodes[fs->inode_count++] = inode;
    return inode;
}

static void names_free(struct memfs_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->items[i].name);
    free(names->items);
}

void memfs_inode_free(struct memfs_inode *inode)
{
    memfs_content_clear(&inode->live);
    memfs_content_clear(&inode->durable);
    memfs_forget_writes(inode);
    free(inode->writes);
    names_free(&inode->names);
    names_free(&inode->durable_names);
    free(inode);
}

static void mark(struct memfs_inode *inode)
{
    if (!inode || inode->marked)
        return;
    inode->marked = true;
    for (size_t i = 0; i < inode->names.count; i++)
        mark(inode->names.items[i].inode);
    for (size_t i = 0; i < inode->durable_names.count; i++)
        mark(inode->durable_names.items[i].inode);
}

void memfs_collect(struct memfs *fs)
{
    for (size_t i = 0; i < fs->inode_count; i++)
        fs->inodes[i]->marked = false;
    mark(fs->inodes[0]);
    for (size_t i = 0; i < fs->handle_count; i++)
        mark(fs->handles[i].inode);
    for (size_t i = 0; i < fs->op_count; i++) {
        mark(fs->ops[i].dir);
        mark(fs->ops[i].target);
        mark(fs->ops[i].to_dir);
    }
    size_t left = 0;
    for (size_t i = 0; i < fs->inode_count; i++) {
        struct memfs_inode *inode = fs->inodes[i];
        if (inode->marked) {
            fs->inodes[left++] = inode;
            continue;
        }
        fs->used_pages -= inode->live.count;
        memfs_inode_free(inode);
    }
    fs->inode_count = left;
    fs->dead = 0;
}

void memfs_check(const struct memfs *fs)
{
    uint64_t pages = 0;
    assert(fs->inodes[0]->is_dir);
    for (size_t i = 0; i < fs->inode_count; i++) {
        const struct memfs_inode *inode = fs->inodes[i];
        uint32_t links = 0;
        for (size_t j = 0; j < fs->inode_count; j++)
            for (size_t k = 0; k < fs->inodes[j]->names.count; k++)
                links += fs->inodes[j]->names.items[k].inode == inode;
        assert(inode->is_dir || inode->links == links);
        assert(inode->links || inode->handles || inode->is_dir || inode->live.count == 0);
        pages += inode->live.count;
    }
    assert(pages == fs->used_pages);
}
