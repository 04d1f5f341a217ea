// SPDX-License-Identifier: Apache-2.0
// The GNU and Linux interfaces that Swift's Glibc module leaves out, and byte kernels in C.
#ifndef NARTHEX_CPLATFORM_H
#define NARTHEX_CPLATFORM_H
#include <stddef.h>
#include <stdint.h>

/// CRC-32 with the Castagnoli polynomial over size bytes, going on from crc (0 to begin).
uint32_t narthex_crc32c(uint32_t crc, const void *bytes, size_t size);

/// What an epoll instance reports: the EPOLL… bits that came true and the token given at control.
typedef struct {
    uint64_t token;
    uint32_t events;
} narthex_event;

enum {
    narthex_readable = 0x001,
    narthex_writable = 0x004,
    narthex_failed = 0x008,
    narthex_hung_up = 0x010,
    narthex_peer_closed = 0x2000,
};

/// Each returns a value of zero or more, or -1 with errno set, like the call it stands for.
int narthex_epoll_create(void);
int narthex_epoll_add(int epoll, int descriptor, uint32_t events, uint64_t token);
int narthex_epoll_change(int epoll, int descriptor, uint32_t events, uint64_t token);
int narthex_epoll_remove(int epoll, int descriptor);
/// Waits at most timeout milliseconds (-1: for ever) for at most capacity (up to 256) events.
int narthex_epoll_wait(int epoll, narthex_event *events, int capacity, int timeout);
int narthex_eventfd(void);

/// The bytes that this thread has allocated less those it has freed, by the allocator's own
/// counters; INT64_MIN where the program is linked with another allocator than jemalloc.
int64_t narthex_thread_memory(void);

/// A non-blocking stream socket that is not inherited, for family AF_INET or AF_INET6.
int narthex_stream_socket(int family);
int narthex_accept(int listener);
/// Receives without waiting and without a signal; 0 is the end of the stream.
long narthex_receive(int descriptor, void *bytes, size_t size);
/// Sends without waiting and without SIGPIPE.
long narthex_send(int descriptor, const void *bytes, size_t size);
int narthex_set_no_delay(int descriptor);
/// The error that a connect in progress ended with, 0 when it stands.
int narthex_socket_error(int descriptor);

/// Fills size bytes (at most 256) with random ones; 0 or -1.
int narthex_random(void *bytes, size_t size);
/// Names the calling thread as ps and perf show it (15 bytes count).
void narthex_name_thread(const char *name);
/// The calling thread's id as the kernel counts it.
int narthex_thread_id(void);

/// Asks the processor to fetch the cache line at an address, to be written soon. Any address will do.
static inline void narthex_prefetch(const void *address) { __builtin_prefetch(address, 1, 3); }

#endif
