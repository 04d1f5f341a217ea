// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE 1
#include "CPlatform.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

_Static_assert(narthex_readable == EPOLLIN && narthex_writable == EPOLLOUT, "epoll bits");
_Static_assert(narthex_failed == EPOLLERR && narthex_hung_up == EPOLLHUP, "epoll bits");
_Static_assert(narthex_peer_closed == EPOLLRDHUP, "epoll bits");

int narthex_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

static int control(int epoll, int operation, int descriptor, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data.u64 = token};
    return epoll_ctl(epoll, operation, descriptor, &event);
}

int narthex_epoll_add(int epoll, int descriptor, uint32_t events, uint64_t token) {
    return control(epoll, EPOLL_CTL_ADD, descriptor, events, token);
}

int narthex_epoll_change(int epoll, int descriptor, uint32_t events, uint64_t token) {
    return control(epoll, EPOLL_CTL_MOD, descriptor, events, token);
}

int narthex_epoll_remove(int epoll, int descriptor) {
    return control(epoll, EPOLL_CTL_DEL, descriptor, 0, 0);
}

int narthex_epoll_wait(int epoll, narthex_event *events, int capacity, int timeout) {
    struct epoll_event found[256];
    if (capacity > 256) capacity = 256;
    int count = epoll_wait(epoll, found, capacity, timeout);
    for (int i = 0; i < count; i++)
        events[i] = (narthex_event){.token = found[i].data.u64, .events = found[i].events};
    return count;
}

int narthex_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

int narthex_stream_socket(int family) {
    return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
}

int narthex_accept(int listener) {
    return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

long narthex_receive(int descriptor, void *bytes, size_t size) {
    long count;
    do count = recv(descriptor, bytes, size, MSG_DONTWAIT);
    while (count < 0 && errno == EINTR);
    return count;
}

long narthex_send(int descriptor, const void *bytes, size_t size) {
    long count;
    do count = send(descriptor, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (count < 0 && errno == EINTR);
    return count;
}

int narthex_set_no_delay(int descriptor) {
    int on = 1;
    return setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

int narthex_socket_error(int descriptor) {
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) < 0) return errno;
    return error;
}

int narthex_random(void *bytes, size_t size) { return getentropy(bytes, size); }

void narthex_name_thread(const char *name) {
    char short_name[16];
    strncpy(short_name, name, sizeof short_name - 1);
    short_name[15] = 0;
    pthread_setname_np(pthread_self(), short_name);
}

int narthex_thread_id(void) { return gettid(); }

// Of jemalloc: absent where the program is linked without it.
extern int mallctl(const char *, void *, size_t *, void *, size_t) __attribute__((weak));

int64_t narthex_thread_memory(void) {
    static _Thread_local uint64_t *allocated, *freed;
    if (freed == NULL) {
        size_t size = sizeof(allocated);
        if (mallctl == NULL || mallctl("thread.allocatedp", &allocated, &size, NULL, 0) != 0 ||
            mallctl("thread.deallocatedp", &freed, &size, NULL, 0) != 0) {
            return INT64_MIN;
        }
    }
    return (int64_t)(*allocated - *freed);
}
