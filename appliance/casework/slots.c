#include "casework/slots.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/crypto.h"
#include "base/error.h"
#include "base/json.h"
#include "casework/entry.h"

/* --- passphrase files --- */

/* Reads until a line end, the end of input, or too much. Byte by byte, so that nothing beyond
 * the line is taken from a pipe that others go on reading. */
static int read_line(int fd, const char *path, const char *what, char *line)
{
    size_t len = 0;

    for (;;) {
        char c;
        ssize_t got = read(fd, &c, 1);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return sr_fail_errno(errno, "the %s file %s cannot be read", what, path);
        if (got == 0 || c == '\n')
            break;
        if (c == '\0')
            return sr_fail(SR_ERR_INVALID, "the %s in %s holds a NUL byte", what, path);
        if (len == SLOTS_PASSPHRASE_MAX)
            return sr_fail(SR_ERR_INVALID, "the %s in %s is over %d bytes", what, path,
                           SLOTS_PASSPHRASE_MAX);
        line[len++] = c;
    }
    if (len > 0 && line[len - 1] == '\r')
        len--;
    if (len == 0)
        return sr_fail(SR_ERR_INVALID, "the first line of %s is empty, a %s was expected there",
                       path, what);
    line[len] = '\0';
    return 0;
}

int slots_read_passphrase(const char *path, const char *what, char **out)
{
    bool is_stdin = strcmp(path, "-") == 0;
    char *line = NULL;
    int fd = STDIN_FILENO;
    int rc;

    *out = NULL;
    if (!is_stdin) {
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            return sr_fail_errno(errno, "the %s file %s cannot be opened", what, path);
    }
    line = calloc(1, SLOTS_PASSPHRASE_MAX + 1);
    if (line == NULL)
        rc = sr_fail(SR_ERR_NO_MEMORY, "out of memory for a %s", what);
    else
        rc = read_line(fd, path, what, line);
    if (!is_stdin)
        close(fd);
    if (rc == 0) {
        *out = line;
        return 0;
    }
    if (line != NULL)
        sr_wipe(line, SLOTS_PASSPHRASE_MAX + 1);
    free(line);
    return rc;
}

bool slots_file_is_exposed(const char *path)
{
    struct stat st;

    return strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
           (st.st_mode & (S_IRWXG | S_IRWXO)) != 0;
}

void slots_free_passphrase(char *passphrase)
{
    if (passphrase != NULL)
        sr_wipe(passphrase, strlen(passphrase));
    free(passphrase);
}

/* --- entries --- */

static int append_slot(struct vault *vault, struct ledger *ledger, const char *act,
                       const struct keys_slot_info *info, bool with_hash, uint64_t *index)
{
    json_t *entry = NULL;
    int rc = entry_new(vault_io(vault), act, &entry);

    if (rc == 0)
        rc = entry_set(entry, "slot", sr_json_hex(info->id, sizeof info->id));
    if (rc == 0)
        rc = entry_set(entry, "label", json_string(info->label));
    if (rc == 0 && with_hash)
        rc = entry_set(entry, "sha256", sr_json_hex(info->file_sha256, sizeof info->file_sha256));
    if (rc == 0)
        rc = entry_append(ledger, entry, index);
    json_decref(entry);
    return rc;
}

static int append_page(struct vault *vault, struct ledger *ledger,
                       const struct keys_page_info *info, uint64_t *index)
{
    json_t *entry = NULL;
    int rc = entry_new(vault_io(vault), "keys.page", &entry);

    if (rc == 0)
        rc = entry_set(entry, "page", json_integer((json_int_t)info->page));
    if (rc == 0)
        rc = entry_set(entry, "generation", json_integer((json_int_t)info->generation));
    if (rc == 0)
        rc = entry_set(entry, "sha256", sr_json_hex(info->file_sha256, sizeof info->file_sha256));
    if (rc == 0)
        rc = entry_append(ledger, entry, index);
    json_decref(entry);
    return rc;
}

int slots_add(struct vault *vault, struct ledger *ledger, const char *passphrase, const char *label,
              struct keys_slot_info *info)
{
    uint64_t index = 0;
    int rc = keys_add_slot(vault_keys(vault), passphrase, label, info);

    if (rc == 0)
        rc = append_slot(vault, ledger, "slot.add", info, true, &index);
    return rc == 0 ? ledger_commit(ledger, index) : rc;
}

/* The root was turned over: every page and every remaining slot is a new file with a new hash. */
static int append_rewritten(struct vault *vault, struct ledger *ledger, uint64_t *index)
{
    struct keys_slot_info *slots = NULL;
    struct keys_page_info *pages = NULL;
    size_t slot_count = 0, page_count = 0;
    int rc = keys_list_pages(vault_keys(vault), &pages, &page_count);

    if (rc == 0)
        rc = keys_list_slots(vault_keys(vault), &slots, &slot_count);
    for (size_t i = 0; rc == 0 && i < page_count; i++)
        rc = append_page(vault, ledger, &pages[i], index);
    for (size_t i = 0; rc == 0 && i < slot_count; i++)
        rc = append_slot(vault, ledger, "slot.add", &slots[i], true, index);
    free(pages);
    free(slots);
    return rc;
}

static int find_slot(struct vault *vault, const uint8_t id[KEYS_SLOT_ID_LEN],
                     struct keys_slot_info *info)
{
    struct keys_slot_info *slots = NULL;
    char text[2 * KEYS_SLOT_ID_LEN + 1];
    size_t count = 0;
    int rc = keys_list_slots(vault_keys(vault), &slots, &count);

    if (rc != 0)
        return rc;
    sr_hex_encode(id, KEYS_SLOT_ID_LEN, text);
    rc = SR_ERR_NOT_FOUND;
    for (size_t i = 0; i < count && rc != 0; i++) {
        if (memcmp(slots[i].id, id, KEYS_SLOT_ID_LEN) == 0) {
            *info = slots[i];
            rc = 0;
        }
    }
    free(slots);
    return rc == 0 ? 0 : sr_fail(rc, "there is no slot %s", text);
}

static int record_removal(struct vault *vault, struct ledger *ledger,
                          const struct keys_slot_info *info)
{
    uint64_t index = 0;
    int rc = append_slot(vault, ledger, "slot.remove", info, false, &index);

    if (rc == 0)
        rc = append_rewritten(vault, ledger, &index);
    return rc == 0 ? ledger_commit(ledger, index) : rc;
}

int slots_remove(struct vault *vault, struct ledger *ledger, const uint8_t id[KEYS_SLOT_ID_LEN])
{
    struct keys_slot_info info;
    int rc = find_slot(vault, id, &info);

    if (rc == 0)
        rc = keys_remove_slot(vault_keys(vault), id);
    return rc == 0 ? record_removal(vault, ledger, &info) : rc;
}

int slots_finish_removal(struct vault *vault, struct ledger *ledger,
                         const uint8_t id[KEYS_SLOT_ID_LEN])
{
    struct keys_slot_info info = {.label = ""};

    if (find_slot(vault, id, &info) == 0)
        return sr_fail(SR_ERR_EXISTS, "the slot is still there");
    memcpy(info.id, id, sizeof info.id);
    return record_removal(vault, ledger, &info);
}

int slots_change(struct vault *vault, struct ledger *ledger, const char *passphrase,
                 struct keys_slot_info *info)
{
    uint8_t old_id[KEYS_SLOT_ID_LEN];
    struct keys_slot_info old;
    int rc;

    keys_opened_by(vault_keys(vault), old_id);
    rc = find_slot(vault, old_id, &old);
    if (rc == 0)
        rc = slots_add(vault, ledger, passphrase, old.label, info);
    return rc == 0 ? slots_remove(vault, ledger, old_id) : rc;
}
