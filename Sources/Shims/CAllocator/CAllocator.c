// SPDX-License-Identifier: Apache-2.0
#include "CAllocator.h"

// Why each of these: docs/decisions/0007-allocator.md.
const char *malloc_conf = "background_thread:true,max_background_threads:1,"
                          "dirty_decay_ms:1000,muzzy_decay_ms:0,narenas:4,tcache_max:4096";
