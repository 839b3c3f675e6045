#include "ledger/ledger_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define FILE_MODE 0600
#define FOLDER_MODE 0700

static int out_of_memory(void)
{
    return sr_fail(SR_ERR_NO_MEMORY, "ledger: out of memory");
}

/* Frees everything; the thread has ended. NULL ok. */
static void ledger_free(struct ledger *ledger)
{
    if (ledger == NULL)
        return;
    while (ledger->first != NULL) {
        struct ledger_batch *next = ledger->first->next;

        free(ledger->first->bytes);
        free(ledger->first);
        ledger->first = next;
    }
    if (ledger->fd >= 0)
        ledger->io->close(ledger->io, ledger->fd);
    tree_free(&ledger->tree);
    free(ledger->locations);
    sr_gcm_free(ledger->append_gcm);
    sr_gcm_free(ledger->read_gcm);
    sr_buf_free(&ledger->note);
    sr_buf_free(&ledger->unfinished);
    sr_secret_free(ledger->secrets, sizeof(*ledger->secrets));
    pthread_cond_destroy(&ledger->done);
    pthread_cond_destroy(&ledger->work);
    pthread_mutex_destroy(&ledger->lock);
    pthread_mutex_destroy(&ledger->read_lock);
    pthread_mutex_destroy(&ledger->publish_lock);
    free(ledger->dir);
    free(ledger);
}

static void init_locks(struct ledger *ledger)
{
    pthread_condattr_t attributes;

    pthread_mutex_init(&ledger->lock, NULL);
    pthread_mutex_init(&ledger->read_lock, NULL);
    pthread_mutex_init(&ledger->publish_lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&ledger->done, &attributes);
    pthread_cond_init(&ledger->work, &attributes);
    pthread_condattr_destroy(&attributes);
}

/* Everything that needs no file. */
static int ledger_new(const struct ledger_config *config, struct ledger **out)
{
    struct ledger *ledger = calloc(1, sizeof(*ledger));
    uint8_t public_key[SR_ED25519_PUBLIC_LEN];
    int status;

    *out = NULL;
    if (ledger == NULL)
        return out_of_memory();
    init_locks(ledger);
    ledger->fd = -1;
    ledger->io = config->io;
    memcpy(ledger->vault_id, config->vault_id, sizeof(ledger->vault_id));
    group_first_chain(ledger->vault_id, ledger->chain);
    ledger->dir = strdup(config->dir);
    ledger->secrets = sr_secret_alloc(sizeof(*ledger->secrets));
    if (ledger->dir == NULL || ledger->secrets == NULL) {
        status = out_of_memory();
        goto out;
    }
    memcpy(ledger->secrets->key_enc, config->key_enc, SR_KEY_LEN);
    memcpy(ledger->secrets->key_mac, config->key_mac, SR_KEY_LEN);
    memcpy(ledger->secrets->seed, config->seed, SR_ED25519_SEED_LEN);
    status = sr_gcm_new(&ledger->append_gcm);
    if (status == 0)
        status = sr_gcm_new(&ledger->read_gcm);
    if (status == 0)
        status = sr_ed25519_public(config->seed, public_key);
    if (status == 0)
        status = note_verifier_init(&ledger->verifier, config->origin, public_key);
out:
    if (status == 0)
        *out = ledger;
    else
        ledger_free(ledger);
    return status;
}

static int open_journal(struct ledger *ledger, int flags)
{
    char *path = sr_path("%s/journal", ledger->dir);
    int fd;

    if (path == NULL)
        return out_of_memory();
    fd = ledger->io->open(ledger->io, path, O_RDWR | flags, FILE_MODE);
    free(path);
    if (fd == -ENOENT)
        return sr_fail(SR_ERR_NOT_FOUND, "there is no ledger/journal");
    if (fd == -EEXIST)
        return sr_fail(SR_ERR_EXISTS, "there is a ledger/journal already");
    if (fd < 0)
        return sr_fail_errno(-fd, "open ledger/journal");
    ledger->fd = fd;
    return 0;
}

static int make_folder(struct ledger *ledger, const char *name)
{
    char *path = sr_path("%s%s", ledger->dir, name);
    int status = path == NULL ? out_of_memory() : sr_io_make_dir(ledger->io, path, FOLDER_MODE);

    free(path);
    return status;
}

static int start_thread(struct ledger *ledger)
{
    int error = pthread_create(&ledger->thread, NULL, ledger_thread, ledger);

    if (error != 0)
        return sr_fail_errno(error, "ledger: no thread");
    ledger->has_thread = true;
    return 0;
}

int ledger_create(const struct ledger_config *config, struct ledger **out)
{
    struct ledger *ledger = NULL;
    struct sr_io *io = config->io;
    int status;

    *out = NULL;
    status = ledger_new(config, &ledger);
    if (status != 0)
        return status;
    status = make_folder(ledger, "");
    if (status == 0)
        status = make_folder(ledger, "/tile");
    if (status == 0)
        status = make_folder(ledger, "/checkpoints");
    if (status == 0)
        status = open_journal(ledger, O_CREAT | O_EXCL);
    if (status != 0)
        goto out;
    ledger_allocate(ledger, 0);
    status = io->fsync(io, ledger->fd);
    if (status == 0)
        status = io->sync_dir(io, ledger->dir);
    if (status < 0) {
        status = sr_fail_errno(-status, "sync ledger/journal");
        goto out;
    }
    status = publish_first(ledger);
    if (status == 0)
        status = start_thread(ledger);
out:
    if (status == 0)
        *out = ledger;
    else
        ledger_free(ledger);
    return status;
}

/* Without a journal there was never a ledger, or it was taken away. */
static int explain_missing(struct ledger *ledger)
{
    char *path = sr_path("%s/checkpoint", ledger->dir);
    struct sr_stat st;
    int status;

    if (path == NULL)
        return out_of_memory();
    status = ledger->io->stat(ledger->io, path, &st);
    free(path);
    if (status == 0)
        return sr_fail(SR_ERR_DAMAGED, "ledger/journal is missing, but there is a checkpoint");
    return sr_fail(SR_ERR_NOT_FOUND, "there is no ledger/journal");
}

int ledger_open(const struct ledger_config *config, struct ledger_open_report *report,
                struct ledger **out)
{
    struct ledger_open_report unused;
    struct ledger *ledger = NULL;
    int status;

    *out = NULL;
    report = report != NULL ? report : &unused;
    memset(report, 0, sizeof(*report));
    status = ledger_new(config, &ledger);
    if (status != 0)
        return status;
    status = open_journal(ledger, 0);
    if (status == SR_ERR_NOT_FOUND)
        status = explain_missing(ledger);
    if (status != 0)
        goto out;
    status = ledger_load(ledger, report);
    if (status != 0)
        goto out;
    ledger_allocate(ledger, ledger->end);
    if (ledger->published < ledger->committed)
        ledger->due_ns = ledger->io->boottime_ns(ledger->io) + LEDGER_PUBLISH_NS;
    status = start_thread(ledger);
out:
    if (status == 0)
        *out = ledger;
    else
        ledger_free(ledger);
    return status;
}

int ledger_close(struct ledger *ledger)
{
    struct sr_error_copy failure;
    int status;

    if (ledger == NULL)
        return 0;
    pthread_mutex_lock(&ledger->lock);
    ledger->stopping = true;
    pthread_cond_signal(&ledger->work);
    pthread_mutex_unlock(&ledger->lock);
    if (ledger->has_thread)
        pthread_join(ledger->thread, NULL);
    pthread_mutex_lock(&ledger->lock);
    status = ledger_commit_locked(ledger, ledger->tree.size);
    pthread_mutex_unlock(&ledger->lock);
    sr_error_save(&failure, status);
    if (publish_checkpoint(ledger, NULL) != 0)
        sr_log_failure("no checkpoint could be published at the end");
    ledger_free(ledger);
    return status == 0 ? 0 : sr_error_raise(&failure);
}
