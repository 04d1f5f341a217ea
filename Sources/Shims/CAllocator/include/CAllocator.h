// SPDX-License-Identifier: Apache-2.0
// Makes jemalloc the allocator of the program that links this, with settings of ours. Nothing needs
// to be called: the library takes the place of malloc by standing before the C library, and reads
// malloc_conf at the first allocation. MALLOC_CONF in the environment overrides single settings.
// The format and the settings: https://jemalloc.net/jemalloc.3.html#tuning
#ifndef NARTHEX_CALLOCATOR_H
#define NARTHEX_CALLOCATOR_H

extern const char *malloc_conf;

#endif
