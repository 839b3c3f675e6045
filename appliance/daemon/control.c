#include "daemon/control.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/error.h"
#include "base/log.h"
#include "daemon/request.h"

#define POLL_SLICE_MS 200
#define STACK_BYTES (2u << 20)

struct connection {
    struct control *control;
    int fd;
    struct door_actor actor;
    bool used;
};

/* Invariants, under lock:
 *  C1  connections[i].used from before its thread starts until the thread's last access to control.
 *  C2  active == number of used connections; control_stop frees the control only at active == 0. */
struct control {
    const struct ops_context *context;
    char path[sizeof((struct sockaddr_un *)NULL)->sun_path];
    int listen_fd;
    int wake_fd; /* eventfd: the acceptor should end */
    pthread_t acceptor;
    bool acceptor_started;
    atomic_bool stop;
    pthread_mutex_t lock;
    pthread_cond_t idle;
    unsigned active;
    struct connection connections[CONTROL_CONNECTIONS];
};

static int64_t monotonic_ms(void)
{
    struct timespec now = {0};

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* One line, without its newline. Ends at a newline or at the end of what the client sends. */
static int read_request(struct connection *connection, uint8_t *line, size_t *len)
{
    int64_t deadline = monotonic_ms() + CONTROL_REQUEST_MS;

    *len = 0;
    for (;;) {
        struct pollfd ready = {.fd = connection->fd, .events = POLLIN};
        uint8_t *newline;
        ssize_t got;

        if (atomic_load(&connection->control->stop))
            return sr_fail(SR_ERR_CLOSED, "the daemon is closing");
        if (monotonic_ms() >= deadline)
            return sr_fail(SR_ERR_INVALID, "the request did not arrive in time");
        if (poll(&ready, 1, POLL_SLICE_MS) <= 0)
            continue;
        got = recv(connection->fd, line + *len, REQUEST_MAX + 1 - *len, MSG_DONTWAIT);
        if (got < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK))
            continue;
        if (got < 0)
            return sr_fail_errno(errno, "the request cannot be read");
        if (got == 0)
            return *len > 0 ? 0 : sr_fail(SR_ERR_CLOSED, "the client asked nothing");
        newline = memchr(line + *len, '\n', (size_t)got);
        *len += (size_t)got;
        if (newline != NULL) {
            *len = (size_t)(newline - line);
            return 0;
        }
        if (*len > REQUEST_MAX)
            return sr_fail(SR_ERR_TOO_LARGE, "the request is over %d bytes", REQUEST_MAX);
    }
}

static void serve(struct connection *connection)
{
    const struct ops_entry *entry = NULL;
    json_t *request = NULL;
    struct answer answer;
    uint8_t *line = malloc(REQUEST_MAX + 1);
    size_t len = 0;
    int rc;

    answer_init(&answer, connection->fd, &connection->control->stop);
    if (line == NULL)
        rc = sr_fail(SR_ERR_NO_MEMORY, "out of memory for a request");
    else
        rc = read_request(connection, line, &len);
    if (rc == 0)
        rc = ops_parse(line, len, &entry, &request);
    if (line != NULL)
        sr_wipe(line, REQUEST_MAX + 1); /* it may hold a password */
    free(line);
    if (rc == 0)
        ops_run(connection->control->context, entry, request, &connection->actor, &answer);
    else
        answer_error(&answer, rc, false);
    json_decref(request);
    answer_free(&answer);
}

static void release(struct connection *connection)
{
    struct control *control = connection->control;

    close(connection->fd);
    pthread_mutex_lock(&control->lock);
    connection->used = false;
    control->active--;
    pthread_cond_broadcast(&control->idle);
    pthread_mutex_unlock(&control->lock);
}

static void *connection_main(void *context)
{
    struct connection *connection = context;

    serve(connection);
    release(connection);
    return NULL;
}

/* Takes a free place for fd, NULL when this user or everybody together has too many. */
static struct connection *take_place(struct control *control, int fd, uid_t uid)
{
    struct connection *place = NULL;
    unsigned of_user = 0;

    pthread_mutex_lock(&control->lock);
    for (size_t i = 0; i < CONTROL_CONNECTIONS; i++) {
        struct connection *one = &control->connections[i];

        if (!one->used && place == NULL)
            place = one;
        else if (one->used && one->actor.uid == uid)
            of_user++;
    }
    if (of_user >= CONTROL_PER_UID)
        place = NULL;
    if (place != NULL) {
        *place = (struct connection){.control = control, .fd = fd, .used = true};
        place->actor.uid = uid;
        place->actor.tool = true;
        snprintf(place->actor.client, sizeof place->actor.client, "local");
        control->active++;
    }
    pthread_mutex_unlock(&control->lock);
    return place;
}

static int start_thread(struct connection *place)
{
    pthread_attr_t attributes;
    pthread_t thread;
    int rc = pthread_attr_init(&attributes);

    if (rc != 0)
        return rc;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    rc = pthread_create(&thread, &attributes, connection_main, place);
    pthread_attr_destroy(&attributes);
    return rc;
}

static void admit(struct control *control, int fd)
{
    struct connection *place;
    struct answer answer;
    struct ucred peer;
    socklen_t len = sizeof peer;

    /* Credentials as of connect(2): nothing that the client says about itself counts. */
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0 || len != sizeof peer) {
        sr_log(SR_LOG_WARNING, "control socket: a client without credentials was turned away");
        close(fd);
        return;
    }
    place = take_place(control, fd, peer.uid);
    if (place != NULL && start_thread(place) == 0)
        return;
    answer_init(&answer, fd, &control->stop);
    answer_error(&answer, sr_fail(SR_ERR_BUSY, "too many requests at once: try again"), true);
    answer_free(&answer);
    if (place != NULL)
        release(place);
    else
        close(fd);
}

static void *acceptor_main(void *context)
{
    struct control *control = context;
    struct pollfd ready[2] = {{.fd = control->listen_fd, .events = POLLIN},
                              {.fd = control->wake_fd, .events = POLLIN}};

    while (!atomic_load(&control->stop)) {
        int fd;

        if (poll(ready, 2, -1) < 0 || (ready[0].revents & POLLIN) == 0)
            continue;
        fd = accept4(control->listen_fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            admit(control, fd);
        else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
            poll(NULL, 0, POLL_SLICE_MS); /* descriptors come back when others end */
    }
    return NULL;
}

static int make_dir(const char *dir)
{
    struct stat st;

    if (mkdir(dir, 0755) == 0) {
        if (chmod(dir, 0755) != 0) /* the umask is 077 */
            return sr_fail_errno(errno, "%s cannot be opened to users", dir);
        return 0;
    }
    if (errno != EEXIST)
        return sr_fail_errno(errno, "%s, the folder of the control socket, cannot be made", dir);
    if (stat(dir, &st) != 0)
        return sr_fail_errno(errno, "%s", dir);
    if (!S_ISDIR(st.st_mode))
        return sr_fail(SR_ERR_NOT_DIRECTORY, "%s, where the control socket goes, is not a folder",
                       dir);
    return 0;
}

static int open_socket(struct control *control, const char *dir)
{
    const struct vault_identity *identity = vault_identity(control->context->vault);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char id[2 * KEYS_VAULT_ID_LEN + 1];
    int len;

    sr_hex_encode(identity->id.bytes, sizeof identity->id.bytes, id);
    len = snprintf(control->path, sizeof control->path, "%s/%s.sock", dir, id);
    if (len < 0 || (size_t)len >= sizeof control->path) {
        control->path[0] = '\0';
        return sr_fail(SR_ERR_INVALID, "%s is too long for the control socket", dir);
    }
    memcpy(address.sun_path, control->path, (size_t)len + 1);
    if (unlink(control->path) != 0 && errno != ENOENT)
        return sr_fail_errno(errno, "%s cannot be replaced", control->path);
    control->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (control->listen_fd < 0)
        return sr_fail_errno(errno, "no control socket");
    if (bind(control->listen_fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        chmod(control->path, 0666) != 0 || listen(control->listen_fd, 64) != 0)
        return sr_fail_errno(errno, "the control socket %s cannot be opened", control->path);
    return 0;
}

int control_start(const char *dir, const struct ops_context *context, struct control **out)
{
    struct control *control = calloc(1, sizeof *control);
    int rc;

    *out = NULL;
    if (control == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory for the control socket");
    control->context = context;
    control->listen_fd = -1;
    pthread_mutex_init(&control->lock, NULL);
    pthread_cond_init(&control->idle, NULL);
    control->wake_fd = eventfd(0, EFD_CLOEXEC);
    if (control->wake_fd < 0)
        rc = sr_fail_errno(errno, "no event descriptor for the control socket");
    else
        rc = make_dir(dir);
    if (rc == 0)
        rc = open_socket(control, dir);
    if (rc == 0) {
        int number = pthread_create(&control->acceptor, NULL, acceptor_main, control);

        if (number != 0)
            rc = sr_fail_errno(number, "no thread for the control socket");
        control->acceptor_started = number == 0;
    }
    if (rc != 0)
        control_stop(control);
    else
        *out = control;
    return rc;
}

void control_stop(struct control *control)
{
    if (control == NULL)
        return;
    atomic_store(&control->stop, true);
    if (control->acceptor_started) {
        if (eventfd_write(control->wake_fd, 1) != 0)
            sr_log(SR_LOG_WARNING, "control socket: %s", strerror(errno));
        pthread_join(control->acceptor, NULL);
    }
    pthread_mutex_lock(&control->lock);
    while (control->active > 0)
        pthread_cond_wait(&control->idle, &control->lock);
    pthread_mutex_unlock(&control->lock);
    if (control->path[0] != '\0' && control->listen_fd >= 0)
        unlink(control->path);
    if (control->listen_fd >= 0)
        close(control->listen_fd);
    if (control->wake_fd >= 0)
        close(control->wake_fd);
    pthread_cond_destroy(&control->idle);
    pthread_mutex_destroy(&control->lock);
    free(control);
}
