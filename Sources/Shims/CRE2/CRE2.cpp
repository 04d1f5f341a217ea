// SPDX-License-Identifier: Apache-2.0
#include "CRE2.h"

#include <re2/re2.h>

#include <string>
#include <vector>

struct narthex_re2 {
    RE2 re;
    std::string error;
    std::vector<std::string> names;

    narthex_re2(re2::StringPiece pattern, const RE2::Options &options) : re(pattern, options) {
        if (!re.ok()) {
            error = re.error();
            return;
        }
        names.resize(re.NumberOfCapturingGroups() + 1);
        for (const auto &group : re.CapturingGroupNames()) names[group.first] = group.second;
    }
};

extern "C" {

narthex_re2 *narthex_re2_new(const char *pattern, size_t size) {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_dot_nl(true);
    return new narthex_re2(re2::StringPiece(pattern, size), options);
}

void narthex_re2_free(narthex_re2 *re) { delete re; }

const char *narthex_re2_error(const narthex_re2 *re) { return re->re.ok() ? nullptr : re->error.c_str(); }

int narthex_re2_group_count(const narthex_re2 *re) { return re->re.NumberOfCapturingGroups(); }

const char *narthex_re2_group_name(const narthex_re2 *re, int index) {
    const std::string &name = re->names[index];
    return name.empty() ? nullptr : name.c_str();
}

bool narthex_re2_match(const narthex_re2 *re, const char *text, size_t size, bool anchored, int64_t *starts,
                       int64_t *ends, int groups) {
    std::vector<re2::StringPiece> found(groups);
    re2::StringPiece whole(text, size);
    RE2::Anchor anchor = anchored ? RE2::ANCHOR_BOTH : RE2::UNANCHORED;
    if (!re->re.Match(whole, 0, size, anchor, found.data(), groups)) return false;
    for (int i = 0; i < groups; i++) {
        bool took_part = found[i].data() != nullptr;
        starts[i] = took_part ? found[i].data() - text : -1;
        ends[i] = took_part ? found[i].data() + found[i].size() - text : -1;
    }
    return true;
}

}  // extern "C"
