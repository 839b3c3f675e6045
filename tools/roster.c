#include "tools/roster.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/error.h"
#include "base/text.h"
#include "casework/authorise.h"

#define ACCOUNT_NAME_MAX 32 /* useradd's limit */
#define DISPLAY_NAME_MAX 127

struct place { /* for sentences */
    const char *file;
    size_t line;
};

/* As useradd has it; anything else would end up in command lines and smb.conf. */
static bool account_name_ok(const char *name)
{
    size_t len = strlen(name);

    if (len == 0 || len > ACCOUNT_NAME_MAX || !((*name >= 'a' && *name <= 'z') || *name == '_'))
        return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == len;
}

static bool has_control(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return true;
    return false;
}

/* Cuts the text at the next colon; NULL when there is none. */
static char *cut(char **rest)
{
    char *start = *rest;
    char *colon = strchr(start, ':');

    if (colon == NULL)
        return NULL;
    *colon = '\0';
    *rest = colon + 1;
    return start;
}

static int check_account(const struct place *at, const struct setup_account *account,
                         bool passwords_optional)
{
    if (!authorise_role_exists(account->role))
        return sr_fail(SR_ERR_INVALID, "%s:%zu: there is no role '%.32s'", at->file, at->line,
                       account->role);
    if (!account_name_ok(account->account))
        return sr_fail(SR_ERR_INVALID,
                       "%s:%zu: an account is 1 to %d of a-z 0-9 _ -, beginning with a letter",
                       at->file, at->line, ACCOUNT_NAME_MAX);
    if (account->name[0] == '\0' || strlen(account->name) > DISPLAY_NAME_MAX ||
        has_control(account->name))
        return sr_fail(SR_ERR_INVALID, "%s:%zu: the display name must have 1 to %d bytes", at->file,
                       at->line, DISPLAY_NAME_MAX);
    if (account->password == NULL && !passwords_optional)
        return sr_fail(SR_ERR_INVALID, "%s:%zu: the password is empty", at->file, at->line);
    if (account->password != NULL && has_control(account->password))
        return sr_fail(SR_ERR_INVALID, "%s:%zu: the password holds a control character", at->file,
                       at->line);
    return 0;
}

static int parse_line(const struct place *at, char *line, bool passwords_optional,
                      struct roster *out)
{
    struct setup_account account = {0};
    char *rest = line;
    int rc;

    account.role = cut(&rest);
    account.account = account.role == NULL ? NULL : cut(&rest);
    account.name = account.account == NULL ? NULL : cut(&rest);
    if (account.name == NULL)
        return sr_fail(SR_ERR_INVALID, "%s:%zu: expected role:account:display name:password",
                       at->file, at->line);
    account.password = rest[0] == '\0' ? NULL : rest; /* the rest may hold colons */
    rc = check_account(at, &account, passwords_optional);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < out->count; i++)
        if (strcmp(out->list[i].account, account.account) == 0)
            return sr_fail(SR_ERR_INVALID, "%s:%zu: the account '%s' stands there twice", at->file,
                           at->line, account.account);
    if (out->count == ROSTER_MAX)
        return sr_fail(SR_ERR_INVALID, "%s:%zu: more than %d accounts", at->file, at->line,
                       ROSTER_MAX);
    out->list[out->count++] = account;
    return 0;
}

/* 三员分立: all three, each by one person. */
static int check_three(const char *file, const struct roster *accounts)
{
    static const char *const three[] = {"sysadmin", "secoff", "auditor"};

    for (size_t i = 0; i < 3; i++) {
        size_t found = 0;

        for (size_t j = 0; j < accounts->count; j++)
            found += strcmp(accounts->list[j].role, three[i]) == 0;
        if (found != 1)
            return sr_fail(SR_ERR_INVALID, "%s: the role %s must stand there once, not %zu times",
                           file, three[i], found);
    }
    return 0;
}

int roster_parse(const char *file, const uint8_t *data, size_t len, bool passwords_optional,
                 struct roster *out)
{
    struct place at = {.file = file};
    char *line, *next;
    int rc = 0;

    *out = (struct roster){0};
    if (memchr(data, '\0', len) != NULL || !sr_utf8_valid((const char *)data, len))
        return sr_fail(SR_ERR_INVALID, "%s is not UTF-8 text", file);
    out->text = malloc(len + 1);
    if (out->text == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory for %s", file);
    out->text_len = len;
    memcpy(out->text, data, len);
    out->text[len] = '\0';
    line = out->text;
    if (strncmp(line, "\xef\xbb\xbf", 3) == 0) /* a byte order mark, as editors on Windows write */
        line += 3;
    for (; rc == 0 && line != NULL; line = next) {
        size_t line_len;

        at.line++;
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        line_len = strlen(line);
        if (line_len > 0 && line[line_len - 1] == '\r')
            line[line_len - 1] = '\0';
        if (line[0] != '\0' && line[0] != '#')
            rc = parse_line(&at, line, passwords_optional, out);
    }
    if (rc == 0)
        rc = check_three(file, out);
    if (rc != 0)
        roster_free(out);
    return rc;
}

void roster_free(struct roster *accounts)
{
    if (accounts->text != NULL)
        sr_wipe(accounts->text, accounts->text_len);
    free(accounts->text);
    *accounts = (struct roster){0};
}
